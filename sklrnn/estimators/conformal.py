"""Errors on held-out samples, for conformal prediction intervals."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class HeldOutErrors:
    """Signed errors of the points, and how far targets lie outside the inner band, both (sample, output)."""

    signed: Array
    outside: Array

    @classmethod
    def measure(cls, y: Array, point: Array, band: Array) -> "HeldOutErrors":
        return cls(y - point, np.maximum(band[..., 0] - y, y - band[..., 1]))

    @property
    def state(self) -> tuple[Array, Array]:
        """Plain arrays, which any way of saving knows."""
        return self.signed, self.outside

    def margin(self, coverage: float) -> Array:
        """How much wider than the band an interval must be to hold this share of new targets, for each output."""
        n = len(self.outside)
        # One more than n: the new target is exchangeable with the held-out ones.
        rank = int(np.ceil((n + 1) * coverage - 1e-9))
        if rank > n:
            needed = int(np.ceil(coverage / (1 - coverage) - 1e-9))
            raise ValueError(
                f"An interval of coverage={coverage:g} needs at least {needed} held-out samples, there are {n}. "
                "Raise validation_fraction, pass more samples, or lower the coverage."
            )
        margin: Array = np.sort(self.outside, axis=0)[rank - 1]
        return margin

    def shift(self, point: Array, levels: Array) -> Array:
        """The points, moved by quantiles of the signed errors: (sample, output, level)."""
        shifted: Array = point[..., np.newaxis] + np.quantile(self.signed, levels, axis=0).T
        return shifted
