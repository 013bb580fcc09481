"""Batches, the newest block, merging, threads, and the protocol of skorch's callbacks."""

from collections import Counter

import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.testing import assert_array_equal
from sklearn.base import clone
from skorch.callbacks import Callback, GradientNormClipping

from sklrnn import GRURegressor, RecurrentImputer, RecurrentRegressor, SequenceGenerator, SequenceTranslator
from sklrnn.inputs.samples import Samples, hold_out_newest, merge_identical
from sklrnn.nn.network import Network
from sklrnn.training import batches as batches_module
from sklrnn.training.batches import Batches
from sklrnn.training.devices import choose_device
from sklrnn.training.fused_step import FusedStep
from sklrnn.training.optimizers import OPTIMIZERS, OnFlatWeights


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


def test_batches_that_are_gathered_at_once_are_those_gathered_one_by_one(monkeypatch):
    weights = np.linspace(1.0, 2.0, 10)
    together = list(Batches(some_rows(10, weights), batch_size=4, device=torch.device("cpu"), seed=1))
    monkeypatch.setattr(batches_module, "_GATHERED_NUMBERS", 1)
    one_by_one = list(Batches(some_rows(10, weights), batch_size=4, device=torch.device("cpu"), seed=1))
    shared = {x["x"].untyped_storage().data_ptr() for x, _ in together}
    assert (len(shared), len(together), len(one_by_one)) == (1, 3, 3)
    for (x, y), (other_x, other_y) in zip(together, one_by_one, strict=True):
        assert torch.equal(y, other_y)
        assert all(torch.equal(x[name], other_x[name]) for name in ("x", "weight"))


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


# -- skorch's protocol -------------------------------------------------------------------------------------------------

KINDS = [*OPTIMIZERS, torch.optim.Adagrad, torch.optim.AdamW]
every_optimizer = pytest.mark.parametrize("optimizer", KINDS, ids=lambda kind: getattr(kind, "__name__", kind))
N_STEPS = 6


def fitted(optimizer, callback=None, **options):
    """A model after two epochs of three steps, and its weights before them and after them."""
    X = np.random.default_rng(0).normal(size=(48, 5, 2))
    model = GRURegressor(
        units=4,
        optimizer=optimizer,
        batch_size=16,
        max_epochs=2,
        max_grad_norm=None,
        callbacks=None if callback is None else [callback],
        random_state=0,
        **options,
    ).fit(X, X[:, -1, 0])
    model.net_.average_.show(False)  # not the average of the weights, but those of the last step
    first = model.model_.architecture.build(seed=model.model_.options.seed).parameters()
    return model, *([weight.detach() for weight in weights] for weights in (first, model.module_.parameters()))


class SeenGradients(Callback):
    def __init__(self):
        self.calls = []

    def on_grad_computed(self, net, named_parameters, batch=None, **kwargs):
        x, y = batch
        assert len(x["x"]) == len(y)
        self.calls.append({name: weight.grad.clone() for name, weight in named_parameters if weight.requires_grad})


@every_optimizer
def test_skorch_callbacks_see_the_gradients_of_every_step(optimizer):
    callback = SeenGradients()
    model, *_ = fitted(optimizer, callback)
    assert len(callback.calls) == N_STEPS
    for gradients in callback.calls:
        assert gradients.keys() == {name for name, weight in model.module_.named_parameters() if weight.requires_grad}
        assert all(gradient.abs().sum() > 0 for gradient in gradients.values())


@pytest.mark.parametrize(
    ("model", "data"),
    [
        (GRURegressor(stateful=True, units=3, batch_size=4, max_epochs=2), (np.zeros((16, 3, 1)), np.arange(16.0))),
        (GRURegressor(units=3, batch_size=4, max_epochs=2), ([np.zeros((1 + n, 1)) for n in range(16)], np.arange(16))),
        (SequenceGenerator(units=3, batch_size=2, max_epochs=2), (["ab", "bc", "ca", "ac"],)),
        (SequenceTranslator(units=3, batch_size=2, max_epochs=2), (["ab", "bc", "ca", "ac"], ["b", "c", "a", "c"])),
        (
            RecurrentImputer(units=3, window_length=8, batch_size=4, max_epochs=2),
            (np.sin(np.arange(64.0))[:, np.newaxis],),
        ),
    ],
    ids=["stateful", "ragged", "texts", "pairs", "masked"],
)
def test_skorch_callbacks_see_the_gradients_of_every_kind_of_batch(model, data):
    counts = Counter()

    class Count(Callback):
        def on_grad_computed(self, net, named_parameters, **kwargs):
            counts["gradients"] += all(
                weight.grad is not None for _, weight in named_parameters if weight.requires_grad
            )

        def on_batch_end(self, net, training, **kwargs):
            counts["steps"] += training

    clone(model).set_params(callbacks=[Count()], random_state=0).fit(*data)
    assert counts["gradients"] == counts["steps"] >= 4


