"""The classical forecasters that go by a name."""

import difflib
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, NamedTuple

from sktime.forecasting.naive import NaiveForecaster
from sktime.forecasting.theta import ThetaForecaster
from sktime.transformations.detrend import Deseasonalizer

from sklrnn.forecasting.comparison.auto_arima import ARIMASearch
from sklrnn.forecasting.comparison.auto_ets import ETSSearch

__all__ = ["CLASSICAL", "Nature", "make_classical"]

# Longer seasons have too many states for exponential smoothing and ARIMA: they are taken out first.
_LONGEST_MODELLED_SEASON = 24


class Nature(NamedTuple):
    """What must be known of the data to choose a form: rows in a season, whether all are positive, rows at least."""

    sp: int
    positive: bool
    n_rows: int

    @property
    def decomposition(self) -> str:
        """How a season is taken out."""
        return "multiplicative" if self.positive else "additive"

    @property
    def has_seasons(self) -> bool:
        """Whether the training parts hold the two whole seasons that a decomposition needs."""
        return self.sp > 1 and self.n_rows >= 2 * self.sp


def _theta(nature: Nature) -> Any:
    if not nature.has_seasons:
        return ThetaForecaster(deseasonalize=False)
    return ThetaForecaster(sp=nature.sp, deseasonalize_model=nature.decomposition)


def _seasonal_search(search: Callable[..., Any]) -> Callable[[Nature], Any]:
    def make(nature: Nature) -> Any:
        if nature.sp <= _LONGEST_MODELLED_SEASON:
            return search(sp=nature.sp)
        if not nature.has_seasons:
            return search()
        return Deseasonalizer(sp=nature.sp, model=nature.decomposition) * search()

    return make


CLASSICAL: dict[str, Callable[[Nature], Any]] = {
    "naive": lambda nature: NaiveForecaster(),
    "seasonal_naive": lambda nature: NaiveForecaster(sp=nature.sp),
    "drift": lambda nature: NaiveForecaster(strategy="drift"),
    "theta": _theta,
    "ets": _seasonal_search(ETSSearch),
    "arima": _seasonal_search(ARIMASearch),
}
_NEEDS_STATSMODELS = {"theta", "ets", "arima"}


def make_classical(name: str, nature: Nature) -> Any:
    """Make the forecaster of a name, fit for the data."""
    if name not in CLASSICAL:
        close = difflib.get_close_matches(name.lower().replace(" ", "_").replace("-", "_"), CLASSICAL, n=1)
        raise ValueError(
            f"There is no forecaster named {name!r}.{f' Did you mean {close[0]!r}?' if close else ''} The names are "
            f"{', '.join(map(repr, CLASSICAL))}; pass any other as a forecaster of sktime."
        )
    if name in _NEEDS_STATSMODELS and find_spec("statsmodels") is None:
        raise ModuleNotFoundError(
            f"The forecaster {name!r} needs statsmodels, which is not installed. Install it with "
            "'python -m pip install statsmodels', or leave the name out of models."
        )
    return CLASSICAL[name](nature)
