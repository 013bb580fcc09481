"""Checks of what a fit and a split hold out: the newest samples, and everything that would give the answer away."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklrnn.model_selection.purged_splits import PurgedKFold, PurgedTimeSeriesSplit
from sklrnn.testing.comparisons import as_arrays, assert_differs, assert_same
from sklrnn.testing.sequence_case import SequenceCase

Array = NDArray[Any]

_N_NOISE = 160
_MOST_BY_CHANCE = 0.3


def check_newest_samples_are_held_out(case: SequenceCase) -> None:
    """Early stopping holds out the newest samples, and trains on the oldest."""
    options = {"early_stopping": True, "validation_fraction": 0.5, "max_epochs": 1, "max_iter": 1}
    # Twice, as few samples of a class may be too few to hold some out.
    y = np.concatenate([case.y, case.y])
    answers = _without_temperature(case, case.answers(case.fit(np.concatenate([case.X, case.X]), y, **options)))
    newest = case.fit(np.concatenate([case.X, case.changed(rows=slice(-1, None))]), y, **options)
    assert_same(
        _without_temperature(case, case.answers(newest)),
        answers,
        f"With early_stopping=True {case.name} trains on the newest sample, rather than to hold it out.",
    )
    oldest = case.fit(np.concatenate([case.changed(rows=slice(0, 1)), case.X]), y, **options)
    assert_differs(
        _without_temperature(case, case.answers(oldest)),
        answers,
        f"With early_stopping=True {case.name} does not train on the oldest sample. Is it held out?",
    )


def _without_temperature(case: SequenceCase, answers: Any) -> Any:
    """Probabilities as logits of one size: held-out samples may decide how sure a classifier is."""
    values = as_arrays(answers)
    if not (case.classifies and values.dtype.kind == "f"):
        return values
    logits = np.log(np.clip(values, 1e-12, None))
    logits -= logits.mean(axis=-1, keepdims=True)
    return np.asarray(logits / max(np.linalg.norm(logits), 1e-12))


def check_white_noise_is_not_predicted(case: SequenceCase) -> None:
    """White noise can't be predicted over any splitter of this package."""
    X, y = _noise_like(case)
    for splitter, folds in noise_folds(X, window_length=case.n_steps):
        share = np.mean([_share_of_noise(case, X, y, train, test) for train, test in folds])
        assert_noise_stays_noise(share, case.name, splitter)


def noise_folds(X: Array, *, window_length: int) -> Iterator[tuple[str, list[tuple[Array, Array]]]]:
    """The folds of each splitter of the package, for the next row after each window."""
    for splitter in (
        PurgedTimeSeriesSplit(n_splits=2, window_length=window_length, test_size=len(X) // 4),
        PurgedKFold(n_splits=3, window_length=window_length),
    ):
        yield type(splitter).__name__, [*splitter.split(X)]


def assert_noise_stays_noise(share: Any, name: str, splitter: str) -> None:
    """Fail where more than three tenths of white noise are predicted: by chance it is much less."""
    if share > _MOST_BY_CHANCE:
        raise AssertionError(
            f"{name} predicts {share:.0%} of white noise over the folds of {splitter}: it sees what it is to predict, "
            "in neighbouring samples or in later rows."
        )


def _noise_like(case: SequenceCase) -> tuple[Array, Array]:
    """Windows of white noise with the shape of the sequences of the case, and the value after each."""
    random, n_rows = np.random.default_rng(3), _N_NOISE + case.n_steps
    n_features = case.X[0].size // case.n_steps
    # Not negative, as a loss of counts needs it.
    noise = np.exp(random.normal(scale=0.5, size=(n_rows, n_features)))
    if case.X.dtype.kind in "iu":
        noise = random.integers(case.X.min(), case.X.max() + 1, size=(n_rows, n_features))
    windows = np.lib.stride_tricks.sliding_window_view(noise, case.n_steps, axis=0).swapaxes(1, 2)
    y = noise[case.n_steps :, 0].astype(float)
    if case.classifies:
        y = np.where(y > np.median(y), "high", "low")
    if case.per_step:  # of the targets of earlier steps the window holds the answers; they are not scored
        y = np.stack([np.roll(y, back) for back in range(case.n_steps - 1, -1, -1)], axis=1)
    elif case.y.ndim == 2:
        y = np.repeat(y[:, np.newaxis], case.y.shape[1], axis=1)
    if case.y.dtype.kind == "f":
        y = y.astype(case.y.dtype)
    return windows[:-1].reshape(_N_NOISE, *case.X.shape[1:]).astype(case.X.dtype), y


def _share_of_noise(case: SequenceCase, X: Array, y: Array, train: Array, test: Array) -> float:
    """How much of the test targets is predicted: about 0 by chance, 1 if all."""
    predicted = np.asarray(case.fit(X[train], y[train]).predict(X[test]))
    truth = y[test]
    if case.per_step:
        predicted, truth = predicted[:, -1], truth[:, -1]
    if case.classifies:
        return float(2 * np.mean(predicted == truth) - 1)
    return 1.0 - float(np.mean((predicted.reshape(truth.shape) - truth) ** 2) / np.var(truth))
