"""Typical programs, in which mypy and pyright must find nothing. ``.ci/check_types.py`` asks them, a test runs all."""

import pickle
from typing import Any, assert_type

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from sklrnn import (
    CNNLSTMClassifier,
    GRURegressor,
    LSTMClassifier,
    LSTMRegressor,
    PurgedTimeSeriesSplit,
    RecurrentImputer,
    RecurrentRegressor,
    SequenceGenerator,
    SequenceScaler,
    SequenceTranslator,
    SimpleRNNClassifier,
    SlidingWindow,
    TokenEncoder,
    make_windows,
    supervise,
)
from sklrnn.datasets import load_air_passengers
from sklrnn.forecasting import GRUForecaster, RecurrentForecaster
from sklrnn.sktime_adapters import SktimeClassifier

rng = np.random.default_rng(0)


def regression() -> None:
    X, y = rng.normal(size=(40, 6, 2)), rng.normal(size=40)
    model = GRURegressor(units=(4, 4), dropout=0.1, loss="huber", max_epochs=1, early_stopping=True, random_state=0)
    assert_type(model.fit(X, y), GRURegressor)
    answers: NDArray[Any] = model.predict(X)
    assert answers.shape == (40,)
    assert_type(model.score(X, y), float)
    GRURegressor(normalize_X="window", normalize_y="window", target_feature=1, units=4, max_epochs=1).fit(X, y)
    low, high = model.predict_interval(X, coverage=0.5).T
    assert (low <= high).all()


def classification() -> None:
    X = rng.normal(size=(40, 6))
    y = np.where(X[:, -1] > 0, "up", "down")
    model = LSTMClassifier(units=4, peephole=True, class_weight={"up": 2.0, "down": 1.0}, max_epochs=1).fit(X, y)
    assert model.predict_proba(X).shape == (40, 2)
    assert list(model.classes_) == ["down", "up"]
    assert_type(model.partial_fit(X, y), LSTMClassifier)
    CNNLSTMClassifier(filters=(4, 4), kernel_size=2, pool_size=2, units=4, max_epochs=1).fit(X, y)
    SimpleRNNClassifier(activation="relu", units=4, max_epochs=1, n_jobs=-1, verbose=False).fit(X, y)


def windows_in_a_pipeline() -> None:
    days = pd.date_range("2024-01-01", periods=60)
    X = pd.DataFrame({"temp": rng.normal(size=60)}, index=days)
    y = X["temp"].shift(-1).ffill()
    model = make_pipeline(SlidingWindow(5, padding="mean"), GRURegressor(units=4, max_epochs=1, random_state=0))
    cross_val_score(model, X, y, cv=PurgedTimeSeriesSplit(n_splits=2))
    model.fit(X[:50], y[:50]).predict(X[50:])


def windows_as_samples() -> None:
    series = pd.Series(rng.normal(size=60), name="temp")
    assert_type(make_windows(series, window_length=5), tuple[NDArray[Any], NDArray[Any]])
    assert_type(make_windows(series, window_length=5, horizon=None), NDArray[Any])
    X, y = make_windows(series, window_length=5, return_sequences=True)
    GRURegressor(return_sequences=True, units=4, max_epochs=1).fit(X, y)
    X, y = supervise(series, horizon=2)


def search_over_cells() -> None:
    X, y = rng.normal(size=(40, 6)), rng.normal(size=40)
    grid = {"cell": ["simple_rnn", "gru", torch.nn.LSTM], "units": [2, (2, 2)]}
    search = GridSearchCV(RecurrentRegressor(max_epochs=1, random_state=0), grid, cv=TimeSeriesSplit(2))
    search.fit(X, y).best_estimator_.predict(X)


def classes_of_torch() -> None:
    X, y = rng.normal(size=(40, 6)), rng.normal(size=40)
    model = RecurrentRegressor(
        cell=torch.nn.GRU, loss=torch.nn.SmoothL1Loss, optimizer=torch.optim.Adagrad, units=4, max_epochs=1
    )
    model.set_params(learning_rate=0.1).fit(X, y)
    assert isinstance(model.module_, torch.nn.Module)


def saving_and_streaming() -> None:
    X, y = rng.normal(size=(40, 6, 2)), rng.normal(size=40)
    model = LSTMRegressor(units=4, forget_bias=0.5, random_state=np.random.RandomState(0), max_epochs=1)
    loaded = pickle.loads(pickle.dumps(model.fit(X, y)))
    stream = loaded.start_stream()
    assert np.isfinite(stream.step(X[0, 0]))
    settings: dict[str, Any] = {"units": 8, "max_epochs": 1}
    model = LSTMRegressor(**settings)
    model.units = (2, 2)
    assert model.fit(X, y).hidden_states(X).shape == (40, 6, 2)


def forecasting() -> None:
    y = load_air_passengers()
    model = GRUForecaster(units=4, max_epochs=1, window_length=24, sp=12, random_state=0)
    assert_type(model.fit(y, fh=range(1, 13)), GRUForecaster)
    model.predict_interval(coverage=0.9)
    model.update(y, update_params=False)
    RecurrentForecaster(cell="lstm", peephole=True, units=4, max_epochs=1, normalize=None).fit(y).predict(fh=[1, 2])


def new_texts() -> None:
    texts = ["anna", "bob", "eve", "otto"] * 5
    model = SequenceGenerator(units=8, max_epochs=1, random_state=0)
    assert_type(model.fit(texts), SequenceGenerator)
    model.generate("a", length=5, temperature=0.5, top_k=3)
    for token in model.stream(length=3):
        assert isinstance(token, str)
    codes = TokenEncoder(analyzer="char", max_tokens=5).fit_transform(texts)
    assert len(codes) == 20


def sequences_to_sequences() -> None:
    X = [f"{number}" for number in range(20)]
    y = [text[::-1] for text in X]
    model = SequenceTranslator(units=8, attention=True, teacher_forcing=0.5, max_epochs=1, random_state=0)
    assert_type(model.fit(X, y), SequenceTranslator)
    assert len(model.predict(X)) == 20
    assert_type(model.score(X, y), float)


def missing_values() -> None:
    X = pd.DataFrame({"a": np.sin(np.arange(80) / 4), "b": np.cos(np.arange(80) / 4)})
    X.iloc[10:14, 0] = np.nan
    imputer = RecurrentImputer(units=4, max_epochs=1, min_value=-1.0, max_value=[1.0, 1.0], random_state=0)
    assert_type(imputer.fit(X), RecurrentImputer)
    filled = imputer.set_output(transform="pandas").transform(X)
    assert not filled.isna().any().any()


def sequences_of_several_lengths() -> None:
    X = [rng.normal(size=(length, 2)) for length in (3, 5, 4, 6)] * 5
    scaler = SequenceScaler(scaler=MinMaxScaler())
    scaled = scaler.fit_transform(X)
    GRURegressor(units=4, reset_after=False, max_epochs=1).fit(scaled, np.arange(20.0)).predict(scaler.transform(X))


def behind_sktime() -> None:
    X, y = rng.normal(size=(20, 2, 6)), np.arange(20) % 2
    SktimeClassifier(LSTMClassifier(units=4, max_epochs=1), random_state=0).fit(X, y).predict(X)
