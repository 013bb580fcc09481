"""Times and frequencies of an index: how many steps lie between two rows?

Times are numpy arrays here (UTC stamps, durations, the ordinals of periods, numbers). A ``TimeGrid``, which
``grid_inference`` infers from the training rows, gives rows integer positions; two rows follow each other when their
positions differ by one.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
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
    "in_zone",
    "is_regular",
    "read_entity_times",
    "read_times",
]

Array = NDArray[Any]

# More steps than any window is long: no window reaches across a break in the grid.
FAR = 2**40
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

    def ahead(self, stamps: pd.DatetimeIndex, n: int) -> pd.DatetimeIndex:
        """The local times that are ``n`` steps after others; the grid must have a ``step`` or a ``freq``."""
        if self.freq is None:
            return stamps + n * self.step
        offset = n * pd.tseries.frequencies.to_offset(self.freq)
        # Without the time zone: pandas before 3 takes a day for 24 hours there, and an hour that a change of the clock
        # skips or repeats is an error.
        return pd.DatetimeIndex([stamp + offset for stamp in stamps.tz_localize(None)])

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
        stamps = in_zone(values, self.tz).tz_localize(None)
        return stamps.to_numpy(), _date_range(stamps[0], stamps[-1], self.freq)


@lru_cache(maxsize=16)  # the entities of a panel mostly share their first and last stamp
def _date_range(first: Any, last: Any, freq: Any) -> Array:
    return pd.date_range(first, last, freq=freq).to_numpy()


def _are_whole(steps: Array) -> Array:
    # Times in floats are rarely exact: a hundredth of a step is tolerated.
    return np.abs(steps - np.rint(steps)) < 0.01


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


def in_zone(values: Array, tz: Any) -> Any:
    stamps = pd.DatetimeIndex(values)
    return stamps if tz is None else stamps.tz_localize("UTC").tz_convert(tz)
