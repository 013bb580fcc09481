"""Sequences of several lengths: padding, order and other samples have no effect; tools of scikit-learn take them."""

import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from skorch.callbacks import EpochTimer

from sklrnn import CNNLSTMRegressor, GRUClassifier, GRURegressor, LSTMRegressor, SequenceScaler, SimpleRNNRegressor
from sklrnn.inputs.ragged import Ragged, as_object_array
from sklrnn.inputs.samples import Samples, feature_statistics, merge_identical

TINY = {"units": 5, "max_epochs": 3, "random_state": 0}
NETWORKS = {
    "plain": {},
    "two directions": {"bidirectional": True},
    "two layers in two directions": {"bidirectional": True, "units": (4, 4), "residual": True},
    "convolutions": {"filters": (4, 3), "kernel_size": 3},
    "pooling": {"filters": 4, "pool_size": 3},
    "pooling in two directions": {"filters": 4, "pool_size": 2, "bidirectional": True},
}


def some_sequences(n=24, seed=0, longest=12, n_features=2):
    rng = np.random.default_rng(seed)
    X = [3 + 2 * rng.normal(size=(length, n_features)) for length in rng.integers(1, longest + 1, n)]
    return X, np.array([x[-1, 0] + x[0, 1] for x in X])


@pytest.fixture(scope="module")
def data():
    return some_sequences()


@pytest.mark.parametrize("options", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("kind", [GRURegressor, LSTMRegressor, SimpleRNNRegressor])
def test_a_prediction_is_that_of_the_sequence_alone(kind, options, data):
    X, y = data
    model = kind(**{**TINY, **options}).fit(X, y)
    together = model.predict(X)
    alone = np.concatenate([model.predict(x[np.newaxis]) for x in X])
    assert_allclose(together, alone, rtol=1e-9, atol=1e-12)
    for states, x in zip(model.hidden_states(X), X, strict=True):
        assert_allclose(states, model.hidden_states(x[np.newaxis])[0], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("options", NETWORKS.values(), ids=NETWORKS)
def test_order_and_other_samples_have_no_effect(options, data):
    X, y = data
    model = GRURegressor(**{**TINY, **options}).fit(X, y)
    order = np.random.default_rng(1).permutation(len(X))
    predictions = model.predict(X)
    assert_allclose(model.predict([X[i] for i in order]), predictions[order], rtol=1e-9)
    with_a_long_one = model.predict([*X, np.zeros((500, 2))])
    assert_allclose(with_a_long_one[:-1], predictions, rtol=1e-9)


def test_predictions_come_back_in_order_from_many_blocks(data, monkeypatch):
    X, y = data
    model = GRURegressor(**TINY).fit(X, y)
    at_once = model.predict(X)
    monkeypatch.setattr("sklrnn.training.inference._NUMBERS_AT_ONCE", 300)
    assert_allclose(model.predict(X), at_once, rtol=1e-9)


@pytest.mark.parametrize("options", NETWORKS.values(), ids=NETWORKS)
def test_a_step_of_training_is_that_of_the_sequences_one_by_one(options, data):
    """Padding changes neither the loss nor its gradients."""
    X, y = data
    model = GRURegressor(**{**TINY, **options}, dropout=0.0).fit(X, y)
    samples = model._check_samples(X, y, None, reset=False)
    net, network = model.net_, model.module_.double().train()
    [(batch, target)] = list(model._batches(samples, len(X), n_streams=len(X)))
    assert "lengths" in batch
    gradients = []
    for batches in ([(batch, target)], list(model._batches(samples, 1, n_streams=1))):
        network.zero_grad()
        for x, wanted in batches:
            net.get_loss(net.infer(x), wanted.double(), X=x).div(len(batches)).backward()
        gradients.append([p.grad.clone().numpy() for p in network.parameters() if p.grad is not None])
    for together, one_by_one in zip(*gradients, strict=True):
        assert_allclose(together, one_by_one, rtol=1e-6, atol=1e-9)


def test_equally_long_sequences_in_a_list_are_an_array(data):
    X = np.random.default_rng(0).normal(size=(40, 6, 2))
    y = X[:, -1, 0]
    model = GRURegressor(**TINY, batch_size=8).fit(X, y)
    as_list = GRURegressor(**TINY, batch_size=8).fit(list(X), y)
    as_objects = GRURegressor(**TINY, batch_size=8).fit(as_object_array(X), y)
    assert_array_equal(model.predict(X), as_list.predict(X))
    assert_array_equal(model.predict(X), as_objects.predict(as_object_array(X)))
    assert isinstance(as_list.hidden_states(list(X)), list)
    assert as_list.hidden_states(X).shape == (40, 6, 5)
    assert_allclose(np.stack(as_objects.hidden_states(as_object_array(X))), model.hidden_states(X))


def test_univariate_sequences():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=n) for n in rng.integers(2, 9, 20)]
    y = [x.sum() for x in X]
    model = GRURegressor(**TINY).fit(X, y)
    assert model.n_features_in_ == 1
    with_an_axis = GRURegressor(**TINY).fit([x[:, np.newaxis] for x in X], y)
    assert_array_equal(model.predict(X), with_an_axis.predict(as_object_array(X)))
    assert_allclose(model.predict([X[0], X[0]]), model.predict(X)[[0, 0]])
    assert_allclose(model.predict(X[:1]), model.predict(X)[:1])
    with pytest.raises(ValueError, match=r"was fitted on X of shape \(sample, time, feature\), got \(sample, time\)"):
        model.predict(np.zeros((3, 4)))


