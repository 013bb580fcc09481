"""A warning where predict meets X far outside of what training saw."""

import warnings

import numpy as np
import pandas as pd
import pytest

from sklrnn import GRUClassifier, GRURegressor

TINY = {"units": 4, "max_epochs": 1, "random_state": 0}
FAR = "X lies far outside of what training saw: "
RNG = np.random.default_rng(0)
X = RNG.uniform(0, 1, size=(100, 5, 3))
Y = X[:, -1, 0]
OUTSIDE = X.copy()
OUTSIDE[:7, 2, 1] = 5.0


@pytest.fixture(scope="module")
def model():
    return GRURegressor(**TINY, loss="gaussian").fit(X, Y)


def assert_silent(call, *arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        call(*arguments)


@pytest.mark.parametrize("method", ["predict", "predict_quantiles", "predict_interval"])
def test_a_regressor_tells_which_feature_how_far_and_in_how_many_samples(method, model):
    with pytest.warns(UserWarning, match=FAR) as caught:
        getattr(model, method)(OUTSIDE)
    assert len(caught) == 1
    message = str(caught[0].message)
    assert "feature 1 reaches 5 (in training 0.00" in message
    assert "7 of 100 samples" in message
    assert 'set normalize_X="window" ' in message
    assert caught[0].filename == __file__


@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba"])
def test_a_classifier_warns_too(method):
    classifier = GRUClassifier(**TINY).fit(X, Y > 0.5)
    with pytest.warns(UserWarning, match=FAR + "feature 1"):
        getattr(classifier, method)(OUTSIDE)


def test_a_stream_warns_once(model):
    stream = model.start_stream()
    assert_silent(stream.step, X[0, 0])
    with pytest.warns(UserWarning, match=FAR + "feature 0 reaches -9"):
        stream.step([-9.0, 0.5, 0.5])
    assert_silent(stream.step, [-9.0, 0.5, 0.5])


def test_values_within_the_width_of_the_range_are_not_far(model):
    assert_silent(model.predict, X + 0.9)
    with pytest.warns(UserWarning, match=FAR):
        model.predict(X + 1.1)
    with pytest.warns(UserWarning, match=FAR):
        model.predict(X - 1.1)


def test_ten_spreads_are_far_even_within_the_width_of_the_range():
    heavy = X.copy()
    heavy[0, 0, 0] = 100.0  # spread about 4.5
    fitted = GRURegressor(**TINY).fit(heavy, Y)
    new = X.copy()
    new[:50, 0, 0] = 180.0
    with pytest.warns(UserWarning, match="feature 0 reaches 180 .*50 of 100"):
        fitted.predict(new)
    new[1:50] = X[1:50]
    assert_silent(fitted.predict, new)  # one record among many
    new[0, 0, 0] = 1e6
    with pytest.warns(UserWarning, match="1 of 100"):
        fitted.predict(new)


def test_indicators_and_constants_may_change():
    indicators = np.round(X)
    indicators[:, :, 1] = 0.0
    fitted = GRURegressor(**TINY).fit(indicators, Y)
    assert_silent(fitted.predict, 1.0 - indicators)
    constant = np.where(np.arange(3) == 1, 1000.0, indicators)
    with pytest.warns(UserWarning, match="feature 1 reaches 1000 \\(in training always 0\\), 100 of 100"):
        fitted.predict(constant)


def test_rounding_of_a_constant_is_no_change():
    nearly = np.concatenate([X, np.full((100, 5, 1), 1e9) + RNG.normal(size=(100, 5, 1)) * 1e-7], axis=2)
    fitted = GRURegressor(**TINY).fit(nearly, Y)
    assert_silent(fitted.predict, nearly + 1e-5)


def test_columns_are_named():
    columns = [f"{name}_lag{lag}" for lag in (1, 0) for name in ("temp", "rain")]
    frame = pd.DataFrame(RNG.uniform(size=(50, 4)), columns=columns)
    fitted = GRURegressor(**TINY, n_timesteps=2).fit(frame, frame["temp_lag0"])
    with pytest.warns(UserWarning, match="'rain' reaches 7 "):
        fitted.predict(frame.assign(rain_lag1=7.0))


def test_many_features_are_counted():
    wide = RNG.uniform(size=(50, 4, 20))
    fitted = GRURegressor(**TINY).fit(wide, wide[:, 0, 0])
    with pytest.warns(UserWarning, match="feature 2 reaches .*; further features that do so: 17"):
        fitted.predict(100 * wide)


def test_padding_gaps_and_samples_without_weight_have_no_part_in_it():
    ragged = [x[: 1 + number % 5] + 1000 for number, x in enumerate(X)]
    ragged[3] = np.where(np.arange(3) == 1, np.nan, ragged[3])
    ragged[4] = ragged[4] * 1e6
    weights = np.where(np.arange(100) == 4, 0.0, 1.0)
    fitted = GRURegressor(**TINY, missing="mask").fit(ragged, Y, sample_weight=weights)
    assert_silent(fitted.predict, ragged[:4])
    for far in ([ragged[4], ragged[0]], [ragged[1] - 500, ragged[0]]):
        with pytest.warns(UserWarning, match="1 of 2 samples"):
            fitted.predict(far)


def test_continued_training_widens_the_range():
    online = GRURegressor(**TINY).partial_fit(X, Y)
    with pytest.warns(UserWarning, match=FAR):
        online.predict(X + 50)
    assert_silent(online.partial_fit(X + 50, Y).predict, X + 50)


def test_windows_with_a_level_of_their_own_and_tokens_are_not_checked():
    assert_silent(GRURegressor(**TINY, normalize_X="window").fit(X, Y).predict, X + 1000)
    tokens = RNG.integers(0, 5, size=(100, 6))
    assert_silent(GRURegressor(**TINY, embedding_dim=2).fit(tokens, Y).predict, tokens + 1000)


def test_the_range_is_saved(model):
    loaded = object.__new__(GRURegressor)
    loaded.__setstate__(model.__getstate__())
    with pytest.warns(UserWarning, match=FAR):
        loaded.predict(OUTSIDE)
