"""The algebra of time indexes: does one row follow another, and how many steps lie between them?

Times are numpy arrays here (UTC stamps, durations, the ordinals of periods, numbers). A ``Clock`` learned from the
training rows gives rows their integer positions; two rows stand next to each other when their positions differ by one.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["Clock", "Times", "check_increasing", "learn_clock", "read_series", "read_times"]

Array = NDArray[Any]

# More steps than any window is long: where the clock sees a break, no window reaches across.
FAR = 2**40
# A piece of a series that is long enough to tell its frequency; the whole is then checked against it.
_ENOUGH = 1000
_MOST_HOLES = 8
_SHORT = 12
# A late stamp spoils two distances, the one to it and the one from it.
_MOSTLY = 0.9


class Times(NamedTuple):
    """The times of some rows; two of them can be compared when they are of the same kind."""

    values: Array
    kind: str
    freq: Any = None
    tz: Any = None
    labels: Any = None

    def at(self, rows: Any) -> "Times":
        """Take the times of some of the rows."""
        return self._replace(values=self.values[rows], labels=None if self.labels is None else self.labels[rows])


def read_times(labels: Any) -> Times | None:
    """Read times from a pandas index or a column; None where the labels are no times (text, categories)."""
    index = labels if isinstance(labels, pd.Index) else pd.Index(labels)
    if index.dtype == object:  # an array that also holds text, or a frame made row by row
        index = index.infer_objects()
    if index.hasnans:
        raise ValueError(f"Every row needs a time, but row {int(np.argmax(index.isna()))} has none. Drop the row.")
    if isinstance(index, pd.DatetimeIndex):
        kind = "stamps" if index.tz is None else "stamps with a time zone"
        return Times(index.asi8.view(f"M8[{index.unit}]"), kind, index.freq, index.tz, index)
    if isinstance(index, pd.TimedeltaIndex):
        return Times(index.to_numpy(), "durations", index.freq, None, index)
    if isinstance(index, pd.PeriodIndex):
        return Times(index.asi8, f"periods of {index.freqstr}", index.freq, None, index)
    if pd.api.types.is_integer_dtype(index.dtype):
        return Times(index.to_numpy(dtype=np.int64), "numbers", None, None, index)
    if pd.api.types.is_float_dtype(index.dtype):
        values = index.to_numpy(dtype=np.float64)
        whole = bool((np.rint(values) == values).all() and (np.abs(values) < 2**53).all())
        return Times(values.astype(np.int64) if whole else values, "numbers", None, None, index)
    return None


def read_series(labels: Any, entities: Sequence[tuple[Hashable, Any]], table: str = "X") -> list[Times]:
    """Read the times of each series, given as ``(name, rows)``, and check their order; empty without times."""
    times = None if labels is None else read_times(labels)
    if times is None:
        return []
    series = [times.at(rows) for _, rows in entities]
    for (name, rows), own in zip(entities, series, strict=True):
        what = f"The rows of {table if name is None else repr(name)}"
        check_increasing(own, None if name is None else rows, what)
    return series


def check_increasing(times: Times, rows: Array | None = None, what: str = "The rows of X") -> None:
    """Raise, naming the rows, where a time repeats or goes backwards; ``rows`` numbers them as the user does."""
    wrong = times.values[1:] <= times.values[:-1]
    if not wrong.any():
        return
    late = int(np.argmax(wrong)) + 1
    stamps = times.values if times.labels is None else times.labels
    before, after = (late - 1, late) if rows is None else (int(rows[late - 1]), int(rows[late]))
    if times.values[late] == times.values[late - 1]:
        raise ValueError(
            f"{what} need a time each, but rows {before} and {after} both stand at {stamps[late]}. Drop one of them, "
            "or tell the series of a panel apart with groups='column' or a MultiIndex whose last level is time."
        )
    raise ValueError(
        f"{what} must be in the order of time, but row {after} ({stamps[late]}) comes before row {before} "
        f"({stamps[late - 1]}). Sort them first, as in X.sort_index(), and split them without shuffling "
        "(HalvingGridSearchCV shuffles unless its resource is a parameter, such as max_epochs)."
    )


@dataclass(frozen=True)
class Clock:
    """What one step of time is: a fixed ``step``, a calendar ``freq`` such as month ends, or neither.

    With neither, rows follow each other as they come, unless they are far more apart than rows in training ever were.
    """

    kind: str
    tz: Any = None
    step: Any = None
    freq: Any = None
    longest: Any = None

    def positions(self, values: Array) -> Array:
        """Number increasing times by steps: rows that follow on directly differ by one."""
        on_grid = self.on_grid(values)
        if on_grid is not None:
            return on_grid
        jumps = np.diff(values)
        steps = np.ones(len(jumps), dtype=np.int64)
        if self.freq is not None:
            steps = np.maximum(steps, self._calendar_steps(values))
        elif self.step is not None:
            # A stamp off the grid must not move the others: each stands by its distance to the one before.
            steps = np.maximum(steps, np.rint(jumps / self.step).astype(np.int64))
        elif self.longest is not None:
            # Later rows may be a little slower than those in training; a gap is another matter.
            steps[jumps > 2 * self.longest] = FAR
        return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(steps)])

    def on_grid(self, values: Array) -> Array | None:
        """Number times by their true distance, or None where one of them is off the grid."""
        if self.freq is not None:
            return self._on_calendar(values)
        if self.step is None:
            return None
        elapsed = values - values[0]
        if elapsed.dtype.kind == "f" or isinstance(self.step, float):
            exact = elapsed / self.step
            nearest = np.rint(exact)
            # Clocks that count in floats are rarely exact: a hundredth of a step is forgiven.
            return nearest.astype(np.int64) if (np.abs(exact - nearest) < 0.01).all() else None
        step = self.step
        if elapsed.dtype.kind == "m" and step.astype(elapsed.dtype) == step:
            # The finer unit of the two would overflow for series of centuries.
            step = step.astype(elapsed.dtype)
        steps, rest = np.divmod(elapsed, step)
        return None if rest.any() else steps

    def nearly_fits(self, values: Array) -> bool:
        """Tell whether times keep a fixed step but for a few that are late or early."""
        if self.step is None or len(values) < _SHORT:
            return False
        steps = np.diff(values) / self.step
        return bool((np.abs(steps - np.rint(steps)) < 0.01).mean() >= _MOSTLY)

    def _calendar_steps(self, values: Array) -> Array:
        """Count the days of the calendar from each time to the next, each taken for the nearest one."""
        stamps = _in_zone(values, self.tz).tz_localize(None)
        grid = _calendar(stamps[0], stamps[-1], self.freq)
        middles = grid[:-1] + np.diff(grid) / 2
        return np.diff(np.searchsorted(middles, stamps.to_numpy(), side="right"))

    def _on_calendar(self, values: Array) -> Array | None:
        stamps = _in_zone(values, self.tz).tz_localize(None)
        grid = _calendar(stamps[0], stamps[-1], self.freq)
        if not len(grid):
            return None
        steps = np.minimum(np.searchsorted(grid, stamps.to_numpy()), len(grid) - 1)
        return steps if (grid[steps] == stamps.to_numpy()).all() else None


@lru_cache(maxsize=16)  # the entities of a panel mostly share their first and last stamp
def _calendar(first: Any, last: Any, freq: Any) -> Array:
    return pd.date_range(first, last, freq=freq).to_numpy()


def learn_clock(series: Sequence[Times], *, sure: bool = False) -> Clock:
    """Learn from the training rows, one or many series of one kind of time, what a step is.

    ``sure`` says that the user named these as times, so that numbers are no mere row numbers.
    """
    model = max(series, key=lambda times: len(times.values))
    jumps = [np.diff(times.values).max() for times in series if len(times.values) > 1]
    unknown = Clock(model.kind, model.tz, longest=max(jumps, default=None))
    if not sure and _are_row_numbers(series):
        return unknown
    for step, freq in _guesses(model):
        clock = replace(unknown, step=step, freq=freq)
        if clock.on_grid(model.values) is not None or clock.nearly_fits(model.values):
            return clock
    return unknown


def _are_row_numbers(series: Sequence[Times]) -> bool:
    """Numbers that no two rows of a panel share count its rows: they tell an order, no distance in time."""
    if len(series) == 1 or series[0].kind != "numbers":
        return False
    values = np.concatenate([times.values for times in series])
    return len(np.unique(values)) == len(values)


def _guesses(times: Times) -> Iterator[tuple[Any, Any]]:
    """Yield what a step may be, ``(step, freq)``, the most trustworthy first."""
    if times.kind.startswith("periods"):
        yield times.freq.n, None
        return
    if times.freq is not None:
        yield _spell_out(times.freq, times.tz)
    if times.kind.startswith("stamps"):
        for piece in _unbroken_pieces(times.values):
            freq = pd.infer_freq(_in_zone(piece, times.tz)) if len(piece) > 2 else None
            if freq is not None:
                yield _spell_out(pd.tseries.frequencies.to_offset(freq), times.tz)
    step = _common_step(times.values)
    if step is not None:
        yield step, None


def _spell_out(freq: Any, tz: Any) -> tuple[Any, Any]:
    """Turn an offset into a fixed step where it is one: days in a time zone are not all of one length."""
    if isinstance(freq, pd.offsets.Day):
        return (np.timedelta64(freq.n, "D"), None) if tz is None else (None, freq.freqstr)
    if isinstance(freq, pd.offsets.Tick):
        return np.timedelta64(freq.nanos, "ns"), None
    # A name is the simpler thing to store, but a custom calendar is more than its name.
    lossless = pd.tseries.frequencies.to_offset(freq.freqstr) == freq
    return None, freq.freqstr if lossless else freq


def _unbroken_pieces(values: Array) -> Iterator[Array]:
    """Yield the whole, then the longest piece after cutting at the longest jump, at the two longest, and so on.

    pandas infers no frequency for a series with a hole, and the training rows around a test fold have one.
    """
    yield values[:_ENOUGH]
    longest_first = np.argsort(np.diff(values))[::-1][:_MOST_HOLES]
    for n_holes in range(1, len(longest_first) + 1):
        pieces = np.split(values, np.sort(longest_first[:n_holes]) + 1)
        yield max(pieces, key=len)[:_ENOUGH]
    # Where holes are many (bank holidays among business days), some short piece has none. Twelve rows are more than a
    # working week, which alone would pass for days.
    for start in range(0, min(len(values) - _SHORT, _ENOUGH), _SHORT // 2):
        yield values[start : start + _SHORT]


def _common_step(values: Array) -> Any:
    """Give the largest step that all distances are multiples of, if it is what rows typically are apart."""
    jumps = np.diff(values)
    if not len(jumps):
        return 1 if values.dtype.kind == "i" else None
    if values.dtype.kind == "f":
        return float(np.median(jumps))
    step = np.gcd.reduce(np.unique(jumps.astype(np.int64)))
    # Seconds since 1970 have a common step of one, which says nothing about readings that are hours apart.
    if np.median(jumps.astype(np.int64)) > 2 * step:
        return None
    return int(step) if jumps.dtype.kind == "i" else step.astype(jumps.dtype)


def _in_zone(values: Array, tz: Any) -> Any:
    stamps = pd.DatetimeIndex(values)
    return stamps if tz is None else stamps.tz_localize("UTC").tz_convert(tz)
