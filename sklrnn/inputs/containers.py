"""Containers of texts and token sequences, as what the tasks know: lists, arrays and Series of pandas."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from sklrnn.inputs.numeric import read_values
from sklrnn.inputs.ragged import as_object_array


def read_container(X: Any, name: str) -> Any:
    """Refuse what has no order, and give what polars holds, or tensors, as arrays; others stay as they are."""
    if isinstance(X, Mapping | set | frozenset):
        advice = "Pass list(X.values())" if isinstance(X, Mapping) else "Pass a list"
        raise ValueError(
            f"{name} is a {type(X).__name__}, but samples are read from a list, Series or array, which has an order. "
            f"{advice.replace('X', name)}."
        )
    if hasattr(X, "to_list") and not hasattr(X, "iloc"):
        return as_object_array(X.to_list())
    if hasattr(X, "iter_rows"):  # iterated over, a table gives columns
        return X.to_numpy()
    if isinstance(X, list | tuple) and any(map(_is_tensor, X)):
        return [_as_array(row, name) for row in X]
    return _as_array(X, name)


def check_texts(X: Any, *, name: str) -> list[Any]:
    """Read samples as a list, and refuse a single string, which is most likely a mistake."""
    X = read_container(X, "X")
    if isinstance(X, str | bytes):
        raise ValueError(
            f"{name} reads a list of texts, got a single string, which would be read letter by letter. Pass [text]."
        )
    n_dimensions = getattr(X, "ndim", 1)
    if not isinstance(X, Iterable) or n_dimensions == 0:
        raise ValueError(f"{name} reads a list, Series or 1-D array of texts, got {type(X).__name__}.")
    if n_dimensions > 1 and not (n_dimensions == 2 and getattr(X, "dtype", np.dtype(float)).kind in "iu"):
        raise ValueError(
            f"{name} reads a list, Series or 1-D array of texts, got {type(X).__name__} of {n_dimensions} dimensions. "
            "Of a table pass the column that holds the texts."
        )
    samples = list(X)
    if not samples:
        raise ValueError(f"{name} needs at least one text, got none: found array with 0 sample(s).")
    return samples


def _is_tensor(values: Any) -> bool:
    return hasattr(values, "requires_grad")


def _as_array(values: Any, name: str) -> Any:
    return np.asarray(read_values(values, name)) if _is_tensor(values) else values
