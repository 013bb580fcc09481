"""The service of examples/serving, and clients of it without a network."""

import asyncio
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest

from sklrnn import GRUClassifier, GRURegressor

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

from serving.app import make_app
from serving.estimator_model import EstimatorModel

FAST = {"units": 6, "max_epochs": 2, "random_state": 0}


@pytest.fixture(scope="session")
def X():
    return np.random.default_rng(0).normal(size=(80, 8, 2))


@pytest.fixture(scope="session")
def regressor(X):
    return GRURegressor(early_stopping=True, **FAST).fit(X, 50 + X[:, -1, 0])


@pytest.fixture(scope="session")
def classifier(X):
    return GRUClassifier(**FAST).fit(X, np.where(X[:, -1, 0] > 0, "up", "down"))


@pytest.fixture(scope="session")
def fast():
    return FAST


@asynccontextmanager
async def started(app):
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://service") as client,
    ):
        yield client


@pytest.fixture(scope="session")
def talk_to():
    """Starts a service while an async function, which is given a client, runs."""

    def run(app, conversation):
        async def held():
            async with started(app) as client:
                return await conversation(client)

        return asyncio.run(held())

    return run


@pytest.fixture(scope="session")
def talk(talk_to):
    """The same for the service of a model."""
    return lambda model, conversation, settings=None: talk_to(make_app(model, settings), conversation)


@pytest.fixture(scope="session")
def post(talk):
    """The answer to one request to a served estimator."""

    def ask(estimator, path="/predict", settings=None, **request):
        return talk(EstimatorModel(estimator), lambda client: client.post(path, **request), settings)

    return ask
