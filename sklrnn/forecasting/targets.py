"""What the windows of series are followed by, on the scale of the windows, and the weights of its errors."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklrnn.forecasting.windows import Windows, divide_or_zero

Array = NDArray[Any]

# Upper bound on the weight of a target, in units of the median: a few windows must not outweigh all others.
_GREATEST_WEIGHT = 20.0
# With more numbers than this the weights are computed when they are indexed, in place of being kept.
_MOST_NUMBERS = 2**22
# Medians are searched for in so many windows at once.
_BLOCK_SIZE = 2**15
# Positive floats have the order of their bits. Without so many of the last ones numbers differ by a 256th at most.
_SHIFT, _N_BINS = 44, 2**19


@dataclass(frozen=True)
class Targets:
    """Scaled targets, then the weights of their errors, (sample, 2 x step ahead x channel), as windows are indexed.

    The weight is the sum of two, each with the median 1: the error relative to the series' seasonal naive error, as in
    MASE, and relative to the value itself, as in sMAPE. In a series with values of both signs, such as a standardised
    one, errors relative to the value say nothing: the first counts twice. With equal weights every observed target
    weighs 1. Missing targets weigh 0.

    ``scaled`` and the ``scale`` of the windows are kept, as smoothing takes long to compute; ``medians`` are those of
    both factors, None for equal weights.
    """

    windows: Windows
    scaled: Array
    scale: Array
    has_one_sign: Array
    medians: tuple[float, float] | None

    @classmethod
    def of(cls, windows: Windows, *, equal_weights: bool = False) -> "Targets":
        """Compute the targets of windows."""
        n = windows.spec.horizon * windows.spec.n_channels
        scaled, scales = np.empty((len(windows), n), dtype=np.float32), []
        for first, block in windows.blocks():
            baseline, scale = block.baseline_and_scale()
            y = divide_or_zero(block.stacked.y[_rows_ahead(block)] - baseline, scale)
            scaled[first : first + len(block)] = y.reshape(len(block), n)
            scales.append(scale)
        whole = cls(windows, scaled, _joined(scales, windows), windows.stacked.has_one_sign(), None)
        return whole if equal_weights else replace(whole, medians=whole._medians())

    def __len__(self) -> int:
        return len(self.scaled)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self), 2 * self.scaled.shape[1]

    @property
    def dtype(self) -> Any:
        return self.scaled.dtype

    def kept_if_small(self) -> Any:
        """All numbers as an array, unless they take much memory."""
        return self if self.scaled.size > _MOST_NUMBERS else np.asarray(self)

    def __getitem__(self, chosen: Any) -> Any:
        windows = self.windows.take(chosen)
        part = Targets(windows, self.scaled[chosen], self.scale[chosen], self.has_one_sign, self.medians)
        return part if isinstance(chosen, slice) else part._to_numpy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        table = np.empty(self.shape, dtype=self.dtype)
        for first, block in self.windows.blocks():
            rows = slice(first, first + len(block))
            table[rows] = self[rows]._to_numpy()
        return table.astype(dtype or self.dtype, copy=False)

    def _to_numpy(self) -> Array:
        return np.concatenate([self.scaled, self._weights()], axis=1, dtype=np.float32)

    def _weights(self) -> Array:
        if self.medians is None:
            return self._observed()
        of_naive_error, of_value = self.medians
        per_naive_error, per_value = (np.maximum(part, np.finfo(np.float64).tiny) for part in self._factors())
        per_naive_error, per_value = per_naive_error / of_naive_error, per_value / of_value
        weights = per_naive_error + np.where(self._one_sign_of_targets(), per_value, per_naive_error)
        weighed: Array = np.minimum(weights, _GREATEST_WEIGHT) * self._observed()
        return weighed

    def _factors(self) -> tuple[Array, Array]:
        """The scale of each target's window relative to the naive error of the series, and to the value itself."""
        windows = self.windows
        y = windows.stacked.y[_rows_ahead(windows)]
        per_naive_error = divide_or_zero(self.scale, windows.stacked.naive_error[windows.series_ids][:, np.newaxis])
        per_value = divide_or_zero(self.scale, np.abs(y))
        return np.broadcast_to(per_naive_error, y.shape).reshape(len(y), -1), per_value.reshape(len(y), -1)

    def _observed(self) -> Array:
        windows = self.windows
        observed: Array = windows.stacked.observed[_rows_ahead(windows)] & windows.has_observation[:, np.newaxis]
        return observed.reshape(len(observed), -1)

    def _one_sign_of_targets(self) -> Array:
        return np.tile(self.has_one_sign[self.windows.series_ids], self.windows.spec.horizon)

    def _medians(self) -> tuple[float, float]:
        """The medians of both factors over the targets that they count for."""

        def read() -> Iterator[list[Array]]:
            for first, block in self.windows.blocks(_BLOCK_SIZE):
                part = self[first : first + len(block)]
                factors, observed = part._factors(), part._observed()
                chosen = observed, observed & part._one_sign_of_targets()
                tiny = np.finfo(np.float64).tiny
                yield [np.maximum(factor[own], tiny) for factor, own in zip(factors, chosen, strict=True)]

        of_naive_error, of_value = medians(read)
        return of_naive_error, of_value


def medians(read: Callable[[], Iterator[list[Array]]]) -> list[float]:
    """The median of each of several arrays of positive numbers, which are read block by block; 1 where one is empty."""
    blocks = read()
    first = next(blocks, None)
    if first is None:
        return [1.0, 1.0]
    second = next(blocks, None)
    if second is None:
        return [_median(values, len(values)) for values in first]
    counts = sum(map(_counts, chain([second], blocks)), start=_counts(first))
    middles = [_bins_of_middle(own) for own in counts]
    kept: list[list[Array]] = [[] for _ in middles]
    for block in read():
        for values, (low, high), parts in zip(block, middles, kept, strict=True):
            bins = values.view(np.int64) >> _SHIFT
            parts.append(values[(bins >= low) & (bins <= high)])
    return [
        _median(np.concatenate(parts), int(own.sum()), n_less=int(own[:low].sum()))
        for own, (low, _), parts in zip(counts, middles, kept, strict=True)
    ]


def _median(middle: Array, n: int, *, n_less: int = 0) -> float:
    """The median of ``n`` numbers, from those in the middle, which so many are less than; 1 where there are none."""
    return float(np.sort(middle)[[(n - 1) // 2 - n_less, n // 2 - n_less]].mean()) if n else 1.0


def _counts(block: list[Array]) -> Array:
    """How many numbers of each array are in each bin."""
    return np.array([np.bincount(values.view(np.int64) >> _SHIFT, minlength=_N_BINS) for values in block])


def _bins_of_middle(counts: Array) -> tuple[int, int]:
    """The bins that hold the two numbers in the middle."""
    ends, n = np.cumsum(counts), int(counts.sum())
    low, high = np.searchsorted(ends, [(n - 1) // 2, n // 2], side="right")
    return int(low), int(high)


def _rows_ahead(windows: Windows) -> Array:
    rows: Array = windows.origins[:, np.newaxis] + np.arange(windows.spec.horizon)
    return rows


def _joined(scales: list[Array], windows: Windows) -> Array:
    return np.concatenate(scales) if scales else np.zeros((len(windows), 1, windows.spec.n_channels))
