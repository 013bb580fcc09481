"""Supervised learning tasks made of series: the future values of each row as its targets."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklrnn.inputs.numeric import read_values
from sklrnn.inputs.validation import check_int
from sklrnn.timeline.calendar_features import (
    CALENDAR_WORDS,
    CalendarOption,
    calendar_columns,
    check_cycles,
    is_calendar,
    need_dates,
)
from sklrnn.timeline.grid_inference import infer_grid
from sklrnn.timeline.panel import Entity
from sklrnn.timeline.table import Table, as_table, column_position, split_table, take_columns
from sklrnn.timeline.time_index import read_entity_times

__all__ = ["supervise"]

Array = NDArray[Any]
MISSING = -1


def supervise(
    data: Any,
    target: Any = None,
    horizon: int | Sequence[int] = 1,
    *,
    groups: str | int | None = None,
    time_column: str | int | None = None,
    steps: Literal["index", "rows"] = "index",
    dropna: bool = False,
    calendar: CalendarOption = None,
) -> tuple[Any, Any]:
    """Split a series into what is known at each row and what comes next, for ``fit(X, y)``.

    ``X`` holds the columns of ``data``, that of the target included, and ``y`` the values of the target in the steps
    that follow. Rows at the end, whose future is not complete, are left out of both.

    Parameters
    ----------
    data : DataFrame or array of shape (row, column), Series or array of shape (row,)
        Rows in the order of time.

    target : str, int, or list of these, default=None
        The column or columns to predict: names in a frame, numbers in an array. None means the only column.

    horizon : int or list of int, default=1
        An int asks for the next ``horizon`` values, a list for just these steps: ``[24]`` is the value in 24 steps.

    groups : str or int, default=None
        Column that names the series of each row of a panel. A MultiIndex whose last level is time needs none.

    time_column : str or int, default=None
        Column of times, used in place of the index.

    steps : {"index", "rows"}, default="index"
        What a step is. With "index" steps are counted in time, as in ``SlidingWindow``: where a row is missing, so is
        its value. With "rows" the next row is the next step, whatever its time.

    dropna : bool, default=False
        Leave out the rows with a missing value in ``y`` instead of raising an error.

    calendar : "auto", list of {"day", "week", "year"} or None, default=None
        Add to X the calendar of each row and of its last target, as sines and cosines: ``day_sin``, and
        ``day_sin_lead24`` for the time of day in 24 steps. "auto" takes the cycles that the dates span twice. The
        newest rows, which have no future yet, are not in X; ``SlidingWindow(calendar=...)`` serves them too.

    Returns
    -------
    X : DataFrame or ndarray of shape (row, column)
        The rows of ``data`` that have a complete future.

    y : Series, DataFrame or ndarray
        One-dimensional for one step of one target. Otherwise a column for each step and target, ``temp_lead1``,
        ``wind_lead1``, ``temp_lead2``, so that ``y.reshape(row, step, target)`` has an axis for each. The index is
        kept.

    See Also
    --------
    sklrnn.SlidingWindow : Gives each row the window that ends there.
    sklrnn.make_windows : Windows and their targets as samples.
    sklrnn.PurgedTimeSeriesSplit : Splits such rows without leakage.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklrnn import supervise
    >>> hours = pd.date_range("2024-01-01", periods=5, freq="h")
    >>> data = pd.DataFrame({"temp": [1.0, 2.0, 3.0, 4.0, 5.0], "wind": [7, 7, 8, 8, 9]}, index=hours)
    >>> X, y = supervise(data, target="temp", horizon=2)
    >>> X.join(y)
                         temp  wind  temp_lead1  temp_lead2
    2024-01-01 00:00:00   1.0     7         2.0         3.0
    2024-01-01 01:00:00   2.0     7         3.0         4.0
    2024-01-01 02:00:00   3.0     8         4.0         5.0

    A series needs no target:

    >>> X, y = supervise(data["temp"], horizon=[2])
    >>> X.join(y)
                         temp  temp_lead2
    2024-01-01 00:00:00   1.0         3.0
    2024-01-01 01:00:00   2.0         4.0
    2024-01-01 02:00:00   3.0         5.0
    """
    data, target = _read_target(read_values(data, "data"), target)
    wanted = check_steps(horizon)
    if steps not in ("index", "rows"):
        raise ValueError(f"steps must be 'index' or 'rows', got {steps!r}.")
    columns = target_columns(data, target)
    chosen = take_columns(data, columns)
    values = chosen.to_numpy() if hasattr(chosen, "to_numpy") else np.asarray(chosen)
    if not len(values):
        raise ValueError(f"A horizon of {wanted.max()} steps needs at least {wanted.max() + 1} rows, data has none.")
    if not is_calendar(calendar):
        raise ValueError(f"calendar must be {CALENDAR_WORDS}, got {calendar!r}.")
    table = split_table(data, time_column=time_column, groups=groups)
    entities, positions = _positions(table, len(values), by_index=steps == "index")
    future, reaches = future_rows(entities, positions, wanted, len(values))
    if not reaches.any():
        longest = max(map(len, positions))
        raise ValueError(
            f"A horizon of {wanted.max()} steps needs at least {wanted.max() + 1} rows, got {longest}. "
            "Shorten the horizon or pass more rows."
        )
    rows = np.flatnonzero(reaches)
    names = [data.columns[column] if hasattr(data, "columns") else column for column in columns]
    y = values[future[rows]]  # a missing row gives the last one here, and is dropped or refused below
    missing = (future[rows] == MISSING)[:, :, np.newaxis] | pd.isna(y)
    if missing.any() and not dropna:
        raise ValueError(_describe_missing(missing, future[rows], rows, wanted, names))
    complete = ~missing.any(axis=(1, 2))
    if not complete.any():
        raise ValueError("Every row has a missing value in its future: fill the target first, or shorten the horizon.")
    rows, last = rows[complete], wanted.argmax()
    X, y = _package(data, rows, y[complete], wanted, names)
    if calendar is None:
        return X, y
    dates = need_dates(table.labels, calendar, "data")
    cycles = check_cycles(calendar, dates)
    of_target = calendar_columns(dates[future[rows, last]], cycles, f"_lead{wanted[last]}")
    return _with_columns(X, calendar_columns(dates[rows], cycles) | of_target), y


def _read_target(data: Any, target: Any) -> tuple[Any, Any]:
    """Data as a table, and the column or columns to predict, which may be left out where there is only one."""
    is_series, data = np.ndim(data) == 1, as_table(data)
    names = list(data.columns) if hasattr(data, "columns") else list(range(data.shape[1]))
    if target is None:
        if len(names) > 1:
            raise ValueError(f"Data of {len(names)} columns needs a target: name one of {names}, or a list of these.")
        return data, names[0]
    if is_series and target not in names:
        raise ValueError(
            f"A series has one column, so target is left out, got target={target!r}. Name the horizon: "
            "supervise(series, horizon=...)."
        )
    return data, target


def check_steps(horizon: Any) -> Array:
    """The steps ahead that a horizon asks for."""
    if isinstance(horizon, Integral):
        check_int("horizon", horizon, 1)
        return np.arange(1, int(horizon) + 1)
    steps = list(horizon) if hasattr(horizon, "__iter__") and not isinstance(horizon, str) else [horizon]
    for step in steps:
        check_int("Each step of horizon", step, 1)
    if not steps or len(set(steps)) < len(steps):
        raise ValueError(f"horizon must be an int or a list of different steps, got {horizon!r}.")
    return np.asarray(steps, dtype=np.intp)


def target_columns(data: Any, target: Any) -> list[int]:
    """The positions of the columns to predict."""
    names = target if isinstance(target, list) else [target]
    columns = [column_position(data, name, "target") for name in names]
    found = [column for column in columns if column is not None]
    if not found or len(found) < len(names):
        raise ValueError(f"target must name at least one column, got {target!r}.")
    return found


def _positions(table: Table, n_rows: int, *, by_index: bool) -> tuple[list[Entity], list[Array]]:
    """For each row of each series the number of steps since the first."""
    entities = table.entities
    series = read_entity_times(table.labels, entities, "data") if by_index else []
    if not series:
        return entities, [np.arange(len(entity.row_numbers(n_rows))) for entity in entities]
    grid = infer_grid(series, sure=table.labels_are_time)
    return entities, [grid.positions(own.values) for own in series]


def future_rows(entities: list[Entity], positions: list[Array], steps: Array, n_rows: int) -> tuple[Array, Array]:
    """For each row the rows that are the given steps ahead, and whether its whole future lies in the series.

    Where no row is so many steps ahead, it is ``MISSING``.
    """
    future = np.full((n_rows, len(steps)), MISSING)
    reaches = np.zeros(n_rows, dtype=bool)
    for entity, position in zip(entities, positions, strict=True):
        own = entity.row_numbers(n_rows)
        ahead = position[:, np.newaxis] + steps
        at = np.minimum(np.searchsorted(position, ahead), len(position) - 1)
        future[own] = np.where(position[at] == ahead, own[at], MISSING)
        reaches[own] = ahead.max(axis=1) <= position[-1]
    return future, reaches


def _describe_missing(missing: Array, future: Array, rows: Array, steps: Array, names: list[Any]) -> str:
    first, step, column = np.argwhere(missing)[0]
    start = f"The target of row {rows[first]}, {steps[step]} step(s) ahead, is missing: "
    if future[first, step] == MISSING:
        return (
            f"{start}the index has a gap there. Fill it (data.asfreq and interpolate), pass dropna=True to leave such "
            "rows out, or steps='rows' to take the next rows whatever their time."
        )
    return (
        f"{start}column {names[column]!r} is NaN in row {future[first, step]}. Fill it, or pass dropna=True to leave "
        "such rows out."
    )


def _with_columns(X: Any, added: dict[str, Array]) -> Any:
    """X with further columns behind its own."""
    if hasattr(X, "iloc"):
        return X.assign(**added)
    if hasattr(X, "columns"):
        return X.hstack(type(X)(added))
    return np.column_stack([X, *added.values()])


def _package(data: Any, rows: Array, y: Array, steps: Array, names: list[Any]) -> tuple[Any, Any]:
    """Give X and y the container of the data; X is a view where its rows are contiguous."""
    unbroken = len(rows) == rows[-1] - rows[0] + 1
    take = slice(int(rows[0]), int(rows[-1]) + 1) if unbroken else rows
    columns = y.reshape(len(y), -1)
    is_single = columns.shape[1] == 1
    leads = [f"{name}_lead{step}" for step in steps for name in names]
    if hasattr(data, "iloc"):
        X = data.iloc[take]
        frame = pd.DataFrame(columns, index=X.index, columns=leads)
        return X, frame.iloc[:, 0] if is_single else frame
    if hasattr(data, "columns"):
        frame = type(data)({lead: columns[:, number] for number, lead in enumerate(leads)})
        return data[take], frame.to_series() if is_single else frame
    return data[take], columns[:, 0] if is_single else columns
