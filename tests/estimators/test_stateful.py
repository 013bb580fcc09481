"""Segments of one long sequence: the state is passed from each to the next, in training, prediction and streams."""

import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from skorch.callbacks import EpochScoring
from torch import nn

from sklrnn import (
    CNNLSTMRegressor,
    GRUClassifier,
    GRURegressor,
    LSTMClassifier,
    LSTMRegressor,
    RecurrentRegressor,
    SimpleRNNClassifier,
)
from sklrnn.inputs.samples import Samples
from sklrnn.training import inference
from sklrnn.training.batches import StatefulBatches

CPU = torch.device("cpu")


def show_and_ask(n_pairs, n_steps=3, seed=0):
    """A bit is shown at the first step of a segment, and is the target of the next one too."""
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2, n_pairs)
    X = np.zeros((2 * n_pairs, n_steps, 2))
    X[:, :, 0] = 0.3 * rng.normal(size=X.shape[:2])
    X[::2, 0, 0] = 2 * bits - 1
    X[1::2, 0, 1] = 1  # the question
    return X, np.repeat(np.where(bits, "one", "zero"), 2)


@pytest.mark.parametrize("kind", [SimpleRNNClassifier, GRUClassifier, LSTMClassifier])
def test_only_a_state_that_is_passed_on_can_predict(kind):
    X, y = show_and_ask(150)
    X_new, y_new = show_and_ask(100, seed=1)
    options = {"units": 16, "batch_size": 20, "max_epochs": 30, "learning_rate": 0.02, "random_state": 0}
    carried = kind(stateful=True, **options).fit(X, y)
    assert (carried.predict(X_new) == y_new).mean() > 0.97
    forgetful = kind(**options).fit(X, y).predict(X_new) == y_new
    assert forgetful[::2].mean() > 0.97
    assert forgetful[1::2].mean() < 0.65


# -- streams -----------------------------------------------------------------------------------------------------------


def some_rows(n, weights=None):
    X = np.arange(n, dtype=np.float32).reshape(n, 1, 1)
    return Samples(X, X[:, 0].astype(float), weights)


