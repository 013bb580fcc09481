"""Backtest forecasters on identical cut-offs: all models get the same training rows and forecast the same test rows."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator
from sklearn.exceptions import FitFailedWarning
from sktime.forecasting.base import BaseForecaster

from sklrnn.forecasting.comparison.baselines import CLASSICAL, SeriesTraits, make_classical
from sklrnn.forecasting.comparison.comparison import Comparison
from sklrnn.forecasting.comparison.cutoffs import BacktestFold, check_X, check_y, instance_rows, split_at_cutoffs
from sklrnn.forecasting.comparison.evaluate_fold import FoldResult, evaluate_folds
from sklrnn.forecasting.comparison.metrics import MetricCollection
from sklrnn.forecasting.comparison.tables import build_tables
from sklrnn.forecasting.comparison.warning_counts import count_warnings
from sklrnn.forecasting.long_tables import read_tables
from sklrnn.forecasting.seasonality import resolve_season
from sklrnn.inputs.magnitudes import without_exponent
from sklrnn.inputs.user_warnings import warn_user

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
    """Compare forecasters by a backtest on identical cut-offs.

    The series is split at the last ``n_splits`` cut-offs, ``step`` rows apart. At each of them a clone of every model
    is fitted to all rows up to the cut-off (an expanding window) and forecasts the next ``horizon`` rows. The models
    passed stay unfitted. In a panel each instance is split at its own cut-offs and scored by itself; the scores are
    averaged.

    Parameters
    ----------
    models : dict, list or str
        Forecasters of sktime, such as those of this package, and names of classical ones. A dict gives each its name;
        in a list they are called by their class. The classical ones are ``"naive"`` (the last value),
        ``"seasonal_naive"`` (the last season), ``"drift"`` (a line from the first value through the last), ``"theta"``,
        ``"ets"`` (exponential smoothing), ``"arima"`` and ``"combination"`` (the mean of theta and ets). The last four
        select their model by the season, the sign of the values and the corrected Akaike information criterion, and
        need statsmodels.

    y : pandas.Series, pandas.DataFrame, array-like of shape (time,) or (time, variable)
        A series, a multivariate series, or a panel: a DataFrame with a MultiIndex whose last level is time. The times
        must be a DatetimeIndex or PeriodIndex without gaps, or consecutive integers. No value may be missing. A table
        of polars or PyArrow holds series and times in columns, as for ``fit`` of a forecaster.

    X : pandas.DataFrame or another table, default=None
        Exogenous variables at all times of y. ``fit`` gets the rows up to the cut-off, ``predict`` those of the
        horizon: leave out variables that are not known in advance.

    horizon : int
        Number of steps to forecast.

    n_splits : int, default=4
        Number of cut-offs. None means as many as leave ``initial_window`` training rows at the first one.

    step : int, default=None
        Number of rows from one cut-off to the next. None means ``horizon``: the forecasts do not overlap.

    initial_window : int, default=None
        Least number of training rows at the first cut-off. None means two.

    refit : bool, default=True
        Fit at each cut-off. False fits at the first one only; at each further one the model gets the new rows by
        ``update(..., update_params=False)``.

    sp : int or 'auto', default='auto'
        Number of rows in a season (seasonal periodicity), for the classical models and the scale of MASE. ``"auto"``
        takes the season of the frequency, or one that the autocorrelation shows, if it helps to forecast the last
        training rows at the first cut-off.

    coverage : float, default=0.9
        Nominal coverage of the prediction intervals, of models that have them. None computes none.

    metrics : sequence of {'MASE', 'sMAPE', 'RMSE', 'MAE', 'MAPE'} or callable, default=('MASE', 'sMAPE', 'RMSE')
        Metrics, of which lower is better; the first one ranks the models. MASE is the mean absolute error, scaled by
        the in-sample error of the seasonal naive forecast. A callable ``metric(y_true, y_pred)`` gets the values of a
        series, and is called by its ``__name__``. Where it raises an error, its value is NaN.

    n_jobs : int, default=None
        Number of parallel processes, as in joblib. The results do not depend on it, but the seconds do.

    verbose : int, default=0
        1 shows a progress bar, and the season that was chosen.

    Returns
    -------
    Comparison
        With the scores in ``results``, the forecasts in ``forecasts``, ``summary()``, ``skill()`` and ``plot()``.

    Warns
    -----
    sklearn.exceptions.FitFailedWarning
        If a model failed; the others are compared nevertheless. Its scores are NaN, and it ranks last where it failed.

    UserWarning
        If a metric of your own raised an error; the others are there nevertheless, and rank.

    Notes
    -----
    Warnings of the models are not shown, but counted in ``results`` and kept in ``warnings``. Linear algebra runs on
    one thread, which is faster for the small matrices of most forecasters.

    See Also
    --------
    sktime.forecasting.model_evaluation.evaluate : Evaluate one forecaster with a splitter and metrics of sktime.

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
    _check_counts(horizon=horizon, n_splits=n_splits, step=step, initial_window=initial_window)
    _check_sp_and_coverage(sp, coverage)
    X, y, _ = read_tables(X, y)
    y = check_y(y)
    X = None if X is None else check_X(X, y)
    named = _name_models(models)
    folds = split_at_cutoffs(y, X, horizon=horizon, n_splits=n_splits, step=step, initial_window=initial_window)
    sp = _resolve_sp(sp, folds[0].y_train, verbose=verbose)
    collection = MetricCollection(metrics)
    forecasters = _make_classical_ones(named, y, folds, sp)
    fold_results = _backtest(
        forecasters, folds, horizon=horizon, coverage=coverage, refit=refit, n_jobs=n_jobs, verbose=verbose
    )
    comparison = Comparison(
        models=forecasters,
        y=y,
        **build_tables(fold_results, folds, collection, sp=sp)._asdict(),
        horizon=horizon,
        sp=sp,
        coverage=coverage,
        metrics=collection.names,
    )
    if comparison.failures:
        warn_user("\n".join(["Some models failed; the others are compared.", *comparison.failures]), FitFailedWarning)
    if comparison.metric_failures:
        warn_user("\n".join(["Some metrics failed; the others are there.", *comparison.metric_failures]))
    return comparison


