"""The streaming form: a step and a state in, a prediction and the next state out, as a stream answers."""

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklrnn import CNNLSTMRegressor, GRUClassifier, GRURegressor, RecurrentRegressor, SequenceScaler, SlidingWindow
from sklrnn.export import to_onnx

pytest.importorskip("onnxruntime")

X = np.random.default_rng(0).normal(size=(20, 11, 2)) * [1.0, 30.0] + [0.0, 500.0]
Y = X[:, -1, 0] + 100.0
FAST = {"units": 4, "max_epochs": 2, "random_state": 0}


@pytest.fixture
def streamed():
    """The outputs by name after each step of the samples of X, side by side."""
    onnxruntime = pytest.importorskip("onnxruntime")

    def run(model, X, **options):
        session = onnxruntime.InferenceSession(to_onnx(model, streaming=True, **options).SerializeToString())
        names = [output.name for output in session.get_outputs()]
        state = np.zeros((len(X), session.get_inputs()[1].shape[1]))
        for step in np.moveaxis(X, 1, 0):
            answers = dict(zip(names, session.run(None, {"X": step, "state": state}), strict=True))
            state = answers["new_state"]
            yield answers

    return run


@pytest.mark.parametrize(
    "options",
    [
        {"cell": "gru"},
        {"cell": "lstm", "peephole": True},
        {"cell": "slstm"},
        {"cell": "minimal_gru", "units": (4, 4), "residual": True},
        {"cell": "gru", "pooling": "mean"},
        {"cell": "simple_rnn", "pooling": "max", "missing": "mask"},
        {"cell": "lstm", "pooling": "attention", "loss": "poisson"},
        {"cell": "gru", "stateful": True, "batch_size": 4},
        {"cell": "gru", "return_sequences": True},
    ],
    ids=lambda options: "-".join(map(str, options.values())),
)
def test_each_step_answers_like_a_stream(streamed, options):
    y = X[:, :, 0] + 100.0 if "return_sequences" in options else Y
    model = RecurrentRegressor(**{**FAST, **options}).fit(X, y)
    stream = model.start_stream()
    expected = [stream.step(step) for step in X[7]]
    actual = [answers["prediction"][7] for answers in streamed(model, X)]
    assert np.ptp(expected) > 0
    np.testing.assert_allclose(actual, expected, rtol=1e-7, atol=1e-5 * np.std(expected))


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
@pytest.mark.parametrize("pool_size", [1, 3])
def test_convolutions_and_their_blocks_are_streamed(streamed, pooling, pool_size):
    options = {"filters": (3, 2), "pooling": pooling, "pool_size": pool_size, "convolution_skip": True}
    model = CNNLSTMRegressor(**FAST, **options, batch_norm=True).fit(X, Y)
    actual = [answers["prediction"] for answers in streamed(model, X)]
    for n_steps in (1, 4, 11):
        np.testing.assert_allclose(actual[n_steps - 1], model.predict(X[:, :n_steps]), rtol=1e-6)


def test_blocks_behind_each_convolution_are_streamed(streamed):
    long = np.random.default_rng(0).normal(size=(6, 300, 1))
    model = CNNLSTMRegressor(units=3, filters=(3, 2), max_epochs=1, random_state=0).fit(long, long[:, -1, 0])
    assert min(model.module_.convolution.pool_sizes) > 1
    *_, newest = streamed(model, long[:, :20])
    np.testing.assert_allclose(newest["prediction"], model.predict(long[:, :20]), rtol=1e-5, atol=1e-6)


def test_a_stream_of_tokens_gives_labels_and_probabilities(streamed):
    tokens = np.random.default_rng(0).integers(0, 9, size=(30, 7))
    model = GRUClassifier(**FAST, embedding_dim=3).fit(tokens, np.where(tokens[:, -1] > 4, "high", "low"))
    *_, newest = streamed(model, tokens[:, :, np.newaxis])
    np.testing.assert_allclose(newest["probabilities"], model.predict_proba(tokens), rtol=1e-5)
    assert np.array_equal(newest["label"], model.predict(tokens))


def test_a_scaler_in_front_is_streamed_in_single_precision_too(streamed):
    model = make_pipeline(SequenceScaler(), GRURegressor(**FAST, loss="gaussian")).fit(X, Y)
    *_, newest = streamed(model, X.astype(np.float32), dtype="float32", quantiles=[0.1, 0.9])
    np.testing.assert_allclose(newest["prediction"], model.predict(X), rtol=1e-5)
    assert newest["quantiles"].shape == (20, 2)


@pytest.mark.parametrize(
    "options",
    [
        {"bidirectional": True},
        {"normalize_X": "window"},
        {"normalize_y": "window", "target_feature": 0},
        {"stateful": True, "pooling": "mean", "batch_size": 4},
    ],
    ids=str,
)
def test_a_network_that_reads_the_sequence_again_has_no_streaming_form(options):
    model = GRURegressor(**FAST, **options).fit(X, Y)
    with pytest.raises(ValueError, match="Export with streaming=False"):
        to_onnx(model, streaming=True)


def test_windows_have_no_streaming_form():
    model = make_pipeline(SlidingWindow(window_length=3), GRURegressor(**FAST)).fit(X[0], X[0, :, 0])
    with pytest.raises(ValueError, match="SlidingWindow gives windows of fixed length"):
        to_onnx(model, streaming=True)


def test_scalers_of_columns_have_no_streaming_form():
    table = X[:, :, 0]
    model = make_pipeline(StandardScaler(), GRURegressor(**FAST)).fit(table, Y)
    with pytest.raises(ValueError, match="StandardScaler treats each column.*Use SequenceScaler"):
        to_onnx(model, streaming=True)
