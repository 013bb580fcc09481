"""Frames split into series, extended, filled and concatenated."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from sklrnn.forecasting.history import History
from sklrnn.forecasting.row_statistics import fill_forward
from sklrnn.forecasting.series import make_index

NAN = np.nan
DAYS = pd.date_range("2024-01-01", periods=10, freq="D")
Y = pd.DataFrame({"y": [1.0, 2.0, 3.0]}, index=DAYS[:3])


def frame_of(values, index=DAYS):
    return pd.DataFrame({"y": np.asarray(values, dtype=float)}, index=index[: len(values)])


def one(values, index=DAYS):
    return History.from_frames(frame_of(values, index), None)


def table(y, X=None):
    return History.from_frames(y, X).table


def panel(lengths, keys):
    frames = {
        key: pd.DataFrame({"y": np.arange(float(n))}, index=DAYS[:n]) for key, n in zip(keys, lengths, strict=True)
    }
    return pd.concat(frames)


# -- splitting -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", [["b", "a"], [3, 1], [("x", 1), ("x", 2)]], ids=["names", "numbers", "hierarchy"])
def test_series_of_a_panel_are_split_and_indexed_again(keys):
    frame = panel([4, 6], keys)
    read = table(frame)
    assert read.keys.tolist() == keys
    assert read.lengths.tolist() == [4, 6]
    times = read.times.index_of(0).append(read.times.index_of(1))
    assert make_index(read.keys, read.lengths, times, frame.index.names).equals(frame.index)


@pytest.mark.parametrize("shuffled", [False, True], ids=["one after the other", "row by row"])
def test_rows_of_a_series_need_not_lie_together(shuffled):
    frame = panel([4, 6, 5], ["b", "a", "c"])
    frame["y"] = np.arange(15.0)
    order = np.argsort(frame.index.get_level_values(1), kind="stable") if shuffled else np.arange(15)
    read = table(frame.iloc[order])
    assert read.keys.tolist() == ["b", "a", "c"]
    assert read.y.ravel().tolist() == list(range(15))


def test_integers_booleans_and_missing_integers_are_numbers():
    frame = pd.DataFrame(
        {"a": pd.array([1, None, 3], dtype="Int64"), "b": [True, False, True], "c": np.float32([0.5, 1, 2])},
        index=DAYS[:3],
    )
    series = table(frame)
    assert_array_equal(series.y, [[1, 1, 0.5], [NAN, 0, 1], [3, 1, 2]])
    assert series.y.dtype == np.float64


def test_the_rows_are_a_copy_of_those_of_the_user():
    y = pd.DataFrame({"y": [1.0, 2.0, 3.0]}, index=DAYS[:3])
    series = table(y)
    y.iloc[0] = 9.0
    assert series.y[0] == 1.0


def test_X_is_taken_at_the_times_of_y():
    y = pd.DataFrame({"y": [1.0, 2.0]}, index=DAYS[3:5])
    X = pd.DataFrame({"x": np.arange(10.0)}, index=DAYS)
    y = y.reindex(DAYS[3:6]).ffill()
    assert_array_equal(table(y, X).X, [[3], [4], [5]])
    with pytest.raises(ValueError, match="but 2 are missing, the first at 2024-01-05"):
        table(y, X[:4])


def test_X_of_a_panel_may_have_any_order_and_further_rows():
    y = panel([3, 4], ["b", "a"])
    X = panel([7, 9, 5], ["a", "b", "c"]).rename(columns={"y": "x"})
    X["x"] = np.arange(21.0)
    read = History.from_frames(y, X.iloc[::-1])
    assert read.table.X.ravel().tolist() == [7, 8, 9, 0, 1, 2, 3]
    assert read.early_X.series.tolist() == [0] * 6 + [1] * 3
    assert read.early_X.values.ravel().tolist() == [10, 11, 12, 13, 14, 15, 4, 5, 6]


def test_series_without_X_is_an_error():
    with pytest.raises(ValueError, match="X has no rows for the series 'b'"):
        table(panel([3, 3], ["a", "b"]), panel([3], ["a"]))


def test_infinite_values_are_an_error():
    with pytest.raises(ValueError, match=r"^y is infinite at 2024-01-02 .* in column 'y'. Put NaN"):
        one([1, np.inf, 2])
    X = pd.DataFrame({"x": [1, 2, -np.inf]}, index=DAYS[:3])
    with pytest.raises(ValueError, match="^X of y is infinite at 2024-01-03"):
        table(Y, X)


def test_two_rows_of_X_at_a_time_are_an_error():
    X = pd.DataFrame({"x": [1.0, 2.0]}, index=DAYS[[0, 0]])
    with pytest.raises(ValueError, match="X of y must have one row at each time, but 2024-01-01"):
        table(Y[:1], X)


def test_series_without_any_value_is_an_error():
    with pytest.raises(ValueError, match="^y has 2 rows, but no known value. Leave it out"):
        one([NAN, NAN])
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [NAN] * 3}, index=DAYS[:3])
    with pytest.raises(ValueError, match="no known value in column 'b'"):
        table(frame)
    half = panel([3, 3], ["a", "b"])
    half.loc["b"] = NAN
    with pytest.raises(ValueError, match="the series 'b' has 3 rows, but no known value"):
        table(half)


def test_short_series_of_a_panel_share_the_frequency():
    times = table(panel([1, 2, 6], ["a", "b", "c"])).times
    assert {times.index_of(number).freqstr for number in range(3)} == {"D"}


# -- extending -------------------------------------------------------------------------------------------------------


def extended(history, values, index):
    return history.extend(frame_of(values, index), None).table


def test_new_rows_follow_and_replace():
    series = extended(one([0, 1, 2, 3]), [20, 30, 40], DAYS[2:5])
    assert series.y.ravel().tolist() == [0, 1, 20, 30, 40]
    assert series.times.index_of(0).equals(DAYS[:5])
    assert series.times.index_of(0).freqstr == "D"


def test_rows_after_replaced_ones_are_kept():
    assert extended(one([0, 1, 2, 3]), [10, 20], DAYS[1:3]).y.ravel().tolist() == [0, 10, 20, 3]


def test_rows_may_come_before_the_first():
    series = extended(one([2, 3], DAYS[2:]), [0, 1], DAYS[:2])
    assert series.y.ravel().tolist() == [0, 1, 2, 3]
    assert series.times.index_of(0).equals(DAYS[:4])


def test_each_series_of_a_panel_is_extended_at_its_own_place():
    history = History.from_frames(panel([3, 4, 2], ["a", "b", "c"]), None)
    new = {
        "c": frame_of([12, 13], DAYS[2:4]),
        "new": frame_of([5, 6, 7], DAYS[3:6]),
        "a": frame_of([21, 22], DAYS[1:3]),
    }
    after = history.extend(pd.concat(new), None)
    assert after.table.keys.tolist() == ["a", "b", "c", "new"]
    assert np.split(after.table.y.ravel(), after.table.offsets[1:-1])[0].tolist() == [0, 21, 22]
    assert after.table.y.ravel().tolist() == [0, 21, 22, 0, 1, 2, 3, 0, 1, 12, 13, 5, 6, 7]
    assert after.n_known.tolist() == [3, 4, 4, 3]
    assert after.table.times.index_of(3).equals(DAYS[3:6])


def test_level_and_scale_stay_until_they_are_computed_again():
    before = one([0, 1, 2, 3])
    after = before.extend(frame_of([100.0], DAYS[4:5]), None)
    assert after.table.level == before.table.level == 1.5
    assert after.with_current_scales().table.level == 106 / 5


@pytest.mark.parametrize(
    ("index", "error", "message"),
    [
        (DAYS[5:7], ValueError, "expected 2024-01-05 .*, got 2024-01-06"),
        (pd.date_range("2024-01-05", periods=2, freq="12h"), ValueError, "frequency 'D' .* got 2024-01-05 12:00"),
        (DAYS[[1, 3]], ValueError, "expected 2024-01-03 .*, got 2024-01-04"),
        (
            pd.period_range("2024-01-05", periods=2, freq="D"),
            TypeError,
            "PeriodIndex of frequency 'D', but .* Datetime",
        ),
        (DAYS[4:6].tz_localize("UTC"), TypeError, "with a time zone, but was fitted to DatetimeIndex. Pass the same"),
        (pd.RangeIndex(4, 6), TypeError, "the kind whole numbers"),
    ],
    ids=["gap", "other frequency", "hole in what is known", "periods", "time zone", "numbers"],
)
def test_rows_that_do_not_follow_are_an_error(index, error, message):
    with pytest.raises(error, match=message):
        extended(one([0, 1, 2, 3]), [1, 2], index)


def test_periods_of_another_length_are_an_error():
    months = pd.period_range("2024-01", periods=4, freq="M")
    with pytest.raises(TypeError, match="frequency 'D', but was fitted to PeriodIndex of frequency 'M'"):
        extended(one([0, 1, 2, 3], months), [1], pd.period_range("2024-05-01", periods=1, freq="D"))


# -- concatenating ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "filled"),
    [
        ([1, NAN, 3, NAN, NAN], [1, 1, 3, 3, 3]),
        ([NAN, NAN, 3, 4], [3, 3, 3, 4]),
        ([NAN, NAN], [0, 0]),
        ([1, 2], [1, 2]),
    ],
)
def test_gaps_are_filled_forward(values, filled):
    column = np.array(values, dtype=float)[:, np.newaxis]
    rows = np.hstack([column, np.arange(float(len(values)))[:, np.newaxis]])
    twice = fill_forward(np.concatenate([rows, rows]), np.array([0, 1, 2]) * len(values))
    assert_array_equal(twice[:, 0], filled * 2)
    assert_array_equal(twice[:, 1], np.tile(np.arange(len(values)), 2))


def test_stacked_series_are_concatenated():
    read = table(pd.concat({"a": frame_of([NAN, 5, NAN, 7]), "b": frame_of([1, 2])}))
    stacked = read.stack(sp=1, X_ahead=np.zeros((2, 3, 0)))
    assert_array_equal(stacked.y.ravel(), [5, 5, 5, 7, NAN, NAN, NAN, 1, 2, NAN, NAN, NAN])
    assert_array_equal(np.flatnonzero(stacked.observed), [1, 3, 7, 8])
    assert stacked.starts.tolist() == [0, 7]
    assert stacked.ends.tolist() == [7, 12]
    assert stacked.first_observed.tolist() == [[1], [7]]
    assert_array_equal(stacked.level.ravel(), [5.5, 1.5])


def test_naive_error_looks_one_season_back():
    series = table(frame_of([0, 10, 1, 11, 2, 12]))
    assert series.stack(sp=2).naive_error.tolist() == [[1.0]]
    assert series.stack(sp=1).naive_error.tolist() == [[9.6]]
    # A series shorter than a season is compared with the row before.
    assert series.stack(sp=6).naive_error.tolist() == [[9.6]]


@pytest.mark.parametrize("value", [0.0, 1e9 + 0.1, -3e-9])
def test_constant_has_the_scale_zero(value):
    assert table(frame_of([value] * 9)).scale == 0.0


def test_small_variation_around_a_high_level_is_no_rounding():
    assert table(frame_of(1e9 + np.arange(9.0))).scale == pytest.approx(np.arange(9).std())
