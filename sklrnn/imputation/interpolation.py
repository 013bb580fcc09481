"""Series with missing values, and what interpolation makes of them."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class IncompleteSeries:
    """Concatenated series, NaN where a value is missing; ``first`` and ``end`` bound each row's own series."""

    values: Array
    calendar: Array
    lengths: NDArray[np.intp]

    @property
    def first(self) -> NDArray[np.intp]:
        return np.repeat(np.cumsum(self.lengths) - self.lengths, self.lengths)

    @property
    def end(self) -> NDArray[np.intp]:
        return np.repeat(np.cumsum(self.lengths), self.lengths)

    def repeated(self, times: int) -> "IncompleteSeries":
        """The same series, concatenated several times."""
        return IncompleteSeries(
            np.tile(self.values, (times, 1)), np.tile(self.calendar, (times, 1)), np.tile(self.lengths, times)
        )

    def split(self, row: int) -> tuple["IncompleteSeries", "IncompleteSeries"]:
        """Split at a row; a series that has rows on both sides becomes two."""
        ends = np.cumsum(self.lengths)
        before = np.clip(row - (ends - self.lengths), 0, self.lengths)
        parts = (slice(None, row), before), (slice(row, None), self.lengths - before)
        old, new = (IncompleteSeries(self.values[rows], self.calendar[rows], n[n > 0]) for rows, n in parts)
        return old, new


class Interpolation(NamedTuple):
    """Interpolated values, and the distances in rows to the nearest visible value before and after each."""

    interpolated: Array
    before: Array
    after: Array


def interpolate(series: IncompleteSeries, visible: Array, fallback: Array, *, ahead: bool) -> Interpolation:
    """Interpolate what is not visible linearly or, without looking ahead, with the last visible value.

    Visible values stay as they are. Where a series has none on either side, the fallback of the column is taken, and
    the distance is infinite.
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
    # Visible values are not interpolated, so that they stay exact.
    return Interpolation(np.where(inside, left + share * (right - left), left), before, after)
