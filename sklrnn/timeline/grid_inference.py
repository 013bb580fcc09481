"""What one step of time is, inferred from the times of the training rows."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklrnn.timeline.time_index import TimeGrid, Times, frequency_of, in_zone

__all__ = ["infer_grid"]

Array = NDArray[Any]

# A frequency is inferred from so many rows, and then checked against all of them.
_ENOUGH = 1000
_MOST_GAPS = 8
_SHORT = 12


def infer_grid(series: Sequence[Times], *, sure: bool = False) -> TimeGrid:
    """Infer from the training rows of one or many series, all of one kind of time, what a step is.

    ``sure`` says that the user named these as times, so that numbers are not just row numbers.
    """
    model = max(series, key=lambda times: len(times.values))
    jumps = [np.diff(times.values).max() for times in series if len(times.values) > 1]
    unknown = TimeGrid(model.kind, model.tz, longest=max(jumps, default=None))
    if not sure and _are_row_numbers(series):
        return unknown
    for step, freq in _guesses(model, skips_weekends=_are_business_days(series)):
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


def _are_business_days(series: Sequence[Times]) -> bool:
    """Whether over a third of the rows are one business day apart, and none is on one of the weekends between them.

    A few holidays split business days into weeks without a hole, and such a week looks like a series of days.
    """
    if not series[0].kind.startswith("stamps"):
        return False
    values = np.concatenate([in_zone(times.values, times.tz).tz_localize(None).to_numpy() for times in series])
    days = values.astype("M8[D]")
    times_of_day = values - days
    if len(days) < 3 or (times_of_day != times_of_day[0]).any() or not np.is_busday(days).all():
        return False
    first, last = days.min(), days.max()
    if np.busday_count(first, last) == (last - first).astype(int):
        return False  # no weekend between them
    days = np.unique(days)
    has_one_step = len(np.unique(np.diff(days))) == 1  # from Friday to Monday to Thursday
    return not has_one_step and bool((np.busday_count(days[:-1], days[1:]) == 1).mean() > 1 / 3)


def _guesses(times: Times, *, skips_weekends: bool) -> Iterator[tuple[Any, Any]]:
    """Yield what a step may be, ``(step, freq)``, the most reliable first."""
    if times.kind.startswith("periods"):
        yield times.freq.n, None
        return
    if times.freq is not None:
        yield _step_or_freq(times.freq, times.tz)
    if skips_weekends:
        yield None, "B"
    if times.kind.startswith("stamps"):
        for piece in _unbroken_pieces(times.values):
            freq = frequency_of(in_zone(piece, times.tz))
            if freq is not None:
                yield _step_or_freq(pd.tseries.frequencies.to_offset(freq), times.tz)
    step = _common_step(times.values)
    if step is not None:
        yield step, None


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
    # With many gaps some short piece has none.
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
