"""A fair comparison: every model sees the same past and is asked for the same future."""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator
from sklearn.exceptions import FitFailedWarning
from sktime.forecasting.base import BaseForecaster

from sklrnn.forecasting.comparison.baselines import CLASSICAL, Nature, make_classical
from sklrnn.forecasting.comparison.comparison import Comparison
from sklrnn.forecasting.comparison.cutoffs import Fold, cut, instances_of, read_exogenous, read_series
from sklrnn.forecasting.comparison.evaluate_fold import Outcome, run_model
from sklrnn.forecasting.comparison.tables import Scoring, tidy
from sklrnn.forecasting.comparison.warning_counts import tally_warnings
from sklrnn.forecasting.seasonality import find_season

__all__ = ["compare"]

Models = Mapping[str, Any] | Sequence[Any] | str


def compare(
    models: Models,
    y: Any,
    X: Any = None,
    *,
    horizon: int,
    n_splits: int | None = 4,
    step: int | None = None,
    initial_window: int | None = None,
    refit: bool = True,
    sp: int | str = "auto",
    coverage: float | None = 0.9,
    metrics: Sequence[str | Callable[..., float]] = ("MASE", "sMAPE", "RMSE"),
    n_jobs: int | None = None,
    verbose: int = 0,
) -> Comparison:
    """Compare forecasters on identical cut-offs.

    The series is cut at the last ``n_splits`` origins, ``step`` rows apart. At each of them every model is copied, fitted
    to all rows before the cut, and asked for the next ``horizon`` rows, which it has not seen. The models given are left
    as they are. Of a panel each instance is cut at its own times, scored by itself, and the scores are averaged.

    Parameters
    ----------
    models : dict, list or str
        What to compare: forecasters of sktime, those of this package among them, and names of classical ones. A dict
        gives each its name; in a list they go by the name of their class. The names are ``"naive"`` (the last value),
        ``"seasonal_naive"`` (the last season), ``"drift"`` (a line from the first value through the last), ``"theta"``,
        ``"ets"`` (exponential smoothing) and ``"arima"``. The last three choose their own form, by season, sign and the
        corrected Akaike criterion, and need statsmodels.

    y : pandas.Series, pandas.DataFrame, array-like of shape (time,) or (time, variable)
        One series, several variables of one time, or a panel: a frame with a MultiIndex whose last level is time. The
        index must be a DatetimeIndex or PeriodIndex without holes, or count rows. Nothing may be missing.

    X : pandas.DataFrame, default=None
        Exogenous variables at all times of y. The rows before a cut go to ``fit``, those of the horizon to ``predict``:
        leave out what is not known in advance.

    horizon : int
        Number of steps to forecast.

    n_splits : int, default=4
        Number of cut-offs. None takes all that leave ``initial_window`` rows before the first.

    step : int, default=None
        Number of rows from one cut-off to the next. None means ``horizon``: the forecasts do not overlap.

    initial_window : int, default=None
        Number of rows that there must be before the first cut-off. None means two.

    refit : bool, default=True
        Fit at each cut-off. False fits at the first one only; at the others the model is shown the rows that have come
        since, by ``update(..., update_params=False)``.

    sp : int or 'auto', default='auto'
        Number of rows in a season, for the classical models and the scale of MASE. ``"auto"`` finds it from the
        frequency and the autocorrelation of the rows before the first cut-off.

    coverage : float, default=0.9
        Probability of the intervals that are asked for, of models that give any. None asks for none.

    metrics : sequence of {'MASE', 'sMAPE', 'RMSE', 'MAE', 'MAPE'} or callable, default=('MASE', 'sMAPE', 'RMSE')
        What is scored, less being better; the first one ranks. A callable takes the true and the forecast values of a
        series, and goes by its ``__name__``.

    n_jobs : int, default=None
        Number of fits at a time, in processes, as joblib takes it. The results do not depend on it, but the seconds do.

    verbose : int, default=0
        1 shows a progress bar.

    Returns
    -------
    Comparison
        With the scores in ``results``, the forecasts in ``forecasts``, ``summary()``, ``skill()`` and ``plot()``.

    Warns
    -----
    sklearn.exceptions.FitFailedWarning
        If a model failed; the others are compared all the same. Its scores are NaN, and it ranks last where it failed.

    Notes
    -----
    What models warn of is not shown, but counted in ``results`` and kept in ``warnings``. Linear algebra runs on one
    thread, which the small matrices of most forecasters are faster with.

    See Also
    --------
    sktime.forecasting.model_evaluation.evaluate : The scores of one forecaster under a splitter of sktime.

    Examples
    --------
    >>> from sklrnn.datasets import load_air_passengers
    >>> from sklrnn.forecasting import compare
    >>> comparison = compare(["naive", "seasonal_naive", "drift"], load_air_passengers(), horizon=12, n_splits=3)
    >>> comparison.summary()[["rank", "MASE", "sMAPE, %", "coverage, %"]]
                    rank   MASE  sMAPE, %  coverage, %
    model
    seasonal_naive   1.0  1.213      8.52         75.0
    drift            2.0  2.163     14.99         80.6
    naive            3.0  2.468     17.41         77.8
    """
    _check_numbers(horizon=horizon, n_splits=n_splits, step=step, initial_window=initial_window)
    _check_season_and_coverage(sp, coverage)
    y = read_series(y)
    X = None if X is None else read_exogenous(X, y)
    named = _name(models)
    folds = cut(y, X, horizon=horizon, n_splits=n_splits, step=step, initial_window=initial_window)
    season = _find_season(folds[0].y_train) if sp == "auto" else int(sp)
    scoring = Scoring(metrics, sp=season, horizon=horizon)
    forecasters = _with_classical(named, y, folds, season)
    outcomes = _run(forecasters, folds, horizon=horizon, coverage=coverage, refit=refit, n_jobs=n_jobs, verbose=verbose)
    results, forecasts, yardstick, caught = tidy(outcomes, folds, scoring)
    comparison = Comparison(
        models=forecasters,
        y=y,
        results=results,
        forecasts=forecasts,
        yardstick=yardstick,
        warnings=caught,
        horizon=horizon,
        sp=season,
        coverage=coverage,
        metrics=scoring.names,
    )
    if comparison.failures:
        warnings.warn(
            "\n".join(["Some models failed; the others are compared.", *comparison.failures]), FitFailedWarning, 2
        )
    return comparison