def test_two_directions_read_each_sequences_own_end():
    """The last value is the target, and only the backward cell reads it first."""
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 1)) for n in rng.integers(1, 15, 30)]
    model = GRURegressor(**TINY, bidirectional=True).fit(X, [x[-1, 0] for x in X])
    layer = model.module_.recurrent[0].double()
    for x, states in zip(X, model.hidden_states(X), strict=True):
        standardised = model.module_.standardise(torch.from_numpy(x))[:, None]
        with torch.no_grad():
            backwards, _ = layer.backwards(standardised.flip(0))
        assert_allclose(states[:, 5:], backwards.flip(0)[:, 0].numpy(), rtol=1e-6, atol=1e-8)


def test_statistics_are_those_of_real_steps():
    X, _ = some_sequences(50)
    ragged = Ragged.from_list(X)
    weights = np.random.default_rng(0).integers(0, 3, 50).astype(float)
    mean, spread = feature_statistics(ragged, weights, np.flatnonzero(weights))
    flat = np.concatenate([np.tile(x, (int(w), 1)) for x, w in zip(X, weights, strict=True)])
    assert_allclose(mean, flat.mean(axis=0), rtol=1e-12)
    assert_allclose(spread, flat.std(axis=0), rtol=1e-12)


def test_batches_hold_sequences_of_about_one_length_and_differ_between_epochs():
    X, y = some_sequences(400, longest=100)
    model = GRURegressor(**TINY, batch_size=16).fit(X, y)
    batches = model._batches(model._check_samples(X, y, None, reset=False), 16, n_streams=16, seed=0)
    epochs = []
    for epoch in range(2):
        batches.epoch = epoch
        chosen = list(batches._chosen_samples())
        assert_array_equal(np.sort(np.concatenate(chosen)), np.arange(400))
        lengths = [batches.samples.X.lengths[rows] for rows in chosen]
        assert sum(n.max() * len(n) for n in lengths) < 1.3 * sum(n.sum() for n in lengths)
        assert not (np.diff([n.mean() for n in lengths]) >= 0).all()
        assert max(x["x"].shape[1] for x, _ in batches) == 100
        assert min(x["x"].shape[1] for x, _ in batches) < 20
        epochs.append([set(rows.tolist()) for rows in chosen])
    assert not any(rows in epochs[0] for rows in epochs[1])


