"""The readout of an estimator, and what brings long sequences to few recurrent steps."""

import pickle

import numpy as np
import pytest
import skops.io
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import sklrnn
from sklrnn import CNNLSTMClassifier, CNNLSTMRegressor, GRUClassifier, GRURegressor, SequenceScaler

RNG = np.random.default_rng(3)
X = RNG.normal(size=(40, 12, 2))
Y = X[:, :, 0].max(axis=1)
LABELS = np.array(["low", "high"])[np.digitize(Y, [np.median(Y)])]
LENGTHS = RNG.integers(1, 13, size=40)
RAGGED = [x[:length] for x, length in zip(X, LENGTHS, strict=True)]
TINY = {"units": 5, "max_epochs": 3, "random_state": 0}
# Everything of the convolutional front, too.
FRONT = {"filters": (3, 4), "kernel_size": 2, "pool_size": 2, "batch_norm": True, "convolution_skip": True}
NETWORKS = [
    {"pooling": "mean"},
    {"pooling": "max", "units": (4, 5)},
    {"pooling": "attention"},
    {"pooling": "attention", "bidirectional": True},
    FRONT,
    FRONT | {"pooling": "max"},
]
every_network = pytest.mark.parametrize("options", NETWORKS, ids=str)


@every_network
def test_padding_has_no_effect_on_a_prediction(options):
    model = GRURegressor(**TINY | options).fit(RAGGED, Y)
    assert_allclose(model.predict(RAGGED), [model.predict([x])[0] for x in RAGGED], rtol=1e-10)


@every_network
def test_hidden_states_are_those_of_all_steps(options):
    model = GRURegressor(**TINY | options).fit(X, Y)
    states = torch.from_numpy(model.hidden_states(X)).transpose(0, 1)
    network = model.model_.double_copy()
    read = network.readout(states, states[-1])
    with torch.no_grad():
        _, expected, _ = network.encode(torch.from_numpy(X))
    if not options.get("bidirectional"):
        assert_allclose(read.detach(), expected[:, : read.shape[1]], atol=1e-6)
    assert states.shape == (6 if "pool_size" in options else 12, 40, read.shape[1])


@every_network
def test_stream_predicts_like_predict_on_the_steps_so_far(options):
    model = GRURegressor(**TINY | options).fit(X, Y)
    stream = model.start_stream()
    for n_steps in range(1, 13):
        assert_allclose(stream.step(X[0, n_steps - 1]), model.predict(X[:1, :n_steps])[0], rtol=1e-10)


@pytest.mark.parametrize("options", [one for one in NETWORKS if "bidirectional" not in one], ids=str)
def test_stateful_network_reads_the_steps_of_each_segment(options):
    model = GRURegressor(**TINY | options, stateful=True, batch_size=5).fit(X, Y)
    stream = model.start_stream()
    found = [[stream.step(step) for step in segment][-1] for segment in X[:3]]
    assert_allclose(found, model.predict(X[:3]), rtol=1e-10)


@every_network
def test_saved_models_predict_the_same(options):
    model = GRUClassifier(**TINY | options).fit(X, LABELS)
    loaded = [
        pickle.loads(pickle.dumps(model)),
        skops.io.loads(skops.io.dumps(model), trusted=sklrnn.trusted_types()),
    ]
    for copied in loaded:
        assert_array_equal(copied.predict_proba(X), model.predict_proba(X))


@every_network
@pytest.mark.skipif(torch.__version__.startswith("2.4."), reason="torch 2.4 exports no recurrent layers")
@pytest.mark.filterwarnings("ignore:The tensor attribute:UserWarning")  # torch's own, about its recurrent layers
def test_networks_can_be_exported(options):
    network = GRURegressor(**TINY | options).fit(X, Y).module_
    x = torch.from_numpy(X.astype(np.float32))
    exported = torch.export.export(network, (x,)).module()
    torch.testing.assert_close(exported(x), network(x))


@every_network
def test_training_goes_on_where_it_ended(options):
    model = GRURegressor(**TINY | options, warm_start=True).fit(X, Y)
    assert model.fit(X, Y).n_iter_ == 6
    assert np.isfinite(model.partial_fit(X[:1], Y[:1]).predict(X)).all()


@every_network
def test_a_sample_of_weight_zero_is_absent(options):
    weights = np.where(np.arange(40) < 30, 1.0, 0.0)
    weighted = GRURegressor(**TINY | options).fit(X, Y, sample_weight=weights)
    assert_array_equal(weighted.predict(X), GRURegressor(**TINY | options).fit(X[:30], Y[:30]).predict(X))


