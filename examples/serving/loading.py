"""Models from files."""

import os
from pathlib import Path

from .model_info import Model


def load_model(
    path: str | os.PathLike[str],
    stream_path: str | os.PathLike[str] | None = None,
) -> Model:
    """The model of a file: ``.skops``, or ``.onnx`` with its streaming
    form in a second file, if it has one.

    Neither runs code of the file, unlike a pickle.
    """
    kind = Path(path).suffix
    if kind == ".onnx":
        from .onnx_model import OnnxModel

        return OnnxModel(path, stream_path)
    if stream_path is not None:
        raise ValueError(
            f"{stream_path} is of no use with {path}: a file of skops "
            "holds its streams. Leave it out."
        )
    if kind == ".skops":
        from skops import io

        from sklrnn import trusted_types

        from .estimator_model import EstimatorModel

        # What is of neither scikit-learn nor sklrnn is refused.
        model = io.load(path, trusted=trusted_types())
        return EstimatorModel(model, "skops")
    raise ValueError(
        f"The model must be a file .skops or .onnx, got {path}. Write one "
        "with skops.io.dump or sklrnn.export.to_onnx."
    )
