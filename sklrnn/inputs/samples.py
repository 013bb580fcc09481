"""Sequences with their targets and weights, and what is computed from all of them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklrnn.inputs.magnitudes import check_magnitude, exponents
from sklrnn.inputs.ragged import Ragged, Sequences, concatenate_steps, lengths_of, shaped_like

Array = NDArray[Any]

# A feature with a smaller mean and spread may have squares that are zero in a float.
_SMALL = 2.0**-300


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

    def only(self, chosen: Array) -> "Samples":
        """The same samples, all but the chosen ones with weight zero: picked, windows that are a view are copied."""
        kept = np.zeros(len(self.X))
        kept[chosen] = 1.0
        if not self.per_timestep:
            return replace(self, weights=kept if self.weights is None else kept * self.weights)
        like = self.y if self.weights is None else self.weights
        of_steps = np.repeat(kept, lengths_of(like)) * (1.0 if like is self.y else concatenate_steps(like))
        return replace(self, weights=shaped_like(like, of_steps))

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


def feature_statistics(
    X: Sequences, weights: Array | None, chosen: Array | None = None, *, name: str = "X"
) -> tuple[Array, Array]:
    """Weighted mean and standard deviation of each feature over all steps; NaN is left out.

    Only the ``chosen`` samples are read, so that the result is bit for bit that of these samples alone. Features whose
    squares are no floats are scaled by a power of two before they are summed up. Errors call the samples ``name``.
    """
    chosen = np.arange(len(X)) if chosen is None else chosen
    samples = _Blocks(X, None if weights is None else weights[chosen], chosen)
    low, high, has_gaps = samples.range()
    check_range(name, low, high, X.dtype)
    powers = np.zeros(X.shape[2], dtype=np.intp)
    is_ordinary = not exponents(max(-low, high))
    if is_ordinary:
        mean, spread = samples.moments(powers, has_gaps=has_gaps)
    if not is_ordinary or (np.maximum(np.abs(mean), spread) < _SMALL).any():
        powers = exponents(samples.largest())
        if powers.any() or not is_ordinary:
            mean, spread = samples.moments(powers, has_gaps=has_gaps)
    return mean, usable_spread(mean, spread, X.dtype)


def usable_spread(mean: Array, spread: Array, dtype: np.dtype[Any]) -> Array:
    """Standard deviations to divide features of this type by: 1 for a constant one."""
    limits = np.finfo(dtype)
    # The variance of a constant feature is not exactly zero, for lack of precision.
    is_constant = spread <= 10 * limits.eps * np.maximum(np.abs(mean), np.finfo(np.float64).tiny)
    # Divided by zero in its own type, a feature would be infinite.
    return np.where(is_constant, 1.0, np.maximum(spread, float(limits.smallest_subnormal)))


def largest_value(samples: Samples) -> float:
    """The largest absolute value in the samples with nonzero weight; NaN is left out."""
    low, high, _ = _Blocks(samples.X, None, samples.nonzero_weight).range()
    return max(-low, high)


def check_range(name: str, low: float, high: float, dtype: np.dtype[Any]) -> None:
    """Refuse numbers whose differences are no numbers of their type."""
    check_magnitude(name, max(-low, high))
    if dtype == np.float32 and high - low > float(np.finfo(np.float32).max):
        raise ValueError(
            f"{name} holds numbers from {low:.3g} to {high:.3g}, whose differences are too large for a float of 32 "
            f"bits. Pass {name}.astype(np.float64)."
        )


@dataclass(frozen=True)
class _Blocks:
    """Samples, weighted or not, read by blocks, as a view of windows would otherwise be copied as a whole."""

    X: Sequences
    weights: Array | None
    chosen: Array

    def __iter__(self) -> Iterator[tuple[Any, Array]]:
        size = max(1, 2**20 // (self.X.shape[1] * self.X.shape[2]))
        for start in range(0, len(self.chosen), size):
            rows = self.chosen[start : start + size]
            yield self.X[rows], np.ones(len(rows)) if self.weights is None else self.weights[start : start + size]

    def range(self) -> tuple[float, float, bool]:
        """The lowest and the highest value, and whether sequences differ in length or values are missing."""
        low, high, has_gaps = 0.0, 0.0, isinstance(self.X, Ragged)
        for part, _ in self:
            steps = concatenate_steps(part)
            ends = steps.min(), steps.max()
            if np.isnan(ends[0]):
                has_gaps = True
                ends = np.fmin.reduce(steps, axis=None), np.fmax.reduce(steps, axis=None)
            low, high = float(np.fmin(low, ends[0])), float(np.fmax(high, ends[1]))
        return low, high, has_gaps

    def largest(self) -> Array:
        """The largest absolute value of each feature."""
        of_blocks = [np.fmax.reduce(np.abs(concatenate_steps(part)), axis=0) for part, _ in self]
        return np.nan_to_num(np.fmax.reduce(of_blocks, axis=0))

    def moments(self, powers: NDArray[np.intp], *, has_gaps: bool) -> tuple[Array, Array]:
        """Mean and standard deviation, computed of features that are divided by these powers of two."""
        mean, variance = (self._of_known if has_gaps else self._of_all)(powers)
        return np.ldexp(mean, powers), np.ldexp(np.sqrt(variance), powers)

    def _of_all(self, powers: NDArray[np.intp]) -> tuple[Array, Array]:
        n = len(self.chosen) if self.weights is None else self.weights.sum()
        total = n * self.X.shape[1]
        mean: Any = sum(np.einsum("s,stf->f", w, _scaled(part.astype(np.float64), powers)) for part, w in self) / total
        variance = sum(np.einsum("s,stf->f", w, (_scaled(part, powers) - mean) ** 2) for part, w in self) / total
        return mean, variance

    def _of_known(self, powers: NDArray[np.intp]) -> tuple[Array, Array]:
        def steps_of(block: tuple[Any, Array]) -> tuple[Array, Array]:
            part, weights = block
            values = _scaled(concatenate_steps(part).astype(np.float64), powers)
            known = ~np.isnan(values)
            return np.where(known, values, 0.0), known * np.repeat(weights, lengths_of(part))[:, np.newaxis]

        # A feature without any value has the mean 0.
        total = np.maximum(sum(known.sum(axis=0) for _, known in map(steps_of, self)), np.finfo(np.float64).tiny)
        mean: Any = sum((known * values).sum(axis=0) for values, known in map(steps_of, self)) / total
        variance = sum((known * (values - mean) ** 2).sum(axis=0) for values, known in map(steps_of, self)) / total
        return mean, variance


def _scaled(values: Array, powers: NDArray[np.intp]) -> Array:
    return np.ldexp(values.astype(np.float64), -powers) if powers.any() else values
