"""The answers of a split, which are the targets of its test samples, and the rows that see them."""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from sklrnn.timeline.panel import RowMask, RowNumbers, Timeline


class Reach(NamedTuple):
    """The window of the sample of row t, which ends at t, and its targets, t+1 ... t+horizon."""

    window_length: int
    horizon: int
    stride_within: int


class Answers(NamedTuple):
    """Which slots hold an answer.

    The rows of all entities have slots on one axis, with gaps between entities that no window or target reaches across:
    a target may be after the last row of its entity.
    """

    slots: RowNumbers
    is_answer: RowMask
    reach: Reach

    @classmethod
    def of(cls, timeline: Timeline, test: RowNumbers, reach: Reach) -> Self:
        """The answers of the test rows."""
        window_reach = reach.window_length * reach.stride_within
        lengths = np.bincount(timeline.entity) + window_reach + reach.horizon
        starts = np.cumsum(lengths) - lengths + window_reach
        slots, n_slots = starts[timeline.entity] + timeline.position, int(lengths.sum())
        # The answers of a test sample begin one slot after it and end horizon slots after it.
        edges = np.zeros(n_slots + 1, dtype=np.intp)
        np.add.at(edges, slots[test] + 1, 1)
        np.add.at(edges, slots[test] + reach.horizon + 1, -1)
        return cls(slots, np.cumsum(edges[:-1]) > 0, reach)

    def in_target(self, rows: RowNumbers) -> RowMask:
        """Whether the targets of the rows hold an answer."""
        return _any_of_last(self.is_answer, self.slots[rows] + self.reach.horizon, self.reach.horizon, 1)

    def in_window(self, rows: RowNumbers) -> RowMask:
        """Whether the windows of the rows hold an answer."""
        return _any_of_last(self.is_answer, self.slots[rows], self.reach.window_length, self.reach.stride_within)

    def at(self, rows: RowNumbers) -> RowMask:
        """Whether the rows are answers themselves."""
        is_answer: RowMask = self.is_answer[self.slots[rows]]
        return is_answer


def _any_of_last(flags: RowMask, at: RowNumbers, length: int, stride: int) -> RowMask:
    """Whether any of the ``length`` flags ``flags[at], flags[at - stride], ...`` is set."""
    # The difference of two cumulative counts, each along every stride-th flag.
    padded = np.concatenate([flags, np.zeros(-len(flags) % stride, dtype=bool)])
    counts: NDArray[np.intp] = padded.reshape(-1, stride).cumsum(axis=0, dtype=np.intp).reshape(-1)
    # An entity begins further from the start than any window reaches.
    return counts[at] > counts[at - length * stride]
