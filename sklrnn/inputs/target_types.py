"""Targets, before numpy turns them into one type."""

from collections.abc import Iterable
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import assert_all_finite, check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from sklrnn.inputs.numeric import read_values


def read_targets(y: Any) -> Any:
    """Refuse missing targets, and strings among numbers, which numpy would turn into strings too."""
    y = read_values(y, "y")
    _refuse_mixture(_types_of(y, "row"))
    return y


def check_labels(X: Any, y: Any) -> NDArray[Any]:
    """Check one label for each sample of X, or for each of its steps."""
    labels: NDArray[Any] = column_or_1d(read_targets(y), warn=True)
    assert_all_finite(labels, input_name="y")
    check_consistent_length(X, labels)
    check_classification_targets(labels)
    return labels


def check_step_types(rows: list[Any]) -> None:
    """Check the targets of all steps of all sequences in the same way."""
    types: dict[str, Any] = {}
    for number, row in enumerate(rows):
        types = _types_of(row, f"sequence {number}, step") | types
    _refuse_mixture(types)


def _types_of(labels: Any, place: str) -> dict[str, Any]:
    """A string and a number among the labels, where there are any; ``place`` is what their positions count."""
    dtype = getattr(labels, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind != "O":
        kind = "string" if dtype.kind in "US" else "number"
        return {kind: np.ravel(labels)[0]} if labels.size else {}
    found: dict[str, Any] = {}
    for number, label in enumerate(_items(labels)):
        if label is None or label is pd.NA or label is pd.NaT or (isinstance(label, float) and label != label):
            kind = "NaN" if isinstance(label, float) else f"a missing value, {label!r}"
            raise ValueError(
                f"Input y contains {kind}: the first is in {place} {number}. Leave such rows out, or make missing a "
                "class of its own."
            )
        if isinstance(label, str):
            found.setdefault("string", label)
        elif isinstance(label, Number | np.bool_):
            if isinstance(label, int) and not -(2**63) <= label < 2**64:
                raise ValueError(f"y holds an integer that is too large for 64 bits, in {place} {number}.")
            found.setdefault("number", label)
    return found


def _items(labels: Any) -> Iterable[Any]:
    if hasattr(labels, "columns") or not hasattr(labels, "__len__") or getattr(labels, "ndim", 1) == 0:
        return ()  # whether there is one label a sample is checked later
    return labels.ravel() if isinstance(labels, np.ndarray) else labels


def _refuse_mixture(found: dict[str, Any]) -> None:
    if len(found) > 1:
        text, number = found["string"], found["number"]
        raise ValueError(
            f"Mix of label input types (string and number): y holds {text!r} ({type(text).__name__}) and {number!r} "
            f"({type(number).__name__}). Give all labels one type, for example with [str(label) for label in y]."
        )
