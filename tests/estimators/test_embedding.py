"""Tokens in X: each is a learnt vector, and one stands for all that training did not see."""

import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import GridSearchCV

from sklrnn import GRUClassifier, GRURegressor
from sklrnn.inputs.ragged import as_object_array

TINY = {"units": 6, "embedding_dim": 4, "max_epochs": 3, "random_state": 0}


@pytest.fixture(scope="module")
def data():
    """Does a sequence hold the token 40?"""
    rng = np.random.default_rng(0)
    X = [10 * rng.integers(0, 9, n) for n in rng.integers(1, 9, 150)]
    return X, np.array([40 in x for x in X])


def test_it_learns_which_token_matters(data):
    X, y = data
    model = GRUClassifier(**{**TINY, "units": 16, "max_epochs": 40}).fit(X[:120], y[:120])
    assert model.score(X[120:], y[120:]) > 0.93
    assert model.module_.embedding.weight.shape == (10, 4)
    assert_array_equal(model.module_.embedding.known, np.arange(0, 90, 10))


def test_forms_of_tokens(data):
    X, y = data
    model = GRUClassifier(**TINY).fit(X, y)
    predictions = model.predict_proba(X)
    for form in (
        as_object_array(X),
        [x.tolist() for x in X],
        [x[:, np.newaxis] for x in X],
        [x.astype(float) for x in X],
        [x.astype(np.uint8) for x in X],
        tuple(X),
    ):
        assert_array_equal(model.predict_proba(form), predictions)
    table = np.array([x[:1] for x in X])
    assert_allclose(model.predict_proba(table), model.predict_proba([x[:1] for x in X]))
    assert_allclose(model.predict_proba(table[:, :, np.newaxis]), model.predict_proba(table))
    longer = GRUClassifier(**TINY).fit(np.repeat([[0], [1]], 3, axis=1), [0, 1])
    assert longer.predict(np.ones((2, 7), int)).shape == (2,)
    assert longer.n_features_in_ == 1


@pytest.mark.parametrize("options", [{}, {"bidirectional": True}, {"filters": 3, "pool_size": 2}])
def test_padding_is_no_token(data, options):
    X, y = data
    model = GRUClassifier(**TINY, **options).fit(X, y)
    together = model.predict_proba(X)
    alone = np.concatenate([model.predict_proba([x]) for x in X])
    assert_allclose(together, alone, rtol=1e-9)


def test_all_unknown_tokens_are_one(data):
    X, y = data
    model = GRUClassifier(**TINY).fit(X, y)
    unknown = model.predict_proba([[5], [1000], [2**52], [35]])
    assert_array_equal(unknown, np.repeat(unknown[:1], 4, axis=0))
    for known in range(0, 90, 10):
        assert not np.allclose(model.predict_proba([[known]]), unknown[:1])


def test_the_vector_of_unknown_tokens_is_learnt_from_rare_tokens():
    """Each name comes twice and means 1; the frequent token means 0: so should a name not seen before."""
    names = np.repeat(np.arange(1, 101), 2)
    X = np.concatenate([names, np.zeros(200, int)])[:, np.newaxis]
    y = np.repeat([1, 0], 200)
    model = GRUClassifier(**{**TINY, "max_epochs": 15}).fit(X, y)
    assert model.predict_proba([[500]])[0, 1] > 0.9
    assert_allclose(model.module_.embedding.rarity, 0.25 / (0.25 + np.r_[200, np.full(100, 2)]))


def test_vocabulary_and_counts_are_those_of_samples_with_nonzero_weight(data):
    X, y = data
    weights = np.ones(len(X))
    weights[:50] = 0
    model = GRUClassifier(**TINY, batch_size=200).fit([np.full(2, 7)] * 50 + X[50:], y, sample_weight=weights)
    assert 7 not in model.module_.embedding.known
    without = GRUClassifier(**TINY, batch_size=200).fit(X[50:], y[50:])
    assert_array_equal(model.predict_proba(X), without.predict_proba(X))
    newest = [*X[:130], *[np.array([99])] * 20]
    labels = np.r_[y[:130], np.tile([False, True], 10)]
    stopping = GRUClassifier(**TINY, early_stopping=True, validation_fraction=0.2).fit(newest, labels)
    assert stopping.validation_curve_ is not None
    assert 99 not in stopping.module_.embedding.known


