"""What tests and doctests leave behind."""

import sys

import pytest


@pytest.fixture(autouse=True)
def close_figures():
    """matplotlib keeps every figure, and warns when there are many."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
