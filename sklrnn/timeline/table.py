"""A table taken apart: the features, what tells the time of its rows, and what tells its entities apart."""

from collections.abc import Hashable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import check_array

__all__ = ["Entity", "Table", "check_numbers", "column_position", "split_entities", "take_apart", "take_columns"]

Array = NDArray[Any]
FLOATS = (np.float64, np.float32)


class Entity(NamedTuple):
    """One series of a panel: its name and its row numbers. A single series has the name None and all rows."""

    name: Hashable
    rows: Any


class Table(NamedTuple):
    """The columns that are features, the labels that may tell the time (or None), and the series of the panel."""

    features: Any
    feature_columns: list[int]
    labels: Any
    labels_are_time: bool  # said so by the user; a plain index may as well number the rows
    entities: list[Entity]


def take_apart(X: Any, *, time_column: Any = None, groups: Any = None) -> Table:
    """Split a frame or array into features, time labels and entities, without looking at the values."""
    if not hasattr(X, "shape"):
        # check_array words its errors better when it meets what the user gave, unless a column must be found first.
        X = X if time_column is None and groups is None else np.asarray(X)
    special = [column_position(X, time_column, "time_column"), column_position(X, groups, "groups")]
    taken = [position for position in special if position is not None]
    n_columns = X.shape[1] if len(getattr(X, "shape", ())) == 2 else 0
    columns = [position for position in range(n_columns) if position not in taken]
    if taken and not columns:
        raise ValueError(f"X holds no feature beside time_column={time_column!r} and groups={groups!r}. Add a column.")
    labels: Any = X.index if hasattr(X, "iloc") else None
    said_so = special[0] is not None or getattr(labels, "nlevels", 1) > 1
    if getattr(labels, "nlevels", 1) > 1:
        labels = labels.get_level_values(-1)
    if special[0] is not None:
        labels = _column(X, special[0])
    return Table(take_columns(X, columns) if taken else X, columns, labels, said_so, split_entities(X, groups))


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
    return X.iloc[:, positions] if hasattr(X, "iloc") else X[:, positions]


def split_entities(X: Any, groups: Any = None) -> list[Entity]:
    """Find the rows of each entity, which a column names, or else the levels of a MultiIndex before its last."""
    position = column_position(X, groups, "groups")
    if position is not None:
        keys = _column(X, position)
    elif getattr(getattr(X, "index", None), "nlevels", 1) > 1:
        keys = X.index.droplevel(-1)
    else:
        return [Entity(None, slice(None))]
    codes, names = pd.factorize(keys if hasattr(keys, "factorize") else np.asarray(keys))
    if (codes < 0).any():
        raise ValueError(f"Every row needs an entity, but groups={groups!r} has none in row {np.argmax(codes < 0)}.")
    by_entity = np.argsort(codes, kind="stable")
    runs = np.split(by_entity, np.flatnonzero(np.diff(codes[by_entity])) + 1)
    return [Entity(name, rows) for name, rows in zip(names, runs, strict=True)]


def check_numbers(estimator: Any, features: Any) -> Array:
    """Check a table of numbers: float32 and float64 stay, others become float64; NaN passes, infinity does not."""
    _refuse_what_is_no_number(features)
    try:
        checked: Array = check_array(
            features, dtype=FLOATS, ensure_all_finite="allow-nan", estimator=estimator, input_name="X"
        )
    except ValueError as error:
        raise _naming_the_column(error, features) from None
    return checked


def _column(X: Any, position: int) -> Any:
    return X.iloc[:, position] if hasattr(X, "iloc") else np.asarray(X[:, position])


def _naming_the_column(error: ValueError, features: Any) -> ValueError:
    """Say where the first infinite value lies, if that is what is wrong."""
    if "infinity" not in str(error) or len(getattr(features, "shape", ())) != 2:
        return error
    for position in range(features.shape[1]):
        infinite = np.isinf(np.asarray(_column(features, position), dtype=np.float64))
        if infinite.any():
            name = list(features.columns)[position] if hasattr(features, "columns") else position
            return ValueError(f"{error} The first is in column {name!r}, row {int(infinite.argmax())}.")
    return error


def _refuse_what_is_no_number(features: Any) -> None:
    """Name the column, which numpy does not do when it fails to convert a whole table."""
    if len(getattr(features, "shape", ())) != 2 or hasattr(features, "toarray"):
        return
    if not hasattr(features, "columns") and features.dtype.kind not in "OUSmM":
        return
    names = list(features.columns) if hasattr(features, "columns") else list(range(features.shape[1]))
    for position, name in enumerate(names):
        column = _column(features, position)
        kind = getattr(column.dtype, "kind", "O")
        if kind in "biufc":
            continue
        advice = "Encode it before the window, for example with a ColumnTransformer, or leave it out."
        if kind in "mM":
            raise ValueError(f"Column {name!r} holds times, not numbers. Name it as time_column, or leave it out.")
        try:
            np.asarray(column, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise type(error)(f"Column {name!r} holds no numbers: {error}. {advice}") from error
