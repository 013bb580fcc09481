"""The checks of window transformers: ours pass, and each check finds a transformer that breaks what it checks."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklrnn import SlidingWindow
from sklrnn.testing import check_window_transformer, parametrize_with_recurrent_checks, window_checks_generator
from sklrnn.testing.window_transformers import _CHECKS

OURS = [
    SlidingWindow(window_length=1),
    SlidingWindow(window_length=4),
    SlidingWindow(window_length=4, flatten=True),
    SlidingWindow(window_length=3, stride_within=2),
    SlidingWindow(window_length=4, padding="mean"),
    SlidingWindow(window_length=4, padding="zero", context="none"),
    SlidingWindow(window_length=4, calendar=["week"], horizon=2),
    SlidingWindow(window_length=4, time_column="day"),
]


@parametrize_with_recurrent_checks(OURS)
def test_our_windows_keep_the_invariants(estimator, check):
    check(estimator)


class Windows(TransformerMixin, BaseEstimator):
    """The last four rows of each row: all that a window transformer must do."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        X = self.read(X)
        return self.cut(np.concatenate([X[:1]] * 3 + [X]))

    def read(self, X):
        return np.array(X, dtype=float)

    def cut(self, padded):
        return sliding_window_view(padded, 4, axis=0).swapaxes(1, 2).copy()


class DropsRows(Windows):
    def transform(self, X):
        return super().transform(X)[3:]


class CentresWindows(Windows):
    def transform(self, X):
        windows = super().transform(X)
        return np.concatenate([windows[1:], windows[-1:]])


class LeavesOutItsRow(Windows):
    def transform(self, X):
        windows = super().transform(X)
        return np.concatenate([windows[:1], windows[:-1]])


class NewestRowFirst(Windows):
    def transform(self, X):
        return super().transform(X)[:, ::-1]


class CountsRowsOfTheCall(Windows):
    def transform(self, X):
        return super().transform(X) + 0.1 * np.arange(len(X))[:, np.newaxis, np.newaxis]


class ChangesX(Windows):
    def transform(self, X):
        windows = super().transform(X)
        X += 1
        return windows


class RemembersRows(Windows):
    def transform(self, X):
        windows = super().transform(X)
        windows[0] += getattr(self, "last_", 0.0)
        self.last_ = windows[-1, -1].copy()
        return windows


class DrawsGlobally(Windows):
    def fit(self, X, y=None):
        np.random.random()  # noqa: NPY002
        return self


class SavesNothing(Windows):
    def fit(self, X, y=None):
        self.shift_ = 1.0
        return self

    def transform(self, X):
        return super().transform(X) + getattr(self, "shift_", 0.0)

    def __getstate__(self):
        return {}


class WritesToX(Windows):
    def fit(self, X, y=None):
        X[0, 0] = X[0, 0]
        return self


class ReadsMemoryInOrder(Windows):
    def fit(self, X, y=None):
        self.first_ = X.ravel(order="K")[:3]
        return self

    def transform(self, X):
        return super().transform(X) + self.first_.sum()


class AssumesByteOrder(ReadsMemoryInOrder):
    def fit(self, X, y=None):
        return super().fit(X.view(X.dtype.newbyteorder("=")))


class FitsDifferently(Windows):
    """What is learnt from one kind of container is turned round."""

    def __init__(self, kind="list"):
        self.kind = kind

    def fit(self, X, y=None):
        self.sign_ = -1.0 if self.kind in (type(X).__name__, type(X).__module__.split(".")[0]) else 1.0
        return self

    def transform(self, X):
        return self.sign_ * super().transform(X)


BROKEN = [
    (DropsRows(), "check_rows_are_kept"),
    (CentresWindows(), "check_windows_hold_no_later_row"),
    (LeavesOutItsRow(), "check_windows_hold_their_own_row"),
    (NewestRowFirst(), "check_windows_hold_their_own_row"),
    (CountsRowsOfTheCall(), "check_blocks_agree_with_the_whole"),
    (Windows(), "check_series_of_a_panel_do_not_mix"),
    (ChangesX(), "check_transform_changes_nothing"),
    (RemembersRows(), "check_transform_changes_nothing"),
    (CentresWindows(), "check_windows_do_not_predict_white_noise"),
    (DrawsGlobally(), "check_global_generators_are_untouched"),
    (SavesNothing(), "check_pickle_round_trip"),
    (SavesNothing(), "check_joblib_round_trip"),
    (SavesNothing(), "check_skops_round_trip"),
    (FitsDifferently("list"), "check_lists_agree"),
    (FitsDifferently("pandas"), "check_pandas_agrees"),
    (FitsDifferently("polars"), "check_polars_agrees"),
    (FitsDifferently("MaskedArray"), "check_masked_arrays_agree"),
    (WritesToX(), "check_read_only_arrays_agree"),
    (ReadsMemoryInOrder(), "check_strided_arrays_agree"),
    (AssumesByteOrder(), "check_byte_orders_agree"),
]


def test_windows_without_a_fault_pass_every_check_but_that_of_panels():
    found = check_window_transformer(Windows(), on_fail=None, on_skip=None)
    assert {one["check_name"] for one in found if one["status"] != "passed"} == {"check_series_of_a_panel_do_not_mix"}


@pytest.mark.parametrize(("broken", "name"), BROKEN, ids=lambda value: type(value).__name__ * (type(value) is not str))
def test_a_broken_transformer_is_caught_by_its_check(broken, name):
    checks = {check.keywords["check"].__name__: check for _, check in window_checks_generator(broken)}
    with pytest.raises(AssertionError, match=type(broken).__name__):
        checks[name](broken)


def test_every_check_has_a_broken_transformer():
    assert {name for _, name in BROKEN} == {check.__name__ for check in _CHECKS}


def test_a_transformer_with_a_scaler_is_checked_as_a_pipeline():
    model = make_pipeline(StandardScaler(), SlidingWindow(window_length=4))
    reason = {"check_series_of_a_panel_do_not_mix": "the scaler drops the index that names the series"}
    found = check_window_transformer(model, expected_failed_checks=reason)
    assert {one["check_name"] for one in found if one["status"] != "passed"} == {*reason}


def test_rows_of_the_user_are_checked():
    rows = np.random.default_rng(1).normal(size=(20, 3))
    found = check_window_transformer(SlidingWindow(window_length=5), X=rows)
    assert {one["status"] for one in found} == {"passed"}
    with pytest.raises(ValueError, match="X must have at least 16 rows, got 9"):
        check_window_transformer(SlidingWindow(window_length=5), X=rows[:9])
