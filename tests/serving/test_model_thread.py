"""Requests that wait together are answered together, each as if alone."""

import asyncio
import threading

import numpy as np
import pytest
from serving.errors import Busy, RefusedRequest
from serving.estimator_model import EstimatorModel
from serving.model_info import Options
from serving.model_thread import ModelThread
from serving.settings import Settings

from sklrnn import GRURegressor


class Gate:
    """A model that answers when it may."""

    def __init__(self, model):
        self.info = model.info
        self._model = model
        self.open = threading.Event()

    def answer(self, sequences, options):
        self.open.wait(30)
        return self._model.answer(sequences, options)


def ask_all(model, requests, *, options=None, max_samples=256, max_waiting=128):
    """What each of the requests gets that arrive while the model is busy with the first, and the sizes of batches."""
    gate = Gate(model)

    async def run():
        thread = ModelThread(gate, max_samples=max_samples, max_waiting=max_waiting)
        given = options or [Options()] * len(requests)
        tasks = [asyncio.create_task(thread.predict(x, o)) for x, o in zip(requests, given, strict=True)]
        while not thread.batch_sizes:
            await asyncio.sleep(0.001)
        gate.open.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        thread.close()
        return answers, list(thread.batch_sizes)

    return asyncio.run(run())


def predictions(answers):
    return [answer["predictions"][0] for answer in answers]


def test_requests_that_wait_are_answered_by_one_call(regressor, X):
    answers, sizes = ask_all(EstimatorModel(regressor), [[x] for x in X[:40]])
    # The first call takes those that came before it began, the second one all others.
    assert len(sizes) <= 2
    assert sum(sizes) == 40
    np.testing.assert_allclose(predictions(answers), [regressor.predict(x[np.newaxis])[0] for x in X[:40]], rtol=1e-6)


def test_a_call_has_no_more_samples_than_the_limit(regressor, X):
    answers, sizes = ask_all(EstimatorModel(regressor), [list(X[i : i + 3]) for i in range(20)], max_samples=7)
    assert max(sizes) <= 7
    assert sum(sizes) == 60
    found = [answer["predictions"] for answer in answers]
    np.testing.assert_allclose(found, [regressor.predict(X[i : i + 3]) for i in range(20)], rtol=1e-6)


def test_each_request_gets_what_it_asked_for(regressor, X):
    options = [Options(), Options(coverage=0.5), Options(coverage=0.9)] * 5
    answers, _ = ask_all(EstimatorModel(regressor), [[x] for x in X[:15]], options=options)
    for answer, asked, x in zip(answers, options, X, strict=False):
        assert ("intervals" in answer) == (asked.coverage is not None)
        if asked.coverage is not None:
            np.testing.assert_allclose(
                answer["intervals"], regressor.predict_interval(x[np.newaxis], asked.coverage), rtol=1e-6
            )


def test_a_request_that_fails_does_not_fail_its_neighbours(regressor, X):
    too_narrow = X[0][:, :1]
    answers, _ = ask_all(EstimatorModel(regressor), [[X[0]], [X[1]], [too_narrow], [X[2]]])
    assert isinstance(answers[2], RefusedRequest)
    assert "expecting 2 features" in str(answers[2])
    np.testing.assert_allclose(predictions([answers[0], answers[1], answers[3]]), regressor.predict(X[:3]), rtol=1e-6)


def test_an_answer_that_is_no_number_fails_its_own_request_only(regressor, X):
    model = EstimatorModel(regressor)
    model.answer = lambda sequences, options: {"predictions": [x[0, 0] for x in sequences]}
    answers, _ = ask_all(model, [[X[0]], [np.full((2, 2), np.inf)], [X[1]]])
    assert isinstance(answers[1], RefusedRequest)
    assert predictions([answers[0], answers[2]]) == [X[0, 0, 0], X[1, 0, 0]]


def test_more_requests_than_may_wait_are_told_to_come_back(regressor, X):
    answers, _ = ask_all(EstimatorModel(regressor), [[x] for x in X[:10]], max_waiting=4)
    assert [isinstance(answer, Busy) for answer in answers] == [False] * 4 + [True] * 6


def test_clients_that_ask_again_and_again_do_not_fill_the_service(regressor, X):
    """What was answered leaves nothing behind that counts as waiting."""

    async def run():
        thread = ModelThread(EstimatorModel(regressor), max_samples=3, max_waiting=8)

        async def client(x):
            return [(await thread.predict([x], Options()))["predictions"][0] for _ in range(30)]

        answers = await asyncio.gather(*(client(x) for x in X[:8]))
        thread.close()
        return answers

    expected = np.repeat(regressor.predict(X[:8])[:, np.newaxis], 30, axis=1)
    np.testing.assert_allclose(asyncio.run(run()), expected, rtol=1e-6)


def test_a_full_service_answers_503(talk, regressor, X):
    async def conversation(client):
        request = {"sequences": X[:1].tolist()}
        return await asyncio.gather(*(client.post("/predict", json=request) for _ in range(30)))

    model = EstimatorModel(regressor)
    answers = talk(model, conversation, Settings(max_waiting=1))
    assert {answer.status_code for answer in answers} == {200, 503}
    refused = next(answer for answer in answers if answer.status_code == 503)
    assert refused.headers["retry-after"] == "1"
    assert "Send the request again later" in refused.json()["detail"]


def test_a_request_that_was_given_up_is_not_answered(regressor, X):
    gate = Gate(EstimatorModel(regressor))

    async def run():
        thread = ModelThread(gate, max_samples=256, max_waiting=128)
        first = asyncio.create_task(thread.predict([X[0]], Options()))
        while not thread.batch_sizes:
            await asyncio.sleep(0.001)
        given_up, last = (asyncio.create_task(thread.predict([x], Options())) for x in X[1:3])
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.sleep(0)
        gate.open.set()
        answers = await asyncio.gather(first, last)
        thread.close()
        return answers, list(thread.batch_sizes)

    answers, sizes = asyncio.run(run())
    assert sizes == [1, 1]
    np.testing.assert_allclose(predictions(answers), regressor.predict(X[[0, 2]]), rtol=1e-6)


def test_requests_to_a_stateful_model_are_not_joined(fast, X):
    """Each sequence goes on from the one before, which may be another client's."""
    model = GRURegressor(stateful=True, batch_size=4, **fast).fit(X, X[:, :, 0].sum(axis=1))
    answers, sizes = ask_all(EstimatorModel(model), [[x] for x in X[:6]])
    assert sizes == [1] * 6
    alone = [model.predict(x[np.newaxis])[0] for x in X[:6]]
    np.testing.assert_allclose(predictions(answers), alone, rtol=1e-6)
    assert not np.allclose(alone, model.predict(X[:6]), rtol=1e-3)


@pytest.mark.parametrize("n_clients", [1, 8, 32])
def test_clients_at_the_same_time_get_their_own_answers(talk, regressor, X, n_clients):
    async def conversation(client):
        requests = [client.post("/predict", json={"sequences": [x.tolist()]}) for x in X[:n_clients]]
        return await asyncio.gather(*requests)

    answers = talk(EstimatorModel(regressor), conversation)
    assert {answer.status_code for answer in answers} == {200}
    found = predictions([answer.json() for answer in answers])
    np.testing.assert_allclose(found, [regressor.predict(x[np.newaxis])[0] for x in X[:n_clients]], rtol=1e-6)
