"""Errors on held-out samples, for conformal prediction intervals."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Array = NDArray[Any]


def beyond_known(levels: Array, known: float, errors: Array, n_effective: float) -> Array:
    """How far quantiles lie beyond those at the levels ``1 - known`` and ``known``: (..., level); 0 between these.

    The errors (sample, ...) know no quantile beyond their largest. Normal errors whose spread follows from so many
    others have the quantiles of Student's t, so the tail is its, in units of the root of the mean square of the errors.
    """
    inner = np.clip(levels, 1.0 - known, known)
    spread = np.sqrt(np.nanmean(errors**2, axis=0))
    beyond: Array = spread[..., np.newaxis] * (stdtrit(n_effective, levels) - stdtrit(n_effective, inner))
    return beyond


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
        n = len(self.signed)
        known = n / (n + 1)
        quantiles = np.quantile(self.signed, np.clip(levels, 1.0 - known, known), axis=0).T
        shifted: Array = point[..., np.newaxis] + (quantiles + beyond_known(levels, known, self.signed, n))
        return shifted
