"""Metrics of forecasts: functions of arrays whose last axis is time, and the collection that `compare` evaluates.

Arrays of shape ``(..., time)`` give values of shape ``(...)``.

Examples
--------
>>> import numpy as np
>>> from sklrnn.forecasting.comparison import metrics
>>> y_train, y_true, y_pred = np.array([1.0, 5.0, 3.0, 9.0]), np.array([5.0, 10.0]), np.array([5.0, 16.0])
>>> float(metrics.mean_absolute_error(y_true, y_pred))
3.0
>>> scale = metrics.seasonal_scale(y_train, sp=2)  # the mean of the steps from 1 to 3 and from 5 to 9
>>> float(metrics.mean_absolute_scaled_error(y_true, y_pred, scale))
1.0
>>> metrics.seasonal_naive(y_train, sp=2, horizon=3)
array([3., 9., 3.])
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklrnn._suggestions import did_you_mean
from sklrnn.inputs.magnitudes import exponents

__all__ = [
    "MetricCollection",
    "interval_coverage",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_absolute_scaled_error",
    "root_mean_squared_error",
    "seasonal_naive",
    "seasonal_scale",
    "symmetric_mean_absolute_percentage_error",
]

Array = NDArray[np.float64]
# Relative differences up to this size are rounding errors.
_ROUNDING = 1e-12


def mean_absolute_error(y_true: Array, y_pred: Array) -> Array:
    """Mean of the absolute errors, in the units of y."""
    return np.asarray(np.abs(y_true - y_pred).mean(axis=-1))


def root_mean_squared_error(y_true: Array, y_pred: Array) -> Array:
    """Root of the mean of the squared errors, in the units of y."""
    errors = y_true - y_pred
    powers = exponents(np.abs(errors).max(axis=-1, keepdims=True))
    return np.asarray(np.ldexp(np.sqrt(np.square(np.ldexp(errors, -powers)).mean(axis=-1)), powers[..., 0]))


def symmetric_mean_absolute_percentage_error(y_true: Array, y_pred: Array) -> Array:
    """Mean of the absolute errors in percent of (|y_true| + |y_pred|) / 2: from 0 to 200, as in the M4 competition.

    Where both are zero, the error is zero.
    """
    size = (np.abs(y_true) + np.abs(y_pred)) / 2
    share = np.divide(np.abs(y_true - y_pred), size, out=np.zeros_like(size), where=size != 0)
    return np.asarray(100 * share.mean(axis=-1))


def mean_absolute_percentage_error(y_true: Array, y_pred: Array) -> Array:
    """Mean of the absolute errors in percent of the true values; NaN where a true value is zero."""
    size = np.where(y_true == 0, np.nan, np.abs(y_true))
    return np.asarray(100 * (np.abs(y_true - y_pred) / size).mean(axis=-1))


def mean_absolute_scaled_error(y_true: Array, y_pred: Array, scale: Array) -> Array:
    """Mean absolute error, scaled by the in-sample error of the seasonal naive forecast (`seasonal_scale`).

    Below 1, the error is smaller than that in-sample error. NaN where the scale is NaN.
    """
    return np.asarray(mean_absolute_error(y_true, y_pred) / scale)


def interval_coverage(y_true: Array, lower: Array, upper: Array) -> Array:
    """Share of the true values within their prediction interval, bounds included; NaN where a bound is NaN."""
    inside = ((lower <= y_true) & (y_true <= upper)).mean(axis=-1)
    known = ~(np.isnan(lower) | np.isnan(upper)).any(axis=-1)
    return np.where(known, inside, np.nan)


def seasonal_scale(y_train: Array, sp: int) -> Array:
    """Mean absolute in-sample error of the seasonal naive forecast.

    A training part of at most ``sp`` rows is scaled by the error of the naive forecast (``sp=1``). If all seasons are
    equal, as in a constant series, the scale is NaN.
    """
    lag = _usable_lag(y_train, sp)
    scale = np.abs(y_train[..., lag:] - y_train[..., :-lag]).mean(axis=-1)
    return np.where(scale > _ROUNDING * np.abs(y_train).max(axis=-1), scale, np.nan)


def seasonal_naive(y_train: Array, sp: int, horizon: int) -> Array:
    """Repeat the last season over the horizon; the last value if the training part has at most ``sp`` rows."""
    lag = _usable_lag(y_train, sp)
    return y_train[..., np.arange(horizon) % lag - lag]


def _usable_lag(y_train: Array, sp: int) -> int:
    return sp if y_train.shape[-1] > sp else 1


_METRICS: dict[str, Callable[..., Array]] = {
    "MASE": mean_absolute_scaled_error,
    "sMAPE": symmetric_mean_absolute_percentage_error,
    "RMSE": root_mean_squared_error,
    "MAE": mean_absolute_error,
    "MAPE": mean_absolute_percentage_error,
}


class MetricCollection:
    """Metrics evaluated together: names of those in this module, and callables ``metric(y_true, y_pred)``."""

    def __init__(self, metrics: Sequence[str | Callable[..., float]] | str | Callable[..., float]) -> None:
        self._metrics = [metrics] if isinstance(metrics, str) or callable(metrics) else list(metrics)
        for metric in self._metrics:
            if not callable(metric) and metric not in _METRICS:
                names = sorted(_METRICS)
                raise ValueError(
                    f"metrics must be among {names} or callable, got {metric!r}.{did_you_mean(metric, names)}"
                )
        self.names = tuple(_name_of(metric) for metric in self._metrics)
        if not self.names or len(set(self.names)) < len(self.names):
            raise ValueError(f"metrics must name at least one score, and each once, got {list(self.names)}.")

    def evaluate(self, y_true: Array, y_pred: Array, scale: Array) -> tuple[dict[str, Array], dict[str, Exception]]:
        """Evaluate arrays of shape (instance, variable, time): for each instance, the mean over its variables.

        Return also the first error of each metric that raised one; its value is NaN for that instance.
        """
        values, errors = {}, {}
        for name, metric in zip(self.names, self._metrics, strict=True):
            if isinstance(metric, str):
                by_variable = _METRICS[metric](y_true, y_pred, *([scale] if metric == "MASE" else []))
                values[name] = _mean_over_variables(by_variable)
                continue
            by_variable, failed = _call_for_each(metric, y_true, y_pred)
            values[name] = np.where(
                [n in failed for n in range(len(y_true))], np.nan, _mean_over_variables(by_variable)
            )
            if failed:
                errors[name] = next(iter(failed.values()))
        return values, errors


def _name_of(metric: Any) -> str:
    return metric if isinstance(metric, str) else str(getattr(metric, "__name__", type(metric).__name__))


def _call_for_each(metric: Callable[..., float], y_true: Array, y_pred: Array) -> tuple[Array, dict[int, Exception]]:
    """Values of a user's metric, (instance, variable), and the first error of each instance where it raised one."""
    values = np.full(y_true.shape[:2], np.nan)
    errors: dict[int, Exception] = {}
    for place in np.ndindex(values.shape):
        if np.isfinite(y_pred[place]).all():
            try:
                values[place] = metric(y_true[place], y_pred[place])
            except Exception as error:  # whatever a metric raises, the others are evaluated
                errors.setdefault(place[0], error)
    return values, errors


def _mean_over_variables(values: Array) -> Array:
    """Mean over the variables that are not NaN: one that is constant in training has no MASE."""
    known = ~np.isnan(values)
    total = np.where(known, values, 0.0).sum(axis=1)
    return np.divide(total, known.sum(axis=1), out=np.full(len(values), np.nan), where=known.any(axis=1))
