"""Batches, the newest block, merging, threads."""

import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.testing import assert_array_equal

from sklrnn.inputs.samples import Samples, hold_out_newest, merge_identical
from sklrnn.training.batches import Batches
from sklrnn.training.net import choose_device


def some_rows(n=10, weights=None):
    X = np.arange(n, dtype=np.float32).reshape(n, 1, 1)
    return Samples(X, np.arange(n, dtype=float).reshape(n, 1), weights)


def test_newest_rows_are_held_out():
    train, held_out = hold_out_newest(some_rows(10), 0.25)
    assert_array_equal(train.y.ravel(), np.arange(8))
    assert_array_equal(held_out.y.ravel(), [8, 9])


@pytest.mark.parametrize("fraction", [0.05, 0.99999])
def test_a_block_too_small_is_an_error_that_says_so(fraction):
    rows = some_rows(10) if fraction < 0.5 else some_rows(1)
    with pytest.raises(
        ValueError, match=rf"validation_fraction={fraction} of {len(rows.X)} samples leaves 0 to validate"
    ):
        hold_out_newest(rows, fraction)


def test_a_sample_of_weight_zero_is_absent():
    rows = some_rows(6, np.array([1.0, 0.0, 2.0, 1.0, 0.0, 1.0]))
    assert_array_equal(rows.nonzero_weight, [0, 2, 3, 5])
    train, held_out = hold_out_newest(rows, 0.5)
    assert_array_equal(train.y[train.nonzero_weight].ravel(), [0, 2])
    assert_array_equal(held_out.y[held_out.nonzero_weight].ravel(), [3, 5])
    assert np.shares_memory(train.X, rows.X)
    batches = Batches(rows, batch_size=8, device=torch.device("cpu"))
    assert_array_equal(np.concatenate([y for _, y in batches]).ravel(), [0, 2, 3, 5])


def test_weights_and_repetitions_merge_to_the_same_rows():
    rng = np.random.default_rng(0)
    X, y, weights = rng.normal(size=(6, 3, 2)), rng.normal(size=(6, 1)), np.array([1, 3, 2, 1, 4, 1])
    weighted = merge_identical(Samples(X, y, weights.astype(float)))
    shuffled = rng.permutation(np.repeat(np.arange(6), weights))
    repeated = merge_identical(Samples(X[shuffled], y[shuffled]))
    for name in ("X", "y", "weights"):
        assert_array_equal(getattr(weighted, name), getattr(repeated, name))


def test_batches_cover_every_row_once_in_a_new_order_each_epoch():
    batches = Batches(some_rows(10), batch_size=4, device=torch.device("cpu"), seed=1)
    first = np.concatenate([y.numpy().ravel() for _, y in batches])
    batches.epoch = 1
    second = np.concatenate([y.numpy().ravel() for _, y in batches])
    assert sorted(first) == sorted(second) == list(range(10))
    assert first.tolist() != second.tolist()
    assert [len(y) for _, y in batches] == [4, 4, 2]
    for x, y in batches:
        assert_array_equal(x["x"].numpy().ravel(), y.numpy().ravel())


def test_weights_average_to_one():
    weights = np.array([1.0, 2.0, 5.0])
    batches = Batches(some_rows(3, weights), batch_size=8, device=torch.device("cpu"))
    (x, _) = next(iter(batches))
    np.testing.assert_allclose(x["weight"].numpy(), weights * 3 / 8)


@pytest.mark.parametrize("order", ["view", "negative strides", "read-only"])
def test_any_numpy_array_can_be_batched(order):
    series = np.arange(12.0)
    X = {
        "view": sliding_window_view(series, 3)[:, :, np.newaxis],
        "negative strides": sliding_window_view(series, 3)[::-1, ::-1, np.newaxis],
        "read-only": np.broadcast_to(series[:, np.newaxis, np.newaxis], (12, 3, 1)),
    }[order]
    batches = Batches(Samples(X, np.zeros((len(X), 1))), batch_size=5, device=torch.device("cpu"))
    assert_array_equal(np.concatenate([x["x"].numpy() for x, _ in batches]), X)


def test_auto_never_chooses_mps():
    assert choose_device("auto").type in ("cpu", "cuda")
