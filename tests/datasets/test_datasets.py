import socket
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from sklrnn import datasets

LOADERS = [
    datasets.load_air_passengers,
    datasets.load_co2,
    datasets.load_jfk_weather,
    datasets.load_names,
    datasets.load_seattle_weather,
    datasets.load_sunspots,
]
SERIES = [loader for loader in LOADERS if loader is not datasets.load_names]
FILLING = [datasets.load_jfk_weather, datasets.load_co2]


def name_of(loader):
    return loader.__name__


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("a bundled data set must not open a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize("loader", LOADERS, ids=name_of)
def test_data_are_complete_and_at_hand(loader, no_network):
    assert not loader().isna().any(axis=None)


@pytest.mark.parametrize("loader", SERIES, ids=name_of)
def test_series_are_regular(loader):
    data = loader()
    assert data.index.freq is not None
    assert data.index.is_unique
    assert data.index.is_monotonic_increasing
    assert data.index.name


@pytest.mark.parametrize("loader", LOADERS, ids=name_of)
def test_each_call_gives_data_of_its_own(loader):
    first = loader()
    first.iloc[0] = first.iloc[1]
    assert not loader().equals(first)


@pytest.mark.parametrize("loader", FILLING, ids=name_of)
def test_filling_repeats_the_last_value_seen_and_leaves_the_others_alone(loader):
    filled, raw = loader(), loader(fill=False)
    assert_array_equal(filled.index, raw.index)
    known = raw.notna().to_numpy()
    assert_array_equal(filled.to_numpy()[known], raw.to_numpy()[known])
    for cut in (100, 600, 1500):
        pd.testing.assert_frame_equal(pd.DataFrame(filled.iloc[:cut]), pd.DataFrame(raw.iloc[:cut].ffill()))


def test_jfk_weather_is_hourly_with_the_documented_gaps():
    weather = datasets.load_jfk_weather(fill=False)
    assert weather.shape == (8730, 7)
    assert weather.index.freqstr == "h"
    assert weather.index.tz is None
    assert weather.index[0] == pd.Timestamp("2013-01-01 06:00")
    assert weather.index[-1] == pd.Timestamp("2013-12-30 23:00")
    assert weather.isna().all(axis=1).sum() == 24
    assert weather.isna().sum().to_dict() == {
        "temp": 24,
        "dew_point": 24,
        "wind_direction": 75,
        "wind_speed": 27,
        "precipitation": 24,
        "pressure": 855,
        "visibility": 24,
    }


def test_jfk_weather_holds_what_the_station_saw():
    weather = datasets.load_jfk_weather()
    assert weather.loc["2013-01-01 06:00"].to_list() == [3.9, -3.3, 260.0, 12.7, 0.0, 1012.6, 10.0]
    assert weather["temp"].min() == -11.1
    assert weather["temp"].max() == 36.7
    missing = pd.Timestamp("2013-01-01 17:00")
    assert weather.loc[missing].equals(weather.loc[missing - pd.Timedelta(hours=1)])


def test_air_passengers_are_monthly():
    passengers = datasets.load_air_passengers()
    assert passengers.shape == (144,)
    assert passengers.index.freqstr == "M"
    assert passengers["1949-01"] == 112
    assert passengers.idxmax() == pd.Period("1960-07", "M")
    assert passengers.max() == 622


def test_co2_is_weekly_with_the_documented_gaps():
    co2 = datasets.load_co2(fill=False)
    assert co2.shape == (2284,)
    assert co2.index.freqstr == "W-SAT"
    assert co2.isna().sum() == 59
    assert co2["1958-03-29"] == 316.1
    assert co2.max() == 373.9


def test_sunspots_are_yearly():
    sunspots = datasets.load_sunspots()
    assert sunspots.shape == (309,)
    assert sunspots.index[0] == pd.Period("1700", "Y")
    assert sunspots.index[-1] == pd.Period("2008", "Y")
    assert sunspots["1957"] == 190.2 == sunspots.max()


def test_seattle_weather_is_daily_with_a_label():
    weather = datasets.load_seattle_weather()
    assert weather.shape == (1461, 5)
    assert weather.index.freqstr == "D"
    assert weather["weather"].value_counts().to_dict() == {
        "sun": 714,
        "fog": 411,
        "rain": 259,
        "drizzle": 54,
        "snow": 23,
    }
    assert (weather["temp_max"] >= weather["temp_min"]).all()
    assert all(np.issubdtype(kind, np.floating) for kind in weather.dtypes[:4])


def test_names_are_words_of_eighteen_languages():
    names = datasets.load_names()
    assert names.shape == (20050, 2)
    assert names["language"].value_counts().agg(["size", "max", "min"]).to_dict() == {
        "size": 18,
        "max": 9384,
        "min": 73,
    }
    assert names.duplicated().sum() == 2038
    assert names["name"].str.len().agg(["min", "max"]).to_list() == [2, 20]
    assert names.loc[names["language"] == "Polish", "name"].isin(["Kowalczyk", "Zieliński"]).any()


def test_wnut17_has_a_tag_for_each_word(no_network):
    X, y = datasets.load_wnut17(return_X_y=True)
    assert len(X) == len(y) == 1009
    assert [len(words) for words in X] == [len(tags) for tags in y]
    assert sum(map(len, X)) == 15733
    tags, counts = np.unique(np.concatenate(y), return_counts=True)
    assert datasets.load_wnut17().target_names == tags.tolist()
    assert dict(zip(tags, counts, strict=True))["O"] == 14483


def test_wnut17_as_a_frame_has_a_row_for_each_word():
    X, y = datasets.load_wnut17(return_X_y=True)
    bunch = datasets.load_wnut17(as_frame=True)
    assert bunch.frame.shape == (15733, 3)
    assert [words.tolist() for _, words in bunch.data.groupby("sentence")["token"]] == X
    assert_array_equal(bunch.target, np.concatenate(y))


def test_notice_names_every_file():
    folder = Path(datasets.__file__).parent
    notice = (folder / "NOTICE").read_text(encoding="utf-8")
    files = [path for path in folder.iterdir() if path.suffix == ".gz"]
    assert len(files) == 7
    assert [path.name for path in files if f"\n{path.name}\n" not in notice] == []
    assert "Copyright (c) 2017 Sean Robertson" in notice


def test_bundled_files_are_small():
    assert sum(path.stat().st_size for path in Path(datasets.__file__).parent.glob("*.gz")) < 1_000_000
