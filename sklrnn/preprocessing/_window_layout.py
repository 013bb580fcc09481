"""The padded buffer that windows are a view on: which row or filler is in which place, and where each window ends.

Every window is a run of ``span`` places in the buffer, so rows that are ``d`` steps apart are ``d`` places apart, and
``span`` places where no window can reach across.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from sklrnn.timeline.grid_inference import infer_grid
from sklrnn.timeline.panel import Entity
from sklrnn.timeline.table import Table
from sklrnn.timeline.time_index import TimeGrid, Times

__all__ = [
    "Context",
    "Plan",
    "fill_buffer",
    "first_places",
    "place_rows",
    "plan_rows",
    "rows_before_gaps",
    "strided_windows",
    "take_windows",
]

Array = NDArray[Any]


class ContextRows(NamedTuple):
    """The training rows of one series that later windows reach back to, and their times."""

    times: Array
    rows: Array


class Plan(NamedTuple):
    """What is in the part of the buffer that one series takes: new rows, context rows, and fillers in the rest."""

    n_places: int
    missing: Array
    source: Array
    new_places: Any
    context_places: Any = None
    context_rows: Array | None = None

    def fill(self, part: Array, new_rows: Array, filler: Any) -> None:
        """Write the rows, and a filler where there is none; None repeats rows."""
        part[self.new_places] = new_rows
        if self.context_rows is not None:
            part[self.context_places] = self.context_rows
        part[self.missing] = part[self.source] if filler is None else filler


@dataclass(frozen=True)
class Context:
    """The training rows that later windows reach back to, by series, and the grid that tells the distances in time."""

    grid: TimeGrid
    # Pairs, as the safe file formats know no dict whose keys are None.
    by_entity: list[tuple[Hashable, ContextRows]]

    @classmethod
    def of_training_rows(
        cls, table: Table, times: list[Times], values: Array, span: int, *, grid: TimeGrid | None = None
    ) -> Self:
        """Keep the last rows of each series, and those before gaps; without a ``grid`` it is inferred from them."""
        grid = grid or infer_grid(times, sure=table.labels_are_time)
        by_entity = []
        for entity, own in zip(table.entities, times, strict=True):
            keep = rows_before_gaps(grid.positions(own.values), span)
            by_entity.append((entity.name, ContextRows(own.values[keep], values[entity.rows][keep])))
        return cls(grid, by_entity)

    def __len__(self) -> int:
        return sum(len(context.rows) for _, context in self.by_entity)

    def plan(self, entities: list[Entity], times: list[Times], span: int) -> list[Plan]:
        """Place the new rows of each series together with its earlier context rows."""
        by_name = dict(self.by_entity)
        return [
            _plan_with_context(by_name.get(entity.name), own.values, self.grid.positions, span)
            for entity, own in zip(entities, times, strict=True)
        ]


def plan_rows(positions: Array, span: int, is_new: Any = slice(None), context_rows: Array | None = None) -> Plan:
    """Place rows at increasing positions; those that are not ``is_new`` are the context rows."""
    places, missing, source = place_rows(positions, span)
    new_places = places[is_new]
    first, last = int(new_places[0]), int(new_places[-1])
    # A slice where rows are in adjacent places: windows on it are a view, and no list of places is kept.
    if last - first == len(new_places) - 1:
        new_places = slice(first, last + 1)
    context_places = None if context_rows is None else places[~is_new]
    return Plan(int(places[-1]) + 1, missing, source, new_places, context_places, context_rows)


def _plan_with_context(context: ContextRows | None, new: Array, positions: Callable[[Array], Array], span: int) -> Plan:
    """Place new rows by their times, together with the context rows that are earlier and not among them."""
    if context is not None:
        joins = context.times < new[-1]
        joins[joins] = new[np.searchsorted(new, context.times[joins])] != context.times[joins]
    if context is None or not joins.any():
        return plan_rows(positions(new), span)
    merged, is_new = _merge_sorted(context.times[joins], new)
    return plan_rows(positions(merged), span, is_new, context.rows[joins])


def place_rows(positions: Array, span: int) -> tuple[Array, Array, Array]:
    """Place rows at increasing positions. Gaps keep their length, up to ``span``.

    The result is the places of the rows, the places without a row, and for each of these the place of the row that is
    repeated there. A gap that a window can reach across repeats the row before it. A longer gap, and the start, repeat
    the first row after them. So a window is never filled from a later row than its own.
    """
    steps = np.minimum(np.diff(positions), span)
    places = np.empty(len(positions), dtype=np.intp)
    places[0] = span - 1
    np.cumsum(steps, out=places[1:])
    places[1:] += span - 1
    before = np.flatnonzero(steps > 1)
    source = np.where(steps[before] < span, places[before], places[before + 1])
    n_missing = np.concatenate([[span - 1], steps[before] - 1]).astype(np.intp)
    starts = np.concatenate([[0], places[before] + 1]).astype(np.intp)
    first_of_run = np.repeat(np.cumsum(n_missing) - n_missing, n_missing)
    missing = np.repeat(starts, n_missing) + np.arange(n_missing.sum()) - first_of_run
    return places, missing, np.repeat(np.concatenate([[span - 1], source]).astype(np.intp), n_missing)


def rows_before_gaps(positions: Array, span: int) -> Array:
    """Give the rows that are in a window which ends in a gap or after the last row."""
    ends = np.append(np.flatnonzero(np.diff(positions) > 1), len(positions) - 1)
    # The window that ends one step after an end reaches back to span - 2 steps before it.
    starts = np.searchsorted(positions, positions[ends] - span + 2)
    depth = np.zeros(len(positions) + 1, dtype=np.int32)
    np.add.at(depth, starts, 1)
    np.add.at(depth, ends + 1, -1)
    return np.flatnonzero(np.cumsum(depth[:-1]) > 0)


def strided_windows(buffer: Array, length: int, stride_within: int = 1) -> Array:
    """View ``(place, feature)`` as windows ``(window, length, feature)``; nothing is copied."""
    n_windows = len(buffer) - (length - 1) * stride_within
    by_place, by_feature = buffer.strides
    return np.lib.stride_tricks.as_strided(
        buffer,
        shape=(n_windows, length, buffer.shape[1]),
        strides=(by_place, stride_within * by_place, by_feature),
        writeable=False,
    )


def fill_buffer(values: Array, plans: list[Plan], entities: list[Entity], fillers: list[Any]) -> Array:
    """Write the rows of each series, and what fills the other places."""
    buffer = np.empty((sum(plan.n_places for plan in plans), values.shape[1]), dtype=values.dtype)
    start = 0
    for plan, entity, filler in zip(plans, entities, fillers, strict=True):
        plan.fill(buffer[start : start + plan.n_places], values[entity.rows], filler)
        start += plan.n_places
    return buffer


def first_places(plans: list[Plan], entities: list[Entity], n_rows: int, back: int) -> Array:
    """The place in the buffer at which the window of each row begins, ``back`` places before the row."""
    starts, start = np.empty(n_rows, dtype=np.intp), 0
    for plan, entity in zip(plans, entities, strict=True):
        starts[entity.rows] = np.arange(start, start + plan.n_places)[plan.new_places] - back
        start += plan.n_places
    return starts


def take_windows(
    buffer: Array, plans: list[Plan], entities: list[Entity], n_rows: int, length: int, stride_within: int
) -> Array:
    """Take the windows that end at the new rows: a view of the buffer where these are one unbroken series."""
    windows = strided_windows(buffer, length, stride_within)
    back = (length - 1) * stride_within
    places = plans[0].new_places
    if entities[0].name is None and isinstance(places, slice):
        return windows[places.start - back : places.stop - back]
    return windows[first_places(plans, entities, n_rows, back)]


def _merge_sorted(known: Array, new: Array) -> tuple[Array, Array]:
    """Merge two increasing arrays without a common element, and mark what is new in the result."""
    new = new.astype(np.result_type(known, new))  # stamps in seconds must not round those in nanoseconds
    insert_at = np.searchsorted(new, known)
    is_new = np.ones(len(known) + len(new), dtype=bool)
    is_new[insert_at + np.arange(len(known))] = False
    return np.insert(new, insert_at, known), is_new
