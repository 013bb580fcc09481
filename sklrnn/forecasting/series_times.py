"""The times of many regular series as numbers: for each the first, how many there are, and the grid they lie on."""

import itertools
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklrnn.forecasting.fh_index import time_range, with_frequency
from sklrnn.forecasting.panel_rows import NO_TIME, PanelRows, describe_series, ordinals_of, stretches, to_times
from sklrnn.forecasting.plain_values import SavedAsPlainValues
from sklrnn.timeline.time_index import frequency_of

Array = NDArray[Any]

# Rows whose times are compared at once.
_BLOCK_SIZE = 2**20
_NANOSECONDS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
_DAY = 24 * 60 * 60 * 10**9


@dataclass(frozen=True)
class Grid(SavedAsPlainValues):
    """Times that are one step apart, of a fixed length (whatever the first is) or by a calendar such as month ends.

    ``start`` is one of the times, as an index with the frequency. ``step`` is None for a calendar.
    """

    start: pd.Index
    step: int | None

    @classmethod
    def of(cls, index: pd.Index) -> "Grid":
        """The grid of an index with its frequency."""
        if isinstance(index, pd.PeriodIndex):
            freq: Any = index.freq
            return cls(index[:1], int(freq.n))
        if isinstance(index, pd.DatetimeIndex):
            return cls(index[:1], _fixed_step(index))
        return cls(index[:1], int(frequency_of(index)))

    def steps_between(self, first: Array, ordinals: Array) -> tuple[Array, Array]:
        """Steps from first times, which lie on the grid, to others, and whether these lie on it too."""
        if self.step is not None:
            steps, rest = np.divmod(ordinals - first, self.step)
            return steps, rest == 0
        calendar = self._calendar(min(first.min(), ordinals.min()), max(first.max(), ordinals.max()))
        places = np.minimum(np.searchsorted(calendar, ordinals), len(calendar) - 1)
        return places - np.searchsorted(calendar, first), calendar[places] == ordinals

    def ordinals_at(self, first: Array, steps: Array) -> Array:
        """The times that lie some steps after first ones."""
        if self.step is not None:
            return first + steps * self.step
        calendar = self._calendar(first.min(), first.max(), int(np.abs(steps).max(initial=0)))
        times: Array = calendar[np.searchsorted(calendar, first) + steps]
        return times

    def contains(self, first: Array) -> Array:
        """Whether a series may start at these times."""
        if self.step is not None:
            return first > NO_TIME
        known = np.where(first > NO_TIME, first, ordinals_of(self.start)[0])
        return self.steps_between(ordinals_of(self.start)[:1], known)[1] & (first > NO_TIME)

    def _calendar(self, low: int, high: int, n_more: int = 0) -> Array:
        """All times from the lower to the higher, and more on both sides if they are asked for."""
        start: Any = self.start
        ends = to_times(np.array([low, high]), start)
        return _calendar(start[0], start.freq, start.unit, ends[0], ends[1], n_more)


def _fixed_step(index: pd.DatetimeIndex) -> int | None:
    freq: Any = index.freq
    if isinstance(freq, pd.offsets.Tick):
        length = freq.nanos
    elif isinstance(freq, pd.offsets.Day) and index.tz is None:
        length = freq.n * _DAY
    else:
        return None
    step, rest = divmod(length, _NANOSECONDS[index.unit])
    return None if rest else int(step)


@lru_cache(maxsize=32)
def _calendar(start: Any, freq: Any, unit: Any, low: Any, high: Any, n_more: int) -> Array:
    before, after = (
        len(pd.date_range(*ends, freq=freq)) if ends[0] < ends[1] else 0 for ends in ((low, start), (start, high))
    )
    backwards = pd.date_range(end=start, periods=before + n_more + 1, freq=freq)
    forwards = pd.date_range(start, periods=after + n_more + 1, freq=freq)
    return np.concatenate([part.as_unit(unit).asi8 for part in (backwards[:-1], forwards)])


