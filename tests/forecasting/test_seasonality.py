"""The season of a series."""

import re

import numpy as np
import pandas as pd
import pytest

from sklrnn.datasets import load_air_passengers, load_jfk_weather, load_sunspots
from sklrnn.forecasting import GRUForecaster, compare
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


def test_season_of_a_panel_is_one_that_helps_on_average():
    rng = np.random.default_rng(0)
    many = [wave(96, 12, seed=seed) for seed in range(7)] + [rng.normal(size=96) for _ in range(3)]
    assert find_season(many) == 12
    assert find_season([*many[:1], *([rng.normal(size=96) for _ in range(19)])]) == 1


def seasonal_walks(season, n_rows, *, size, n_series=60):
    """Random walks with a season of a random shape, whose median autocorrelation does not show it."""
    rng = np.random.default_rng(0)
    shape = size * rng.normal(size=season)
    walks = rng.normal(size=(n_series, n_rows)).cumsum(axis=1)
    return list(walks + shape[np.arange(n_rows) % season])


@pytest.mark.parametrize(
    ("season", "n_rows", "size", "freq"),
    [
        (52, 220, 3, "W-SUN"),
        (52, 220, 3, None),
        (52, 130, 6, None),
        (12, 70, 2, "M"),
        (12, 70, 2, None),
        (4, 44, 2, "Q"),
    ],
)
def test_season_of_a_panel_is_found_where_the_autocorrelation_is_low(season, n_rows, size, freq):
    assert find_season(seasonal_walks(season, n_rows, size=size), freq) == season


def test_season_of_a_quarterly_series_with_a_strong_trend_is_found():
    rng = np.random.default_rng(0)
    trend = 100 * np.exp(np.cumsum(0.03 + 0.03 * rng.normal(size=44)))
    retail = trend * np.tile([0.97, 0.99, 0.98, 1.06], 11)
    assert find_season(retail, "Q") == 4


@pytest.mark.parametrize("n_rows", [30, 60, 150, 400])
@pytest.mark.parametrize("freq", [None, "Q", "M", "D", "W-SUN"])
def test_noise_and_random_walks_hardly_ever_get_a_season(n_rows, freq):
    noise = np.random.default_rng(0).normal(size=(40, n_rows))
    for series in (noise, noise.cumsum(axis=1), (noise + 0.3).cumsum(axis=1)):
        found = [find_season(values, freq) for values in series]
        assert np.mean(np.array(found) > 1) <= 0.1
        assert find_season(list(series), freq) == 1


def test_a_season_that_only_dates_would_name_is_named_in_a_warning():
    shops = seasonal_walks(4, 44, size=2)
    index = pd.MultiIndex.from_product([range(len(shops)), range(44)])
    y = pd.DataFrame({"sales": np.concatenate(shops)}, index=index)
    model = GRUForecaster(units=2, max_epochs=1, random_state=0)
    with pytest.warns(UserWarning, match=r"repeat every 4 rows.*pass sp=4, or give y an index of dates.*pass sp=1"):
        assert model.fit(y, fh=[1]).sp_ == 1
    assert model.set_params(sp=4).fit(y, fh=[1]).sp_ == 4
    quarters = pd.period_range("2010-01", periods=44, freq="Q")
    y.index = pd.MultiIndex.from_product([range(len(shops)), quarters])
    assert model.set_params(sp="auto").fit(y, fh=[1]).sp_ == 4


@pytest.mark.parametrize("run", ["fit", "compare"])
def test_one_line_tells_the_season_that_was_chosen(run, capsys):
    y = load_air_passengers()
    if run == "fit":
        GRUForecaster(units=2, max_epochs=1, verbose=1).fit(y, fh=[1])
    else:
        compare(["naive"], y, horizon=12, verbose=1)
    assert re.fullmatch(r"Season: sp=12 \(it saves \d\d% of the error.*\)", capsys.readouterr().out.splitlines()[0])
    GRUForecaster(units=2, max_epochs=1).fit(y, fh=[1])
    assert not capsys.readouterr().out


@pytest.mark.parametrize(
    ("load", "freq", "seasons"),
    [
        (load_air_passengers, "M", {12}),
        (load_sunspots, "Y", {1, 11}),
        (lambda: load_jfk_weather()["temp"].interpolate()[:2000], "h", {24}),
    ],
    ids=["air passengers", "sunspots", "weather"],
)
def test_seasons_of_real_series(load, freq, seasons):
    values = pd.Series(load()).to_numpy(dtype=float)
    assert find_season(values, freq) in seasons
