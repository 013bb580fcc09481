"""Where the rows of a table stand in time, for one series or for a panel of many."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array, indexable

__all__ = ["Mask", "Rows", "Timeline", "read_timeline"]

Rows = NDArray[np.intp]
Mask = NDArray[np.bool_]


class Timeline(NamedTuple):
    """Where each row stands: its entity, its place within that entity and the rank of its time among all times."""

    entity: Rows
    place: Rows
    time: Rows

    def count_where(self, where: Mask) -> Rows:
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
    is_multi = getattr(index, "nlevels", 1) > 1
    if groups is not None:
        labels = check_array(groups, ensure_2d=False, dtype=None, input_name="groups")
        entity = np.unique(labels, return_inverse=True)[1].reshape(-1)
    elif is_multi:
        entity = index.droplevel(-1).factorize()[0]  # type: ignore[union-attr]
        if (entity < 0).any():
            raise ValueError(
                f"Row {np.argmax(entity < 0)} of X has no entity in its index. Drop it or name its entity."
            )
    else:
        entity = np.zeros(n_rows, dtype=np.intp)
    place = _place_within(entity)
    # Of all pandas indexes just those of dates, periods and durations know a frequency. An index of integers may be
    # the number of a row in the whole panel, so it is no clock.
    stamps = index.get_level_values(-1) if is_multi else index  # type: ignore[union-attr]
    if not is_multi and not hasattr(stamps, "freq"):
        return Timeline(entity, place, place)
    time = stamps.factorize(sort=True)[0]  # type: ignore[union-attr]
    _check_order(entity, time, stamps)
    return Timeline(entity, place, time)


def _place_within(entity: Rows) -> Rows:
    order = np.argsort(entity, kind="stable")
    counts = np.bincount(entity)
    place = np.empty(len(entity), dtype=np.intp)
    place[order] = np.arange(len(entity)) - np.repeat(np.cumsum(counts) - counts, counts)
    return place


def _check_order(entity: Rows, time: Rows, stamps: Any) -> None:
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
