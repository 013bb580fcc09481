"""What must be set before scikit-learn and matplotlib are imported anywhere, and what tests leave behind."""

import os
import sys

import pytest

# Without this, scikit-learn skips its check of array API input.
os.environ["SCIPY_ARRAY_API"] = "1"
os.environ["MPLBACKEND"] = "Agg"


@pytest.fixture(autouse=True)
def close_figures():
    """matplotlib keeps every figure, and warns when there are many."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
