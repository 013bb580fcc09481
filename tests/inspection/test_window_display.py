"""A window is drawn with the values that it holds, at their distance from its row."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklrnn import GRURegressor, SlidingWindow, supervise
from sklrnn.inspection import WindowDisplay

DAYS = pd.date_range("2024-01-01", periods=40, name="day")
X = pd.DataFrame({"temp": np.arange(40.0), "wind": np.arange(40.0) ** 2}, index=DAYS)
WINDOW = SlidingWindow(window_length=5, horizon=3).fit(X)


def test_window_and_targets_are_those_of_sliding_window_and_supervise():
    _, y = supervise(X, target="wind", horizon=3)
    display = WindowDisplay.from_estimator(WINDOW, X, row=20, target="wind")
    assert_array_equal(display.window.index, [-4, -3, -2, -1, 0])
    assert_array_equal(display.window["value"], WINDOW.transform(X)[20, :, 1])
    assert_array_equal(display.target.index, [1, 2, 3])
    assert_array_equal(display.target, y.iloc[20])
    assert_array_equal(display.series, X["wind"])
    assert_array_equal(display.series.index, np.arange(40) - 20)
    series, window, target = display.ax_.lines
    assert_array_equal(window.get_ydata(), X["wind"][16:21])
    assert_array_equal(target.get_xydata(), np.column_stack([[1, 2, 3], y.iloc[20]]))
    assert set(window.get_ydata()) < set(series.get_ydata())
    assert display.ax_.get_title() == "Window of row 20 (2024-01-21 00:00:00)"
    assert display.ax_.get_xlabel() == "steps from the newest row of the window"
    assert display.ax_.get_ylabel() == "wind"


def test_the_last_row_with_a_whole_future_is_drawn_if_none_is_named():
    display = WindowDisplay.from_estimator(WINDOW, X, target="temp")
    assert display.window.loc[0, "value"] == 36
    assert display.target.tolist() == [37, 38, 39]
    assert WindowDisplay.from_estimator(WINDOW, X, target="temp", row=-1).target.isna().all()


@pytest.mark.parametrize("flatten", [False, True])
def test_distances_within_a_window_and_single_steps_ahead_are_kept(flatten):
    window = SlidingWindow(window_length=3, stride_within=4, flatten=flatten, calendar=["week"], horizon=[7]).fit(X)
    display = WindowDisplay.from_estimator(window, X, row=20, target="temp")
    assert display.window["value"].to_dict() == {-8: 12, -4: 16, 0: 20}
    assert display.target.to_dict() == {7: 27}


def test_places_without_a_row_are_hollow_and_context_comes_from_training():
    window = SlidingWindow(window_length=6).fit(X[:20])
    later = X[22:]
    display = WindowDisplay.from_estimator(window, later, row=1, target="temp", horizon=2)
    assert display.window["value"].tolist() == [18, 19, 19, 19, 22, 23]
    assert display.window["is_filled"].tolist() == [False, False, True, True, False, False]
    hollow = display.ax_.lines[2]
    assert hollow.get_markerfacecolor() == "white"
    assert hollow.get_xdata().tolist() == [-3, -2]


def test_a_missing_row_is_a_missing_target():
    holes = X.drop(index=DAYS[22])
    display = WindowDisplay.from_estimator(WINDOW, holes, row=20, target="temp")
    assert_array_equal(display.target, [21, np.nan, 23])


def test_a_series_of_a_panel_is_drawn_alone():
    panel = pd.concat({"one": X[:20], "two": X[20:]})
    window = SlidingWindow(window_length=4).fit(panel)
    display = WindowDisplay.from_estimator(window, panel, row=22, target="temp")
    assert display.series.tolist() == list(range(20, 40))
    assert display.window["is_filled"].tolist() == [True, False, False, False]


def test_the_window_of_a_pipeline_reads_what_comes_before_it():
    twice = FunctionTransformer(lambda X: 2 * X)
    pipeline = make_pipeline(twice, SlidingWindow(window_length=4), GRURegressor(units=2, max_epochs=1))
    pipeline.fit(X, X["temp"])
    display = WindowDisplay.from_estimator(pipeline, X, row=10, target="temp")
    assert display.window["value"].tolist() == [14, 16, 18, 20]


def test_a_window_without_a_horizon_is_drawn_alone():
    display = WindowDisplay.from_estimator(SlidingWindow(window_length=4, horizon=None).fit(X), X, target="temp")
    assert display.target.empty
    assert display.window["value"].tolist() == [36, 37, 38, 39]


def test_displays_stand_side_by_side():
    figure, axes = plt.subplots(1, 2)
    display = WindowDisplay.from_estimator(WINDOW, X, target="temp", ax=axes[1])
    assert display.ax_ is axes[1]
    assert display.figure_ is figure
    assert not axes[0].has_data()
    assert display.plot(axes[0]) is display


@pytest.mark.parametrize(
    ("est", "options", "error", "message"),
    [
        (WINDOW, {}, ValueError, "X has 2 columns, so name the target: one of .*temp.*wind"),
        (WINDOW, {"target": "rain"}, ValueError, "target must be one of 'temp', 'wind', got 'rain'"),
        (WINDOW, {"target": "temp", "row": 40}, ValueError, "row must be a row number from 0 to 39"),
        (WINDOW, {"target": "temp", "horizon": 0}, ValueError, "horizon must be an int of at least 1"),
        (WINDOW, {"target": "temp", "horizon": [1, "a"]}, ValueError, "Each step of horizon must be an int .* got 'a'"),
        (SlidingWindow(), {"target": "temp"}, NotFittedError, "not fitted"),
        (GRURegressor(units=2, max_epochs=1).fit(X, X["temp"]), {}, TypeError, "A SlidingWindow, or a pipeline"),
    ],
)
def test_what_does_not_fit_is_named(est, options, error, message):
    with pytest.raises(error, match=message):
        WindowDisplay.from_estimator(est, X, **options)
