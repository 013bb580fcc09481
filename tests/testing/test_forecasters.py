"""The checks of forecasters: ours pass, and each check finds a forecaster that breaks what it checks."""

import os
import threading

import numpy as np
import pandas as pd
import pytest

from sklrnn.forecasting import (
    CNNLSTMForecaster,
    GRUForecaster,
    LSTMForecaster,
    RecurrentForecaster,
    SimpleRNNForecaster,
)
from sklrnn.testing import check_recurrent_forecaster, forecaster_checks_generator, parametrize_with_recurrent_checks
from sklrnn.testing.forecasters import _CHECKS

pytestmark = pytest.mark.filterwarnings("ignore:The default of config ``remember_data``:FutureWarning")

TINY = {"units": 3, "max_epochs": 2, "n_networks": 1, "window_length": 8, "sp": 1, "baseline": "level"}
OURS = [
    SimpleRNNForecaster(**TINY, strategy="recursive", future_X="unknown"),
    LSTMForecaster(**TINY | {"baseline": "smoothing", "sp": 7, "n_networks": 2}),
    CNNLSTMForecaster(**TINY, normalize=None, loss="quantile", quantiles=(0.05, 0.5, 0.95)),
    RecurrentForecaster(**TINY | {"sp": 7, "fold": 7, "window_length": 14}, loss="gaussian", early_stopping=True),
    GRUForecaster(**TINY, normalize="series", bidirectional=True),
]


def learns_scales(forecaster):
    """`fit` scales each series as a whole, and an update without training keeps this scale."""
    if forecaster.normalize != "series":
        return {}
    return {"check_update_equals_refit_with_the_same_weights": "the scale of a series is learnt in fit"}


@parametrize_with_recurrent_checks(OURS, expected_failed_checks=learns_scales)
def test_our_forecasters_keep_the_invariants(estimator, check):
    check(estimator)


class Shifted(GRUForecaster):
    """A forecaster whose forecasts are shifted by what a subclass does wrong."""

    def _fit(self, y, X=None, fh=None):
        self._shift = self.shift()
        return super()._fit(y, X, fh)

    def _predict(self, fh, X=None):
        return super()._predict(fh, X) + self._shift

    def shift(self):
        return 0.0


class PeeksAhead(Shifted):
    def update_predict(self, y, cv=None, X=None, update_params=True, reset_forecaster=True):
        return super().update_predict(y, cv, X, update_params, reset_forecaster) + y.iloc[-1]


class KnowsItsSample(Shifted):
    def _update(self, y, X=None, update_params=True):
        self._newest = y.iloc[-1, 0]
        return super()._update(y, X, update_params)

    def _predict(self, fh, X=None):
        return super()._predict(fh, X) + (self._newest if fh.to_relative(self.cutoff)[0] <= 0 else 0.0)


class ReadsAllX(Shifted):
    def _predict(self, fh, X=None):
        return super()._predict(fh, X) + (0.0 if X is None else X.iloc[-1].sum())


class ForgetsUpdates(Shifted):
    def _update(self, y, X=None, update_params=True):
        return super()._update(0.0 * y + 20.0, X, update_params)


class TurnsIntervals(Shifted):
    def _predict_quantiles(self, fh, X, alpha):
        return -super()._predict_quantiles(fh, X, alpha)


class CountsUpdates(Shifted):
    def _update(self, y, X=None, update_params=True):
        self._shift += 0.1
        return super()._update(y, X, update_params)


class ShiftsOnceUpdated(Shifted):
    def _update(self, y, X=None, update_params=True):
        self._shift = 1.0
        return super()._update(y, X, update_params)


class KnowsTheNoise(Shifted):
    def _predict(self, fh, X=None):
        found = super()._predict(fh, X)
        noise = np.random.default_rng(4).normal(size=90)
        found.iloc[:, 0] = 20 + noise[(found.index - pd.Timestamp("2024-01-01")).days]
        return found


class DrawsGlobally(Shifted):
    def shift(self):
        return np.random.random()  # noqa: NPY002


class DependsOnThread(Shifted):
    def shift(self):
        return float(threading.current_thread() is threading.main_thread())


class DependsOnProcess(Shifted):
    def shift(self):
        return float(os.getpid())


class SavesNoShift(Shifted):
    def shift(self):
        return 1.0

    def __setstate__(self, state):
        super().__setstate__(state)
        if hasattr(self, "_shift"):
            self._shift = 0.0


class CountsForecasts(Shifted):
    def _predict(self, fh, X=None):
        self._shift += 0.1
        return super()._predict(fh, X)


class ReadsFramesDifferently(Shifted):
    def fit(self, y, X=None, fh=None):
        return super().fit(y + 1 if isinstance(y, pd.DataFrame) else y, X, fh)


SMALL = TINY | {"random_state": 0}
BROKEN = [
    (PeeksAhead(**SMALL), "check_forecasts_use_no_y_beyond_the_cutoff"),
    (KnowsItsSample(**SMALL), "check_in_sample_forecasts_use_no_later_y"),
    (ReadsAllX(**SMALL), "check_forecasts_use_no_unknown_X"),
    (ReadsAllX(**SMALL, future_X="unknown"), "check_forecasts_use_no_unknown_X"),
    (ForgetsUpdates(**SMALL), "check_newest_y_is_felt"),
    (TurnsIntervals(**SMALL), "check_intervals_nest"),
    (CountsUpdates(**SMALL), "check_updates_in_pieces_equal_one_update"),
    (ShiftsOnceUpdated(**SMALL), "check_update_equals_refit_with_the_same_weights"),
    (KnowsTheNoise(**SMALL), "check_noise_series_is_not_predicted"),
    (DrawsGlobally(**SMALL), "check_same_seed_gives_the_same_fit"),
    (DrawsGlobally(**SMALL), "check_global_generators_are_untouched"),
    (DependsOnThread(**SMALL), "check_same_seed_gives_the_same_fit_in_threads"),
    (DependsOnProcess(**SMALL), "check_same_seed_gives_the_same_fit_in_processes"),
    (SavesNoShift(**SMALL), "check_pickle_round_trip"),
    (SavesNoShift(**SMALL), "check_joblib_round_trip"),
    (SavesNoShift(**SMALL), "check_skops_round_trip"),
    (CountsForecasts(**SMALL), "check_forecasting_changes_nothing"),
    (CountsUpdates(**SMALL), "check_failed_update_keeps_the_old_forecaster"),
    (ReadsFramesDifferently(**SMALL), "check_containers_of_y_agree"),
]


@pytest.mark.parametrize(("broken", "name"), BROKEN, ids=lambda value: type(value).__name__ * (type(value) is not str))
def test_a_broken_forecaster_is_caught_by_its_check(broken, name):
    checks = {check.keywords["check"].__name__: check for _, check in forecaster_checks_generator(broken)}
    with pytest.raises(AssertionError, match=type(broken).__name__):
        checks[name](broken)


def test_every_check_has_a_broken_forecaster():
    assert {name for _, name in BROKEN} == {check.__name__ for check in _CHECKS}


def test_a_series_and_a_horizon_of_the_user_are_checked():
    y = pd.Series(np.sin(np.arange(40.0)), index=pd.period_range("2020-01", periods=40, freq="M"))
    found = check_recurrent_forecaster(GRUForecaster(**TINY), y=y, fh=[1], on_fail=None)
    assert {one["status"] for one in found} == {"passed"}
    with pytest.raises(ValueError, match="y must have at least 36 rows, got 9"):
        check_recurrent_forecaster(GRUForecaster(**TINY), y=y[:9])
