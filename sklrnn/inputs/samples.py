"""Sequences with their targets and weights, and what is computed from all of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklrnn.inputs.ragged import Ragged, Sequences, concatenate_steps, lengths_of

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
        """One weight a sample: the mean over its steps where these have weights of their own."""
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
        """The same samples in an order that needs little padding."""
        return self[np.argsort(self.X.lengths, kind="stable")] if isinstance(self.X, Ragged) else self

    def targets(self) -> tuple[Array, Array | None]:
        """Targets and weights of the samples with nonzero weight: one a sample, or one a step."""
        chosen = self.nonzero_weight  # X is not indexed: windows would be copied
        y, weights = self.y[chosen], None if self.weights is None else self.weights[chosen]
        if not self.per_timestep:
            return y, weights
        return concatenate_steps(y), None if weights is None else concatenate_steps(weights)


def count_older(n: int, fraction: float, *, what: str = "samples", least: int = 1) -> int:
    """How many of ``n`` come before the newest ``fraction``, which is held out for validation.

    The newest are held out because a random or leading block would validate on the past of the training data.
    """
    n_held_out = int(fraction * n)
    n_older = n - n_held_out
    if min(n_held_out, n_older) < least:
        raise ValueError(
            f"validation_fraction={fraction} of {n} {what} leaves {n_held_out} to validate on and {n_older} to train "
            f"on; both need at least {least}. Change validation_fraction, pass more {what}, or set "
            "early_stopping=False."
        )
    return n_older


def hold_out_newest(samples: Samples, fraction: float) -> tuple[Samples, Samples]:
    """Split off the newest samples, counting those with nonzero weight."""
    chosen = samples.nonzero_weight
    first = chosen[count_older(len(chosen), fraction)]
    return samples[:first], samples[first:]  # slices, so that a view of windows stays one


def merge_identical(samples: Samples) -> Samples:
    """Merge samples that are equal into one that weighs as much as they do together, in a canonical order.

    Where all samples fit into one batch this changes nothing but the rounding, and makes a sample of weight k bit for
    bit the same as k such samples.
    """
    samples = samples[samples.nonzero_weight]
    table = np.concatenate([_as_table(samples.X), _as_table(samples.y)], axis=1)
    _, first, which = np.unique(table, axis=0, return_index=True, return_inverse=True)
    which = which.reshape(-1)
    merged = samples[first]
    if not samples.per_timestep:
        return Samples(merged.X, merged.y, np.bincount(which, weights=samples.weights))
    # A step's weight is the sum over the equal samples.
    weights = np.ones(samples.y.shape[:2]) if samples.weights is None else samples.weights
    padded = weights.padded() if isinstance(weights, Ragged) else weights
    sums = np.zeros((len(first), padded.shape[1]))
    np.add.at(sums, which, padded)
    if isinstance(merged.X, Ragged):
        real = np.arange(sums.shape[1]) < merged.X.lengths[:, np.newaxis]
        return Samples(merged.X, merged.y, Ragged.from_lengths(sums[real], merged.X.lengths), per_timestep=True)
    return Samples(merged.X, merged.y, sums, per_timestep=True)


def _as_table(values: Any) -> Array:
    """Rows of numbers that are equal for equal samples: lengths mark padding, flags mark NaN, which equals nothing."""
    if isinstance(values, Ragged):
        return np.concatenate([values.lengths[:, np.newaxis], _as_table(values.padded())], axis=1)
    table: Array = np.asarray(values).reshape(len(values), -1)
    missing = np.isnan(table) if table.dtype.kind == "f" else np.zeros(0)
    return np.concatenate([np.where(missing, 0, table), missing], axis=1) if missing.any() else table


def token_counts(samples: Samples) -> tuple[Array, Array]:
    """The tokens that occur, sorted, and how often each does, weighted by the samples."""
    X, weights = samples.X[samples.nonzero_weight], samples.row_weights
    tokens, which = np.unique(concatenate_steps(X), return_inverse=True)
    if weights is not None:
        weights = np.repeat(weights[samples.nonzero_weight], lengths_of(X))
    return tokens, np.bincount(which.reshape(-1), weights=weights)


def feature_statistics(X: Sequences, weights: Array | None, chosen: Array | None = None) -> tuple[Array, Array]:
    """Weighted mean and standard deviation of each feature over all steps; NaN is left out.

    Only the ``chosen`` samples are read, so that the result is bit for bit that of these samples alone. They are read
    by blocks, as a view of windows would otherwise be copied as a whole.
    """
    n_samples, n_steps, n_features = X.shape
    chosen = np.arange(n_samples) if chosen is None else chosen
    weights = np.ones(len(chosen)) if weights is None else weights[chosen]
    block_size = max(1, 2**20 // (n_steps * n_features))
    blocks = [slice(start, start + block_size) for start in range(0, len(chosen), block_size)]
    if isinstance(X, Ragged) or (X.dtype.kind == "f" and any(np.isnan(X[chosen[rows]]).any() for rows in blocks)):
        mean, variance = _of_real_values(X, weights, chosen, blocks)
    else:
        total = weights.sum() * n_steps
        mean = sum(np.einsum("s,stf->f", weights[rows], X[chosen[rows]].astype(np.float64)) for rows in blocks) / total
        variance = sum(np.einsum("s,stf->f", weights[rows], (X[chosen[rows]] - mean) ** 2) for rows in blocks) / total
    spread = np.sqrt(variance)
    # The variance of a constant feature is not exactly zero, for lack of precision.
    spread[spread <= 10 * np.finfo(X.dtype).eps * np.maximum(np.abs(mean), np.finfo(np.float64).tiny)] = 1.0
    return mean, spread


def _of_real_values(X: Sequences, weights: Array, chosen: Array, blocks: list[slice]) -> tuple[Array, Array]:
    """Mean and variance where sequences differ in length, or values are missing."""

    def steps_of(rows: slice) -> tuple[Array, Array]:
        part = X[chosen[rows]]
        values = concatenate_steps(part).astype(np.float64)
        known = ~np.isnan(values)
        return np.where(known, values, 0.0), known * np.repeat(weights[rows], lengths_of(part))[:, np.newaxis]

    # A feature without any value has the mean 0.
    total = np.maximum(sum(known.sum(axis=0) for _, known in map(steps_of, blocks)), np.finfo(np.float64).tiny)
    mean = sum((known * values).sum(axis=0) for values, known in map(steps_of, blocks)) / total
    variance = sum((known * (values - mean) ** 2).sum(axis=0) for values, known in map(steps_of, blocks)) / total
    return mean, variance
