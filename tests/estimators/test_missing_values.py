"""Values that are not there: the network reads the mean, and is told where."""

import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklrnn import CNNLSTMRegressor, GRUClassifier, GRURegressor
from sklrnn.inputs.samples import feature_statistics

TINY = {"units": 6, "max_epochs": 4, "random_state": 0, "missing": "mask"}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = 100 + 5 * rng.normal(size=(60, 6, 2))
    X[rng.random(X.shape) < 0.2] = np.nan
    return X, np.nanmean(X[:, :, 0], axis=1)


def test_statistics_leave_out_what_is_missing(data):
    X, _ = data
    weights = np.random.default_rng(0).integers(0, 3, 60).astype(float)
    mean, spread = feature_statistics(X, weights, np.flatnonzero(weights))
    flat = np.repeat(X, weights.astype(int), axis=0).reshape(-1, 2)
    assert_allclose(mean, np.nanmean(flat, axis=0), rtol=1e-12)
    assert_allclose(spread, np.nanstd(flat, axis=0), rtol=1e-12)
    assert_array_equal(feature_statistics(np.full((2, 3, 1), np.nan), None), [[0.0], [1.0]])


def test_the_network_reads_the_mean_and_a_flag(data):
    X, y = data
    model = GRURegressor(**TINY).fit(X, y)
    seen = model.module_.standardise(torch.from_numpy(X)).numpy()
    assert seen.shape == (60, 6, 4)
    assert_array_equal(seen[..., 2:], np.isnan(X))
    assert (seen[..., :2][np.isnan(X)] == 0).all()
    assert_allclose(seen[..., :2][~np.isnan(X)], ((X - np.nanmean(X, (0, 1))) / np.nanstd(X, (0, 1)))[~np.isnan(X)])


def test_that_a_value_is_missing_can_be_the_target():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 5, 1))
    y = rng.random(200) < 0.5
    X[y, 2] = np.nan
    assert GRUClassifier(**{**TINY, "max_epochs": 20}).fit(X[:150], y[:150]).score(X[150:], y[150:]) == 1.0


def test_forms_and_tools(data):
    X, y = data
    model = GRURegressor(**TINY).fit(X, y)
    assert np.isfinite(model.predict(X)).all()
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
    stream = model.start_stream()
    assert_allclose([stream.step(x) for x in X[0]][-1], model.predict(X[:1])[0])
    ragged = [x[: 1 + i % 6] for i, x in enumerate(X)]
    assert np.isfinite(GRURegressor(**TINY, bidirectional=True).fit(ragged, y).predict(ragged)).all()
    assert np.isfinite(CNNLSTMRegressor(**TINY).fit(X, y).predict(X)).all()
    table = X[:, :, 0]
    assert np.isfinite(GRURegressor(**TINY).fit(table, y).predict(table)).all()
    assert model.__sklearn_tags__().input_tags.allow_nan


def test_a_weight_is_a_number_of_copies(data):
    X, y = data
    weights = np.random.default_rng(0).integers(0, 3, 60).astype(float)
    options = {**TINY, "batch_size": 200}
    repeated = np.repeat(np.arange(60), weights.astype(int))
    weighted = GRURegressor(**options).fit(X, y, weights)
    assert_allclose(weighted.predict(X), GRURegressor(**options).fit(X[repeated], y[repeated]).predict(X), rtol=1e-6)


def test_windows_of_a_series_with_gaps():
    series = np.sin(np.arange(200) / 5)[:, np.newaxis]
    series[::7] = np.nan
    windows = np.lib.stride_tricks.sliding_window_view(series[:, 0], 8)
    y = np.sin((np.arange(len(windows)) + 8) / 5)
    assert GRURegressor(**{**TINY, "units": 16, "max_epochs": 40}).fit(windows, y).score(windows, y) > 0.95


def test_without_the_mask_it_stays_an_error(data):
    X, y = data
    with pytest.raises(ValueError, match="Input X contains NaN"):
        GRURegressor(**{**TINY, "missing": "error"}).fit(X, y)
    model = GRURegressor(**TINY).fit(X, y)
    with pytest.raises(ValueError, match="Input X contains infinity"):
        model.predict(np.where(np.isnan(X), np.inf, X))
    with pytest.raises(ValueError, match="flag_missing changed"):
        model.set_params(missing="error", warm_start=True).fit(np.nan_to_num(X), y)


@parametrize_with_checks([GRURegressor(units=16, max_epochs=40, missing="mask")])
def test_the_contract_holds_with_the_mask(estimator, check):
    check(estimator)