def test_seeds_repeat_and_predicting_draws_nothing(data):
    X, y = data
    model, same = (GRUClassifier(**TINY).fit(X, y) for _ in range(2))
    assert_array_equal(model.predict_proba(X), same.predict_proba(X))
    assert_array_equal(model.predict_proba(X), model.predict_proba(X))
    before = torch.get_rng_state()
    GRUClassifier(**TINY).fit(X, y)
    assert torch.equal(before, torch.get_rng_state())


def test_tags_of_tokens(data):
    X, _ = data
    y = [np.where(x >= 40, "high", "low") for x in X]
    model = GRUClassifier(**{**TINY, "max_epochs": 20}, return_sequences=True).fit(X, y)
    assert model.score(X, y) > 0.97
    stream = model.start_stream()
    assert [stream.step(token) for token in X[0]] == model.predict(X[:1])[0].tolist()


def test_streams(data):
    X, y = data
    model = GRURegressor(**TINY).fit(X, y.astype(float))
    stream = model.start_stream()
    x = max(X, key=len)
    assert_allclose([stream.step(token) for token in x], model.predict([x[: n + 1] for n in range(len(x))]))
    with pytest.raises(ValueError, match="whole numbers from 0, got -1"):
        stream.step(-1)
    with pytest.raises(ValueError, match="each step of X is one token, got 2"):
        stream.step([1, 2])


def test_continuing_saving_and_searching(data):
    X, y = data
    model = GRUClassifier(**TINY, warm_start=True).fit(X, y).fit([*X[:-1], np.array([1234])], y)
    assert model.n_iter_ == 6
    assert model.module_.embedding.weight.shape == (10, 4)
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(X), model.predict_proba(X))
    parts = GRUClassifier(**TINY)
    parts.partial_fit(X[:75], y[:75]).partial_fit(X[75:], y[75:])
    search = GridSearchCV(GRUClassifier(**TINY), {"embedding_dim": [2, 3]}, cv=2, error_score="raise").fit(X, y)
    assert search.best_estimator_.module_.embedding.weight.shape[1] == search.best_params_["embedding_dim"]
    with pytest.raises(ValueError, match="embedding_dim changed: .4. became .5."):
        model.set_params(embedding_dim=5).fit(X, y)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([[1, 2], [3, -4]], r"whole numbers from 0, got .*-4.* in sample 1"),
        ([[1, 2, 3], [3, 0.5]], r"whole numbers from 0, got .*0.5.* in sample 1"),
        ([[1, 2], [np.nan]], r"whole numbers from 0, got .*nan.* in sample 1"),
        (np.array([[1, 2], [3, -4]]), r"got .*-4.* in sample 1"),
        (np.array([["a", "b"], ["c", "d"]]), "whole numbers from 0, got .*'a'.* in sample 0"),
        (["ab", "c"], "X holds texts, such as 'ab'.*TokenEncoder"),
        ([["a", "b"], ["c"]], "sequence 0 holds strings, such as 'a'"),
        ([[1, 2], []], r"sequence 1 has the shape \(0,\)"),
        (np.zeros((2, 3, 2), int), "each step of X is one token, got 2 features in a step"),
        ([np.zeros((3, 2), int), np.zeros((2, 2), int)], "each step of X is one token, got 2"),
        (np.zeros(2, int), r"reads tokens \(sample, time\), got an array of shape \(2,\)"),
        (np.zeros((2, 0), int), r"reads tokens \(sample, time\), got an array of shape \(2, 0\)"),
        ([], "at least one sample, got an empty list"),
    ],
)
def test_what_is_no_token(bad, message):
    with pytest.raises(ValueError, match=message):
        GRURegressor(**TINY).fit(bad, np.arange(len(bad), dtype=float))
