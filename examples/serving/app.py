"""The service: what is asked, and what comes back."""

import time
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from fastapi import FastAPI, Request
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from .body_limit import BodyLimit
from .checks import read_options, read_sequences, read_steps
from .errors import RefusedRequest, RequestError
from .model_info import Model, ModelInfo, Options
from .model_thread import ModelThread
from .schemas import (
    PredictAnswer,
    PredictRequest,
    Problem,
    StepsAnswer,
    StepsRequest,
    StreamOpened,
)
from .settings import Settings
from .streams import Streams
from .validation_messages import explain, needed_form

PROBLEMS: dict[int | str, Any] = {
    status: {"model": Problem} for status in (413, 422, 503)
}
STREAM_PROBLEMS: dict[int | str, Any] = {
    **PROBLEMS,
    404: {"model": Problem},
    409: {"model": Problem},
}


def make_app(model: Model, settings: Settings | None = None) -> FastAPI:
    """The service for a model."""
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.thread = ModelThread(
            model,
            max_samples=settings.max_samples,
            max_waiting=settings.max_waiting,
        )
        app.state.streams = Streams(model.start_stream, settings)
        # Nobody is answered before the model has answered itself.
        await app.state.thread.run(warm_up, model, settings)
        yield
        app.state.thread.close()

    title = f"{model.info.estimator} of sklrnn"
    app = FastAPI(title=title, lifespan=lifespan)
    app.add_middleware(BodyLimit, max_bytes=settings.max_body_bytes)
    app.add_exception_handler(RequestValidationError, answer_invalid)
    app.add_exception_handler(HTTPException, answer_http_error)
    app.add_exception_handler(RequestError, answer_problem)
    add_predictions(app, model.info, settings)
    add_streams(app, model.info, settings)
    return app


def add_predictions(
    app: FastAPI, info: ModelInfo, settings: Settings
) -> None:
    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/model")
    async def describe() -> dict[str, Any]:
        return {"model": info, "limits": settings}

    @app.post("/predict", response_model=PredictAnswer, responses=PROBLEMS)
    async def predict(request: PredictRequest) -> Response:
        options = read_options(
            request.coverage, request.probabilities, info
        )
        sequences = read_sequences(request.sequences, info, settings)
        answers = await app.state.thread.predict(sequences, options)
        return JSONResponse(answers)


def add_streams(app: FastAPI, info: ModelInfo, settings: Settings) -> None:
    async def use(method: Callable[..., Any], *args: Any) -> Any:
        """Call a method of the streams; it is told the present time."""
        arrived = time.monotonic()
        return await app.state.thread.run(
            method, app.state.streams, arrived, *args
        )

    @app.post(
        "/streams",
        status_code=201,
        response_model=StreamOpened,
        responses=PROBLEMS,
    )
    async def open_stream() -> Response:
        if not info.streams:
            raise RefusedRequest(
                "This model has no streams: it reads each sequence as a "
                "whole, or its file lacks the streaming form. Send whole "
                "sequences to /predict."
            )
        name = await use(Streams.open)
        expires_after = settings.stream_expires_after
        return JSONResponse(
            {"stream": name, "expires_after": expires_after}, 201
        )

    @app.post(
        "/streams/{name}/steps",
        response_model=StepsAnswer,
        responses=STREAM_PROBLEMS,
    )
    async def step(name: str, request: StepsRequest) -> Response:
        steps = read_steps(request.steps, info, settings)
        answer = await use(Streams.step, name, steps, request.position)
        return JSONResponse(answer)

    @app.delete(
        "/streams/{name}", status_code=204, responses=STREAM_PROBLEMS
    )
    async def close_stream(name: str) -> None:
        await use(Streams.close, name)


def warm_up(model: Model, settings: Settings) -> None:
    """Let the model compile and allocate what it needs."""
    info = model.info
    n_steps = info.n_steps or max(info.min_steps, settings.min_steps, 16)
    zeros = np.zeros((min(n_steps, settings.max_steps), info.n_features))
    with warnings.catch_warnings():
        # That zeros lie outside of what training saw means nothing.
        warnings.simplefilter("ignore")
        for n_samples in (1, settings.max_samples):
            model.answer([zeros] * n_samples, Options())
        if info.streams:
            model.start_stream().step(zeros[0])


async def answer_invalid(request: Request, error: Any) -> Response:
    detail = explain(error.errors(), needed_form(request.url.path))
    return JSONResponse({"detail": detail}, 422)


async def answer_http_error(request: Request, error: Any) -> Response:
    if error.status_code != 400:
        return await http_exception_handler(request, error)
    # The parser gave up.
    detail = (
        "The body can't be read: its lists are nested too deeply, or a "
        f"number is too long. {needed_form(request.url.path)}"
    )
    return JSONResponse({"detail": detail}, 422)


async def answer_problem(request: Request, error: Any) -> Response:
    headers = {"Retry-After": "1"} if error.status == 503 else None
    return JSONResponse({"detail": str(error)}, error.status, headers)
