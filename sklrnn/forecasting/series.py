"""Many series as columns: the rows of one after the other, read from frames, extended, and stacked for a network."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklrnn.forecasting.panel_rows import PanelRows, SeriesKey, describe_series, reach, stretches, to_times
from sklrnn.forecasting.plain_values import SavedAsPlainValues
from sklrnn.forecasting.row_statistics import (
    fill_forward,
    first_known,
    level_and_scale,
    naive_errors,
)
from sklrnn.forecasting.series_times import SeriesTimes, regular_times
from sklrnn.forecasting.windows import StackedSeries
from sklrnn.inputs.magnitudes import check_magnitude, check_single_precision

Array = NDArray[Any]


@dataclass(frozen=True)
class SeriesTable(SavedAsPlainValues):
    """The known rows of all series: ``y`` of shape (row, channel) and ``X`` of shape (row, column).

    The series, which ``keys`` names (None for a single series), lie one after the other, as long as ``times`` says.
    ``level`` and ``scale``, (series, channel), are the mean and standard deviation of the rows that were known when
    the networks were last trained on a series: the input for a row must not depend on later rows.
    """

    keys: pd.Index | None
    times: SeriesTimes
    y: Array
    X: Array
    level: Array
    scale: Array

    @classmethod
    def of(
        cls, rows: PanelRows, y: Array, X: Array, channels: tuple[Hashable, ...], like: SeriesTimes | None = None
    ) -> "SeriesTable":
        """Series that are read for the first time: their times must be regular, and a value of each be known."""
        _check_known(rows, y, channels)
        times = regular_times(rows, like)
        no_scales = np.zeros((len(rows), y.shape[1]))
        return cls(rows.keys, times, y, X, no_scales, no_scales).with_current_scales()

    def __len__(self) -> int:
        return len(self.times)

    @property
    def lengths(self) -> Array:
        return self.times.n_rows

    @property
    def offsets(self) -> Array:
        """Where the rows of each series start; the last number is where those of the last one end."""
        return np.concatenate([[0], np.cumsum(self.lengths)])

    def key(self, number: int) -> SeriesKey:
        return None if self.keys is None else self.keys[number]

    def describe(self, number: int) -> str:
        return describe_series(self.key(number))

    def with_current_scales(self) -> "SeriesTable":
        """The same series with the level and scale of all their rows."""
        filled, offsets = fill_forward(self.y, self.offsets), self.offsets
        check_magnitude("y", max(filled.max(), -filled.min()))
        level, scale = level_and_scale(filled, offsets)
        return replace(self, level=level, scale=scale)

    def take(self, ids: Array, n_rows: Array | None = None) -> "SeriesTable":
        """Some of the series, or their first rows."""
        offsets, lengths = self.offsets, self.lengths[ids] if n_rows is None else n_rows
        times = replace(self.times.take(ids), n_rows=lengths)
        keys = None if self.keys is None else self.keys[ids]
        rows: Any = stretches(offsets[ids], lengths)
        if len(rows) and rows[-1] - rows[0] == len(rows) - 1 and (np.diff(ids) == 1).all():
            rows = slice(int(rows[0]), int(rows[-1]) + 1)
        return SeriesTable(keys, times, self.y[rows], self.X[rows], self.level[ids], self.scale[ids])

    def stack(self, *, sp: int, X_ahead: Array | None = None) -> StackedSeries:
        """All rows, each series followed by future ones: their y is NaN, their X, (series, row, column), given."""
        offsets, n_series, n_ahead = self.offsets, len(self), 0 if X_ahead is None else X_ahead.shape[1]
        known, filled = ~np.isnan(self.y), fill_forward(self.y, offsets)
        first, errors = first_known(known, offsets), naive_errors(filled, offsets, sp)
        ends = offsets[1:] + n_ahead * np.arange(1, n_series + 1)
        starts = ends - n_ahead - self.lengths
        X = self.X
        if X_ahead is not None and n_ahead:
            rows = stretches(starts, self.lengths)
            X = _spread(X, rows, ends[-1], np.nan)
            X[stretches(ends - n_ahead, np.full(n_series, n_ahead))] = np.concatenate(X_ahead)
            known, filled = _spread(known, rows, ends[-1], False), _spread(filled, rows, ends[-1], np.nan)
        X = fill_forward(X, np.append(starts, ends[-1]))
        return StackedSeries(
            filled, known, X, starts, ends, starts[:, np.newaxis] + first, self.level, self.scale, errors
        )


def _spread(values: Array, rows: Array, n_rows: int, fill: Any) -> Array:
    spread = np.full((n_rows, values.shape[1]), fill, dtype=values.dtype)
    spread[rows] = values
    return spread


# -- reading ---------------------------------------------------------------------------------------------------------


def read_values(frame: pd.DataFrame, rows: PanelRows) -> Array:
    """The values as floats in the order of the series; missing ones become NaN, infinite ones are an error."""
    values = rows.in_order(to_floats(frame))
    # Not the memory of the user's frame.
    return np.array(values, order="C") if rows.order is None else np.ascontiguousarray(values)


def to_floats(frame: pd.DataFrame) -> Array:
    """The values as floats; missing ones become NaN."""
    return np.asarray(frame.to_numpy(dtype=np.float64, na_value=np.nan))


def check_finite(values: Array, rows: PanelRows, names: pd.Index, *, of: str = "") -> None:
    """Check that no value of a table, which an error names, is infinite."""
    is_infinite = np.isinf(values)
    if not is_infinite.any():
        return
    row, column = (int(place) for place in np.argwhere(is_infinite)[0])
    whose = f"{of}{describe_series(rows.key(int(np.searchsorted(rows.offsets, row, side='right')) - 1))}"
    time = to_times(rows.ordinals(slice(row, row + 1)), rows.kind)[0]
    raise ValueError(f"{whose} is infinite at {time} in column {names[column]!r}. Put NaN where a value is unknown.")


def _check_known(rows: PanelRows, y: Array, channels: tuple[Hashable, ...]) -> None:
    """Check that each series has a known value in each channel."""
    if not len(y):
        raise ValueError("y has no rows. A forecaster needs the history of at least one series.")
    known = np.logical_or.reduceat(~np.isnan(y), rows.offsets[:-1], axis=0)
    if known.all():
        return
    number, channel = (int(place) for place in np.argwhere(~known)[0])
    which = f" in column {channels[channel]!r}" if len(channels) > 1 else ""
    raise ValueError(
        f"{describe_series(rows.key(number))} has {rows.lengths[number]} rows, but no known value{which}. Leave it "
        "out, or fill it."
    )


def check_columns_of_X(values: Array, names: Iterable[Any], whose: str, *, refuse_small: bool = True) -> None:
    """X is not scaled before the network reads it in single precision."""
    for name, largest in zip(names, np.fmax.reduce(np.abs(values), axis=0, initial=0.0), strict=True):
        if largest > 1 or refuse_small:
            check_single_precision(f"column {name!r} of {whose}", largest, "Multiply or divide it by a constant.")


# -- the index of forecasts ------------------------------------------------------------------------------------------


def make_index(keys: pd.Index | None, counts: Any, times: pd.Index, names: list[Any]) -> pd.Index:
    """Make the index of a frame that has so many rows of each series, from the times of all of them."""
    if keys is None:
        return times.rename(names[-1])
    parts = [reach(key) for key in keys]
    levels = [pd.Index([part[level] for part in parts]) for level in range(len(parts[0]))]
    of_series: Any = pd.MultiIndex.from_arrays(levels)
    codes, distinct = times.factorize(sort=True)
    all_levels: list[Any] = [*of_series.levels, distinct]
    all_codes: list[Any] = [*(np.repeat(np.asarray(own), counts) for own in of_series.codes), codes]
    return pd.MultiIndex(levels=all_levels, codes=all_codes, names=names, verify_integrity=False)