@pytest.mark.parametrize("n_rows", [2, 7, 12, 33, 100])
@pytest.mark.parametrize("n_streams", [1, 2, 5, 6])
def test_each_batch_continues_where_the_last_one_ended(n_rows, n_streams):
    n_streams = min(n_streams, n_rows // 2)
    batches = list(StatefulBatches(some_rows(n_rows), n_streams=n_streams, batch_size=n_streams, device=CPU))
    rows = np.stack([x["x"].numpy().ravel() for x, _ in batches])
    weights = np.stack([x["weight"].numpy() for x, _ in batches])
    assert_array_equal(rows, [y.numpy().ravel() for _, y in batches])
    assert_array_equal(np.diff(rows, axis=0), np.ones((len(rows) - 1, rows.shape[1])))
    assert [x.is_first for x, _ in batches] == [True] + [False] * (len(batches) - 1)
    assert {x.n_streams for x, _ in batches} == {rows.shape[1]}
    assert sorted(rows[weights > 0]) == list(range(n_rows))
    assert_allclose(weights.mean(), 1.0, rtol=1e-6)
    assert rows.shape[1] <= n_streams


def test_a_batch_may_hold_many_segments_of_a_stream():
    (first, _), (second, _), (third, _) = StatefulBatches(some_rows(10), n_streams=1, batch_size=4, device=CPU)
    assert_array_equal(first["x"].ravel(), [0, 1, 2, 3])
    assert_array_equal(second["x"].ravel(), [4, 5, 6, 7])
    assert_array_equal(third["x"].ravel(), [8, 9])
    assert (first.is_first, second.is_first, third.is_first) == (True, False, False)


def test_streams_of_one_segment_pass_on_nothing():
    with pytest.raises(ValueError, match="batch_size=32 cuts 20 samples into .* Set batch_size to 10 or less"):
        GRURegressor(stateful=True).fit(*series(20))
    with pytest.raises(ValueError, match="batch_size=2 cuts 2 samples into .* Set batch_size to 1 or less"):
        GRURegressor(stateful=True, batch_size=2).fit(*series(2))


# -- training ----------------------------------------------------------------------------------------------------------

TINY = {"units": 5, "max_epochs": 3, "batch_size": 4, "random_state": 0, "stateful": True}


def series(n_segments=24, n_steps=3):
    """Segments whose target needs the segment before."""
    long = np.random.default_rng(0).normal(size=(n_segments * n_steps, 2))
    X = long.reshape(n_segments, n_steps, 2)
    return X, 100 + 10 * np.r_[0, X[:-1, 0, 0]] + X[:, -1, 1]


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_training_is_truncated_backpropagation(cell):
    X, y = series()
    model = RecurrentRegressor(cell=cell, **TINY, optimizer="sgd", learning_rate=0.3, max_grad_norm=None).fit(X, y)

    network = model.model_.architecture.build(seed=model.model_.options.seed)
    network.standardise.load_state_dict(model.module_.standardise.state_dict())
    optimizer = torch.optim.SGD(network.parameters(), lr=0.3)
    x = torch.from_numpy(X)
    targets = torch.from_numpy((y - y.mean()) / y.std()).float()
    layer = network.recurrent[0].forwards
    for _ in range(3):
        state = None
        for k in range(6):  # four streams of six segments
            now = torch.arange(k, 24, 6)
            steps = network.standardise(x[now]).float().transpose(0, 1)
            states, state = layer(steps, state)
            loss = (network.head(states[-1])[:, 0] - targets[now]).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            state = tuple(part.detach() for part in state) if cell == "lstm" else state.detach()
    model.net_.average_.show(False)  # not the mean, but where training stands
    for ours, by_hand in zip(model.module_.parameters(), network.parameters(), strict=True):
        assert_allclose(ours.detach(), by_hand.detach(), rtol=1e-4, atol=1e-6)


def test_rows_stay_in_order_and_equal_rows_apart():
    X, y = series()
    X[5:9], y[5:9] = X[4], y[4]
    options = {**TINY, "batch_size": 6}
    ordered = GRURegressor(**options, shuffle=False).fit(X, y).predict(X)
    assert_array_equal(GRURegressor(**options).fit(X, y).predict(X), ordered)
    assert len(set(ordered[4:9])) == 5


def test_a_sample_of_weight_zero_is_still_read():
    X, y = series()
    weights = np.ones(24)
    weights[::2] = 0
    spoilt = y.copy()
    spoilt[::2] = 1e6
    weighted = GRURegressor(**TINY).fit(X, y, weights)
    assert_array_equal(GRURegressor(**TINY).fit(X, spoilt, weights).predict(X), weighted.predict(X))
    without = GRURegressor(**TINY).fit(X[1::2], y[1::2])
    assert not np.allclose(without.predict(X), weighted.predict(X))


def test_the_newest_rows_are_evaluated_as_predict_predicts_them():
    X, y = series(60)
    model = GRURegressor(**{**TINY, "max_epochs": 8}, early_stopping=True, validation_fraction=0.2).fit(X, y)
    error = np.mean((model.predict(X[48:]) - y[48:]) ** 2) / y[:48].var()
    assert error == pytest.approx(model.best_validation_loss_, rel=1e-4)
    assert model.predict_interval(X).shape == (60, 2)


def test_a_batch_may_be_evaluated_twice():
    X, y = series()
    model = GRURegressor(**TINY).fit(X, y)
    first, second, *_ = [x for x, _ in StatefulBatches(Samples(X, y[:, None]), n_streams=4, batch_size=4, device=CPU)]
    for segments in (first, second):
        once, twice = model.net_.infer(segments), model.net_.infer(segments)
        assert_array_equal(once.detach(), twice.detach())
    # Such as this one does.
    GRURegressor(**TINY, optimizer=torch.optim.LBFGS, learning_rate=1e-3).fit(X, y)


def test_callbacks_of_skorch_see_segments_too():
    X, y = series()
    seen = []
    score = EpochScoring(lambda net, batches, y: seen.append(len(batches)) or 0.0, use_caching=False, on_train=True)
    watched = GRURegressor(**TINY, callbacks=[score]).fit(X, y)
    assert seen == [6, 6, 6]
    assert_array_equal(watched.predict(X), GRURegressor(**TINY).fit(X, y).predict(X))


def test_training_continues():
    X, y = series()
    model = GRURegressor(**TINY)
    for _ in range(3):
        model.partial_fit(X, y)
    assert_allclose(model.predict(X), GRURegressor(**TINY).fit(X, y).predict(X))
    with pytest.raises(ValueError, match="stateful changed"):
        model.set_params(warm_start=True, stateful=False).fit(X, y)


@pytest.mark.parametrize("options", [{"dropout": 0.3}, {"recurrent_dropout": 0.3}, {"units": (5, 5), "residual": True}])
def test_regularisation_works_with_segments(options):
    X, y = series()
    plain, held_back = GRURegressor(**TINY).fit(X, y), GRURegressor(**{**TINY, **options}).fit(X, y)
    assert not np.allclose(plain.predict(X), held_back.predict(X))


def test_a_state_can_be_passed_on_in_one_direction_only():
    with pytest.raises(ValueError, match="stateful=True passes .* bidirectional=True also reads backwards"):
        GRURegressor(**TINY, bidirectional=True).fit(*series())


# -- prediction and streams --------------------------------------------------------------------------------------------


class PlainCell(nn.Module):
    """A cell of somebody's own, whose state has no axis of layers."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.both = nn.Linear(input_size + hidden_size, hidden_size)

    def forward(self, x, first=None):
        h = x.new_zeros(x.shape[1], self.both.out_features) if first is None else first["h"]
        states = []
        for x_t in x:
            h = self.both(torch.cat([x_t, h], dim=1)).tanh()
            states.append(h)
        return torch.stack(states), {"h": h}


CELLS = ["simple_rnn", "gru", "minimal_gru", "lstm", PlainCell]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("units", [5, (5, 4)])
def test_prediction_reads_one_long_sequence(units, cell, monkeypatch):
    X, y = series()
    model = RecurrentRegressor(cell=cell, **{**TINY, "units": units}).fit(X, y)
    states = model.hidden_states(X)
    assert states.shape == (24, 3, model.model_.architecture.units[-1])
    with torch.no_grad():
        long, _, _ = model.net_.in_precision(np.dtype(np.float64)).encode(torch.from_numpy(X.reshape(1, -1, 2)))
    assert_allclose(states.reshape(72, -1), long[:, 0].numpy(), atol=1e-6)
    at_once = model.predict(X)
    monkeypatch.setattr(inference, "_NUMBERS_AT_ONCE", 150)
    assert_allclose(model.predict(X), at_once, rtol=1e-12)
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))


def test_each_call_begins_with_a_zero_state():
    X, y = series()
    model = GRURegressor(**TINY).fit(X, y)
    assert_array_equal(model.predict(X), model.predict(X))
    assert_allclose(model.predict(X[:10]), model.predict(X)[:10], rtol=1e-12)
    assert not np.allclose(model.predict(X[10:]), model.predict(X)[10:])


@pytest.mark.parametrize("kind", [LSTMRegressor, CNNLSTMRegressor])
def test_a_stream_continues_across_segments(kind):
    X, y = series()
    model = kind(**TINY).fit(X, y)
    stream = model.start_stream()
    predictions = [[stream.step(step) for step in segment][-1] for segment in X]
    assert_allclose(predictions, model.predict(X), rtol=1e-9)
    assert_allclose(model.start_stream().step(X[0, 0]), prediction_alone(model, X[0, :1]), rtol=1e-9)


def prediction_alone(model, sequence):
    return model.predict(sequence[np.newaxis])[0]


def test_pooled_segments_keep_their_places():
    X, y = series(n_steps=5)
    model = CNNLSTMRegressor(**TINY, pool_size=2).fit(X, y)
    assert model.hidden_states(X).shape == (24, 3, 5)
    head = model.module_.head
    by_hand = model.hidden_states(X)[:, -1] @ head.weight.detach().double().numpy()[0] + head.bias.item()
    assert_allclose(model.predict(X), by_hand * y.std() + y.mean(), rtol=1e-9)
