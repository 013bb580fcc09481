"""The values of each feature that training saw, and a warning about X that lies far outside of them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklrnn.inputs.feature_names import name_features
from sklrnn.inputs.ragged import Ragged, Sequences
from sklrnn.inputs.user_warnings import warn_user

Array = NDArray[Any]

# Values may lie outside by the width of the range, but by no more than so many standard deviations. Those of a constant
# count as 1, as in the first layer of the network.
_MOST_SPREADS = 10.0
# A feature with a wider range, such as the rim of an image, is almost constant or has heavy tails, so that new records
# are ordinary: in one sample of many, or in this share of them, they may lie outside by so many times the width.
_FEW = 0.05
_MANY = 10
_FURTHER_FOR_FEW = 10.0
# Numbers that differ by less, relative to their size, are one constant.
_SAME = 1e-6
_MOST_NAMED = 3
# Up to so many features, of at least so many numbers in all, are read faster one by one than together.
_MOST_READ_SINGLY = 16
_LEAST_READ_SINGLY = 2000
_BLOCK_SIZE = 2**20


@dataclass(frozen=True)
class TrainingRange:
    """The lowest and the highest value of each feature in training, and its standard deviation.

    NaN, as a missing value is, lies in any range.
    """

    lowest: Array
    highest: Array
    spread: Array

    @classmethod
    def of(cls, X: Sequences, chosen: Array, spread: Array) -> "TrainingRange":
        """The range of the chosen samples."""
        if len(chosen) == len(X):
            lowest, highest = _extremes(X)
        else:  # windows may be a view, so only a part of them is written out at a time
            size = max(1, _BLOCK_SIZE // (X.shape[1] * X.shape[2]))
            parts = [_extremes(X[chosen[start : start + size]]) for start in range(0, len(chosen), size)]
            lows, highs = zip(*parts, strict=True)
            lowest, highest = np.fmin.reduce(lows, axis=0), np.fmax.reduce(highs, axis=0)
        return cls(lowest.astype(np.float64), highest.astype(np.float64), np.array(spread, dtype=np.float64))

    def with_more(self, other: "TrainingRange") -> "TrainingRange":
        """The range of both."""
        return TrainingRange(
            np.fmin(self.lowest, other.lowest),
            np.fmax(self.highest, other.highest),
            np.maximum(self.spread, other.spread),
        )

    @property
    def state(self) -> tuple[Array, ...]:
        """Plain arrays, which any way of saving knows."""
        return self.lowest, self.highest, self.spread

    def describe_far(self, X: Sequences, list_names: Callable[[], list[str]]) -> str | None:
        """Say which features of X lie far outside, how far, and in how many samples; None where nothing does."""
        lowest, highest = _extremes(X)
        if (lowest >= self.lowest).all() and (highest <= self.highest).all():
            return None  # without the limits, which take longer to compute
        width, reach, low, high = self._limits
        if not ((lowest < low) | (highest > high)).any():
            return None
        n_far = self._count_beyond(X, reach)
        few = (n_far <= max(1, _FEW * len(X))) & ((width == 0) | (width > _MOST_SPREADS * self.spread))
        few &= len(X) >= _MANY
        n_far = np.where(few, self._count_beyond(X, _FURTHER_FOR_FEW * np.maximum(width, reach)), n_far)
        far = np.argsort(-n_far, kind="stable")[: np.count_nonzero(n_far)]
        reached = np.where(self.lowest - lowest > highest - self.highest, lowest, highest)
        ranges = [
            f"{low:.6g} to {high:.6g}" if wide else f"always {low:.6g}"
            for low, high, wide in zip(self.lowest, self.highest, width, strict=True)
        ]
        names = list_names()
        parts = [
            f"{names[i]} reaches {reached[i]:.6g} (in training {ranges[i]}), {n_far[i]} of {len(X)} samples lie far out"
            for i in far[:_MOST_NAMED]
        ]
        further = [f"further features that do so: {len(far) - _MOST_NAMED}"] if len(far) > _MOST_NAMED else []
        return "; ".join([*parts, *further]) or None

    @cached_property
    def _limits(self) -> tuple[Array, Array, Array, Array]:
        """The width of the range, 0 where a feature is constant; how far outside of it is far; where that begins."""
        width, size = self.highest - self.lowest, np.maximum(np.abs(self.lowest), np.abs(self.highest))
        width = np.where(width > _SAME * size, width, 0.0)
        spreads = _MOST_SPREADS * self.spread
        reach = np.where(width > 0, np.minimum(width, spreads), np.maximum(spreads, _SAME * size))
        return width, reach, self.lowest - reach, self.highest + reach

    def _count_beyond(self, X: Sequences, reach: Array) -> Array:
        lowest, highest = _extremes_by_sample(X)
        count: Array = ((lowest < self.lowest - reach) | (highest > self.highest + reach)).sum(axis=0)
        return count


def keeps_range(estimator: Any) -> bool:
    """Whether an estimator keeps the range of its features; windows that are scaled by their own level may have any."""
    return bool(estimator.normalize_X != "window")


def remember_range(estimator: Any, seen: TrainingRange | None, *, continues: bool) -> None:
    """Keep the range of the training samples.

    A model that was saved before ranges were kept, and is trained on, stays without.
    """
    before: tuple[Array, ...] | None = getattr(estimator, "_training_range", None)
    estimator._training_range = None
    if seen is None or (continues and before is None):
        return
    if continues and before is not None:
        seen = TrainingRange(*before).with_more(seen)
    estimator._training_range = seen.state


def training_range(estimator: Any) -> TrainingRange | None:
    """The range that a fitted estimator keeps, if it keeps one."""
    state: tuple[Array, ...] | None = getattr(estimator, "_training_range", None)
    return None if state is None else TrainingRange(*state)


def warn_if_far(seen: TrainingRange | None, X: Sequences, estimator: Any) -> bool:
    """Warn where X lies far outside of the training range, and tell whether it does."""
    described = None if seen is None else seen.describe_far(X, partial(name_features, estimator, X.shape[2]))
    if described is not None:
        warn_user(
            f"X lies far outside of what training saw: {described}. What a network predicts from such values is not to "
            'be relied on. If the level of X drifts, set normalize_X="window" (and normalize_y="window" of a '
            "regressor), or pass differences; otherwise train on samples like these."
        )
    return described is not None


def _extremes(X: Sequences) -> tuple[Array, Array]:
    """The lowest and the highest value of each feature; nothing of a view of windows is copied."""
    steps = X.flat() if isinstance(X, Ragged) else X
    n_features = steps.shape[-1]
    if n_features > _MOST_READ_SINGLY or steps.size < _LEAST_READ_SINGLY:
        axes = tuple(range(steps.ndim - 1))
        return np.fmin.reduce(steps, axis=axes), np.fmax.reduce(steps, axis=axes)
    of_features = [steps[..., feature] for feature in range(n_features)]
    lowest = np.array([np.fmin.reduce(values, axis=None) for values in of_features])
    return lowest, np.array([np.fmax.reduce(values, axis=None) for values in of_features])


def _extremes_by_sample(X: Sequences) -> tuple[Array, Array]:
    """The same of each sample: (sample, feature)."""
    if not isinstance(X, Ragged):
        return np.fmin.reduce(X, axis=1), np.fmax.reduce(X, axis=1)
    steps, starts = X.flat(), np.cumsum(X.lengths) - X.lengths
    return np.fmin.reduceat(steps, starts), np.fmax.reduceat(steps, starts)
