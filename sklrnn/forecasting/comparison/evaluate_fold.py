"""One model at work on cut-offs: fitted, asked, timed, and its failures kept."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sktime.forecasting.base import ForecastingHorizon

from sklrnn.forecasting.comparison.cutoffs import Fold
from sklrnn.forecasting.comparison.warning_counts import tally_warnings
from sklrnn.training._overlapping import one_blas_thread

__all__ = ["Outcome", "run_model"]

Array = NDArray[np.float64]


class Outcome(NamedTuple):
    """What a model answered on a fold, row by row of the future: NaN where it failed, or where it has no interval."""

    model: str
    fold: int
    y_pred: Array  # (row, variable)
    lower: Array
    upper: Array
    fit_seconds: float
    predict_seconds: float
    error: str
    warnings: Counter[tuple[str, str]]


def run_model(name: str, forecaster: Any, folds: list[Fold], *, horizon: int, coverage: float | None) -> list[Outcome]:
    """Fit a copy to the first of the folds, show it the new rows of each further one, and forecast each."""
    fh = ForecastingHorizon(np.arange(1, horizon + 1), is_relative=True)
    outcomes: list[Outcome] = []
    model: Any = None
    seen: Fold | None = None
    broken = ""
    for fold in folds:
        run = _Run(error=broken)
        # One thread, in this process as in the workers of joblib: sums then do not depend on the number of jobs.
        with one_blas_thread(), tally_warnings() as run.warnings:
            if not broken:
                with run.guarded("fit_seconds"):
                    if seen is None:
                        model = forecaster.clone().fit(fold.y_train, X=fold.X_train, fh=fh)
                    else:
                        model.update(*_rows_since(seen, fold), update_params=False)
            broken = run.error
            outcomes.append(_ask(name, model, fold, fh, coverage, run))
        seen = fold
    return outcomes


class _Run:
    """The seconds, the error and the warnings of one model on one fold."""

    def __init__(self, error: str) -> None:
        self.seconds = {"fit_seconds": np.nan, "predict_seconds": np.nan}
        self.error = error
        self.warnings: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def guarded(self, clock: str | None = None) -> Iterator[None]:
        """Run a block, by the clock if one is named; what goes wrong in it becomes the error of the run."""
        start = perf_counter()
        try:
            yield
            if clock is not None:
                self.seconds[clock] = perf_counter() - start
        except Exception as error:  # whatever a model does, the others go on
            self.error = _in_words(error)


def _ask(name: str, model: Any, fold: Fold, fh: Any, coverage: float | None, run: _Run) -> Outcome:
    shape = (len(fold.y_test), 1 if fold.y_test.ndim == 1 else fold.y_test.shape[1])
    y_pred, lower, upper = np.full((3, *shape), np.nan)
    if not run.error:
        with run.guarded("predict_seconds"):
            forecast = model.predict(fh=fh, X=fold.X_test)
    if not run.error:
        with run.guarded():
            y_pred = _rows_of(forecast, fold.y_test)
    if not run.error and coverage is not None and _has_intervals(model):
        lower, upper = _ask_for_interval(lambda: model.predict_interval(fh, fold.X_test, coverage), fold.y_test, run)
    return Outcome(
        name,
        fold.number,
        y_pred,
        lower,
        upper,
        run.seconds["fit_seconds"],
        run.seconds["predict_seconds"],
        run.error,
        run.warnings,
    )


def _ask_for_interval(predict_interval: Callable[[], Any], y_test: Any, run: _Run) -> tuple[Array, Array]:
    """Give both ends; an interval that fails is a warning, as the forecast itself can still be scored."""
    try:
        interval = predict_interval().droplevel(1, axis=1)
        lower, upper = (_rows_of(interval.xs(end, axis=1, level=-1), y_test) for end in ("lower", "upper"))
    except Exception as error:  # as above
        run.warnings["IntervalFailed", _in_words(error)] += 1
        lower, upper = np.full((2, *y_test.to_numpy().reshape(len(y_test), -1).shape), np.nan)
    return lower, upper


def _rows_since(seen: Fold, fold: Fold) -> tuple[Any, Any]:
    """Take the rows of y and X that have come since an earlier fold."""
    new = ~fold.y_train.index.isin(seen.y_train.index)
    first = int(np.argmax(new))
    rows = slice(first, None) if new[first:].all() else new  # a slice keeps the frequency of the index
    return fold.y_train.iloc[rows], None if fold.X_train is None else fold.X_train.iloc[rows]


def _has_intervals(model: Any) -> bool:
    return bool(model.get_tag("capability:pred_int", tag_value_default=False, raise_error=False))


def _rows_of(forecast: Any, y_test: Any) -> Array:
    """Take the values at the times asked for, in their order, whatever else the forecast holds."""
    if not forecast.index.is_unique:
        raise ValueError("The forecast has two rows at one time.")
    places = forecast.index.get_indexer(y_test.index)
    missing = places < 0
    if missing.any():
        raise ValueError(
            f"The forecast has no row for {int(missing.sum())} of {len(y_test)} times asked for, the first "
            f"{y_test.index[int(np.argmax(missing))]}; its {len(forecast)} rows end at "
            f"{forecast.index[-1] if len(forecast) else 'no time'}."
        )
    n_variables = 1 if y_test.ndim == 1 else y_test.shape[1]
    if n_variables > 1 and set(forecast.columns) == set(y_test.columns):
        forecast = forecast[y_test.columns]
    values = np.asarray(forecast, dtype=np.float64).reshape(len(forecast), -1)
    if values.shape[1] != n_variables:
        raise ValueError(f"The forecast has {values.shape[1]} columns, y has {n_variables}.")
    return values[places]


def _in_words(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
