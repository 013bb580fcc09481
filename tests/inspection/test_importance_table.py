"""Importances are falls of the score, from values that were exchanged between samples and stayed at their steps."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import NotFittedError
from sklearn.inspection import permutation_importance
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklrnn import GRUClassifier, GRURegressor, LSTMRegressor, SequenceScaler, SlidingWindow, TokenEncoder, supervise
from sklrnn.datasets import load_jfk_weather
from sklrnn.inputs.ragged import Ragged
from sklrnn.inspection import sequence_importance
from sklrnn.inspection.sequence_permutation import exchange_steps
from sklrnn.metrics import make_step_scorer

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(200, 5, 2))
Y = X[:, -1, 0] + 2 * X[:, -3, 1]
SHORT = {"units": 8, "max_epochs": 3, "random_state": 0}


class SumOfSteps(RegressorMixin, BaseEstimator):
    """Knows the truth, keeps what it was asked, and is no network."""

    def fit(self, X, y):
        self.n_features_in_ = X.shape[2]
        self.asked_ = []
        return self

    def predict(self, X):
        self.asked_.append(X)
        return X[:, -1, 0] + 2 * X[:, -3, 1]


@pytest.fixture
def truth():
    return SumOfSteps().fit(X, Y)


def test_importance_is_the_fall_of_the_score(truth):
    result = sequence_importance(truth, X, Y, n_repeats=4, random_state=0)
    assert result.baseline == 1.0
    assert result.importances.shape == (5, 2, 4)
    assert_array_equal(result.importances_mean, result.importances.mean(axis=2))
    assert_array_equal(result.importances_std, result.importances.std(axis=2))
    falls = [1 - r2_score(Y, truth.predict(asked)) for asked in truth.asked_[1:]]
    assert_allclose(result.importances.ravel(), falls)
    matters = result.importances_mean.stack() > 0
    assert matters.index[matters].tolist() == [(2, 1), (0, 0)]


def test_importances_of_steps_are_about_those_that_scikit_learn_finds_in_columns():
    flat = X.reshape(200, -1)
    model = LSTMRegressor(n_timesteps=5, **{**SHORT, "max_epochs": 30}).fit(flat, Y)
    ours = sequence_importance(model, flat, Y, n_repeats=30, random_state=0)
    theirs = permutation_importance(model, flat, Y, n_repeats=30, random_state=0)
    # Of the variance of exchanged values, 2 / n is due to chance in one repeat.
    assert_allclose(ours.importances_mean, theirs.importances_mean.reshape(5, 2), atol=0.15)
    assert ours.importances_mean.to_numpy().max() > 0.7


def test_values_stay_at_their_step_and_others_as_they_are(truth):
    sequence_importance(truth, X, Y, n_repeats=2, random_state=0, steps_per_block=2, features=[1])
    blocks = [[0], [0], [1, 2], [1, 2], [3, 4], [3, 4]]  # places in X; the oldest step is alone in its block
    for asked, places in zip(truth.asked_[1:], blocks, strict=True):
        others = [place for place in range(5) if place not in places]
        assert_array_equal(asked[:, others], X[:, others])
        assert_array_equal(asked[:, :, 0], X[:, :, 0])
        givers = [int(np.flatnonzero(X[:, places[0], 1] == value)[0]) for value in asked[:, places[0], 1]]
        assert sorted(givers) == list(range(200))
        assert givers != list(range(200))
        assert_array_equal(asked[:, places, 1], X[np.ix_(givers, places)][:, :, 1])  # a block stays together


def test_no_row_of_the_future_enters_a_window():
    """In windows of a time that counts up, a value at a step is one that stood at this step in some window."""
    windows = SlidingWindow(window_length=4).fit_transform(np.arange(50.0)[:, np.newaxis])
    model = SumOfSteps().fit(windows, np.arange(50.0))
    model.predict = lambda X: model.asked_.append(X) or X[:, -1, 0]
    sequence_importance(model, windows, np.arange(50.0), n_repeats=3, random_state=0)
    for asked in model.asked_:
        assert_array_equal(np.sort(asked, axis=0), np.sort(windows, axis=0))


def test_sequences_of_several_lengths_exchange_the_steps_that_they_have():
    ragged = Ragged.from_list([np.arange(length, dtype=float)[:, np.newaxis] + 10 * length for length in (2, 4, 3, 4)])
    flat = exchange_steps(ragged, range(2, 4), 0, np.array([3, 2, 1, 0]))
    rows = [row[:, 0].tolist() for row in Ragged.from_lengths(flat, ragged.lengths).split()]
    # Two steps back only samples 1 to 3 have one: 3, 2, 1 give theirs to 1, 2, 3. Three back it is 3 and 1.
    assert rows == [[20.0, 21.0], [40.0, 41.0, 42.0, 43.0], [30.0, 31.0, 32.0], [40.0, 41.0, 42.0, 43.0]]
    distinct = Ragged.from_list(
        [np.arange(start, start + n, dtype=float)[:, np.newaxis] for start, n in ((0, 3), (9, 2))]
    )
    flat = exchange_steps(distinct, range(3), 0, np.array([1, 0]))
    assert flat[:, 0].tolist() == [0.0, 9.0, 10.0, 1.0, 2.0]


def test_each_form_of_sequences_is_given_back_in_its_form():
    labels = np.where(Y > 0, "up", "down")
    forms = {
        "(sample, time)": X[:, :, 0],
        "table": pd.DataFrame(X[:, :, 0], columns=[f"lag{k}" for k in range(4, -1, -1)]),
        "list": [x[n % 2 :] for n, x in enumerate(X)],
        "list of equal length": list(X),
        "univariate list": [x[n % 2 :, 0] for n, x in enumerate(X)],
    }
    for given in forms.values():
        model = GRUClassifier(**SHORT).fit(given, labels)
        result = sequence_importance(model, given, labels, n_repeats=1, random_state=0)
        assert result.importances_mean.index.tolist() == [4, 3, 2, 1, 0]
        assert result.baseline == model.score(given, labels)


def test_texts_behind_an_encoder_have_importances():
    texts = ["".join(RANDOM.choice(list("abc"), size=RANDOM.integers(2, 5))) for _ in range(60)]
    labels = [text[-1] for text in texts]
    pipeline = make_pipeline(TokenEncoder(), GRUClassifier(embedding_dim=4, **{**SHORT, "max_epochs": 40}))
    result = sequence_importance(pipeline.fit(texts, labels), texts, labels, random_state=0)
    assert result.importances_mean[0].idxmax() == 0


def test_a_pipeline_is_given_rows_and_names_the_features_of_its_windows():
    rows, y = supervise(load_jfk_weather()[["temp", "wind_speed"]][:300], target="temp")
    window = SlidingWindow(window_length=6, calendar=["day"])
    pipeline = make_pipeline(window, SequenceScaler(), GRURegressor(**SHORT)).fit(rows, y)
    result = sequence_importance(pipeline, rows, y, n_repeats=1, random_state=0, features=["temp", "day_sin_lead1"])
    assert result.importances_mean.columns.tolist() == ["temp", "day_sin_lead1"]
    assert result.baseline == pipeline.score(rows, y)
    alone = sequence_importance(
        pipeline[-1], pipeline[:-1].transform(rows), y, n_repeats=1, random_state=0, features=[0, 6]
    )
    assert_array_equal(alone.importances, result.importances)
    search = GridSearchCV(pipeline, {"gruregressor__units": [2]}, cv=2).fit(rows, y)
    of_search = sequence_importance(search, rows, y, n_repeats=1, random_state=0, features=["temp"])
    assert of_search.baseline == search.score(rows, y)


def test_lag_columns_are_steps_of_named_features():
    rows, y = supervise(load_jfk_weather()[["temp", "wind_speed"]][:300], target="temp")
    window = SlidingWindow(window_length=6, flatten=True).set_output(transform="pandas")
    pipeline = make_pipeline(window, GRURegressor(n_timesteps=6, **SHORT)).fit(rows, y)
    result = sequence_importance(pipeline, rows, y, n_repeats=1, random_state=0)
    assert result.importances_mean.columns.tolist() == ["temp", "wind_speed"]
    assert result.importances_mean.index.tolist() == [5, 4, 3, 2, 1, 0]


def test_scores_of_every_kind():
    y = X.cumsum(axis=1)[:, :, 0]
    model = GRURegressor(return_sequences=True, **SHORT).fit(X, y)
    scorer = make_step_scorer("neg_mean_absolute_error")
    result = sequence_importance(model, X, y, scoring=scorer, n_repeats=1, random_state=0)
    assert result.baseline == scorer(model, X, y)
    weights = np.arange(200.0)
    last = GRURegressor(**SHORT).fit(X, Y)
    weighted = sequence_importance(last, X, Y, n_repeats=1, random_state=0, sample_weight=weights)
    assert weighted.baseline == last.score(X, Y, weights)
    named = sequence_importance(last, X, Y, scoring="neg_mean_squared_error", n_repeats=1, random_state=0)
    assert_allclose(named.baseline, -np.mean((last.predict(X) - Y) ** 2))


def test_one_seed_gives_one_result(truth):
    before = X.copy()
    one, same, other = (sequence_importance(truth, X, Y, n_repeats=1, random_state=s) for s in (0, 0, 1))
    assert_array_equal(one.importances, same.importances)
    assert not np.array_equal(one.importances, other.importances)
    assert_array_equal(X, before)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_repeats": 0}, "n_repeats must be an int of at least 1, got 0"),
        ({"steps_per_block": 1.5}, "steps_per_block must be an int of at least 1, got 1.5"),
        ({"features": ["temp"]}, "features must be one of 0, 1, got 'temp'"),
        ({"X": X[:1], "y": Y[:1]}, "X needs at least two, got 1"),
        ({"scoring": "r3"}, "'r3'"),
    ],
)
def test_bad_settings_are_named(options, message, truth):
    with pytest.raises(ValueError, match=message):
        sequence_importance(truth, **{"X": X, "y": Y, **options})


def test_a_table_is_no_sequence():
    rows = X[:, 0]
    model = make_pipeline(SlidingWindow(window_length=3, flatten=True), StandardScaler(), Ridge()).fit(rows, Y)
    with pytest.raises(ValueError, match="Ridge reads no sequences.* got .200, 6.. Set flatten=False"):
        sequence_importance(model, rows, Y)
    with pytest.raises(NotFittedError):
        sequence_importance(GRURegressor(), X, Y)