def test_without_shuffling_the_order_stays():
    X, y = some_sequences(40)
    model = GRURegressor(**TINY, batch_size=16, shuffle=False).fit(X, y)
    samples = model._check_samples(X, y, None, reset=False)
    chosen = model._batches(samples, 16, n_streams=16)._chosen_samples()
    assert_array_equal(np.concatenate(list(chosen)), np.arange(40))


def test_a_weight_is_a_number_of_copies(data):
    X, y = data
    weights = np.random.default_rng(0).integers(0, 4, len(X)).astype(float)
    copies = np.repeat(np.arange(len(X)), weights.astype(int))
    options = {**TINY, "batch_size": 100}
    weighted = GRURegressor(**options).fit(X, y, sample_weight=weights)
    repeated = GRURegressor(**options).fit([X[i] for i in copies], y[copies])
    assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-6)
    without = GRURegressor(**options).fit([X[i] for i in np.flatnonzero(weights)], y[weights > 0], weights[weights > 0])
    assert_array_equal(weighted.predict(X), without.predict(X))


def test_padding_does_not_make_sequences_equal():
    zeros = Ragged.from_list([np.zeros((n, 1)) for n in (1, 2, 2, 1, 3)])
    merged = merge_identical(Samples(zeros, np.zeros((5, 1))))
    assert sorted(zip(merged.X.lengths, merged.weights, strict=True)) == [(1, 2), (2, 2), (3, 1)]


@pytest.mark.parametrize("form", [list, as_object_array])
@pytest.mark.parametrize("kind", [GRURegressor, GRUClassifier])
def test_searches_and_pipelines(kind, form):
    X, y = some_sequences(40)
    y = y > np.median(y) if kind is GRUClassifier else y
    pipeline = make_pipeline(SequenceScaler(), kind(**TINY))
    name = kind.__name__.lower()
    search = GridSearchCV(pipeline, {f"{name}__units": [2, 3]}, cv=2, error_score="raise")
    assert search.fit(form(X), y).predict(form(X)).shape == (40,)
    assert cross_val_score(kind(**TINY), form(X), y, cv=KFold(3), error_score="raise").shape == (3,)


def test_scaling_in_front_changes_nothing_but_rounding(data):
    X, y = data
    inside = GRURegressor(**TINY).fit(X, y)
    outside = make_pipeline(SequenceScaler(), GRURegressor(**TINY)).fit(X, y)
    assert_allclose(inside.predict(X), outside.predict(X), rtol=1e-4)


def test_classes_and_probabilities(data):
    X, y = data
    labels = np.where(y > np.median(y), "high", "low")
    model = GRUClassifier(**TINY, class_weight="balanced").fit(X, labels)
    assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)
    assert_array_equal(model.predict(X), model.classes_[model.predict_proba(X).argmax(axis=1)])


def test_saved_and_loaded(data):
    X, y = data
    model = GRURegressor(**TINY, bidirectional=True).fit(X, y)
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))


def test_training_continues(data):
    X, y = data
    going = GRURegressor(**TINY, batch_size=8, n_iter_no_change=100).set_params(warm_start=True).fit(X, y).fit(X, y)
    assert going.n_iter_ == 6
    parts = GRURegressor(**TINY)
    for _ in range(3):
        parts.partial_fit(X[:12], y[:12]).partial_fit(X[12:], y[12:])
    assert parts.n_iter_ == 6


def test_seeds_repeat(data):
    X, y = data
    model = GRURegressor(**TINY, batch_size=4, dropout=0.2)
    assert_array_equal(clone(model).fit(X, y).predict(X), clone(model).fit(X, y).predict(X))


