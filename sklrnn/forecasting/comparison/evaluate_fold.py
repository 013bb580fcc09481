"""Evaluate one model on the folds of a backtest: fit, update, forecast, time each, and keep errors and warnings."""

from collections import Counter
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sktime.forecasting.base import ForecastingHorizon

from sklrnn.forecasting.comparison.cutoffs import BacktestFold
from sklrnn.forecasting.comparison.warning_counts import count_warnings
from sklrnn.training.process import one_blas_thread

__all__ = ["FoldResult", "describe_error", "evaluate_folds"]

Array = NDArray[np.float64]


@dataclass
class FoldResult:
    """What a model forecast on a fold, a row per row of ``y_test``: NaN where it failed or has no interval."""

    model: str
    fold: int
    y_pred: Array  # (row, variable)
    lower: Array
    upper: Array
    error: str
    fit_seconds: float = np.nan
    predict_seconds: float = np.nan
    warnings: Counter[tuple[str, str]] = field(default_factory=Counter)  # by category and message


def evaluate_folds(
    name: str, forecaster: Any, folds: list[BacktestFold], *, horizon: int, coverage: float | None
) -> list[FoldResult]:
    """Fit a clone on the first fold, update it with the new rows of each further fold, and forecast on each."""
    fh = ForecastingHorizon(np.arange(1, horizon + 1), is_relative=True)
    results: list[FoldResult] = []
    model: Any = None
    error = ""
    for previous, fold in zip([None, *folds], folds, strict=False):
        y_pred, lower, upper = np.full((3, len(fold.y_test), _n_variables(fold.y_test)), np.nan)
        result = FoldResult(name, fold.number, y_pred, lower, upper, error)
        # One thread, in this process as in the workers of joblib: sums then do not depend on the number of jobs.
        with one_blas_thread(), count_warnings() as result.warnings:
            if not error:
                start = perf_counter()
                try:
                    if previous is None:
                        model = forecaster.clone().fit(fold.y_train, X=fold.X_train, fh=fh)
                    else:
                        model.update(*_new_rows(previous, fold), update_params=False)
                    result.fit_seconds = perf_counter() - start
                except Exception as failure:  # whatever a model raises, the others are compared
                    result.error = describe_error(failure)
            # A model whose fit or update failed fails on all further folds; one whose forecast failed does not.
            error = result.error
            if not error:
                _forecast(result, model, fold, fh, coverage)
        results.append(result)
    return results


def _forecast(result: FoldResult, model: Any, fold: BacktestFold, fh: Any, coverage: float | None) -> None:
    try:
        start = perf_counter()
        forecast = model.predict(fh=fh, X=fold.X_test)
        result.predict_seconds = perf_counter() - start
        result.y_pred = _align(forecast, fold.y_test)
    except Exception as failure:
        result.error = describe_error(failure)
        return
    if coverage is None or not model.get_tag("capability:pred_int", tag_value_default=False, raise_error=False):
        return
    try:
        interval = model.predict_interval(fh, fold.X_test, coverage).droplevel(1, axis=1)
        lower, upper = (_align(interval.xs(bound, axis=1, level=-1), fold.y_test) for bound in ("lower", "upper"))
    except Exception as failure:  # a warning only: the point forecast can still be scored
        result.warnings["IntervalFailed", describe_error(failure)] += 1
    else:
        result.lower, result.upper = lower, upper


def _new_rows(previous: BacktestFold, fold: BacktestFold) -> tuple[Any, Any]:
    """Take the training rows of y and X that the previous fold did not have."""
    new = ~fold.y_train.index.isin(previous.y_train.index)
    first = int(np.argmax(new))
    rows = slice(first, None) if new[first:].all() else new  # a slice keeps the frequency of the index
    return fold.y_train.iloc[rows], None if fold.X_train is None else fold.X_train.iloc[rows]


def _align(forecast: Any, y_test: Any) -> Array:
    """Take the forecast values at the times of ``y_test``, as an array (row, variable)."""
    if not forecast.index.is_unique:
        raise ValueError("The forecast has two rows at one time.")
    positions = forecast.index.get_indexer(y_test.index)
    missing = positions < 0
    if missing.any():
        raise ValueError(
            f"The forecast has no row for {int(missing.sum())} of {len(y_test)} times asked for, the first "
            f"{y_test.index[int(np.argmax(missing))]}; its {len(forecast)} rows end at "
            f"{forecast.index[-1] if len(forecast) else 'no time'}."
        )
    n_variables = _n_variables(y_test)
    if n_variables > 1 and set(forecast.columns) == set(y_test.columns):
        forecast = forecast[y_test.columns]
    values = np.asarray(forecast, dtype=np.float64).reshape(len(forecast), -1)
    if values.shape[1] != n_variables:
        raise ValueError(f"The forecast has {values.shape[1]} columns, y has {n_variables}.")
    return values[positions]


def _n_variables(y: Any) -> int:
    return 1 if y.ndim == 1 else int(y.shape[1])


def describe_error(error: Exception) -> str:
    """The type and the message of an error, on one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())
