"""Levels that drift: X and y on the scale of each window."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from skops import io

from sklrnn import (
    CNNLSTMRegressor,
    GRUClassifier,
    GRURegressor,
    LSTMRegressor,
    SimpleRNNRegressor,
    SlidingWindow,
    make_windows,
    supervise,
)

TINY = {"units": 5, "max_epochs": 3, "random_state": 0}
WINDOW = {"normalize_X": "window", "normalize_y": "window"}
LENGTH = 10


@pytest.fixture(scope="module")
def price():
    """A price that ends far above all that its first two thirds reach."""
    return 100 * np.exp(np.random.default_rng(0).normal(0.006, 0.02, size=450).cumsum())


@pytest.fixture(scope="module")
def windows(price):
    X, y = make_windows(price, window_length=LENGTH)
    return np.array(X), y


@pytest.fixture(scope="module")
def table(price):
    """The price behind another column, and its next three values."""
    noise = np.random.default_rng(1).normal(size=len(price))
    days = pd.date_range("2024-01-01", periods=len(price))
    return supervise(pd.DataFrame({"noise": noise, "close": price}, index=days), target="close", horizon=3)


def mean_error(y, prediction):
    return float(np.abs(np.asarray(y) - np.asarray(prediction)).mean())


@pytest.mark.parametrize("kind", [CNNLSTMRegressor, GRURegressor, LSTMRegressor, SimpleRNNRegressor])
def test_a_price_that_drifts_is_predicted_about_as_well_as_by_repeating_it(kind, windows):
    X, y = windows
    model = kind(units=8, max_epochs=15, random_state=0, **WINDOW).fit(X[:300], y[:300])
    assert y[300:].mean() > 1.3 * y[:300].max()
    assert mean_error(y[300:], model.predict(X[300:])) < 1.05 * mean_error(y[300:], X[300:, -1, 0])


def test_a_prediction_follows_the_level_and_the_size_of_its_window(windows):
    X, y = windows
    model = GRURegressor(**TINY, **WINDOW).fit(X, y)
    assert_allclose(model.predict(7 * X + 1e4), 7 * model.predict(X) + 1e4, rtol=1e-9)


def test_a_classifier_sees_the_shape_of_a_window_not_its_level(windows):
    X, y = windows
    model = GRUClassifier(**TINY, normalize_X="window").fit(X, y > X[:, -1, 0])
    assert_allclose(model.predict_proba(7 * X + 1e4), model.predict_proba(X), rtol=1e-7)


def test_windows_in_a_pipeline_with_several_steps_ahead(table):
    X, y = table
    model = make_pipeline(SlidingWindow(window_length=LENGTH), GRURegressor(**TINY, **WINDOW, target_feature=1))
    prediction = model.fit(X[:300], y[:300]).predict(X[300:])
    repeated = np.repeat(X[["close"]][300:].to_numpy(), 3, axis=1)
    assert prediction.shape == repeated.shape
    assert mean_error(y[300:], prediction) < 1.1 * mean_error(y[300:], repeated)


def test_lag_columns_name_the_target_feature(table):
    X, y = table
    flat = SlidingWindow(window_length=LENGTH, flatten=True).set_output(transform="pandas")
    by_name = GRURegressor(**TINY, **WINDOW, n_timesteps=LENGTH, target_feature="close")
    by_position = GRURegressor(**TINY, **WINDOW, target_feature=1)
    named = make_pipeline(flat, by_name).fit(X, y)
    positions = make_pipeline(SlidingWindow(window_length=LENGTH), by_position).fit(X, y)
    assert_array_equal(named.predict(X), positions.predict(X))


def test_each_output_may_have_a_feature_of_its_own(windows):
    X, y = windows
    both, targets = np.concatenate([X, -3 * X], axis=2), np.c_[-3 * y, y]
    model = GRURegressor(**{**TINY, "max_epochs": 30}, **WINDOW, target_feature=(1, 0)).fit(both, targets)
    repeated = both[:, -1, ::-1]
    assert mean_error(targets, model.predict(both)) < 1.1 * mean_error(targets, repeated)
    shifted = model.predict(both + np.array([100.0, 0.0]))
    assert_allclose(shifted, model.predict(both) + np.array([0.0, 100.0]), rtol=1e-7)


def test_tables_are_univariate_windows(windows):
    X, y = windows
    as_table = GRURegressor(**TINY, **WINDOW).fit(X[:, :, 0], y)
    assert_array_equal(as_table.predict(X[:, :, 0]), GRURegressor(**TINY, **WINDOW).fit(X, y).predict(X))


@pytest.mark.parametrize("missing", ["error", "mask"])
def test_neither_padding_nor_gaps_change_a_prediction_of_another_window(windows, missing):
    X, y = windows
    rng = np.random.default_rng(0)
    ragged = [x[rng.integers(0, LENGTH - 1) :].copy() for x in X[:60]]
    if missing == "mask":
        for x in ragged:
            x[rng.random(x.shape) < 0.3] = np.nan
        ragged[3][:] = np.nan
    model = GRURegressor(**TINY, **WINDOW, missing=missing).fit(ragged, y[:60])
    alone = [model.predict([x, x])[0] for x in ragged]
    assert_allclose(model.predict(ragged), alone, rtol=1e-12)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"bidirectional": True},
        {"filters": 3},
        {"missing": "mask"},
        {"loss": "quantile"},
        {"loss": "poisson"},
        {"normalize_X": True},
        {"normalize_y": True},
    ],
    ids=str,
)
def test_a_stream_predicts_like_predict_on_the_sequence_so_far(options, windows):
    X, y = windows
    model = GRURegressor(**{**TINY, **WINDOW, **options}).fit(X, y)
    stream = pickle.loads(pickle.dumps(model.start_stream()))
    for n_steps, x in enumerate(X[200], start=1):
        assert stream.step(x) == pytest.approx(model.predict(X[200:201, :n_steps])[0], rel=1e-10)


@pytest.mark.parametrize("options", [{"loss": "quantile"}, {"loss": "gaussian"}, {"early_stopping": True}], ids=str)
def test_intervals_widen_with_the_window(options, windows):
    X, y = windows
    model = GRURegressor(**TINY, **WINDOW, **options).fit(X, y)
    for answers in (model.predict_interval(X, coverage=0.8), model.predict_quantiles(X, [0.1, 0.5, 0.9])):
        assert (np.diff(answers, axis=1) >= 0).all()
    width = np.diff(model.predict_interval(X, coverage=0.8), axis=1)
    assert_allclose(np.diff(model.predict_interval(10 * X, coverage=0.8), axis=1), 10 * width, rtol=1e-7)


def test_intervals_of_a_price_that_drifts_hold_what_they_promise(windows):
    X, y = windows
    options = {"early_stopping": True, "validation_fraction": 0.3, "units": 8, "max_epochs": 15, "random_state": 0}
    low, high = GRURegressor(**options, **WINDOW).fit(X[:300], y[:300]).predict_interval(X[300:], coverage=0.8).T
    assert 0.7 <= np.mean((low <= y[300:]) & (y[300:] <= high)) <= 0.9


def test_rates_of_counts_that_drift_stay_positive():
    rng = np.random.default_rng(0)
    counts = rng.poisson(np.linspace(5, 400, 500)).astype(float)
    X, y = make_windows(counts, window_length=LENGTH)
    model = GRURegressor(loss="poisson", units=8, max_epochs=20, random_state=0, **WINDOW).fit(X[:300], y[:300])
    assert (model.predict(X) > 0).all()
    assert mean_error(y[300:], model.predict(X[300:])) < mean_error(y[300:], X[300:, -1, 0])


def test_weights_count_as_copies_and_zero_as_absent(windows):
    X, y = windows
    options = {**TINY, **WINDOW, "batch_size": 500}
    weights = np.r_[np.full(50, 2.0), np.ones(50), np.zeros(len(X) - 100)]
    spoilt = np.where(weights[:, np.newaxis, np.newaxis] > 0, X, 1e6)
    weighted = GRURegressor(**options).fit(spoilt, y, sample_weight=weights)
    copied = GRURegressor(**options).fit(np.r_[X[:100], X[:50]], np.r_[y[:100], y[:50]])
    assert_array_equal(weighted.predict(X), copied.predict(X))


def test_windows_of_one_step_learn_the_change(price):
    X, y = make_windows(price, window_length=1)
    model = GRURegressor(units=5, max_epochs=20, random_state=0, **WINDOW).fit(X, y)
    assert mean_error(y, model.predict(X)) < 1.05 * mean_error(y, X[:, 0, 0])


def test_constant_windows_are_predicted():
    X = np.full((40, LENGTH), 3.0)
    assert_allclose(GRURegressor(**TINY, **WINDOW).fit(X, X[:, -1]).predict(X), 3.0, atol=1.0)


def test_what_is_constant_in_each_window_is_not_lost(windows):
    X, _ = windows
    group = np.random.default_rng(0).integers(0, 2, len(X))
    X = np.concatenate([X, np.broadcast_to(group[:, np.newaxis, np.newaxis], X.shape)], axis=2)
    model = GRUClassifier(units=5, max_epochs=10, random_state=0, normalize_X="window").fit(X, group)
    assert model.score(X, group) == 1.0


def test_predictions_survive_saving(windows):
    X, y = windows
    model = GRURegressor(**TINY, **WINDOW, early_stopping=True).fit(X, y)
    written = io.dumps(model)
    types = io.get_untrusted_types(data=written)
    assert all(name.startswith("sklrnn.") for name in types)
    for loaded in (pickle.loads(pickle.dumps(model)), io.loads(written, trusted=types)):
        assert_array_equal(loaded.predict(X), model.predict(X))
        assert_array_equal(loaded.predict_interval(X, 0.5), model.predict_interval(X, 0.5))


def test_single_precision_stays_single(windows):
    X, y = (part.astype(np.float32) for part in windows)
    model = GRURegressor(**TINY, **WINDOW).fit(X, y)
    assert model.predict(X).dtype == np.float32
    assert model.predict(X.astype(np.float64)).dtype == np.float64


def test_a_search_chooses_the_scale(windows):
    X, y = windows
    grid = {"normalize_X": [False, "window"], "normalize_y": [True, "window"]}
    search = GridSearchCV(GRURegressor(**TINY), grid, cv=TimeSeriesSplit(2))
    with pytest.warns(UserWarning, match="X lies far outside"):
        search.fit(X, y)
    assert search.best_params_["normalize_y"] == "window"
    assert clone(search.best_estimator_).get_params()["normalize_y"] == "window"


def test_a_transformed_target_is_on_the_scale_of_its_feature(windows):
    X, y = windows
    model = TransformedTargetRegressor(GRURegressor(**TINY, **WINDOW), func=np.log, inverse_func=np.exp)
    prediction = model.fit(np.log(X[:300]), y[:300]).predict(np.log(X[300:]))
    assert mean_error(y[300:], prediction) < 1.1 * mean_error(y[300:], X[300:, -1, 0])


def test_training_continues_in_the_same_units_only(windows):
    X, y = windows
    model = GRURegressor(**TINY, **WINDOW).partial_fit(X, y).partial_fit(X, y)
    before = model.predict(X)
    with pytest.raises(ValueError, match="normalize_y changed: .*window, features \\(0,\\).* became .*of training"):
        model.set_params(normalize_y=True).partial_fit(X, y)
    with pytest.raises(ValueError, match="normalize_X changed: \\['window'\\] became \\['training'\\]"):
        model.set_params(normalize_y="window", normalize_X=True).partial_fit(X, y)
    assert_array_equal(model.predict(X), before)


@pytest.mark.parametrize("parameter", ["normalize_X", "normalize_y"])
@pytest.mark.parametrize("other", [{"return_sequences": True}, {"stateful": True}, {"embedding_dim": 4}], ids=str)
def test_what_a_window_has_no_scale_for_is_refused(parameter, other, windows):
    X, y = windows
    (name, value), *_ = other.items()
    with pytest.raises(ValueError, match=f'{parameter}="window" can\'t be combined with {name}={value}: .* Set'):
        GRURegressor(**TINY, **{parameter: "window"}, **other).fit(X, y)


@pytest.mark.parametrize(
    ("target_feature", "message"),
    [
        (None, "one feature of X, which has 2: the positions 0 to 1. Set target_feature"),
        (2, "target_feature=2 is no feature of X, which has the positions 0 to 1"),
        ("close", "X has no names of features here"),
        ((0, 1), "names 2 features, but y has 1 output"),
        (-1, "must be an int of at least 0"),
        (True, "must be an int of at least 0"),
        ((), "must be an int of at least 0"),
    ],
)
def test_the_target_feature_is_checked(target_feature, message, windows):
    X, y = windows
    model = GRURegressor(**TINY, normalize_y="window", target_feature=target_feature)
    with pytest.raises(ValueError, match=message):
        model.fit(np.concatenate([X, X], axis=2), y)


def test_an_unknown_name_of_a_target_feature_lists_the_known_ones(table):
    X, y = table
    flat = SlidingWindow(window_length=2, flatten=True).set_output(transform="pandas").fit_transform(X)
    model = GRURegressor(**TINY, **WINDOW, n_timesteps=2, target_feature="clsoe")
    with pytest.raises(ValueError, match="target_feature='clsoe' is no feature of X, which has 'noise', 'close'"):
        model.fit(flat, y)
