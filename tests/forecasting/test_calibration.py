"""Which errors the intervals of a forecaster follow from."""

from types import SimpleNamespace

import pytest

from sklrnn.forecasting import calibration
from sklrnn.forecasting.calibration import Calibration


def of_windows(n, *, held_out=None, refit=None, fallback=None):
    """A calibration of windows that are numbers, with a network that held out errors, or none."""
    return Calibration(SimpleNamespace(held_out_errors=held_out), list(range(n)), refit=refit, fallback=fallback)


@pytest.fixture(autouse=True)
def named_errors(monkeypatch):
    """The errors are told by their names."""
    monkeypatch.setattr(calibration, "forecast_errors", lambda network, windows: "of training")
    monkeypatch.setattr(calibration, "cross_conformal_errors", lambda refit, windows: (windows, f"of {refit}"))


@pytest.mark.parametrize(("n", "is_enough"), [(0, False), (9, False), (10, True)])
def test_ten_windows_have_errors_of_their_own(n, is_enough):
    panel = of_windows(3)
    series = of_windows(n, fallback=panel)
    assert series._with_enough_windows() is (series if is_enough else panel)
    assert panel._with_enough_windows() is panel


def test_the_panel_before_is_asked_for_the_panel_before_it():
    oldest = of_windows(3)
    assert of_windows(2, fallback=of_windows(4, fallback=oldest))._with_enough_windows() is oldest


def test_a_panel_with_windows_forgets_the_panels_before_it():
    older = of_windows(20)
    with_windows, without = of_windows(1, fallback=older), of_windows(0, fallback=older)
    with_windows.forget_fallback()
    without.forget_fallback()
    assert with_windows.fallback is None
    assert without.fallback is older


def test_a_network_that_was_not_trained_on_the_windows_errs_on_all_of_them():
    assert of_windows(3)._measure() == ([0, 1, 2], "of training")


def test_held_out_errors_are_those_of_the_newest_windows():
    assert of_windows(8, held_out=["a", "b", "c"], refit="refits")._measure() == ([5, 6, 7], ["a", "b", "c"])


def test_five_windows_are_enough_to_hold_some_out():
    assert of_windows(5, refit="refits")._measure() == ([0, 1, 2, 3, 4], "of refits")
    with pytest.warns(UserWarning, match="4 windows are too few"):
        assert of_windows(4, refit="refits")._measure() == ([0, 1, 2, 3], "of training")
