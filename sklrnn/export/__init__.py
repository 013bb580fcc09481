"""Fitted estimators and pipelines as ONNX models: ``to_onnx``, and ``register_with_skl2onnx``. Both need onnx."""

from sklrnn.export.onnx_model import to_onnx
from sklrnn.export.skl2onnx_converter import register_with_skl2onnx

__all__ = ["register_with_skl2onnx", "to_onnx"]
