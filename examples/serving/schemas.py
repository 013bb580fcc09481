"""The form of requests and answers, which /docs shows."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

# Texts are no numbers here, and null is a missing value.
Number = Annotated[float, Field(strict=True)] | None
Steps = list[list[Number]]  # (step, feature)


class PredictRequest(BaseModel):
    """Sequences to be read, and what to answer besides predictions."""

    model_config = ConfigDict(extra="forbid")

    sequences: Annotated[
        list[Steps],
        Field(
            description="Each sequence is a list of steps, the oldest "
            "first, and each step a list of its features.",
            examples=[[[[0.1, 20.5], [0.3, 20.1]]]],
        ),
    ]
    coverage: Annotated[
        float | None,
        Field(gt=0, lt=1, description="Of intervals, if you want some."),
    ] = None
    probabilities: Annotated[
        bool, Field(description="Of the classes of a classifier.")
    ] = False


class PredictAnswer(BaseModel):
    """One entry for each sequence."""

    predictions: list[Any]
    intervals: list[Any] | None = None
    probabilities: list[Any] | None = None


class StepsRequest(BaseModel):
    """The next steps of a stream."""

    model_config = ConfigDict(extra="forbid")

    steps: Annotated[
        Steps, Field(description="Each is a list of its features.")
    ]
    position: Annotated[
        int | None,
        Field(
            ge=0,
            description="How many steps came before. With it, steps that "
            "are sent twice are refused.",
        ),
    ] = None


class StepsAnswer(BaseModel):
    """A prediction after each of the steps."""

    predictions: list[Any]
    position: int


class StreamOpened(BaseModel):
    stream: str
    expires_after: float


class Problem(BaseModel):
    """What was given, what is needed, and what to do."""

    detail: str
