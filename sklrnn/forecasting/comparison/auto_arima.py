"""ARIMA whose differences and orders are selected automatically."""

from collections import Counter
from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.signal import lfilter
from scipy.stats import norm

from sklrnn.forecasting.comparison.aicc_search import Array, Candidate, LowestAICc, fit_converged, rank_by_aicc

__all__ = ["ARIMASearch"]

# Seasonal strength (share of the detrended variance, by STL) above which a seasonal difference is taken.
_STRONG_SEASON = 0.64
# Critical value of the KPSS statistic for level stationarity, at a significance level of 5 %.
_KPSS_LIMIT = 0.463
_LEAST_NOISE = 1e-10
# Rows times season above which maximizing the exact likelihood is slow, and changes little.
_EXACT = 5000


class _Orders(NamedTuple):
    """Orders of an ARMA model of the differenced series; the seasonal ones are 0 or 1."""

    ar: int
    ma: int
    seasonal_ar: int
    seasonal_ma: int
    constant: bool


class _Rough(NamedTuple):
    """An ARMA model fitted by conditional least squares, with its parameters in the order of statsmodels."""

    orders: _Orders
    parameters: Array
    aicc: float


class ARIMASearch(LowestAICc):
    """ARIMA whose differences follow from tests and whose orders from the corrected Akaike criterion.

    A strong season (measured by STL, over at least three of them) is taken out by one seasonal difference with a
    seasonal moving average, as in the airline model; a weak one may leave a seasonal autoregressive term. Ordinary
    differences, two at most, are taken while the KPSS test rejects. A dozen small orders, with drift where it makes
    sense, are compared by conditional least squares. The best whose search converges is fitted by maximum likelihood,
    unless the series is so long that this would hardly change it.

    Parameters
    ----------
    sp : int, default=1
        Number of rows in a season.

    most_rows : int, default=1000
        Number of rows to fit to, the newest ones.

    Examples
    --------
    >>> from sklrnn.datasets import load_air_passengers
    >>> from sklrnn.forecasting.comparison.auto_arima import ARIMASearch
    >>> arima = ARIMASearch(sp=12).fit(load_air_passengers()[:60], fh=[1, 2])
    >>> bool(arima.predict().between(190, 215).all())
    True
    """

    _tags = {"capability:exogenous": True, "capability:non_contiguous_X": False}  # noqa: RUF012

    def __init__(self, sp: int = 1, most_rows: int = 1000) -> None:
        self.sp = sp
        self.most_rows = most_rows
        super().__init__()

    def _search(self, values: Array, exog: Array | None, notes: Counter[tuple[str, str]]) -> Any:
        d, seasonal_d = _count_differences(values, self.sp)
        stationary = _difference(values, d, seasonal_d, self.sp)
        slopes = np.empty(0)
        if exog is not None:
            moving = _difference(exog, d, seasonal_d, self.sp)
            slopes = np.linalg.lstsq(moving - moving.mean(axis=0), stationary - stationary.mean(), rcond=None)[0]
            stationary = stationary - moving @ slopes
        ranked = rank_by_aicc(
            lambda orders: _fit_roughly(stationary, orders, self.sp), self._orders(d, seasonal_d, len(values))
        )
        best = self._model(values, exog, ranked[0].orders, d, seasonal_d)
        if len(values) * max(best.seasonal_periods, 1) > _EXACT:
            return best.smooth(_start(ranked[0], slopes), cov_type="none")
        candidates = (
            _candidate(self._model(values, exog, rough.orders, d, seasonal_d), _start(rough, slopes))
            for rough in ranked
        )
        return fit_converged(candidates, notes)

    def _model(self, values: Array, exog: Array | None, orders: _Orders, d: int, seasonal_d: int) -> Any:
        from statsmodels.tsa.statespace.sarimax import SARIMAX

        seasonal = (orders.seasonal_ar, seasonal_d, orders.seasonal_ma)
        return SARIMAX(
            values,
            exog,
            order=(orders.ar, d, orders.ma),
            seasonal_order=(*seasonal, self.sp if any(seasonal) else 0),
            trend="c" if orders.constant else "n",
        )

    def _orders(self, d: int, seasonal_d: int, n_rows: int) -> Iterator[_Orders]:
        pairs = [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (0, 2), (2, 1), (1, 2), (2, 2)]
        weak_season = not seasonal_d and self.sp > 1 and n_rows >= 3 * self.sp
        seasonal = [(0, seasonal_d), *([(1, 0)] if weak_season else [])]
        constants = {0: [True], 1: [False, True]}.get(d + seasonal_d, [False])
        for (ar, ma), (seasonal_ar, seasonal_ma), constant in product(pairs, seasonal, constants):
            yield _Orders(ar, ma, seasonal_ar, seasonal_ma, constant)

    def _with_more_rows(self, values: Array, exog: Array | None) -> Any:
        return self.result_.apply(values, exog=exog, refit=False)

    def _mean(self, n_steps: int, exog: Array | None) -> Array:
        return np.asarray(self.result_.forecast(n_steps, exog=exog))

    def _quantiles(self, n_steps: int, exog: Array | None, levels: Array) -> Array:
        future = self.result_.get_forecast(n_steps, exog=exog)
        return np.asarray(future.predicted_mean)[:, None] + np.outer(np.asarray(future.se_mean), norm.ppf(levels))


