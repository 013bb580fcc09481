"""Exponential smoothing of windows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklrnn.forecasting.smoothing import count_rows_read, forecast_by_smoothing

RNG = np.random.default_rng(0)


def forecast(values, horizon=6, seasons=(1,)):
    return forecast_by_smoothing(np.asarray(values, float)[np.newaxis, :, np.newaxis], horizon, seasons)[0, :, 0]


@pytest.mark.parametrize("n_rows", [1, 2, 3, 5, 30])
@pytest.mark.parametrize("seasons", [(1,), (4,), (1, 4)])
def test_a_constant_is_forecast_exactly(n_rows, seasons):
    assert_array_equal(forecast(np.full(n_rows, 0.1), seasons=seasons), np.full(6, 0.1))


def test_a_trend_goes_on():
    line = 3.0 * np.arange(30)
    assert_allclose(forecast(line), 3.0 * np.arange(30, 36), rtol=0.02)


@pytest.mark.parametrize("seasons", [(4,), (1, 4)])
def test_a_season_on_a_trend_goes_on(seasons):
    values = 0.5 * np.arange(38) + np.tile([0.0, 8.0, 2.0, -5.0], 10)[:38]
    assert_allclose(forecast(values[:32], seasons=seasons), values[32:], atol=1e-9)


def test_noise_is_averaged():
    noise = RNG.normal(size=32)
    noise[-1] = 4.0
    assert abs(forecast(noise)).max() < 2.5


def test_no_season_is_taken_where_there_are_not_two():
    walk = RNG.normal(size=7).cumsum()
    assert_array_equal(forecast(walk, seasons=(4,)), forecast(walk))


def test_forecasts_shift_and_scale_with_the_rows():
    walk = RNG.normal(size=20).cumsum()
    assert_allclose(forecast(1000 - 3 * walk, seasons=(1, 4)), 1000 - 3 * forecast(walk, seasons=(1, 4)), rtol=1e-10)


def test_each_series_is_smoothed_by_itself():
    rows = RNG.normal(size=(5, 20, 2)).cumsum(axis=1)
    together = forecast_by_smoothing(rows, 3, (1, 4))
    assert together.shape == (5, 3, 2)
    assert_allclose(together[3, :, 1], forecast(rows[3, :, 1], 3, (1, 4)), rtol=1e-12)


def test_some_seasons_are_read():
    assert count_rows_read((1,)) == 32
    assert count_rows_read((1, 12)) == 96
