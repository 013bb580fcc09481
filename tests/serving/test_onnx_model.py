"""Exported models answer through the service like the estimators that they were exported from."""

import asyncio

import numpy as np
import pytest
from serving.app import warm_up
from serving.estimator_model import EstimatorModel
from serving.model_info import Options
from serving.settings import Settings
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklrnn import GRUClassifier, GRURegressor, SlidingWindow
from sklrnn.export import to_onnx

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from serving.onnx_model import OnnxModel  # noqa: E402


def exported(model, folder, *, streaming=False, **options):
    to_onnx(model, folder / "model.onnx", **options)
    if streaming:
        to_onnx(model, folder / "stream.onnx", streaming=True)
    return OnnxModel(folder / "model.onnx", folder / "stream.onnx" if streaming else None)


def check_same(model, served, sequences, **asked):
    options = Options(**asked)
    warm_up(served, Settings())
    found, expected = served.answer(sequences, options), EstimatorModel(model).answer(sequences, options)
    assert found.keys() == expected.keys()
    for name in found:
        for one, other in zip(found[name], expected[name], strict=True):
            if np.asarray(other).dtype.kind == "f":
                np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)
            else:
                np.testing.assert_array_equal(one, other)


def test_predictions_for_several_lengths_come_in_order(regressor, X, tmp_path):
    check_same(regressor, exported(regressor, tmp_path), [X[0], X[1, :3], X[2], X[3, :3]])


def test_labels_and_probabilities_come_from_the_file(classifier, X, tmp_path):
    served = exported(classifier, tmp_path)
    assert served.info.classes == ["down", "up"]
    check_same(classifier, served, list(X[:5]), probabilities=True)


def test_intervals_lie_between_the_quantiles_of_the_file(regressor, X, tmp_path, talk):
    served = exported(regressor, tmp_path, quantiles=[0.1, 0.5, 0.9])
    assert served.info.coverages == [0.8]

    async def conversation(client):
        requests = [{"sequences": X[:2].tolist(), "coverage": coverage} for coverage in (0.8, 0.5)]
        return [await client.post("/predict", json=request) for request in requests]

    right, wrong = talk(served, conversation)
    quantiles = regressor.predict_quantiles(X[:2], [0.1, 0.9])
    np.testing.assert_allclose(right.json()["intervals"], quantiles, rtol=1e-5)
    assert wrong.status_code == 422
    assert "has intervals for [0.8]. Ask for one of these" in wrong.json()["detail"]


def test_streams_use_the_streaming_form(regressor, X, tmp_path, talk):
    async def conversation(client):
        name = (await client.post("/streams")).json()["stream"]
        sent = [client.post(f"/streams/{name}/steps", json={"steps": [x.tolist()]}) for x in X[0]]
        return [answer.json()["predictions"][0] for answer in await asyncio.gather(*sent)]

    found = talk(exported(regressor, tmp_path, streaming=True), conversation)
    np.testing.assert_allclose(found, [regressor.predict(X[:1, : n + 1])[0] for n in range(8)], rtol=1e-5)


def test_without_the_streaming_form_there_are_no_streams(regressor, tmp_path, talk):
    answer = talk(exported(regressor, tmp_path), lambda client: client.post("/streams"))
    assert answer.status_code == 422
    assert "its file lacks the streaming form" in answer.json()["detail"]


def test_rows_become_windows_in_the_file(fast, tmp_path):
    rows = np.random.default_rng(1).normal(size=(80, 2))
    pipeline = make_pipeline(
        StandardScaler(), SlidingWindow(window_length=4, stride_within=2, context="none"), GRURegressor(**fast)
    ).fit(rows, rows[:, 0])
    served = exported(pipeline, tmp_path)
    assert served.info.min_steps == 7
    check_same(pipeline, served, [rows[:7], rows[10:30], rows[3:10]])


@pytest.mark.parametrize("n_timesteps", [None, 4])
def test_tables_are_read_as_sequences_of_their_steps(fast, X, tmp_path, n_timesteps):
    table = X.reshape(len(X), -1)
    model = GRURegressor(n_timesteps=n_timesteps, **fast).fit(table, X[:, -1, 0])
    check_same(model, exported(model, tmp_path), list(table[:3].reshape(3, n_timesteps or 16, -1)))


def test_tokens_are_read_as_integers(fast, tmp_path):
    tokens = np.random.default_rng(0).integers(0, 9, (60, 5))
    model = GRUClassifier(embedding_dim=3, **fast).fit(tokens, tokens[:, 0] > 4)
    served = exported(model, tmp_path)
    assert served.info.reads_tokens
    check_same(model, served, [tokens[0, :, np.newaxis].astype(float), tokens[1, :3, np.newaxis].astype(float)])


def test_what_only_the_file_tells_is_respected(fast, X, tmp_path):
    gappy = X.copy()
    gappy[::3, 2, 1] = np.nan
    model = GRURegressor(missing="mask", stateful=True, batch_size=4, **fast).fit(gappy, X[:, -1, 0])
    served = exported(model, tmp_path)
    assert served.info.allows_missing
    assert served.info.stateful
    check_same(model, served, list(gappy[:6]))
    with pytest.raises(ValueError, match="segments of one, which need the same number of steps"):
        served.answer([X[0], X[1, :3]], Options())


def test_values_that_single_precision_can_not_hold_are_refused(classifier, tmp_path, talk):
    """In the graph they would be infinite, and give a label all the same."""
    served = exported(classifier, tmp_path, dtype="float32")
    answer = talk(served, lambda client: client.post("/predict", json={"sequences": [[[1e300, 0.0]]]}))
    assert answer.status_code == 422
    assert "exported with dtype='float32'. Send smaller ones" in answer.json()["detail"]


def test_a_file_of_another_exporter_is_refused_at_the_start(regressor, tmp_path):
    model = to_onnx(regressor)
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(ValueError, match="does not say what model it holds.*Export the fitted estimator"):
        OnnxModel(tmp_path / "model.onnx")
