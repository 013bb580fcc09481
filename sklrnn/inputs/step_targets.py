"""Targets and weights of every step, checked against the steps of X and concatenated."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklrnn.inputs.numeric import read_values
from sklrnn.inputs.ragged import Sequences, lengths_of
from sklrnn.inputs.target_types import check_step_types, read_targets
from sklrnn.inputs.validation import check_weights
from sklrnn.saved_state import with_plain_numbers

Array = NDArray[Any]


def check_step_targets(X: Sequences, y: Any) -> Array:
    """Read y as ``(sample, time)``, ``(sample, time, output)`` or a list of arrays, one row for each step of X."""
    return concatenate_values(y, lengths_of(X), "y", "labels")


def check_step_weights(sample_weight: Any, X: Sequences) -> Array | None:
    """Check weights of samples or of steps, and give one for each step."""
    return repeat_for_steps(sample_weight, lengths_of(X))


def read_step_labels(y: Any) -> tuple[Array, NDArray[np.intp]]:
    """The labels of all steps, concatenated, and how many each sequence has."""
    rows = _rows_of(y)
    lengths = [] if is_single(rows) else [1 if is_single(row) else len(row) for row in rows]
    counts = np.array(lengths, dtype=np.intp)
    return concatenate_values(rows, counts, "y", "labels"), counts


class StepScore:
    """Adds a score over all steps to the score of scikit-learn's mixin, which is over samples."""

    return_sequences: bool
    predict: Callable[[Any], Any]
    _metric: Callable[..., Any]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Compare predictions with the truth: accuracy of a classifier, R² of a regressor.

        Parameters
        ----------
        X : array-like of shape (sample, time) or (sample, time, feature), or list of (time_i, feature) arrays
            Sequences.
        y : array-like of shape (sample,) or (sample, output), or list of (time_i,) arrays
            The truth.
        sample_weight : array-like of shape (sample,), or list of (time_i,) arrays, default=None
            Weight of each sample, or with ``return_sequences=True`` of each step.

        Returns
        -------
        score : float
            1.0 where all predictions are exact; with ``return_sequences=True`` over all steps of all samples.
        """
        if not self.return_sequences:
            y, sample_weight = read_targets(y), read_values(sample_weight, "sample_weight")
            return float(super().score(X, y, sample_weight))  # type: ignore[misc]
        predictions = [np.asarray(row) for row in self.predict(X)]
        lengths = np.array([len(row) for row in predictions])
        truth, weights = concatenate_values(y, lengths, "y", "labels"), repeat_for_steps(sample_weight, lengths)
        return float(self._metric(truth, np.concatenate(predictions), sample_weight=weights))


def repeat_for_steps(sample_weight: Any, lengths: Array) -> Array | None:
    """Weights of samples or of steps as one for each step."""
    if sample_weight is None:
        return None
    if is_single(sample_weight) or is_single(next(iter(sample_weight), 0.0)):
        weights = check_weights(sample_weight, len(lengths))
        return None if weights is None else np.repeat(weights, lengths)
    return check_weights(concatenate_values(sample_weight, lengths, "sample_weight", "weights"), int(lengths.sum()))


def _rows_of(values: Any) -> Any:
    """Tables of pandas and polars as arrays: iterated over, they give columns."""
    return values.to_numpy() if hasattr(values, "iloc") or hasattr(values, "columns") else values


def is_single(value: Any) -> bool:
    """Whether this is one value rather than a sequence of them."""
    # Not np.ndim, which fails for a list of rows of several lengths.
    return isinstance(value, str) or not hasattr(value, "__len__") or getattr(value, "ndim", 1) == 0


def concatenate_values(values: Any, lengths: Array, name: str, what: str) -> Array:
    """Concatenate values of the steps of each sequence, after a check that each step has one."""
    rows = read_values(_rows_of(values), name)
    if is_single(rows) or len(rows) != len(lengths):
        got = "a single value" if is_single(rows) else f"{len(rows)} of them"
        raise ValueError(f"{name} must hold the {what} of each of the {len(lengths)} sequences, got {got}.")
    for number, (row, length) in enumerate(zip(rows, lengths, strict=True)):
        if is_single(row):
            shown = with_plain_numbers(row)  # numpy 2 would write np.float64(0.0)
            raise ValueError(
                f"return_sequences=True needs {what} for every step, (sample, time) or a list of arrays, but row "
                f"{number} of {name} is {shown!r}. Pass one for each of the {length} steps, or set "
                "return_sequences=False."
            )
        if len(row) != length:
            raise ValueError(
                f"Row {number} of {name} holds {len(row)} {what}, but sequence {number} has {length} steps."
            )
    if name == "y":
        check_step_types(rows)
    return np.concatenate([np.asarray(row) for row in rows])