def _fit_roughly(values: Array, orders: _Orders, sp: int) -> _Rough:
    """Fit by conditional least squares: errors before the first row count as zero."""
    n_free = sum(orders[:4])
    n_parameters = n_free + orders.constant + 1
    if len(values) < n_parameters + 3:
        raise ValueError("too few rows for these orders")
    level = values.mean() if orders.constant else 0.0
    centred = values - level

    def errors(free: Array) -> Array:
        left, right = _polynomials(_coefficients(free, orders), orders, sp)
        return np.asarray(lfilter(left, right, centred))

    def objective(free: Array) -> float:
        return float(np.log(np.mean(np.square(errors(free))) + np.finfo(float).tiny))

    free = np.full(n_free, 0.1)
    if n_free:
        free = minimize(objective, free, method="BFGS", options={"maxiter": 100}).x
    # A series without noise, such as a straight line, must not have a variance of zero.
    variance = max(np.mean(np.square(errors(free))), _LEAST_NOISE * np.mean(np.square(values)), np.finfo(float).tiny)
    criterion = len(values) * np.log(variance) + 2 * n_parameters * len(values) / (len(values) - n_parameters - 1)
    coefficients = _coefficients(free, orders)
    intercept = [level * _polynomials(coefficients, orders, sp)[0].sum()] if orders.constant else []
    parameters = np.concatenate([intercept, *_signed(coefficients), [variance]])
    return _Rough(orders, parameters, float(criterion))


def _candidate(model: Any, start: Array) -> Candidate:
    """Search from the rough fit by gradients; then, from where that ended, without: theirs are rounded differences."""
    options = {"disp": False, "cov_type": "none", "warn_convergence": False}
    ar, d, ma = model.order
    *seasonal, sp = model.seasonal_order
    season = "({},{},{})[{}]".format(*seasonal, sp) if sp else ""
    return Candidate(
        f"ARIMA({ar},{d},{ma}){season}{' with a constant' if model.k_trend else ''}",
        lambda: model.fit(start, **options),
        lambda result: model.fit(result.params, method="powell", **options),
    )


def _start(rough: _Rough, slopes: Array) -> Array:
    constant = rough.orders.constant
    return np.concatenate([rough.parameters[:constant], slopes, rough.parameters[constant:]])


def _coefficients(free: Array, orders: _Orders) -> list[Array]:
    """Transform unconstrained parameters into coefficients that are stationary and invertible, term by term.

    Each parameter becomes a partial autocorrelation between -1 and 1; any such set belongs to a stationary process.
    """
    parts = np.split(np.tanh(free) * 0.99, np.cumsum(orders[:3]))
    found = []
    for partial in parts:
        coefficients = np.empty(0)
        for value in partial:
            coefficients = np.append(coefficients - value * coefficients[::-1], value)
        found.append(coefficients)
    return found


def _polynomials(coefficients: list[Array], orders: _Orders, sp: int) -> tuple[Array, Array]:
    """The autoregressive and the moving-average lag polynomials, ordinary and seasonal terms multiplied."""
    ordinary = [np.append(1.0, -part) for part in coefficients[:2]]
    seasonal = [np.append(1.0, np.zeros(0 if not len(part) else sp)) for part in coefficients[2:]]
    for polynomial, part in zip(seasonal, coefficients[2:], strict=True):
        polynomial[-1] = -part[0] if len(part) else 1.0
    left, right = (np.convolve(short, long) for short, long in zip(ordinary, seasonal, strict=True))
    return left, right


def _signed(coefficients: list[Array]) -> list[Array]:
    """Change the sign of the moving averages to that of statsmodels."""
    ar, ma, seasonal_ar, seasonal_ma = coefficients
    return [ar, -ma, seasonal_ar, -seasonal_ma]


def _difference(values: Array, d: int, seasonal_d: int, sp: int) -> Array:
    rest = values[sp:] - values[:-sp] if seasonal_d else values
    return np.diff(rest, n=d, axis=0)


def _count_differences(values: Array, sp: int) -> tuple[int, int]:
    """Select the numbers of ordinary and of seasonal differences."""
    seasonal = int(sp > 1 and len(values) >= 3 * sp and _seasonal_strength(values, sp) > _STRONG_SEASON)
    for ordinary in range(2 - seasonal):
        if _kpss(_difference(values, ordinary, seasonal, sp)) <= _KPSS_LIMIT:
            return ordinary, seasonal
    return 2 - seasonal, seasonal


def _seasonal_strength(values: Array, sp: int) -> float:
    from statsmodels.tsa.seasonal import STL

    parts = STL(values, period=sp).fit()
    around_trend = np.var(parts.resid + parts.seasonal)
    return float(1 - np.var(parts.resid) / around_trend) if around_trend > 0 else 0.0


def _kpss(values: Array) -> float:
    """The statistic of Kwiatkowski, Phillips, Schmidt and Shin: large if the level is not stationary."""
    n = len(values)
    rest = values - values.mean()
    n_lags = int(3 * np.sqrt(n) / 13)
    variance = rest @ rest + 2 * sum(
        (1 - lag / (n_lags + 1)) * (rest[lag:] @ rest[:-lag]) for lag in range(1, n_lags + 1)
    )
    return float(np.square(rest.cumsum()).sum() / (n * variance)) if variance > 0 else 0.0
