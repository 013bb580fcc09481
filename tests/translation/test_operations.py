"""A translator trains by a list of operations as it does by autograd."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from skorch.callbacks import Callback

from sklrnn import SequenceTranslator

pytest.importorskip("numba")


class WatchesBatches(Callback):
    """Needs what autograd leaves."""

    def on_batch_end(self, net, **_):
        """Does nothing."""


def trained(X, y, **options):
    options = {"units": 7, "embedding_dim": 5, "optimizer": "sgd", "max_epochs": 3, "random_state": 0, **options}
    return SequenceTranslator(learning_rate=0.1, **options).fit(X, y)


def assert_trained_as_by_autograd(X, y, **options):
    by_operations = trained(X, y, **options)
    by_autograd = trained(X, y, callbacks=[WatchesBatches()], **options)
    assert by_operations.net_.path_ == "fused"
    assert by_autograd.net_.path_ == "autograd: WatchesBatches watches batches"
    assert_allclose(by_operations.loss_curve_, by_autograd.loss_curve_, rtol=1e-4)
    for ours, expected in zip(by_operations.module_.parameters(), by_autograd.module_.parameters(), strict=True):
        assert_allclose(ours.detach(), expected.detach(), rtol=1e-4, atol=1e-5)


def some_sequences(random, kind, lengths):
    if kind == "tokens":
        return [list(random.choice([*"abcde"], n)) for n in lengths]
    return [random.normal(size=(n, 2)) for n in lengths]


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_weights_are_those_that_autograd_learns(data):
    n_pairs = data.draw(st.integers(1, 9), label="pairs")
    random = np.random.default_rng(data.draw(st.integers(0, 99), label="seed"))
    kinds = st.sampled_from(["tokens", "numbers"])
    lengths = st.one_of(st.integers(1, 9).map(lambda n: [n] * n_pairs), st.lists(st.integers(1, 9), min_size=n_pairs))
    X, y = (some_sequences(random, data.draw(kinds), data.draw(lengths)[:n_pairs]) for _ in range(2))
    options = {
        "cell": data.draw(st.sampled_from(["gru", "lstm", "simple_rnn"])),
        "attention": data.draw(st.booleans()),
        "bidirectional": data.draw(st.booleans()),
        "units": data.draw(st.sampled_from([7, 16, (9, 9), (16, 5)])),
        "embedding_dim": data.draw(st.sampled_from([1, 5, 16])),
        "batch_size": data.draw(st.integers(1, 10)),
        "dropout": data.draw(st.sampled_from([0.0, 0.3])),
        "residual": data.draw(st.booleans()),
        "teacher_forcing": data.draw(st.sampled_from([1.0, 0.5])),
        "l2": data.draw(st.sampled_from([0.0, 0.1])),
    }
    assert_trained_as_by_autograd(X, y, **options)


def test_padding_has_no_gradient_of_the_batch_before():
    X, y = ["abc", "bca", "cab", "acb"], ["ab", "abcab", "bcabc", "cabca"]  # targets of 2 and 5, and of 5 and 5, steps
    assert_trained_as_by_autograd(X, y, batch_size=2)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"cell": "slstm"}, "SLSTM has no kernel for this"),
        ({"cell": torch.nn.GRU}, "GRU has no kernel for this"),
        ({"optimizer": torch.optim.Adagrad}, "the optimizer is Adagrad"),
    ],
)
def test_what_has_no_operations_is_left_to_autograd(options, reason):
    model = trained(["one", "two"], ["eins", "zwei"], **options)
    assert model.net_.path_ == f"autograd: {reason}"


@pytest.mark.parametrize("part", ["attention.query", "attention.combine", "feed", "embedding", "head"])
def test_a_frozen_part_is_left_to_autograd(part):
    class Freezes(Callback):
        def on_train_begin(self, net, **_):
            net.module_.get_submodule(part).requires_grad_(False)

    model = trained(["one", "two"], ["eins", "zwei"], attention=True, callbacks=[Freezes()])
    assert model.net_.path_.endswith("frozen")
