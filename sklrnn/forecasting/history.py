"""The data that a forecaster was given: its series, the cutoff of each, and the columns of y and X."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sktime.forecasting.base import ForecastingHorizon

from sklrnn.forecasting.fh_index import resolve_fh, times_after
from sklrnn.forecasting.future_X import EarlyX, combine_rows, count_steps_read, keep_early_X, values_of_future_X
from sklrnn.forecasting.plain_values import SavedAsPlainValues
from sklrnn.forecasting.series import (
    SeriesKey,
    TimeSeries,
    check_columns_of_X,
    describe_series,
    merge_rows,
    prepare_series,
    split_frame,
    split_series,
)
from sklrnn.forecasting.windows import WindowSpec
from sklrnn.timeline.table import in_native_byte_order
from sklrnn.timeline.time_index import frequency_of

Array = NDArray[Any]
ColumnNames = tuple[Hashable, ...]


class Columns(NamedTuple):
    """The names of the columns of y and X, in the order in which the networks read them."""

    y: ColumnNames
    X: ColumnNames

    @classmethod
    def from_frames(cls, y: pd.DataFrame, X: pd.DataFrame | None) -> "Columns":
        return cls(tuple(y.columns), () if X is None else tuple(X.columns))

    def reorder_y(self, y: pd.DataFrame) -> pd.DataFrame:
        """Bring the columns of y into the order of the networks; a single column may have any name."""
        return in_native_byte_order(y).iloc[:, self.positions_in_y(y.columns)]

    def positions_in_y(self, names: pd.Index) -> list[int]:
        """The position of each channel in a y with these columns."""
        return [0] if len(self.y) == len(names) == 1 else _positions(self.y, names, "y")

    def reorder_X(self, X: pd.DataFrame | None) -> pd.DataFrame | None:
        """Bring the columns of X into the order of the networks."""
        if X is None and not self.X:
            return None
        if X is None:
            raise ValueError(f"The networks were fitted with the columns {list(self.X)} of X, got no X. Pass X too.")
        return in_native_byte_order(X).iloc[:, _positions(self.X, X.columns, "X")]

    def reorder_future_X(self, X: pd.DataFrame, known_future: tuple[int, ...]) -> pd.DataFrame:
        """Bring the columns of X into the order of the networks; those without a known future may be missing."""
        if _has_default_names(X.columns) and len(X.columns) == len(self.X):
            return in_native_byte_order(X).set_axis(list(self.X), axis=1)
        needed = [self.X[position] for position in known_future]
        missing = [name for name in needed if name not in X.columns]
        if missing:
            raise ValueError(
                f"The forecast needs the columns {needed} of X, but {missing} are missing: X has {list(X.columns)}."
            )
        return in_native_byte_order(X).reindex(columns=list(self.X))


def _positions(fitted: ColumnNames, names: pd.Index, what: str) -> list[int]:
    if set(names) == set(fitted):
        return [list(names).index(name) for name in fitted]
    # Arrays have no column names: their columns are taken in the order given.
    if len(names) == len(fitted) and (_has_default_names(names) or _has_default_names(pd.Index(fitted))):
        return list(range(len(names)))
    with_what = f"with the columns {list(fitted)} of {what}" if fitted else f"without {what}"
    raise ValueError(
        f"The networks were fitted {with_what}, got {list(names)}. Pass the same columns, or make a new forecaster."
    )


def _has_default_names(names: pd.Index) -> bool:
    return list(names) == list(range(len(names)))


@dataclass(frozen=True)
class History(SavedAsPlainValues):
    """The known rows of each series, and what is needed to return forecasts in the form of y.

    ``cutoffs`` are the times of the rows that each series is forecast from: the last row that was passed, which is not
    the last known one if an update passed old rows again. ``index_names`` are the names of the levels of the index of
    y, and ``y_columns`` its columns, in the order of the user. ``early_X`` holds rows of X after the last one of y.
    """

    series: dict[SeriesKey, TimeSeries]
    early_X: dict[SeriesKey, EarlyX]
    cutoffs: dict[SeriesKey, Any]
    columns: Columns
    index_names: list[Any]
    y_columns: pd.Index

    @classmethod
    def from_frames(cls, y: pd.DataFrame, X: pd.DataFrame | None, columns: Columns | None = None) -> "History":
        """Read y and X; ``columns`` are those of networks that are fitted already."""
        columns = Columns.from_frames(y, X) if columns is None else columns
        X = columns.reorder_X(X)
        frames = None if X is None else split_frame(X)
        series = prepare_series(split_series(columns.reorder_y(y), frames), columns.y)
        check_columns_of_X(np.concatenate([one.X for one in series.values()]), columns.X, "X")
        early_X = keep_early_X(frames or {}, series)
        return cls(series, early_X, _last_times(series), columns, list(y.index.names), y.columns)

    def extend(self, y: pd.DataFrame, X: pd.DataFrame | None) -> "History":
        """Return the history with more rows, or with more series."""
        self._check_index_levels(y, "y")
        frames = self._combine_with_early_X(X)
        new = split_series(self.columns.reorder_y(y), frames)
        changed = {key: merge_rows(self.series[key], one, key) for key, one in new.items() if key in self.series}
        added = {key: one for key, one in new.items() if key not in self.series}
        if added:
            changed |= prepare_series(added, self.columns.y, like=self.longest().index)
        series = self.series | changed
        early_X = self.early_X if frames is None else keep_early_X(frames, series)
        return replace(self, series=series, early_X=early_X, cutoffs=self.cutoffs | _last_times(new))

    def _combine_with_early_X(self, X: pd.DataFrame | None) -> dict[SeriesKey, pd.DataFrame] | None:
        """The rows of X of each series, those that were passed early included."""
        frames: dict[SeriesKey, pd.DataFrame] = {}
        if X is not None or not self.early_X:
            X = self.columns.reorder_X(X)
            if X is None:
                return None
            frames = split_frame(X)
        return {
            key: rows
            for key in {**self.early_X, **frames}
            if (rows := combine_rows(self.early_X.get(key), frames.get(key), self.columns.X, key)) is not None
        }

    def with_current_scales(self) -> "History":
        """Return the history with the level and scale of all rows of each series."""
        return replace(self, series={key: one.with_current_scale() for key, one in self.series.items()})

    def longest(self) -> TimeSeries:
        return max(self.series.values(), key=len)

    def until_cutoff(self) -> dict[SeriesKey, TimeSeries]:
        """Each series up to the row that it is forecast from."""
        return {
            key: one if one.index[-1] == self.cutoffs[key] else one.until(self.cutoffs[key])
            for key, one in self.series.items()
        }

    def resolve_fh(self, fh: ForecastingHorizon) -> dict[SeriesKey, tuple[Array, pd.Index]]:
        """Steps and times of a horizon for each series. Series with the same cutoff share the index of future times."""
        resolved: dict[SeriesKey, tuple[Array, pd.Index]] = {}
        shared: dict[Any, tuple[Array, pd.Index]] = {}
        for key, one in self.until_cutoff().items():
            cutoff = one.index[-1], frequency_of(one.index)
            resolved[key] = shared[cutoff] if cutoff in shared else resolve_fh(fh, one.index, describe_series(key))
            if (resolved[key][0] > 0).all():
                shared[cutoff] = resolved[key]
        return resolved

    def X_ahead(
        self, X: pd.DataFrame | None, fh: Mapping[SeriesKey, tuple[Array, pd.Index]], spec: WindowSpec
    ) -> dict[SeriesKey, Array]:
        """X of the rows ahead of each series, as many for each; NaN where no forecast reads it.

        ``fh`` holds the steps and times to forecast. What was passed early is read where ``X`` has no row.
        """
        known_future = list(spec.known_future)
        furthest = max(0, *(int(steps.max()) for steps, _ in fh.values()))
        n_read = {key: count_steps_read(steps, spec.horizon) for key, (steps, _) in fh.items()}
        n_ahead = max(n_read.values()) if known_future else -(-furthest // spec.horizon) * spec.horizon
        frames: dict[SeriesKey, pd.DataFrame] = {}
        if X is not None and known_future:
            self._check_index_levels(X, "X")
            frames = split_frame(self.columns.reorder_future_X(X, spec.known_future))
        X_ahead = {}
        for key, one in self.until_cutoff().items():
            X_ahead[key] = np.full((n_ahead, len(self.columns.X)), np.nan)
            if known_future and n_read[key]:
                rows = combine_rows(self._X_after_cutoff(key), frames.get(key), self.columns.X, key)
                ahead = times_after(one.index, n_read[key])
                values = values_of_future_X(rows, fh[key][1], ahead, spec.horizon, key)
                X_ahead[key][: len(values), known_future] = values[:, known_future]
        return X_ahead

    def _X_after_cutoff(self, key: SeriesKey) -> EarlyX | None:
        """The known rows of X after the row that a series is forecast from, and the early ones."""
        one, early = self.series[key], self.early_X.get(key)
        n_known = int(one.index.searchsorted(self.cutoffs[key], side="right"))
        if n_known == len(one):
            return early
        known = EarlyX(one.index[n_known:], one.X[n_known:])
        if early is None:
            return known
        return EarlyX(known.times.append(early.times), np.concatenate([known.values, early.values]))

    def in_order_of_y(self, values: Array) -> Array:
        """Bring channels from the order of the networks into that of the user's y."""
        return values[:, np.argsort(self.columns.positions_in_y(self.y_columns))]

    def _check_index_levels(self, frame: pd.DataFrame, what: str) -> None:
        """A single series can't be continued by a panel, nor a panel by a hierarchy."""
        if frame.index.nlevels != len(self.index_names):
            raise TypeError(
                f"{what} has an index of {frame.index.nlevels} level(s), but the forecaster was fitted to one of "
                f"{len(self.index_names)}. Pass the same kind: a series, or a panel with the same levels."
            )


def _last_times(series: Mapping[SeriesKey, TimeSeries]) -> dict[SeriesKey, Any]:
    return {key: one.index[-1] for key, one in series.items()}
