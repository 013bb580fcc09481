"""Mean, standard deviation and range of numbers that come in blocks, in one pass."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklrnn.inputs.magnitudes import exponents
from sklrnn.inputs.samples import check_range, usable_spread

Array = NDArray[Any]

_NUMBERS_AT_ONCE = 2**20


class RunningMoments:
    """Weighted mean and variance of each column, NaN left out; errors call the numbers ``name``.

    Blocks are merged in double precision by the formula of Chan, Golub and LeVeque: the result differs from that of all
    rows together by rounding alone.
    """

    def __init__(self, name: str, n_columns: int, dtype: np.dtype[Any]) -> None:
        self._name, self._dtype = name, dtype
        self._total, self.mean, self._squares = np.zeros((3, n_columns))
        self.lowest, self.highest = np.full(n_columns, np.nan), np.full(n_columns, np.nan)

    def add(self, values: Array, weights: Array | None = None) -> None:
        """Count further samples, (sample, ..., column), each with a weight."""
        size = max(1, _NUMBERS_AT_ONCE // max(1, values[:1].size))
        for start in range(0, len(values), size):
            rows = slice(start, start + size)
            self._add(values[rows], None if weights is None else weights[rows])

    @property
    def spread(self) -> Array:
        """The standard deviation of each column."""
        return np.sqrt(self._squares / np.maximum(self._total, np.finfo(np.float64).tiny))

    @property
    def largest(self) -> float:
        """The largest absolute value."""
        return float(np.nan_to_num(np.fmax(-self.lowest, self.highest)).max(initial=0.0))

    def scale(self) -> tuple[Array, Array]:
        """Means, and standard deviations to divide by."""
        return self.mean, usable_spread(self.mean, self.spread, self._dtype)

    def _add(self, values: Array, weights: Array | None) -> None:
        n_steps = int(np.prod(values.shape[1:-1]))
        rows = values.reshape(-1, values.shape[-1]).astype(np.float64)
        self._add_range(rows)
        known: Array = ~np.isnan(rows)
        shares = known.astype(np.float64)
        if weights is not None:
            shares *= np.repeat(weights, n_steps)[:, np.newaxis]
        rows = np.where(known, rows, 0.0)
        total = shares.sum(axis=0)
        divisor = np.where(total > 0, total, 1.0)
        mean = np.einsum("rc,rc->c", shares, rows) / divisor
        squares = np.einsum("rc,rc->c", shares, (rows - mean) ** 2)
        together = self._total + total
        share = total / np.where(together > 0, together, 1.0)
        difference = mean - self.mean
        self.mean = self.mean + difference * share
        self._squares = self._squares + squares + difference**2 * self._total * share
        self._total = together

    def _add_range(self, rows: Array) -> None:
        self.lowest = np.fmin(self.lowest, np.fmin.reduce(rows, axis=0))
        self.highest = np.fmax(self.highest, np.fmax.reduce(rows, axis=0))
        low, high = np.fmin.reduce(self.lowest), np.fmax.reduce(self.highest)
        check_range(self._name, float(np.nan_to_num(low)), float(np.nan_to_num(high)), self._dtype)
        if exponents(np.nan_to_num(np.fmax(np.abs(self.lowest), np.abs(self.highest)))).any():
            raise ValueError(
                f"{self._name} holds numbers of a size up to {self.largest:.3g}, whose squares can't be summed up "
                f"block by block. Divide {self._name} by a constant."
            )
