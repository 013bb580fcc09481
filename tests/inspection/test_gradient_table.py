"""Sizes of gradients, against products of Jacobians, finite differences and automatic differentiation."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from sklrnn import (
    CNNLSTMRegressor,
    GRUClassifier,
    GRURegressor,
    LSTMRegressor,
    RecurrentRegressor,
    SimpleRNNRegressor,
)
from sklrnn.inspection import cell_states, gradient_flow

X = np.random.default_rng(0).normal(size=(40, 8, 2))
Y = X.sum(axis=(1, 2))
SHORT = {"units": 4, "max_epochs": 2, "random_state": 0}


def test_gradient_of_a_simple_rnn_is_the_product_of_its_jacobians():
    model = SimpleRNNRegressor(**SHORT).fit(X, Y)
    recurrent = model.module_.recurrent[0].forwards.weight_hh_l0.detach().double().numpy()
    gradient = model.module_.head.weight.detach().double().numpy()[0]
    hidden = cell_states(model, X[:1]).to_numpy()
    expected = []
    for h in hidden[::-1]:
        expected.append(np.linalg.norm(gradient))
        gradient = (gradient * (1 - h**2)) @ recurrent  # dh_t / dh_{t-1} = diag(1 - h_t^2) W
    assert_allclose(gradient_flow(model, X[:1])[0], expected, rtol=1e-9)


class AsItIs(torch.nn.Module):
    def forward(self, x, lengths=None):
        return x


def without_scaling(model, X):
    """The network in double precision without its first layer, and what that layer gives."""
    network = model.model_.double_copy()
    read = network.standardise(torch.from_numpy(X))
    network.standardise = AsItIs()
    return network, read


@pytest.mark.parametrize(
    "model",
    [
        GRURegressor(bidirectional=True, **SHORT),
        LSTMRegressor(pooling="attention", **SHORT),
        CNNLSTMRegressor(filters=3, pool_size=2, **SHORT),
        RecurrentRegressor(cell="slstm", **SHORT),
        RecurrentRegressor(cell=torch.nn.GRU, **SHORT),
    ],
    ids=lambda model: type(model).__name__,
)
def test_gradient_by_the_input_is_that_of_finite_differences(model):
    model.fit(X, np.column_stack([Y, Y**2]))
    network, read = without_scaling(model, X[:3])
    step = 1e-6
    squares = np.zeros(read.shape)
    with torch.no_grad():
        for place in np.ndindex(*read.shape[1:]):
            moved = [read.clone(), read.clone()]
            moved[0][:, *place] += step
            moved[1][:, *place] -= step
            difference = (network(moved[0]) - network(moved[1])) / (2 * step)
            squares[:, *place] = (difference**2).sum(dim=1)
    expected = np.sqrt(squares.sum(axis=2)).T[::-1]  # (steps back, sample)
    assert_allclose(gradient_flow(model, X[:3], with_respect_to="input"), expected, rtol=1e-5, atol=1e-9)


def lstm_by_hand(model, X):
    """The head's output, and all states, of an LSTM that is written out here."""
    network = model.model_.double_copy()
    cell = network.recurrent[0].forwards
    x = network.standardise(torch.from_numpy(X))
    c = h = torch.zeros(len(X), cell.hidden_size, dtype=torch.float64, requires_grad=True)
    hidden, cells = [], []
    for t in range(x.shape[1]):
        i, f, g, o = (x[:, t] @ cell.weight_ih_l0.t() + cell.bias_ih_l0 + h @ cell.weight_hh_l0.t()).chunk(4, dim=1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        c.retain_grad()
        h.retain_grad()
        hidden.append(h)
        cells.append(c)
    return network.head(h), hidden, cells


@pytest.mark.parametrize("part", ["hidden", "cell"])
def test_gradient_of_the_loss_is_that_of_autograd(part):
    model = LSTMRegressor(loss="huber", **SHORT).fit(X, Y)
    output, hidden, cells = lstm_by_hand(model, X[:5])
    target = torch.from_numpy((Y[:5] - model._y_location[0]) / model._y_spread[0])
    torch.nn.functional.huber_loss(output[:, 0], target, reduction="sum").backward()
    expected = [state.grad.norm(dim=1).numpy() for state in reversed(hidden if part == "hidden" else cells)]
    sizes = gradient_flow(model, X[:5], Y[:5], with_respect_to=part)
    assert_allclose(sizes, expected, rtol=1e-7, atol=1e-15)


def test_gradient_of_the_loss_of_a_classifier_follows_from_its_probabilities():
    labels = np.where(Y > 1, "high", np.where(Y < -1, "low", "middle"))
    model = GRUClassifier(**SHORT).fit(X, labels)
    sizes = gradient_flow(model, X[:5], labels[:5])
    error = model.predict_proba(X[:5]) - (model.classes_ == labels[:5, np.newaxis])  # the gradient by the logits
    expected = np.linalg.norm(error @ model.module_.head.weight.detach().numpy(), axis=1)
    assert_allclose(sizes.loc[0], expected, rtol=1e-5)


def test_network_with_an_output_at_each_step_is_measured_at_its_last():
    model = GRURegressor(return_sequences=True, **SHORT).fit(X, X.cumsum(axis=1)[:, :, 0])
    ragged = [X[0], X[1, :5]]
    sizes = gradient_flow(model, ragged, [x.cumsum(axis=0)[:, 0] for x in ragged])
    assert sizes.notna().sum().tolist() == [8, 5]
    alone = gradient_flow(model, X[1:2, :5], X[1:2, :5].cumsum(axis=1)[:, :, 0])
    assert_allclose(sizes[1].dropna(), alone[0], rtol=1e-9)


def test_backward_direction_is_measured_from_where_it_ends():
    model = GRURegressor(bidirectional=True, **SHORT).fit(X, Y)
    head = model.module_.head.weight.detach().double().numpy()[0]
    assert_allclose(gradient_flow(model, X[:2], direction="backward").loc[0], np.linalg.norm(head[4:]), rtol=1e-9)
    assert_allclose(gradient_flow(model, X[:2]).loc[0], np.linalg.norm(head[:4]), rtol=1e-9)


def test_distance_counts_steps_before_pooling():
    model = CNNLSTMRegressor(filters=3, pool_size=3, **SHORT).fit(X, Y)
    assert gradient_flow(model, X).index.tolist() == [0, 3, 6]
    assert gradient_flow(model, X, with_respect_to="input").index.tolist() == list(range(8))


def test_gradient_vanishes_in_a_simple_rnn_where_an_lstm_keeps_some():
    long = np.random.default_rng(0).normal(size=(256, 100))
    recent = long[:, -5:].sum(axis=1)
    sizes = {
        kind: gradient_flow(kind(units=16, max_epochs=30, random_state=0).fit(long, recent), long[:20]).median(axis=1)
        for kind in (SimpleRNNRegressor, LSTMRegressor)
    }
    shares = {kind: values[60] / values[0] for kind, values in sizes.items()}
    assert shares[SimpleRNNRegressor] < 1e-6
    assert shares[LSTMRegressor] > 100 * shares[SimpleRNNRegressor]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layer": 2}, "no recurrent cell at layer=2, direction='forward'. There are: layer=1, direction='forward'."),
        ({"direction": "backward"}, "no recurrent cell at layer=None, direction='backward'"),
        ({"with_respect_to": "cell"}, 'GRU has no cell state. Set with_respect_to="hidden".'),
        ({"with_respect_to": "gate"}, 'with_respect_to must be "hidden", "cell" or "input", got \'gate\''),
    ],
)
def test_what_is_not_there_is_named(options, message):
    model = GRURegressor(**SHORT).fit(X, Y)
    with pytest.raises(ValueError, match=message):
        gradient_flow(model, X, **options)
