"""The window of one row of a series and its targets, placed by their distance from the row."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklrnn.inputs.validation import check_int
from sklrnn.inspection.fitted_window import find_window, window_features
from sklrnn.inspection.recorded_table import check_choice
from sklrnn.preprocessing.sliding_window import SlidingWindow


class WindowOfRow(NamedTuple):
    """One feature of a window and its targets; every index holds steps, counted from the newest row of the window."""

    series: pd.Series
    window: pd.DataFrame
    target: pd.Series
    label: str


def window_of_row(est: Any, X: Any, *, row: int | None, target: Any, horizon: Any) -> WindowOfRow:
    """Find the window that ends at a row, and the steps to predict after it."""
    window, rows = find_window(est, X)
    if window is None:
        raise TypeError(f"A SlidingWindow, or a pipeline that has one, cuts windows; got {est!r}.")
    table, values = window._read(rows, reset=False)
    ahead = _steps_ahead(window.horizon if horizon is None else horizon)
    row = _check_row(row, len(values), int(ahead.max(initial=0)))
    names = window_features(window)[: len(window._feature_columns)]
    column = names.index(_choose_target(target, names))
    entity, own = next(
        (number, own)
        for number, own in enumerate(entity.row_numbers(len(values)) for entity in table.entities)
        if row in own
    )
    steps = _steps_from(window, table, entity, int(np.flatnonzero(own == row)[0]), len(own))
    series = pd.Series(values[own, column], index=pd.Index(steps, name="step"), name=names[column])
    back = pd.Index(np.arange(1 - window.window_length, 1) * window.stride_within, name="step")
    cut = _unflattened(window, rows)[row, :, column]
    parts = pd.DataFrame({"value": cut, "is_filled": window._filled_places(rows)[row]}, index=back)
    label = f"row {row}"
    if hasattr(rows, "iloc") and not np.array_equal(rows.index[row], row):
        label += f" ({rows.index[row]})"
    return WindowOfRow(series, parts, series.reindex(pd.Index(ahead, name="step")), label)


def _steps_ahead(horizon: Any) -> NDArray[np.intp]:
    """The steps that are predicted: the next ones, or those of a list."""
    if horizon is None:
        return np.array([], dtype=np.intp)
    if not isinstance(horizon, list | tuple | range | np.ndarray):
        check_int("horizon", horizon, 1)
        horizon = range(1, int(horizon) + 1)
    for step in horizon:
        check_int("Each step of horizon", step, 1)
    return np.array(list(horizon), dtype=np.intp)


def _check_row(row: int | None, n_rows: int, longest: int) -> int:
    """The number of a row, counted from the end if negative; None is the last one with a whole future."""
    if row is None:
        return max(0, n_rows - 1 - longest)
    if not -n_rows <= row < n_rows:
        raise ValueError(f"row must be a row number from 0 to {n_rows - 1}, or a negative one, got {row!r}.")
    return row % n_rows


def _choose_target(target: Any, names: list[Any]) -> Any:
    if target is None and len(names) > 1:
        raise ValueError(f"X has {len(names)} columns, so name the target: one of {names}.")
    target = names[0] if target is None else target
    check_choice("target", target, names)
    return target


def _steps_from(window: SlidingWindow, table: Any, entity: int, place: int, n_rows: int) -> NDArray[np.intp]:
    """The distance of each row of a series from the one at a place, in the steps of the window."""
    times, context = window._read_times(table), window._context
    if times and context is not None and times[entity].kind == context.grid.kind:
        positions = context.grid.positions(times[entity].values)
    else:
        positions = np.arange(n_rows)
    steps: NDArray[np.intp] = positions - positions[place]
    return steps


def _unflattened(window: SlidingWindow, rows: Any) -> Any:
    """Windows (row, time, feature), without the calendar where they are lag columns."""
    windows = np.asarray(window.transform(rows))
    if not window.flatten:
        return windows
    n_features = len(window._feature_columns)
    return windows[:, : window.window_length * n_features].reshape(len(windows), -1, n_features)
