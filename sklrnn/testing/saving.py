"""Checks that a model that was saved and loaded is the same model, which predicts and trains on alike."""

import io
import pickle
from collections.abc import Callable
from typing import Any
from unittest import SkipTest

import joblib

from sklrnn.testing.checked import Checked
from sklrnn.testing.comparisons import assert_same


def through_pickle(model: Any) -> Any:
    """Save and load with pickle."""
    return pickle.loads(pickle.dumps(model))


def through_joblib(model: Any) -> Any:
    """Save and load with joblib."""
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    return joblib.load(file)


def through_skops(model: Any) -> Any:
    """Save and load with skops, where all types of this very model are trusted."""
    try:
        from skops import io as skops_io  # type: ignore[import-untyped]
    except ImportError as error:
        raise SkipTest("skops is not installed") from error
    data = skops_io.dumps(model)
    return skops_io.loads(data, trusted=skops_io.get_untrusted_types(data=data))


def check_pickle_round_trip(case: Checked) -> None:
    """A model loaded from a pickle predicts and trains on like the one that was saved."""
    _compare(case, through_pickle, "pickle")


def check_joblib_round_trip(case: Checked) -> None:
    """A model loaded from a joblib file predicts and trains on like the one that was saved."""
    _compare(case, through_joblib, "joblib")


def check_skops_round_trip(case: Checked) -> None:
    """A model loaded from a skops file predicts and trains on like the one that was saved."""
    _compare(case, through_skops, "skops")


def _compare(case: Checked, save_and_load: Callable[[Any], Any], way: str) -> None:
    model = case.fit()
    if hasattr(model, "partial_fit"):
        case.train_on(model)  # now an optimizer has moments that are to be saved
    loaded = save_and_load(model)
    assert_same(
        case.answers(loaded),
        case.answers(model),
        f"A {case.name} that was saved and loaded with {way} predicts differently.",
    )
    if case.can_train_on:
        assert_same(
            case.answers(case.train_on(loaded)),
            case.answers(case.train_on(model)),
            f"A {case.name} that was saved and loaded with {way} trains on differently. Is all that training needs "
            "saved, such as the moments of the optimizer and the random generators?",
        )
