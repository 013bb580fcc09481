"""The steps of a pipeline in front of an estimator as ONNX operators: scalers and sliding windows."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

from sklrnn.export.graph import Graph
from sklrnn.preprocessing.sequence_scaler import SequenceScaler
from sklrnn.preprocessing.sliding_window import SlidingWindow

Array = NDArray[Any]


def apply_step(graph: Graph, step: Any, x: str) -> str:
    """What a fitted transformer makes of its input."""
    if isinstance(step, SlidingWindow):
        return slide_windows(graph, step, x)
    scaler = step.scaler_ if isinstance(step, SequenceScaler) else step
    operations = _scaling(scaler)
    if operations is None:
        raise ValueError(
            f"to_onnx knows SlidingWindow, SequenceScaler, StandardScaler, MinMaxScaler, MaxAbsScaler and RobustScaler "
            f"in front of an estimator, got {type(scaler).__name__}. Export the estimator alone and transform X "
            "before, or call register_with_skl2onnx() and use skl2onnx.to_onnx, which knows more transformers."
        )
    scaled = graph.cast(x, np.float64)  # as scikit-learn computes with its statistics
    for operator, constant in operations:
        scaled = graph.add(operator, scaled, constant)
    return graph.cast(scaled, graph.dtype)


def fixes_columns(step: Any) -> bool:
    """Whether a transformer treats each column of a table in its own way."""
    return not isinstance(step, SequenceScaler | SlidingWindow)


def check_scales_steps(step: Any) -> None:
    """Refuse a transformer in front of a stream that does not treat all steps of a sequence alike."""
    if isinstance(step, SlidingWindow):
        raise ValueError(
            "A stream reads a sequence from its start, but SlidingWindow gives windows of fixed length. Export the "
            "pipeline with streaming=False, or fit the estimator on whole sequences."
        )
    if fixes_columns(step):
        raise ValueError(
            f"{type(step).__name__} treats each column, so each time step, in its own way, but a stream has no end. "
            "Use SequenceScaler, which scales all steps alike, or export with streaming=False."
        )


def _scaling(scaler: Any) -> list[tuple[str, Array]] | None:
    """Operators and constants that a scaler applies one after the other; None for other transformers."""
    given: list[tuple[str, Any]]
    if type(scaler) is StandardScaler:
        given = [("Sub", scaler.mean_ if scaler.with_mean else None), ("Div", scaler.scale_)]
    elif type(scaler) is RobustScaler:
        given = [("Sub", scaler.center_), ("Div", scaler.scale_)]
    elif type(scaler) is MaxAbsScaler:
        given = [("Div", scaler.scale_)]
    elif type(scaler) is MinMaxScaler:
        given = [("Mul", scaler.scale_), ("Add", scaler.min_)]
    else:
        return None
    if getattr(scaler, "clip", False):
        low, high = getattr(scaler, "feature_range", (-1.0, 1.0))
        given += [("Max", low), ("Min", high)]
    return [(operator, np.asarray(constant, dtype=np.float64)) for operator, constant in given if constant is not None]


def slide_windows(graph: Graph, window: SlidingWindow, x: str) -> str:
    """The window of each row, (row, time, feature), or the lag columns."""
    _check_window(window)
    n_columns, length, stride = window.n_features_in_, window.window_length, window.stride_within
    n_before = (length - 1) * stride
    if window.padding == "edge":
        first = graph.slice(x, 0, 1, 0)
        filler = graph.add("Expand", first, np.array([n_before, n_columns]))
    else:
        mean = dict(window._means).get(None, window._mean_of_all) if window.padding == "mean" else None
        value: Any = {"zero": 0.0, "nan": np.nan, "mean": mean}[window.padding]
        filler = graph.constant(np.broadcast_to(value, (n_before, n_columns)), graph.dtype)
    padded = graph.concat([filler, x], axis=0)
    windows = graph.gather_windows(padded, graph.length(x, 0), np.arange(length) * stride, axis=0)
    return graph.reshape(windows, 0, length * n_columns) if window.flatten else windows


def _check_window(window: SlidingWindow) -> None:
    """Refuse what a table of numbers without an index does not tell."""
    for name in ("groups", "time_column", "calendar"):
        value = getattr(window, name)
        if value is not None:
            raise ValueError(
                f"to_onnx exports a SlidingWindow over the rows of one series, but {name}={value!r} needs names or "
                "times. Export the estimator behind it alone, and give it the windows of SlidingWindow.transform."
            )
    if window.context == "auto" and window._context is not None:
        raise ValueError(
            "This SlidingWindow takes the history of new rows from the training rows, as their index tells "
            '(context="auto"), but an ONNX graph sees no index. Call set_params(context="none") on this step, and put '
            f"the {window._span - 1} rows before in front of the rows to be predicted; drop their predictions."
        )
