"""Answers of models become tidy tables: scores, forecasts, the yardstick and the warnings."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklrnn.forecasting.comparison.cutoffs import Fold, instances_of
from sklrnn.forecasting.comparison.evaluate_fold import Outcome
from sklrnn.forecasting.comparison.metrics import (
    interval_coverage,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_absolute_scaled_error,
    root_mean_squared_error,
    seasonal_naive,
    seasonal_scale,
    symmetric_mean_absolute_percentage_error,
)

__all__ = ["Scoring", "tidy"]

Array = NDArray[np.float64]

_METRICS: dict[str, Callable[[Array, Array], Array]] = {
    "sMAPE": symmetric_mean_absolute_percentage_error,
    "RMSE": root_mean_squared_error,
    "MAE": mean_absolute_error,
    "MAPE": mean_absolute_percentage_error,
}


class Scoring:
    """The scores to give, and what they need to know."""

    def __init__(self, metrics: Sequence[str | Callable[..., float]], *, sp: int, horizon: int) -> None:
        metrics = [metrics] if isinstance(metrics, str) or callable(metrics) else list(metrics)
        known = ["MASE", *_METRICS]
        for metric in metrics:
            if not callable(metric) and metric not in known:
                raise ValueError(f"metrics must be among {known} or callable, got {metric!r}.")
        names = [metric if isinstance(metric, str) else _name_of(metric) for metric in metrics]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"metrics must name at least one score, and each once, got {names}.")
        self.names = tuple(names)
        self.sp = sp
        self.horizon = horizon
        self._metrics = list(zip(names, metrics, strict=True))

    def score(self, y_true: Array, y_pred: Array, scale: Array) -> dict[str, Array]:
        """Score arrays of shape (instance, variable, time): one number an instance, the mean of its variables."""
        return {name: _mean_of_variables(self._one(metric, y_true, y_pred, scale)) for name, metric in self._metrics}

    def _one(self, metric: Any, y_true: Array, y_pred: Array, scale: Array) -> Array:
        if metric == "MASE":
            return mean_absolute_scaled_error(y_true, y_pred, scale)
        if isinstance(metric, str):
            return _METRICS[metric](y_true, y_pred)
        values = np.full(y_true.shape[:2], np.nan)
        for place in np.ndindex(values.shape):
            if np.isfinite(y_pred[place]).all():
                values[place] = metric(y_true[place], y_pred[place])
        return values


class _Frame(NamedTuple):
    """What every table says of a fold: whose rows they are, where they were cut, and what came."""

    fold: int
    instances: list[Any]  # [None] for a single series
    variables: list[Any]  # [None] for a single variable
    cutoffs: list[Any]
    times: Any  # of all rows of the future, instance by instance
    y_true: Array  # (instance, variable, time)
    naive: Array  # the same shape
    scale: Array  # (instance, variable)


def tidy(
    outcomes: Sequence[Outcome], folds: Sequence[Fold], scoring: Scoring
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Make the tables of results, forecasts, the yardstick (seasonal naive and scale) and warnings."""
    frames = {fold.number: _frame(fold, scoring) for fold in folds}
    pairs = [(outcome, frames[outcome.fold]) for outcome in outcomes]
    yardstick = [
        _long(frame, {"seasonal_naive": frame.naive, "scale": frame.scale[..., None] + np.zeros_like(frame.naive)})
        for frame in frames.values()
    ]
    return (
        pd.concat([_results(outcome, frame, scoring) for outcome, frame in pairs], ignore_index=True),
        pd.concat([_forecasts(outcome, frame) for outcome, frame in pairs], ignore_index=True),
        pd.concat(yardstick, ignore_index=True),
        pd.DataFrame(
            [
                (outcome.model, outcome.fold, category, message, times)
                for outcome in outcomes
                for (category, message), times in outcome.warnings.items()
            ],
            columns=["model", "fold", "category", "message", "times"],
        ),
    )


