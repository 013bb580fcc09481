"""Dates and durations among what should be numbers."""

from datetime import date, time, timedelta
from typing import Any

import numpy as np

__all__ = ["find_times"]

_TIMES = (np.datetime64, np.timedelta64, date, time, timedelta)


def find_times(values: Any) -> str | None:
    """Where there are dates or durations: a column of a frame, or "" for another container; None without any."""
    if hasattr(values, "columns") and hasattr(values, "dtypes"):
        for number, (name, dtype) in enumerate(zip(values.columns, values.dtypes, strict=True)):
            if _is_time_type(dtype) or (_is_object(dtype) and len(values) and _is_time(values.iloc[0, number])):
                return f" in column {name!r}"
        return None
    return "" if _is_time_type(getattr(values, "dtype", None)) or _is_time(_first_leaf(values)) else None


def _is_time_type(dtype: Any) -> bool:
    is_of_numpy_or_pandas = getattr(dtype, "kind", None) in {"m", "M"} or str(dtype).startswith("period[")
    return is_of_numpy_or_pandas or bool(getattr(dtype, "is_temporal", bool)())


def _is_object(dtype: Any) -> bool:
    return getattr(dtype, "kind", None) == "O"


def _is_time(value: Any) -> bool:
    return isinstance(value, _TIMES) or _is_time_type(getattr(value, "dtype", None))


def _first_leaf(values: Any) -> Any:
    """The first value in lists of lists, or in an array of objects."""
    while isinstance(values, list | tuple) or _is_object(getattr(values, "dtype", None)):
        if getattr(values, "ndim", 1) == 0 or not len(values):
            return None
        values = values.iloc[0] if hasattr(values, "iloc") else values[0]
    return values