def _run(
    forecasters: Mapping[str, Any],
    folds: list[Fold],
    *,
    horizon: int,
    coverage: float | None,
    refit: bool,
    n_jobs: int | None,
    verbose: int,
) -> list[Outcome]:
    """Run each model on each fold: fold by fold where it is fitted anew, else in one go."""
    pieces = [[fold] for fold in folds] if refit else [folds]
    jobs = [(name, model, piece) for name, model in forecasters.items() for piece in pieces]
    # Processes, not threads: models set filters of warnings and other things that threads share.
    done: Iterable[list[Outcome]] = Parallel(n_jobs=n_jobs, prefer="processes", return_as="generator")(
        delayed(run_model)(name, model, piece, horizon=horizon, coverage=coverage) for name, model, piece in jobs
    )
    if verbose:
        from tqdm.auto import tqdm

        done = tqdm(done, total=len(jobs), unit="fit" if refit else "model", desc="Comparing")
    return [outcome for outcomes in done for outcome in outcomes]


def _name(models: Models) -> dict[str, Any]:
    """Give every model a name, and check that it is one."""
    if isinstance(models, str) or not isinstance(models, Iterable):
        models = [models]
    pairs = list(models.items()) if isinstance(models, Mapping) else [(None, model) for model in models]
    if not pairs:
        raise ValueError("There are no models to compare: models is empty.")
    for _, model in pairs:
        _check_forecaster(model)
    names = [str(_own_name(model) if name is None else name) for name, model in pairs]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(
            f"Each model needs a name of its own, but {', '.join(map(repr, repeated))} is there more than once. "
            "Pass a dict, such as compare({'small': ..., 'large': ...}, ...)."
        )
    return dict(zip(names, (model for _, model in pairs), strict=True))


def _own_name(model: Any) -> str:
    return model if isinstance(model, str) else type(model).__name__


def _check_forecaster(model: Any) -> None:
    if isinstance(model, str | BaseForecaster):
        return
    if isinstance(model, type):
        raise TypeError(f"{model.__name__} is a class, and models need settings: pass {model.__name__}().")
    kind = type(model).__name__
    if isinstance(model, BaseEstimator):
        raise TypeError(
            f"{kind} is an estimator of scikit-learn, not a forecaster. Turn a regressor into one with "
            f"sktime.forecasting.compose.make_reduction({kind}(), window_length=...)."
        )
    raise TypeError(
        f"A model must be a forecaster of sktime or one of the names {', '.join(map(repr, CLASSICAL))}, got {kind}."
    )


def _with_classical(named: Mapping[str, Any], y: Any, folds: list[Fold], sp: int) -> dict[str, Any]:
    """Make the forecasters that were asked for by name."""
    n_rows = min(len(rows) for _, rows in instances_of(folds[0].y_train.index))
    nature = Nature(sp, bool(y.to_numpy().min() > 0), n_rows)
    with tally_warnings():  # sktime announces changes of its own whenever a forecaster is made
        return {
            name: make_classical(model, nature) if isinstance(model, str) else model for name, model in named.items()
        }


def _find_season(y_train: Any) -> int:
    times = y_train.index.get_level_values(-1)
    rows = [rows for _, rows in instances_of(y_train.index)]
    freq = getattr(times, "freqstr", None) or getattr(times[rows[0]], "inferred_freq", None)
    values = y_train.to_numpy().reshape(len(y_train), -1)
    return find_season([column for own in rows for column in values[own].T], freq)


def _check_numbers(**numbers: Any) -> None:
    for name, value in numbers.items():
        if value is None and name != "horizon":
            continue
        if not _is_count(value):
            raise ValueError(f"{name} must be an int of at least 1, got {value!r}.")


def _check_season_and_coverage(sp: Any, coverage: Any) -> None:
    if sp != "auto" and not _is_count(sp):
        raise ValueError(f"sp must be 'auto' or an int of at least 1, got {sp!r}.")
    if coverage is not None and not (isinstance(coverage, Real) and 0 < float(coverage) < 1):
        raise ValueError(f"coverage must lie between 0 and 1, such as 0.9, or be None, got {coverage!r}.")


def _is_count(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and int(value) >= 1
