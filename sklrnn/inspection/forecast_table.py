"""Forecasts, truth and prediction intervals as tables with the same rows and columns."""

from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from sklrnn.estimators.regressor import RegressorTask
from sklrnn.inspection.fitted_network import last_estimator

Coverage = float | Literal["auto"] | None
_DEFAULT_COVERAGE = 0.9


class Forecasts(NamedTuple):
    """Forecasts with a row for each time or sample and a column for each output; bounds and truth where known."""

    y_pred: pd.DataFrame
    y_true: pd.DataFrame | None
    lower: pd.DataFrame | None
    upper: pd.DataFrame | None


def is_forecaster(est: Any) -> bool:
    """Whether an object has sktime's interface of forecasters; sktime is not imported for it."""
    return hasattr(est, "get_tag") and est.get_tag("object_type", "", raise_error=False) == "forecaster"


def forecast(est: Any, X: Any, y: Any, fh: Any, coverage: Coverage) -> tuple[Forecasts, float | None]:
    """The forecasts of a fitted regressor for X or of a forecaster for ``fh``, and the coverage of their intervals."""
    if is_forecaster(est):
        y = without_long_form(y)
        if fh is None and y is not None:
            if not hasattr(y, "index"):
                raise TypeError(f"y needs an index of times to forecast them, got {type(y).__name__}. Or pass fh.")
            fh = y.index.get_level_values(-1).unique() if y.index.nlevels > 1 else y.index
        y_pred = without_long_form(est.predict(fh=fh, X=X))
        if coverage == "auto":
            coverage = _DEFAULT_COVERAGE if est.get_tag("capability:pred_int") else None
        interval = None if coverage is None else est.predict_interval(fh=fh, X=X, coverage=coverage)
    else:
        if fh is not None:
            raise ValueError(f"fh is for forecasters; {type(est).__name__} predicts the rows of X. Leave fh out.")
        if X is None:
            raise ValueError(f"{type(est).__name__} needs X to predict from.")
        y_pred, (interval, coverage) = est.predict(X), _interval_of_regressor(est, X, coverage)
        index = next((data.index for data in (y, X) if hasattr(data, "iloc")), None)
        y_pred = as_table(y_pred, "The prediction", like=y, index=index)
    return align(y, y_pred, interval), coverage


def without_long_form(y: Any) -> Any:
    """A frame of a long table of polars or PyArrow, as forecasters take and give them; all else as it is."""
    from sklrnn.forecasting.long_tables import read_tables  # which needs sktime, as a forecaster does

    return read_tables(None, y)[1]


def _interval_of_regressor(est: Any, X: Any, coverage: Coverage) -> tuple[Any, float | None]:
    if coverage is None:
        return None, None
    last, transformed = last_estimator(est, X)
    if not hasattr(last, "predict_interval"):
        if coverage == "auto":
            return None, None
        raise TypeError(f"{type(last).__name__} has no method predict_interval. Set coverage=None.")
    resolved = _known_coverage(last) if coverage == "auto" else coverage
    return (None if resolved is None else last.predict_interval(transformed, coverage=resolved)), resolved


def _known_coverage(regressor: Any) -> float | None:
    """A coverage whose intervals a regressor knows: 0.9, or the widest of its quantiles; None where it knows none."""
    if not isinstance(regressor, RegressorTask) or getattr(regressor, "_held_out_errors", None) is not None:
        return _DEFAULT_COVERAGE
    loss = regressor._loss
    if loss.quantiles is None:
        return None
    if loss.covers(np.array([(1 - _DEFAULT_COVERAGE) / 2, (1 + _DEFAULT_COVERAGE) / 2])):
        return _DEFAULT_COVERAGE
    widest = round(1 - 2 * max(loss.levels[0], 1 - loss.levels[-1]), 10)
    return widest if widest > 0 else None


def align(y_true: Any, y_pred: Any, interval: Any) -> Forecasts:
    """Tables of predictions, truth and bounds, with the rows and columns of the predictions."""
    predicted = as_table(y_pred, "y_pred", like=y_true)
    truth = None if y_true is None else _like_predictions(as_table(y_true, "y_true"), predicted)
    if truth is not None:
        predicted.columns = truth.columns
    if interval is None:
        return Forecasts(predicted, truth, None, None)
    lower, upper = (
        pd.DataFrame(bound, index=predicted.index, columns=predicted.columns) for bound in _bounds(interval, predicted)
    )
    return Forecasts(predicted, truth, lower, upper)


def as_table(values: Any, name: str, *, like: Any = None, index: Any = None) -> pd.DataFrame:
    """Values as a table with a column for each output."""
    if isinstance(values, pd.Series):
        return values.to_frame(name=0 if values.name is None else values.name)
    if isinstance(values, pd.DataFrame):
        return values.copy()
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} must hold numbers of shape (sample,) or (sample, output), the same for every sample: {error}."
        ) from None
    if array.ndim not in (1, 2) or not array.size:
        raise ValueError(f"{name} must have the shape (sample,) or (sample, output), got {array.shape}.")
    array = array.reshape(len(array), -1)
    columns = as_table(like, "y").columns if hasattr(like, "iloc") else None
    fits = columns is not None and len(columns) == array.shape[1]
    has_index = index is not None and len(index) == len(array)
    return pd.DataFrame(array, index=index if has_index else None, columns=columns if fits else None)


def _like_predictions(truth: pd.DataFrame, predicted: pd.DataFrame) -> pd.DataFrame:
    """The truth for the rows of the predictions: by its index where both have the same kind, otherwise in order."""
    if truth.shape[1] != predicted.shape[1]:
        raise ValueError(
            f"y holds {truth.shape[1]} column(s), but the prediction has {predicted.shape[1]}. Pass the y that belongs "
            "to it."
        )
    counted = isinstance(truth.index, pd.RangeIndex) or isinstance(predicted.index, pd.RangeIndex)
    if len(truth) == len(predicted) and (counted or truth.index.equals(predicted.index)):
        return truth.set_axis(predicted.index)
    found = truth.reindex(predicted.index)
    if found.isna().all(axis=None) and len(truth):
        raise ValueError(
            f"y and the forecasts have no time in common: y goes from {truth.index[0]} to {truth.index[-1]}, the "
            f"forecasts from {predicted.index[0]} to {predicted.index[-1]}."
        )
    return found


def _bounds(interval: Any, predicted: pd.DataFrame) -> tuple[Any, Any]:
    """Lower and upper bounds (row, output) of an array (row, 2) or (row, output, 2), or a frame as sktime gives it."""
    if isinstance(interval, pd.DataFrame) and interval.columns.nlevels > 1:
        sides = interval.columns.get_level_values(-1)
        lower, upper = (interval.loc[:, sides == side].to_numpy() for side in ("lower", "upper"))
        if lower.shape != predicted.shape:
            raise ValueError(f"interval must hold one coverage, got {interval.columns.tolist()}.")
        return lower, upper
    bounds = np.asarray(interval, dtype=float)
    if bounds.shape not in {(*predicted.shape, 2), (len(predicted), 2)} or bounds.size != 2 * predicted.size:
        raise ValueError(
            f"interval must have the shape {(len(predicted), 2)} or {(*predicted.shape, 2)}, lower bounds first, got "
            f"{bounds.shape}."
        )
    bounds = bounds.reshape(*predicted.shape, 2)
    return bounds[..., 0], bounds[..., 1]
