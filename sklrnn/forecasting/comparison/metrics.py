"""Scores of forecasts: plain functions of arrays whose last axis is time.

Arrays of shape ``(..., time)`` give scores of shape ``(...)``; nothing is averaged across series here.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
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
# Differences that are nothing but rounding of the values themselves.
_ROUNDING = 1e-12


def mean_absolute_error(y_true: Array, y_pred: Array) -> Array:
    """Mean of the absolute errors, in the units of y.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn.forecasting.comparison.metrics import mean_absolute_error
    >>> float(mean_absolute_error(np.array([3.0, 5.0]), np.array([4.0, 2.0])))
    2.0
    """
    return np.asarray(np.abs(y_true - y_pred).mean(axis=-1))


def root_mean_squared_error(y_true: Array, y_pred: Array) -> Array:
    """Root of the mean of the squared errors, in the units of y.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn.forecasting.comparison.metrics import root_mean_squared_error
    >>> float(root_mean_squared_error(np.array([3.0, 5.0]), np.array([4.0, -2.0])))
    5.0
    """
    return np.asarray(np.sqrt(np.square(y_true - y_pred).mean(axis=-1)))


def symmetric_mean_absolute_percentage_error(y_true: Array, y_pred: Array) -> Array:
    """Absolute errors in percent of the mean size of truth and forecast, averaged: from 0 to 200, as in the M4 competition.

    Where truth and forecast are both zero, the error is zero.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn.forecasting.comparison.metrics import symmetric_mean_absolute_percentage_error
    >>> float(symmetric_mean_absolute_percentage_error(np.array([1.0, 0.0]), np.array([3.0, 0.0])))
    50.0
    """
    size = (np.abs(y_true) + np.abs(y_pred)) / 2
    share = np.divide(np.abs(y_true - y_pred), size, out=np.zeros_like(size), where=size != 0)
    return np.asarray(100 * share.mean(axis=-1))


def mean_absolute_percentage_error(y_true: Array, y_pred: Array) -> Array:
    """Absolute errors in percent of the truth, averaged; NaN where a true value is zero.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn.forecasting.comparison.metrics import mean_absolute_percentage_error
    >>> float(mean_absolute_percentage_error(np.array([4.0, 5.0]), np.array([5.0, 5.0])))
    12.5
    """
    size = np.where(y_true == 0, np.nan, np.abs(y_true))
    return np.asarray(100 * (np.abs(y_true - y_pred) / size).mean(axis=-1))


def mean_absolute_scaled_error(y_true: Array, y_pred: Array, scale: Array) -> Array:
    """Mean absolute error in units of ``scale``, what the seasonal naive forecast was wrong by in training.

    Below 1 a forecast is better than repeating the last season was there. NaN where the scale is NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn.forecasting.comparison.metrics import mean_absolute_scaled_error, seasonal_scale
    >>> scale = seasonal_scale(np.array([1.0, 5.0, 3.0, 9.0]), sp=2)  # the steps 1 to 3 and 5 to 9
    >>> float(mean_absolute_scaled_error(np.array([5.0, 10.0]), np.array([5.0, 16.0]), scale))
    1.0
    """
    return np.asarray(mean_absolute_error(y_true, y_pred) / scale)


def interval_coverage(y_true: Array, lower: Array, upper: Array) -> Array:
    """Share of the true values that lie in their interval, its ends included; NaN where an end is NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn.forecasting.comparison.metrics import interval_coverage
    >>> float(interval_coverage(np.array([1.0, 5.0]), np.array([0.0, 0.0]), np.array([2.0, 2.0])))
    0.5
    """
    inside = ((lower <= y_true) & (y_true <= upper)).mean(axis=-1)
    known = ~(np.isnan(lower) | np.isnan(upper)).any(axis=-1)
    return np.where(known, inside, np.nan)


def seasonal_scale(y_train: Array, sp: int) -> Array:
    """Mean absolute error of repeating the value of a season before, over the training part.

    A training part without a whole season and one value more is judged by the value before (``sp=1``). Where every
    season is like the one before, as in a constant series, there is no scale: the answer is NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn.forecasting.comparison.metrics import seasonal_scale
    >>> seasonal_scale(np.array([[1.0, 5.0, 3.0, 9.0], [7.0, 7.0, 7.0, 7.0]]), sp=2)
    array([ 3., nan])
    """
    lag = _usable_season(y_train, sp)
    scale = np.abs(y_train[..., lag:] - y_train[..., :-lag]).mean(axis=-1)
    return np.where(scale > _ROUNDING * np.abs(y_train).max(axis=-1), scale, np.nan)


def seasonal_naive(y_train: Array, sp: int, horizon: int) -> Array:
    """Repeat the last season over the horizon; the last value where there is not one whole season.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn.forecasting.comparison.metrics import seasonal_naive
    >>> seasonal_naive(np.array([1.0, 5.0, 3.0, 9.0]), sp=2, horizon=3)
    array([3., 9., 3.])
    """
    lag = _usable_season(y_train, sp)
    return y_train[..., np.arange(horizon) % lag - lag]


def _usable_season(y_train: Any, sp: int) -> int:
    return sp if y_train.shape[-1] > sp else 1
