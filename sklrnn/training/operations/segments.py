"""Segments of sequences that are read one after the other: several of a sequence in a batch become one long one.

::

    join     (time, stream and segment, feature) -> (segment and time, stream, feature)
    split    the same back, behind the recurrent layers
"""

import torch
from torch import Tensor

from sklrnn.training.operations.recurrent import make_signal
from sklrnn.training.operations.signal import Signal


class JoinSegments:
    """Segments in the order of time. In a batch they are all those of the first stream, then all of the second."""

    def __init__(self, source: Signal, n_streams: int) -> None:
        n_steps, n_rows, n_features = source.values.shape
        joined = n_rows // n_streams * n_steps, n_streams, n_features
        gradient = None if source.gradient is None else torch.zeros(joined)
        self._source, self.output = source, Signal(torch.empty(joined), gradient)
        self._n_segments = n_rows // n_streams

    def forward(self, batch: dict[str, Tensor]) -> None:
        _as_segments(self.output.values, self._n_segments).copy_(_of_streams(self._source.values, self._n_segments))

    def backward(self) -> None:
        if self._source.gradient is not None:
            of_source = _of_streams(self._source.gradient, self._n_segments)
            of_source.copy_(_as_segments(self.output.gradient, self._n_segments))


class SplitSegments:
    """The states of each segment."""

    def __init__(self, states: Signal, n_segments: int) -> None:
        n_steps, n_streams, units = states.values.shape
        self.output = make_signal(n_steps // n_segments, n_streams * n_segments, units)
        self._states, self._n_segments = states, n_segments

    def forward(self, batch: dict[str, Tensor]) -> None:
        _of_streams(self.output.values, self._n_segments).copy_(_as_segments(self._states.values, self._n_segments))

    def backward(self) -> None:
        of_states = _as_segments(self._states.gradient, self._n_segments)
        of_states.copy_(_of_streams(self.output.gradient, self._n_segments))


def _as_segments(joined: Tensor, n_segments: int) -> Tensor:
    """(segment and time, stream, feature) as (segment, time, stream, feature)."""
    return joined.unflatten(0, (n_segments, -1))


def _of_streams(x: Tensor, n_segments: int) -> Tensor:
    """(time, stream and segment, feature) as (segment, time, stream, feature)."""
    return x.unflatten(1, (-1, n_segments)).permute(2, 0, 1, 3)
