"""Samples with weights: what is held out, merged and computed from them."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from numpy.testing import assert_allclose, assert_array_equal

from sklrnn.inputs.ragged import Ragged
from sklrnn.inputs.samples import (
    Samples,
    count_older,
    feature_statistics,
    hold_out_newest,
    largest_value,
    merge_identical,
    token_counts,
)


@pytest.mark.parametrize(("n", "fraction", "expected"), [(10, 0.1, 9), (19, 0.1, 18), (2, 0.5, 1), (100, 0.25, 75)])
def test_the_rest_of_the_newest_is_rounded_up(n, fraction, expected):
    assert count_older(n, fraction) == expected


@pytest.mark.parametrize(("n", "fraction", "least"), [(5, 0.1, 1), (1, 0.9, 1), (10, 0.1, 2), (10, 0.9, 2)])
def test_both_parts_need_enough(n, fraction, least):
    message = f"validation_fraction={fraction} of {n} rows leaves .* both need at least {least}. .* pass more rows"
    with pytest.raises(ValueError, match=message):
        count_older(n, fraction, what="rows", least=least)


def ragged(*sequences):
    return Ragged.from_list([np.asarray(sequence) for sequence in sequences])


def test_the_newest_with_weight_are_held_out():
    samples = Samples(np.arange(8.0).reshape(8, 1, 1), np.arange(8), np.array([1, 1, 0, 1, 1, 0, 1, 2.0]))
    train, held_out = hold_out_newest(samples, 0.35)
    assert train.y[train.nonzero_weight].tolist() == [0, 1, 3, 4]
    assert held_out.y[held_out.nonzero_weight].tolist() == [6, 7]


# -- weights -----------------------------------------------------------------------------------------------------------


def test_the_weight_of_a_sample_is_the_mean_over_its_steps():
    X, y = np.zeros((2, 2, 1)), np.zeros((2, 2))
    weights = np.array([[0.0, 0.0], [1.0, 4.0]])
    assert Samples(X, y, weights, per_timestep=True).row_weights.tolist() == [0.0, 2.5]
    of_lengths = Samples(ragged(y[0], y[1, :1]), y, ragged([1.0, 3.0], [5.0]), per_timestep=True)
    assert of_lengths.row_weights.tolist() == [2.0, 5.0]
    assert Samples(X, y, weights, per_timestep=True).nonzero_weight.tolist() == [1]


def test_targets_of_steps_are_those_of_samples_with_weight():
    y, weights = ragged([1, 2], [3], [4, 5]), ragged([1.0, 0.5], [0.0], [0.0, 2.0])
    values, known = Samples(y, y, weights, per_timestep=True).targets()
    assert values.tolist() == [1, 2, 4, 5]
    assert known.tolist() == [1.0, 0.5, 0.0, 2.0]
    values, known = Samples(y, y, None, per_timestep=True).targets()
    assert values.tolist() == [1, 2, 3, 4, 5]
    assert known is None


def test_only_the_chosen_keep_the_weights_of_their_steps():
    y, weights = ragged([1, 2], [3], [4, 5]), ragged([1.0, 0.5], [3.0], [0.0, 2.0])
    chosen = np.array([0, 2])
    assert Samples(y, y, weights, per_timestep=True).only(chosen).weights.flat().tolist() == [1.0, 0.5, 0.0, 0.0, 2.0]
    assert Samples(y, y, None, per_timestep=True).only(chosen).weights.flat().tolist() == [1.0, 1.0, 0.0, 1.0, 1.0]


def test_sequences_are_ordered_by_their_lengths():
    y = ragged([1, 2, 3], [4], [5, 6], [7])
    by_length = Samples(y, np.arange(4)).by_length()
    assert by_length.y.tolist() == [1, 3, 2, 0]
    equal = Samples(np.zeros((3, 2, 1)), np.arange(3))
    assert equal.by_length() is equal


# -- equal samples -----------------------------------------------------------------------------------------------------


def test_equal_samples_weigh_as_much_as_they_do_together():
    X = np.array([[1.0, np.nan], [1.0, np.nan], [1.0, 0.0], [1.0, np.nan], [9.0, 9.0]])[:, :, np.newaxis]
    y = np.array([[1.0], [1.0], [1.0], [2.0], [9.0]])
    merged = merge_identical(Samples(X, y, np.array([1.0, 2.0, 4.0, 8.0, 0.0])))
    found = {(str(x.ravel()), float(t[0])): w for x, t, w in zip(merged.X, merged.y, merged.weights, strict=True)}
    assert found == {("[ 1. nan]", 1.0): 3.0, ("[1. 0.]", 1.0): 4.0, ("[ 1. nan]", 2.0): 8.0}


@pytest.mark.parametrize("weights", [None, ([1.0, 2.0], [4.0], [8.0, 16.0])])
def test_weights_of_equal_samples_are_added_step_by_step(weights):
    X, y = ragged([[1.0], [2.0]], [[1.0]], [[1.0], [2.0]]), ragged([5.0, 6.0], [5.0], [5.0, 6.0])
    merged = merge_identical(Samples(X, y, None if weights is None else ragged(*weights), per_timestep=True))
    by_length = {len(w): w.tolist() for w in merged.weights.split()}
    assert by_length == ({1: [1.0], 2: [2.0, 2.0]} if weights is None else {1: [4.0], 2: [9.0, 18.0]})


def test_weights_of_equal_samples_of_one_length_are_added_step_by_step():
    X, y = np.array([1.0, 2.0, 1.0]).reshape(3, 1, 1).repeat(2, axis=1), np.array([[1, 1], [2, 2], [1, 1]])
    merged = merge_identical(Samples(X, y, np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 0.0]]), per_timestep=True))
    assert merged.weights.tolist() == [[6.0, 2.0], [3.0, 4.0]]
    assert merge_identical(Samples(X, y, None, per_timestep=True)).weights.tolist() == [[2.0, 2.0], [1.0, 1.0]]


# -- statistics --------------------------------------------------------------------------------------------------------


def test_tokens_are_counted_with_the_weights_of_their_samples():
    tokens = ragged([3, 3, 1], [7], [1])
    assert [part.tolist() for part in token_counts(Samples(tokens, None))] == [[1, 3, 7], [2, 2, 1]]
    weighted = token_counts(Samples(tokens, None, np.array([2.0, 0.0, 0.5])))
    assert [part.tolist() for part in weighted] == [[1, 3], [2.5, 4.0]]


def weighted_moments(steps, weights):
    """By the definition, feature after feature, over the steps that are known."""
    known = ~np.isnan(steps)
    means = [np.average(column[k], weights=weights[k]) for column, k in zip(steps.T, known.T, strict=True)]
    spreads = [
        np.sqrt(np.average((column[k] - mean) ** 2, weights=weights[k]))
        for column, k, mean in zip(steps.T, known.T, means, strict=True)
    ]
    return means, spreads


@pytest.mark.parametrize("missing", [False, True], ids=["", "missing"])
@pytest.mark.parametrize("of_lengths", [False, True], ids=["", "of lengths"])
def test_statistics_are_the_weighted_moments_of_the_chosen_samples(of_lengths, missing):
    rng = np.random.default_rng(0)
    X = 3.0 + 2.0 * rng.normal(size=(8, 5, 2))
    if missing:
        X[rng.random(X.shape) < 0.2] = np.nan
    lengths = rng.integers(1, 6, size=8) if of_lengths else np.full(8, 5)
    weights, chosen = rng.random(8), np.array([0, 2, 3, 6])
    sequences = [x[:length] for x, length in zip(X, lengths, strict=True)]
    mean, spread = feature_statistics(ragged(*sequences) if of_lengths else X, weights, chosen)
    steps = np.concatenate([sequences[sample] for sample in chosen])
    expected = weighted_moments(steps, np.repeat(weights[chosen], lengths[chosen]))
    assert_allclose(mean, expected[0])
    assert_allclose(spread, expected[1])


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_statistics_of_many_samples_are_those_of_all_at_once(value):
    rows = np.random.default_rng(0).normal(5.0, 2.0, size=(7000, 2))
    rows[10, 0] = value
    windows = sliding_window_view(rows, 400, axis=0).transpose(0, 2, 1)
    mean, spread = feature_statistics(windows, None)
    steps = windows.reshape(-1, 2)
    assert_allclose(mean, np.nanmean(steps, axis=0))
    assert_allclose(spread, np.nanstd(steps, axis=0))


def test_a_feature_without_spread_is_not_divided():
    X = np.array([[0.1, np.nan, 5.0], [0.1, np.nan, 7.0]]).reshape(2, 1, 3)
    mean, spread = feature_statistics(X, None)
    assert_allclose(mean, [0.1, 0.0, 6.0])
    assert_array_equal(spread, [1.0, 1.0, 1.0])
    assert feature_statistics(1e-200 * X[:, :, 2:], None)[1] == pytest.approx(1e-200)
    assert feature_statistics(1e-320 * X[:, :, 2:], None)[1] == pytest.approx(1e-320, rel=1e-2)


def test_a_sample_may_hold_more_numbers_than_are_read_at_once():
    X = np.zeros((2, 2**20 + 2, 1), dtype=np.float32)
    X[1, ::2] = 2.0
    mean, spread = feature_statistics(X, np.array([1.0, 3.0]))
    assert_allclose([mean[0], spread[0]], [0.75, np.sqrt(1.5 - 0.75**2)])


@pytest.mark.parametrize("tiny", [1e-170, 1e-200])
def test_a_tiny_feature_beside_an_ordinary_one_keeps_its_spread(tiny):
    X = np.array([[1.0, tiny], [3.0, 3 * tiny]]).reshape(2, 1, 2)
    mean, spread = feature_statistics(X, None)
    assert_allclose(mean, [2.0, 2 * tiny])
    assert_allclose(spread, [1.0, tiny])


def test_numbers_whose_squares_are_no_floats_have_statistics():
    X = np.array([1.0, 3.0]).reshape(2, 1, 1)
    for scale in (1e-200, 1e200, -1e200):
        mean, spread = feature_statistics(scale * X, None)
        assert_allclose([mean[0], spread[0]], [2 * scale, abs(scale)])


def test_a_range_beyond_single_precision_is_an_error():
    X = np.array([-3e38, 3e38], dtype=np.float32).reshape(2, 1, 1)
    with pytest.raises(ValueError, match=r"X holds numbers from -3e\+38 to 3e\+38.*astype\(np.float64\)"):
        feature_statistics(X, None)
    assert feature_statistics(X.astype(np.float64), None)[1] == pytest.approx(3e38)
    for huge in (-1e301, 1e301):
        with pytest.raises(ValueError, match=r"X holds numbers of a size up to 1e\+301"):
            feature_statistics(np.full((2, 1, 1), huge), None)


def test_the_largest_value_is_that_of_a_sample_with_weight():
    X = np.array([[-5.0, 1.0], [np.nan, 4.0], [90.0, 0.0]])[:, :, np.newaxis]
    assert largest_value(Samples(X, None, np.array([1.0, 1.0, 0.0]))) == 5.0
    assert largest_value(Samples(-X, None, np.array([0.0, 1.0, 0.0]))) == 4.0
