"""Targets and weights at every step: whatever a user passes is laid end to end, and belongs to a step of X."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklrnn.inputs.ragged import Sequences, lengths_of
from sklrnn.inputs.validation import check_weights

Array = NDArray[Any]


def check_step_targets(X: Sequences, y: Any) -> Array:
    """Read y as ``(sample, time)``, ``(sample, time, output)`` or a list of arrays, one value or row for each step of X."""
    return _steps_of(X, y, "y", "labels")


def check_step_weights(sample_weight: Any, X: Sequences) -> Array | None:
    """Check weights of samples or of steps, and give one for each step."""
    if sample_weight is None:
        return None
    lengths = lengths_of(X)
    if _is_single(sample_weight) or _is_single(sample_weight[0]):
        weights = check_weights(sample_weight, len(lengths))
        return None if weights is None else np.repeat(weights, lengths)
    return check_weights(_steps_of(X, sample_weight, "sample_weight", "weights"), int(lengths.sum()))


class StepScore:
    """Adds the score over steps to that of a mixin of scikit-learn, which knows one answer a sample."""

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
            return float(super().score(X, y, sample_weight))  # type: ignore[misc]
        truth, answers, weights = flat_answers(y, self.predict(X), sample_weight)
        return float(self._metric(truth, answers, sample_weight=weights))


def flat_answers(y: Any, answers: Any, sample_weight: Any) -> tuple[Array, Array, Array | None]:
    """Targets, answers and weights of all steps, end to end, for a score."""
    parts = [np.asarray(row) for row in answers]
    lengths = np.array([len(part) for part in parts])
    given = [np.asarray(row) for row in _rows(y, "y", "labels", len(parts))]
    _compare_lengths(given, lengths, "y", "labels")
    weights = None
    if sample_weight is not None:
        if _is_single(sample_weight[0]):
            weights = np.repeat(np.asarray(sample_weight, dtype=float), lengths)
        else:
            _compare_lengths(sample_weight, lengths, "sample_weight", "weights")
            weights = np.concatenate([np.asarray(row, dtype=float) for row in sample_weight])
    return np.concatenate(given), np.concatenate(parts), weights


def _steps_of(X: Sequences, values: Any, name: str, what: str) -> Array:
    lengths = lengths_of(X)
    rows = _rows(values, name, what, len(lengths))
    _compare_lengths(rows, lengths, name, what)
    return np.concatenate([np.asarray(row) for row in rows])


def _rows(values: Any, name: str, what: str, n_rows: int) -> Any:
    rows = values.to_numpy() if hasattr(values, "iloc") else values
    if _is_single(rows) or len(rows) != n_rows:
        got = "a single value" if _is_single(rows) else f"{len(rows)} of them"
        raise ValueError(f"{name} must hold the {what} of each of the {n_rows} sequences, got {got}.")
    return rows


def _is_single(value: Any) -> bool:
    # Rows of several lengths have no number of axes that numpy could tell.
    return isinstance(value, str) or not hasattr(value, "__len__") or getattr(value, "ndim", 1) == 0


def _compare_lengths(rows: Any, lengths: Array, name: str, what: str) -> None:
    for number, (row, length) in enumerate(zip(rows, lengths, strict=True)):
        if _is_single(row):
            raise ValueError(
                f"return_sequences=True needs {what} for every step, (sample, time) or a list of arrays, but row {number} "
                f"of {name} is {row!r}. Pass one for each of the {length} steps, or set return_sequences=False."
            )
        if len(row) != length:
            raise ValueError(
                f"Row {number} of {name} holds {len(row)} {what}, but sequence {number} has {length} steps."
            )
