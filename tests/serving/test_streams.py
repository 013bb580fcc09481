"""Sequences that arrive step by step: in order, limited in number, and closed when nobody goes on with them."""

import asyncio

import numpy as np
import pytest
from serving.errors import Busy, UnknownStream, WrongPosition
from serving.estimator_model import EstimatorModel
from serving.settings import Settings
from serving.streams import Streams

from sklrnn import GRURegressor


async def opened(client):
    return f"/streams/{(await client.post('/streams')).json()['stream']}"


def test_steps_are_answered_as_by_predict_on_the_sequence_so_far(talk, regressor, X):
    async def conversation(client):
        stream = await opened(client)
        first = await client.post(f"{stream}/steps", json={"steps": X[0, :3].tolist()})
        return first.json(), (await client.post(f"{stream}/steps", json={"steps": X[0, 3:].tolist()})).json()

    first, second = talk(EstimatorModel(regressor), conversation)
    assert (first["position"], second["position"]) == (3, 8)
    so_far = [regressor.predict(X[:1, : n + 1])[0] for n in range(8)]
    np.testing.assert_allclose(first["predictions"] + second["predictions"], so_far, rtol=1e-6)


def test_streams_do_not_mix(talk, regressor, X):
    async def conversation(client):
        streams = [await opened(client) for _ in X[:4]]
        for t in range(8):
            steps = [
                client.post(f"{s}/steps", json={"steps": [x[t].tolist()]}) for s, x in zip(streams, X, strict=False)
            ]
            answers = await asyncio.gather(*steps)
        return [answer.json()["predictions"][0] for answer in answers]

    np.testing.assert_allclose(talk(EstimatorModel(regressor), conversation), regressor.predict(X[:4]), rtol=1e-6)


def test_steps_that_are_sent_at_once_are_read_in_order(talk, regressor, X):
    async def conversation(client):
        stream = await opened(client)
        sent = [client.post(f"{stream}/steps", json={"steps": [x.tolist()], "position": t}) for t, x in enumerate(X[0])]
        return await asyncio.gather(*sent)

    answers = talk(EstimatorModel(regressor), conversation)
    assert [answer.json()["position"] for answer in answers] == list(range(1, 9))
    np.testing.assert_allclose(answers[-1].json()["predictions"], regressor.predict(X[:1]), rtol=1e-6)


def test_a_step_that_is_sent_twice_is_refused_and_not_read(talk, regressor, X):
    async def conversation(client):
        stream = await opened(client)
        for position in (0, 0):
            again = await client.post(f"{stream}/steps", json={"steps": X[0, :2].tolist(), "position": position})
        rest = await client.post(f"{stream}/steps", json={"steps": X[0, 2:].tolist(), "position": 2})
        return again, rest.json()["predictions"][-1]

    again, last = talk(EstimatorModel(regressor), conversation)
    assert again.status_code == 409
    assert "has read 2 steps. Send those from there on" in again.json()["detail"]
    assert np.isclose(last, regressor.predict(X[:1])[0])


def test_a_step_that_can_not_be_read_leaves_the_stream_where_it_was(talk, regressor, X):
    async def conversation(client):
        stream = await opened(client)
        for wrong in ([[1.0]], [[1.0, 2.0], [1.0, None]], []):
            refused = await client.post(f"{stream}/steps", json={"steps": wrong})
            assert refused.status_code == 422
            assert "steps" in refused.json()["detail"]
        return (await client.post(f"{stream}/steps", json={"steps": X[0].tolist()})).json()

    answer = talk(EstimatorModel(regressor), conversation)
    assert np.isclose(answer["predictions"][-1], regressor.predict(X[:1])[0])


def test_unknown_and_closed_streams_are_404(talk, regressor):
    async def conversation(client):
        stream = await opened(client)
        assert (await client.delete(stream)).status_code == 204
        step = {"steps": [[1.0, 2.0]]}
        closed = await client.post(f"{stream}/steps", json=step), await client.delete(stream)
        return [*closed, await client.post("/streams/nobody/steps", json=step)]

    for answer in talk(EstimatorModel(regressor), conversation):
        assert answer.status_code == 404
        assert "Open a new one with POST /streams" in answer.json()["detail"]


def test_streams_beyond_the_limit_are_503_until_one_is_closed(talk, regressor):
    async def conversation(client):
        first = await opened(client)
        await opened(client)
        refused = await client.post("/streams")
        await client.delete(first)
        return refused, await client.post("/streams")

    refused, accepted = talk(EstimatorModel(regressor), conversation, Settings(max_streams=2))
    assert refused.status_code == 503
    assert "2 streams are open, which is the limit" in refused.json()["detail"]
    assert accepted.status_code == 201


def test_a_model_that_reads_whole_sequences_has_no_streams(talk, fast, X):
    model = GRURegressor(bidirectional=True, **fast).fit(X, X[:, -1, 0])
    answer = talk(EstimatorModel(model), lambda client: client.post("/streams"))
    assert answer.status_code == 422
    assert "Send whole sequences to /predict" in answer.json()["detail"]


# -- expiry, with a clock of our own -----------------------------------------------------------------------------------


class Counter:
    """A stream that gives the number of its steps."""

    def __init__(self):
        self.n_steps = 0

    def step(self, x):
        if x[0] < 0:
            raise ValueError("x is negative.")
        self.n_steps += 1
        return self.n_steps


STEP = np.ones((1, 1))


@pytest.fixture
def streams():
    return Streams(Counter, Settings(max_streams=2, stream_expires_after=10.0))


def test_a_stream_expires_when_no_step_comes(streams):
    name = streams.open(0.0)
    for arrived in (9.0, 18.0, 27.0):
        streams.step(arrived, name, STEP)
    with pytest.raises(UnknownStream, match="had no step for 10 seconds"):
        streams.step(37.1, name, STEP)
    assert len(streams) == 0


def test_expired_streams_make_room(streams):
    first, _ = streams.open(0.0), streams.open(1.0)
    streams.step(5.0, first, STEP)
    with pytest.raises(Busy, match="Close those that are done"):
        streams.open(10.0)
    streams.open(12.0)
    assert streams.step(12.0, first, STEP)["predictions"] == [2]


def test_a_stream_that_fails_among_its_steps_is_closed(streams):
    name = streams.open(0.0)
    with pytest.raises(Exception, match="x is negative. The stream is closed: open a new one"):
        streams.step(1.0, name, np.array([[1.0], [-1.0]]))
    with pytest.raises(UnknownStream):
        streams.step(1.0, name, STEP)


def test_steps_out_of_place_are_refused(streams):
    name = streams.open(0.0)
    with pytest.raises(WrongPosition, match="begin at position 3, but the stream has read 0"):
        streams.step(1.0, name, STEP, 3)


def test_names_can_not_be_guessed(streams):
    assert len({streams.open(100.0 * i) for i in range(50)}) == 50
    assert len(streams.open(1e6)) >= 20
