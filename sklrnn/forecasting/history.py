"""What a forecaster knows: its series, how far each of them is told, and what may be known of the rows to come."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sktime.forecasting.base import ForecastingHorizon

from sklrnn.forecasting._columns import Columns
from sklrnn.forecasting.fh_index import place, times_after
from sklrnn.forecasting.series import Key, Series, begin, by_instance, extend, name_of, rows_at, take_apart
from sklrnn.timeline.time_index import frequency_of

Array = NDArray[Any]


@dataclass(frozen=True)
class Past:
    """Series by key, and the time of the row that each is forecast from, which is not the last where old rows came again.

    ``levels`` are the names of the levels of the index of y, ``given`` its columns as they came first.
    """

    series: dict[Key, Series]
    ends: dict[Key, Any]
    columns: Columns
    levels: list[Any]
    given: pd.Index

    @classmethod
    def read(cls, y: pd.DataFrame, X: pd.DataFrame | None, columns: Columns | None = None) -> "Past":
        """Begin; ``columns`` are those that networks have learnt already."""
        columns = Columns.of(y, X) if columns is None else columns
        series = begin(take_apart(columns.arrange_y(y), columns.arrange_X(X)), columns.y)
        return cls(series, _ends_of(series), columns, list(y.index.names), y.columns)

    def read_on(self, y: pd.DataFrame, X: pd.DataFrame | None) -> "Past":
        """The same with more rows, or with more series."""
        self._check_levels(y, "y")
        new = take_apart(self.columns.arrange_y(y), self.columns.arrange_X(X))
        longer = {key: extend(self.series[key], one, key) for key, one in new.items() if key in self.series}
        others = {key: one for key, one in new.items() if key not in self.series}
        if others:
            longer |= begin(others, self.columns.y, like=self.longest().index)
        return replace(self, series=self.series | longer, ends=self.ends | _ends_of(new))

    def measured(self) -> "Past":
        """The same with levels and spreads as they are by now."""
        return replace(self, series={key: one.measured() for key, one in self.series.items()})

    def longest(self) -> Series:
        return max(self.series.values(), key=len)

    def told(self) -> dict[Key, Series]:
        """Each series up to the row that it is forecast from."""
        return {
            key: one if one.index[-1] == self.ends[key] else one.until(self.ends[key])
            for key, one in self.series.items()
        }

    def place(self, fh: ForecastingHorizon) -> dict[Key, tuple[Array, pd.Index]]:
        """What a horizon means for each series: steps and times. Series that end together share what is to come."""
        places: dict[Key, tuple[Array, pd.Index]] = {}
        shared: dict[Any, tuple[Array, pd.Index]] = {}
        for key, one in self.told().items():
            end = one.index[-1], frequency_of(one.index)
            places[key] = shared[end] if end in shared else place(fh, one.index, name_of(key))
            if (places[key][0] > 0).all():
                shared[end] = places[key]
        return places

    def ahead(
        self, X: pd.DataFrame | None, steps: Mapping[Key, Array], n_ahead: int, known: tuple[int, ...]
    ) -> dict[Key, Array]:
        """The next ``n_ahead`` rows of X of each series: NaN in columns whose future is not known."""
        future: dict[Key, pd.DataFrame] = {}
        if X is not None and known:
            self._check_levels(X, "X")
            future = by_instance(self.columns.arrange_future_X(X, known))
        return {
            key: self._ahead_of(one.index, future.get(key), key, steps[key], n_ahead, known)
            for key, one in self.told().items()
        }

    def _ahead_of(
        self,
        told: pd.Index,
        future: pd.DataFrame | None,
        key: Key,
        steps: Array,
        n_ahead: int,
        known: tuple[int, ...],
    ) -> Array:
        ahead = np.full((n_ahead, len(self.columns.X)), np.nan)
        if not known or not (steps > 0).any():
            return ahead
        times = times_after(told, n_ahead)
        wanted = times[steps[steps > 0] - 1]
        missing = wanted if future is None else wanted.difference(future.index)
        if future is None or len(missing):
            raise ValueError(
                f"The forecast of {name_of(key)} from {wanted[0]} to {wanted[-1]} needs the future of X, but there is no row "
                f"of X for {missing[0]}. Pass X for these times to predict, or say with future_X which columns are known in "
                "the future."
            )
        columns = list(known)
        ahead[:, columns] = rows_at(future, times, f"X of {name_of(key)}")[:, columns]
        return ahead

    def arrange(self, values: Array) -> Array:
        """The channels, which networks may have met in another order, as y had them."""
        return values[:, np.argsort(self.columns.order_of_y(self.given))]

    def _check_levels(self, frame: pd.DataFrame, what: str) -> None:
        """A single series can't go on as a panel, nor a panel as a hierarchy."""
        if frame.index.nlevels != len(self.levels):
            raise TypeError(
                f"{what} has an index of {frame.index.nlevels} level(s), but the forecaster was fitted to one of "
                f"{len(self.levels)}. Pass the same kind: a series, or a panel with the same levels."
            )


def _ends_of(series: Mapping[Key, Series]) -> dict[Key, Any]:
    return {key: one.index[-1] for key, one in series.items()}