@dataclass(frozen=True)
class SeriesTimes(SavedAsPlainValues):
    """The times of series: each starts at ``first`` and has ``n_rows`` of the grid with the number ``grid_ids``."""

    kind: pd.Index
    grids: list[Grid]
    grid_ids: Array
    first: Array
    n_rows: Array

    def __len__(self) -> int:
        return len(self.first)

    def take(self, ids: Array) -> "SeriesTimes":
        """The times of some of the series."""
        return replace(self, grid_ids=self.grid_ids[ids], first=self.first[ids], n_rows=self.n_rows[ids])

    def steps_between(self, ids: Array, ordinals: Array) -> tuple[Array, Array]:
        """Steps from the first row of series to times, and whether the grids have these times."""
        steps, fits = np.zeros(len(ids), dtype=np.int64), np.zeros(len(ids), dtype=bool)
        for grid, chosen in self._by_grid(ids):
            own = chosen & (ordinals != NO_TIME)
            if own.any():
                steps[own], fits[own] = grid.steps_between(self.first[ids[own]], ordinals[own])
        return steps, fits

    def ordinals_at(self, ids: Array, steps: Array) -> Array:
        """The times of series that lie some steps after their first row."""
        ordinals = np.empty(len(ids), dtype=np.int64)
        for grid, chosen in self._by_grid(ids):
            ordinals[chosen] = grid.ordinals_at(self.first[ids[chosen]], steps[chosen])
        return ordinals

    def index_of(self, number: int, n_rows: int | None = None) -> pd.Index:
        """The index of one series, with its frequency."""
        start = to_times(self.first[number : number + 1], self.kind)
        n_rows = int(self.n_rows[number]) if n_rows is None else n_rows
        grid = self.grids[self.grid_ids[number]]
        if isinstance(start, pd.DatetimeIndex | pd.PeriodIndex):
            return time_range(start[0], grid.start, n_rows)
        return pd.RangeIndex(int(start[0]), int(start[0]) + n_rows * int(grid.step or 1), int(grid.step or 1))

    def followed_by(self, others: "SeriesTimes") -> "SeriesTimes":
        """The times of these series, then those of others of the same kind."""
        grids = list(self.grids)
        numbers = np.array([_number_of(grid, grids) for grid in others.grids], dtype=np.int32)
        return SeriesTimes(
            self.kind,
            grids,
            np.concatenate([self.grid_ids, numbers[others.grid_ids]]),
            np.concatenate([self.first, others.first]),
            np.concatenate([self.n_rows, others.n_rows]),
        )

    def _by_grid(self, ids: Array) -> list[tuple[Grid, Array]]:
        numbers = self.grid_ids[ids]
        return [(self.grids[n], numbers == n) for n in np.unique(numbers).tolist()]


def regular_times(rows: PanelRows, like: SeriesTimes | None = None) -> SeriesTimes:
    """The times of all series, which must be regular.

    The frequency of a series that is too short to infer it is that of the longest one, here or in ``like``.
    """
    if like is None:
        longest = int(rows.lengths.argmax())
        index = with_frequency(rows.times_of(longest), whose=describe_series(rows.key(longest)))
    else:
        index = like.index_of(int(like.n_rows.argmax()))
    if not isinstance(index, pd.DatetimeIndex | pd.PeriodIndex):
        return _regular_numbers(rows, index)
    grids, grid_ids = [Grid.of(index)], np.zeros(len(rows), dtype=np.int32)
    others = np.flatnonzero(~_follow(rows, grids[0], index))
    seen: dict[bytes, int] = {}
    for number in others.tolist():
        stretch = rows.ordinals(slice(rows.offsets[number], rows.offsets[number + 1])).tobytes()
        if stretch not in seen:
            own = with_frequency(rows.times_of(number), index, describe_series(rows.key(number)))
            seen[stretch] = _number_of(Grid.of(own), grids)
        grid_ids[number] = seen[stretch]
    return SeriesTimes(rows.kind, grids, grid_ids, rows.ordinals(rows.offsets[:-1]), rows.lengths)


