"""What a client gets for its requests, right and wrong ones."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from serving.app import make_app
from serving.estimator_model import EstimatorModel
from serving.settings import Settings

from sklrnn import GRURegressor

JSON = {"content-type": "application/json"}


def test_predictions_are_those_of_predict(post, regressor, X):
    answer = post(regressor, json={"sequences": X[:3].tolist()})
    assert answer.status_code == 200
    assert answer.json() == {"predictions": regressor.predict(X[:3]).tolist()}


def test_sequences_of_several_lengths_are_answered(post, regressor, X):
    given = [X[0, :3], X[1], X[2, 4:]]
    answer = post(regressor, json={"sequences": [x.tolist() for x in given]})
    np.testing.assert_allclose(answer.json()["predictions"], regressor.predict(given))


def test_intervals_come_with_a_coverage(post, regressor, X):
    answer = post(regressor, json={"sequences": X[:3].tolist(), "coverage": 0.8}).json()
    np.testing.assert_allclose(answer["intervals"], regressor.predict_interval(X[:3], 0.8))


def test_probabilities_come_with_labels(post, classifier, X):
    answer = post(classifier, json={"sequences": X[:3].tolist(), "probabilities": True}).json()
    assert answer["predictions"] == classifier.predict(X[:3]).tolist()
    np.testing.assert_allclose(answer["probabilities"], classifier.predict_proba(X[:3]))


def test_a_missing_value_is_null(post, fast, X):
    gappy = X.copy()
    gappy[::3, 2, 1] = np.nan
    model = GRURegressor(missing="mask", **fast).fit(gappy, X[:, -1, 0])
    given = [[[None if np.isnan(v) else v for v in step] for step in x] for x in gappy[:3].tolist()]
    answer = post(model, json={"sequences": given})
    np.testing.assert_allclose(answer.json()["predictions"], model.predict(gappy[:3]))


NESTED = b"[" * 100_000
TOO_DEEP = b'{"sequences":' + b"[" * 3000 + b"]" * 3000 + b"}"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "an object of JSON, got nothing. Send {"),
        (b"{", "no JSON: Expecting property name.*Send {"),
        (b"\xff\xfe{}", "no JSON"),
        (b"[]", "an object of JSON, got []"),
        (b"{}", "sequences is missing. Send {"),
        (b'{"sequences": "warm"}', "sequences is 'warm', but a list is needed. Send {"),
        (b'{"sequences": [[1, 2], [3, 4]]}', "sequences[0][0] is 1, but a list is needed. Send {"),
        (b'{"sequences": []}', "sequences is an empty list. Send at least one"),
        (b'{"sequences": [[]]}', "sequences[0] has 0 steps, but the model needs at least 1. Send more"),
        (b'{"sequences": [[[1, 2]], [[1, 2], [3]]]}', "sequences[1][1] has 1 feature, but the model reads 2"),
        (b'{"sequences": [[[1, 2, 3]]]}', "sequences[0][0] has 3 features, but the model reads 2"),
        (b'{"sequences": [[["1", 2]]]}', "sequences[0][0][0] is '1', but a number is needed. Send one without quotes"),
        (b'{"sequences": [[[true, 2]]]}', "sequences[0][0][0] is True, but a number is needed"),
        (b'{"sequences": [[[1, null]]]}', "sequences[0][0][1] is missing (null).*Fill the gap"),
        (b'{"sequences": [[[1, 2], [NaN, 2]]]}', "sequences[0][1][0] is missing (nan).*missing='mask'"),
        (b'{"sequences": [[[-Infinity, 2]]]}', "sequences[0][0][0] is -inf, but finite numbers are needed"),
        (b'{"sequences": [[[1e999, 2]]]}', "sequences[0][0][0] is inf, but finite"),
        (b'{"sequences": [[[1' + b"0" * 400 + b", 2]]]}", "sequences[0][0][0] is 1000.*a number is needed"),
        (b'{"sequences": [[[1' + b"0" * 5000 + b", 2]]]}", "a number is too long. Send {"),
        (NESTED, "nested too deeply.*Send {"),
        (TOO_DEEP, "nested too deeply|is a list|a number is needed"),
        (b'{"sequences": [[[1, 2]]], "cover": 0.9}', "cover is not known here. Leave it out"),
        (b'{"sequences": [[[1, 2]]], "coverage": 2}', "coverage is 2: Input should be less than 1"),
        (b'{"sequences": [[[1, 2]]], "coverage": NaN}', "coverage is nan"),
        (b'{"sequences": [[[1, 2]]], "probabilities": true}', "GRURegressor, which has none. Leave it out"),
    ],
)
def test_a_request_that_can_not_be_read_is_422_and_says_what_to_send(post, regressor, body, said):
    answer = post(regressor, content=body, headers=JSON)
    assert answer.status_code == 422
    for part in said.split(".*"):
        assert any(option in answer.json()["detail"] for option in part.split("|"))


def test_a_body_that_is_not_marked_as_json_is_refused(post, regressor):
    answer = post(regressor, content=b'{"sequences": [[[1, 2]]]}', headers={"content-type": "text/plain"})
    assert answer.status_code == 422
    assert "Content-Type: application/json" in answer.json()["detail"]


def test_limits_are_told(post, regressor, X):
    limits = Settings(min_steps=4, max_steps=6, max_samples=2)
    for sequences, said in [
        (X[:1, :3], "has 3 steps, but the model needs at least 4"),
        (X[:1, :7], "has 7 steps, but at most 6 are read. Send the newest ones"),
        (X[:3, :5], "holds 3 sequences, but at most 2 are answered at a time. Send them in several"),
    ]:
        answer = post(regressor, json={"sequences": sequences.tolist()}, settings=limits)
        assert answer.status_code == 422
        assert said in answer.json()["detail"]
    assert post(regressor, json={"sequences": X[:2, :6].tolist()}, settings=limits).status_code == 200


def test_a_body_that_is_too_long_is_not_read(post, regressor):
    limits = Settings(max_body_bytes=100)

    async def in_parts():
        for _ in range(20):
            yield b" " * 10

    for content in (b" " * 101, in_parts()):
        answer = post(regressor, content=content, headers=JSON, settings=limits)
        assert answer.status_code == 413
        assert "more than 100 bytes, which is the limit" in answer.json()["detail"]


def test_intervals_and_probabilities_that_the_model_lacks_are_refused(post, classifier, fast, X):
    without = GRURegressor(**fast).fit(X, X[:, -1, 0])
    answer = post(without, json={"sequences": X[:1].tolist(), "coverage": 0.9})
    assert answer.status_code == 422
    assert "was trained without intervals. Leave it out" in answer.json()["detail"]
    answer = post(classifier, json={"sequences": X[:1].tolist(), "coverage": 0.9})
    assert answer.status_code == 422
    assert "GRUClassifier has no intervals" in answer.json()["detail"]


def test_the_model_and_the_limits_are_described(talk, classifier):
    answer = talk(EstimatorModel(classifier), lambda client: client.get("/model")).json()
    assert answer["model"]["estimator"] == "GRUClassifier"
    assert answer["model"]["n_features"] == 2
    assert answer["model"]["classes"] == ["down", "up"]
    assert answer["limits"]["max_samples"] == Settings().max_samples


def test_a_service_is_healthy_once_the_model_has_answered(talk, regressor):
    model = EstimatorModel(regressor)
    asked = []

    def answer(sequences, options, answer=model.answer):
        asked.append(len(sequences))
        return answer(sequences, options)

    model.answer = answer

    async def conversation(client):
        assert asked == [1, Settings().max_samples]
        return await client.get("/health")

    assert talk(model, conversation).json() == {"status": "ok"}


def test_the_interface_is_described_for_clients(talk, regressor):
    described = talk(EstimatorModel(regressor), lambda client: client.get("/openapi.json")).json()
    assert {"/predict", "/streams", "/streams/{name}/steps", "/health", "/model"} <= {*described["paths"]}
    assert "422" in json.dumps(described["paths"]["/predict"])


def test_values_far_outside_of_training_are_refused_where_their_warning_is_an_error(post, regressor):
    answer = post(regressor, json={"sequences": [[[1e6, 0.0]]]})
    assert answer.status_code == 422
    assert "X lies far outside of what training saw: feature 0 reaches 1e+06" in answer.json()["detail"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=6,
)
SEQUENCES = st.lists(st.lists(st.lists(st.floats(-1, 1) | VALUES, max_size=3), max_size=3), max_size=3)
BODIES = st.fixed_dictionaries(
    {"sequences": SEQUENCES | VALUES}, optional={"coverage": VALUES, "probabilities": VALUES, "more": VALUES}
)


@settings(max_examples=15, deadline=None)
@given(st.lists(BODIES | VALUES, min_size=1, max_size=40))
def test_whatever_is_sent_is_answered_or_refused_with_a_sentence(talk, regressor, bodies):
    async def conversation(client):
        return [await client.post("/predict", content=json.dumps(body), headers=JSON) for body in bodies]

    for answer in talk(EstimatorModel(regressor), conversation, Settings(max_samples=2)):
        assert answer.status_code in (200, 422)
        assert answer.status_code == 200 or len(answer.json()["detail"]) > 20


def test_an_answer_that_is_no_number_is_refused(talk, regressor, X):
    model = EstimatorModel(regressor)
    model.answer = lambda sequences, options: {"predictions": np.full(len(sequences), np.inf)}
    answer = talk(model, lambda client: client.post("/predict", json={"sequences": X[:1].tolist()}))
    assert answer.status_code == 422
    assert "no finite number for these values" in answer.json()["detail"]


def test_a_service_can_be_started_again(talk_to, regressor, X):
    app, request = make_app(EstimatorModel(regressor)), {"sequences": X[:1].tolist()}
    for _ in range(2):
        assert talk_to(app, lambda client: client.post("/predict", json=request)).status_code == 200
