"""Sliding windows over rows that come in blocks: the last rows of each series are carried to its next block."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from sklrnn.inputs.block_source import InBlock, Key, split_block
from sklrnn.preprocessing._window_layout import Context, first_places, strided_windows
from sklrnn.preprocessing.sliding_window import SlidingWindow
from sklrnn.preprocessing.supervise import MISSING, check_steps, future_rows, target_columns
from sklrnn.timeline.grid_inference import infer_grid
from sklrnn.timeline.table import Table, split_table, take_columns
from sklrnn.timeline.time_index import TimeGrid, read_entity_times

Array = NDArray[Any]

_NUMBERS_AT_ONCE = 2**21


class _Rows(NamedTuple):
    """A table of rows, and one array for each kind of value that belongs to them, such as targets or weights."""

    table: Any
    values: tuple[Array | None, ...]

    def take(self, rows: Array) -> "_Rows":
        table = self.table.iloc[rows] if hasattr(self.table, "iloc") else self.table[rows]
        return _Rows(table, tuple(None if part is None else part[rows] for part in self.values))


class WindowBlocks:
    """Windows with their targets, some at a time, from blocks of rows; it can be iterated over many times.

    ``window`` is a copy of the user's, which the first pass fits, on the first rows, and gives the last rows of each
    series as context. Blocks are pairs (X, y) with a target for each row, or tables where ``target`` names columns that
    are predicted ``window.horizon`` steps ahead. Rows whose target is missing are left out and counted.
    """

    def __init__(self, window: SlidingWindow, blocks: Callable[[], Iterable[tuple[Key, Any]]], target: Any) -> None:
        _check_window(window)
        if target is not None and window.horizon is None:
            raise ValueError(
                f"target={target!r} is predicted window.horizon steps ahead, but that is None. Set horizon of the "
                "SlidingWindow."
            )
        self.window = clone(window)
        self.n_left_out = 0
        self._blocks, self._target = blocks, target
        self._steps = np.zeros(0, dtype=np.intp) if target is None else check_steps(window.horizon)
        self._n_first = 0  # blocks that the window was fitted on
        self._names: list[Any] | None = None
        self._grid: TimeGrid | None = None

    def __iter__(self) -> Iterator[tuple[Key, tuple[Array, Array, Any]]]:
        tails = _Tails(self.window._span - 1 + int(self._steps.max(initial=0)), self._split)
        is_first_pass, self.n_left_out = self._n_first == 0, 0
        for key, rows in self._with_first_together():
            with InBlock(key):
                pieces = self._windows_of(rows, tails)
            for number, piece in enumerate(pieces):
                yield (*key, number), piece
        if is_first_pass:
            self._remember(tails)

    # -- reading -----------------------------------------------------------------------------------------------------

    def _rows(self) -> Iterator[tuple[Key, _Rows]]:
        n_rows = 0
        for key, block in self._blocks():
            with InBlock(key):
                table, y, weights = split_block(block, self._target)
                if len(table) == 0:
                    continue
                table = self._checked_table(table, n_rows)
                values = tuple(None if part is None else np.asarray(part) for part in (y, weights))
                if any(part is not None and len(part) != len(table) for part in values):
                    raise ValueError(f"X has {len(table)} rows, and y or sample_weight has another number.")
            n_rows += len(table)
            yield key, _Rows(table, values)

    def _checked_table(self, table: Any, n_rows: int) -> Any:
        """A table with the columns of the first block; rows that are merely numbered are numbered on."""
        if not hasattr(table, "columns"):
            table = np.asarray(table)
            if table.ndim != 2:
                raise ValueError(f"With a window, blocks hold rows (row, feature), got shape {table.shape}.")
        names = list(table.columns) if hasattr(table, "columns") else list(range(table.shape[1]))
        self._names = self._names or names
        if names != self._names:
            raise ValueError(f"The columns are {names}, and those of the first block {self._names}.")
        if hasattr(table, "iloc") and isinstance(table.index, pd.RangeIndex):
            table = table.set_axis(pd.RangeIndex(n_rows, n_rows + len(table)), axis=0)
        return table

    def _with_first_together(self) -> Iterator[tuple[Key, _Rows]]:
        """The blocks; the first ones, which the window is fitted on, together."""
        first: list[_Rows] = []
        n_rows = n_wanted = 0
        blocks = self._rows()
        for number, rows in blocks:
            key = number
            first.append(rows)
            n_rows += len(rows.table)
            if self._n_first:
                is_enough = len(first) == self._n_first
            elif n_rows < n_wanted:
                continue
            else:
                n_wanted = 2 * n_rows
                is_enough = self._longest(_concatenate(first).table) >= self.window._span
            if is_enough:
                break
        if not first:
            raise ValueError("The source holds no rows. Pass at least one block.")
        together = _concatenate(first)
        if not self._n_first:
            self._fit_window(together.table)
            self._n_first = len(first)
        yield key, together
        yield from blocks

    def _longest(self, table: Any) -> int:
        return max(len(entity.row_numbers(len(table))) for entity in self._split(table).entities)

    def _split(self, table: Any) -> Table:
        return split_table(table, time_column=self.window.time_column, groups=self.window.groups)

    # -- windows -----------------------------------------------------------------------------------------------------

    def _fit_window(self, rows: Any) -> None:
        self.window.fit(rows)
        table = self._split(rows)
        times = read_entity_times(table.labels, table.entities)
        self._grid = infer_grid(times, sure=table.labels_are_time) if times else None
        self._set_context([])

    def _set_context(self, by_entity: list[Any]) -> None:
        if self.window._context is not None:
            self.window._context = Context(self.window._context.grid, by_entity)

    def _remember(self, tails: "_Tails") -> None:
        """Give the window the last rows of each series, as its own ``fit`` would."""
        window, context = self.window, self.window._context
        if context is None:
            return
        table, values = window._read(tails.all_rows()[0].table, reset=False)
        values = window._with_calendar(table, values)
        kept = Context.of_training_rows(table, window._read_times(table), values, window._span, grid=context.grid)
        window._context, window.n_context_rows_ = kept, len(kept)

    def _windows_of(self, rows: _Rows, tails: "_Tails") -> Iterator[tuple[Array, Array, Any]]:
        """The windows of new rows, and of earlier ones whose target is among these."""
        names = [entity.name for entity in self._split(rows.table).entities]
        before, done = tails.of(names)
        rows = rows if before is None else _concatenate([before, rows])
        done = np.concatenate([done, np.zeros(len(rows.table) - len(done), dtype=bool)])
        table, numbers = self.window._read(rows.table, reset=False)
        y, now_done = self._targets(rows, table)
        window = self.window
        plans = window._plan(table, numbers)
        buffer = window._fill(table, numbers, plans)
        back = (window.window_length - 1) * window.stride_within
        starts = first_places(plans, table.entities, len(numbers), back)
        tails.keep(rows, done | now_done, table.entities)
        chosen = np.flatnonzero(now_done & ~done)
        if self._target is not None:
            is_missing: Any = pd.isna(y[chosen])
            is_missing = is_missing if is_missing.ndim == 1 else is_missing.any(axis=1)
            self.n_left_out += int(is_missing.sum())
            chosen = chosen[~is_missing]
        return self._pieces(
            buffer, starts[chosen], y[chosen], None if rows.values[1] is None else rows.values[1][chosen]
        )

    def _pieces(self, buffer: Array, starts: Array, y: Array, weights: Any) -> Iterator[tuple[Array, Array, Any]]:
        length = self.window.window_length
        windows = strided_windows(buffer, length, self.window.stride_within)
        size = max(1, _NUMBERS_AT_ONCE // (length * buffer.shape[1]))
        for start in range(0, len(starts), size):
            some = slice(start, start + size)
            yield windows[starts[some]], y[some], None if weights is None else weights[some]

    def _targets(self, rows: _Rows, table: Table) -> tuple[Array, Array]:
        """The target of each row, and which rows have all that there will be of it."""
        n_rows = len(rows.table)
        if self._target is None:
            assert rows.values[0] is not None
            return rows.values[0], np.ones(n_rows, dtype=bool)
        times = [] if self._grid is None else read_entity_times(table.labels, table.entities)
        if times and self._grid is not None:
            positions = [self._grid.positions(own.values) for own in times]
        else:
            positions = [np.arange(len(entity.row_numbers(n_rows))) for entity in table.entities]
        future, reaches = future_rows(table.entities, positions, self._steps, n_rows)
        of_row = np.asarray(take_columns(rows.table, target_columns(rows.table, self._target)))
        y = of_row[future]  # (row, step, target)
        if (future == MISSING).any():
            y = y.astype(np.result_type(y.dtype, np.float64) if y.dtype.kind in "iuf" else object)
            y[future == MISSING] = np.nan
        y = y.reshape(n_rows, -1)
        return y[:, 0] if y.shape[1] == 1 else y, reaches


class _Tail(NamedTuple):
    """The last rows of a series: some of those of a block."""

    of_block: _Rows
    done: Array
    rows: Array


class _Tails:
    """The last rows of each series, and which of them have given their window already."""

    def __init__(self, n_rows: int, split: Callable[[Any], Table]) -> None:
        self._n_rows, self._split = n_rows, split
        self._by_name: dict[Hashable, _Tail] = {}
        self._n_kept = 0  # rows since all were joined

    def of(self, names: list[Hashable]) -> tuple[_Rows | None, Array]:
        """Those of some series, each in the order of time."""
        by_block: dict[int, list[_Tail]] = {}
        for name in names:
            if name in self._by_name:
                tail = self._by_name[name]
                by_block.setdefault(id(tail.of_block), []).append(tail)
        parts, done = [], [np.zeros(0, dtype=bool)]
        for of_block in by_block.values():
            rows = np.sort(np.concatenate([tail.rows for tail in of_block]))
            parts.append(of_block[0].of_block.take(rows))
            done.append(of_block[0].done[rows])
        return _concatenate(parts) if parts else None, np.concatenate(done)

    def keep(self, rows: _Rows, done: Array, entities: list[Any]) -> None:
        """Take the last rows of each of these series."""
        if self._n_rows == 0:
            return
        last = [entity.row_numbers(len(done))[-self._n_rows :] for entity in entities]
        kept = np.sort(np.concatenate(last))  # a copy: the rest of the block is freed
        of_block, done = rows.take(kept), done[kept]
        for entity, own in zip(entities, last, strict=True):
            self._by_name[entity.name] = _Tail(of_block, done, np.searchsorted(kept, own))
        self._n_kept += len(kept)
        # A table stays as a whole while one of its series is needed.
        if self._n_kept > 2 * sum(len(tail.rows) for tail in self._by_name.values()):
            self._n_kept = 0
            rows, done = self.all_rows()
            self.keep(rows, done, self._split(rows.table).entities)

    def all_rows(self) -> tuple[_Rows, Array]:
        rows, done = self.of(list(self._by_name))
        assert rows is not None
        return rows, done


def _concatenate(parts: list[_Rows]) -> _Rows:
    if len(parts) == 1:
        return parts[0]
    tables = [part.table for part in parts]
    table = pd.concat(tables) if hasattr(tables[0], "iloc") else np.concatenate(tables)
    values = zip(*(part.values for part in parts), strict=True)
    return _Rows(table, tuple(None if own[0] is None else np.concatenate(own) for own in values))


def _check_window(window: Any) -> None:
    if not isinstance(window, SlidingWindow):
        raise TypeError(f"window must be a SlidingWindow, got {window!r}.")
    refused = {"padding": "mean", "calendar": "auto", "flatten": True}
    advice = {
        "padding": 'the mean of a series is known when all blocks have been read. Set padding="edge"',
        "calendar": "the cycles are known when all blocks have been read. Name them, as in calendar=['day', 'week']",
        "flatten": "a recurrent network reads windows, not lag columns. Set flatten=False",
    }
    for name, value in refused.items():
        if getattr(window, name) == value:
            raise ValueError(f"{name}={value!r} can't be combined with fit_blocks: {advice[name]}.")
