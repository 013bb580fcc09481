"""Steps made of a list of operations leave the same losses and gradients as autograd."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.base import is_classifier
from skorch.callbacks import Callback, EpochScoring, LRScheduler
from torch import nn

from sklrnn import CNNLSTMClassifier, CNNLSTMRegressor, GRUClassifier, GRURegressor, LSTMRegressor, RecurrentRegressor
from sklrnn.nn.architecture import random_layers
from sklrnn.nn.loss_modules import WeightedTargets
from sklrnn.nn.losses import classification_loss, regression_loss
from sklrnn.nn.network import NetworkArchitecture
from sklrnn.training import train_step
from sklrnn.training.batches import SegmentBatch, without_padding
from sklrnn.training.fused_step import make_fused_step
from sklrnn.training.operations.signal import LeftToAutograd
from sklrnn.training.optimizers import FlatAdam

pytest.importorskip("numba")

N_ROWS, N_STEPS = 11, 9


def some_network(n_outputs=1, **options):
    options = {"n_features": 3, "cell": "gru", "units": (7,), "n_outputs": n_outputs, **options}
    network = NetworkArchitecture(**options).build(seed=3)
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for weight in network.parameters():
            if weight.requires_grad:
                weight += 0.1 * torch.randn(weight.shape, generator=generator)
        if not options.get("n_tokens"):
            network.standardise.mean.copy_(torch.tensor([0.5, -1.0, 2.0])[: options["n_features"]])
            network.standardise.spread.copy_(torch.tensor([1.5, 0.5, 1.0])[: options["n_features"]])
    optimizer = FlatAdam([{"params": list(network.parameters())}], lr=0.01)
    return network.train(), optimizer


def some_batch(dtype=torch.float32):
    generator = torch.Generator().manual_seed(5)
    x = torch.randn(N_ROWS, N_STEPS, 3, generator=generator, dtype=dtype)
    return x, 0.5 + torch.rand(N_ROWS, generator=generator)


def reseed(network):
    for layer in random_layers(network):
        layer.use_generator(torch.Generator().manual_seed(6))


class NoPenalty:
    """Stands in for a net without penalties."""

    def add_penalty_gradients(self):
        return 0.0


def both_ways(network, optimizer, criterion, x, y, weight, **more):
    """Loss and gradients by autograd, then by a fused step."""
    batch = {"x": x, "weight": weight, **more}
    reseed(network)
    optimizer.zero_grad()
    raw, target, shares = without_padding(network(x, **more), y, batch)
    loss = (criterion(raw, target) * shares).sum() / len(weight)
    loss.backward()
    by_autograd = (loss.detach(), optimizer.weights.gradients.clone())
    optimizer.weights.gradients.fill_(0.0)
    for parameter in network.parameters():
        if parameter.grad is not None:
            parameter.grad.fill_(7.0)  # whatever was in there
    reseed(network)
    step = make_fused_step(network, criterion, batch)
    step(NoPenalty(), (batch, y))
    reseed(network)
    loss = torch.tensor(step(NoPenalty(), (batch, y))["loss"])
    return by_autograd, (loss, optimizer.weights.gradients.clone())


def assert_same(by_autograd, fused):
    torch.testing.assert_close(fused[0], by_autograd[0], rtol=1e-5, atol=1e-6)
    scale = float(by_autograd[1].abs().max())
    torch.testing.assert_close(fused[1], by_autograd[1], rtol=1e-4, atol=1e-5 * scale)
    assert scale > 1e-3


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"cell": "lstm"},
        {"cell": "simple_rnn"},
        {"cell": "simple_rnn", "cell_options": {"activation": "relu"}},
        {"units": (16, 5)},
        {"cell": "lstm", "units": (8, 17, 3)},
        {"cell": "simple_rnn", "units": (9, 4)},
        {"dropout": 0.3},
        {"dropout": 0.3, "units": (10, 6)},
        {"recurrent_dropout": 0.3},
        {"recurrent_dropout": 0.3, "dropout": 0.3, "cell": "lstm", "units": (10, 6)},
        {"recurrent_dropout": 0.3, "cell": "simple_rnn", "pooling": "max"},
        {"cell": "minimal_gru"},
        {"cell": "minimal_gru", "recurrent_dropout": 0.3, "units": (17, 6)},
        {"cell_options": {"reset_after": False}},
        {"cell_options": {"reset_after": False}, "recurrent_dropout": 0.3, "units": (17, 6)},
        {"cell": "lstm", "cell_options": {"peephole": True}},
        {"cell": "lstm", "cell_options": {"peephole": True}, "recurrent_dropout": 0.3, "units": (17, 6)},
        {"pooling": "mean"},
        {"pooling": "max"},
        {"pooling": "mean", "cell": "lstm", "units": (8, 17), "dropout": 0.3},
        {"pooling": "max", "cell": "lstm", "units": (8, 17, 3)},
        {"pooling": "max", "cell": "simple_rnn", "n_direct_steps": 2},
        {"n_direct_steps": 2},
        {"n_direct_steps": 9, "dropout": 0.2, "units": (5, 6)},
        {"n_outputs": 4},
        {"filters": (4,)},
        {"filters": (4, 16), "kernel_size": 5, "cell": "lstm", "units": (8, 5), "dropout": 0.3},
        {"filters": (5, 4), "batch_norm": True, "pool_size": 2},
        {"filters": (5, 4), "batch_norm": True, "pool_size": (2, 3), "pooling": "max", "convolution_skip": True},
        {"filters": (16,), "kernel_size": 12, "convolution_skip": True, "n_direct_steps": 2},
        {"bidirectional": True},
        {"bidirectional": True, "units": (16, 5), "cell": "lstm", "dropout": 0.2},
        {"bidirectional": True, "pooling": "mean", "filters": (16,)},
        {"residual": True, "units": (7, 7)},
        {"residual": True, "units": (7, 7, 7), "dropout": 0.3, "pooling": "max"},
        {"residual": True, "units": (16, 16), "bidirectional": True, "dropout": 0.3},
        {"residual": True, "units": (16, 16), "bidirectional": True, "dropout": 0.3, "recurrent_dropout": 0.3},
        {"bidirectional": True, "cell_options": {"reset_after": False}, "units": (16, 5), "filters": (4,)},
        {"pooling": "attention", "cell": "lstm", "cell_options": {"peephole": True}, "residual": True, "units": (7, 7)},
        {"pooling": "attention", "cell": "lstm", "units": (8, 17)},
        {"flag_missing": True},
        {"flag_missing": True, "normalize_X": "window", "filters": (4,)},
        {"cell": None, "units": (), "filters": (4,)},
        {"cell": None, "units": (), "filters": (4,), "convolution_skip": True},
        {"cell": None, "units": (), "filters": (5, 4), "dropout": 0.3, "pooling": "mean", "batch_norm": True},
        {"cell": None, "units": (), "filters": (5, 4), "dropout": 0.3, "pool_size": 2, "convolution_skip": True},
        {"cell": None, "units": (), "filters": (16,), "pooling": "attention", "n_direct_steps": 2},
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_are_those_of_autograd(options, dtype):
    network, optimizer = some_network(**options)
    x, weight = some_batch(dtype)
    y = torch.linspace(-1, 1, N_ROWS * network.head.out_features).reshape(N_ROWS, -1)
    assert_same(*both_ways(network, optimizer, squared_error(), x, y, weight))


@pytest.mark.parametrize("options", [{}, {"dropout": 0.3, "units": (10, 6)}, {"cell": "lstm"}], ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_windows_are_scaled_by_their_own_level_as_by_autograd(options, dtype):
    network, optimizer = some_network(normalize_X="window", **options)
    network.standardise.set_typical(np.array([1.0, 40.0, 0.0]))  # the floor of a spread, and a constant feature
    x, weight = some_batch(dtype)
    x += torch.arange(N_ROWS).reshape(-1, 1, 1)
    y = torch.linspace(-1, 1, N_ROWS).reshape(N_ROWS, 1)
    assert_same(*both_ways(network, optimizer, squared_error(), x, y, weight))


@pytest.mark.parametrize(
    "loss", ["squared_error", "absolute_error", "huber", "quantile", "gaussian", "poisson", nn.SmoothL1Loss]
)
@pytest.mark.parametrize("n_targets", [1, 3])
def test_every_regression_loss(loss, n_targets):
    known = regression_loss(loss, (0.1, 0.5, 0.9))
    network, optimizer = some_network(n_outputs=n_targets * known.width)
    x, weight = some_batch()
    y = torch.linspace(0 if known.positive else -2, 2, N_ROWS * n_targets).reshape(N_ROWS, n_targets)
    assert_same(*both_ways(network, optimizer, known.per_sample, x, y, weight))


@pytest.mark.parametrize("loss", ["squared_error", "quantile", "gaussian"])
def test_targets_may_bring_weights(loss):
    known = regression_loss(loss, (0.1, 0.5, 0.9))
    weighted = replace(known, per_output=WeightedTargets(known.per_output)).per_sample
    network, optimizer = some_network(n_outputs=2 * known.width)
    x, weight = some_batch()
    y = torch.linspace(-2, 2, N_ROWS * 4).reshape(N_ROWS, 4)
    assert_same(*both_ways(network, optimizer, weighted, x, y, weight))


@pytest.mark.parametrize("loss", ["cross_entropy", nn.CrossEntropyLoss])
def test_every_classification_loss(loss):
    network, optimizer = some_network(n_outputs=4)
    x, weight = some_batch()
    assert_same(
        *both_ways(network, optimizer, classification_loss(loss).per_sample, x, torch.arange(N_ROWS) % 4, weight)
    )


SEQUENCES = [
    {},
    {"cell": "lstm", "units": (8, 17), "dropout": 0.3},
    {"bidirectional": True, "units": (7, 5)},
    {"bidirectional": True, "units": (8, 8), "residual": True},
    {"cell": "minimal_gru", "recurrent_dropout": 0.3, "bidirectional": True},
    {"flag_missing": True},
    {"normalize_X": "window"},
]


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
@pytest.mark.parametrize("options", SEQUENCES, ids=str)
def test_gradients_of_sequences_of_different_lengths(options, pooling):
    network, optimizer = some_network(pooling=pooling, **options)
    x, weight = some_batch()
    lengths = torch.tensor([9, 1, 4, 9, 2, 3, 7, 8, 5, 6, 1])
    y = torch.linspace(-1, 1, N_ROWS).reshape(N_ROWS, 1)
    assert_same(*both_ways(network, optimizer, squared_error(), x, y, weight, lengths=lengths))


@pytest.mark.parametrize("with_lengths", [True, False])
@pytest.mark.parametrize("options", SEQUENCES, ids=str)
def test_gradients_with_a_prediction_at_every_step(options, with_lengths):
    network, optimizer = some_network(n_outputs=2, return_sequences=True, **options)
    x, _ = some_batch()
    more = {"lengths": torch.tensor([9, 1, 4, 9, 2, 3, 7, 8, 5, 6, 1])} if with_lengths else {}
    y = torch.linspace(-1, 1, N_ROWS * N_STEPS * 2).reshape(N_ROWS, N_STEPS, 2)
    weight = torch.linspace(0.5, 1.5, N_ROWS * N_STEPS).reshape(N_ROWS, N_STEPS)
    if with_lengths:
        y[1, 1:] = torch.nan  # padding
    assert_same(*both_ways(network, optimizer, squared_error(), x, y, weight, **more))


@pytest.mark.parametrize(
    ("options", "lengths"),
    [
        ({}, None),
        ({"filters": (4,)}, None),
        ({}, [9, 1, 4, 9, 2, 3, 7, 8, 5, 6, 1]),
        ({"bidirectional": True, "dropout": 0.3}, [9, 1, 4, 9, 2, 3, 7, 8, 5, 6, 1]),
    ],
)
def test_gradients_of_tokens(options, lengths):
    network, optimizer = some_network(n_features=1, n_tokens=6, embedding_dim=5, n_outputs=3, **options)
    network.embedding.set_vocabulary(np.arange(0, 12, 2), np.array([1, 5, 2, 2, 9, 3]))
    x = torch.randint(0, 12, (N_ROWS, N_STEPS, 1), generator=torch.Generator().manual_seed(1))
    more = {"lengths": torch.tensor(lengths)} if lengths else {}
    weight, y = some_batch()[1], torch.arange(N_ROWS) % 3
    assert_same(*both_ways(network, optimizer, classification_loss("log_loss").per_sample, x, y, weight, **more))


@pytest.mark.parametrize("options", [{"pooling": "max"}, {"filters": (4,), "pool_size": 4}], ids=str)
def test_of_equal_maxima_the_first_one_gets_the_gradient(options):
    network, optimizer = some_network(cell="simple_rnn", cell_options={"activation": "relu"}, **options)
    x, weight = some_batch()
    x[:] = x[:, :1]
    y = torch.linspace(-1, 1, N_ROWS).reshape(N_ROWS, 1)
    assert_same(*both_ways(network, optimizer, squared_error(), x, y, weight))


def test_missing_values_have_the_gradients_of_autograd():
    network, optimizer = some_network(flag_missing=True)
    x, weight = some_batch()
    x[::2, ::3, 1] = torch.nan
    y = torch.linspace(-1, 1, N_ROWS).reshape(N_ROWS, 1)
    assert_same(*both_ways(network, optimizer, squared_error(), x, y, weight))


class StateHolder(NoPenalty):
    """Stands in for the net that passes a state on."""

    def __init__(self, state):
        self.state = state

    def state_before(self, batch):
        return self.state


@pytest.mark.parametrize("n_segments", [1, 3])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"cell": "lstm", "units": (8, 17), "dropout": 0.3},
        {"filters": (4,)},
        {"pooling": "max"},
        {"return_sequences": True},
        {"return_sequences": True, "filters": (4,), "cell": "lstm", "units": (7, 7), "residual": True},
        {"cell": "lstm", "cell_options": {"peephole": True}, "units": (8, 17), "recurrent_dropout": 0.3},
        {"return_sequences": True, "cell_options": {"reset_after": False}},
    ],
    ids=str,
)
def test_segments_start_from_the_state_of_those_before(options, n_segments):
    network, optimizer = some_network(stateful=True, **options)
    n_streams, generator = 4, torch.Generator().manual_seed(2)
    per_step = (N_STEPS,) if options.get("return_sequences") else ()
    shape = (n_streams * n_segments, *per_step, 1)
    holder, state = StateHolder(None), None
    for _ in range(2):
        x = torch.randn(n_streams * n_segments, N_STEPS, 3, generator=generator)
        y = torch.randn(shape, generator=generator)
        weight = torch.ones(shape[:-1])
        reseed(network)
        optimizer.zero_grad()
        raw, state = network.forward_segment(x, state, n_streams=n_streams)
        loss = squared_error()(raw.flatten(0, -2), y.flatten(0, -2)).sum() / len(x)
        loss.backward()
        by_autograd = loss.detach(), optimizer.weights.gradients.clone()
        optimizer.weights.gradients.fill_(0.0)
        reseed(network)
        batch = SegmentBatch(n_streams=n_streams, is_first=holder.state is None, x=x, weight=weight)
        fused = make_fused_step(network, squared_error(), batch)(holder, (batch, y))["loss"]
        assert_same(by_autograd, (torch.tensor(fused), optimizer.weights.gradients.clone()))
    torch.testing.assert_close(holder.state, state, rtol=1e-5, atol=1e-6)


def squared_error():
    return regression_loss("squared_error").per_sample


@pytest.mark.parametrize(
    "options",
    [
        {"cell": "slstm"},
        {"cell": "slstm", "recurrent_dropout": 0.1},
    ],
    ids=str,
)
def test_other_networks_are_left_to_autograd(options):
    network, _ = some_network(**options)
    with pytest.raises(LeftToAutograd):
        make_fused_step(network, squared_error(), {"x": some_batch()[0]})


def test_whole_numbers_are_left_to_autograd():
    network, _ = some_network()
    with pytest.raises(LeftToAutograd, match=r"the numbers are torch\.int64"):
        make_fused_step(network, squared_error(), {"x": some_batch()[0].long()})


FROZEN = {
    "head": {},
    "attention": {"pooling": "attention"},
    "embedding": {"n_tokens": 5, "embedding_dim": 4, "n_features": 1},
    "convolution": {"filters": (4,), "kernel_size": 2},
}


@pytest.mark.parametrize("name", FROZEN)
def test_a_frozen_part_is_left_to_autograd(name):
    network, _ = some_network(**FROZEN[name])
    frozen = [weight for path, weight in network.named_parameters() if name in path.replace("readout", "attention")]
    frozen[0].requires_grad_(False)
    x = torch.zeros(2, 5, 1, dtype=torch.int64) if name == "embedding" else some_batch()[0]
    with pytest.raises(LeftToAutograd, match=f"{name} is frozen"):
        make_fused_step(network, squared_error(), {"x": x})


def some_task():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(75, 8, 2))
    return X, X[:, -3:, 0].sum(axis=1) + 0.1 * rng.normal(size=75)


def raise_left_to_autograd(*args):
    raise LeftToAutograd("it was asked for")


@pytest.mark.parametrize(
    "model",
    [
        GRURegressor(units=6, max_epochs=4, random_state=0),
        LSTMRegressor(units=(6, 5), dropout=0.2, max_epochs=4, random_state=0, early_stopping=True),
        GRURegressor(units=(6, 5), recurrent_dropout=0.2, reset_after=False, max_epochs=4, random_state=0),
        LSTMRegressor(units=6, recurrent_dropout=0.2, peephole=True, max_epochs=4, random_state=0),
        GRUClassifier(units=6, max_epochs=4, random_state=0, class_weight="balanced"),
        GRURegressor(units=6, max_epochs=4, random_state=0, l1=0.01, l2=0.02),
        GRURegressor(units=6, max_epochs=4, random_state=0, optimizer="adam", max_grad_norm=None),
        GRURegressor(units=6, max_epochs=4, random_state=0, optimizer="sgd"),
        GRURegressor(units=6, max_epochs=4, random_state=0, optimizer="rmsprop"),
        GRURegressor(units=6, max_epochs=4, random_state=0, optimizer="nadam", loss="gaussian"),
        CNNLSTMRegressor(units=6, max_epochs=4, random_state=0),
        CNNLSTMClassifier(units=6, filters=(4, 4), max_epochs=4, random_state=0),
        GRURegressor(units=6, bidirectional=True, max_epochs=4, random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
def test_fits_with_fused_steps_are_the_same(model, monkeypatch):
    X, y = some_task()
    y = np.digitize(y, [-1, 1]) if is_classifier(model) else y
    made = []

    def remembered(*args):
        made.append(make_fused_step(*args))
        return made[-1]

    monkeypatch.setattr(train_step, "make_fused_step", remembered)
    with_fused_steps = model.fit(X, y).loss_curve_
    assert made
    monkeypatch.setattr(train_step, "make_fused_step", raise_left_to_autograd)
    np.testing.assert_allclose(with_fused_steps, model.fit(X, y).loss_curve_, rtol=1e-4)


def test_the_lists_of_short_sequences_of_many_lengths_are_kept(monkeypatch):
    made = []
    monkeypatch.setattr(train_step, "make_fused_step", lambda *args: made.append(1) or make_fused_step(*args))
    X = [np.ones((1 + row % 9, 1)) for row in range(18)]
    GRURegressor(units=6, batch_size=2, max_epochs=3, random_state=0).fit(X, np.arange(18.0))
    n_made = len(made)
    monkeypatch.setattr(train_step, "_KEPT_NUMBERS", 0)
    GRURegressor(units=6, batch_size=2, max_epochs=3, random_state=0).fit(X, np.arange(18.0))
    assert n_made < len(made) - n_made


class WatchesEpochs(Callback):
    def on_epoch_end(self, net, **_):
        self.losses = net.history[-1, "batches", :, "train_loss"]


class WatchesBatches(Callback):
    def on_batch_end(self, net, **_):
        """Does nothing."""


class WatchesGradients(Callback):
    def on_grad_computed(self, net, **_):
        """Does nothing."""


RATE_OF_BATCHES = LRScheduler("StepLR", step_size=1, step_every="batch")


def zero(net, X, y=None):
    return 0.0


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({}, "compiled"),
        ({"callbacks": [WatchesEpochs()]}, "compiled"),
        ({"callbacks": [LRScheduler("StepLR", step_size=1)]}, "compiled"),
        ({"pooling": "max"}, "fused"),
        ({"pooling": "attention", "callbacks": [WatchesEpochs()]}, "fused"),
        ({"loss": nn.SmoothL1Loss}, "fused"),
        ({"callbacks": [WatchesBatches()]}, "autograd: WatchesBatches watches batches"),
        ({"callbacks": [RATE_OF_BATCHES]}, "autograd: LRScheduler watches batches"),
        ({"callbacks": [EpochScoring(zero)]}, "autograd: EpochScoring watches batches"),
        ({"callbacks": [EpochScoring(zero, use_caching=False)]}, "compiled"),
        ({"callbacks": [WatchesGradients()]}, "autograd: WatchesGradients watches batches"),
        ({"optimizer": torch.optim.Adagrad}, "autograd: the optimizer is Adagrad"),
        ({"cell": nn.GRU}, "autograd: GRU has no kernel for this"),
    ],
    ids=lambda given: given if isinstance(given, str) else " ".join(given),
)
def test_the_net_tells_how_it_was_trained(options, path):
    X, y = some_task()
    model = RecurrentRegressor(**{"units": 6, "max_epochs": 2, "random_state": 0, **options}).fit(X, y)
    assert model.net_.path_ == path


def test_a_callback_that_watches_epochs_reads_the_losses_of_their_batches():
    X, y = some_task()
    watching = WatchesEpochs()
    settings = {"units": 6, "batch_size": 25, "max_epochs": 2, "random_state": 0}
    model = GRURegressor(**settings, callbacks=[watching]).fit(X, y)
    assert len(watching.losses) == 3
    assert np.mean(watching.losses) == pytest.approx(model.loss_curve_[-1])
    np.testing.assert_array_equal(model.predict(X), GRURegressor(**settings).fit(X, y).predict(X))


def test_a_hook_on_a_layer_sees_each_batch():
    X, y = some_task()
    model = GRURegressor(units=6, batch_size=25, max_epochs=1, warm_start=True, random_state=0).fit(X, y)
    seen = []
    model.module_.recurrent[0].register_forward_hook(lambda module, given, states: seen.append(len(given)))
    n_before = len(seen)
    model.fit(X, y)
    assert len(seen) - n_before >= 3


def test_training_continues_after_gradients_were_removed():
    X, y = some_task()
    models = [GRURegressor(units=6, random_state=0).partial_fit(X, y) for _ in range(2)]
    models[0].module_.zero_grad(set_to_none=True)
    for model in models:
        model.partial_fit(X, y)
    np.testing.assert_array_equal(models[0].predict(X), models[1].predict(X))
