"""When the rows of a series stand in time, and when those to come will."""

from typing import Any, NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sktime.forecasting.base import ForecastingHorizon

from sklrnn.timeline.time_index import frequency_of, is_regular

Array = NDArray[Any]


def regular(index: Any, like: pd.Index | None = None, whose: str = "y") -> pd.Index:
    """Give these times with their frequency, that of ``like`` where it fits, or say where they have none."""
    if isinstance(index, pd.DatetimeIndex):
        if index.freq is not None:
            return index
        for freq in (getattr(like, "freq", None), frequency_of(index)):
            try:
                return pd.DatetimeIndex(index, freq=freq if freq is not None else "not one")
            except ValueError:
                continue
        _refuse(index, whose, "frequency")
    if isinstance(index, pd.PeriodIndex):
        if not is_regular(index):
            _refuse(index, whose, f"frequency {index.freqstr!r}")
        return index
    if not pd.api.types.is_integer_dtype(index.dtype):
        raise TypeError(
            f"{whose} must have a DatetimeIndex, a PeriodIndex or whole numbers as its times, got {type(index).__name__}."
        )
    if not is_regular(index):
        _refuse(index, whose, "step from row to row")
    return index


def _refuse(index: Any, whose: str, what: str) -> NoReturn:
    """Say why times are not regular, by the widest step between them."""
    if index.has_duplicates:
        twice = index[index.duplicated()][0]
        raise ValueError(f"{whose} must have one row at each time, but {twice} is there more than once.")
    if len(index) < 3:
        raise ValueError(
            f"The {len(index)} row(s) of {whose} tell no {what}. Pass more rows, set the freq of the index, or pass a "
            "PeriodIndex."
        )
    widest = int(np.argmax(np.diff(index.asi8 if hasattr(index, "asi8") else np.asarray(index))))
    raise ValueError(
        f"{whose} must have times with a fixed {what}, but {index[widest]} is followed by {index[widest + 1]}. Put missing "
        "rows in with NaN, for example with y.asfreq(...) or y.reindex(...): gaps in values are filled, gaps in time are not."
    )


def times_after(index: pd.Index, n: int) -> pd.Index:
    """The next ``n`` times after the last one; ``index`` has its frequency."""
    return _count_on(index[-1], index, n + 1)[1:]


def go_on(known: pd.Index, new: pd.Index, whose: str) -> pd.Index:
    """Give the times of new rows with the frequency of those that are known, which they must overlap or follow."""
    expected = _count_on(new[0], known, len(new))
    if not new.equals(expected):
        wrong = int(np.argmax(np.asarray(new) != np.asarray(expected)))
        _refuse_to_go_on(known, expected[wrong], new[wrong], whose)
    if new[0] > known[-1]:
        following = times_after(known, 1)[0]
        if new[0] != following:
            _refuse_to_go_on(known, following, new[0], whose)
    elif new[-1] < known[0]:
        following = times_after(expected, 1)[0]
        if known[0] != following:
            _refuse_to_go_on(known, following, known[0], whose)
    elif max(new[0], known[0]) not in (known if new[0] > known[0] else new):
        _refuse_to_go_on(known, known[known.searchsorted(new[0])], new[0], whose)
    return expected


def _refuse_to_go_on(known: pd.Index, expected: Any, got: Any, whose: str) -> NoReturn:
    raise ValueError(
        f"update needs rows of {whose} that go on with the frequency {frequency_of(known)!r} after {known[-1]}: expected "
        f"{expected}, got {got}. Pass the rows between, or bring y to that frequency."
    )


def _count_on(start: Any, index: pd.Index, n: int) -> pd.Index:
    """``n`` times from ``start`` on, at the frequency of ``index``."""
    if isinstance(index, pd.PeriodIndex):
        return pd.period_range(start, periods=n, freq=index.freq)
    if isinstance(index, pd.DatetimeIndex):
        return pd.date_range(start, periods=n, freq=index.freq)
    step = frequency_of(index)
    return pd.RangeIndex(start, start + n * step, step)


def place(fh: ForecastingHorizon, index: pd.Index, whose: str = "y") -> tuple[Array, pd.Index]:
    """Find what a horizon means for a series: steps counted from its last row, and their times.

    A step is a row, so that weekends, holidays and changes of the clock don't count. sktime's own conversion goes by
    periods, which know neither time zones nor calendars.
    """
    wanted = fh.to_pandas()
    if fh.is_relative and pd.api.types.is_integer_dtype(wanted.dtype):
        steps = np.asarray(wanted, dtype=np.int64)
    else:
        steps = _steps_to(index[-1] + wanted if fh.is_relative else wanted, index, whose)
    if steps.min() <= -len(index):
        raise ValueError(
            f"fh asks for a time {-steps.min()} row(s) before the last one of {whose}, but only {len(index)} rows are known. "
            f"The first is {index[0]}."
        )
    ahead = times_after(index, max(0, int(steps.max())))
    if steps.min() <= 0:
        return steps, index.append(ahead)[len(index) - 1 + steps]
    is_unbroken = steps[-1] - steps[0] == len(steps) - 1
    # A slice keeps the frequency.
    return steps, ahead[steps[0] - 1 : steps[-1]] if is_unbroken else ahead[steps - 1]


def _steps_to(wanted: pd.Index, index: pd.Index, whose: str) -> Array:
    check_same_kind(wanted, index, f"fh has times of the kind {{}}, but {whose} has {{}}")
    n = len(wanted)
    while True:
        ahead = times_after(index, n)
        if ahead[-1] >= wanted.max():
            break
        n *= 2
    places = index.append(ahead).get_indexer(wanted)
    if (places < 0).any():
        raise ValueError(
            f"fh asks for {wanted[int(np.argmin(places))]}, but {whose} has rows from {index[0]} on with the frequency "
            f"{frequency_of(index)!r}, and none at that time."
        )
    return places - (len(index) - 1)


def check_same_kind(new: pd.Index, known: pd.Index, message: str) -> None:
    """Compare the kinds of two indices: what they count, the length of periods, and whether there is a time zone."""
    kinds = [_kind_of(new), _kind_of(known)]
    if kinds[0] != kinds[1]:
        raise TypeError(f"{message.format(*kinds)}. Pass the same kind.")


def _kind_of(index: pd.Index) -> str:
    if isinstance(index, pd.PeriodIndex):
        return f"PeriodIndex of frequency {index.freqstr!r}"
    if isinstance(index, pd.DatetimeIndex):
        return "DatetimeIndex" if index.tz is None else "DatetimeIndex with a time zone"
    return "whole numbers" if pd.api.types.is_integer_dtype(index.dtype) else type(index).__name__
