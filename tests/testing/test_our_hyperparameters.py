"""Each hyperparameter of generators, translators and imputers changes what is answered, or is refused."""

import inspect
import warnings

import numpy as np
import pandas as pd
import pytest

from sklrnn import RecurrentImputer, SequenceGenerator, SequenceTranslator
from sklrnn.testing.cases import case_of
from sklrnn.testing.comparisons import find_difference

RANDOM = np.random.default_rng(0)
TEXTS = ["".join(RANDOM.choice(list("abcDE "), size=8)).strip() + "a" for _ in range(12)]
REVERSED = [text[::-1] for text in TEXTS]
NUMBERS = RANDOM.normal(loc=3.0, scale=2.0, size=(16, 6, 2))
GAPS = np.where(RANDOM.random(NUMBERS.shape) < 0.3, np.nan, NUMBERS)
DAYS = pd.DataFrame(GAPS.reshape(-1, 2), index=pd.date_range("2024", periods=96), columns=["a", "b"])
SMALL = {"units": 3, "max_epochs": 2, "batch_size": 8, "random_state": 0}
PATIENT = {"early_stopping": False, "max_epochs": 8, "schedule": "constant"}

# What a parameter is set to, and what both fits have beside it.
OF_ALL = {
    "units": (4, {}),
    "cell": ("minimal_gru", {}),
    "activation": ("relu", {"cell": "simple_rnn"}),
    "reset_after": (False, {"cell": "gru"}),
    "forget_bias": (3.0, {"cell": "lstm"}),
    "peephole": (True, {"cell": "lstm"}),
    "residual": (True, {"units": (3, 3)}),
    "dropout": (0.5, {}),
    "recurrent_dropout": (0.5, {}),
    "l1": (0.5, {}),
    "l2": (0.5, {}),
    "optimizer": ("sgd", {}),
    "learning_rate": (0.1, {}),
    "schedule": ("one_cycle", {"schedule": "constant"}),
    "batch_size": (2, {}),
    "max_grad_norm": (1e-3, {"optimizer": "sgd"}),
    "max_epochs": (5, {}),
    "early_stopping": (True, {"validation_fraction": 0.5}),
    "validation_fraction": (0.2, {"early_stopping": True, "validation_fraction": 0.5}),
    "n_iter_no_change": (1, PATIENT | {"tol": 100.0}),
    "tol": (100.0, PATIENT | {"n_iter_no_change": 1}),
    "precision": ("bf16", {}),
    "random_state": (1, {}),
}
OF_TEXTS = {
    "embedding_dim": (4, {"embedding_dim": 3}),
    "analyzer": ("word", {}),
    "lowercase": (True, {}),
    "min_count": (16, {}),
    "max_tokens": (3, {}),
    "shuffle": (False, {}),
}
OF_NUMBERS = {"normalize_X": (False, {}), "normalize_y": (False, {})}
CHANGED = {
    SequenceGenerator: OF_ALL | OF_TEXTS | {"segment_length": (2, {})},
    SequenceTranslator: OF_ALL
    | OF_TEXTS
    | OF_NUMBERS
    | {
        "bidirectional": (True, {}),
        "attention": (True, {}),
        "teacher_forcing": (0.0, {"max_epochs": 8}),
        "beam_size": (4, {}),
        "max_length": (2, {}),
        "unknown": ("drop", {}),
        "warm_start": (True, {}),
    },
    RecurrentImputer: OF_ALL
    | {
        "bidirectional": (False, {}),
        "window_length": (4, {}),
        "calendar": (False, {}),
        "loss": ("squared_error", {}),
        "missing_values": (-1.0, {}),
        "min_value": (3.0, {}),
        "max_value": (3.0, {}),
        "keep_empty_features": (True, {}),
        "add_indicator": (True, {}),
        "filters": (4, {}),
        "kernel_size": (2, {"filters": 4}),
    },
}
# These change how a fit runs, and never its result.
RUNNING = {"callbacks", "checkpoint", "n_jobs", "device", "verbose"}
TRIES = [(kind, name) for kind, changed in CHANGED.items() for name in changed]


def data_for(kind, name):
    if kind is SequenceGenerator:
        return TEXTS, None
    if kind is SequenceTranslator:
        return (NUMBERS, NUMBERS[:, :2, 0]) if name in OF_NUMBERS else (TEXTS, REVERSED)
    if name == "keep_empty_features":
        return np.insert(GAPS, 1, np.nan, axis=2), None
    return (DAYS if name == "calendar" else GAPS), None


def outcome(kind, name, options):
    """What a fitted model answers, or the error."""
    X, y = data_for(kind, name)
    model = kind(**SMALL | options)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Columns .* hold no value")
            model.fit(X, y)
        if kind is RecurrentImputer:
            return np.asarray(model.transform(X))
        if model.get_params().get("warm_start") is not None and name == "warm_start":
            model.fit(X, y)
        asked = [text + "z" for text in TEXTS] if name == "unknown" else X
        return case_of(model, X, y).answers(model, asked)
    except ValueError as error:
        return str(error)


@pytest.mark.parametrize(("kind", "name"), TRIES, ids=lambda value: getattr(value, "__name__", value))
def test_a_hyperparameter_changes_an_answer_or_is_refused(kind, name):
    value, beside = CHANGED[kind][name]
    before, after = outcome(kind, name, beside), outcome(kind, name, beside | {name: value})
    assert not isinstance(before, str), before
    assert isinstance(after, str) or find_difference(after, before) is not None


@pytest.mark.parametrize("kind", CHANGED)
def test_every_hyperparameter_is_tried(kind):
    assert {*CHANGED[kind]} | RUNNING == {*inspect.signature(kind).parameters}
