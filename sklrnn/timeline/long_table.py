"""Recognise a long table, which has its series and times in columns, and say how to index it."""

from typing import Any

import pandas as pd

__all__ = ["check_not_long"]

# The columns of a long table as Nixtla's packages, Prophet and many files call them.
_SERIES, _TIME, _VALUE = "unique_id", "ds", "y"
_INDEXED = (pd.MultiIndex, pd.DatetimeIndex, pd.PeriodIndex)


def check_not_long(table: Any, called: str) -> None:
    """Raise an error if a DataFrame has its times in a column instead of its index."""
    if not isinstance(table, pd.DataFrame) or isinstance(table.index, _INDEXED):
        return
    time = _find_time(table)
    if time is None:
        return
    series = _find_series(table, time)
    columns, index = f"a column for the times ({time!r})", "the index"
    if series:
        columns = f"columns for the series ({', '.join(map(repr, series))}) and the times ({time!r})"
        index = "a MultiIndex with the times last"
    raise TypeError(
        f"{called} has {columns}, but a forecaster reads them from {index}. Set it: "
        f"{called} = {_indexing(table, series, time, called)}"
    )


def _find_time(table: pd.DataFrame) -> Any:
    if _TIME in table.columns:
        return _TIME
    times = [name for name, dtype in table.dtypes.items() if _is_time(dtype)]
    return times[0] if len(times) == 1 else None


def _find_series(table: pd.DataFrame, time: Any) -> list[Any]:
    """The columns that tell series apart; none if every time is there only once."""
    if _SERIES in table.columns:
        return [_SERIES]
    if not table[time].duplicated().any():
        return []
    return [name for name, dtype in table.dtypes.items() if name != time and _is_text(dtype)]


def _indexing(table: pd.DataFrame, series: list[Any], time: Any, called: str) -> str:
    """The line of code that sets the index of a table."""
    converted = ""
    if time == _TIME and _is_text(table[time].dtype):
        converted = f'.assign({time}=pd.to_datetime({called}["{time}"]))'
    others = [name for name in table.columns if name not in [*series, time]]
    chosen = f'[["{_VALUE}"]]' if called == _VALUE and _VALUE in others and len(others) > 1 else ""
    return f"{called}{converted}.set_index({[*series, time] if series else time!r}).sort_index(){chosen}"


def _is_time(dtype: Any) -> bool:
    return pd.api.types.is_datetime64_any_dtype(dtype) or isinstance(dtype, pd.PeriodDtype)


def _is_text(dtype: Any) -> bool:
    return bool(
        pd.api.types.is_object_dtype(dtype)
        or pd.api.types.is_string_dtype(dtype)
        or isinstance(dtype, pd.CategoricalDtype)
    )
