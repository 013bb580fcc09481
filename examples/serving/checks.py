"""Requests become arrays, or errors that say what to change."""

import reprlib
from typing import Any

import numpy as np

from .errors import RefusedRequest
from .model_info import ModelInfo, Options
from .settings import Settings


def read_sequences(
    given: list[Any], info: ModelInfo, settings: Settings
) -> list[np.ndarray]:
    """Sequences as arrays (step, feature)."""
    if not given:
        raise RefusedRequest(
            "sequences is an empty list. Send at least one sequence."
        )
    if len(given) > settings.max_samples:
        raise RefusedRequest(
            f"sequences holds {len(given)} sequences, but at most "
            f"{settings.max_samples} are answered at a time. Send them in "
            "several requests."
        )
    sequences = []
    for i, steps in enumerate(given):
        place = f"sequences[{i}]"
        _check_length(len(steps), info, settings, place)
        sequences.append(_as_array(steps, info, place))
    return sequences


def read_steps(
    given: list[Any], info: ModelInfo, settings: Settings
) -> np.ndarray:
    """Steps of a stream as an array (step, feature)."""
    if not 1 <= len(given) <= settings.max_steps:
        raise RefusedRequest(
            f"steps holds {_count(len(given), 'step')}, but 1 to "
            f"{settings.max_steps} are read at a time. Send as many."
        )
    return _as_array(given, info, "steps")


def read_options(
    coverage: float | None, probabilities: bool, info: ModelInfo
) -> Options:
    """What is asked for, if the model has it."""
    if probabilities and info.classes is None:
        raise RefusedRequest(
            f"probabilities is true, but the model is a {info.estimator}, "
            "which has none. Leave it out; ask a regressor for a coverage."
        )
    if coverage is not None and not info.intervals:
        why = "was trained without" if info.classes is None else "has no"
        raise RefusedRequest(
            f"coverage is {coverage:g}, but this {info.estimator} {why} "
            "intervals. Leave it out, or serve a regressor with "
            "loss='quantile', loss='gaussian' or calibration_cv=3."
        )
    if (
        coverage is not None
        and info.coverages is not None
        and coverage not in info.coverages
    ):
        raise RefusedRequest(
            f"coverage is {coverage:g}, but the file of this model has "
            f"intervals for {info.coverages}. Ask for one of these."
        )
    return Options(coverage, probabilities)


def _check_length(
    n_steps: int, info: ModelInfo, settings: Settings, place: str
) -> None:
    given = f"{place} has {_count(n_steps, 'step')}"
    if info.n_steps is not None and n_steps != info.n_steps:
        raise RefusedRequest(
            f"{given}, but the model was trained on {info.n_steps} and "
            "needs as many. Send the newest ones of a longer sequence."
        )
    fewest = max(info.min_steps, settings.min_steps)
    if n_steps < fewest:
        raise RefusedRequest(
            f"{given}, but the model needs at least {fewest}. Send more "
            "of the past."
        )
    if n_steps > settings.max_steps:
        raise RefusedRequest(
            f"{given}, but at most {settings.max_steps} are read. Send "
            "the newest ones."
        )


def _as_array(steps: list[Any], info: ModelInfo, place: str) -> np.ndarray:
    for i, step in enumerate(steps):
        if len(step) != info.n_features:
            names = info.feature_names
            listed = "" if names is None else f" ({', '.join(names)})"
            raise RefusedRequest(
                f"{place}[{i}] has {_count(len(step), 'feature')}, but the "
                f"model reads {info.n_features} in each step{listed}. Send "
                "all of them, in the order of training."
            )
    values = np.array(steps, dtype=np.float64)  # null becomes NaN
    readable = np.isfinite(values)
    if info.allows_missing:
        readable |= np.isnan(values)
    if info.reads_tokens:
        is_whole = values == np.floor(values)
        readable &= is_whole & (values >= 0) & (values < 2**53)
    if not readable.all():
        i, j = np.argwhere(~readable)[0]
        where, given = f"{place}[{i}][{j}]", steps[i][j]
        raise RefusedRequest(f"{where} {_explain(given, info)}")
    return values


def _explain(given: float | None, info: ModelInfo) -> str:
    shown = "null" if given is None else reprlib.repr(given)
    if info.reads_tokens:
        return (
            f"is {shown}, but the model reads tokens, whole numbers from "
            "0. Send the numbers of training."
        )
    if given is None or np.isnan(given):
        return (
            f"is missing ({shown}), but the model was trained without "
            "missing values. Fill the gap, or train with missing='mask'."
        )
    return f"is {shown}, but finite numbers are needed. Correct the value."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
