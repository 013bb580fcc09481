"""What is known of a model."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np


class Options(NamedTuple):
    """What a client asks for besides the predictions."""

    coverage: float | None = None
    probabilities: bool = False


@dataclass(frozen=True)
class ModelInfo:
    """What a client has to know, which ``GET /model`` shows."""

    estimator: str
    file_format: str
    sklrnn_version: str
    # Of a step. Tokens are whole numbers, one in each step.
    n_features: int
    feature_names: list[str] | None = None
    reads_tokens: bool = False
    allows_missing: bool = False
    # Of a sequence: at least so many, or exactly so many.
    min_steps: int = 1
    n_steps: int | None = None
    # Of a classifier.
    classes: list[Any] | None = None
    # Coverages that may be asked for; None if any.
    intervals: bool = False
    coverages: list[float] | None = None
    streams: bool = False
    # Of a stateful model each sequence goes on from the one before, so
    # those of several clients must not be joined.
    stateful: bool = field(default=False)


class Stream(Protocol):
    """Reads one sequence step by step."""

    def step(self, x: np.ndarray) -> Any: ...


class Model(Protocol):
    """What the service needs of a model."""

    info: ModelInfo

    def answer(
        self, sequences: list[np.ndarray], options: Options
    ) -> dict[str, Any]:
        """Predictions for sequences (step, feature), and what goes with
        them, by name. ValueError if the model can't read them."""

    def start_stream(self) -> Stream: ...
