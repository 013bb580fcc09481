"""A language model trains by a list of operations as it does by autograd."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from skorch.callbacks import Callback

from sklrnn import SequenceGenerator

pytest.importorskip("numba")


class WatchesBatches(Callback):
    """Needs what autograd leaves."""

    def on_batch_end(self, net, **_):
        """Does nothing."""


def trained(texts, context=None, **options):
    options = {"units": 7, "embedding_dim": 5, "optimizer": "sgd", "max_epochs": 3, "random_state": 0, **options}
    return SequenceGenerator(learning_rate=0.3, **options).fit(texts, context=context)


@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_weights_are_those_that_autograd_learns(data):
    n_texts = data.draw(st.integers(1, 9), label="texts")
    shortest = 8 if n_texts == 1 else 1
    random = np.random.default_rng(data.draw(st.integers(0, 99), label="seed"))
    texts = ["".join(random.choice([*"abcde"], random.integers(shortest, 30))) for _ in range(n_texts)]
    n_context = data.draw(st.integers(0, 3), label="context")
    context = random.normal(size=(n_texts, n_context)) if n_context else None
    options = {
        "cell": data.draw(st.sampled_from(["gru", "lstm", "simple_rnn", "minimal_gru"])),
        "units": data.draw(st.sampled_from([7, 16, (9, 9), (16, 5)])),
        "embedding_dim": data.draw(st.sampled_from([1, 5, 16])),
        "segment_length": data.draw(st.integers(1, 8)),
        "batch_size": data.draw(st.integers(1, 10)),
        "dropout": data.draw(st.sampled_from([0.0, 0.3])),
        "residual": data.draw(st.booleans()),
        "l2": data.draw(st.sampled_from([0.0, 0.1])),
    }
    by_operations = trained(texts, context, **options)
    by_autograd = trained(texts, context, callbacks=[WatchesBatches()], **options)
    assert by_operations.net_.path_ == "fused"
    assert by_autograd.net_.path_ == "autograd: WatchesBatches watches batches"
    assert_allclose(by_operations.loss_curve_, by_autograd.loss_curve_, rtol=1e-5)
    for ours, expected in zip(by_operations.module_.parameters(), by_autograd.module_.parameters(), strict=True):
        assert_allclose(ours.detach(), expected.detach(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"cell": "slstm"}, "SLSTM has no kernel for this"),
        ({"cell": torch.nn.GRU}, "GRU has no kernel for this"),
        ({"optimizer": torch.optim.Adagrad}, "the optimizer is Adagrad"),
    ],
)
def test_what_has_no_operations_is_left_to_autograd(options, reason):
    model = trained(["some words and some more words"], segment_length=4, **options)
    assert model.net_.path_ == f"autograd: {reason}"


def test_a_hook_on_the_embedding_sees_each_batch():
    seen = []

    class RegistersHook(Callback):
        def on_train_begin(self, net, **_):
            net.module_.embedding.register_forward_hook(lambda *given: seen.append(1))

    model = trained(["one", "two", "three"], batch_size=2, callbacks=[RegistersHook()])
    assert len(seen) >= 6
    assert model.net_.path_ == "autograd: hooks are registered"
