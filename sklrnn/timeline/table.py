"""A table split into its features, the times of its rows and its entities."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array

from sklrnn.timeline.panel import Entity, is_panel, split_entities, times_of
from sklrnn.timeline.time_types import find_times

__all__ = [
    "Table",
    "as_table",
    "check_numbers",
    "column_position",
    "in_native_byte_order",
    "split_table",
    "take_columns",
]

Array = NDArray[Any]
FLOATS = (np.float64, np.float32)


class Table(NamedTuple):
    """The columns that are features, the labels that may be times (or None), and the series of the panel."""

    features: Any
    feature_columns: list[int]
    labels: Any
    labels_are_time: bool  # named as such by the user, while a plain index may as well number the rows
    entities: list[Entity]


def as_table(data: Any) -> Any:
    """Read a series as a table of one column; frames and arrays of two axes stay as they are."""
    data = data if hasattr(data, "shape") else np.asarray(data)
    if len(data.shape) == 1:
        return data.to_frame() if hasattr(data, "to_frame") else data[:, np.newaxis]
    if len(data.shape) != 2:
        raise ValueError(f"A series, or a table of shape (row, column), is needed, got shape {data.shape}.")
    return data


def split_table(X: Any, *, time_column: Any = None, groups: Any = None) -> Table:
    """Split a frame or array into features, time labels and entities, without looking at the values."""
    if not hasattr(X, "shape"):
        # check_array gives the better errors for what the user gave, unless a column must be found first.
        X = X if time_column is None and groups is None else np.asarray(X)
    special = [column_position(X, time_column, "time_column"), column_position(X, groups, "groups")]
    taken = [position for position in special if position is not None]
    n_columns = X.shape[1] if len(getattr(X, "shape", ())) == 2 else 0
    columns = [position for position in range(n_columns) if position not in taken]
    if taken and not columns:
        raise ValueError(f"X has no feature besides time_column={time_column!r} and groups={groups!r}. Add a column.")
    index = X.index if hasattr(X, "iloc") else None
    are_time = special[0] is not None or is_panel(index)
    labels = times_of(index) if special[0] is None else _column(X, special[0])
    entities = split_entities(index, None if special[1] is None else _column(X, special[1]), f"groups={groups!r}")
    return Table(take_columns(X, columns) if taken else X, columns, labels, are_time, entities)


def column_position(X: Any, column: Any, parameter: str) -> int | None:
    """Find a column by its name in a frame or by its number in an array."""
    if column is None:
        return None
    if len(X.shape) != 2:
        raise ValueError(f"{parameter}={column!r} needs X of shape (row, column), got shape {X.shape}.")
    if hasattr(X, "columns"):
        names = list(X.columns)
        if column not in names:
            raise ValueError(f"{parameter}={column!r} is no column of X. Its columns are {names}.")
        return names.index(column)
    if isinstance(column, str) or not -X.shape[1] <= column < X.shape[1]:
        raise ValueError(
            f"{parameter}={column!r} is no column of an array of {X.shape[1]} columns. Give its number or pass a frame."
        )
    return int(column) % int(X.shape[1])


def take_columns(X: Any, positions: list[int]) -> Any:
    """Take columns by number from an array or a frame."""
    return in_native_byte_order(X).iloc[:, positions] if hasattr(X, "iloc") else X[:, positions]


def in_native_byte_order(frame: Any) -> Any:
    """Bring a frame of pandas into the byte order of the processor: pandas 2 takes no rows or columns of another."""
    types = frame.dtypes.items()
    foreign = {name: each.newbyteorder("=") for name, each in types if isinstance(each, np.dtype) and not each.isnative}
    return frame.astype(foreign) if foreign else frame


def check_numbers(estimator: Any, features: Any) -> Array:
    """Check a table of numbers: float32 and float64 stay, others become float64; NaN passes, infinity does not."""
    _check_columns_are_numeric(features)
    try:
        checked: Array = check_array(
            features, dtype=FLOATS, ensure_all_finite="allow-nan", estimator=estimator, input_name="X"
        )
    except ValueError as error:
        raise _with_column(error, features) from None
    except OverflowError as error:
        raise ValueError(f"X holds an integer that is too large for a float of 64 bits: {error}.") from None
    return checked


def _column(X: Any, position: int) -> Any:
    return X.iloc[:, position] if hasattr(X, "iloc") else np.asarray(X[:, position])


def _columns(X: Any) -> Iterator[tuple[Any, Any]]:
    """The names and values of the columns of a table; nothing of what has not two axes, or is sparse."""
    if len(getattr(X, "shape", ())) == 2 and not hasattr(X, "toarray"):
        names = X.columns if hasattr(X, "columns") else range(X.shape[1])
        for position, name in enumerate(names):
            yield name, _column(X, position)


def _with_column(error: ValueError, features: Any) -> ValueError:
    """Add the place of the first infinite value to an error about infinity."""
    for name, column in _columns(features) if "infinity" in str(error) else ():
        infinite = np.isinf(np.asarray(column, dtype=np.float64))
        if infinite.any():
            return ValueError(f"{error} The first is in column {name!r}, row {int(infinite.argmax())}.")
    return error


def _check_columns_are_numeric(features: Any) -> None:
    """Name the column that holds no numbers: numpy converts a whole table, and names none."""
    if not hasattr(features, "shape") and find_times(features) is not None:
        raise ValueError("X holds times, not numbers. Name their column as time_column, or leave them out.")
    for name, column in _columns(features):
        kind = getattr(column.dtype, "kind", "O")
        if kind in "biufc":
            continue
        if kind in "mM" or find_times(column) is not None:
            raise ValueError(f"Column {name!r} holds times, not numbers. Name it as time_column, or leave it out.")
        try:
            np.asarray(column, dtype=np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            advice = "Encode it before the window, for example with a ColumnTransformer, or leave it out."
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"Column {name!r} holds no numbers: {error}. {advice}") from error
