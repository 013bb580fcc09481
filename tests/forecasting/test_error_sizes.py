"""The parts that the sizes of errors are a product of."""

import tracemalloc
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklrnn.forecasting.error_sizes import (
    ErrorSizes,
    _growth,
    _means,
    _per_unit,
    _quantiles,
    _relative_to,
    _sizes_of_series,
    _steps,
)

NAN = np.nan


@dataclass
class SomeWindows:
    """What sizes of errors read of windows: here the newest window is that of age 0, and series are equally long."""

    series_ids: np.ndarray
    horizon: int = 1
    naive_error: tuple = (1.0,)
    scale: tuple = (1.0,)
    stacked: SimpleNamespace = field(init=False)
    spec: SimpleNamespace = field(init=False)

    def __post_init__(self):
        n_series = max(self.series_ids) + 1
        naive_error = np.broadcast_to(np.asarray(self.naive_error), (n_series, len(self.scale)))
        self.stacked, self.spec = SimpleNamespace(naive_error=naive_error), SimpleNamespace(horizon=self.horizon)
        counts = np.bincount(self.series_ids)
        self.ages = np.concatenate([np.arange(count)[::-1] for count in counts if count])

    def __len__(self):
        return len(self.series_ids)

    def level_and_scale(self):
        scale = np.broadcast_to(np.asarray(self.scale), (len(self), 1, len(self.scale)))
        return np.zeros_like(scale), scale


def one_series(n, **options):
    return SomeWindows(np.zeros(n, dtype=int), **options)


@pytest.mark.parametrize(
    ("n", "horizon", "n_blocks"), [(12, 3, 5.0), (12, 1, 13.0), (3, 3, 2.0), (1, 3, 2.0), (2, 4, 2.0)]
)
def test_errors_count_as_often_as_the_horizon_fits_into_what_was_forecast(n, horizon, n_blocks):
    sizes = ErrorSizes.of(one_series(n, horizon=horizon), np.ones((n, horizon, 1)))
    assert sizes.n_blocks == n_blocks
    assert sizes.degrees == 2 * n_blocks


@pytest.mark.parametrize("n_series", [2, 3])
def test_the_series_of_a_panel_count_as_two(n_series):
    windows = SomeWindows(np.repeat(np.arange(n_series), 12), horizon=3)
    sizes = ErrorSizes.of(windows, np.ones((len(windows), 3, 1)))
    assert (sizes.n_blocks, sizes.degrees) == (5.0, 20.0)


def test_a_unit_is_the_geometric_mean_of_the_scale_and_the_naive_error():
    windows = one_series(1, naive_error=(4.0, 0.001, 0.0), scale=(1.0, 1.0, 0.0))
    scale = windows.level_and_scale()[1]
    assert_allclose(scale / _per_unit(windows, scale), [[[2.0, np.sqrt(0.02), 0.0]]])


def test_windows_that_are_constant_tell_nothing():
    windows = one_series(4, naive_error=(4.0, 4.0), scale=(1.0, 0.0))
    sizes = ErrorSizes.of(windows, np.ones((4, 1, 2)))
    assert_allclose(sizes.steps, [[0.5, 0.0]])  # one scale is half a unit


def test_the_size_of_a_series_is_drawn_to_one_by_the_square_of_the_horizon():
    windows = SomeWindows(np.array([0, 0, 1]), horizon=3)
    relative = np.array([[3.0, 3.0, 3.0], [3.0, NAN, NAN], [0.5, 0.5, 0.5]])[:, :, np.newaxis]
    assert_allclose(_sizes_of_series(windows, relative), [[(12 + 9) / (4 + 9)], [(1.5 + 9) / (3 + 9)]])


def test_series_that_were_not_there_have_the_mean_size():
    sizes = ErrorSizes(np.array([[2.0]]), np.array([[3.0], [0.5]]), np.linspace(0, 4, 1001)[np.newaxis], 10.0, 20.0)
    windows = SomeWindows(np.array([0, 1, 2]))
    scale = windows.level_and_scale()[1]
    alone = sizes.offsets(np.array([0.9]), windows, scale, series_ids=None).ravel()
    of_series = sizes.offsets(np.array([0.9]), windows, scale, series_ids=windows.series_ids).ravel()
    assert_allclose(of_series / alone, [3.0, 0.5, 1.0])
    assert_allclose(alone, alone[0])


def test_quantiles_of_errors_are_as_far_below_as_above():
    sizes = ErrorSizes(np.array([[2.0]]), np.array([[1.0]]), np.linspace(0, 4, 1001)[np.newaxis], 10.0, 20.0)
    windows = one_series(1)
    levels = np.array([0.1, 0.5, 0.9])
    low, middle, high = sizes.offsets(levels, windows, windows.level_and_scale()[1], series_ids=None)[0, 0, 0]
    assert high > 0
    assert_array_equal([low, middle], [-high, 0.0])


def test_means_are_those_of_what_is_known():
    sizes = np.array([[1.0, NAN, NAN], [3.0, 5.0, NAN]])
    assert_array_equal(_means(sizes, axis=0), [2.0, 5.0, 0.0])
    assert_array_equal(_means(sizes, axis=(0, 1)), 3.0)


def test_steps_without_errors_get_the_size_of_those_beside_them():
    sizes = np.array([[NAN, 2.0, NAN, 6.0, NAN]])[:, :, np.newaxis]
    assert_allclose(_steps(sizes)[:, 0], [2.0, 2.0, 4.0, 6.0, 6.0])


def test_smoothing_weighs_each_step_by_its_errors():
    sizes = np.full((4, 2), NAN)
    sizes[:, 0], sizes[0, 1] = 3.0, 1.0
    both = np.stack([sizes, [[1.0, 2.0]] * 4], axis=-1)
    assert_allclose(_steps(both), [[2.6, 1.0], [2.6, 2.0]])


def test_nothing_known_has_no_size():
    assert_array_equal(_steps(np.full((3, 2, 1), NAN)), np.zeros((2, 1)))
    assert_array_equal(_quantiles(np.array([])), np.zeros(1001))


def test_sizes_are_relative_to_the_steps_but_for_those_without_errors():
    assert_array_equal(_relative_to(np.array([[2.0], [0.0]]), np.array([[[6.0], [0.0]]])), [[[3.0], [0.0]]])


@pytest.mark.parametrize(("newest", "expected"), [(4.0, np.sqrt(2.0)), (1.0, 1.0), (0.25, 1.0)])
def test_growth_is_the_geometric_mean_of_the_newest_third_and_all(newest, expected):
    relative = np.array([1.0, 1.0, 1.0, 1.0, newest, newest])[:, np.newaxis, np.newaxis]
    assert_allclose(_growth(relative), [expected])


def test_errors_of_zero_do_not_grow():
    assert_array_equal(_growth(np.zeros((6, 1, 1))), [1.0])


def test_quantiles_lie_at_equal_distances_from_the_least_to_the_largest():
    quantiles = _quantiles(np.array([0.0, 10.0]))
    assert len(quantiles) == 1001
    assert_allclose(quantiles[[0, 100, 500, 1000]], [0.0, 1.0, 5.0, 10.0])


def test_errors_of_millions_of_windows_are_not_copied_again_and_again():
    windows = SomeWindows(np.repeat(np.arange(2000), 100), horizon=7)
    errors = np.random.default_rng(0).normal(size=(200_000, 7, 1)).astype(np.float32)
    tracemalloc.start()
    ErrorSizes.of(windows, errors)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * errors.size * np.dtype(np.float64).itemsize
