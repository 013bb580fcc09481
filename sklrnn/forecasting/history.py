"""The data that a forecaster was given: its series, the cutoff of each, and the columns of y and X."""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sktime.forecasting.base import ForecastingHorizon

from sklrnn.forecasting.extension import append_series, merge_rows
from sklrnn.forecasting.fh_index import resolve_fh
from sklrnn.forecasting.future_X import RowsOfX, align_X, rows_after
from sklrnn.forecasting.panel_rows import PanelRows, find_keys, to_times
from sklrnn.forecasting.plain_values import SavedAsPlainValues
from sklrnn.forecasting.series import SeriesTable, check_columns_of_X, check_finite, read_values
from sklrnn.timeline.table import in_native_byte_order

Array = NDArray[Any]
ColumnNames = tuple[Hashable, ...]


class Columns(NamedTuple):
    """The names of the columns of y and X, in the order in which the networks read them."""

    y: ColumnNames
    X: ColumnNames

    @classmethod
    def from_frames(cls, y: pd.DataFrame, X: pd.DataFrame | None) -> "Columns":
        return cls(tuple(y.columns), () if X is None else tuple(X.columns))

    def reorder_y(self, y: pd.DataFrame) -> pd.DataFrame:
        """Bring the columns of y into the order of the networks; a single column may have any name."""
        return in_native_byte_order(y).iloc[:, self.positions_in_y(y.columns)]

    def positions_in_y(self, names: pd.Index) -> list[int]:
        """The position of each channel in a y with these columns."""
        return [0] if len(self.y) == len(names) == 1 else _positions(self.y, names, "y")

    def reorder_X(self, X: pd.DataFrame | None) -> pd.DataFrame | None:
        """Bring the columns of X into the order of the networks."""
        if X is None and not self.X:
            return None
        if X is None:
            raise ValueError(f"The networks were fitted with the columns {list(self.X)} of X, got no X. Pass X too.")
        return in_native_byte_order(X).iloc[:, _positions(self.X, X.columns, "X")]

    def reorder_future_X(self, X: pd.DataFrame, known_future: tuple[int, ...]) -> pd.DataFrame:
        """Bring the columns of X into the order of the networks; those without a known future may be missing."""
        if _has_default_names(X.columns) and len(X.columns) == len(self.X):
            return in_native_byte_order(X).set_axis(list(self.X), axis=1)
        needed = [self.X[position] for position in known_future]
        missing = [name for name in needed if name not in X.columns]
        if missing:
            raise ValueError(
                f"The forecast needs the columns {needed} of X, but {missing} are missing: X has {list(X.columns)}."
            )
        return in_native_byte_order(X).reindex(columns=list(self.X))


def _positions(fitted: ColumnNames, names: pd.Index, what: str) -> list[int]:
    if set(names) == set(fitted):
        return [list(names).index(name) for name in fitted]
    # Arrays have no column names: their columns are taken in the order given.
    if len(names) == len(fitted) and (_has_default_names(names) or _has_default_names(pd.Index(fitted))):
        return list(range(len(names)))
    with_what = f"with the columns {list(fitted)} of {what}" if fitted else f"without {what}"
    raise ValueError(
        f"The networks were fitted {with_what}, got {list(names)}. Pass the same columns, or make a new forecaster."
    )


def _has_default_names(names: pd.Index) -> bool:
    return list(names) == list(range(len(names)))