def test_early_stopping_intervals_and_callbacks():
    X, y = some_sequences(120)
    options = {**TINY, "early_stopping": True, "validation_fraction": 0.25}
    model = GRURegressor(**options).fit(X, y)
    watched = GRURegressor(**options, callbacks=[EpochTimer()]).fit(X, y)
    assert_allclose(model.loss_curve_, watched.loss_curve_, rtol=1e-5)
    assert_allclose(model.validation_curve_, watched.validation_curve_, rtol=1e-5)
    interval = model.predict_interval(X, coverage=0.8)
    assert interval.shape == (120, 2)
    inside = (interval[:, 0] <= y) & (y <= interval[:, 1])
    assert 0.8 <= inside[-30:].mean() <= 0.9
    assert GRURegressor(**TINY, loss="quantile").fit(X, y).predict_quantiles(X).shape == (120, 3)


@pytest.mark.parametrize("options", [{}, {"bidirectional": True}, {"filters": 3, "pool_size": 2}])
def test_a_stream_predicts_like_predict(options, data):
    X, y = data
    model = GRURegressor(**TINY, **options).fit(X, y)
    longest = max(X, key=len)
    stream = model.start_stream()
    predictions = [stream.step(x_t) for x_t in longest]
    assert_allclose(predictions, model.predict([longest[: n + 1] for n in range(len(longest))]), rtol=1e-9)


def test_precision_is_that_of_the_sequences(data):
    X, y = data
    single = [x.astype(np.float32) for x in X]
    model = GRURegressor(**TINY).fit(single, y.astype(np.float32))
    assert model.predict(single).dtype == np.float32
    assert model.predict(X).dtype == np.float64
    assert {states.dtype for states in model.hidden_states(single)} == {np.dtype(np.float32)}


def test_the_caller_keeps_what_was_passed(data):
    X, y = data
    before = [x.copy() for x in X]
    CNNLSTMRegressor(**TINY, pool_size=2).fit(X, y).predict(X)
    for x, was in zip(X, before, strict=True):
        assert_array_equal(x, was)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X: [*X[:3], np.zeros((0, 2)), *X[4:]], r"at least one step .* sequence 3 has the shape \(0, 2\)"),
        (lambda X: [*X[:3], np.zeros((4, 3)), *X[4:]], r"same features, but sequence 3 has the shape \(4, 3\)"),
        (lambda X: [*X[:3], np.zeros(4), *X[4:]], r"same features, but sequence 3 has the shape \(4,\)"),
        (lambda X: [*X[:3], [[1, 2], [3]], *X[4:]], "the steps of sequence 3 differ in their number of values"),
        (lambda X: [*X[:3], [["a", "b"]], *X[4:]], "sequence 3 holds strings, such as 'a'.* set embedding_dim"),
        (lambda X: [*X[:3], np.zeros((2, 2, 2)), *X[4:]], r"sequence 3 has the shape \(2, 2, 2\)"),
        (
            lambda X: [*X[:3], np.array([[0, 1], [np.nan, 2]]), *X[4:]],
            r"contains NaN.*The first is in feature 0 .*, sample 3, step 1",
        ),
        (lambda X: [*X[:3], np.array([[0, np.inf]]), *X[4:]], r"infinity.*feature 1 .*, sample 3, step 0"),
        (lambda X: X[:-1], r"inconsistent numbers of samples: \[23, 24\]"),
        (lambda X: ["one", "two"], "X holds texts, such as 'one'"),
    ],
)
def test_bad_sequences(change, message, data):
    X, y = data
    with pytest.raises(ValueError, match=message):
        GRURegressor(**TINY).fit(change(list(X)), y)
    if len(change(X)) > 2:
        with pytest.raises(ValueError, match=message):
            GRURegressor(**TINY).fit(as_object_array(change(list(X))), y)


def test_bad_sequences_at_predict(data):
    X, y = data
    model = GRURegressor(**TINY).fit(X, y)
    with pytest.raises(ValueError, match="X has 3 features, but GRURegressor is expecting 2 features"):
        model.predict([np.zeros((2, 3)), np.zeros((4, 3))])
    with pytest.raises(ValueError, match="need the same number of steps, got 1 to"):
        GRURegressor(**TINY, stateful=True).fit(X, y)
