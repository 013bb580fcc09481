"""Distinguish sequences of tokens from sequences of numbers, and check numbers."""

from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import r2_score

from sklrnn.inputs.numeric import fill_masked, read_numbers, refusing_huge_ints
from sklrnn.inputs.ragged import Ragged, as_object_array, read_rows

Array = NDArray[Any]
Form = Literal["list", "objects", "block"]


def are_numbers(values: Any, *, name: str) -> bool:
    """Whether sequences hold numbers, not texts or integers: a value with a decimal point, or an axis of features."""
    if hasattr(values, "iloc") and values.ndim == 2:
        values = values.to_numpy()
    n_dimensions = getattr(values, "ndim", 1)
    if n_dimensions > 1 or getattr(values, "dtype", np.dtype(object)).kind == "f":
        return bool(values.dtype.kind == "f" or n_dimensions == 3)
    if isinstance(values, str | bytes) or not hasattr(values, "__len__"):
        return False
    numbers = strings = None
    for row, sequence in enumerate(values):
        if _has_numbers(sequence):
            numbers = row if numbers is None else numbers
        elif _has_strings(sequence):
            strings = row if strings is None else strings
        if numbers is not None and strings is not None:
            raise ValueError(
                f"All sequences of {name} must be of one kind, got numbers in row {numbers} and text in row {strings}."
            )
    return numbers is not None


def _has_numbers(sequence: Any) -> bool:
    if hasattr(sequence, "dtype") and hasattr(sequence, "ndim"):
        return bool(sequence.ndim == 2 or (sequence.ndim == 1 and sequence.dtype.kind == "f"))
    if not isinstance(sequence, list | tuple):
        return False
    return any(_is_nested(value) or (isinstance(value, Real) and not isinstance(value, Integral)) for value in sequence)


def _has_strings(sequence: Any) -> bool:
    if isinstance(sequence, np.ndarray) and sequence.dtype != object:
        return sequence.dtype.kind in "US"
    is_sequence = isinstance(sequence, list | tuple | np.ndarray) and getattr(sequence, "ndim", 1) == 1
    return isinstance(sequence, str) or (is_sequence and any(isinstance(value, str) for value in sequence))


def refuse_text(values: Any, *, name: str) -> None:
    """Name the row of a text where there should be numbers."""
    if hasattr(values, "iloc") and values.ndim == 2:
        values = values.to_numpy()
    if getattr(values, "dtype", np.dtype(object)).kind in "iufb":
        return
    for row, sequence in enumerate(values):
        if _has_strings(sequence):
            raise ValueError(
                f"{name}: this translator knows sequences of numbers, got text in row {row}. Pass sequences of the "
                "same kind."
            )


def _is_nested(value: Any) -> bool:
    return not isinstance(value, str) and hasattr(value, "__len__")


def check_pair_count(X: Any, y: Any, *, name: str) -> None:
    """Check that there are sequences, and one target for each."""
    for what, values in (("X", X), ("y", y)):
        if isinstance(values, str | bytes) or not hasattr(values, "__len__"):
            raise ValueError(f"{name} reads lists or arrays of sequences, got {what}={values!r:.60}.")
    if len(X) != len(y):
        raise ValueError(
            f"{name} learns pairs: X and y must hold as many sequences, got {len(X)} in X and {len(y)} in y."
        )
    if not len(X):
        raise ValueError(f"{name} needs at least one sequence, got none: found array with 0 sample(s).")


def r2_of_sequences(truth: list[Array], predicted: list[Array], weights: Array | None) -> float:
    """R² over all steps (time, value); a step that one lacks is taken for the mean of the truth there."""
    sizes = np.array([max(len(wanted), len(got)) for wanted, got in zip(truth, predicted, strict=True)])
    step_weights = np.repeat(np.ones(len(sizes)) if weights is None else weights, sizes)
    of_truth = step_weights[_real(sizes, truth)]
    mean = np.average(np.concatenate(truth), axis=0, weights=of_truth)
    return float(r2_score(_filled(truth, sizes, mean), _filled(predicted, sizes, mean), sample_weight=step_weights))


def _real(sizes: Array, rows: list[Array]) -> Array:
    """Which steps of places of these sizes the rows fill."""
    places = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    real: Array = places < np.repeat([len(row) for row in rows], sizes)
    return real


def _filled(rows: list[Array], sizes: Array, mean: Array) -> Array:
    filled = np.tile(mean, (int(sizes.sum()), 1))
    filled[_real(sizes, rows)] = np.concatenate(rows)
    return filled


def form_of(values: Any) -> Form:
    """The container of the targets, in which predictions are returned."""
    if getattr(values, "ndim", 1) > 1:
        return "block"
    return "list" if isinstance(values, list | tuple) else "objects"


def in_form(predictions: list[Any], form: Form) -> Any:
    """Return predictions in the container of the targets of ``fit``."""
    if form == "list":
        return predictions
    return as_object_array(predictions) if form == "objects" else np.stack(predictions)


def with_feature_axis(X: Any) -> Any:
    """Univariate sequences get an axis of features, so that their length is not taken for a number of features."""
    if getattr(X, "ndim", 1) == 2:
        return np.asarray(fill_masked(X))[:, :, np.newaxis]
    return X if getattr(X, "ndim", 1) == 3 else as_object_array(X)


@refusing_huge_ints("y")
def check_number_targets(y: Any) -> tuple[Ragged, bool]:
    """Read sequences of numbers as (time, value), and tell whether they came without the second axis."""
    y = read_numbers(y, "y")
    rows = list(np.asarray(y) if hasattr(y, "iloc") else y)
    for number, row in enumerate(rows):
        if isinstance(row, str) or not hasattr(row, "__len__"):
            raise ValueError(f"y holds sequences of numbers, but row {number} is {row!r:.60}.")
    targets = Ragged.from_list(read_rows(rows, what="target", of="values a step"))
    steps = targets.steps
    try:
        steps = steps if steps.dtype == np.float32 else steps.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"y holds sequences of numbers, which these are not: {error}.") from None
    wrong = np.flatnonzero(~np.isfinite(steps).all(axis=1))
    if len(wrong):
        row = int(np.searchsorted(np.cumsum(targets.lengths), wrong[0], side="right"))
        raise ValueError(
            f"Input y contains NaN or infinity: the first is in row {row}, step {wrong[0] - targets.starts[row]}. "
            "Leave such rows out."
        )
    return Ragged.from_lengths(steps, targets.lengths), np.ndim(rows[0]) == 1


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Name the argument that an error is about."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
