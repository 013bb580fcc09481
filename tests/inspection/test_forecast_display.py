"""Forecasts, truth and intervals are drawn as the estimator predicts them."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sktime.forecasting.naive import NaiveForecaster

from sklrnn import GRURegressor, SequenceScaler, SlidingWindow, supervise
from sklrnn.datasets import load_air_passengers, load_jfk_weather
from sklrnn.forecasting import GRUForecaster
from sklrnn.inspection import ForecastDisplay

SHORT = {"units": 4, "max_epochs": 2, "random_state": 0}
WEATHER = load_jfk_weather()[["temp", "wind_speed"]][:200]
ROWS, Y = supervise(WEATHER, target="temp", horizon=3)
TRAIN, TEST = slice(0, 150), slice(150, None)
PASSENGERS = load_air_passengers()


@pytest.fixture(scope="module")
def pipeline():
    model = make_pipeline(SlidingWindow(window_length=6), GRURegressor(early_stopping=True, **SHORT))
    return model.fit(ROWS[TRAIN], Y[TRAIN])


@pytest.fixture(scope="module")
def forecaster():
    return GRUForecaster(n_networks=1, **SHORT).fit(PASSENGERS[:-6], fh=range(1, 7))


def band_of(display):
    """The lower and the upper bound that are drawn."""
    corners = display.band_.get_paths()[0].vertices
    n = len(display.line_.get_ydata())
    return corners[1 : n + 1, 1], corners[n + 2 : 2 * n + 2, 1][::-1]


def test_a_pipeline_is_drawn_with_its_predictions_and_intervals(pipeline):
    display = ForecastDisplay.from_estimator(pipeline, ROWS[TEST], Y[TEST], output="temp_lead2", coverage=0.8)
    assert_array_equal(display.line_.get_ydata(), pipeline.predict(ROWS[TEST])[:, 1])
    assert_array_equal(display.truth_line_.get_ydata(), Y[TEST]["temp_lead2"])
    bounds = pipeline[-1].predict_interval(pipeline[:-1].transform(ROWS[TEST]), coverage=0.8)[:, 1]
    assert_allclose(np.transpose(band_of(display)), bounds)
    assert_array_equal(display.line_.get_xdata(), ROWS[TEST].index)
    assert display.ax_.get_ylabel() == "temp_lead2"
    assert "80 % interval" in [text.get_text() for text in display.ax_.get_legend().texts]


def test_the_steps_of_one_forecast_are_drawn_against_the_steps_ahead(pipeline):
    row = ROWS.index[160]
    display = ForecastDisplay.from_estimator(pipeline, ROWS[TEST], Y[TEST], sample=row)
    assert_array_equal(display.line_.get_xdata(), [1, 2, 3])
    assert_array_equal(display.line_.get_ydata(), pipeline.predict(ROWS[TEST])[10])
    assert_array_equal(display.truth_line_.get_ydata(), WEATHER["temp"][161:164])
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("steps ahead", "temp")


def test_a_forecaster_is_drawn_at_the_times_of_y(forecaster):
    y = PASSENGERS[-6:]
    display = ForecastDisplay.from_estimator(forecaster, y=y, y_train=PASSENGERS[-30:-6])
    assert_array_equal(display.line_.get_ydata(), forecaster.predict())
    assert_array_equal(display.truth_line_.get_ydata(), y)
    assert_allclose(np.transpose(band_of(display)), forecaster.predict_interval(coverage=0.9))
    assert_array_equal(display.ax_.lines[0].get_ydata(), PASSENGERS[-30:-6])
    only = ForecastDisplay.from_estimator(forecaster, fh=[1, 2], coverage=None)
    assert_array_equal(only.line_.get_ydata(), forecaster.predict()[:2])
    assert only.truth_line_ is only.band_ is None


def test_truth_is_found_by_its_time(forecaster):
    display = ForecastDisplay.from_estimator(forecaster, y=PASSENGERS[-4:-1], fh=range(1, 7))
    expected = [np.nan, np.nan, *PASSENGERS[-4:-1], np.nan]
    assert_array_equal(display.truth_line_.get_ydata(), expected)
    with pytest.raises(ValueError, match="y and the forecasts have no time in common"):
        ForecastDisplay.from_estimator(forecaster, y=PASSENGERS[:3], fh=range(1, 7))


def test_a_forecaster_of_a_long_table_is_drawn_like_that_of_its_frame(forecaster):
    table = pl.DataFrame({"ds": PASSENGERS.index.to_timestamp().to_numpy(), "y": PASSENGERS.to_numpy()})
    model = GRUForecaster(n_networks=1, **SHORT).fit(table[:-6], fh=range(1, 7))
    display = ForecastDisplay.from_estimator(model, y=table[-6:], y_train=table[-30:-6])
    assert_array_equal(display.line_.get_ydata(), model.predict()["y"])
    assert_array_equal(display.truth_line_.get_ydata(), PASSENGERS[-6:])
    assert_array_equal(display.ax_.lines[0].get_ydata(), PASSENGERS[-30:-6])
    assert_allclose(np.transpose(band_of(display)), model.predict_interval(coverage=0.9))


@pytest.mark.filterwarnings("ignore:The default of config:FutureWarning")
def test_forecasters_of_sktime_are_drawn_too():
    naive = NaiveForecaster(sp=12).fit(PASSENGERS[:-6])
    display = ForecastDisplay.from_estimator(naive, y=PASSENGERS[-6:])
    assert_array_equal(display.line_.get_ydata(), PASSENGERS[-18:-12])
    assert display.band_ is not None


def test_series_and_variables_are_chosen_by_name():
    panel = pd.concat({"one": WEATHER[:60], "two": WEATHER[60:120]})
    model = GRUForecaster(n_networks=1, **SHORT).fit(panel, fh=[1, 2, 3])
    display = ForecastDisplay.from_estimator(model, fh=[1, 2, 3], instance="two", output="wind_speed")
    assert_array_equal(display.line_.get_ydata(), model.predict().loc["two", "wind_speed"])
    assert display.ax_.get_title() == "Forecast, two, output wind_speed"
    with pytest.raises(ValueError, match="instance must be one of 'one', 'two', got 'three'"):
        display.plot(instance="three")
    with pytest.raises(ValueError, match="output must be one of 'temp', 'wind_speed', got 'rain'"):
        display.plot(output="rain")


def test_a_row_of_a_panel_is_chosen_by_series_and_time():
    panel = pd.concat({"one": WEATHER[:60], "two": WEATHER[60:120]})
    X, y = supervise(panel, target="temp", horizon=2)
    model = make_pipeline(SlidingWindow(window_length=4), GRURegressor(**SHORT)).fit(X, y)
    time = WEATHER.index[70]
    display = ForecastDisplay.from_estimator(model, X, y, instance="two", sample=time)
    assert_array_equal(display.truth_line_.get_ydata(), WEATHER["temp"][71:73])
    assert_array_equal(display.line_.get_ydata(), model.predict(X)[X.index.get_loc(("two", time))])


def test_predictions_are_drawn_as_they_are_given(pipeline, forecaster):
    predicted, bounds = np.array([2.0, 3.0, 5.0]), np.array([[1.0, 3.0], [2.0, 4.0], [4.0, 9.0]])
    display = ForecastDisplay.from_predictions([2.5, 3.5, 4.5], predicted, interval=bounds)
    assert_array_equal(display.line_.get_ydata(), predicted)
    assert_array_equal(display.truth_line_.get_ydata(), [2.5, 3.5, 4.5])
    assert_array_equal(np.transpose(band_of(display)), bounds)
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("sample", "y")
    for model, y, given in (
        (pipeline, Y[TEST], {"interval": pipeline[-1].predict_interval(pipeline[:-1].transform(ROWS[TEST]))}),
        (forecaster, PASSENGERS[-6:], {"interval": forecaster.predict_interval()}),
    ):
        X = ROWS[TEST] if model is pipeline else None
        predicted = model.predict(X) if model is pipeline else model.predict()
        drawn = ForecastDisplay.from_predictions(y, predicted, **given, coverage=0.9)
        same = ForecastDisplay.from_estimator(model, X, y)
        assert_array_equal(band_of(drawn), band_of(same))
        assert_array_equal(drawn.line_.get_ydata(), same.line_.get_ydata())


def test_intervals_are_left_out_where_an_estimator_has_none_and_nobody_asked():
    X, y = np.random.default_rng(0).normal(size=(30, 5)), np.arange(30.0)
    plain, ridge = GRURegressor(**SHORT).fit(X, y), Ridge().fit(X, y)
    assert ForecastDisplay.from_estimator(plain, X, y).band_ is None
    assert ForecastDisplay.from_estimator(ridge, X, y).band_ is None
    with pytest.raises(ValueError, match="Fit with calibration_cv=3"):
        ForecastDisplay.from_estimator(plain, X, y, coverage=0.9)
    with pytest.raises(TypeError, match="Ridge has no method predict_interval. Set coverage=None"):
        ForecastDisplay.from_estimator(ridge, X, y, coverage=0.9)
    quantiles = GRURegressor(loss="quantile", **SHORT).fit(X, y)
    assert ForecastDisplay.from_estimator(quantiles, X, y).coverage == 0.8  # that of the levels 0.1 and 0.9
    assert ForecastDisplay.from_estimator(GRURegressor(loss="gaussian", **SHORT).fit(X, y), X, y).coverage == 0.9


def test_a_search_is_drawn_like_its_best(pipeline):
    search = GridSearchCV(pipeline, {"gruregressor__units": [2]}, cv=2).fit(ROWS[TRAIN], Y[TRAIN])
    display = ForecastDisplay.from_estimator(search, ROWS[TEST], Y[TEST])
    assert_array_equal(display.line_.get_ydata(), search.predict(ROWS[TEST])[:, 0])
    assert display.band_ is not None


def test_displays_stand_side_by_side(forecaster):
    figure, axes = plt.subplots(1, 2)
    display = ForecastDisplay.from_estimator(forecaster, y=PASSENGERS[-6:], ax=axes[1])
    assert display.ax_ is axes[1]
    assert display.figure_ is figure
    assert not axes[0].has_data()
    assert display.plot(axes[0]) is display
    assert axes[0].has_data()


X3 = np.random.default_rng(0).normal(size=(20, 4, 1))


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (lambda m: ForecastDisplay.from_estimator(m), ValueError, "GRURegressor needs X to predict from"),
        (lambda m: ForecastDisplay.from_estimator(m, X3, fh=[1]), ValueError, "fh is for forecasters"),
        (
            lambda m: ForecastDisplay.from_estimator(m, X3, X3[:, 0]).plot(output="x"),
            ValueError,
            "output must be one of",
        ),
        (
            lambda m: ForecastDisplay.from_estimator(m, X3, X3[:, :2, 0]),
            ValueError,
            "y holds 2 column.*prediction has 1",
        ),
        (lambda m: ForecastDisplay.from_estimator(m, X3, sample=99), ValueError, "sample must be one of"),
        (lambda m: ForecastDisplay.from_estimator(m, X3, instance="a"), ValueError, "There is one series"),
        (lambda m: ForecastDisplay.from_estimator(m, X3, y_train=X3[:, :2, 0]), ValueError, "y_train holds 2 column"),
        (
            lambda _: ForecastDisplay.from_predictions(None, [1.0, 2.0], interval=[1.0, 2.0]),
            ValueError,
            "interval must",
        ),
        (lambda _: ForecastDisplay.from_predictions(None, ["a", "b"]), ValueError, "y_pred must hold numbers"),
        (lambda _: ForecastDisplay.from_estimator(GRURegressor(), X3), NotFittedError, "not fitted"),
    ],
)
def test_what_does_not_fit_is_named(draw, error, message):
    model = make_pipeline(SequenceScaler(), GRURegressor(**SHORT)).fit(X3, X3[:, 0, 0])
    with pytest.raises(error, match=message.replace("GRURegressor needs", "Pipeline needs")):
        draw(model)
