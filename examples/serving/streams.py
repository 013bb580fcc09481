"""Sequences that arrive step by step, each with a name and an end."""

import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import (
    Busy,
    RefusedRequest,
    RequestError,
    UnknownStream,
    WrongPosition,
    for_client,
)
from .json_values import as_json_values
from .model_info import Stream
from .settings import Settings


@dataclass
class _Session:
    stream: Stream
    last_use: float
    position: int = 0


class Streams:
    """Open streams by name. All methods are called in one thread.

    ``arrived`` is when the request arrived, so that a stream does not
    expire while its next step waits for the thread.
    """

    def __init__(
        self, start: Callable[[], Stream], settings: Settings
    ) -> None:
        self._start = start
        self._max_streams = settings.max_streams
        self._expires_after = settings.stream_expires_after
        # The one that was used longest ago comes first.
        self._sessions: OrderedDict[str, _Session] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sessions)

    def open(self, arrived: float) -> str:
        self._drop_expired(arrived)
        if len(self) >= self._max_streams:
            raise Busy(
                f"{len(self)} streams are open, which is the limit of this "
                "service. Close those that are done with DELETE, or come "
                "back later."
            )
        # Not to be guessed: the name is all that a step needs.
        name = secrets.token_urlsafe(16)
        self._sessions[name] = _Session(self._start(), arrived)
        return name

    def step(
        self,
        arrived: float,
        name: str,
        steps: np.ndarray,
        position: int | None = None,
    ) -> dict[str, Any]:
        """Read steps (step, feature), and predict after each."""
        session = self._find(arrived, name)
        if position not in (None, session.position):
            raise WrongPosition(
                f"The steps begin at position {position}, but the stream "
                f"has read {session.position} steps. Send those from "
                f"there on; a step that was read is not read again."
            )
        session.last_use = arrived
        self._sessions.move_to_end(name)
        try:
            read = [session.stream.step(x) for x in steps]
            answers = as_json_values({"predictions": read})
        except Exception as error:
            # Some of the steps were read: nobody can go on from here.
            del self._sessions[name]
            found = for_client(error)
            if isinstance(found, RequestError):
                raise RefusedRequest(
                    f"{found} The stream is closed: open a new one."
                ) from error
            raise
        session.position += len(steps)
        return {**answers, "position": session.position}

    def close(self, arrived: float, name: str) -> None:
        self._find(arrived, name)
        del self._sessions[name]

    def _find(self, arrived: float, name: str) -> _Session:
        self._drop_expired(arrived)
        if name not in self._sessions:
            raise UnknownStream(
                f"There is no open stream {name[:40]!r}. It was closed, or "
                f"had no step for {self._expires_after:g} seconds. Open a "
                "new one with POST /streams and send its steps again."
            )
        return self._sessions[name]

    def _drop_expired(self, arrived: float) -> None:
        latest = arrived - self._expires_after
        while self._sessions:
            name, session = next(iter(self._sessions.items()))
            if session.last_use >= latest:
                return
            del self._sessions[name]