def _backtest(
    forecasters: Mapping[str, Any],
    folds: list[BacktestFold],
    *,
    horizon: int,
    coverage: float | None,
    refit: bool,
    n_jobs: int | None,
    verbose: int,
) -> list[FoldResult]:
    """Evaluate each model on each fold: with refit a job per fold, else a job per model."""
    groups = [[fold] for fold in folds] if refit else [folds]
    jobs = [(name, model, group) for name, model in forecasters.items() for group in groups]
    # Processes, not threads: models change warning filters and other settings that threads share.
    done: Iterable[list[FoldResult]] = Parallel(n_jobs=n_jobs, prefer="processes", return_as="generator")(
        delayed(evaluate_folds)(name, model, group, horizon=horizon, coverage=coverage) for name, model, group in jobs
    )
    if verbose:
        from tqdm.auto import tqdm

        done = tqdm(done, total=len(jobs), unit="fit" if refit else "model", desc="Comparing")
    return [result for results in done for result in results]


def _name_models(models: Models) -> dict[str, Any]:
    """Check the models, and give each its name."""
    if isinstance(models, str) or not isinstance(models, Iterable):
        models = [models]
    pairs = list(models.items()) if isinstance(models, Mapping) else [(None, model) for model in models]
    if not pairs:
        raise ValueError("There are no models to compare: models is empty.")
    for _, model in pairs:
        _check_forecaster(model)
    names = [str(_default_name(model) if name is None else name) for name, model in pairs]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(
            f"Each model needs a name of its own, but {', '.join(map(repr, repeated))} is there more than once. "
            "Pass a dict, such as compare({'small': ..., 'large': ...}, ...)."
        )
    return dict(zip(names, (model for _, model in pairs), strict=True))


def _default_name(model: Any) -> str:
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


def _make_classical_ones(named: Mapping[str, Any], y: Any, folds: list[BacktestFold], sp: int) -> dict[str, Any]:
    """Replace the names of classical forecasters by forecasters for these data."""
    n_rows = min(len(rows) for _, rows in instance_rows(folds[0].y_train.index))
    traits = SeriesTraits(sp, bool(y.to_numpy().min() > 0), n_rows)
    with count_warnings():  # sktime warns of its own changes whenever a forecaster is made
        return {
            name: make_classical(model, traits) if isinstance(model, str) else model for name, model in named.items()
        }


def _resolve_sp(sp: Any, y_train: Any, *, verbose: int) -> int:
    times = y_train.index.get_level_values(-1)
    rows = [rows for _, rows in instance_rows(y_train.index)]
    freq = getattr(times, "freqstr", None) or getattr(times[rows[0]], "inferred_freq", None)
    values = y_train.to_numpy().reshape(len(y_train), -1)
    columns = [without_exponent(column) for instance in rows for column in values[instance].T]
    return resolve_season(sp, columns, freq, verbose=verbose)


def _check_counts(**numbers: Any) -> None:
    for name, value in numbers.items():
        if value is None and name != "horizon":
            continue
        if not _is_count(value):
            raise ValueError(f"{name} must be an int of at least 1, got {value!r}.")


def _check_sp_and_coverage(sp: Any, coverage: Any) -> None:
    if sp != "auto" and not _is_count(sp):
        raise ValueError(f"sp must be 'auto' or an int of at least 1, got {sp!r}.")
    if coverage is not None and not (isinstance(coverage, Real) and 0 < float(coverage) < 1):
        raise ValueError(f"coverage must lie between 0 and 1, such as 0.9, or be None, got {coverage!r}.")


def _is_count(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and int(value) >= 1