class RemoveGradients(Callback):
    def __init__(self, remove):
        self.remove = remove

    def on_grad_computed(self, net, named_parameters, **kwargs):
        for _, weight in named_parameters:
            if weight.grad is not None:
                self.remove(weight)


def set_to_zero(weight):
    weight.grad.zero_()


def set_to_none(weight):
    weight.grad = None


def replace_by_zeros(weight):
    weight.grad = torch.zeros_like(weight)


@pytest.mark.parametrize("remove", [set_to_zero, set_to_none, replace_by_zeros])
@every_optimizer
def test_without_gradients_nothing_is_learnt(optimizer, remove):
    """What remains is the weight decay of AdamW; torch's own class leaves out weights whose gradient is None."""
    model, first, last = fitted(optimizer, RemoveGradients(remove))
    group = model.net_.optimizer_.param_groups[0]
    skipped = remove is set_to_none and not isinstance(model.net_.optimizer_, OnFlatWeights)
    decay = 0.0 if skipped else group["lr"] * group.get("weight_decay", 0.0)
    assert (decay > 0) == (optimizer in ("adamw", torch.optim.AdamW) and not skipped)
    for before, after in zip(first, last, strict=True):
        torch.testing.assert_close(after, before * (1 - decay) ** N_STEPS, rtol=1e-5, atol=1e-8)
    _, _, learnt = fitted(optimizer)
    assert max((one - other).abs().max() for one, other in zip(learnt, last, strict=True)) > 1e-3


@every_optimizer
def test_gradient_norm_clipping_of_skorch_works(optimizer):
    # So short gradients are nothing beside the epsilon of optimizers that divide by their size.
    limit = 1e-16
    model, first, clipped = fitted(optimizer, GradientNormClipping(limit))
    _, _, plain = fitted(optimizer)
    group = model.net_.optimizer_.param_groups[0]
    decay = (1 - group["lr"] * group.get("weight_decay", 0.0)) ** N_STEPS

    def change(weights):
        return max((weight - decay * start).abs().max().item() for weight, start in zip(weights, first, strict=True))

    assert change(plain) > 1e-3
    assert change(clipped) < 1e-2 * change(plain)
    assert all(torch.linalg.vector_norm(weight.grad) <= limit * 1.01 for weight in trainable(model))


def trainable(model):
    return [weight for weight in model.module_.parameters() if weight.requires_grad]


@pytest.mark.parametrize(
    ("options", "n_threads"),
    [({"pooling": "max"}, 1), ({"filters": 4, "pooling": "max"}, 2), ({"cell": "slstm"}, 2)],
    ids=str,
)
def test_operators_of_torch_have_threads_where_kernels_do_not_need_them(options, n_threads, monkeypatch):
    seen = []

    def remembered(module, *args, forward=Network.forward, **given):
        seen.append(torch.get_num_threads())
        return forward(module, *args, **given)

    def step(self, net, batch, call=FusedStep.__call__):
        seen.append(torch.get_num_threads())
        return call(self, net, batch)

    monkeypatch.setattr(FusedStep, "__call__", step)
    if options.get("cell") == "slstm":
        monkeypatch.setattr(Network, "forward", remembered)
    before = torch.get_num_threads()
    X = np.random.default_rng(0).normal(size=(40, 6, 2))
    RecurrentRegressor(units=3, max_epochs=1, n_jobs=2, random_state=0, **options).fit(X, X[:, -1, 0])
    assert seen
    assert set(seen) == {n_threads}
    assert torch.get_num_threads() == before
