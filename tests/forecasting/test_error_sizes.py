"""The parts that the sizes of errors are a product of."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklrnn.forecasting.error_sizes import _growth, _means, _quantiles, _relative_to, _steps

NAN = np.nan


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
