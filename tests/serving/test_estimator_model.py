"""Whatever can be fitted answers through the service as it does alone."""

import numpy as np
import pandas as pd
import pytest
from serving.app import warm_up
from serving.estimator_model import EstimatorModel
from serving.model_info import Options
from serving.settings import Settings
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklrnn import GRUClassifier, GRURegressor, SequenceScaler, SlidingWindow


@pytest.fixture(scope="module")
def rows():
    values = np.random.default_rng(1).normal(size=(120, 2)).cumsum(axis=0)
    return pd.DataFrame(values, columns=["temp", "wind"], index=pd.date_range("2024", periods=120, freq="D"))


def answered(model, sequences):
    served = EstimatorModel(model)
    warm_up(served, Settings())
    return served.answer(sequences, Options())


def test_windows_of_a_pipeline_are_made_of_the_rows_of_each_sequence(fast, rows):
    pipeline = make_pipeline(StandardScaler(), SlidingWindow(window_length=6), GRURegressor(**fast))
    pipeline.fit(rows[:80], rows["temp"][:80])
    sequences = [rows[i : i + n].to_numpy() for i, n in ((85, 6), (90, 20), (100, 6))]
    found = answered(pipeline, sequences)["predictions"]
    expected = [pipeline.predict(rows[i : i + n])[-1] for i, n in ((85, 6), (90, 20), (100, 6))]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert pipeline[1].context == "auto"
    info = EstimatorModel(pipeline).info
    assert (info.min_steps, info.n_features, info.feature_names) == (6, 2, ["temp", "wind"])


def test_too_few_rows_for_a_window_are_refused(post, fast, rows):
    pipeline = make_pipeline(SlidingWindow(window_length=6), GRURegressor(**fast)).fit(rows, rows["temp"])
    answer = post(pipeline, json={"sequences": [rows[:5].to_numpy().tolist()]})
    assert answer.status_code == 422
    assert "has 5 steps, but the model needs at least 6" in answer.json()["detail"]
    answer = post(pipeline, json={"sequences": [rows[:6].assign(more=0).to_numpy().tolist()]})
    assert "has 3 features, but the model reads 2 in each step (temp, wind)" in answer.json()["detail"]


def test_a_window_that_needs_times_is_refused_at_the_start(fast, rows):
    pipeline = make_pipeline(SlidingWindow(window_length=6, calendar=["week"]), GRURegressor(**fast))
    pipeline.fit(rows, rows["temp"])
    with pytest.raises(ValueError, match=r"calendar=\['week'\], which needs times.*Serve the last step"):
        EstimatorModel(pipeline)


def test_a_scaler_of_sequences_may_stand_in_front(fast, X):
    pipeline = make_pipeline(SequenceScaler(), GRURegressor(**fast)).fit(X, X[:, -1, 0])
    sequences = [X[0], X[1, :4]]
    expected = [pipeline.predict(x[np.newaxis])[0] for x in sequences]
    np.testing.assert_allclose(answered(pipeline, sequences)["predictions"], expected, rtol=1e-5)


@pytest.mark.parametrize("n_timesteps", [None, 4])
def test_tables_are_read_as_sequences_of_their_steps(post, fast, X, n_timesteps):
    table = X.reshape(len(X), -1)
    model = GRURegressor(n_timesteps=n_timesteps, **fast).fit(table, X[:, -1, 0])
    n_steps = n_timesteps or 16
    sequences = table[:3].reshape(3, n_steps, -1)
    np.testing.assert_allclose(answered(model, list(sequences))["predictions"], model.predict(table[:3]), rtol=1e-6)
    answer = post(model, json={"sequences": sequences[:, 1:].tolist()})
    assert f"has {n_steps - 1} steps, but the model was trained on {n_steps}" in answer.json()["detail"]


def test_predictions_of_all_steps_are_lists(post, fast, X):
    model = GRURegressor(return_sequences=True, **fast).fit(X, X[:, :, 0])
    found = post(model, json={"sequences": [X[0].tolist(), X[1, :3].tolist()]}).json()["predictions"]
    assert [len(each) for each in found] == [8, 3]
    np.testing.assert_allclose(found[1], model.predict(X[1:2, :3])[0], rtol=1e-5)


def test_tokens_are_whole_numbers(post, fast):
    tokens = np.random.default_rng(0).integers(0, 9, (60, 5))
    model = GRUClassifier(embedding_dim=3, **fast).fit(tokens, tokens[:, 0] > 4)
    answer = post(model, json={"sequences": tokens[:3, :, np.newaxis].tolist()})
    assert answer.json()["predictions"] == model.predict(tokens[:3]).tolist()
    for wrong in (1.5, -1, 1e300):
        answer = post(model, json={"sequences": [[[wrong]]]})
        assert answer.status_code == 422
        assert "but the model reads tokens, whole numbers from 0. Send" in answer.json()["detail"]


def test_other_estimators_are_refused_at_the_start():
    with pytest.raises(TypeError, match="a regressor or classifier of sklrnn, or a pipeline.*got Ridge"):
        EstimatorModel(make_pipeline(StandardScaler(), Ridge()))
