"""Samples that belong together: sequences, their targets and weights, and what is known of all of them at once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklrnn.inputs.ragged import Ragged, Sequences, concatenate_steps

Array = NDArray[Any]


@dataclass(frozen=True)
class Samples:
    """Sequences, encoded targets and weights; with ``per_timestep`` targets and weights have a time axis."""

    X: Any
    y: Any
    weights: Any = None
    per_timestep: bool = False

    def __getitem__(self, chosen: Any) -> "Samples":
        weights = None if self.weights is None else self.weights[chosen]
        return Samples(self.X[chosen], self.y[chosen], weights, self.per_timestep)

    @property
    def row_weights(self) -> Array | None:
        """One weight a row: the mean over its steps where these have weights of their own."""
        if self.weights is None or not self.per_timestep:
            return self.weights
        if not isinstance(self.weights, Ragged):
            means: Array = self.weights.mean(axis=1)
            return means
        lengths = self.weights.lengths
        sums: Array = np.add.reduceat(self.weights.flat(), np.cumsum(lengths) - lengths)
        return sums / lengths

    @property
    def nonzero_weight(self) -> Array:
        """Positions of the samples with nonzero weight; a sample of weight zero changes nothing."""
        weights = self.row_weights
        return np.arange(len(self.X)) if weights is None else np.flatnonzero(weights)

    def by_length(self) -> "Samples":
        """The same rows in an order that needs little padding."""
        return self[np.argsort(self.X.lengths, kind="stable")] if isinstance(self.X, Ragged) else self

    def targets(self) -> tuple[Array, Array | None]:
        """Targets and weights of the samples with nonzero weight: one a sample, or one a step."""
        chosen = self.nonzero_weight  # X is not indexed: windows would be copied
        y, weights = self.y[chosen], None if self.weights is None else self.weights[chosen]
        if not self.per_timestep:
            return y, weights
        return concatenate_steps(y), None if weights is None else concatenate_steps(weights)


def hold_out_newest(rows: Samples, fraction: float) -> tuple[Samples, Samples]:
    """Split off the last rows: a random or leading block would validate on the past."""
    chosen = rows.nonzero_weight
    n_held_out = int(fraction * len(chosen))
    if n_held_out < 1 or n_held_out >= len(chosen):
        raise ValueError(
            f"validation_fraction={fraction} of {len(chosen)} samples leaves {n_held_out} to validate on and "
            f"{len(chosen) - n_held_out} to train on; both need at least one. "
            "Change validation_fraction, pass more samples, or set early_stopping=False."
        )
    # Slices, not lists of rows: a view of windows stays one.
    return rows[: chosen[-n_held_out]], rows[chosen[-n_held_out] :]


def merge_identical(rows: Samples) -> Samples:
    """Rows that are equal become one that weighs as much, in a canonical order.

    Where all rows fit into one batch this changes nothing but the rounding, and makes a row of weight k bit for bit
    the same as k such rows.
    """
    rows = rows[rows.nonzero_weight]
    table = np.concatenate([_as_table(rows.X), _as_table(rows.y)], axis=1)
    _, first, which = np.unique(table, axis=0, return_index=True, return_inverse=True)
    which = which.reshape(-1)
    merged = rows[first]
    if not rows.per_timestep:
        return Samples(merged.X, merged.y, np.bincount(which, weights=rows.weights))
    # A step's weight is the sum over the equal rows.
    weights = np.ones(rows.y.shape[:2]) if rows.weights is None else rows.weights
    padded = weights.padded() if isinstance(weights, Ragged) else weights
    sums = np.zeros((len(first), padded.shape[1]))
    np.add.at(sums, which, padded)
    if isinstance(merged.X, Ragged):
        real = np.arange(sums.shape[1]) < merged.X.lengths[:, np.newaxis]
        return Samples(merged.X, merged.y, Ragged.from_lengths(sums[real], merged.X.lengths), per_timestep=True)
    return Samples(merged.X, merged.y, sums, per_timestep=True)


def _as_table(values: Any) -> Array:
    """Numbers that are equal for equal rows: lengths tell padding from zeros, flags tell NaN, which equals nothing."""
    if isinstance(values, Ragged):
        return np.concatenate([values.lengths[:, np.newaxis], _as_table(values.padded())], axis=1)
    table: Array = np.asarray(values).reshape(len(values), -1)
    missing = np.isnan(table) if table.dtype.kind == "f" else np.zeros(0)
    return np.concatenate([np.where(missing, 0, table), missing], axis=1) if missing.any() else table


def token_counts(rows: Samples) -> tuple[Array, Array]:
    """The tokens that occur, sorted, and how often each does, counted by the weights of the rows."""
    X, weights = rows.X[rows.nonzero_weight], rows.row_weights
    tokens, which = np.unique(concatenate_steps(X), return_inverse=True)
    if weights is not None:
        lengths = X.lengths if isinstance(X, Ragged) else X.shape[1]
        weights = np.repeat(weights[rows.nonzero_weight], lengths)
    return tokens, np.bincount(which.reshape(-1), weights=weights)


def feature_statistics(X: Sequences, weights: Array | None, chosen: Array | None = None) -> tuple[Array, Array]:
    """Weighted mean and spread of each feature over all steps, in float64 and by blocks: windows may be a view.

    Only the ``chosen`` samples are read, so that the result is to the last bit that of these samples alone. NaN is left
    out.
    """
    n_samples, n_steps, n_features = X.shape
    chosen = np.arange(n_samples) if chosen is None else chosen
    weights = np.ones(len(chosen)) if weights is None else weights[chosen]
    rows_at_once = max(1, 2**20 // (n_steps * n_features))
    blocks = [slice(start, start + rows_at_once) for start in range(0, len(chosen), rows_at_once)]
    if isinstance(X, Ragged) or (X.dtype.kind == "f" and any(np.isnan(X[chosen[rows]]).any() for rows in blocks)):
        mean, variance = _of_real_values(X, weights, chosen, blocks)
    else:
        total = weights.sum() * n_steps
        mean = sum(np.einsum("s,stf->f", weights[rows], X[chosen[rows]].astype(np.float64)) for rows in blocks) / total
        variance = sum(np.einsum("s,stf->f", weights[rows], (X[chosen[rows]] - mean) ** 2) for rows in blocks) / total
    spread = np.sqrt(variance)
    # What rounding leaves of a constant feature is no spread.
    spread[spread <= 10 * np.finfo(X.dtype).eps * np.maximum(np.abs(mean), np.finfo(np.float64).tiny)] = 1.0
    return mean, spread


def _of_real_values(X: Sequences, weights: Array, chosen: Array, blocks: list[slice]) -> tuple[Array, Array]:
    """Mean and variance where rows differ in length, or values are missing."""

    def steps_of(rows: slice) -> tuple[Array, Array]:
        part = X[chosen[rows]]
        lengths = part.lengths if isinstance(part, Ragged) else part.shape[1]
        values = concatenate_steps(part).astype(np.float64)
        known = ~np.isnan(values)
        return np.where(known, values, 0.0), known * np.repeat(weights[rows], lengths)[:, np.newaxis]

    # A feature that is never there has the mean 0.
    total = np.maximum(sum(known.sum(axis=0) for _, known in map(steps_of, blocks)), np.finfo(np.float64).tiny)
    mean = sum((known * values).sum(axis=0) for values, known in map(steps_of, blocks)) / total
    variance = sum((known * (values - mean) ** 2).sum(axis=0) for values, known in map(steps_of, blocks)) / total
    return mean, variance
