"""What a network that fills gaps is shown, and what it is asked: values of series are hidden, and to be answered."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sklrnn.imputation.interpolation import (
    Hiding,
    Segments,
    Series,
    Surroundings,
    count_segments,
    draw_segments,
    look_around,
)

Array = NDArray[Any]

# An epoch of a short table shows it several times, so that it is worth the name.
_FEWEST_BATCHES = 4
# Draws that tell how far off a bridge typically is.
_DRAWS_TO_MEASURE = 5


class Scales(NamedTuple):
    """What brings columns to a common size: their level, their spread about the level of a segment, and how far off the bridge is."""

    level: Array
    spread: Array
    miss: Array


@dataclass(frozen=True)
class Reader:
    """Turns series into what the network reads, (segment, step, feature), and its answers into values."""

    scales: Scales
    window: int
    ahead: bool

    def read(self, around: Surroundings, calendar: Array, segments: Segments) -> Array:
        """For each column the bridge, whether it is a value itself, and how far the nearest ones are; then the calendar."""
        bridge = around.bridge[segments.rows]
        shape = (bridge - self._level(bridge, segments)) / self.scales.spread
        before = self._near(around.before[segments.rows])
        parts = [shape, before == 1.0, before]
        if self.ahead:
            parts.append(self._near(around.after[segments.rows]))
        return np.concatenate([*parts, calendar[segments.rows]], axis=2)

    def count_features(self, series: Series) -> int:
        return (4 if self.ahead else 3) * series.values.shape[1] + series.calendar.shape[1]

    def _near(self, distance: Array) -> Array:
        """One where the value itself stands, none where it is a window away or further."""
        return 1.0 - np.log1p(np.minimum(distance, self.window)) / np.log1p(self.window)

    def _level(self, bridge: Array, segments: Segments) -> Array:
        real = segments.is_real[:, :, np.newaxis]
        if self.ahead:
            level: Array = (bridge * real).sum(axis=1, keepdims=True) / real.sum(axis=1, keepdims=True)
            return level
        steps = np.arange(1, bridge.shape[1] + 1)[:, np.newaxis]
        so_far: Array = np.cumsum(bridge, axis=1) / steps
        return so_far


@dataclass(frozen=True)
class Lessons:
    """Series to learn from: each epoch hides other values of them. As an array it is (segment, step, feature)."""

    series: Series
    hiding: Hiding
    reader: Reader

    @classmethod
    def enough(cls, series: Series, hiding: Hiding, reader: Reader, batch_size: int) -> "Lessons":
        """Repeat short series until an epoch is worth the name."""
        times = -(-_FEWEST_BATCHES * batch_size // count_segments(series.lengths, reader.window)) + 1
        return cls(series.repeated(times), hiding, reader)

    def __len__(self) -> int:
        return count_segments(self.series.lengths, self.reader.window)

    @property
    def shape(self) -> tuple[int, int, int]:
        return len(self), self.reader.window, self.reader.count_features(self.series)

    def draw(self, rng: np.random.Generator) -> tuple[Surroundings, Array, Array]:
        """Hide values: what can be seen of the rest, what is to be answered in units of ``miss``, and where."""
        missing = np.isnan(self.series.values)
        hidden = self.hiding.draw(missing, rng)
        level, _, miss = self.reader.scales
        around = look_around(self.series, ~(hidden | missing), level, ahead=self.reader.ahead)
        wanted = np.where(hidden, self.series.values - around.bridge, 0.0) / np.where(miss > 0, miss, 1.0)
        return around, wanted, hidden & (miss > 0)


def measure(series: Series, hiding: Hiding, *, window: int, ahead: bool, squared: bool, seed: int) -> Reader:
    """Learn the scales of the columns."""
    rng = np.random.default_rng([seed, 1])
    missing = np.isnan(series.values)
    level = np.nanmean(series.values, axis=0)
    ones = np.ones(len(level))
    plain = Reader(Scales(level, ones, ones), window, ahead)
    segments = draw_segments(series.lengths, window, rng)
    around = look_around(series, ~missing, level, ahead=ahead)
    deviations = plain.read(around, series.calendar, segments)[segments.is_real][:, : len(level)]
    spread = np.sqrt(np.mean(deviations**2, axis=0))
    draws = [Lessons(series, hiding, plain).draw(rng)[1:] for _ in range(_DRAWS_TO_MEASURE)]
    power = 2 if squared else 1
    total = sum((np.abs(wanted) ** power * hidden).sum(axis=0) for wanted, hidden in draws)
    count = sum(hidden.sum(axis=0) for _, hidden in draws)
    miss = (total / np.maximum(count, 1)) ** (1 / power)
    # What rounding leaves of a straight line is no error to learn from.
    tiny = 1e-9 * np.maximum(np.abs(level), spread)
    return Reader(Scales(level, np.where(spread > tiny, spread, 1.0), np.where(miss > tiny, miss, 0.0)), window, ahead)
