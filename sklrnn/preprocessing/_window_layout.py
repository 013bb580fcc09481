"""Where rows and windows stand in one padded buffer: integer arithmetic on positions, nothing about their values.

Every window is a run of ``span`` places in the buffer, so rows that are ``d`` steps apart must stand ``d`` places
apart, and at least ``span`` where no window can reach across.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Layout", "Memory", "Plan", "join", "lay_out", "rows_before_holes", "stand_alone", "strided_windows"]

Array = NDArray[Any]


class Layout(NamedTuple):
    """The places of the rows, and for each place without a row the place whose row is repeated there."""

    places: Array
    missing: Array
    source: Array


class Memory(NamedTuple):
    """The training rows of one series that later windows may reach back to, and their times."""

    times: Array
    rows: Array


class Plan(NamedTuple):
    """How to fill the part of the buffer that one series takes: the places of new and of remembered rows, the rest."""

    n_places: int
    missing: Array
    source: Array
    new_places: Any
    known_places: Any = None
    known_rows: Array | None = None


def stand_alone(n_rows: int, span: int) -> Plan:
    """Place rows without history, one after the other."""
    return _plan(lay_out(np.arange(n_rows), span), slice(None))


def join(memory: Memory | None, new: Array, positions: Callable[[Array], Array], span: int) -> Plan:
    """Place new rows by their times, together with the remembered rows that are earlier and not among them."""
    if memory is not None:
        joins = memory.times < new[-1]
        joins[joins] = new[np.searchsorted(new, memory.times[joins])] != memory.times[joins]
    if memory is None or not joins.any():
        return _plan(lay_out(positions(new), span), slice(None))
    merged, known_at, new_at = _merge_sorted(memory.times[joins], new)
    layout = lay_out(positions(merged), span)
    plan = _plan(layout, new_at)
    return plan._replace(known_places=layout.places[known_at], known_rows=memory.rows[joins])


def _plan(layout: Layout, new_at: Any) -> Plan:
    places = layout.places[new_at]
    first, last = int(places[0]), int(places[-1])
    # Rows side by side are a slice, so that windows on them are a view (and no list of places need be kept).
    side_by_side = last - first == len(places) - 1
    new_places = slice(first, last + 1) if side_by_side else places
    return Plan(int(layout.places[-1]) + 1, layout.missing, layout.source, new_places)


def lay_out(positions: Array, span: int) -> Layout:
    """Place rows at increasing positions. Holes are as long as they are, but no longer than a window can see.

    A hole that a window can bridge repeats the row before it. Where no window reaches across, and at the start, the
    first row is repeated backwards. So what fills a place never comes from a later row than the window's own.
    """
    steps = np.minimum(np.diff(positions), span)
    places = np.empty(len(positions), dtype=np.intp)
    places[0] = span - 1
    np.cumsum(steps, out=places[1:])
    places[1:] += span - 1
    before = np.flatnonzero(steps > 1)
    bridged = steps[before] < span
    source = np.where(bridged, places[before], places[before + 1])
    n_missing = np.concatenate([[span - 1], steps[before] - 1]).astype(np.intp)
    starts = np.concatenate([[0], places[before] + 1]).astype(np.intp)
    first_of_run = np.repeat(np.cumsum(n_missing) - n_missing, n_missing)
    missing = np.repeat(starts, n_missing) + np.arange(n_missing.sum()) - first_of_run
    return Layout(places, missing, np.repeat(np.concatenate([[span - 1], source]).astype(np.intp), n_missing))


def rows_before_holes(positions: Array, span: int) -> Array:
    """Give the rows that a window ending in a hole, or after the last row, would see."""
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


def _merge_sorted(known: Array, new: Array) -> tuple[Array, Array, Array]:
    """Merge two increasing arrays without a common element; give the result and where each came to stand in it."""
    common = np.result_type(known, new)  # stamps in seconds must not cut those in nanoseconds
    known, new = known.astype(common, copy=False), new.astype(common, copy=False)
    insert_at = np.searchsorted(new, known)
    known_at = insert_at + np.arange(len(known))
    is_new = np.ones(len(known) + len(new), dtype=bool)
    is_new[known_at] = False
    return np.insert(new, insert_at, known), known_at, np.flatnonzero(is_new)
