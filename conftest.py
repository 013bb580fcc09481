"""Which files have doctests that can't run here."""

from importlib.util import find_spec

_NEEDED = {"sklrnn/export/onnx_model.py": "onnx", "sklrnn/export/skl2onnx_converter.py": "skl2onnx"}

collect_ignore = [path for path, package in _NEEDED.items() if find_spec(package) is None]
