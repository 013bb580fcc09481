"""The season of a series."""

import numpy as np
import pandas as pd
import pytest

from sklrnn.datasets import load_air_passengers, load_jfk_weather, load_sunspots
from sklrnn.forecasting.seasonality import find_season


def wave(n, period, noise=0.2, seed=0):
    return np.sin(np.arange(n) * 2 * np.pi / period) + noise * np.random.default_rng(seed).normal(size=n)


@pytest.mark.parametrize("period", [4, 7, 12, 24, 30])
def test_period_of_a_wave_is_found_without_a_frequency(period):
    assert find_season(wave(8 * period, period)) == period


def test_period_is_found_despite_a_trend():
    assert find_season(wave(120, 12) + 0.5 * np.arange(120) + 0.01 * np.arange(120) ** 2) == 12


@pytest.mark.parametrize(
    ("freq", "season"),
    [("MS", 12), ("M", 12), ("QS-OCT", 4), ("D", 7), ("B", 5), ("h", 24), ("3h", 8), ("W-SUN", 52), ("30min", 48)],
)
def test_season_of_the_frequency_is_taken_if_it_is_seen(freq, season):
    assert find_season(wave(6 * season, season, noise=0.5), freq) == season


def test_season_of_the_frequency_is_not_taken_otherwise():
    assert find_season(wave(200, 11), "D") == 11
    assert find_season(np.random.default_rng(0).normal(size=300), "D") == 1
    assert find_season(np.random.default_rng(0).normal(size=300).cumsum(), "h") == 1


def test_shortest_of_several_periods_is_taken():
    two_weeks = np.tile([1.0, 2, 3, 4, 5, 9, 8], 20) + 0.1 * np.random.default_rng(0).normal(size=140)
    assert find_season(two_weeks) == 7


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0, 3.0], np.ones(50), np.zeros(50), np.arange(50.0)])
def test_series_without_season(values):
    assert find_season(np.array(values), "D") == 1
    assert find_season([np.array(values)] * 3, "D") == 1


def test_missing_values_keep_their_position():
    days = 10 + 3 * wave(210, 7, noise=0.1)
    days[np.arange(210) % 7 >= 5] = np.nan  # closed at weekends: no week of five days
    assert find_season(days) == 7
    assert find_season(np.where(np.random.default_rng(0).random(210) < 0.2, np.nan, wave(210, 7))) == 7
    assert find_season(np.full(100, np.nan)) == 1


def test_season_of_a_panel_is_that_of_the_median():
    rng = np.random.default_rng(0)
    many = [wave(96, 12, seed=seed) for seed in range(7)] + [rng.normal(size=96) for _ in range(3)]
    assert find_season(many) == 12
    assert find_season([*many[:3], *([rng.normal(size=96) for _ in range(9)])]) == 1


@pytest.mark.parametrize(
    ("load", "freq", "seasons"),
    [
        (load_air_passengers, "M", {12}),
        (load_sunspots, "Y", {10, 11}),
        (lambda: load_jfk_weather()["temp"].interpolate()[:2000], "h", {24}),
    ],
    ids=["air passengers", "sunspots", "weather"],
)
def test_seasons_of_real_series(load, freq, seasons):
    values = pd.Series(load()).to_numpy(dtype=float)
    assert find_season(values, freq) in seasons
