"""Windows, networks and scikit-learn's own tools together, untouched."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklrnn import GRURegressor, PurgedKFold, PurgedTimeSeriesSplit, SlidingWindow, make_windows, supervise
from sklrnn.datasets import load_jfk_weather

TINY = {"units": 8, "max_epochs": 4, "random_state": 0}


@pytest.fixture(scope="module")
def weather():
    return supervise(load_jfk_weather().iloc[:600].astype(np.float32), target="temp", horizon=3)


def test_a_grid_search_over_windows_and_units(weather):
    X, y = weather
    model = make_pipeline(SlidingWindow(window_length=6), GRURegressor(**TINY))
    grid = {"slidingwindow__window_length": [3, 12], "gruregressor__units": [4, (4, 4)]}
    search = GridSearchCV(model, grid, cv=TimeSeriesSplit(2, gap=2)).fit(X, y)
    assert len(set(search.cv_results_["mean_test_score"].round(12))) == 4
    assert search.predict(X).shape == y.shape


def test_a_test_fold_sees_the_windows_of_the_whole_series(weather):
    X, y = weather
    train, test = list(TimeSeriesSplit(3).split(X))[-1]
    pipeline = make_pipeline(SlidingWindow(window_length=8), GRURegressor(**TINY)).fit(X.iloc[train], y.iloc[train])
    by_hand, _ = make_windows(X.to_numpy(), window_length=8, offset=0, y=np.zeros(len(X)))
    expected = pipeline[-1].predict(by_hand[test - 7])
    assert_allclose(pipeline.predict(X.iloc[test]), expected, rtol=1e-6)


def test_the_network_reads_the_windows_as_a_view(weather, monkeypatch):
    X, y = weather
    seen = []
    monkeypatch.setattr(
        GRURegressor,
        "_encode",
        lambda self, X, *args, **kw: seen.append(X) or super(GRURegressor, self)._encode(X, *args, **kw),
    )
    make_pipeline(SlidingWindow(window_length=50), GRURegressor(**TINY)).fit(X, y)
    (windows,) = seen
    assert windows.shape == (len(X), 50, X.shape[1])
    assert windows.strides[0] == windows.strides[1]


def test_flat_and_deep_forms_feed_the_same_numbers(weather):
    X, y = weather
    deep = make_pipeline(SlidingWindow(window_length=5), GRURegressor(**TINY)).fit(X, y)
    flat = make_pipeline(SlidingWindow(window_length=5, flatten=True), GRURegressor(n_timesteps=5, **TINY)).fit(X, y)
    assert_allclose(flat.predict(X), deep.predict(X), rtol=1e-6)
    lags = make_pipeline(SlidingWindow(window_length=5, flatten=True), StandardScaler(), Ridge())
    assert lags.fit(X.astype(float), y).predict(X.astype(float)).shape == y.shape
    trees = make_pipeline(SlidingWindow(window_length=5, flatten=True), HistGradientBoostingRegressor(max_iter=5))
    assert trees.fit(X, y.iloc[:, 0]).predict(X).shape == (len(X),)


def test_a_scaler_that_keeps_the_index_may_stand_in_front(weather):
    X, y = weather
    train, test = X.index < X.index[400], X.index >= X.index[400]
    scaled = make_pipeline(
        StandardScaler().set_output(transform="pandas"), SlidingWindow(window_length=6), GRURegressor(**TINY)
    )
    scaled.fit(X[train], y[train])
    assert scaled[1].count_filled(scaled[0].transform(X[test])).sum() == 0


def test_pandas_output_can_be_asked_of_a_whole_pipeline(weather):
    X, y = weather
    model = make_pipeline(StandardScaler(), SlidingWindow(window_length=6), GRURegressor(**TINY))
    assert model.set_output(transform="pandas").fit(X, y).predict(X).shape == y.shape


@pytest.mark.parametrize("horizon", [1, 6])
def test_no_shipped_splitter_finds_skill_in_white_noise(horizon):
    noise = pd.DataFrame({"noise": np.random.default_rng(0).normal(size=1500)})
    X, y = supervise(noise, target="noise", horizon=[horizon])
    model = make_pipeline(SlidingWindow(window_length=5), GRURegressor(units=4, max_epochs=10, random_state=0))
    forward = PurgedTimeSeriesSplit(3, horizon=horizon, window_length=5)
    assert cross_val_score(model, X, y, cv=forward).mean() <= 0.02
    blocks = PurgedKFold(3, horizon=horizon, window_length=5)
    assert r2_score(y, cross_val_predict(model, X, y, cv=blocks)) <= 0.02
