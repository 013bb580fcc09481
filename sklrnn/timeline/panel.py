"""The rows of each entity of a panel, and their order in time."""

from collections.abc import Hashable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import check_array, indexable

__all__ = ["Entity", "RowMask", "RowNumbers", "Timeline", "is_panel", "read_timeline", "split_entities", "times_of"]

RowNumbers = NDArray[np.intp]
RowMask = NDArray[np.bool_]


class Entity(NamedTuple):
    """One series of a panel: its name and its rows. A single series has the name None, and its rows are a slice."""

    name: Hashable
    rows: Any

    def row_numbers(self, n_rows: int) -> RowNumbers:
        """The row numbers in a table of ``n_rows`` as an array."""
        return np.arange(n_rows)[self.rows]


def is_panel(index: Any) -> bool:
    """Whether an index is a MultiIndex: entities in the levels before its last, times in the last."""
    return getattr(index, "nlevels", 1) > 1


def times_of(index: Any) -> Any:
    """What an index says of time: the last level of a MultiIndex, or all of it."""
    return index.get_level_values(-1) if is_panel(index) else index


def split_entities(index: Any, groups: Any = None, called: str = "groups") -> list[Entity]:
    """Find the rows of each entity, in the order of their first rows.

    Entities are the values of ``groups``, one for each row, or else the levels of a MultiIndex before its last. An
    error says what the user ``called`` the groups.
    """
    if groups is None and not is_panel(index):
        return [Entity(None, slice(None))]
    codes, names = _number_entities(index, groups, called)
    by_entity = np.argsort(codes, kind="stable")
    runs = np.split(by_entity, np.flatnonzero(np.diff(codes[by_entity])) + 1)
    return [Entity(name, rows) for name, rows in zip(names, runs, strict=True)]


def _number_entities(index: Any, groups: Any = None, called: str = "groups") -> tuple[RowNumbers, Any]:
    """Number the entities in the order of their first rows; give each row its entity's number, and the names."""
    keys = index.droplevel(-1) if groups is None else groups
    codes, names = pd.factorize(keys if hasattr(keys, "factorize") else np.asarray(keys))
    if (codes < 0).any():
        where = "the index" if groups is None else called
        raise ValueError(
            f"Every row needs an entity, but row {np.argmax(codes < 0)} has none in {where}. Drop it or name its entity."
        )
    return codes, names


class Timeline(NamedTuple):
    """Where each row stands: its entity, its place within that entity and the rank of its time among all times."""

    entity: RowNumbers
    place: RowNumbers
    time: RowNumbers

    def count_where(self, where: RowMask) -> RowNumbers:
        """Count the rows of each entity that fulfil a condition, and give every row its entity's count."""
        counts = np.bincount(self.entity[where], minlength=self.entity.max(initial=-1) + 1)
        return counts[self.entity]


def read_timeline(X: Any, groups: Any = None) -> Timeline:
    """Find the entities and the order in time of the rows of ``X``.

    The entities are ``groups``, or else the levels of a pandas MultiIndex before its last. Time is the last level of a
    MultiIndex or an index of dates, periods or durations; without these it is the order of the rows of each entity.
    """
    X, groups = indexable(X, groups)
    n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
    index = X.index if hasattr(X, "iloc") else None
    if groups is not None:
        labels = check_array(groups, ensure_2d=False, dtype=None, input_name="groups")
        entity = np.unique(labels, return_inverse=True)[1].reshape(-1)
    elif is_panel(index):
        entity, _ = _number_entities(index)
    else:
        entity = np.zeros(n_rows, dtype=np.intp)
    place = _place_within(entity)
    # Of all pandas indexes just those of dates, periods and durations know a frequency. An index of integers may be
    # the number of a row in the whole panel, so it tells no time.
    stamps = times_of(index)
    if not is_panel(index) and not hasattr(stamps, "freq"):
        return Timeline(entity, place, place)
    time = stamps.factorize(sort=True)[0]
    _check_order(entity, time, stamps)
    return Timeline(entity, place, time)


def _place_within(entity: RowNumbers) -> RowNumbers:
    order = np.argsort(entity, kind="stable")
    counts = np.bincount(entity)
    place = np.empty(len(entity), dtype=np.intp)
    place[order] = np.arange(len(entity)) - np.repeat(np.cumsum(counts) - counts, counts)
    return place


def _check_order(entity: RowNumbers, time: RowNumbers, stamps: Any) -> None:
    if (time < 0).any():
        raise ValueError(f"Row {np.argmax(time < 0)} of X has no time in its index. Drop it or give it a time.")
    order = np.argsort(entity, kind="stable")
    backwards = (np.diff(time[order]) <= 0) & (np.diff(entity[order]) == 0)
    if backwards.any():
        early, late = order[np.argmax(backwards) + np.array([0, 1])]
        raise ValueError(
            f"The rows of X must be in time order, but row {late} ({stamps[late]}) does not come after row {early} "
            f"({stamps[early]}). Sort X by its index; if several entities share the times, say so with groups=."
        )
