"""Series with gaps: what stands around a missing value, and how values are hidden to learn from them."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# Hidden in each column, at least and at most, beside what is missing anyway.
_LEAST_HIDDEN, _MOST_HIDDEN = 0.05, 0.25


@dataclass(frozen=True)
class Series:
    """Series laid end to end, NaN where a value is missing; ``first`` and ``end`` bound each row's own series."""

    values: Array
    calendar: Array
    lengths: NDArray[np.intp]

    @property
    def first(self) -> NDArray[np.intp]:
        return np.repeat(np.cumsum(self.lengths) - self.lengths, self.lengths)

    @property
    def end(self) -> NDArray[np.intp]:
        return np.repeat(np.cumsum(self.lengths), self.lengths)

    def repeated(self, times: int) -> "Series":
        """The same series, so many times after each other."""
        return Series(
            np.tile(self.values, (times, 1)), np.tile(self.calendar, (times, 1)), np.tile(self.lengths, times)
        )

    def split(self, row: int) -> tuple["Series", "Series"]:
        """The rows before one, and those from it on; a series that lies on both sides becomes two."""
        ends = np.cumsum(self.lengths)
        before = np.clip(row - (ends - self.lengths), 0, self.lengths)
        parts = (slice(None, row), before), (slice(row, None), self.lengths - before)
        old, new = (Series(self.values[rows], self.calendar[rows], n[n > 0]) for rows, n in parts)
        return old, new


class Surroundings(NamedTuple):
    """What is known of each value from others: a bridge over the gap, and how many rows away its ends are."""

    bridge: Array
    before: Array
    after: Array


def look_around(series: Series, visible: Array, fallback: Array, *, ahead: bool) -> Surroundings:
    """Bridge what is not visible along a straight line or, without looking ahead, with the last visible value.

    Visible values are bridged by themselves. Where a series shows none on either side the fallback of the column stands,
    and the distance is infinite.
    """
    n_rows = len(visible)
    rows = np.arange(n_rows)[:, np.newaxis]
    last = np.maximum.accumulate(np.where(visible, rows, -1), axis=0)
    has_last = last >= series.first[:, np.newaxis]
    before = np.where(has_last, rows - last, np.inf)
    next_ = np.minimum.accumulate(np.where(visible, rows, n_rows)[::-1], axis=0)[::-1]
    has_next = (next_ < series.end[:, np.newaxis]) if ahead else visible
    after = np.where(has_next, next_ - rows, np.inf)
    column = np.arange(visible.shape[1])
    left = np.where(has_last, series.values[np.maximum(last, 0), column], fallback)
    right = np.where(has_next, series.values[np.minimum(next_, n_rows - 1), column], left)
    left = np.where(has_last, left, right)
    inside = has_last & has_next & ~visible
    share = np.divide(before, before + after, out=np.zeros(before.shape), where=inside)
    # A visible value is its own two neighbours: nothing is added to it.
    return Surroundings(np.where(inside, left + share * (right - left), left), before, after)


@dataclass(frozen=True)
class Hiding:
    """Draws what to hide: gaps as long as those that are there, and others of any length up to ``longest``."""

    gap_lengths: NDArray[np.intp]
    longest: int

    @classmethod
    def like(cls, lengths: NDArray[np.intp], longest: int) -> "Hiding":
        return cls(np.minimum(lengths, 2 * longest), longest)

    def draw(self, missing: Array, rng: np.random.Generator) -> Array:
        """Which values to hide, (row, column): in each column by itself, in all at once, or as others are missing."""
        n_rows, n_columns = missing.shape
        share = rng.uniform(_LEAST_HIDDEN, _MOST_HIDDEN)
        kind = rng.integers(3)
        if kind == 0:
            hidden = np.broadcast_to(self._gaps(n_rows, share, rng)[:, np.newaxis], missing.shape)
        else:
            hidden = np.column_stack([self._gaps(n_rows, share, rng) for _ in range(n_columns)])
        if kind == 2:
            # Columns that fail together do so elsewhere too.
            hidden = hidden | np.roll(missing, rng.integers(n_rows), axis=0)
        return hidden & ~missing

    def _gaps(self, n_rows: int, share: float, rng: np.random.Generator) -> Array:
        lengths = np.exp(rng.uniform(0, np.log(self.longest + 1), size=64)).astype(np.intp)
        if len(self.gap_lengths):
            lengths[::2] = rng.choice(self.gap_lengths, size=32)
        n_gaps = max(1, round(share * n_rows / lengths.mean()))
        lengths = rng.choice(lengths, size=n_gaps)
        starts = rng.integers(n_rows, size=n_gaps)
        edges = np.bincount(starts, minlength=n_rows + 1) - np.bincount(
            np.minimum(starts + lengths, n_rows), minlength=n_rows + 1
        )
        covered: Array = np.cumsum(edges[:-1]) > 0
        return covered


