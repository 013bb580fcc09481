"""Segments: the parts of series that the network reads at once."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Segments(NamedTuple):
    """Their rows ``(segment, step)``, and the number of real rows of each; the others are padding."""

    rows: NDArray[np.intp]
    lengths: NDArray[np.intp]

    @classmethod
    def of(cls, starts: Array, lengths: Array) -> "Segments":
        steps = np.arange(lengths.max(initial=1))
        # Short segments are padded with their last row, which is never read.
        return cls(starts[:, np.newaxis] + np.minimum(steps, lengths[:, np.newaxis] - 1), lengths)

    def take(self, chosen: Any) -> "Segments":
        lengths = self.lengths[chosen]
        return Segments(self.rows[chosen][:, : lengths.max(initial=1)], lengths)

    @property
    def is_real(self) -> Array:
        real: Array = np.arange(self.rows.shape[1]) < self.lengths[:, np.newaxis]
        return real


def count_segments(lengths: NDArray[np.intp], window: int) -> int:
    """How many segments hold every row about once."""
    return int(np.sum(-(-lengths // window)))


def draw_segments(lengths: NDArray[np.intp], window: int, rng: np.random.Generator) -> Segments:
    """Segments that hold every row about once, those at the ends of the series too, in random order."""
    counts = -(-lengths // window)
    series = np.repeat(np.arange(len(lengths)), counts)
    number = np.arange(len(series)) - np.repeat(np.cumsum(counts) - counts, counts) + rng.random(len(series))
    starts = np.round(lengths[series] * number / counts[series] - window / 2)
    starts = np.clip(starts, 0, np.maximum(lengths[series] - window, 0)).astype(np.intp)
    starts += (np.cumsum(lengths) - lengths)[series]
    order = rng.permutation(len(series))
    return Segments.of(starts[order], np.minimum(lengths, window)[series][order])


class Tiling(NamedTuple):
    """Overlapping segments, and the steps of each, from ``begin`` to ``stop``, whose predictions are used."""

    segments: Segments
    begin: NDArray[np.intp]
    stop: NDArray[np.intp]


def tile(lengths: NDArray[np.intp], window: int, *, ahead: bool) -> Tiling:
    """Cover series with segments so that each row has rows before it and, looking ahead, after it.

    The first row of a segment does not depend on the length of the series.
    """
    hop = max(1, window // 2)
    counts = np.maximum(1, -(-(lengths - window) // hop) + 1)
    series = np.repeat(np.arange(len(lengths)), counts)
    number = np.arange(len(series)) - np.repeat(np.cumsum(counts) - counts, counts)
    own_length = np.minimum(window, lengths[series] - number * hop)
    lead = (window - hop) // 2 if ahead else window - hop
    begin = np.where(number == 0, 0, lead)
    stop = np.where(number == counts[series] - 1, own_length, lead + hop)
    starts = (np.cumsum(lengths) - lengths)[series] + number * hop
    return Tiling(Segments.of(starts, own_length), begin, stop)