def _regular_numbers(rows: PanelRows, like: pd.Index) -> SeriesTimes:
    """The times of series that are whole numbers: each may have a step of its own."""
    first, lengths = rows.ordinals(rows.offsets[:-1]), rows.lengths
    second = rows.ordinals(np.minimum(rows.offsets[:-1] + 1, rows.offsets[1:] - 1))
    steps = np.where(lengths > 1, second - first, 1)
    is_regular = steps > 0
    for block in _blocks_of_series(rows.offsets):
        ordinals = rows.ordinals(slice(rows.offsets[block.start], rows.offsets[block.stop]))
        expected = _expected(first[block], steps[block], lengths[block])
        is_regular[block] &= _all_of_series(ordinals == expected, lengths[block])
    if not is_regular.all() or not pd.api.types.is_integer_dtype(rows.level.dtype):
        number = int(np.argmin(is_regular))
        with_frequency(rows.times_of(number), like, describe_series(rows.key(number)))
    distinct, grid_ids = np.unique(steps, return_inverse=True)
    grids = [Grid(pd.RangeIndex(0, step, step), step) for step in distinct.tolist()]
    return SeriesTimes(rows.kind, grids, grid_ids.astype(np.int32), first, lengths)


def _follow(rows: PanelRows, grid: Grid, index: pd.Index) -> Array:
    """Whether the rows of each series are one step of the grid apart."""
    own = getattr(rows.level, "freq", None)
    if isinstance(index, pd.DatetimeIndex) and own is not None and own != index.freq:
        return np.zeros(len(rows), dtype=bool)
    first, lengths = rows.ordinals(rows.offsets[:-1]), rows.lengths
    follow = grid.contains(first)
    for block in _blocks_of_series(rows.offsets):
        ordinals = rows.ordinals(slice(rows.offsets[block.start], rows.offsets[block.stop]))
        if not follow[block].all() or (ordinals == NO_TIME).any():
            follow[block] &= _all_of_series(ordinals != NO_TIME, lengths[block])
            ordinals = np.where(np.repeat(follow[block], lengths[block]), ordinals, ordinals_of(grid.start)[0])
        starts = np.where(follow[block], first[block], ordinals_of(grid.start)[0])
        steps, fits = grid.steps_between(np.repeat(starts, lengths[block]), ordinals)
        fits &= steps == stretches(np.zeros_like(lengths[block]), lengths[block])
        follow[block] &= _all_of_series(fits, lengths[block])
    return follow


def _number_of(grid: Grid, grids: list[Grid]) -> int:
    """The number of a grid among those that are known; a new one is added."""
    for number, known in enumerate(grids):
        same = known.step == grid.step and getattr(known.start, "freq", None) == getattr(grid.start, "freq", None)
        if same and known.contains(ordinals_of(grid.start))[0]:
            return number
    grids.append(grid)
    return len(grids) - 1


def _expected(first: Array, steps: Array, lengths: Array) -> Array:
    """Numbers that rise from the first of each series by its step, concatenated."""
    within = stretches(np.zeros_like(lengths), lengths)
    return np.asarray(np.repeat(first, lengths) + within * np.repeat(steps, lengths))


def _all_of_series(holds: Array, lengths: Array) -> Array:
    return np.logical_and.reduceat(holds, np.cumsum(lengths) - lengths)


def _blocks_of_series(offsets: Array) -> list[slice]:
    """Series whose rows are compared at once."""
    cuts = np.searchsorted(offsets, np.arange(_BLOCK_SIZE, offsets[-1], _BLOCK_SIZE))
    bounds = np.unique(np.concatenate([[0], cuts, [len(offsets) - 1]])).tolist()
    return [slice(start, stop) for start, stop in itertools.pairwise(bounds)]
