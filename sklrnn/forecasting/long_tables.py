"""Tables of polars and PyArrow in the long form, which forecasters read and give."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd

from sklrnn.forecasting.long_form import open_table, panel_from_long

_PACKAGES = ("polars", "pyarrow")
# The columns of a long table as Nixtla's packages call them.
_SERIES, _TIME, _VALUE = "unique_id", "ds", "y"


class LongForm(NamedTuple):
    """The package of a long table, and the names and types of its columns of series (if there are any) and times."""

    package: Any
    series: str | None
    time: str
    series_type: str
    time_type: str
    time_unit: Any

    @classmethod
    def of(cls, table: Any, called: str) -> "LongForm":
        """Find the columns in a table of narwhals."""
        time = _find_time(table, called)
        series = _find_series(table, time, called)
        dtype = table[time].dtype
        return cls(
            type(table.to_native()).__module__.split(".")[0],
            series,
            time,
            "" if series is None else _name_of(table[series].dtype),
            _name_of(dtype),
            getattr(dtype, "time_unit", None),
        )

    def others(self, table: Any) -> list[str]:
        """The columns of values."""
        return [name for name in table.columns if name not in (self.series, self.time)]

    def write(self, forecast: pd.DataFrame) -> Any:
        """A frame of pandas in this form, with columns of the same types."""
        import narwhals.stable.v1 as nw

        index: Any = forecast.index
        columns: dict[str, Any] = {}
        times = index
        if self.series is not None:
            columns[self.series] = index.get_level_values(0).tolist()
            times = index.get_level_values(-1)
        zone = getattr(times, "tz", None)
        if isinstance(times, pd.DatetimeIndex):
            times = (times if zone is None else times.tz_convert(None)).as_unit(self.time_unit or "us")
        columns[self.time] = times.to_numpy()
        columns |= {str(name): forecast[name].to_numpy() for name in forecast.columns}
        table = nw.from_dict(columns, backend=self.package)
        if zone is not None:
            table = table.with_columns(
                nw.col(self.time).dt.replace_time_zone("UTC").dt.convert_time_zone(str(zone)),
            )
        casts: list[tuple[str, str]] = [(self.time, self.time_type)] if self.time_type in _TYPES_OF_TIMES else []
        casts += [(self.series, self.series_type)] if self.series and self.series_type in _TYPES_OF_SERIES else []
        return table.with_columns(nw.col(name).cast(getattr(nw, kind)) for name, kind in casts).to_native()


# Types of columns that pandas does not keep. An Enum comes back as text, as its categories are not stored, and short
# whole numbers as times become longer ones, as later times may be too large for them.
_TYPES_OF_TIMES = {"Date", "Int32", "UInt32"}
_TYPES_OF_SERIES = {"Int8", "Int16", "Int32", "UInt8", "UInt16", "UInt32", "UInt64", "Categorical"}


def read_tables(X: Any, y: Any, form: LongForm | None = None) -> tuple[Any, Any, LongForm | None]:
    """Give long tables of polars and PyArrow as frames of pandas indexed by series and time; all else stays as it is.

    X has the columns of series and times that y has or, without a y, those of an earlier one with this ``form``.
    Returns X, y and the form of y, which is None if y is no such table.
    """
    if y is not None:
        table, form = _open_long(y, "y"), None
        if table is not None:
            form = LongForm.of(table, "y")
            y = _read(y, form, _targets(table, form))
    table = None if X is None else _open_long(X, "X")
    if table is not None:
        own = form or LongForm.of(table, "X")
        X = _read(X, own, _exogenous(table, own, y))
    return X, y, form


def _open_long(frame: Any, called: str) -> Any:
    """The table in narwhals; None if it is from another package, or one that sktime reads.

    sktime takes a frame of polars for one series if its columns are all variables, and finds index columns by name.
    """
    package = type(frame).__module__.split(".")[0]
    if package not in _PACKAGES:
        return None
    table = open_table(frame, called)
    names = table.columns
    if any(name.startswith("__index__") for name in names):
        return None
    is_plain = all(table[name].dtype.is_numeric() for name in names) and not {_SERIES, _TIME} & set(names)
    return None if is_plain and package == "polars" else table


def _find_time(table: Any, called: str) -> str:
    import narwhals.stable.v1 as nw

    names = table.columns
    times = [name for name in names if isinstance(table[name].dtype, nw.Date | nw.Datetime)]
    if _TIME in names or len(times) == 1:
        return _TIME if _TIME in names else times[0]
    raise TypeError(
        f"{called} has the columns {names}, of which {'none has dates' if not times else f'{times} have dates'}, and "
        f"none is called {_TIME!r}. {_say_how(called, times)}"
    )


def _find_series(table: Any, time: str, called: str) -> str | None:
    """The column that tells series apart, which is the only text; None if every time is there only once."""
    import narwhals.stable.v1 as nw

    if _SERIES in table.columns:
        return _SERIES
    kinds = nw.String | nw.Categorical | nw.Enum
    texts = [name for name in table.columns if name != time and isinstance(table[name].dtype, kinds)]
    if len(texts) == 1:
        return texts[0]
    if not table[time].is_duplicated().any():
        return None
    raise ValueError(
        f"Times in column {time!r} of {called} are there more than once, so it holds several series, but no column is "
        f"called {_SERIES!r}, and {'none holds text' if not texts else f'{texts} hold text'}. "
        f"{_say_how(called, [time])}"
    )


def _say_how(called: str, times: Sequence[str]) -> str:
    time = repr(times[0]) if len(times) == 1 else "..."
    return (
        "Name the columns: from sklrnn.forecasting import panel_from_long; "
        f"y, X = panel_from_long({called}, id=..., time={time}, target=...). id=None stands for a single series."
    )


def _targets(table: Any, form: LongForm) -> list[str]:
    names = form.others(table)
    if not names:
        raise ValueError(f"y has the columns {table.columns}: series and times, but no values.")
    if _VALUE in names and len(names) > 1:
        index = [name for name in (form.series, form.time) if name is not None]
        others = [name for name in names if name != _VALUE]
        raise ValueError(
            f"y has columns beside the target {_VALUE!r}: {others}. Pass a table of {[*index, _VALUE]} as y, and "
            f"one of {[*index, *others]} as X if they are exogenous variables."
        )
    return names


def _exogenous(table: Any, form: LongForm, y: Any) -> list[str]:
    for name in (form.series, form.time):
        if name is not None and name not in table.columns:
            raise ValueError(f"X has the columns {table.columns}, but also needs {name!r}, which y has.")
    names = form.others(table)
    targets = [name for name in names if isinstance(y, pd.DataFrame) and name in y.columns]
    if targets:
        raise ValueError(f"X has the column {targets[0]!r}, which is the target: drop it from X.")
    return names


def _read(frame: Any, form: LongForm, names: list[str]) -> pd.DataFrame:
    return panel_from_long(frame, id=form.series, time=form.time, target=names)[0]


def _name_of(dtype: Any) -> str:
    return str(dtype).split("(")[0]
