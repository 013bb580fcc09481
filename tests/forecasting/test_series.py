"""Frames split into series, extended, filled and concatenated."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from sklrnn.forecasting.series import (
    forward_fill,
    make_index,
    merge_rows,
    prepare_series,
    split_frame,
    split_series,
    stack_series,
)

NAN = np.nan
DAYS = pd.date_range("2024-01-01", periods=10, freq="D")
Y = pd.DataFrame({"y": [1.0, 2.0, 3.0]}, index=DAYS[:3])


def one(values, index=DAYS):
    frame = pd.DataFrame({"y": np.asarray(values, dtype=float)}, index=index[: len(values)])
    return prepare_series(split_series(frame, None), ("y",))[None]


def more(values, index):
    return split_series(pd.DataFrame({"y": np.asarray(values, dtype=float)}, index=index), None)[None]


def panel(lengths, keys):
    frames = {
        key: pd.DataFrame({"y": np.arange(float(n))}, index=DAYS[:n]) for key, n in zip(keys, lengths, strict=True)
    }
    return pd.concat(frames)


# -- splitting -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", [["b", "a"], [3, 1], [("x", 1), ("x", 2)]], ids=["names", "numbers", "hierarchy"])
def test_series_of_a_panel_are_split_and_indexed_again(keys):
    frame = panel([4, 6], keys)
    series = prepare_series(split_series(frame, None), ("y",))
    assert list(series) == keys
    assert [len(one) for one in series.values()] == [4, 6]
    again = make_index({key: one.index for key, one in series.items()}, frame.index.names)
    assert again.equals(frame.index)


def test_integers_booleans_and_missing_integers_are_numbers():
    frame = pd.DataFrame(
        {"a": pd.array([1, None, 3], dtype="Int64"), "b": [True, False, True], "c": np.float32([0.5, 1, 2])},
        index=DAYS[:3],
    )
    (series,) = split_series(frame, None).values()
    assert_array_equal(series.y, [[1, 1, 0.5], [NAN, 0, 1], [3, 1, 2]])
    assert series.y.dtype == np.float64


def test_X_is_taken_at_the_times_of_y():
    y = pd.DataFrame({"y": [1.0, 2.0]}, index=DAYS[3:5])
    X = pd.DataFrame({"x": np.arange(10.0)}, index=DAYS)
    assert_array_equal(split_series(y, {None: X})[None].X, [[3], [4]])
    with pytest.raises(ValueError, match="but 1 are missing, the first at 2024-01-05"):
        split_series(y, {None: X[:4]})


def test_series_without_X_is_an_error():
    with pytest.raises(ValueError, match="X has no rows for the series 'b'"):
        split_series(panel([3, 3], ["a", "b"]), split_frame(panel([3], ["a"])))


def test_infinite_values_are_an_error():
    with pytest.raises(ValueError, match=r"^y is infinite at 2024-01-02 .* in column 'y'. Put NaN"):
        one([1, np.inf, 2])
    X = pd.DataFrame({"x": [1, 2, -np.inf]}, index=DAYS[:3])
    with pytest.raises(ValueError, match="^X of y is infinite at 2024-01-03"):
        split_series(Y, {None: X})


def test_two_rows_of_X_at_a_time_are_an_error():
    X = pd.DataFrame({"x": [1.0, 2.0]}, index=DAYS[[0, 0]])
    with pytest.raises(ValueError, match="X of y must have one row at each time, but 2024-01-01"):
        split_series(Y[:1], {None: X})


def test_series_without_any_value_is_an_error():
    with pytest.raises(ValueError, match="^y has 2 rows, but no known value. Leave it out"):
        one([NAN, NAN])
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [NAN] * 3}, index=DAYS[:3])
    with pytest.raises(ValueError, match="no known value in column 'b'"):
        prepare_series(split_series(frame, None), ("a", "b"))
    half = panel([3, 3], ["a", "b"])
    half.loc["b"] = NAN
    with pytest.raises(ValueError, match="the series 'b' has 3 rows, but no known value"):
        prepare_series(split_series(half, None), ("y",))


def test_short_series_of_a_panel_share_the_frequency():
    series = prepare_series(split_series(panel([1, 2, 6], ["a", "b", "c"]), None), ("y",))
    assert {one.index.freqstr for one in series.values()} == {"D"}


# -- extending -------------------------------------------------------------------------------------------------------


def test_new_rows_follow_and_replace():
    series = merge_rows(one([0, 1, 2, 3]), more([20, 30, 40], DAYS[2:5]), None)
    assert series.y.ravel().tolist() == [0, 1, 20, 30, 40]
    assert series.index.equals(DAYS[:5])
    assert series.index.freqstr == "D"


def test_rows_after_replaced_ones_are_kept():
    series = merge_rows(one([0, 1, 2, 3]), more([10, 20], DAYS[1:3]), None)
    assert series.y.ravel().tolist() == [0, 10, 20, 3]


def test_rows_may_come_before_the_first():
    series = merge_rows(one([2, 3], DAYS[2:]), more([0, 1], DAYS[:2]), None)
    assert series.y.ravel().tolist() == [0, 1, 2, 3]


def test_level_and_scale_stay_until_they_are_computed_again():
    before = one([0, 1, 2, 3])
    after = merge_rows(before, more([100.0], DAYS[4:5]), None)
    assert after.level == before.level == 1.5
    assert after.with_current_scale().level == 106 / 5


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
        merge_rows(one([0, 1, 2, 3]), more([1, 2], index), None)


def test_periods_of_another_length_are_an_error():
    months = pd.period_range("2024-01", periods=4, freq="M")
    with pytest.raises(TypeError, match="frequency 'D', but was fitted to PeriodIndex of frequency 'M'"):
        merge_rows(one([0, 1, 2, 3], months), more([1], pd.period_range("2024-05-01", periods=1, freq="D")), None)


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
    table = np.hstack([column, np.arange(float(len(values)))[:, np.newaxis]])
    assert_array_equal(forward_fill(table)[:, 0], filled)
    assert_array_equal(forward_fill(table)[:, 1], np.arange(len(values)))


def test_stacked_series_are_concatenated():
    series = {"a": one([NAN, 5, NAN, 7]), "b": one([1, 2])}
    ahead = {key: np.zeros((3, 0)) for key in series}
    stacked = stack_series(series, sp=1, X_ahead=ahead, n_ahead=3)
    assert_array_equal(stacked.y.ravel(), [5, 5, 5, 7, NAN, NAN, NAN, 1, 2, NAN, NAN, NAN])
    assert_array_equal(np.flatnonzero(stacked.observed), [1, 3, 7, 8])
    assert stacked.starts.tolist() == [0, 7]
    assert stacked.ends.tolist() == [7, 12]
    assert stacked.first_observed.tolist() == [[1], [7]]
    assert_array_equal(stacked.level.ravel(), [5.5, 1.5])


def test_naive_error_looks_one_season_back():
    series = {"a": one([0, 10, 1, 11, 2, 12])}
    assert stack_series(series, sp=2).naive_error.tolist() == [[1.0]]
    assert stack_series(series, sp=1).naive_error.tolist() == [[9.6]]
    # A series shorter than a season is compared with the row before.
    assert stack_series(series, sp=6).naive_error.tolist() == [[9.6]]


@pytest.mark.parametrize("value", [0.0, 1e9 + 0.1, -3e-9])
def test_constant_has_the_scale_zero(value):
    assert one([value] * 9).scale == 0.0


def test_small_variation_around_a_high_level_is_no_rounding():
    assert one(1e9 + np.arange(9.0)).scale == pytest.approx(np.arange(9).std())
