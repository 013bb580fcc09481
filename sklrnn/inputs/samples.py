"""Samples that belong together: sequences, their targets and weights, and what is known of all of them at once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklrnn.inputs.ragged import Ragged, Sequences, flat_steps

Array = NDArray[Any]


@dataclass(frozen=True)
class Rows:
    """Sequences, encoded targets and weights; with ``by_step`` targets and weights have a time axis."""

    X: Any
    y: Any
    weights: Any = None
    by_step: bool = False

    def __getitem__(self, chosen: Any) -> "Rows":
        weights = None if self.weights is None else self.weights[chosen]
        return Rows(self.X[chosen], self.y[chosen], weights, self.by_step)

    @property
    def row_weights(self) -> Array | None:
        """One weight a row: the mean over its steps where these have weights of their own."""
        if self.weights is None or not self.by_step:
            return self.weights
        if not isinstance(self.weights, Ragged):
            means: Array = self.weights.mean(axis=1)
            return means
        lengths = self.weights.lengths
        sums: Array = np.add.reduceat(self.weights.flat(), np.cumsum(lengths) - lengths)
        return sums / lengths

    @property
    def present(self) -> Array:
        """The numbers of the rows that count: a weight of zero means that the row is not there."""
        weights = self.row_weights
        return np.arange(len(self.X)) if weights is None else np.flatnonzero(weights)

    def by_length(self) -> "Rows":
        """The same rows in an order that needs little padding."""
        return self[np.argsort(self.X.lengths, kind="stable")] if isinstance(self.X, Ragged) else self

    def targets(self) -> tuple[Array, Array | None]:
        """Targets and weights of the rows that count, one a row, or one a step."""
        present = self.present  # sequences stay where they are: windows would be written out
        y, weights = self.y[present], None if self.weights is None else self.weights[present]
        if not self.by_step:
            return y, weights
        return flat_steps(y), None if weights is None else flat_steps(weights)


def hold_out_newest(rows: Rows, fraction: float) -> tuple[Rows, Rows]:
    """Split off the last rows: a random or leading block would validate on the past."""
    present = rows.present
    n_held_out = int(fraction * len(present))
    if n_held_out < 1 or n_held_out >= len(present):
        raise ValueError(
            f"validation_fraction={fraction} of {len(present)} samples leaves {n_held_out} to validate on and "
            f"{len(present) - n_held_out} to train on; both need at least one. "
            "Change validation_fraction, pass more samples, or set early_stopping=False."
        )
    # Slices, not lists of rows: a view of windows stays one.
    return rows[: present[-n_held_out]], rows[present[-n_held_out] :]


def merge_identical(rows: Rows) -> Rows:
    """Rows that are equal become one that weighs as much, in a canonical order.

    Where all rows fit into one batch this changes nothing but the rounding, and makes a row of weight k bit for bit
    the same as k such rows.
    """
    rows = rows[rows.present]
    table = np.concatenate([_as_table(rows.X), _as_table(rows.y)], axis=1)
    _, first, which = np.unique(table, axis=0, return_index=True, return_inverse=True)
    which = which.reshape(-1)
    merged = rows[first]
    if not rows.by_step:
        return Rows(merged.X, merged.y, np.bincount(which, weights=rows.weights))
    # A step's weight is the sum over the equal rows.
    weights = np.ones(rows.y.shape[:2]) if rows.weights is None else rows.weights
    padded = weights.padded() if isinstance(weights, Ragged) else weights
    sums = np.zeros((len(first), padded.shape[1]))
    np.add.at(sums, which, padded)
    if isinstance(merged.X, Ragged):
        real = np.arange(sums.shape[1]) < merged.X.lengths[:, np.newaxis]
        return Rows(merged.X, merged.y, Ragged.laid_out(sums[real], merged.X.lengths), by_step=True)
    return Rows(merged.X, merged.y, sums, by_step=True)


def _as_table(values: Any) -> Array:
    """Numbers that are equal for equal rows: lengths tell padding from zeros, flags tell NaN, which equals nothing."""
    if isinstance(values, Ragged):
        return np.concatenate([values.lengths[:, np.newaxis], _as_table(values.padded())], axis=1)
    table: Array = np.asarray(values).reshape(len(values), -1)
    missing = np.isnan(table) if table.dtype.kind == "f" else np.zeros(0)
    return np.concatenate([np.where(missing, 0, table), missing], axis=1) if missing.any() else table


def token_counts(rows: Rows) -> tuple[Array, Array]:
    """The tokens that occur, sorted, and how often each does, counted by the weights of the rows."""
    X, weights = rows.X[rows.present], rows.row_weights
    tokens, which = np.unique(flat_steps(X), return_inverse=True)
    if weights is not None:
        lengths = X.lengths if isinstance(X, Ragged) else X.shape[1]
        weights = np.repeat(weights[rows.present], lengths)
    return tokens, np.bincount(which.reshape(-1), weights=weights)


def feature_statistics(X: Sequences, weights: Array | None, present: Array | None = None) -> tuple[Array, Array]:
    """Weighted mean and spread of each feature over all steps, in float64 and by blocks: windows may be a view.

    Only rows that are ``present`` are read, so that the result is to the last bit that of these rows alone. Values that
    are NaN are left out.
    """
    n_samples, n_steps, n_features = X.shape
    present = np.arange(n_samples) if present is None else present
    weights = np.ones(len(present)) if weights is None else weights[present]
    rows_at_once = max(1, 2**20 // (n_steps * n_features))
    blocks = [slice(start, start + rows_at_once) for start in range(0, len(present), rows_at_once)]
    if isinstance(X, Ragged) or (X.dtype.kind == "f" and any(np.isnan(X[present[rows]]).any() for rows in blocks)):
        mean, variance = _of_real_values(X, weights, present, blocks)
    else:
        total = weights.sum() * n_steps
        mean = sum(np.einsum("s,stf->f", weights[rows], X[present[rows]].astype(np.float64)) for rows in blocks) / total
        variance = sum(np.einsum("s,stf->f", weights[rows], (X[present[rows]] - mean) ** 2) for rows in blocks) / total
    spread = np.sqrt(variance)
    # What rounding leaves of a constant feature is no spread.
    spread[spread <= 10 * np.finfo(X.dtype).eps * np.maximum(np.abs(mean), np.finfo(np.float64).tiny)] = 1.0
    return mean, spread


def _of_real_values(X: Sequences, weights: Array, present: Array, blocks: list[slice]) -> tuple[Array, Array]:
    """Mean and variance where rows differ in length, or values are missing."""

    def steps_of(rows: slice) -> tuple[Array, Array]:
        part = X[present[rows]]
        lengths = part.lengths if isinstance(part, Ragged) else part.shape[1]
        values = flat_steps(part).astype(np.float64)
        known = ~np.isnan(values)
        return np.where(known, values, 0.0), known * np.repeat(weights[rows], lengths)[:, np.newaxis]

    # A feature that is never there has the mean 0.
    total = np.maximum(sum(known.sum(axis=0) for _, known in map(steps_of, blocks)), np.finfo(np.float64).tiny)
    mean = sum((known * values).sum(axis=0) for values, known in map(steps_of, blocks)) / total
    variance = sum((known * (values - mean) ** 2).sum(axis=0) for values, known in map(steps_of, blocks)) / total
    return mean, variance
