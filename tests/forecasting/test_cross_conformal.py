"""Which targets of windows are held out for the errors behind intervals."""

import tracemalloc
from types import SimpleNamespace

import numpy as np
from numpy.testing import assert_array_equal

from sklrnn.forecasting.cross_conformal import _has_targets


def make_windows(n, horizon):
    """The age of a window is that of its last target."""
    return SimpleNamespace(ages=np.arange(n, dtype=np.int32) % 10, spec=SimpleNamespace(horizon=horizon), n=n)


def test_targets_are_marked_by_their_age():
    marked = np.arange(12) >= 9
    found = _has_targets(make_windows(10, horizon=3), marked)
    assert_array_equal(found[8], [True, True, False])  # ages 10, 9 and 8
    assert_array_equal(found.sum(axis=1), [0, 0, 0, 0, 0, 0, 0, 1, 2, 3])


def test_marks_of_many_windows_take_a_byte_for_each_target():
    windows, marked = make_windows(100_000, horizon=7), np.arange(16) < 4
    tracemalloc.start()
    found = _has_targets(windows, marked)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * found.size
