"""Rows of X by series and time: those of y, and those after the end of a series, which a forecast may read."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklrnn.forecasting.panel_rows import NO_TIME, PanelRows, SeriesKey, describe_series, find_keys, to_times
from sklrnn.forecasting.plain_values import SavedAsPlainValues
from sklrnn.forecasting.series import SeriesTable, check_finite, to_floats

Array = NDArray[Any]

# An error lists at most so many stretches of missing times.
_MOST_STRETCHES = 10


@dataclass(frozen=True)
class RowsOfX(SavedAsPlainValues):
    """Rows of X, sorted by the number of their series, then by time."""

    series: Array
    ordinals: Array
    values: Array

    @classmethod
    def empty(cls, n_columns: int) -> "RowsOfX":
        return cls(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, n_columns)))

    @classmethod
    def read(cls, X: pd.DataFrame, keys: pd.Index | None, kind: pd.Index) -> "RowsOfX":
        """The rows of X of the series with these keys, whose times are of this kind; other rows are left out."""
        rows = PanelRows.of(X.index)
        numbers = find_keys(rows.keys, keys)
        series = np.repeat(numbers, rows.lengths)
        ordinals, values = rows.ordinals_in(kind), rows.in_order(to_floats(X))
        chosen = np.flatnonzero((series >= 0) & (ordinals != NO_TIME))
        order = chosen[np.lexsort([ordinals[chosen], series[chosen]])]
        return cls(series[order], ordinals[order], values[order])

    def __len__(self) -> int:
        return len(self.series)

    def check_unique(self, keys: pd.Index | None, kind: pd.Index) -> None:
        """Check that no time of a series has two rows."""
        again = (np.diff(self.series) == 0) & (np.diff(self.ordinals) == 0)
        if again.any():
            row = int(np.argmax(again))
            key = None if keys is None else keys[self.series[row]]
            raise ValueError(
                f"X of {describe_series(key)} must have one row at each time, but "
                f"{to_times(self.ordinals[row : row + 1], kind)[0]} is there more than once."
            )

    def find(self, series: Array, ordinals: Array) -> Array:
        """The numbers of the rows of these series and times; -1 where there is none."""
        if not len(self):
            return np.full(len(series), -1)
        distinct = np.unique(self.ordinals)
        own = self.series * len(distinct) + np.searchsorted(distinct, self.ordinals)
        ranks = np.minimum(np.searchsorted(distinct, ordinals), len(distinct) - 1)
        wanted = series * len(distinct) + ranks
        places = np.minimum(np.searchsorted(own, wanted), len(own) - 1)
        return np.where((own[places] == wanted) & (distinct[ranks] == ordinals), places, -1)

    def where(self, chosen: Array) -> "RowsOfX":
        """The chosen rows."""
        return RowsOfX(self.series[chosen], self.ordinals[chosen], self.values[chosen])

    def updated_by(self, newer: "RowsOfX") -> "RowsOfX":
        """These rows and newer ones, which replace those with the same time."""
        kept = self.where(newer.find(self.series, self.ordinals) < 0)
        parts = [np.concatenate(pair) for pair in zip(_columns(kept), _columns(newer), strict=True)]
        order = np.lexsort([parts[1], parts[0]])
        return RowsOfX(*(part[order] for part in parts))


def _columns(rows: RowsOfX) -> tuple[Array, Array, Array]:
    return rows.series, rows.ordinals, rows.values


# -- X of the rows of y ----------------------------------------------------------------------------------------------


def align_X(X: RowsOfX, rows: PanelRows, numbers: Array, kind: pd.Index, names: pd.Index) -> Array:
    """The values of X at the rows of y, whose series have these numbers in X: every row of y must have one."""
    ordinals, own = rows.ordinals_in(kind), np.repeat(np.arange(len(rows)), rows.lengths)
    positions = X.find(numbers[own], ordinals)
    if (positions < 0).any():
        number = int(own[np.argmax(positions < 0)])
        if rows.keys is not None and numbers[number] not in X.series:
            raise ValueError(f"X has no rows for the series {rows.key(number)!r}. X must cover every row of y.")
        times = rows.times_of(number)[positions[own == number] < 0]
        raise ValueError(
            f"X must have a row for every row of y, but {len(times)} are missing, the first at {times.min()}. "
            "Pass an X with the index of y."
        )
    values = X.values[positions]
    check_finite(values, rows, names, of="X of ")
    return values


# -- X of the rows ahead ---------------------------------------------------------------------------------------------


def rows_after(X: RowsOfX, table: SeriesTable) -> RowsOfX:
    """The rows of X after the end of each series."""
    last = table.times.ordinals_at(np.arange(len(table)), table.lengths - 1)
    return X.where(X.ordinals > last[X.series])


def count_steps_read(steps: Array, horizon: int) -> Array:
    """How many rows of X after the end of each series its forecasts, of the steps (series, step), read.

    The networks read X of all steps that they predict at once, also where fewer of them are asked for. A forecast of a
    known row reads X from this row on.
    """
    ahead = np.maximum(0, steps.max(axis=1, initial=0))
    known = np.where(steps <= 0, steps, -horizon).max(axis=1, initial=-horizon)
    return np.asarray(np.maximum(-(-ahead // horizon) * horizon, known + horizon - 1))


def describe_missing(missing: Array, asked: pd.Index, ahead: pd.Index, horizon: int, key: SeriesKey) -> str:
    """Say which rows of X a forecast needs that are not there."""
    stretches = np.split(missing, np.flatnonzero(np.diff(missing) > 1) + 1)
    listed = [
        f"{ahead[part[0]]}" if len(part) == 1 else f"{ahead[part[0]]} to {ahead[part[-1]]} ({len(part)} rows)"
        for part in stretches[:_MOST_STRETCHES]
    ]
    if len(stretches) > _MOST_STRETCHES:
        listed.append(f"and more up to {ahead[missing[-1]]} ({len(missing)} rows in all)")
    message = (
        f"The forecast of {describe_series(key)} for {_describe_range(asked)} needs the future of X up to {ahead[-1]}, "
        f"but there is no row of X for {', '.join(listed)}. Pass X for these times to predict, or say with future_X "
        "which columns are known in the future."
    )
    if ahead[-1] <= asked.max():
        return message
    return (
        f"{message} The networks predict {horizon} steps at once, and read X for all of them: with another fh in fit "
        'they predict fewer; with strategy="recursive" no forecast reads X beyond its own time.'
    )


def _describe_range(times: pd.Index) -> str:
    first, last = times.min(), times.max()
    return f"{first}" if first == last else f"{first} to {last}"
