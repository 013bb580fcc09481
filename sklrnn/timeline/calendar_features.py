"""Time of day, week and year as features."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklrnn.timeline.panel import times_of

Array = NDArray[Any]

_DAY = pd.Timedelta(days=1)
_YEAR = 365.25 * _DAY


def dates_of(X: Any) -> pd.DatetimeIndex | None:
    """The dates of the rows of a frame; None where its index holds none."""
    index = times_of(X.index if hasattr(X, "iloc") else None)
    if isinstance(index, pd.PeriodIndex):
        index = index.to_timestamp()
    if not isinstance(index, pd.DatetimeIndex):
        return None
    if index.hasnans:
        raise ValueError(f"Every row needs a date, but row {int(np.argmax(index.isna()))} has none. Drop the row.")
    return index


def choose_cycles(dates: pd.DatetimeIndex | None) -> tuple[str, ...]:
    """The cycles that are at least two steps long and that the dates span at least twice."""
    if dates is None or len(dates) < 2:
        return ()
    sorted_ = dates.sort_values()
    step, span = pd.Series(sorted_.unique()).diff().median(), sorted_[-1] - sorted_[0]
    lengths = {"day": _DAY, "week": 7 * _DAY, "year": _YEAR}
    return tuple(name for name, length in lengths.items() if step < length / 2 and span >= 2 * length)


def cyclical_features(dates: pd.DatetimeIndex | None, cycles: tuple[str, ...], n_rows: int) -> Array:
    """Sine and cosine of each cycle, (row, 2 * cycle)."""
    if not cycles or dates is None:
        return np.zeros((n_rows, 0))
    of_day = (dates.hour * 3600 + dates.minute * 60 + dates.second).to_numpy() / 86400
    phases = {
        "day": of_day,
        "week": (dates.dayofweek.to_numpy() + of_day) / 7,
        "year": (dates.dayofyear.to_numpy() + of_day) / 366,
    }
    angles = 2 * np.pi * np.column_stack([phases[cycle] for cycle in cycles])
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