@dataclass(frozen=True)
class History(SavedAsPlainValues):
    """The known rows of each series, and what is needed to return forecasts in the form of y.

    ``n_known`` counts the rows of each series up to the one that it is forecast from: the last row that was passed,
    which is not the last known one if an update passed old rows again. ``index_names`` are the names of the levels of
    the index of y, and ``y_columns`` its columns, in the order of the user. ``early_X`` holds rows of X after the last
    one of y.
    """

    table: SeriesTable
    n_known: Array
    early_X: RowsOfX
    columns: Columns
    index_names: list[Any]
    y_columns: pd.Index

    @classmethod
    def from_frames(cls, y: pd.DataFrame, X: pd.DataFrame | None, columns: Columns | None = None) -> "History":
        """Read y and X; ``columns`` are those of networks that are fitted already."""
        columns = Columns.from_frames(y, X) if columns is None else columns
        X = columns.reorder_X(X)
        rows = PanelRows.of(y.index)
        values = _read_y(columns.reorder_y(y), rows)
        values_of_X, rows_of_X = _read_X(X, rows, RowsOfX.empty(len(columns.X)), rows.keys)
        table = SeriesTable.of(rows, values, values_of_X, columns.y)
        check_columns_of_X(table.X, columns.X, "X")
        early_X = rows_after(rows_of_X, table)
        return cls(table, table.lengths, early_X, columns, list(y.index.names), y.columns)

    def extend(self, y: pd.DataFrame, X: pd.DataFrame | None) -> "History":
        """Return the history with more rows, or with more series."""
        self.check_index_levels(y, "y")
        rows = PanelRows.of(y.index)
        keeps_X = X is None and len(self.early_X) > 0
        X = None if keeps_X else self.columns.reorder_X(X)
        values = _read_y(self.columns.reorder_y(y), rows)
        numbers = find_keys(rows.keys, self.table.keys)
        keys = self.table.keys
        if keys is not None and (numbers < 0).any():
            keys = keys.append(rows.keys[numbers < 0])  # type: ignore[index]
            numbers = np.where(numbers < 0, len(self.table) - 1 + np.cumsum(numbers < 0), numbers)
        values_of_X, rows_of_X = _read_X(X, rows, self.early_X, keys, numbers, self.table.times.kind)
        table, n_known = merge_rows(self.table, self.n_known, rows, numbers, values, values_of_X)
        if len(keys if keys is not None else [None]) > len(self.table):
            table, n_known = append_series(table, n_known, rows, numbers, values, values_of_X, self.columns.y)
        early_X = rows_after(rows_of_X, table)
        return replace(self, table=table, n_known=n_known, early_X=early_X)

    def with_current_scales(self) -> "History":
        """Return the history with the level and scale of all rows of each series."""
        return replace(self, table=self.table.with_current_scales())

    def from_rows(self, ids: Array, n_known: Array) -> "History":
        """The same, with other rows that some series are forecast from."""
        counts = self.n_known.copy()
        counts[ids] = n_known
        return replace(self, n_known=counts)

    def longest_index(self) -> pd.Index:
        """The index of the longest series."""
        return self.table.times.index_of(int(self.table.lengths.argmax()))

    def resolve_fh(self, fh: ForecastingHorizon) -> Array:
        """The steps of a horizon for each series, counted from its cutoff: (series, step)."""
        wanted = fh.to_pandas()
        table, n_known = self.table, self.n_known
        if fh.is_relative and pd.api.types.is_integer_dtype(wanted.dtype):
            steps = np.asarray(wanted, dtype=np.int64)
            too_early = steps.min() <= -n_known
            if too_early.any():
                number = int(np.argmax(too_early))
                resolve_fh(fh, table.times.index_of(number, int(n_known[number])), table.describe(number))
            return np.broadcast_to(steps, (len(table), len(steps)))
        resolved = np.empty((len(table), len(wanted)), dtype=np.int64)
        # Series with the same times have the same steps.
        alike = np.stack([table.times.grid_ids, table.times.first, n_known], axis=1)
        _, firsts, which = np.unique(alike, axis=0, return_index=True, return_inverse=True)
        for place in np.argsort(firsts):
            number = int(firsts[place])
            index = table.times.index_of(number, int(n_known[number]))
            resolved[which.reshape(-1) == place] = resolve_fh(fh, index, table.describe(number))[0]
        return resolved

    def times_at(self, ids: Array, steps: Array) -> pd.Index:
        """The times of series that are some steps after their cutoffs."""
        return to_times(self.table.times.ordinals_at(ids, self.n_known[ids] - 1 + steps), self.table.times.kind)

    def in_order_of_y(self, values: Array) -> Array:
        """Bring channels from the order of the networks into that of the user's y."""
        positions = self.columns.positions_in_y(self.y_columns)
        return values if positions == [0] else values[:, np.argsort(positions)]

    def check_index_levels(self, frame: pd.DataFrame, what: str) -> None:
        """A single series can't be continued by a panel, nor a panel by a hierarchy."""
        if frame.index.nlevels != len(self.index_names):
            raise TypeError(
                f"{what} has an index of {frame.index.nlevels} level(s), but the forecaster was fitted to one of "
                f"{len(self.index_names)}. Pass the same kind: a series, or a panel with the same levels."
            )


def _read_y(y: pd.DataFrame, rows: PanelRows) -> Array:
    values = read_values(y, rows)
    check_finite(values, rows, y.columns)
    return values


def _read_X(
    X: pd.DataFrame | None,
    rows: PanelRows,
    early: RowsOfX,
    keys: pd.Index | None,
    numbers: Array | None = None,
    kind: pd.Index | None = None,
) -> tuple[Array, RowsOfX]:
    """X of the rows of y, and all rows of X that are known beside those of the history.

    ``keys`` are all series, ``numbers`` those of y among them, and ``kind`` is the kind of their times.
    """
    if X is None and not len(early):
        return np.zeros((rows.offsets[-1], early.values.shape[1])), early
    if X is not None and not len(early) and _has_rows_of(X, rows):
        values = read_values(X, rows)
        check_finite(values, rows, X.columns, of="X of ")
        return values, early
    kind = rows.kind if kind is None else kind
    numbers = np.arange(len(rows)) if numbers is None else numbers
    if X is not None:
        passed = RowsOfX.read(X, keys, kind)
        passed.check_unique(keys, kind)
        early = early.updated_by(passed)
    names = pd.Index(X.columns) if X is not None else pd.RangeIndex(early.values.shape[1])
    return align_X(early, rows, numbers, kind, names), early


def _has_rows_of(X: pd.DataFrame, rows: PanelRows) -> bool:
    """Whether X has the rows of y, in their order, and no others."""
    index = X.index
    if index is rows.index:
        return True
    if len(index) != len(rows.index) or index.nlevels != rows.index.nlevels or rows.index.nlevels == 1:
        return bool(index.nlevels == 1 and index.is_unique and index.equals(rows.index))
    mine: Any = rows.index
    theirs: Any = index
    return all(
        np.array_equal(a, b) and c.equals(d)
        for a, b, c, d in zip(mine.codes, theirs.codes, mine.levels, theirs.levels, strict=True)
    )
