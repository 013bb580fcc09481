"""Series that are extended by later, earlier or corrected rows, and tables that are extended by further series."""

from collections.abc import Hashable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklrnn.forecasting.fh_index import check_same_index_type, continue_index
from sklrnn.forecasting.panel_rows import PanelRows, stretches
from sklrnn.forecasting.series import SeriesTable

Array = NDArray[Any]


def merge_rows(
    table: SeriesTable, n_known: Array, rows: PanelRows, numbers: Array, y: Array, X: Array
) -> tuple[SeriesTable, Array]:
    """Add new rows to the series with these numbers; they replace known rows with the same time.

    The new cutoff of a series is its last new row: returns also the number of rows up to it.
    """
    ids = numbers[numbers < len(table)]
    if not len(ids):
        return table, n_known
    kind = table.times.kind
    check_same_index_type(rows.kind, kind, "update got times of the kind {}, but was fitted to {}")
    chosen = numbers < len(table)
    new_rows = stretches(rows.offsets[:-1][chosen], rows.lengths[chosen])
    first, n_new = _continue(table, rows, chosen, ids, rows.ordinals_in(kind)[new_rows]), rows.lengths[chosen]
    lengths, before = table.lengths.copy(), np.zeros(len(table), dtype=np.int64)
    before[ids] = np.maximum(0, -first)
    lengths[ids] = np.maximum(table.lengths[ids], first + n_new) + before[ids]
    starts = np.cumsum(lengths) - lengths
    old_places, new_places = (
        stretches(starts + before, table.lengths),
        stretches((starts + before)[ids] + first, n_new),
    )
    new_first = table.times.first.copy()
    new_first[ids] = table.times.ordinals_at(ids, np.minimum(0, first))
    known = n_known.copy()
    known[ids] = before[ids] + first + n_new
    merged = [
        _merged(old, new[new_rows], old_places, new_places, int(lengths.sum()))
        for old, new in ((table.y, y), (table.X, X))
    ]
    times = replace(table.times, first=new_first, n_rows=lengths)
    return replace(table, times=times, y=merged[0], X=merged[1]), known


def _continue(table: SeriesTable, rows: PanelRows, chosen: Array, ids: Array, ordinals: Array) -> Array:
    """How many steps the new rows of each series start after its first known one; they overlap, follow or precede."""
    lengths = rows.lengths[chosen]
    steps, fits = table.times.steps_between(np.repeat(ids, lengths), ordinals)
    starts = np.cumsum(lengths) - lengths
    first = steps[starts]
    fits &= steps == stretches(first, lengths)
    follows = np.logical_and.reduceat(fits, starts)
    follows &= (first <= table.lengths[ids]) & (first + lengths >= 0)
    if not follows.all():
        place = int(np.argmin(follows))
        number = int(np.flatnonzero(chosen)[place])
        continue_index(table.times.index_of(int(ids[place])), rows.times_of(number), table.describe(int(ids[place])))
    return np.asarray(first)


def _merged(old: Array, new: Array, old_places: Array, new_places: Array, n_rows: int) -> Array:
    merged = np.empty((n_rows, old.shape[1]))
    merged[old_places] = old
    merged[new_places] = new
    return merged


def append_series(
    table: SeriesTable,
    n_known: Array,
    rows: PanelRows,
    numbers: Array,
    y: Array,
    X: Array,
    channels: tuple[Hashable, ...],
) -> tuple[SeriesTable, Array]:
    """Add the series that have numbers after those of the table."""
    check_same_index_type(rows.kind, table.times.kind, "update got times of the kind {}, but was fitted to {}")
    chosen = np.flatnonzero(numbers >= len(table))
    own = stretches(rows.offsets[:-1][chosen], rows.lengths[chosen])
    added = SeriesTable.of(rows.take(chosen, table.times.kind), y[own], X[own], channels, table.times)
    keys: Any = table.keys
    longer = SeriesTable(
        keys.append(added.keys),
        table.times.followed_by(added.times),
        *(np.concatenate([getattr(part, name) for part in (table, added)]) for name in ("y", "X", "level", "scale")),
    )
    return longer, np.concatenate([n_known, added.lengths])
