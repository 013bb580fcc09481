"""Targets agree with what a loop over the rows finds."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from sklrnn.preprocessing.sliding_window import SlidingWindow
from sklrnn.preprocessing.supervise import supervise


def hourly(n_rows=30, seed=0):
    data = np.random.default_rng(seed).normal(size=(n_rows, 3))
    hours = pd.date_range("2024-01-01", periods=n_rows, freq="h", name="when")
    return pd.DataFrame(data, columns=["temp", "wind", "rain"], index=hours)


horizons = st.one_of(st.integers(1, 6), st.lists(st.integers(1, 6), min_size=1, unique=True))


def steps_of(horizon):
    return list(range(1, horizon + 1)) if isinstance(horizon, int) else horizon


@given(horizons, st.integers(1, 14), st.lists(st.sampled_from([0, 1, 2]), min_size=1, max_size=3, unique=True))
@settings(max_examples=60, deadline=None)
def test_targets_agree_with_a_loop(horizon, n_rows, targets):
    steps = steps_of(horizon)
    data = hourly(n_rows + max(steps)).to_numpy()
    X, y = supervise(data, targets, horizon)
    assert_array_equal(X, data[:n_rows])
    truth = np.array([[data[t + step, c] for step in steps for c in targets] for t in range(n_rows)])
    assert_array_equal(y, truth[:, 0] if truth.shape[1] == 1 else truth)


def test_a_frame_keeps_its_index_and_names_the_leads():
    data = hourly()
    X, y = supervise(data, target=["temp", "wind"], horizon=[1, 6])
    assert list(y.columns) == ["temp_lead1", "wind_lead1", "temp_lead6", "wind_lead6"]
    assert X.index.equals(data.index[:24])
    assert y.index.equals(X.index)
    pd.testing.assert_series_equal(y["wind_lead6"], data["wind"].shift(-6)[:24].rename("wind_lead6"))


def test_rows_without_a_gap_are_not_copied():
    data = hourly().to_numpy(copy=True)
    assert np.shares_memory(supervise(data, 0, 2)[0], data)
    data[10, 0] = np.nan
    assert not np.shares_memory(supervise(data, 0, 2, dropna=True)[0], data)


def test_one_step_of_one_target_is_one_dimensional():
    data = hourly()
    y = supervise(data, "temp", 1)[1]
    assert isinstance(y, pd.Series)
    assert_array_equal(y, data["temp"][1:])
    assert supervise(data.to_numpy(), 0, [3])[1].shape == (27,)


@pytest.mark.parametrize("horizon", [1, 3, [2], [1, 4]])
def test_a_series_needs_no_target(horizon):
    data = hourly()[["temp"]]
    X, y = supervise(data, "temp", horizon)
    for series in (data["temp"], data):
        of_series = supervise(series, horizon=horizon)
        pd.testing.assert_frame_equal(of_series[0], X)
        assert of_series[1].equals(y)
    for series in (data["temp"].to_numpy(), data["temp"].tolist(), data.to_numpy()):
        of_array = supervise(series, horizon=horizon)
        assert_array_equal(of_array[0], X)
        assert_array_equal(of_array[1], y)


def test_a_series_with_a_hole_or_of_a_panel_is_read_by_its_index():
    data = panel().set_index("town", append=True).swaplevel()["temp"]
    X, y = supervise(data, horizon=2)
    assert X.index.equals(y.index)
    assert len(X) == len(data) - 2 * data.index.get_level_values(0).nunique()
    with pytest.raises(ValueError, match="the index has a gap there"):
        supervise(hourly()["temp"].drop(hourly().index[9]), horizon=1)
    X, y = supervise(pl.Series("temp", [1.0, 2.0, 4.0]))
    assert X.columns == ["temp"]
    assert y.to_list() == [2.0, 4.0]


def test_dtypes_of_targets_are_kept():
    data = hourly().assign(count=np.arange(30), sky=["clear", "cloudy"] * 15).astype({"temp": np.float32})
    for target, dtype in {"temp": np.float32, "count": np.int64, "sky": data["sky"].dtype}.items():
        assert supervise(data, target, 1)[1].dtype == dtype


def test_polars_in_polars_out():
    data = pl.from_pandas(hourly())
    X, y = supervise(data, "temp", 2)
    assert isinstance(X, pl.DataFrame)
    assert y.columns == ["temp_lead1", "temp_lead2"]
    assert supervise(data, "temp", 1)[1].name == "temp_lead1"


def panel():
    return pd.concat([hourly(12, seed=1).assign(town="Ulm"), hourly(9, seed=2).assign(town="Rom")])


@pytest.mark.parametrize("how", ["column", "MultiIndex", "time column", "interleaved", "array"])
def test_no_target_comes_from_another_entity(how):
    data, options, town = panel(), {"groups": "town"}, None
    if how == "interleaved":
        data = data.sort_index(kind="stable")
    town = data["town"].to_numpy()
    if how == "MultiIndex":
        data, options = data.reset_index().set_index(["town", "when"]), {}
    elif how == "time column":
        data, options = data.reset_index(), {"groups": "town", "time_column": "when"}
    temp = data["temp"].to_numpy()
    target = "temp"
    if how == "array":
        data, options, target = np.column_stack([temp, town == "Ulm"]).astype(float), {"groups": 1}, 0
    X, y = supervise(data, target, [2, 4], **options)
    expected = []
    for row in range(len(town)):
        own = [later for later in range(row, len(town)) if town[later] == town[row]]
        if len(own) > 4:
            expected.append([row, temp[own[2]], temp[own[4]]])
    rows, *leads = np.array(expected).T
    assert_array_equal(np.asarray(y), np.transpose(leads))
    assert_array_equal(X[:, 0] if how == "array" else X["temp"], temp[rows.astype(int)])


def test_missing_targets_are_refused_or_dropped():
    data = hourly()
    data.iloc[10, 0] = np.nan
    with pytest.raises(ValueError, match=r"target of row 8, 2 step\(s\) ahead.*'temp' is NaN in row 10.*dropna=True"):
        supervise(data, "temp", 2)
    X, y = supervise(data, "temp", 2, dropna=True)
    assert_array_equal(X.index, data.index[:28].delete([8, 9]))
    assert y.notna().all(axis=None)
    assert supervise(data, "wind", 2)[0].isna().sum().sum() == 1  # X may have gaps


def test_a_missing_row_is_a_missing_target():
    data = hourly().drop(index=hourly().index[10])
    with pytest.raises(ValueError, match=r"target of row 8, 2 step.*index has a gap.*steps='rows'"):
        supervise(data, "temp", 2)
    X, y = supervise(data, "temp", 2, dropna=True)
    assert_array_equal(X.index, data.index[:27].delete([8, 9]))
    by_rows = supervise(data, "temp", 2, steps="rows")[1]
    assert_array_equal(by_rows["temp_lead2"], data["temp"][2:])
    assert_array_equal(y, by_rows.loc[y.index])


def test_trading_days_with_holidays_lose_the_rows_before_holidays_only():
    days = pd.bdate_range("2024-12-13", periods=22).drop(["2024-12-25", "2025-01-01"])
    prices = pd.DataFrame({"price": np.arange(20.0)}, index=days)
    X, y = supervise(prices, "price", 1, dropna=True)
    lost = days[:-1].difference(X.index)
    assert list(lost) == [pd.Timestamp("2024-12-24"), pd.Timestamp("2024-12-31")]
    assert_array_equal(y, X["price"] + 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((hourly(10), "temp", 24), "A horizon of 24 steps needs at least 25 rows, got 10"),
        ((hourly(0), "temp", 1), "A horizon of 1 steps needs at least 2 rows, data has none"),
        ((np.zeros((0, 2)), 0, 1), "A horizon of 1 steps needs at least 2 rows, data has none"),
        ((hourly(), "temp", 0), "horizon must be an int of at least 1, got 0"),
        ((hourly(), "temp", [1, 0]), "Each step of horizon must be an int of at least 1"),
        ((hourly(), "temp", [1, 1]), "different steps"),
        ((hourly(), "temp", []), "different steps"),
        ((hourly(), "temp", 1.5), "got 1.5"),
        ((hourly(), "snow", 1), "target='snow' is no column of X"),
        ((hourly(), [], 1), "target must name at least one column"),
        ((hourly(), [None, "temp"], 1), "target must name at least one column"),
        ((hourly()["temp"], 3), r"target is left out, got target=3. Name the horizon"),
        ((np.arange(9.0), "temp", 1), "target is left out, got target='temp'"),
        ((hourly(),), r"Data of 3 columns needs a target: name one of \['temp', 'wind', 'rain'\]"),
        ((np.zeros((4, 3, 2)), 0), r"a table of shape \(row, column\), is needed, got shape \(4, 3, 2\)"),
        ((hourly().iloc[::-1], "temp", 1), "must be in the order of time"),
        ((hourly().assign(temp=np.nan), "temp", 1), "NaN in row 1"),
    ],
)
def test_bad_input_is_refused_with_advice(arguments, message):
    with pytest.raises(ValueError, match=message):
        supervise(*arguments)


def test_nothing_left_is_said():
    with pytest.raises(ValueError, match="Every row has a missing value"):
        supervise(hourly().assign(temp=np.nan), "temp", 1, dropna=True)
    with pytest.raises(ValueError, match="steps must be 'index' or 'rows'"):
        supervise(hourly(), "temp", 1, steps="time")


def test_supervise_feeds_a_pipeline():
    X, y = supervise(hourly(80), "temp", 3)
    model = make_pipeline(SlidingWindow(window_length=5, flatten=True), Ridge()).fit(X[:60], y[:60])
    assert model.predict(X[60:]).shape == (17, 3)


# --- the calendar ----------------------------------------------------------------------------------------------------


def test_calendar_of_the_row_and_of_the_last_target_is_added():
    hours = pd.DataFrame({"load": np.arange(60.0)}, index=pd.date_range("2024-01-01", periods=60, freq="h"))
    X, y = supervise(hours, horizon=[6, 2], calendar=["day"])
    assert list(y.columns) == ["load_lead6", "load_lead2"]
    assert list(X.columns)[:3] == ["load", "day_sin", "day_cos"]
    windows = SlidingWindow(window_length=1, calendar=["day"], horizon=6).fit_transform(hours[:-6])
    assert_array_equal(X.to_numpy(), windows[:, 0])
    assert "day_sin2_lead6" in X


def test_calendar_of_the_next_row_is_that_of_its_date():
    dates = pd.DatetimeIndex(["2024-01-01 00:00", "2024-01-01 05:00", "2024-01-03 12:00"])
    X, _ = supervise(pd.Series([1.0, 2.0, 3.0], dates), horizon=1, steps="rows", calendar=["day"])
    assert_allclose(X["day_sin_lead1"], np.sin(2 * np.pi * np.array([5, 12]) / 24), atol=1e-12)


def test_calendar_is_added_to_arrays_and_polars_frames():
    hours = pd.date_range("2024-01-01", periods=60, freq="h")
    array = np.column_stack([hours.to_pydatetime(), np.arange(60.0)])
    frame = pl.DataFrame({"time": hours, "load": np.arange(60.0)})
    X_array, _ = supervise(array, 1, calendar="auto", time_column=0)
    X_frame, _ = supervise(frame, "load", calendar="auto", time_column="time")
    assert X_frame.columns[:3] == ["time", "load", "day_sin"]
    assert_array_equal(X_array[:, 2:].astype(float), X_frame[:, 2:].to_numpy())


def test_calendar_must_be_known_and_needs_dates():
    with pytest.raises(ValueError, match="calendar must be 'auto', None, or a list"):
        supervise(np.arange(5.0), calendar="hour")
    with pytest.raises(ValueError, match="but data has no index"):
        supervise(np.arange(5.0), calendar="auto")
