"""Checks that only a fit that succeeds changes a fitted model."""

from collections.abc import Callable, Iterator
from operator import methodcaller
from typing import Any

import numpy as np

from sklrnn.testing.comparisons import assert_same, find_difference
from sklrnn.testing.options import describe_parameters, has_option, option, set_options
from sklrnn.testing.sequence_case import SequenceCase


def check_predict_changes_nothing(case: SequenceCase) -> None:
    """After `predict`, the model predicts and trains on as if it had not been called, and X is as it was."""
    model, given = case.fit(), case.X.copy()
    parameters, attributes = describe_parameters(model), _fitted_attributes(model)
    first = case.answers(model, given)
    assert_same(given, case.X, f"predict of {case.name} changed X in place.")
    case.answers(model, case.changed())
    assert_same(case.answers(model), first, f"predict of {case.name} changed what it predicts the next time.")
    if describe_parameters(model) != parameters:
        raise AssertionError(
            f"predict of {case.name} changed parameters: {parameters} became {describe_parameters(model)}."
        )
    for name, value in _fitted_attributes(model).items():
        if name not in attributes or find_difference(value, attributes[name]) is not None:
            raise AssertionError(f"predict of {case.name} changed its fitted attribute {name}.")
    if case.can_train_on:
        assert_same(
            case.answers(case.train_on(model)),
            case.answers(case.train_on(case.fit())),
            f"{case.name} trains on differently after predict was called.",
        )


def check_failed_fit_keeps_the_old_model(case: SequenceCase) -> None:
    """A fit that raises an error leaves predictions and fitted attributes as they were."""
    for reason, fail in _failing_fits(case):
        model = case.fit()
        answers, attributes = case.answers(model), _fitted_attributes(model)
        try:
            fail(model)
        except Exception:
            claim = f"A fit of {case.name} that failed because of {reason} changed"
            try:
                found = case.answers(model)
            except Exception as error:
                raise AssertionError(f"{claim} the model, which can't predict any more: {error}") from error
            assert_same(found, answers, f"{claim} its predictions.")
            assert_same(sorted(_fitted_attributes(model)), sorted(attributes), f"{claim} its fitted attributes.")
        else:
            raise AssertionError(f"{case.name} raised no error for {reason}.")


def _failing_fits(case: SequenceCase) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    for reason, X, y in case.bad_data():
        yield reason, methodcaller("fit", X, y)
    if has_option(case.estimator, "callbacks"):
        yield (
            "an error in the middle of training",
            lambda model: _with_failing_callback(model).fit(case.changed(), case.y),
        )


def _with_failing_callback(model: Any) -> Any:
    from skorch.callbacks import Callback

    class FailAfterAnEpoch(Callback):
        def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
            raise RuntimeError("raised by a check of sklrnn.testing")

    return set_options(model, callbacks=[*(option(model, "callbacks") or []), ("fails", FailAfterAnEpoch())])


def _fitted_attributes(model: Any) -> dict[str, Any]:
    """Public fitted attributes that are plain values or arrays."""
    values = {name: getattr(model, name, None) for name in vars(model) if name.endswith("_") and name[0] != "_"}
    return {
        name: np.array(value)
        for name, value in values.items()
        if isinstance(value, int | float | str | np.ndarray | np.generic) and np.asarray(value).dtype.kind != "O"
    }
