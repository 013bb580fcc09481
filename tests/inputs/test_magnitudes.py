"""Levels and spreads of numbers whose squares are too large or too small for a float."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklrnn.inputs.magnitudes import exponents, mean_and_spread, standard_deviation, without_exponent
from sklrnn.inputs.ragged import Ragged
from sklrnn.inputs.samples import feature_statistics

X = np.random.default_rng(0).normal(size=(40, 5, 3))
WEIGHTS = np.random.default_rng(1).uniform(size=40)
POWER = 2.0**600


@pytest.mark.parametrize("factor", [POWER, 1 / POWER, 2.0**-1000])
@pytest.mark.parametrize("gaps", [False, True])
def test_statistics_of_features_scale_with_the_feature_to_the_last_bit(factor, gaps):
    values = np.where(X > 2, np.nan, X) if gaps else X
    mean, spread = feature_statistics(values, WEIGHTS)
    scaled_mean, scaled_spread = feature_statistics(values * [1.0, factor, 1.0], WEIGHTS)
    assert_array_equal(scaled_mean, mean * [1.0, factor, 1.0])
    assert_array_equal(scaled_spread, spread * [1.0, factor, 1.0])


def test_sequences_of_several_lengths_scale_too():
    rows = [row[: 1 + number % 5] for number, row in enumerate(X)]
    _, spread = feature_statistics(Ragged.from_list(rows), None)
    _, scaled = feature_statistics(Ragged.from_list([row * POWER for row in rows]), None)
    assert_array_equal(scaled, spread * POWER)


@pytest.mark.parametrize("factor", [POWER, 1 / POWER])
def test_targets_and_series_scale_to_the_last_bit(factor):
    y = X[:, 0]
    assert_array_equal(mean_and_spread(y * factor, WEIGHTS), np.multiply(mean_and_spread(y, WEIGHTS), factor))
    assert_array_equal(standard_deviation(y * factor, axis=0), y.std(axis=0) * factor)


def test_what_has_no_weight_does_not_choose_the_scale():
    y, weights = np.array([[1.0], [3.0], [1e200]]), np.array([1.0, 1.0, 0.0])
    assert_allclose(mean_and_spread(y, weights), [[2.0], [1.0]])


def test_ordinary_numbers_are_not_scaled():
    assert not exponents([0.0, 1e-80, 1.0, 1e80]).any()
    assert_array_equal(exponents([1e200]), [665])


def test_values_without_exponent_reach_one_half():
    assert_array_equal(without_exponent(np.array([np.nan, 3.0, -1.0])), [np.nan, 0.75, -0.25])


def test_a_feature_at_the_end_of_single_precision_is_not_divided_by_zero():
    smallest = np.finfo(np.float32).smallest_subnormal
    values = np.where(X > 2, smallest, 0).astype(np.float32)
    _, spread = feature_statistics(values, None)
    assert (spread.astype(np.float32) > 0).all()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (X * 1e307, r"size up to .*e\+307, and 1e\+300 is the largest"),
        (np.sign(X).astype(np.float32) * np.float32(3e38), r"Pass X\.astype\(np\.float64\)"),
    ],
)
def test_numbers_that_leave_no_room_to_compute_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        feature_statistics(values, None)
