"""The index of a series, its continuation, and the steps and times of a forecasting horizon."""

from typing import Any, NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sktime.forecasting.base import ForecastingHorizon

from sklrnn.timeline.time_index import frequency_of, is_regular

Array = NDArray[Any]


def with_frequency(index: Any, like: pd.Index | None = None, whose: str = "y") -> pd.Index:
    """Return the index with its frequency, that of ``like`` where it fits; an error says where it is irregular."""
    if isinstance(index, pd.DatetimeIndex):
        if index.freq is not None:
            return index
        for freq in (getattr(like, "freq", None), frequency_of(index)):
            try:
                return pd.DatetimeIndex(index, freq=freq if freq is not None else "not one")
            except ValueError:
                continue
        _raise_irregular(index, whose, "frequency")
    if isinstance(index, pd.PeriodIndex):
        if not is_regular(index):
            _raise_irregular(index, whose, f"frequency {index.freqstr!r}")
        return index
    if not pd.api.types.is_integer_dtype(index.dtype):
        raise TypeError(
            f"{whose} must have a DatetimeIndex, a PeriodIndex or whole numbers as its times, got "
            f"{type(index).__name__}."
        )
    if not is_regular(index):
        _raise_irregular(index, whose, "step from row to row")
    return index


def _raise_irregular(index: Any, whose: str, what: str) -> NoReturn:
    """Say why times are not regular, by the widest step between them."""
    if index.has_duplicates:
        duplicate = index[index.duplicated()][0]
        raise ValueError(f"{whose} must have one row at each time, but {duplicate} is there more than once.")
    if len(index) < 3:
        raise ValueError(
            f"The {len(index)} row(s) of {whose} are too few to infer a {what}. Pass more rows, set the freq of the "
            "index, or pass a PeriodIndex."
        )
    widest = int(np.argmax(np.diff(index.asi8 if hasattr(index, "asi8") else np.asarray(index))))
    raise ValueError(
        f"{whose} must have times with a fixed {what}, but {index[widest]} is followed by {index[widest + 1]}. Put "
        "missing rows in with NaN, for example with y.asfreq(...) or y.reindex(...): gaps in values are filled, gaps "
        "in time are not."
    )


def times_after(index: pd.Index, n: int) -> pd.Index:
    """The next ``n`` times after the last one; ``index`` has its frequency."""
    return time_range(index[-1], index, n + 1)[1:]


def continue_index(known: pd.Index, new: pd.Index, whose: str) -> pd.Index:
    """Return the times of new rows with the frequency of the known ones, which they must overlap, follow or precede."""
    expected = time_range(new[0], known, len(new))
    if not new.equals(expected):
        wrong = int(np.argmax(np.asarray(new) != np.asarray(expected)))
        _raise_not_continued(known, expected[wrong], new[wrong], whose)
    if new[0] > known[-1]:
        following = times_after(known, 1)[0]
        if new[0] != following:
            _raise_not_continued(known, following, new[0], whose)
    elif new[-1] < known[0]:
        following = times_after(expected, 1)[0]
        if known[0] != following:
            _raise_not_continued(known, following, known[0], whose)
    elif max(new[0], known[0]) not in (known if new[0] > known[0] else new):
        _raise_not_continued(known, known[known.searchsorted(new[0])], new[0], whose)
    return expected


def _raise_not_continued(known: pd.Index, expected: Any, got: Any, whose: str) -> NoReturn:
    raise ValueError(
        f"update needs rows of {whose} that continue with the frequency {frequency_of(known)!r} after {known[-1]}: "
        f"expected {expected}, got {got}. Pass the rows between, or bring y to that frequency."
    )


def time_range(start: Any, index: pd.Index, n: int) -> pd.Index:
    """``n`` times from ``start`` on, with the frequency of ``index``."""
    if isinstance(index, pd.PeriodIndex):
        return pd.period_range(start, periods=n, freq=index.freq)
    if isinstance(index, pd.DatetimeIndex):
        return pd.date_range(start, periods=n, freq=index.freq)
    step = frequency_of(index)
    return pd.RangeIndex(start, start + n * step, step)


def resolve_fh(fh: ForecastingHorizon, index: pd.Index, whose: str = "y") -> tuple[Array, pd.Index]:
    """Return the steps of a horizon, counted from the last row of a series, and their times.

    A step is a row, whatever time passes between rows: weekends and holidays are no steps of business days. sktime's
    own conversion uses periods, which support neither time zones nor custom calendars.
    """
    wanted = fh.to_pandas()
    if fh.is_relative and pd.api.types.is_integer_dtype(wanted.dtype):
        steps = np.asarray(wanted, dtype=np.int64)
    else:
        steps = _times_to_steps(index[-1] + wanted if fh.is_relative else wanted, index, whose)
    if steps.min() <= -len(index):
        raise ValueError(
            f"fh asks for a time {-steps.min()} row(s) before the last one of {whose}, but only {len(index)} rows are "
            f"known. The first is {index[0]}."
        )
    ahead = times_after(index, max(0, int(steps.max())))
    if steps.min() <= 0:
        return steps, index.append(ahead)[len(index) - 1 + steps]
    is_contiguous = steps[-1] - steps[0] == len(steps) - 1
    # A slice keeps the frequency.
    return steps, ahead[steps[0] - 1 : steps[-1]] if is_contiguous else ahead[steps - 1]


def _times_to_steps(wanted: pd.Index, index: pd.Index, whose: str) -> Array:
    check_same_index_type(wanted, index, f"fh has times of the kind {{}}, but {whose} has {{}}")
    n = len(wanted)
    while True:
        ahead = times_after(index, n)
        if ahead[-1] >= wanted.max():
            break
        n *= 2
    positions = index.append(ahead).get_indexer(wanted)
    if (positions < 0).any():
        raise ValueError(
            f"fh asks for {wanted[int(np.argmin(positions))]}, but {whose} has rows from {index[0]} on with the "
            f"frequency {frequency_of(index)!r}, and none at that time."
        )
    return positions - (len(index) - 1)


def check_same_index_type(new: pd.Index, known: pd.Index, message: str) -> None:
    """Check that two indices have the same type, the same length of periods, and both or neither a time zone."""
    types = [_index_type(new), _index_type(known)]
    if types[0] != types[1]:
        raise TypeError(f"{message.format(*types)}. Pass the same kind.")


def _index_type(index: pd.Index) -> str:
    if isinstance(index, pd.PeriodIndex):
        return f"PeriodIndex of frequency {index.freqstr!r}"
    if isinstance(index, pd.DatetimeIndex):
        return "DatetimeIndex" if index.tz is None else "DatetimeIndex with a time zone"
    return "whole numbers" if pd.api.types.is_integer_dtype(index.dtype) else type(index).__name__
