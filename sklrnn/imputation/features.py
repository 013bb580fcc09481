"""What the network reads of series with missing values, and the scales of their columns."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sklrnn.imputation.interpolation import IncompleteSeries, Interpolation
from sklrnn.imputation.segments import Segments

Array = NDArray[Any]


class Scales(NamedTuple):
    """Scales of columns: level, spread about the level of a segment, and size of the residuals of the interpolation."""

    level: Array
    spread: Array
    residual_scale: Array


@dataclass(frozen=True)
class FeatureBuilder:
    """Turns segments of series into the input of the network, (segment, step, feature)."""

    scales: Scales
    window: int
    ahead: bool

    def build(self, interpolation: Interpolation, calendar: Array, segments: Segments) -> Array:
        """For each column the interpolated value, whether it is known, distances to known ones; then the calendar."""
        interpolated = interpolation.interpolated[segments.rows]
        shape = (interpolated - self._level(interpolated, segments)) / self.scales.spread
        before = self._near(interpolation.before[segments.rows])
        parts = [shape, before == 1.0, before]
        if self.ahead:
            parts.append(self._near(interpolation.after[segments.rows]))
        return np.concatenate([*parts, calendar[segments.rows]], axis=2)

    def count_features(self, series: IncompleteSeries) -> int:
        return (4 if self.ahead else 3) * series.values.shape[1] + series.calendar.shape[1]

    def _near(self, distance: Array) -> Array:
        """One at a known value, falling to zero at a distance of a window or more."""
        return 1.0 - np.log1p(np.minimum(distance, self.window)) / np.log1p(self.window)

    def _level(self, interpolated: Array, segments: Segments) -> Array:
        real = segments.is_real[:, :, np.newaxis]
        if self.ahead:
            level: Array = (interpolated * real).sum(axis=1, keepdims=True) / real.sum(axis=1, keepdims=True)
            return level
        steps = np.arange(1, interpolated.shape[1] + 1)[:, np.newaxis]
        so_far: Array = np.cumsum(interpolated, axis=1) / steps
        return so_far
