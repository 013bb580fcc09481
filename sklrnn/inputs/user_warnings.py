"""Warnings that point at the line of the user."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import FrameType

# Packages between the line of the user and the code that warns.
_NOT_THE_USER = {"sklrnn", "sklearn", "sktime", "joblib", "contextlib"}

_given: ContextVar[set[str] | None] = ContextVar("given", default=None)


@contextmanager
def each_warning_once() -> Iterator[None]:
    """Let ``warn_user`` leave out what it has said in this block: a fit may train several networks."""
    token = _given.set(set())
    try:
        yield
    finally:
        _given.reset(token)


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line of the user, who called ``fit`` or another method.

    How many calls lie between differs from estimator to estimator, and with scikit-learn's tools around it.
    """
    given = _given.get()
    if given is not None and message in given:
        return
    if given is not None:
        given.add(message)
    frame, level = sys._getframe(), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] in _NOT_THE_USER:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def calls_since_user() -> Iterator[FrameType]:
    """The calls that led here since the line of the user, the newest first."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").split(".")[0] in _NOT_THE_USER:
        yield frame
        frame = frame.f_back
