"""What the network corrects: the level of its window, or exponential smoothing."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklrnn.datasets import load_air_passengers
from sklrnn.forecasting import GRUForecaster

FH = range(1, 7)


def years(values):
    return pd.Series(values, index=pd.period_range("1990", periods=len(values), freq="Y"))


def error_of(forecast, actual):
    return float(np.abs(forecast.to_numpy() - actual).mean())


def growing(n, seed=0):
    return 100 + 5 * np.arange(n) + np.random.default_rng(seed).normal(size=n)


def test_short_series_with_a_trend_are_forecast_well():
    values = growing(24)
    by_default, by_level = (
        GRUForecaster(random_state=0, baseline=baseline).fit(years(values[:18]), fh=FH)
        for baseline in ("auto", "level")
    )
    assert (by_default.baseline_, by_level.baseline_) == ("smoothing", "level")
    assert error_of(by_default.predict(), values[18:]) < 3
    assert error_of(by_default.predict(), values[18:]) < 0.5 * error_of(by_level.predict(), values[18:])


def test_season_that_few_rows_hardly_show_is_used():
    quarters = np.tile([0.0, 6.0, 2.0, -5.0], 6) + 2 * growing(24)
    y = pd.Series(quarters, index=pd.period_range("2000Q1", periods=24, freq="Q"))
    forecast = GRUForecaster(random_state=0).fit(y[:18], fh=FH).predict()
    assert error_of(forecast, quarters[18:]) < 8


def test_network_forecasts_alone_where_a_linear_model_beats_smoothing():
    y = load_air_passengers()[:120]
    assert GRUForecaster(max_epochs=1, random_state=0).fit(y, fh=range(1, 13)).baseline_ == "level"


@pytest.mark.parametrize("normalize", ["series", None])
def test_other_scales_keep_their_level(normalize):
    assert GRUForecaster(max_epochs=1, normalize=normalize).fit(years(growing(18)), fh=FH).baseline_ == "level"


def test_choice_is_printed(capsys):
    GRUForecaster(max_epochs=1, verbose=1).fit(years(growing(18)), fh=FH)
    assert "Baseline: smoothing (too few windows for a trial)" in capsys.readouterr().out
    GRUForecaster(max_epochs=1, verbose=1).fit(load_air_passengers()[:120], fh=range(1, 13))
    assert "Baseline: level (on the newest windows a linear model has a loss of" in capsys.readouterr().out


def test_few_windows_are_hardly_trained_on():
    few, more = (GRUForecaster(random_state=0).fit(years(growing(n)), fh=FH).networks_[0].n_iter_ for n in (18, 45))
    assert 1 <= few < more


def test_training_starts_at_smoothing():
    y = years(growing(40))
    untrained = GRUForecaster(baseline="smoothing", max_epochs=1, learning_rate=1e-9, random_state=0).fit(y, fh=FH)
    shifted = GRUForecaster(baseline="smoothing", max_epochs=1, learning_rate=1e-9, random_state=1).fit(y, fh=FH)
    assert_allclose(untrained.predict(), shifted.predict(), rtol=1e-4)


def test_panels_and_channels_are_smoothed_one_by_one():
    frames = {
        name: pd.DataFrame({"up": growing(20, seed), "down": -growing(20, seed + 1)}, years(growing(20)).index)
        for seed, name in enumerate(["a", "b", "c"])
    }
    forecast = GRUForecaster(random_state=0, baseline="smoothing").fit(pd.concat(frames), fh=FH).predict()
    for name in frames:
        assert (forecast.loc[name, "up"].diff().dropna() > 2).all()
        assert (forecast.loc[name, "down"].diff().dropna() < -2).all()


def test_forecasts_and_intervals_survive_pickling_and_updates():
    y = years(growing(30))
    model = GRUForecaster(random_state=0).fit(y[:24], fh=FH)
    loaded = pickle.loads(pickle.dumps(model))
    assert_array_equal(loaded.predict_interval(), model.predict_interval())
    loaded.update(y[24:])
    assert error_of(loaded.predict(), 100 + 5 * np.arange(30, 36)) < 4
