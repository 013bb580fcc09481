"""Times become positions: rows that follow each other directly differ by one."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from sklrnn.timeline.grid_inference import infer_grid
from sklrnn.timeline.time_index import check_increasing, read_times

N_ROWS = 120
INDEXES = {
    "hours": pd.date_range("2024-03-01", periods=N_ROWS, freq="h"),
    "quarter hours": pd.date_range("2024-03-01", periods=N_ROWS, freq="15min"),
    "days": pd.date_range("2024-01-30", periods=N_ROWS, freq="D"),
    "every second day at noon": pd.date_range("2024-01-01 12:00", periods=N_ROWS, freq="2D"),
    "business days": pd.date_range("2024-01-01", periods=N_ROWS, freq="B"),
    "weeks": pd.date_range("2024-01-03", periods=N_ROWS, freq="W-WED"),
    "month ends": pd.date_range("2010-01-31", periods=N_ROWS, freq="ME"),
    "month starts": pd.date_range("2010-01-01", periods=N_ROWS, freq="MS"),
    "business month ends": pd.date_range("2010-01-01", periods=N_ROWS, freq="BME"),
    "quarters": pd.date_range("1990-01-01", periods=N_ROWS, freq="QE"),
    "years": pd.date_range("1900-01-01", periods=N_ROWS, freq="YE"),
    "hours through a change of clocks": pd.date_range("2024-03-29", periods=N_ROWS, freq="h", tz="Europe/Berlin"),
    "days through a change of clocks": pd.date_range("2024-03-01", periods=N_ROWS, freq="D", tz="Europe/Berlin"),
    "nanoseconds": pd.date_range("2024-03-01", periods=N_ROWS, freq="7ns"),
    "months as periods": pd.period_range("2010-01", periods=N_ROWS, freq="M"),
    "pairs of months as periods": pd.period_range("2010-01", periods=N_ROWS, freq="2M"),
    "hours as periods": pd.period_range("2010-01", periods=N_ROWS, freq="h"),
    "range": pd.RangeIndex(N_ROWS),
    "range in steps": pd.RangeIndex(5, 5 + 7 * N_ROWS, 7),
    "integers": pd.Index(np.arange(N_ROWS, dtype=np.uint16) * 10),
    "whole floats": pd.Index(np.arange(N_ROWS) * 3.0),
    "fractions": pd.Index(np.arange(N_ROWS) * 0.1),
    "durations": pd.timedelta_range("1h", periods=N_ROWS, freq="90s"),
}
every_index = pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES)


@every_index
@pytest.mark.parametrize(
    "train",
    [np.arange(70), np.r_[0:40, 60:100], np.r_[0:20, 30:50, 55:90, 100:110]],
    ids=["unbroken", "with a hole", "with three holes"],
)
def test_a_grid_inferred_in_training_places_all_rows(index, train):
    grid = infer_grid([read_times(index[train])])
    assert_array_equal(grid.positions(read_times(index[train]).values), train - train[0])
    assert_array_equal(grid.positions(read_times(index[40:]).values), np.arange(N_ROWS - 40))
    few = np.array([3, 4, 77, 119])
    assert_array_equal(grid.positions(read_times(index[few]).values), few - 3)


def test_a_declared_frequency_needs_no_rows_to_be_inferred_from():
    index = pd.DatetimeIndex(["2024-01-31"], freq="ME")
    grid = infer_grid([read_times(index)])
    later = pd.DatetimeIndex(["2024-01-31", "2024-02-29", "2024-05-31"])
    assert_array_equal(grid.positions(read_times(later).values), [0, 1, 4])


def test_holidays_of_a_custom_calendar_are_no_gaps():
    closed = pd.offsets.CustomBusinessDay(holidays=["2024-01-03"])
    index = pd.date_range("2024-01-01", periods=10, freq=closed)
    grid = infer_grid([read_times(index)])
    assert_array_equal(grid.positions(read_times(index[[0, 2, 9]]).values), [0, 2, 9])


def test_missing_hours_are_gaps():
    index = pd.date_range("2024-01-01", periods=200, freq="h")[np.random.default_rng(0).random(200) < 0.8]
    positions = infer_grid([read_times(index)]).positions(read_times(index).values)
    assert_array_equal(positions, (index - index[0]) // pd.Timedelta("1h"))


def test_stamps_without_any_rule_follow_each_other_unless_far_apart():
    seconds = np.cumsum(np.random.default_rng(0).integers(60, 4000, size=50))
    index = pd.Timestamp("2024-01-01") + pd.to_timedelta(seconds, unit="s")
    grid = infer_grid([read_times(index)])
    assert grid.step is None
    assert grid.freq is None
    assert_array_equal(grid.positions(read_times(index).values), np.arange(50))
    later = read_times(index[[0, 1]].append(pd.DatetimeIndex([index[1] + pd.Timedelta("1D")])))
    assert grid.positions(later.values)[-1] > 10**9


def test_numbers_that_count_the_rows_of_a_panel_are_only_an_order():
    odd, even = read_times(pd.Index([0, 3, 4, 8])), read_times(pd.Index([1, 2, 5, 6]))
    assert_array_equal(infer_grid([odd, even]).positions(odd.values), np.arange(4))
    shared = read_times(pd.Index([0, 1, 2, 5]))
    assert_array_equal(infer_grid([shared, shared]).positions(shared.values), [0, 1, 2, 5])


def test_stamps_of_two_units_are_one_kind():
    seconds = pd.date_range("1800-01-01", periods=10, freq="D", unit="s")
    grid = infer_grid([read_times(seconds)])
    assert_array_equal(grid.positions(read_times(seconds.as_unit("us")).values), np.arange(10))


@pytest.mark.parametrize("labels", [["a", "b"], [True, False], pd.Categorical(["x", "y"])])
def test_labels_that_are_no_times(labels):
    assert read_times(pd.Index(labels)) is None


def test_a_missing_time_is_named():
    with pytest.raises(ValueError, match="row 1 has none"):
        read_times(pd.DatetimeIndex(["2024-01-01", None]))


@pytest.mark.parametrize(
    ("stamps", "message"),
    [
        (["2024-01-01", "2024-01-02", "2024-01-02"], r"rows 1 and 2 are both at 2024-01-02.*groups="),
        (["2024-01-01", "2024-01-03", "2024-01-02"], r"row 2 \(2024-01-02.*before row 1 \(2024-01-03.*sort_index"),
    ],
)
def test_repeated_and_backward_times_are_named(stamps, message):
    with pytest.raises(ValueError, match=message):
        check_increasing(read_times(pd.DatetimeIndex(stamps)))