def test_a_batch_of_weighted_samples_is_a_batch_with_copies():
    copies = np.arange(40) % 3
    options = TINY | FRONT | {"batch_size": 100}
    weighted = GRURegressor(**options).fit(X, Y, sample_weight=copies)
    repeated = GRURegressor(**options).fit(X.repeat(copies, axis=0), Y.repeat(copies))
    assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-6)


def test_searches_choose_the_readout():
    pipeline = make_pipeline(SequenceScaler(), GRUClassifier(**TINY))
    search = GridSearchCV(pipeline, {"gruclassifier__pooling": ["last", "mean", "max", "attention"]}, cv=2)
    assert search.fit(X, LABELS).cv_results_["mean_test_score"].shape == (4,)


def test_a_bump_anywhere_in_a_long_sequence_is_found_by_the_maximum():
    long = RNG.normal(size=(60, 300, 1))
    labels = np.arange(60) % 2
    for row in np.flatnonzero(labels):
        start = RNG.integers(200)
        long[row, start : start + 10] += 3.0
    model = GRUClassifier(units=8, pooling="max", max_epochs=40, random_state=0).fit(long[:40], labels[:40])
    assert model.score(long[40:], labels[40:]) > 0.9


def test_unknown_readout_is_an_error():
    with pytest.raises(ValueError, match="pooling"):
        GRURegressor(pooling="average").fit(X, Y)


# -- with a prediction at every step -----------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{"pooling": "mean"}, {"filters": 3, "convolution_skip": True}], ids=str)
def test_what_joins_all_steps_is_refused_with_return_sequences(options):
    (name,) = {"pooling", "convolution_skip"} & options.keys()
    with pytest.raises(ValueError, match=f"return_sequences=True predicts at every step.* {name}="):
        GRURegressor(**TINY | options, return_sequences=True).fit(X, X[:, :, 0])


def test_defaults_that_join_steps_are_left_out_with_return_sequences():
    model = CNNLSTMClassifier(**TINY, return_sequences=True).fit(
        X.repeat(10, axis=1), X[:, :, 0].repeat(10, axis=1) > 0
    )
    assert model.model_.architecture.pooling == "last"
    assert model.model_.architecture.pool_size == 1
    assert model.predict(X).shape == (40, 12)


# -- pool_size="auto" --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("filters", [2, (2, 2), (2, 2, 2)])
@pytest.mark.parametrize("n_steps", [5, 64, 65, 130, 700, 1460])
def test_at_most_64_recurrent_steps_are_left_of_the_longest_sequence(filters, n_steps):
    long = [np.zeros((n_steps, 1)), np.ones((n_steps // 2, 1))]
    model = CNNLSTMRegressor(units=2, filters=filters, max_epochs=1, random_state=0).fit(long, [0.0, 1.0])
    left = len(model.hidden_states(long)[0])
    assert left == n_steps if n_steps <= 64 else 20 <= left <= 64


def test_pool_size_stays_that_of_the_first_fit():
    model = CNNLSTMRegressor(**TINY, warm_start=True).fit(X.repeat(10, axis=1), Y)
    model.fit(X, Y)
    assert model.model_.architecture.pool_size == (2,)
    assert model.n_iter_ == 6


# -- few samples need many epochs --------------------------------------------------------------------------------------


def test_auto_patience_waits_for_updates_where_an_epoch_has_few():
    options = {"units": 2, "max_epochs": 300, "tol": 10.0, "random_state": 0}
    n_iter = {
        (patience, batch_size): GRURegressor(**options, n_iter_no_change=patience, batch_size=batch_size)
        .fit(X, Y)
        .n_iter_
        for patience in (10, "auto")
        for batch_size in (2, 40)
    }
    assert n_iter[10, 2] == n_iter[10, 40] == n_iter["auto", 2]
    assert n_iter["auto", 40] - n_iter[10, 40] == 90


def test_auto_epochs_make_as_many_updates_of_few_samples():
    options = {"units": 2, "max_epochs": "auto", "tol": 0.0, "n_iter_no_change": 1000, "random_state": 0}
    assert GRURegressor(**options, batch_size=40).fit(X, Y).n_iter_ == 400
    assert GRURegressor(**options, batch_size=2).fit(X, Y).n_iter_ == 100
