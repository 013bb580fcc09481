"""Check y and X, and split them at each cut-off of a backtest into a training and a test part."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sklrnn.forecasting.panel_rows import PanelRows
from sklrnn.forecasting.series_times import regular_times
from sklrnn.inputs.numeric import read_numbers
from sklrnn.timeline.long_table import check_not_long
from sklrnn.timeline.panel import RowNumbers, split_entities
from sklrnn.timeline.time_index import frequency_of, is_regular

__all__ = ["BacktestFold", "check_X", "check_y", "instance_rows", "split_at_cutoffs"]

_ACCEPTED = (
    "a pandas Series or DataFrame with a DatetimeIndex, PeriodIndex or RangeIndex (a column per variable), a DataFrame "
    "with a MultiIndex whose last level is time (a panel), an array or a list"
)


class BacktestFold(NamedTuple):
    """The rows up to one cut-off (train), and the ``horizon`` rows after it (test).

    In a panel each instance has its own cut-off; ``y_test`` holds the rows of one instance after the other.
    """

    number: int
    y_train: Any
    y_test: Any
    X_train: Any
    X_test: Any


def check_y(y: Any) -> Any:
    """Convert y to floats with a regular index: a Series, a DataFrame, or the sorted DataFrame of a panel."""
    if isinstance(y, list | tuple | np.ndarray):
        y = _from_array(np.asarray(read_numbers(y, "y")))
    if not isinstance(y, pd.Series | pd.DataFrame):
        raise TypeError(f"y must be {_ACCEPTED}, got {type(y).__name__}.")
    check_not_long(y, "y")
    if not len(y) or (y.ndim == 2 and not y.shape[1]):
        raise ValueError(f"y is empty: it has the shape {y.shape}.")
    kinds = [y.dtype] if isinstance(y, pd.Series) else list(y.dtypes)
    if not all(pd.api.types.is_numeric_dtype(kind) for kind in kinds):
        raise TypeError(f"y must hold numbers, got the types {sorted({str(kind) for kind in kinds})}.")
    y = y.astype(np.float64)
    _check_finite(y)
    if isinstance(y.index, pd.MultiIndex):
        y = (y.to_frame(y.name or "y") if y.ndim == 1 else y).sort_index()
        if not _are_regular(y.index):
            for name, rows in instance_rows(y.index):
                _check_times(y.index.get_level_values(-1)[rows], f"Instance {name!r} of y")
        return y
    _check_times(y.index, "y")
    if isinstance(y.index, pd.DatetimeIndex) and y.index.freq is None:
        # Otherwise forecasters would infer the frequency from each training part.
        y.index = pd.DatetimeIndex(y.index, freq="infer")
    return y


def check_X(X: Any, y: Any) -> pd.DataFrame:
    """Convert X to a DataFrame with the index of y."""
    if isinstance(X, list | tuple | np.ndarray):
        values = np.asarray(read_numbers(X, "X"))
        if isinstance(y.index, pd.MultiIndex) or len(values) != len(y):
            raise ValueError(
                f"X without an index must have the rows of y, {len(y)}, and y must be no panel; got {len(values)} "
                "rows. Pass X as a DataFrame with the index of y."
            )
        X = pd.DataFrame(values.reshape(len(values), -1), index=y.index).rename(columns=lambda number: f"x{number}")
    if isinstance(X, pd.Series):
        X = X.to_frame(X.name or "x")
    if not isinstance(X, pd.DataFrame):
        raise TypeError(f"X must be a DataFrame with the index of y, got {type(X).__name__}.")
    check_not_long(X, "X")
    if X.index.has_duplicates:
        raise ValueError(f"X must have one row at each time, but {X.index[X.index.duplicated()][0]} is there twice.")
    missing = y.index.difference(X.index)
    if len(missing):
        kinds = "" if type(X.index) is type(y.index) else f" Its index is a {type(X.index).__name__}, that of y a "
        raise ValueError(
            f"X must cover the times of y, but {len(missing)} of {len(y)} are not in it, the first at {missing[0]}."
            f"{kinds and kinds + type(y.index).__name__ + '.'}"
        )
    return X.reindex(y.index)


def split_at_cutoffs(
    y: Any, X: Any, *, horizon: int, n_splits: int | None, step: int | None = None, initial_window: int | None = None
) -> list[BacktestFold]:
    """Split at the last ``n_splits`` cut-offs, ``step`` rows apart, counted from the end of each instance."""
    step = horizon if step is None else step
    instances = list(instance_rows(y.index))
    shortest, n_rows = min(((name, len(rows)) for name, rows in instances), key=lambda pair: pair[1])
    n_initial = 2 if initial_window is None else initial_window
    most = (n_rows - horizon - n_initial) // step + 1
    n_splits = max(most, 1) if n_splits is None else n_splits
    if most < n_splits:
        whose = "y has" if shortest is None else f"instance {shortest!r} of y has"
        remedy = f"Set n_splits={most}" if most > 0 else "Lower horizon"
        raise ValueError(
            f"{n_splits} cut-offs, {step} rows apart, with horizon={horizon} and at least {n_initial} rows before the "
            f"first need {n_initial + (n_splits - 1) * step + horizon} rows, but {whose} {n_rows}. {remedy} or lower "
            f"{'step' if initial_window is None else 'initial_window or step'}."
        )
    return list(_folds(y, X, instances, n_splits, step, horizon))


def instance_rows(index: pd.Index) -> Iterator[tuple[Any, RowNumbers]]:
    """Yield the name and the row numbers of each instance of a panel; the name of a single series is None."""
    for entity in split_entities(index):
        yield entity.name, entity.row_numbers(len(index))


def _folds(
    y: Any, X: Any, instances: list[tuple[Any, RowNumbers]], n_splits: int, step: int, horizon: int
) -> Iterator[BacktestFold]:
    for number in range(n_splits):
        after = (n_splits - 1 - number) * step
        ends = [len(rows) - horizon - after for _, rows in instances]
        train: Any
        test: Any
        if len(instances) == 1:  # a slice keeps the frequency of the index
            train, test = slice(ends[0]), slice(ends[0], ends[0] + horizon)
        else:
            pairs = list(zip(instances, ends, strict=True))
            train = np.concatenate([rows[:end] for (_, rows), end in pairs])
            test = np.concatenate([rows[end : end + horizon] for (_, rows), end in pairs])
        X_parts = (None, None) if X is None else (X.iloc[train], X.iloc[test])
        yield BacktestFold(number, y.iloc[train], y.iloc[test], *X_parts)


def _from_array(values: Any) -> Any:
    if values.ndim == 1 or (values.ndim == 2 and values.shape[1] == 1):
        return pd.Series(values.reshape(-1), name="y")
    if values.ndim == 2:
        return pd.DataFrame(values).rename(columns=lambda number: f"y{number}")
    raise ValueError(f"An array y must have the shape (time,) or (time, variable), got {values.shape}.")


def _check_finite(y: Any) -> None:
    wrong = ~np.isfinite(y.to_numpy())
    if wrong.any():
        row = int(np.argmax(wrong.reshape(len(y), -1).any(axis=1)))
        raise ValueError(
            f"y must have no missing values, but {int(wrong.sum())} of its {wrong.size} values are NaN or "
            f"infinite, the first at {y.index[row]}. Impute them first, for instance with y.ffill() or y.interpolate()."
        )


def _are_regular(index: pd.MultiIndex) -> bool:
    """Whether the times of all instances are certainly regular, looked at without an index for each of them."""
    try:
        times = regular_times(PanelRows.of(index))
    except (TypeError, ValueError):
        return False
    if isinstance(times.kind, pd.DatetimeIndex):
        return bool((times.n_rows > 2).all())  # with fewer there is no inferring a frequency
    return isinstance(times.kind, pd.PeriodIndex) or all(grid.step == 1 for grid in times.grids)


def _check_times(index: pd.Index, whose: str) -> None:
    if not (index.is_monotonic_increasing and index.is_unique):
        raise ValueError(f"{whose} must have its times in order, each of them once. Try y = y.sort_index().")
    if isinstance(index, pd.DatetimeIndex | pd.PeriodIndex):
        regular = is_regular(index)
    elif pd.api.types.is_integer_dtype(index.dtype):
        regular = frequency_of(index) == 1
    else:
        raise TypeError(
            f"{whose} must have a DatetimeIndex, a PeriodIndex or whole numbers as its times, got {index.dtype}. "
            "Try y.index = pd.DatetimeIndex(y.index), or y = y.reset_index(drop=True) to count rows."
        )
    if not regular:
        raise ValueError(
            f"{whose} has no regular frequency, so 'the next step' has no meaning. Fill the holes, for instance with "
            "y = y.asfreq('D').ffill(), or count rows with y = y.reset_index(drop=True)."
        )
