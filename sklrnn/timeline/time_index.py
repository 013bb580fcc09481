"""Times and frequencies of an index: how many steps lie between two rows?

Times are numpy arrays here (UTC stamps, durations, the ordinals of periods, numbers). A ``TimeGrid`` inferred from the
training rows gives rows integer positions; two rows follow each other when their positions differ by one.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = [
    "TimeGrid",
    "Times",
    "check_increasing",
    "frequency_of",
    "infer_grid",
    "is_regular",
    "read_entity_times",
    "read_times",
]

Array = NDArray[Any]

# More steps than any window is long: no window reaches across a break in the grid.
FAR = 2**40
# A frequency is inferred from so many rows, and then checked against all of them.
_ENOUGH = 1000
_MOST_GAPS = 8
_SHORT = 12
# The share of distances that must be whole steps; a late stamp spoils two, the one to it and the one from it.
_MOSTLY = 0.9


class Times(NamedTuple):
    """The times of some rows; times of the same kind can be compared."""

    values: Array
    kind: str
    freq: Any = None
    tz: Any = None
    labels: Any = None

    def at(self, rows: Any) -> "Times":
        """Take the times of some of the rows."""
        return self._replace(values=self.values[rows], labels=None if self.labels is None else self.labels[rows])


def read_times(labels: Any) -> Times | None:
    """Read times from a pandas index or a column; None where the labels are not times (text, categories)."""
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


def read_entity_times(labels: Any, entities: Sequence[tuple[Hashable, Any]], table: str = "X") -> list[Times]:
    """Read the times of each entity and check their order; give an empty list where the labels are not times."""
    times = None if labels is None else read_times(labels)
    if times is None:
        return []
    series = [times.at(rows) for _, rows in entities]
    for (name, rows), own in zip(entities, series, strict=True):
        what = f"The rows of {table if name is None else repr(name)}"
        check_increasing(own, None if name is None else rows, what)
    return series


def check_increasing(times: Times, rows: Array | None = None, what: str = "The rows of X") -> None:
    """Raise where a time repeats or goes backwards; ``rows`` are the row numbers to name in the error."""
    wrong = times.values[1:] <= times.values[:-1]
    if not wrong.any():
        return
    late = int(np.argmax(wrong)) + 1
    stamps = times.values if times.labels is None else times.labels
    before, after = (late - 1, late) if rows is None else (int(rows[late - 1]), int(rows[late]))
    if_panel = "If these are several series, name them with groups= or a MultiIndex whose last level is time."
    if times.values[late] == times.values[late - 1]:
        raise ValueError(
            f"{what} need a time each, but rows {before} and {after} are both at {stamps[late]}. Drop one. {if_panel}"
        )
    raise ValueError(
        f"{what} must be in the order of time, but row {after} ({stamps[late]}) comes before row {before} "
        f"({stamps[late - 1]}). Sort them first, as in X.sort_index(), and split them without shuffling "
        f"(HalvingGridSearchCV shuffles unless its resource is a parameter, such as max_epochs). {if_panel}"
    )


@dataclass(frozen=True)
class TimeGrid:
    """What one step of time is: a fixed ``step``, a calendar ``freq`` such as month ends, or neither.

    With neither, each row is one step after the row before it, unless their distance is more than twice the ``longest``
    in training.
    """

    kind: str
    tz: Any = None
    step: Any = None
    freq: Any = None
    longest: Any = None

    def positions(self, values: Array) -> Array:
        """Count steps from the first of increasing times, at least one from row to row."""
        exact = self.exact_positions(values)
        if exact is not None:
            return exact
        jumps = np.diff(values)
        steps = np.ones(len(jumps), dtype=np.int64)
        if self.freq is not None:
            steps = np.maximum(steps, self._calendar_steps(values))
        elif self.step is not None:
            # A stamp off the grid must not move the others: each is placed by its distance to the one before.
            steps = np.maximum(steps, np.rint(jumps / self.step).astype(np.int64))
        elif self.longest is not None:
            # Later rows may be a little further apart than those in training, without a gap between them.
            steps[jumps > 2 * self.longest] = FAR
        return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(steps)])

    def exact_positions(self, values: Array) -> Array | None:
        """Count steps from the first time, or give None where one of the times is off the grid."""
        if self.freq is not None:
            return self._on_calendar(values)
        if self.step is None:
            return None
        elapsed = values - values[0]
        if elapsed.dtype.kind == "f" or isinstance(self.step, float):
            steps = elapsed / self.step
            return np.rint(steps).astype(np.int64) if _are_whole(steps).all() else None
        step = self.step
        if elapsed.dtype.kind == "m" and step.astype(elapsed.dtype) == step:
            # The finer unit of the two would overflow for series of centuries.
            step = step.astype(elapsed.dtype)
        steps, rest = np.divmod(elapsed, step)
        return None if rest.any() else steps

    def fits_mostly(self, values: Array) -> bool:
        """Whether times keep a fixed step but for a few that are late or early."""
        if self.step is None or len(values) < _SHORT:
            return False
        return bool(_are_whole(np.diff(values) / self.step).mean() >= _MOSTLY)

    def _calendar_steps(self, values: Array) -> Array:
        """Count the steps of the calendar from each time to the next, each rounded to the nearest step."""
        stamps, calendar = self._calendar(values)
        middles = calendar[:-1] + np.diff(calendar) / 2
        return np.diff(np.searchsorted(middles, stamps, side="right"))

    def _on_calendar(self, values: Array) -> Array | None:
        stamps, calendar = self._calendar(values)
        if not len(calendar):
            return None
        steps = np.minimum(np.searchsorted(calendar, stamps), len(calendar) - 1)
        return steps if (calendar[steps] == stamps).all() else None

    def _calendar(self, values: Array) -> tuple[Array, Array]:
        """Local times, and all steps of the calendar from the first to the last of them."""
        stamps = _in_zone(values, self.tz).tz_localize(None)
        return stamps.to_numpy(), _date_range(stamps[0], stamps[-1], self.freq)


@lru_cache(maxsize=16)  # the entities of a panel mostly share their first and last stamp
def _date_range(first: Any, last: Any, freq: Any) -> Array:
    return pd.date_range(first, last, freq=freq).to_numpy()


def _are_whole(steps: Array) -> Array:
    # Times in floats are rarely exact: a hundredth of a step is tolerated.
    return np.abs(steps - np.rint(steps)) < 0.01


def infer_grid(series: Sequence[Times], *, sure: bool = False) -> TimeGrid:
    """Infer from the training rows of one or many series, all of one kind of time, what a step is.

    ``sure`` says that the user named these as times, so that numbers are not just row numbers.
    """
    model = max(series, key=lambda times: len(times.values))
    jumps = [np.diff(times.values).max() for times in series if len(times.values) > 1]
    unknown = TimeGrid(model.kind, model.tz, longest=max(jumps, default=None))
    if not sure and _are_row_numbers(series):
        return unknown
    for step, freq in _guesses(model):
        grid = replace(unknown, step=step, freq=freq)
        if grid.exact_positions(model.values) is not None or grid.fits_mostly(model.values):
            return grid
    return unknown


def _are_row_numbers(series: Sequence[Times]) -> bool:
    """Whether numbers just count the rows of a panel, as no two rows share one: an order, but no distances in time."""
    if len(series) == 1 or series[0].kind != "numbers":
        return False
    values = np.concatenate([times.values for times in series])
    return len(np.unique(values)) == len(values)


def _guesses(times: Times) -> Iterator[tuple[Any, Any]]:
    """Yield what a step may be, ``(step, freq)``, the most reliable first."""
    if times.kind.startswith("periods"):
        yield times.freq.n, None
        return
    if times.freq is not None:
        yield _step_or_freq(times.freq, times.tz)
    if times.kind.startswith("stamps"):
        for piece in _unbroken_pieces(times.values):
            freq = _infer(_in_zone(piece, times.tz))
            if freq is not None:
                yield _step_or_freq(pd.tseries.frequencies.to_offset(freq), times.tz)
    step = _common_step(times.values)
    if step is not None:
        yield step, None


def frequency_of(index: pd.Index) -> Any:
    """The step from row to row: the name of a frequency, or a number for whole numbers; None if there is none."""
    if isinstance(index, pd.PeriodIndex):
        return index.freqstr
    if isinstance(index, pd.DatetimeIndex):
        return _infer(index) if index.freq is None else index.freqstr
    if len(index) < 2:
        return 1
    step = int(index[1] - index[0])
    return step if step > 0 and (np.diff(np.asarray(index)) == step).all() else None


def is_regular(index: pd.Index) -> bool:
    """Whether each time is one step after the one before it."""
    if isinstance(index, pd.PeriodIndex):
        return bool((np.diff(index.asi8) == index.freq.n).all())  # type: ignore[union-attr]
    return frequency_of(index) is not None


def _infer(stamps: pd.DatetimeIndex) -> str | None:
    return pd.infer_freq(stamps) if len(stamps) > 2 else None


def _step_or_freq(freq: Any, tz: Any) -> tuple[Any, Any]:
    """Turn an offset into a fixed step where it is one: days in a time zone are not all of one length."""
    if isinstance(freq, pd.offsets.Day):
        return (np.timedelta64(freq.n, "D"), None) if tz is None else (None, freq.freqstr)
    if isinstance(freq, pd.offsets.Tick):
        return np.timedelta64(freq.nanos, "ns"), None
    # A name is simpler to store, but the name of a custom calendar does not define it.
    lossless = pd.tseries.frequencies.to_offset(freq.freqstr) == freq
    return None, freq.freqstr if lossless else freq


def _unbroken_pieces(values: Array) -> Iterator[Array]:
    """Yield the whole, then the longest piece after cutting at the longest jump, at the two longest, and so on.

    pandas infers no frequency for a series with a gap, and the training rows around a test fold have one.
    """
    yield values[:_ENOUGH]
    longest_first = np.argsort(np.diff(values))[::-1][:_MOST_GAPS]
    for n_gaps in range(1, len(longest_first) + 1):
        pieces = np.split(values, np.sort(longest_first[:n_gaps]) + 1)
        yield max(pieces, key=len)[:_ENOUGH]
    # With many gaps (bank holidays among business days) some short piece has none. Twelve rows are more than a working
    # week, from which alone a frequency of days would be inferred.
    for start in range(0, min(len(values) - _SHORT, _ENOUGH), _SHORT // 2):
        yield values[start : start + _SHORT]


def _common_step(values: Array) -> Any:
    """Give the largest step that all distances are multiples of, if it is a typical distance of rows."""
    jumps = np.diff(values)
    if not len(jumps):
        return 1 if values.dtype.kind == "i" else None
    if values.dtype.kind == "f":
        return float(np.median(jumps))
    step = np.gcd.reduce(np.unique(jumps.astype(np.int64)))
    # Stamps in seconds may have a common step of one second even where rows are hours apart.
    if np.median(jumps.astype(np.int64)) > 2 * step:
        return None
    return int(step) if jumps.dtype.kind == "i" else step.astype(jumps.dtype)


def _in_zone(values: Array, tz: Any) -> Any:
    stamps = pd.DatetimeIndex(values)
    return stamps if tz is None else stamps.tz_localize("UTC").tz_convert(tz)
