"""Where onnx is missing, an export says what to install."""

import sys

import pytest

from sklrnn import GRURegressor
from sklrnn.export import register_with_skl2onnx, to_onnx


def test_an_export_without_onnx_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ModuleNotFoundError, match=r'pip install "sklrnn\[onnx\]"'):
        to_onnx(GRURegressor())


def test_registering_without_skl2onnx_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    with pytest.raises(ModuleNotFoundError, match="pip install skl2onnx"):
        register_with_skl2onnx()
