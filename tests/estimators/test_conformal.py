"""Intervals from held-out errors, against their definitions."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import t
from sklearn.model_selection import KFold

from sklrnn.estimators.conformal import HeldOutErrors, beyond_known
from sklrnn.estimators.cross_conformal import _blocks, _is_cv, _split
from sklrnn.inputs.samples import Samples


@pytest.fixture
def errors():
    """Nineteen signed errors of two outputs."""
    signed = np.random.default_rng(0).permuted(np.arange(-9.0, 10.0)[:, np.newaxis] * [1.0, 10.0], axis=0)
    return HeldOutErrors(signed, np.abs(signed))


def test_errors_are_those_of_the_point_and_of_the_bound_that_is_nearer():
    y, point = np.array([[1.0], [5.0], [9.0]]), np.full((3, 1), 4.0)
    band = np.array([[3.0, 7.0]]).repeat(3, axis=0)[:, np.newaxis]
    errors = HeldOutErrors.measure(y, point, band)
    assert errors.signed.ravel().tolist() == [-3.0, 1.0, 5.0]
    assert errors.outside.ravel().tolist() == [2.0, -2.0, 2.0]


def test_parts_are_put_together_in_their_order(errors):
    whole = HeldOutErrors.concatenate([HeldOutErrors(*(each[part] for each in errors.state)) for part in halves(19)])
    for ours, theirs in zip(whole.state, errors.state, strict=True):
        assert_array_equal(ours, theirs)


def halves(n):
    return slice(0, n // 2), slice(n // 2, n)


@pytest.mark.parametrize(("coverage", "rank"), [(0.5, 10), (0.51, 11), (0.9, 18), (0.95, 19)])
def test_the_margin_is_the_error_of_the_conformal_rank(errors, coverage, rank):
    expected = np.sort(errors.outside, axis=0)[rank - 1]
    assert_array_equal(errors.margin(coverage), expected)


def test_a_margin_beyond_the_largest_error_follows_the_tail_of_students_t(errors):
    spread = np.sqrt(np.mean(errors.signed**2, axis=0))
    tail = t.ppf((1 + 0.99) / 2, 19) - t.ppf((1 + 19 / 20) / 2, 19)
    assert_allclose(errors.margin(0.99), np.array([9.0, 90.0]) + spread * tail)


def test_points_are_moved_by_the_quantiles_of_the_signed_errors(errors):
    point, levels = np.array([[1.0, 2.0]]), np.array([0.1, 0.5, 0.75])
    shifted = errors.shift(point, levels)
    assert shifted.shape == (1, 2, 3)
    for output in range(2):
        assert_allclose(shifted[0, output], point[0, output] + np.quantile(errors.signed[:, output], levels))


def test_points_move_on_along_the_tail_of_students_t(errors):
    low, high = errors.shift(np.zeros((1, 2)), np.array([0.01, 0.99]))[0, 1]
    spread = np.sqrt(np.mean(errors.signed[:, 1] ** 2))
    expected = np.quantile(errors.signed[:, 1], 0.95) + spread * (t.ppf(0.99, 19) - t.ppf(0.95, 19))
    assert_allclose([high, low], [expected, -expected])


def test_nothing_lies_beyond_the_known_levels_within_them():
    errors = np.array([[1.0], [np.nan], [-1.0]])
    assert_array_equal(beyond_known(np.array([0.25, 0.5, 0.75]), 0.75, errors, 5), np.zeros((1, 3)))
    low, high = beyond_known(np.array([0.1, 0.9]), 0.75, errors, 5)[0]
    assert_allclose(high, t.ppf(0.9, 5) - t.ppf(0.75, 5))
    assert_allclose(low, -high)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_tails_of_errors_whose_squares_are_no_floats(scale):
    levels, errors = np.array([0.9]), np.array([[3.0], [-1.0]])
    assert_allclose(beyond_known(levels, 0.6, scale * errors, 2), scale * beyond_known(levels, 0.6, errors, 2))


# -- folds -------------------------------------------------------------------------------------------------------------


def test_blocks_leave_out_the_samples_that_overlap_on_both_sides():
    found = [(train.tolist(), test.tolist()) for train, test in _blocks(9, 3, 2)]
    assert found == [([5, 6, 7, 8], [0, 1, 2]), ([0, 8], [3, 4, 5]), ([0, 1, 2, 3], [6, 7, 8])]


def test_a_block_without_samples_leaves_out_none():
    found = [(train.tolist(), test.tolist()) for train, test in _blocks(1, 2, 0)]
    assert found == [([], [0]), ([0], [])]


def folds_of(cv, samples, n_outputs=1):
    regressor = SimpleNamespace(calibration_cv=cv, n_outputs_=n_outputs)
    return [(train.tolist(), test.tolist()) for train, test in _split(regressor, samples)]


def test_folds_are_positions_of_the_samples_with_weight():
    samples = Samples(np.zeros((7, 2, 1)), np.zeros((7, 1)), np.array([1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 1.0]))
    expected = [([3, 4, 6], [0, 2]), ([0, 2, 6], [3, 4]), ([0, 2, 3, 4], [6])]
    assert folds_of(np.int64(3), samples) == expected
    assert folds_of(KFold(3), samples) == expected
    given = [([0, 1], [4, 3])]
    assert folds_of(given, samples) == [([0, 2], [4, 6])]
    with pytest.raises(ValueError, match="up to number 5, and there are 5, counted from 0"):
        folds_of([([0], [5])], samples)


def test_outputs_overlap_with_those_of_the_samples_beside_unless_they_are_of_steps():
    samples = Samples(np.zeros((4, 2, 1)), np.zeros((4, 2)))
    assert folds_of(2, samples, n_outputs=2) == [([3], [0, 1]), ([0], [2, 3])]
    of_steps = Samples(np.zeros((4, 2, 1)), np.zeros((4, 2)), per_timestep=True)
    assert folds_of(2, of_steps, n_outputs=2) == [([2, 3], [0, 1]), ([0, 1], [2, 3])]


@pytest.mark.parametrize(
    ("cv", "is_one"), [(1, False), (2, True), (np.int64(3), True), (None, True), ("3", False), ([], True), (0.5, False)]
)
def test_what_counts_as_folds(cv, is_one):
    assert _is_cv(cv) is is_one
