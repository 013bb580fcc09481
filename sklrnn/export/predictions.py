"""Raw outputs of a network as predictions in the user's units, as ONNX operators.

Raw outputs have the axes (sample, output), or (sample, time, output) with ``return_sequences=True``.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from sklrnn.estimators.window_scale import WindowUnits
from sklrnn.export.front import measure_windows
from sklrnn.export.graph import Graph
from sklrnn.kernels._program_arguments import LEAST_DEVIATION

Array = NDArray[Any]


def predict_labels(graph: Graph, classifier: Any, raw: str) -> dict[str, str]:
    """The label and the probabilities of all classes."""
    classes = np.asarray(classifier.classes_)
    if classes.dtype.kind in "OU":
        classes = _as_texts(classes)
    elif classes.dtype.kind in "iu":
        classes = classes.astype(np.int64)
    elif classes.dtype.kind == "f":
        classes = classes.astype(np.float64)
    elif classes.dtype.kind != "b":
        raise ValueError(
            f"ONNX knows labels that are texts, numbers or booleans, got classes_ of dtype {classes.dtype}. Fit with "
            "such labels."
        )
    code = graph.add("ArgMax", raw, axis=-1, keepdims=0)
    return {
        "label": graph.add("Gather", classes, code, axis=0),
        "probabilities": graph.add("Softmax", raw, axis=-1),
    }


def _as_texts(classes: Array) -> Array:
    if not all(isinstance(label, str) for label in classes.tolist()):
        kinds = sorted({type(label).__name__ for label in classes.tolist()})
        raise ValueError(f"ONNX knows labels that are all texts or all numbers, got {', '.join(kinds)}.")
    return classes.astype(object)


def predict_numbers(
    graph: Graph, regressor: Any, raw: str, x: str, levels: Array | None, *, per_timestep: bool
) -> dict[str, str]:
    """The prediction, and where levels are given the quantiles, in the units of y."""
    # A zero keeps an axis: that of the samples, and that of the steps.
    shape = [0, 0] if per_timestep else [0]
    split = graph.reshape(graph.cast(raw, np.float64), *shape, regressor.n_outputs_, regressor._loss.width)
    per_output = _PerOutput(graph, regressor, split, x)
    point = per_output.point()
    dtype = np.result_type(graph.dtype, regressor._y_dtype)
    predictions = {"prediction": graph.cast(graph.squeeze(per_output.in_units_of_y(point), -1), dtype)}
    if levels is not None:
        quantiles = per_output.quantiles(point, levels)
        if regressor._loss.positive:
            quantiles = graph.add("Max", quantiles, np.array(0.0))
        predictions["quantiles"] = per_output.in_units_of_y(quantiles)
    if regressor._y_ndim > 1:
        return predictions
    # y had no axis of outputs, so predictions have none.
    return {name: graph.squeeze(values, -1 if name == "prediction" else -2) for name, values in predictions.items()}


class _PerOutput:
    """Predictions with the axes (..., output, 1 or quantile), in float64, from raw outputs (..., output, width)."""

    def __init__(self, graph: Graph, regressor: Any, raw: str, x: str) -> None:
        self._graph, self._regressor, self._x = graph, regressor, x
        self._loss = regressor._loss
        self._location, self._spread = (each[:, np.newaxis] for each in (regressor._y_location, regressor._y_spread))
        self._raw = raw

    def point(self) -> str:
        """The median of trained quantiles, beyond which `numpy.interp` does not go; otherwise the first raw output."""
        if self._loss.levels:
            return self._in_scale(self._trained_quantiles(np.array([0.5])))
        first = self._part(0)
        return self._in_scale(self._graph.add("Exp", first) if self._loss.positive else first)

    def quantiles(self, point: str, levels: Array) -> str:
        """Those of the network, or the point moved by quantiles of the errors on samples that training did not see."""
        nothing = np.zeros((1, self._regressor.n_outputs_ * self._loss.width))
        self._regressor._quantiles_from_network(nothing, levels)  # refuses levels beyond the trained ones
        if self._loss.levels:
            return self._in_scale(self._trained_quantiles(levels))
        if self._loss.quantiles is not None:
            deviation = self._graph.add("Softplus", self._part(1))
            deviation = self._graph.add("Add", deviation, np.array(LEAST_DEVIATION, dtype=np.float64))
            around = self._graph.add("Mul", deviation, norm.ppf(levels))
            return self._in_scale(self._graph.add("Add", self._part(0), around))
        origin = np.zeros((1, self._regressor.n_outputs_))
        shifts: Array = self._regressor._errors().shift(origin, levels)[0]
        return self._graph.add("Add", point, shifts)

    def in_units_of_y(self, values: str) -> str:
        """Leave the units of the windows, where y is measured in them."""
        graph, units = self._graph, self._regressor._window_units()
        if units is not None:
            level, unit = _measure_units(graph, units, self._x)
            values = graph.add("Add", graph.add("Mul", values, unit), level)
        return values

    def _part(self, position: int) -> str:
        return self._graph.slice(self._raw, position, position + 1, -1)

    def _in_scale(self, values: str) -> str:
        return self._graph.add("Add", self._graph.add("Mul", values, self._spread), self._location)

    def _trained_quantiles(self, levels: Array) -> str:
        """Quantiles between the trained ones; each of these is a positive step above the one before."""
        trained = self._loss.levels
        lowest, rest = self._part(0), self._graph.slice(self._raw, 1, len(trained), -1)
        steps = self._graph.concat([lowest, self._graph.add("Softplus", rest)], axis=-1)
        shares = np.stack([np.interp(levels, trained, one) for one in np.eye(len(trained))])  # (trained, level)
        return self._graph.add("MatMul", steps, np.triu(np.ones((len(trained), len(trained)))) @ shares)


def _measure_units(graph: Graph, units: WindowUnits, x: str) -> tuple[str, str]:
    """Level and unit of each window, (sample, output, 1), in float64."""
    measured = {}
    for feature, layer in units.layers():
        own = graph.slice(x, feature, feature + 1, 2)
        level, mean, spread = (graph.cast(each, np.float64) for each in measure_windows(graph, layer, own))
        if units.positive:
            squares = [graph.add("Mul", each, each) for each in (mean, spread)]
            level, spread = graph.add("Mul", level, np.array(0.0)), graph.add("Sqrt", graph.add("Add", *squares))
        measured[feature] = level, spread
    levels, spreads = zip(*(measured[feature] for feature in units.features), strict=True)
    return graph.concat(levels, axis=1), graph.concat(spreads, axis=1)
