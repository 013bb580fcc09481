"""The step of time is inferred from the training rows: business days with holidays are no days with holes."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from pandas.tseries.holiday import USFederalHolidayCalendar

from sklrnn.timeline.grid_inference import infer_grid
from sklrnn.timeline.time_index import read_times

BUSINESS_DAYS = pd.bdate_range("2024-01-01", "2024-12-31", unit="us")
TRADING_DAYS = BUSINESS_DAYS.difference(USFederalHolidayCalendar().holidays("2024", "2025"))


def grid_of(*indexes):
    return infer_grid([read_times(pd.DatetimeIndex(index, freq=None)) for index in indexes])


def stretches(index, n_rows=20):
    return [index[start : start + n_rows] for start in range(len(index) - n_rows + 1)]


@pytest.mark.parametrize("tz", [None, "America/New_York"])
@pytest.mark.parametrize("at", ["0h", "16h"], ids=["midnight", "close of trade"])
def test_trading_days_with_holidays_are_business_days_from_whichever_row_they_start(tz, at):
    for dates in stretches(TRADING_DAYS):
        times = (dates + pd.Timedelta(at)).tz_localize(tz)
        grid = grid_of(times)
        assert grid.freq == "B"
        expected = np.busday_count(dates[0].date(), dates.values.astype("M8[D]"))
        assert_array_equal(grid.positions(read_times(times).values), expected)


@pytest.mark.parametrize("missing", [0.04, 0.2])
def test_business_days_with_missing_rows_are_business_days(missing):
    random = np.random.default_rng(0)
    for dates in stretches(BUSINESS_DAYS):
        assert grid_of(dates[random.random(20) >= missing]).freq == "B"


@pytest.mark.parametrize("missing", [0.04, 0.3])
def test_days_with_missing_rows_are_days(missing):
    random = np.random.default_rng(0)
    for dates in stretches(pd.date_range("2024-01-01", "2024-06-30")):
        grid = grid_of(dates[random.random(20) >= missing])
        assert (grid.step, grid.freq) == (np.timedelta64(1, "D"), None)


def test_one_row_on_a_weekend_makes_them_days():
    with_a_saturday = TRADING_DAYS[:30].union([pd.Timestamp("2024-01-20")])
    assert grid_of(with_a_saturday).step == np.timedelta64(1, "D")


def test_weeks_of_a_panel_that_hold_no_weekend_are_read_together():
    weeks = [BUSINESS_DAYS[start : start + 5] for start in (0, 5, 10)]
    assert [grid_of(week).step for week in weeks] == [np.timedelta64(1, "D")] * 3  # no sign of a weekend
    assert grid_of(*weeks).freq == "B"


@pytest.mark.parametrize("freq", ["W-MON", "BME", "BMS", "BQE", "2D", "3D", "h"])
@pytest.mark.parametrize("n_rows", [3, 4, 12, 40])
def test_other_steps_that_avoid_weekends_are_not_taken_for_business_days(freq, n_rows):
    index = pd.date_range("2024-01-01 09:00", periods=n_rows, freq=freq)
    grid = grid_of(index)
    assert grid.freq != "B"
    assert_array_equal(grid.positions(read_times(index).values), np.arange(n_rows))
