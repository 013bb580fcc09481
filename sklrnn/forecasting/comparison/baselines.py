"""The classical forecasters that `compare` knows by name."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, NamedTuple

from sktime.forecasting.compose import EnsembleForecaster
from sktime.forecasting.naive import NaiveForecaster
from sktime.forecasting.theta import ThetaForecaster
from sktime.transformations.detrend import Deseasonalizer

from sklrnn._suggestions import did_you_mean
from sklrnn.forecasting.comparison.auto_arima import ARIMASearch
from sklrnn.forecasting.comparison.auto_ets import ETSSearch

__all__ = ["CLASSICAL", "SeriesTraits", "make_classical"]

# Longer seasons have too many states for exponential smoothing and ARIMA: the series is deseasonalized first.
_LONGEST_MODELLED_SEASON = 24


class SeriesTraits(NamedTuple):
    """Properties that models are chosen by: season, whether all values are positive, rows of the shortest series."""

    sp: int
    positive: bool
    n_rows: int

    @property
    def decomposition(self) -> str:
        """Which seasonal decomposition fits the data."""
        return "multiplicative" if self.positive else "additive"

    @property
    def has_seasons(self) -> bool:
        """Whether the training part has the two whole seasons that a decomposition needs."""
        return self.sp > 1 and self.n_rows >= 2 * self.sp


def _theta(traits: SeriesTraits) -> Any:
    if not traits.has_seasons:
        return ThetaForecaster(deseasonalize=False)
    return ThetaForecaster(sp=traits.sp, deseasonalize_model=traits.decomposition)


def _seasonal_search(search: Callable[..., Any]) -> Callable[[SeriesTraits], Any]:
    def make(traits: SeriesTraits) -> Any:
        if traits.sp <= _LONGEST_MODELLED_SEASON:
            return search(sp=traits.sp)
        if not traits.has_seasons:
            return search()
        return Deseasonalizer(sp=traits.sp, model=traits.decomposition) * search()

    return make


def _combination(traits: SeriesTraits) -> Any:
    return EnsembleForecaster([(name, make_classical(name, traits)) for name in ("theta", "ets")])


CLASSICAL: dict[str, Callable[[SeriesTraits], Any]] = {
    "naive": lambda traits: NaiveForecaster(),
    "seasonal_naive": lambda traits: NaiveForecaster(sp=traits.sp),
    "drift": lambda traits: NaiveForecaster(strategy="drift"),
    "theta": _theta,
    "ets": _seasonal_search(ETSSearch),
    "arima": _seasonal_search(ARIMASearch),
    "combination": _combination,
}
_NEEDS_STATSMODELS = {"theta", "ets", "arima", "combination"}


def make_classical(name: str, traits: SeriesTraits) -> Any:
    """Make the forecaster of this name for series with these traits."""
    if name not in CLASSICAL:
        raise ValueError(
            f"There is no forecaster named {name!r}.{did_you_mean(name, CLASSICAL)} The names are "
            f"{', '.join(map(repr, sorted(CLASSICAL)))}; pass any other as a forecaster of sktime."
        )
    if name in _NEEDS_STATSMODELS and find_spec("statsmodels") is None:
        raise ModuleNotFoundError(
            f"The forecaster {name!r} needs statsmodels, which is not installed. Install it with "
            "'python -m pip install statsmodels', or leave the name out of models."
        )
    return CLASSICAL[name](traits)
