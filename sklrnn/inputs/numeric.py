"""What a user passes as numbers, in a form that numpy and scikit-learn read as it is meant."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from sklrnn.timeline.time_types import find_times


def read_numbers(values: Any, name: str) -> Any:
    """Read values as ``read_values`` does, and refuse dates and durations, which numpy would count in nanoseconds."""
    values = read_values(values, name)
    place = find_times(values)
    if place is not None:
        raise ValueError(
            f"{name} holds dates or durations{place} where numbers are needed. Leave them out, or compute numbers from "
            "them, such as the hour of the day or the days since the first row."
        )
    return values


def read_values(values: Any, name: str) -> Any:
    """Masked values of numpy become NaN; a tensor that records gradients is an error. Anything else stays as it is."""
    tensors = values if isinstance(values, list | tuple) else [values]
    if any(getattr(tensor, "requires_grad", False) is True for tensor in tensors):
        raise ValueError(
            f"{name} is a torch tensor that requires a gradient, and would lose it here. Pass {name}.detach()."
        )
    return fill_masked(values)


def fill_masked(values: Any) -> Any:
    """An array without a mask, NaN where it was masked; so too each array in a list or object array.

    Integers with a masked value become floats. Values of other types, such as labels, become objects.
    """
    if values is np.ma.masked:
        return np.nan
    if isinstance(values, np.ma.MaskedArray):
        if not np.ma.is_masked(values):
            return values.data
        with_nan: Any = values.astype(_with_nan(values.dtype))
        return with_nan.filled(np.nan)
    if isinstance(values, list | tuple):
        return [fill_masked(row) for row in values] if any(map(_may_be_masked, values)) else values
    if isinstance(values, np.ndarray) and values.dtype == object and any(map(_may_be_masked, values.flat)):
        filled = np.empty_like(values)
        for place, row in np.ndenumerate(values):
            filled[place] = fill_masked(row)
        return filled
    return values


def refuse_nested(X: Any, *, of: str = "This estimator") -> None:
    """Say what to do with sequences in the cells of a Series or frame, which scikit-learn takes for objects."""
    if not _is_nested(X):
        return
    if hasattr(X, "columns"):
        raise ValueError(
            f"X is a {type(X).__name__} whose cells hold sequences, as in a nested frame of sktime. {of} reads an "
            "array (sample, time, feature) or a list of arrays. Convert X with sktime.datatypes.convert_to(X, "
            '"numpy3D").transpose(0, 2, 1), or use SktimeClassifier or SktimeRegressor of sklrnn.sktime_adapters, '
            "which read all panels of sktime."
        )
    listed = "list(X)" if hasattr(X, "iloc") else "X.to_list()"
    raise ValueError(
        f"X is a {type(X).__name__} whose items are sequences. {of} reads them as a list of arrays: pass {listed}."
    )


@contextmanager
def refusing_huge_ints(name: str) -> Iterator[None]:
    """Python's integers know no limit, floats do."""
    try:
        yield
    except OverflowError as error:
        raise ValueError(
            f"{name} holds an integer that is too large for a float of 64 bits ({error}). Divide the values by a "
            "constant, or take their logarithm."
        ) from None


def _with_nan(dtype: np.dtype[Any]) -> Any:
    if dtype.kind in "fc":
        return dtype
    return np.float64 if dtype.kind in "iub" else object


def _may_be_masked(row: Any) -> bool:
    return isinstance(row, np.ma.MaskedArray) or (isinstance(row, list | tuple) and any(map(_may_be_masked, row)))


def _is_nested(X: Any) -> bool:
    if hasattr(X, "iloc") and hasattr(X, "columns"):
        objects = [number for number, dtype in enumerate(X.dtypes) if getattr(dtype, "kind", "") == "O"]
        return bool(len(X)) and any(_is_sequence(X.iloc[0, number]) for number in objects)
    is_series = hasattr(X, "to_list") and getattr(X, "ndim", 1) == 1
    return is_series and len(X) > 0 and _is_sequence(X.iloc[0] if hasattr(X, "iloc") else X[0])


def _is_sequence(cell: Any) -> bool:
    return hasattr(cell, "__len__") and not isinstance(cell, str | bytes)
