"""The rows of each entity of a panel, and their order in time."""

from collections.abc import Hashable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import check_array, indexable

from sklrnn.timeline.time_index import Times, check_increasing

__all__ = ["Entity", "RowMask", "RowNumbers", "Timeline", "is_panel", "read_timeline", "split_entities", "times_of"]

RowNumbers = NDArray[np.intp]
RowMask = NDArray[np.bool_]


class Entity(NamedTuple):
    """One series of a panel: its name and its rows. A single series has the name None, and its rows are a slice."""

    name: Hashable
    rows: Any

    def row_numbers(self, n_rows: int) -> RowNumbers:
        """The row numbers in a table of ``n_rows`` as an array."""
        # Not the numbers of all rows for each entity: a panel may have very many.
        return np.arange(n_rows)[self.rows] if isinstance(self.rows, slice) else self.rows


def is_panel(index: Any) -> bool:
    """Whether an index is a MultiIndex: entities in the levels before its last, times in the last."""
    return getattr(index, "nlevels", 1) > 1


def times_of(index: Any) -> Any:
    """The labels that may be times: the last level of a MultiIndex, or the index itself."""
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
            f"Every row needs an entity, but row {np.argmax(codes < 0)} has none in {where}. Drop it or name its "
            "entity."
        )
    return codes, names


class Timeline(NamedTuple):
    """For each row its entity, its position among the rows of that entity, and the rank of its time among all times."""

    entity: RowNumbers
    position: RowNumbers
    time: RowNumbers

    def count_where(self, where: RowMask) -> RowNumbers:
        """For each row the number of rows of its entity where a condition holds."""
        counts = np.bincount(self.entity[where], minlength=self.entity.max(initial=-1) + 1)
        return counts[self.entity]


def read_timeline(X: Any, groups: Any = None) -> Timeline:
    """Find the entities and the order in time of the rows of ``X``.

    The entities are ``groups``, or else the levels of a pandas MultiIndex before its last. Time is the last level of a
    MultiIndex or an index of dates, periods or durations; without these it is the order of the rows of each entity.
    """
    if X is None:
        raise TypeError("X must have rows to split, got None. Pass an array, a frame or a list.")
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
    by_entity = np.argsort(entity, kind="stable")
    counts = np.bincount(entity)
    position = np.empty(n_rows, dtype=np.intp)
    position[by_entity] = np.arange(n_rows) - np.repeat(np.cumsum(counts) - counts, counts)
    # Only indexes of dates, periods and durations have a frequency; an index of integers may number the rows of the
    # whole panel.
    stamps = times_of(index)
    if not is_panel(index) and not hasattr(stamps, "freq"):
        return Timeline(entity, position, position)
    time, all_times = stamps.factorize(sort=True)
    if (time < 0).any():
        raise ValueError(f"Every row needs a time, but row {np.argmax(time < 0)} has none. Drop the row.")
    # Numbers that increase from entity to entity, so that one check finds what is wrong within any of them.
    ranks = (entity * len(all_times) + time)[by_entity]
    check_increasing(Times(ranks, "ranks", labels=stamps[by_entity]), by_entity)
    return Timeline(entity, position, time)