def gap_lengths(missing: Array, series: Series) -> NDArray[np.intp]:
    """How long each gap of each column is; one that goes on in the next series is cut at its end."""
    starts_series = np.arange(len(missing)) == series.first
    lengths = []
    for column in missing.T:
        begins = column & (np.concatenate([[True], ~column[:-1]]) | starts_series)
        ends = column & np.concatenate([~column[1:] | starts_series[1:], [True]])
        lengths.append(np.flatnonzero(ends) - np.flatnonzero(begins) + 1)
    return np.concatenate(lengths).astype(np.intp)


class Segments(NamedTuple):
    """Parts of series that are read at once: their rows, ``(segment, step)``, and how many of these are real."""

    rows: NDArray[np.intp]
    lengths: NDArray[np.intp]

    @classmethod
    def of(cls, starts: Array, lengths: Array) -> "Segments":
        steps = np.arange(lengths.max(initial=1))
        # Behind the end of a short segment its last row stands, which is never read.
        return cls(starts[:, np.newaxis] + np.minimum(steps, lengths[:, np.newaxis] - 1), lengths)

    def take(self, chosen: Any) -> "Segments":
        lengths = self.lengths[chosen]
        return Segments(self.rows[chosen][:, : lengths.max(initial=1)], lengths)

    @property
    def is_real(self) -> Array:
        real: Array = np.arange(self.rows.shape[1]) < self.lengths[:, np.newaxis]
        return real


def count_segments(lengths: NDArray[np.intp], window: int) -> int:
    """How many segments show every row about once."""
    return int(np.sum(-(-lengths // window)))


def draw_segments(lengths: NDArray[np.intp], window: int, rng: np.random.Generator) -> Segments:
    """Segments that show every row about once, the ends of the series too, in random order."""
    counts = -(-lengths // window)
    owner = np.repeat(np.arange(len(lengths)), counts)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts) + rng.random(len(owner))
    starts = np.round(lengths[owner] * place / counts[owner] - window / 2)
    starts = np.clip(starts, 0, np.maximum(lengths[owner] - window, 0)).astype(np.intp)
    starts += (np.cumsum(lengths) - lengths)[owner]
    order = rng.permutation(len(owner))
    return Segments.of(starts[order], np.minimum(lengths, window)[owner][order])


class Tiling(NamedTuple):
    """Overlapping segments, and the part of each, from one step up to another, that its answers are taken from."""

    segments: Segments
    begin: NDArray[np.intp]
    stop: NDArray[np.intp]


def tile(lengths: NDArray[np.intp], window: int, *, ahead: bool) -> Tiling:
    """Cover series with segments so that each row has rows before it and, looking ahead, after it.

    Where a segment begins does not depend on how long the series is.
    """
    hop = max(1, window // 2)
    counts = np.maximum(1, -(-(lengths - window) // hop) + 1)
    owner = np.repeat(np.arange(len(lengths)), counts)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    own_length = np.minimum(window, lengths[owner] - place * hop)
    lead = (window - hop) // 2 if ahead else window - hop
    begin = np.where(place == 0, 0, lead)
    stop = np.where(place == counts[owner] - 1, own_length, lead + hop)
    starts = (np.cumsum(lengths) - lengths)[owner] + place * hop
    return Tiling(Segments.of(starts, own_length), begin, stop)
