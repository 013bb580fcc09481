"""Tables of a comparison in long format: scores, forecasts, the naive baseline and warnings."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklrnn.forecasting.comparison.cutoffs import BacktestFold, instance_rows
from sklrnn.forecasting.comparison.evaluate_fold import FoldResult, describe_error
from sklrnn.forecasting.comparison.metrics import MetricCollection, interval_coverage, seasonal_naive, seasonal_scale

__all__ = ["ComparisonTables", "build_tables", "round_significant"]

Array = NDArray[np.float64]


class ComparisonTables(NamedTuple):
    """The data frames of a `Comparison`, where their columns are described."""

    results: pd.DataFrame
    forecasts: pd.DataFrame
    naive_baseline: pd.DataFrame
    warnings: pd.DataFrame
    metric_errors: pd.DataFrame


class _FoldArrays(NamedTuple):
    """A fold as arrays, in the layout of sktime's numpy3D: (instance, variable, time)."""

    number: int
    instances: list[Any]  # [None] for a single series
    variables: list[Any]  # [None] for a single variable
    cutoffs: list[Any]
    times: Any  # of all test rows, instance by instance
    y_true: Array
    seasonal_naive: Array  # the shape of y_true
    scale: Array  # (instance, variable)


def build_tables(
    fold_results: Sequence[FoldResult], folds: Sequence[BacktestFold], metrics: MetricCollection, *, sp: int
) -> ComparisonTables:
    """Evaluate the forecasts of all models on all folds."""
    arrays = {fold.number: _to_arrays(fold, sp) for fold in folds}
    results, forecasts, counts, metric_errors = [], [], [], []
    for result in fold_results:
        fold = arrays[result.fold]
        predicted = {
            name: _to_numpy3d(getattr(result, name), len(fold.instances)) for name in ("y_pred", "lower", "upper")
        }
        scores, errors = _score(result, fold, metrics, **predicted)
        results.append(scores)
        metric_errors += [(name, result.model, result.fold, describe_error(error)) for name, error in errors.items()]
        forecasts.append(_to_long(fold, {"model": result.model}, y_true=fold.y_true, **predicted))
        counts += [(result.model, result.fold, *warning, times) for warning, times in result.warnings.items()]
    baseline = [
        _to_long(fold, seasonal_naive=fold.seasonal_naive, scale=fold.scale[..., None] + np.zeros_like(fold.y_true))
        for fold in arrays.values()
    ]
    return ComparisonTables(
        pd.concat(results, ignore_index=True),
        pd.concat(forecasts, ignore_index=True),
        pd.concat(baseline, ignore_index=True),
        pd.DataFrame(counts, columns=["model", "fold", "category", "message", "times"]),
        pd.DataFrame(metric_errors, columns=["metric", "model", "fold", "error"]),
    )


def round_significant(values: "pd.Series[float]", digits: int = 4) -> "pd.Series[float]":
    """Round all values to the same decimals, so that their median keeps this many significant digits."""
    median = values.abs().dropna().median()  # pandas 2.2 warns of a series that is all NaN
    decimals = digits - 1 - int(np.floor(np.log10(median))) if median > 0 and np.isfinite(median) else digits
    return values.round(min(max(decimals, 0), 8))


def _to_arrays(fold: BacktestFold, sp: int) -> _FoldArrays:
    y_train = fold.y_train.to_numpy().reshape(len(fold.y_train), -1)
    instances = list(instance_rows(fold.y_train.index))
    times = fold.y_train.index.get_level_values(-1)
    y_true = _to_numpy3d(fold.y_test.to_numpy().reshape(len(fold.y_test), -1), len(instances))
    return _FoldArrays(
        fold.number,
        [name for name, _ in instances],
        list(fold.y_test.columns) if y_true.shape[1] > 1 else [None],
        list(times[[rows[-1] for _, rows in instances]]),
        fold.y_test.index.get_level_values(-1),
        y_true,
        np.stack([seasonal_naive(y_train[rows].T, sp, y_true.shape[2]) for _, rows in instances]),
        np.stack([seasonal_scale(y_train[rows].T, sp) for _, rows in instances]),
    )


def _score(
    result: FoldResult, fold: _FoldArrays, metrics: MetricCollection, *, y_pred: Array, lower: Array, upper: Array
) -> tuple[pd.DataFrame, dict[str, Exception]]:
    n_missing = np.count_nonzero(~np.isfinite(y_pred), axis=(1, 2))
    complete = np.where(n_missing[:, None, None] == 0, y_pred, np.nan)
    missing = [
        f"{count} of {y_pred[0].size} values of the forecast are NaN or infinite." if count else ""
        for count in n_missing
    ]
    values, errors = metrics.evaluate(fold.y_true, complete, fold.scale)
    scores = pd.DataFrame(
        {
            "model": result.model,
            "fold": fold.number,
            "cutoff": fold.cutoffs,
            **({} if fold.instances == [None] else {"instance": _object_array(fold.instances)}),
            **values,
            "coverage": interval_coverage(fold.y_true, lower, upper).mean(axis=1),
            "fit_seconds": result.fit_seconds,
            "predict_seconds": result.predict_seconds,
            "n_warnings": sum(result.warnings.values()),
            "error": [result.error or message for message in missing],
        }
    )
    return scores, errors


def _to_long(fold: _FoldArrays, labels: dict[str, str] | None = None, **values: Array) -> pd.DataFrame:
    """Turn arrays of shape (instance, variable, time) into a table with a row per value."""
    n_instances, n_variables, horizon = fold.y_true.shape
    rows = np.arange(n_instances * horizon).reshape(n_instances, 1, horizon).repeat(n_variables, axis=1).ravel()
    columns: dict[str, Any] = {**(labels or {}), "fold": fold.number}
    if fold.instances != [None]:
        columns["instance"] = _object_array(fold.instances).repeat(n_variables * horizon)
    columns["time"] = fold.times[rows]
    if fold.variables != [None]:
        columns["variable"] = np.tile(np.repeat(_object_array(fold.variables), horizon), n_instances)
    columns["step"] = np.tile(np.arange(1, horizon + 1), n_instances * n_variables)
    return pd.DataFrame({**columns, **{name: array.ravel() for name, array in values.items()}})


def _to_numpy3d(rows: Array, n_instances: int) -> Array:
    """Turn (row, variable), one instance after the other, into (instance, variable, time)."""
    return rows.reshape(n_instances, -1, rows.shape[1]).swapaxes(1, 2)


def _object_array(labels: list[Any]) -> Any:
    """Labels, which may be tuples, as a one-dimensional array."""
    return np.fromiter(labels, dtype=object, count=len(labels))
