"""How results are reported, excused and collected."""

import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.exceptions import EstimatorCheckFailedWarning, SkipTestWarning

from sklrnn import GRURegressor, RecurrentImputer, SlidingWindow
from sklrnn.testing import check_recurrent_estimator, check_window_transformer, parametrize_with_recurrent_checks
from sklrnn.testing.kit import name_of

WARNINGS = (EstimatorCheckFailedWarning, SkipTestWarning)
NAME = "check_newest_input_is_felt"


class Constant(BaseEstimator):
    """Predicts the mean, whatever the sequence, and takes arrays only."""

    def fit(self, X, y):
        if np.shape(X) != np.shape(np.asarray(X, dtype=float)) or isinstance(X, list):
            raise TypeError("arrays only")
        self.mean_ = float(np.mean(y))
        return self

    def predict(self, X):
        if isinstance(X, list):
            raise TypeError("arrays only")
        return np.full(len(X), self.mean_)


def statuses(**options):
    found = check_recurrent_estimator(Constant(), on_skip=None, **options)
    return {one["check_name"]: one["status"] for one in found}


def test_the_first_failure_is_raised_with_what_was_violated():
    with pytest.raises(AssertionError, match="predictions of Constant do not depend on the newest step"):
        check_recurrent_estimator(Constant(), on_skip=None)


def test_failures_are_reported_and_excused():
    assert statuses(on_fail=None)[NAME] == "failed"
    assert statuses(on_fail=None, expected_failed_checks={NAME: "a baseline"})[NAME] == "xfail"


def test_failures_and_skipped_checks_are_warned_of():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_recurrent_estimator(Constant(), on_fail="warn")
    messages = {kind: [str(one.message) for one in caught if one.category is kind] for kind in WARNINGS}
    assert any(NAME in message for message in messages[EstimatorCheckFailedWarning])
    assert any("check_padding_does_not_matter" in message for message in messages[SkipTestWarning])


def test_a_callback_is_given_each_result():
    seen = []
    found = check_recurrent_estimator(
        Constant(), on_fail=None, on_skip=None, callback=lambda **result: seen.append(result)
    )
    assert seen == found
    with pytest.raises(ValueError, match="set on_fail=None"):
        check_recurrent_estimator(Constant(), callback=print)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on_fail": "ignore"}, "on_fail must be 'raise', 'warn' or None"),
        ({"expected_failed_checks": {"check_nothing": "?"}}, r"names \['check_nothing'\], but there are only these"),
        ({"X": np.zeros((9, 3))}, "X and y go together"),
        ({"X": np.zeros((9, 3, 2, 2)), "y": np.zeros(9)}, "Got an array of shape"),
        ({"X": np.zeros((4, 3)), "y": np.zeros(4)}, "at least 8, got 4 and 4"),
    ],
    ids=["on_fail", "name", "no y", "shape", "few"],
)
def test_wrong_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        check_recurrent_estimator(Constant(), **options)


@pytest.mark.parametrize(("check", "kind"), [(check_recurrent_estimator, Constant), (check_window_transformer, dict)])
def test_a_class_is_refused(check, kind):
    with pytest.raises(TypeError, match="Pass an object rather than the class"):
        check(kind)


def test_the_decorator_chooses_checks_by_the_kind_of_estimator_and_marks_those_excused():
    decorator = parametrize_with_recurrent_checks(
        [GRURegressor(), SlidingWindow(window_length=3), RecurrentImputer()],
        expected_failed_checks=lambda estimator: {NAME: "as a try"} if isinstance(estimator, GRURegressor) else {},
        xfail_strict=True,
    )
    names, parameters = decorator.args
    assert names == ("estimator", "check")
    of = {kind: {name_of(one.values[1]) for one in parameters if type(one.values[0]) is kind} for kind in KINDS}
    assert NAME in of[GRURegressor]
    assert "check_rows_are_kept" in of[SlidingWindow]
    assert "check_only_gaps_are_filled" in of[RecurrentImputer]
    (marked,) = [one for one in parameters if one.marks]
    assert marked.id == f"GRURegressor()-{NAME}"
    assert marked.marks[0].kwargs == {"reason": "as a try", "strict": True}


KINDS = (GRURegressor, SlidingWindow, RecurrentImputer)


def test_the_estimator_stays_unfitted():
    model = GRURegressor(units=2, max_epochs=1)
    before = dict(vars(model))
    check_recurrent_estimator(model)
    assert vars(model) == before
