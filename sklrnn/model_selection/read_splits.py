"""The splits of any splitter as checked row numbers."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.utils.metadata_routing import get_routing_for_object

from sklrnn.timeline.panel import RowNumbers


def read_splits(splitter: Any, X: Any, y: Any, groups: Any, *, n_rows: int) -> Iterator[tuple[RowNumbers, RowNumbers]]:
    """The row numbers of the training and the test set of each split; a splitter that gives none is an error."""
    number = -1
    for number, pair in enumerate(splitter.split(X, y, groups if _takes_groups(splitter) else None)):
        train, test = (_as_rows(rows, number, n_rows) for rows in pair)
        yield train, test
    if number < 0:
        raise ValueError("cv gave no split. A generator can be used up only once.")


def _takes_groups(splitter: Any) -> bool:
    # scikit-learn's splitters warn if they get groups that they do not use.
    if not hasattr(splitter, "get_metadata_routing"):
        return True
    return bool(get_routing_for_object(splitter).consumes("split", ["groups"]))


def _as_rows(rows: Any, number: int, n_rows: int) -> RowNumbers:
    given = np.asarray(rows)
    if given.dtype == bool and len(given) != n_rows:
        raise ValueError(f"Split {number} of cv has a mask of {len(given)} values, but X has {n_rows} rows.")
    if given.size and given.dtype.kind not in "biu":
        raise ValueError(f"Split {number} of cv must hold row numbers, got values of type {given.dtype}.")
    numbers: RowNumbers = np.flatnonzero(given) if given.dtype == bool else given.astype(np.intp)
    outside = (numbers < 0) | (numbers >= n_rows)
    if outside.any():
        raise ValueError(
            f"Split {number} of cv names row {numbers[outside][0]}, but X has the rows 0 to {n_rows - 1}. "
            "Pass the X that the splits were made for."
        )
    return numbers
