"""Targets and windows agree with what a loop over the rows finds."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from sklrnn.preprocessing.sliding_window import SlidingWindow
from sklrnn.preprocessing.supervise import make_windows, supervise


def hourly(n_rows=30, seed=0):
    data = np.random.default_rng(seed).normal(size=(n_rows, 3))
    hours = pd.date_range("2024-01-01", periods=n_rows, freq="h", name="when")
    return pd.DataFrame(data, columns=["temp", "wind", "rain"], index=hours)


horizons = st.one_of(st.integers(1, 6), st.lists(st.integers(1, 6), min_size=1, unique=True))


def steps_of(horizon):
    return list(range(1, horizon + 1)) if isinstance(horizon, int) else horizon


# --- supervise -----------------------------------------------------------------------------------------------------


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


def test_one_step_of_one_target_is_one_dimensional():
    data = hourly()
    y = supervise(data, "temp", 1)[1]
    assert isinstance(y, pd.Series)
    assert_array_equal(y, data["temp"][1:])
    assert supervise(data.to_numpy(), 0, [3])[1].shape == (27,)


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
        ((hourly(), "temp", 0), "horizon must be an int of at least 1, got 0"),
        ((hourly(), "temp", [1, 0]), "Each step of horizon must be an int of at least 1"),
        ((hourly(), "temp", [1, 1]), "different steps"),
        ((hourly(), "temp", []), "different steps"),
        ((hourly(), "temp", 1.5), "got 1.5"),
        ((hourly(), "snow", 1), "target='snow' is no column of X"),
        ((hourly(), [], 1), "target must name at least one column"),
        ((hourly()["temp"], "temp", 1), r"series.to_frame\(\)"),
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


# --- make_windows --------------------------------------------------------------------------------------------------


@given(st.integers(1, 5), st.integers(1, 4), st.integers(1, 6), st.integers(1, 4), st.integers(1, 3),
       st.integers(0, 12), st.booleans(), st.booleans())  # fmt: skip
@settings(max_examples=120, deadline=None)
def test_windows_agree_with_a_loop(length, horizon, stride, offset, step, extra, own_targets, as_panel):
    need = (length - 1) * step + offset + horizon
    data = hourly(need + extra)
    y = data[["rain"]] * 2 if own_targets else None
    truth = [
        (
            data.iloc[start : start + (length - 1) * step + 1 : step].to_numpy(),
            (data if y is None else y).iloc[start + (length - 1) * step + offset :][:horizon].to_numpy().ravel(),
        )
        for start in range(0, extra + 1, stride)
    ]
    options = {"window_length": length, "horizon": horizon, "stride": stride, "offset": offset, "stride_within": step}
    if as_panel:
        X = pd.concat({"a": data, "b": data + 1.0, "c": data[: need - 1]})
        windows, targets = make_windows(X, None if y is None else pd.concat([y, y + 1.0, y[: need - 1]]), **options)
        assert_array_equal(windows[len(truth) :], windows[: len(truth)] + 1.0)
        windows, targets = windows[: len(truth)], targets[: len(truth)]
    else:
        windows, targets = make_windows(data, y, **options)
    assert_array_equal(windows, [window for window, _ in truth])
    assert_array_equal(targets.reshape(len(truth), -1), [target for _, target in truth])


def test_the_reshape_approach_shares_no_row():
    windows, targets = make_windows(np.arange(13.0), window_length=4, stride=4)
    assert_array_equal(windows[:, :, 0], np.arange(12.0).reshape(3, 4))
    assert_array_equal(targets, [4.0, 8.0, 12.0])


def test_windows_of_one_series_are_a_view():
    rows = np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32)
    windows, targets = make_windows(rows, np.arange(100), window_length=10, stride=3)
    assert np.shares_memory(windows, rows)
    assert not windows.flags.writeable
    assert windows.dtype == np.float32
    assert targets.dtype == np.arange(100).dtype


def test_labels_of_the_last_row_are_targets_too():
    labels = np.array(["calm", "storm"] * 5)
    windows, targets = make_windows(np.arange(10.0), labels, window_length=3, offset=0)
    assert windows.shape == (8, 3, 1)
    assert_array_equal(targets, labels[2:])


def test_a_series_goes_in_as_it_is():
    assert make_windows(hourly()["temp"], window_length=3)[0].shape == (27, 3, 1)
    data = panel()
    windows, targets = make_windows(data, data["temp"], window_length=3, groups="town")
    assert windows.shape == (9 + 6, 3, 3)
    assert_array_equal(targets[9:], data["temp"][15:])


@pytest.mark.parametrize(
    ("X", "options", "message"),
    [
        (np.arange(5.0), {"window_length": 5}, r"needs at least 6 rows, got 5"),
        (np.arange(9.0), {"window_length": 0}, "window_length must be an int of at least 1, got 0"),
        (np.arange(9.0), {"window_length": 3, "offset": 0}, "offset must be an int of at least 1, got 0"),
        (np.arange(9.0), {"window_length": 3, "stride": True}, "stride must be an int"),
        (np.array(["a"] * 9, dtype=object), {"window_length": 3}, "Column 0 holds no numbers"),
        (np.arange(9.0), {"window_length": 3, "y": [1, 2]}, "inconsistent numbers of samples"),
    ],
)
def test_bad_windows_are_refused_with_advice(X, options, message):
    with pytest.raises(ValueError, match=message):
        make_windows(X, **options)