def _frame(fold: Fold, scoring: Scoring) -> _Frame:
    train = fold.y_train.to_numpy().reshape(len(fold.y_train), -1)
    pasts = list(instances_of(fold.y_train.index))
    times = fold.y_train.index.get_level_values(-1)
    return _Frame(
        fold.number,
        [name for name, _ in pasts],
        list(fold.y_test.columns) if fold.y_test.ndim == 2 and fold.y_test.shape[1] > 1 else [None],
        [times[rows[-1]] for _, rows in pasts],
        fold.y_test.index.get_level_values(-1),
        _by_instance(fold.y_test.to_numpy().reshape(len(fold.y_test), -1), len(pasts)),
        np.stack([seasonal_naive(train[rows].T, scoring.sp, scoring.horizon) for _, rows in pasts]),
        np.stack([seasonal_scale(train[rows].T, scoring.sp) for _, rows in pasts]),
    )


def _results(outcome: Outcome, frame: _Frame, scoring: Scoring) -> pd.DataFrame:
    n_instances = len(frame.instances)
    y_pred, lower, upper = (_by_instance(part, n_instances) for part in (outcome.y_pred, outcome.lower, outcome.upper))
    missing = np.count_nonzero(~np.isfinite(y_pred), axis=(1, 2))
    complete = missing == 0
    scores = scoring.score(frame.y_true, np.where(complete[:, None, None], y_pred, np.nan), frame.scale)
    scores["coverage"] = interval_coverage(frame.y_true, lower, upper).mean(axis=1)
    size = y_pred[0].size
    gaps = [f"{count} of {size} values of the forecast are NaN or infinite." if count else "" for count in missing]
    return pd.DataFrame(
        {
            "model": outcome.model,
            "fold": frame.fold,
            "cutoff": frame.cutoffs,
            **({} if frame.instances == [None] else {"instance": _objects(frame.instances)}),
            **scores,
            "fit_seconds": outcome.fit_seconds,
            "predict_seconds": outcome.predict_seconds,
            "n_warnings": sum(outcome.warnings.values()),
            "error": [outcome.error or gap for gap in gaps],
        }
    )


def _forecasts(outcome: Outcome, frame: _Frame) -> pd.DataFrame:
    parts = {"y_pred": outcome.y_pred, "lower": outcome.lower, "upper": outcome.upper}
    values = {name: _by_instance(part, len(frame.instances)) for name, part in parts.items()}
    table = _long(frame, {"y_true": frame.y_true, **values})
    table.insert(0, "model", outcome.model)
    return table


def _long(frame: _Frame, values: dict[str, Array]) -> pd.DataFrame:
    """Write arrays of shape (instance, variable, time) one below the other."""
    n_instances, n_variables, horizon = frame.y_true.shape
    places = np.arange(n_instances * horizon).reshape(n_instances, 1, horizon).repeat(n_variables, axis=1).ravel()
    columns: dict[str, Any] = {"fold": frame.fold}
    if frame.instances != [None]:
        columns["instance"] = _objects(frame.instances).repeat(n_variables * horizon)
    columns["time"] = frame.times[places]
    if frame.variables != [None]:
        columns["variable"] = np.tile(np.repeat(_objects(frame.variables), horizon), n_instances)
    columns["step"] = np.tile(np.arange(1, horizon + 1), n_instances * n_variables)
    return pd.DataFrame({**columns, **{name: array.ravel() for name, array in values.items()}})


def _name_of(metric: Any) -> str:
    return str(getattr(metric, "__name__", type(metric).__name__))


def _by_instance(rows: Array, n_instances: int) -> Array:
    """From (row, variable), instance after instance, to (instance, variable, time)."""
    return rows.reshape(n_instances, -1, rows.shape[1]).swapaxes(1, 2)


def _objects(names: list[Any]) -> Any:
    """Names that may be tuples as a one-dimensional array."""
    return np.fromiter(names, dtype=object, count=len(names))


def _mean_of_variables(values: Array) -> Array:
    """The mean over variables that have the score: one that is constant in training has no MASE."""
    known = ~np.isnan(values)
    total = np.where(known, values, 0.0).sum(axis=1)
    return np.divide(total, known.sum(axis=1), out=np.full(len(values), np.nan), where=known.any(axis=1))
