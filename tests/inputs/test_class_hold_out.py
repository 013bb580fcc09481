"""Holding out the newest samples of each class, or nothing where that is too little."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from numpy.testing import assert_array_equal

from sklrnn.inputs.class_hold_out import hold_out_classes, hold_out_newest_of_each_class
from sklrnn.inputs.samples import Samples

CLASSES = np.array(["a", "b", "c"])


def of_classes(codes, weights=None):
    codes = np.asarray(codes)
    X = sliding_window_view(np.arange(len(codes) + 3.0), 4)[:, :, np.newaxis]
    return Samples(X, codes, weights)


def parts(samples, fraction):
    return [part.nonzero_weight.tolist() for part in hold_out_newest_of_each_class(samples, fraction)]


def test_the_newest_of_each_class_are_held_out():
    train, held_out = parts(of_classes([0, 1, 0, 0, 1, 1, 0, 1]), 0.5)
    assert train == [0, 1, 2, 4]
    assert held_out == [3, 5, 6, 7]


@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.33])
def test_the_fraction_holds_in_each_class_and_in_total(fraction):
    sizes = np.array([400, 55, 23])
    codes = np.random.default_rng(0).permutation(np.repeat(np.arange(3), sizes))
    train, held_out = parts(of_classes(codes), fraction)
    assert sorted([*train, *held_out]) == list(range(len(codes)))
    n_held_out = np.bincount(codes[held_out])
    assert (np.abs(n_held_out - fraction * sizes) <= 0.5).all()
    for code in range(3):
        newest = np.flatnonzero(codes == code)[-n_held_out[code] :]
        assert_array_equal(np.intersect1d(held_out, np.flatnonzero(codes == code)), newest)


def test_samples_of_weight_zero_are_not_counted():
    codes, weights = np.tile([0, 1], 10), np.ones(20)
    weights[[0, 3, 18, 19]] = 0
    weights[1] = 7
    there = np.flatnonzero(weights)
    weighted = hold_out_newest_of_each_class(of_classes(codes, weights), 0.25)
    for part, alone in zip(weighted, parts(of_classes(codes[there]), 0.25), strict=True):
        assert_array_equal(part.nonzero_weight, there[alone])
        assert_array_equal(part.weights[part.nonzero_weight], weights[part.nonzero_weight])


def test_a_view_of_windows_stays_one():
    samples = of_classes(np.repeat([0, 1], 50))
    for part in hold_out_classes(samples, 0.3, CLASSES[:2], in_order=False):
        assert part.X is samples.X


@pytest.mark.parametrize(
    ("codes", "fraction", "message"),
    [
        ([0] * 50 + [1] * 49, 0.1, "holds out 10 labels, and at least 20 are needed"),
        (
            [0] * 300 + [1] * 14,
            0.1,
            "holds out 1 of the 14 samples of class 'b', of which each epoch is evaluated on at least 2",
        ),
        ([0] * 300 + [1] * 2 + [2] * 3, 0.1, r"holds out 0 of the 2 samples of class 'b' \(and of 1 more\)"),
        ([0] * 300 + [1], 0.1, "holds out 0 of the 1 samples of class 'b'"),
        ([0] * 300 + [1], 0.6, "leaves no sample of class 'b' to train on"),
        ([0] * 300 + [1] * 2, 0.9, "leaves no sample of class 'b' to train on"),
    ],
)
def test_parts_that_are_too_small_are_announced_and_nothing_is_held_out(codes, fraction, message):
    samples = of_classes(codes)
    with pytest.warns(UserWarning, match=f"trains on all samples, .* validation_fraction={fraction} {message}"):
        train, held_out = hold_out_classes(samples, fraction, CLASSES, in_order=False)
    assert train is samples
    assert held_out is None


def test_two_samples_of_a_class_to_evaluate_and_one_to_train_on_are_enough():
    train, held_out = hold_out_classes(of_classes([0] * 300 + [1] * 3), 0.5, CLASSES[:2], in_order=False)
    assert train.nonzero_weight[-1] == 300
    assert held_out.nonzero_weight[-2:].tolist() == [301, 302]


def test_a_class_that_is_absent_needs_no_samples():
    _, held_out = hold_out_classes(of_classes([0, 2] * 100), 0.1, CLASSES, in_order=False)
    assert len(held_out.nonzero_weight) == 20


def test_samples_in_order_are_split_in_order():
    samples = of_classes([0, 1] * 90 + [0] * 20)
    _, held_out = hold_out_classes(samples, 0.1, CLASSES, in_order=True)
    assert_array_equal(held_out.y, np.zeros(20))
    with pytest.warns(UserWarning, match="leaves no sample of class 'c' to train on"):
        assert hold_out_classes(of_classes([0, 1] * 90 + [2] * 20), 0.1, CLASSES, in_order=True)[1] is None


def test_step_labels_are_counted_by_step():
    codes = np.tile([0, 1], (50, 5))
    samples = Samples(np.zeros((50, 10, 1)), codes, None, per_timestep=True)
    _, held_out = hold_out_classes(samples, 0.1, CLASSES[:2], in_order=True)
    assert len(held_out.X) == 5
    codes[-5:, 3] = 2
    with pytest.warns(UserWarning, match="leaves no sample of class 'c'"):
        assert hold_out_classes(samples, 0.1, CLASSES, in_order=True)[1] is None
    weights = np.ones(codes.shape)
    weights[codes == 2] = 0
    ignored = Samples(samples.X, codes, weights, per_timestep=True)
    assert hold_out_classes(ignored, 0.1, CLASSES, in_order=True)[1] is not None
