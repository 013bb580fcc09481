"""Panels from tables in the long form: a row for each value, with the series and the time in columns."""

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklrnn.forecasting.panel_files import open_files, read_columns

__all__ = ["panel_from_long"]

Array = NDArray[Any]


def panel_from_long(
    frame: Any,
    *,
    id: str | None = "unique_id",
    time: str = "ds",
    target: str | Sequence[str] = "y",
    X: str | Sequence[str] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Turn a table in the long form into the y and X of a forecaster.

    The rows may come in any order. They are sorted by series and time. Columns of polars and PyArrow become columns of
    pandas: there is no pandas object for each series. Files are read some rows at a time, and only the columns that are
    needed.

    Parameters
    ----------
    frame : pandas.DataFrame, polars.DataFrame, pyarrow.Table, pyarrow.dataset.Dataset, str or path
        A row for each series and time: a table (any that narwhals reads), a dataset, or the path of a Parquet file or
        of a folder of them. Folders within it that are named as in ``unique_id=a`` stand for a column.

    id : str or None, default="unique_id"
        The column that names the series; None if there is a single one.

    time : str, default="ds"
        The column of the times: dates, periods (pandas) or whole numbers.

    target : str or list of str, default="y"
        The column to forecast, or several.

    X : str or list of str, default=None
        The columns of exogenous variables; None takes all that are left, ``[]`` none.

    Returns
    -------
    y : pandas.DataFrame
        The target, indexed by series and time.

    X : pandas.DataFrame or None
        The exogenous variables, with the same index; None if there are none.

    See Also
    --------
    sklrnn.forecasting.GRUForecaster : Learns all series of such a panel with one network.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklrnn.forecasting import panel_from_long
    >>> table = pd.DataFrame(
    ...     {
    ...         "unique_id": ["b", "a", "b", "a"],
    ...         "ds": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-02", "2024-01-01"]),
    ...         "y": [1.0, 2.0, 3.0, 4.0],
    ...     }
    ... )
    >>> y, X = panel_from_long(table)
    >>> y
                            y
    unique_id ds
    a         2024-01-01  4.0
              2024-01-02  2.0
    b         2024-01-01  1.0
              2024-01-02  3.0
    >>> X is None
    True
    """
    targets = [target] if isinstance(target, str) else list(target)
    files = open_files(frame)
    is_pandas = isinstance(frame, pd.DataFrame)
    table = frame if is_pandas or files is not None else open_table(frame)
    names = list(table.columns if files is None else files.schema.names)
    others = [X] if isinstance(X, str) else list(X or [])
    if X is None:
        others = [name for name in names if name not in (id, time, *targets)]
    _check_columns(names, id, time, targets, others)
    if files is not None:
        rows, values = _read_files(files, id, time, [*targets, *others])
    else:
        table, rows, order = _read_pandas(table, id, time) if is_pandas else _read_other(table, id, time)
        values = {name: _sorted(_numbers(table, name), order) for name in [*targets, *others]}
    y = pd.DataFrame({name: values[name] for name in targets}, index=rows, copy=False)
    return y, pd.DataFrame({name: values[name] for name in others}, index=rows, copy=False) if others else None


class _Indexed(NamedTuple):
    """A table, the index of its rows by series and time, and the rows in this order; None if they lie so."""

    table: Any
    rows: pd.Index
    order: Array | None


def open_table(frame: Any, called: str = "A panel") -> Any:
    """A table of narwhals around one that is not of pandas."""
    try:
        import narwhals.stable.v1 as nw
    except ImportError as error:
        raise ImportError(
            f"A {type(frame).__module__.split('.')[0]} table is read with narwhals, which comes with scikit-learn from "
            "1.9 on: pip install narwhals. Or pass a pandas.DataFrame."
        ) from error
    try:
        return nw.from_native(frame, eager_only=True)
    except TypeError as error:
        raise TypeError(
            f"{called} in the long form needs a DataFrame of pandas or polars or a Table of PyArrow, got "
            f"{type(frame).__name__}. Collect a lazy frame first; files and datasets are read by panel_from_long."
        ) from error


def _check_columns(names: Sequence[Hashable], id: str | None, time: str, targets: list[str], others: list[str]) -> None:
    asked = [("id", id), ("time", time), *(("target", name) for name in targets), *(("X", name) for name in others)]
    for called, name in asked:
        if name is not None and name not in names:
            raise ValueError(f"There is no column {name!r} in the table, which has {list(names)}. Set {called}=.")
    twice = [name for name in others if name in (id, time, *targets)]
    if twice:
        raise ValueError(f"X names {twice[0]!r}, which is the target, the series or the time. Leave it out of X.")


def _read_pandas(table: pd.DataFrame, id: str | None, time: str) -> _Indexed:
    times = pd.Index(table[time])
    _check_kind(times, time)
    time_codes, time_level = times.factorize(sort=True)
    _check_known(time_codes >= 0, time)
    if id is None:
        order = _order(time_codes)
        return _Indexed(table, (times if order is None else times[order]).rename(time), order)
    codes, level = pd.factorize(table[id], sort=True)
    _check_known(codes >= 0, id)
    order = _order(time_codes, codes)
    if order is not None:
        codes, time_codes = codes[order], time_codes[order]
    return _Indexed(table, _panel_index((pd.Index(level), codes), (time_level, time_codes), [id, time]), order)


def _read_files(files: Any, id: str | None, time: str, names: list[str]) -> tuple[pd.Index, dict[str, Array]]:
    series, codes, times, time_codes, values = read_columns(files, id, time, names)
    order = _order(time_codes, None if series is None else codes)
    # One column after the other, for the sake of memory.
    codes = _sorted(codes, order)
    time_codes = _sorted(time_codes, order)
    for name in values:
        values[name] = _sorted(values[name], order)
    if series is None:
        return times[time_codes].rename(time), values
    rows: pd.Index = _panel_index((series, codes), (times, time_codes), [str(id), time])
    return rows, values


def _order(time_codes: Array, codes: Array | None = None) -> Array | None:
    """Rows by series, then by time; None if they have this order."""
    step = time_codes[1:] < time_codes[:-1]
    if codes is not None:
        step &= codes[1:] == codes[:-1]
        step |= codes[1:] < codes[:-1]
    if not step.any():
        return None
    return np.argsort(time_codes, kind="stable") if codes is None else np.lexsort([time_codes, codes])


def _sorted(column: Array, order: Array | None) -> Array:
    return column if order is None else column[order]


def _read_other(table: Any, id: str | None, time: str) -> _Indexed:
    """Of a table of narwhals; only the names of the series, one of each, become Python objects."""
    for name in (id, time):
        if name is not None:
            _check_known(~table[name].is_null().to_numpy(), name)
    table = table.sort(*([time] if id is None else [id, time]))
    zone = getattr(table[time].dtype, "time_zone", None)
    column = table[time].dt.convert_time_zone("UTC").dt.replace_time_zone(None) if zone else table[time]
    times = pd.Index(column.to_numpy())
    _check_kind(times, time)
    if zone:
        times = pd.DatetimeIndex(times).tz_localize("UTC").tz_convert(zone)
    if id is None:
        return _Indexed(table, times.rename(time), None)
    column = table[id]
    is_first = np.ones(len(column), dtype=bool)
    is_first[1:] = (column != column.shift(1)).to_numpy()[1:].astype(bool)
    names = pd.Index(column[np.flatnonzero(is_first)].to_list())
    time_codes, time_level = times.factorize(sort=True)
    index = _panel_index((names, np.cumsum(is_first) - 1), (time_level, time_codes), [id, time])
    return _Indexed(table, index, None)


def _panel_index(series: tuple[Any, Array], times: tuple[Any, Array], names: list[str]) -> pd.MultiIndex:
    levels, codes = zip(series, times, strict=True)
    return pd.MultiIndex(levels=list(levels), codes=list(codes), names=names, verify_integrity=False)


def _check_kind(times: pd.Index, name: str) -> None:
    is_time = isinstance(times, pd.DatetimeIndex | pd.PeriodIndex)
    if not is_time and not pd.api.types.is_integer_dtype(times.dtype):
        raise TypeError(
            f"The times in column {name!r} must be dates, periods or whole numbers, got {times.dtype}. Convert them "
            "first, with pandas.to_datetime(...) or str.to_datetime() of polars."
        )


def _check_known(known: Array, name: str) -> None:
    if not known.all():
        raise ValueError(
            f"Every row needs a value in column {name!r}, but row {int(np.argmin(known))} has none. Drop it."
        )


def _numbers(table: Any, name: str) -> Array:
    """A column as floats; missing values become NaN."""
    column = table[name]
    is_number = pd.api.types.is_numeric_dtype(column.dtype) if isinstance(column, pd.Series) else _is_number(column)
    if not is_number:
        raise TypeError(
            f"Column {name!r} must hold numbers, got {column.dtype}. Encode it, or leave it out: X=[...] names the "
            "columns that are read."
        )
    if isinstance(column, pd.Series):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.asarray(column.to_numpy(), dtype=np.float64)


def _is_number(column: Any) -> bool:
    return bool(column.dtype.is_numeric() or str(column.dtype) == "Boolean")
