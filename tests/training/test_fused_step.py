"""Fused steps leave the same losses and gradients as autograd."""

import numpy as np
import pytest
import torch
from torch import nn

from sklrnn import GRUClassifier, GRURegressor, LSTMRegressor
from sklrnn.nn.architecture import random_layers
from sklrnn.nn.losses import classification_loss, regression_loss
from sklrnn.nn.network import NetworkArchitecture
from sklrnn.training import train_step
from sklrnn.training.fused_step import make_fused_step
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


def both_ways(network, optimizer, criterion, x, y, weight):
    """Loss and gradients by autograd, then by a fused step."""
    reseed(network)
    optimizer.zero_grad()
    loss = torch.dot(criterion(network(x), y), weight) / len(weight)
    loss.backward()
    by_autograd = (loss.detach(), optimizer.weights.gradients.clone())
    optimizer.weights.gradients.fill_(0.0)
    for parameter in network.parameters():
        if parameter.grad is not None:
            parameter.grad.fill_(7.0)  # whatever was in there
    reseed(network)
    step = make_fused_step(network, criterion, x)
    assert step is not None
    step(NoPenalty(), ({"x": x, "weight": weight}, y))
    reseed(network)
    loss = torch.tensor(step(NoPenalty(), ({"x": x, "weight": weight}, y))["loss"])
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
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_are_those_of_autograd(options, dtype):
    network, optimizer = some_network(**options)
    x, weight = some_batch(dtype)
    y = torch.linspace(-1, 1, N_ROWS * network.head.out_features).reshape(N_ROWS, -1)
    assert_same(*both_ways(network, optimizer, regression_loss("squared_error", ()).per_sample, x, y, weight))


@pytest.mark.parametrize("options", [{}, {"dropout": 0.3, "units": (10, 6)}, {"cell": "lstm"}], ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_windows_are_scaled_by_their_own_level_as_by_autograd(options, dtype):
    network, optimizer = some_network(normalize_X="window", **options)
    network.standardise.set_typical(np.array([1.0, 40.0, 0.0]))  # the floor of a spread, and a constant feature
    x, weight = some_batch(dtype)
    x += torch.arange(N_ROWS).reshape(-1, 1, 1)
    y = torch.linspace(-1, 1, N_ROWS).reshape(N_ROWS, 1)
    assert_same(*both_ways(network, optimizer, regression_loss("squared_error", ()).per_sample, x, y, weight))


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "quantile", "gaussian", nn.SmoothL1Loss])
@pytest.mark.parametrize("n_targets", [1, 3])
def test_every_regression_loss(loss, n_targets):
    known = regression_loss(loss, (0.1, 0.5, 0.9))
    network, optimizer = some_network(n_outputs=n_targets * known.width)
    x, weight = some_batch()
    y = torch.linspace(-2, 2, N_ROWS * n_targets).reshape(N_ROWS, n_targets)
    assert_same(*both_ways(network, optimizer, known.per_sample, x, y, weight))


@pytest.mark.parametrize("loss", ["cross_entropy", nn.CrossEntropyLoss])
def test_every_classification_loss(loss):
    network, optimizer = some_network(n_outputs=4)
    x, weight = some_batch()
    assert_same(
        *both_ways(network, optimizer, classification_loss(loss).per_sample, x, torch.arange(N_ROWS) % 4, weight)
    )


@pytest.mark.parametrize(
    "options",
    [
        {"cell": "slstm"},
        {"bidirectional": True},
        {"residual": True, "units": (7, 7)},
        {"filters": (4,)},
        {"return_sequences": True},
        {"flag_missing": True},
    ],
    ids=str,
)
def test_other_networks_are_left_to_autograd(options):
    network, _ = some_network(**options)
    assert make_fused_step(network, regression_loss("squared_error", ()).per_sample, some_batch()[0]) is None


def test_a_frozen_head_is_left_to_autograd():
    network, _ = some_network()
    network.head.weight.requires_grad_(False)
    assert make_fused_step(network, regression_loss("squared_error", ()).per_sample, some_batch()[0]) is None


def some_task():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(75, 8, 2))
    return X, X[:, -3:, 0].sum(axis=1) + 0.1 * rng.normal(size=75)


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
    ],
    ids=lambda model: type(model).__name__,
)
def test_fits_with_fused_steps_are_the_same(model, monkeypatch):
    X, y = some_task()
    y = np.digitize(y, [-1, 1]) if isinstance(model, GRUClassifier) else y
    made = []

    def remembered(*args):
        made.append(make_fused_step(*args))
        return made[-1]

    monkeypatch.setattr(train_step, "make_fused_step", remembered)
    with_fused_steps = model.fit(X, y).loss_curve_
    assert made
    assert None not in made
    monkeypatch.setattr(train_step, "make_fused_step", lambda *args: None)
    np.testing.assert_allclose(with_fused_steps, model.fit(X, y).loss_curve_, rtol=1e-4)


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
