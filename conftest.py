"""What tests and doctests leave behind, and which files can't run here."""

import sys
from importlib.util import find_spec

import pytest

_NEEDED = {
    "sklrnn/distributed.py": "distributed",
    "sklrnn/export/onnx_model.py": "onnx",
    "sklrnn/export/skl2onnx_converter.py": "skl2onnx",
    "tests/serving": "fastapi",
}

collect_ignore = [path for path, package in _NEEDED.items() if find_spec(package) is None]


@pytest.fixture(autouse=True)
def close_figures():
    """matplotlib keeps every figure, and warns when there are many."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
