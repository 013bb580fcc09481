"""skl2onnx converts pipelines with the estimators and transformers of the package."""

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklrnn import CNNLSTMClassifier, GRUClassifier, GRURegressor, LSTMRegressor, SequenceScaler, SlidingWindow
from sklrnn.export import register_with_skl2onnx

skl2onnx = pytest.importorskip("skl2onnx")
types = pytest.importorskip("skl2onnx.common.data_types")

FAST = {"units": 4, "max_epochs": 2, "random_state": 0}
ROWS = np.random.default_rng(0).normal(size=(60, 3)) * [1.0, 5.0, 9.0] + 50.0
X = np.random.default_rng(1).normal(size=(40, 9, 3))


@pytest.fixture(autouse=True)
def registered():
    register_with_skl2onnx()


@pytest.mark.parametrize(("kind", "dtype"), [(types.DoubleTensorType, "float64"), (types.FloatTensorType, "float32")])
def test_a_pipeline_of_scaler_windows_and_regressor_is_converted(run_onnx, kind, dtype):
    model = make_pipeline(StandardScaler(), SlidingWindow(window_length=5), LSTMRegressor(**FAST))
    rows = ROWS.astype(dtype)
    model.fit(rows, ROWS[:, 0])
    converted = skl2onnx.to_onnx(model, initial_types=[("X", kind([None, 3]))])
    expected = model.predict(rows)
    answer = run_onnx(converted, X=rows)["variable"]
    assert answer.dtype == expected.dtype
    np.testing.assert_allclose(answer, expected, rtol=1e-6)


@pytest.mark.parametrize("labels", [["a", "b"], [3, 4], [False, True], [1.0, 2.0]])
def test_a_classifier_gives_labels_and_probabilities(run_onnx, labels):
    model = make_pipeline(SequenceScaler(), GRUClassifier(**FAST)).fit(
        X, np.array(labels)[(X[:, -1, 0] > 0).astype(int)]
    )
    converted = skl2onnx.to_onnx(
        model,
        initial_types=[("X", types.DoubleTensorType([None, None, 3]))],
        options={id(model[-1]): {"zipmap": False}},
    )
    label, probabilities = run_onnx(converted, X=X).values()
    assert np.array_equal(label, model.predict(X))
    np.testing.assert_allclose(probabilities, model.predict_proba(X), rtol=1e-5)


def test_tokens_are_converted(run_onnx):
    tokens = np.random.default_rng(0).integers(0, 9, size=(30, 7))
    model = make_pipeline(CNNLSTMClassifier(**FAST, embedding_dim=3)).fit(tokens, tokens[:, -1] > 4)
    converted = skl2onnx.to_onnx(
        model, initial_types=[("X", types.Int64TensorType([None, None]))], options={id(model[-1]): {"zipmap": False}}
    )
    _, probabilities = run_onnx(converted, X=tokens).values()
    np.testing.assert_allclose(probabilities, model.predict_proba(tokens), rtol=1e-5)


def test_an_old_target_opset_is_refused():
    model = GRURegressor(**FAST).fit(X, X[:, -1, 0])
    with pytest.raises(RuntimeError, match="GRURegressor needs target_opset=18 or higher, got 15"):
        skl2onnx.to_onnx(model, initial_types=[("X", types.DoubleTensorType([None, None, 3]))], target_opset=15)
