"""Errors on held-out samples, for conformal prediction intervals."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from sklrnn.inputs.magnitudes import exponents

Array = NDArray[Any]


def beyond_known(levels: Array, known: float, errors: Array, n_effective: float) -> Array:
    """How far quantiles lie beyond those at the levels ``1 - known`` and ``known``: (..., level); 0 between these.

    The errors (sample, ...) know no quantile beyond their largest. Normal errors whose spread follows from so many
    others have the quantiles of Student's t, so the tail is its, in units of the root of the mean square of the errors.
    """
    inner = np.clip(levels, 1.0 - known, known)
    powers = exponents(np.fmax.reduce(np.abs(errors), axis=0, initial=0.0))
    spread = np.ldexp(np.sqrt(np.nanmean(np.ldexp(errors, -powers) ** 2, axis=0)), powers)
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

    @classmethod
    def concatenate(cls, parts: list["HeldOutErrors"]) -> "HeldOutErrors":
        """The errors of several parts of the samples."""
        return cls(*(np.concatenate(each) for each in zip(*(part.state for part in parts), strict=True)))

    @property
    def state(self) -> tuple[Array, Array]:
        """Plain arrays, which any way of saving knows."""
        return self.signed, self.outside

    def margin(self, coverage: float) -> Array:
        """How much wider than the band an interval must be to hold this share of new targets, for each output.

        Beyond the largest error it follows the tail of Student's t.
        """
        n = len(self.outside)
        # One more than n: the new target is exchangeable with these.
        rank = int(np.ceil((n + 1) * coverage - 1e-9))
        margin: Array = np.sort(self.outside, axis=0)[min(rank, n) - 1]
        known, level = (0.5 + 0.5 * share for share in (n / (n + 1), coverage))
        return margin + beyond_known(np.array([level]), known, self.signed, n)[..., 0]

    def shift(self, point: Array, levels: Array) -> Array:
        """The points, moved by quantiles of the signed errors: (sample, output, level)."""
        n = len(self.signed)
        known = n / (n + 1)
        quantiles = np.quantile(self.signed, np.clip(levels, 1.0 - known, known), axis=0).T
        shifted: Array = point[..., np.newaxis] + (quantiles + beyond_known(levels, known, self.signed, n))
        return shifted
