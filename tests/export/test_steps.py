"""Pipelines: scalers and windows in front of an estimator are part of the exported model."""

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, PowerTransformer, RobustScaler, StandardScaler

from sklrnn import GRURegressor, SequenceScaler, SlidingWindow
from sklrnn.export import to_onnx

pytest.importorskip("onnxruntime")

ROWS = np.random.default_rng(0).normal(size=(80, 2)) * [1.0, 50.0] + [0.0, 900.0]
NETWORK = {"units": 4, "max_epochs": 2, "random_state": 0}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "scaler",
    [StandardScaler(), MinMaxScaler(clip=True), MaxAbsScaler(), RobustScaler(), StandardScaler(with_std=False)],
    ids=lambda scaler: type(scaler).__name__,
)
def test_a_scaler_in_front_of_windows_is_part_of_the_model(run_onnx, scaler, dtype):
    model = make_pipeline(scaler, SlidingWindow(window_length=5), GRURegressor(**NETWORK)).fit(ROWS, ROWS[:, 0])
    new = (ROWS[:30] * 1.2).astype(dtype)
    answer = run_onnx(to_onnx(model, dtype=dtype), X=new)["prediction"]
    np.testing.assert_allclose(answer, model.predict(new), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("padding", ["edge", "zero", "mean", "nan"])
@pytest.mark.parametrize("flatten", [False, True])
def test_windows_are_those_of_the_transformer(run_onnx, padding, flatten):
    window = SlidingWindow(window_length=4, stride_within=3, padding=padding, flatten=flatten)
    network = GRURegressor(**NETWORK, missing="mask", n_timesteps=4 if flatten else None)
    model = make_pipeline(window, network).fit(ROWS, ROWS[:, 0])
    for rows in (ROWS, ROWS[40:43]):
        answer = run_onnx(to_onnx(model), X=rows)["prediction"]
        np.testing.assert_allclose(answer, model.predict(rows), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("n_axes", [2, 3])
def test_a_sequence_scaler_is_part_of_the_model_whatever_the_number_of_steps(run_onnx, n_axes):
    X = np.random.default_rng(0).normal(size=(30, 8, 3)) * [1.0, 5.0, 9.0] + 50.0
    X = X[:, :, 0] if n_axes == 2 else X
    model = make_pipeline(SequenceScaler(), GRURegressor(**NETWORK)).fit(X, X[:, -1].reshape(30, -1)[:, 0])
    np.testing.assert_allclose(run_onnx(to_onnx(model), X=X)["prediction"], model.predict(X), rtol=1e-6)
    if n_axes == 3:
        longer = np.concatenate([X, X], axis=1)
        np.testing.assert_allclose(run_onnx(to_onnx(model), X=longer)["prediction"], model.predict(longer), rtol=1e-6)


def test_windows_that_need_an_index_are_refused_until_their_context_is_off(run_onnx):
    frame = pd.DataFrame(ROWS, index=pd.date_range("2024-01-01", periods=80))
    model = make_pipeline(SlidingWindow(window_length=5), GRURegressor(**NETWORK)).fit(frame, ROWS[:, 0])
    with pytest.raises(ValueError, match=r'set_params\(context="none"\).*the 4 rows before'):
        to_onnx(model)
    model.set_params(slidingwindow__context="none")
    later = run_onnx(to_onnx(model), X=ROWS[50:])["prediction"][4:]
    np.testing.assert_allclose(later, model.predict(frame)[54:], rtol=1e-5)


@pytest.mark.parametrize("option", [{"calendar": ["week"]}, {"groups": "site"}])
def test_windows_with_names_or_times_are_refused(option):
    frame = pd.DataFrame(ROWS, columns=["a", "b"], index=pd.date_range("2024-01-01", periods=80)).assign(site=1.0)
    window = SlidingWindow(window_length=5, **option)
    model = make_pipeline(window, GRURegressor(**NETWORK)).fit(frame, ROWS[:, 0])
    with pytest.raises(ValueError, match=f"{next(iter(option))}=.*needs names or times"):
        to_onnx(model)


def test_another_transformer_is_refused_with_advice():
    model = make_pipeline(PowerTransformer(), SlidingWindow(window_length=5), GRURegressor(**NETWORK))
    with pytest.raises(ValueError, match="got PowerTransformer.*register_with_skl2onnx"):
        to_onnx(model.fit(ROWS, ROWS[:, 0]))
