"""The index of a series: its frequency, its continuation, and the steps and times of a horizon."""

import re

import numpy as np
import pandas as pd
import pytest
from sktime.forecasting.base import ForecastingHorizon

from sklrnn.forecasting.fh_index import continue_index, resolve_fh, times_after, with_frequency
from sklrnn.timeline.time_index import frequency_of

WORKDAYS = pd.offsets.CustomBusinessDay(weekmask="Mon Tue Thu Fri")
REGULAR = {
    "days": pd.date_range("2024-02-25", periods=12, freq="D"),
    "month starts": pd.date_range("2024-01-01", periods=12, freq="MS"),
    "month ends": pd.date_range("2024-01-31", periods=12, freq="ME"),
    "quarters": pd.date_range("2024-01-01", periods=12, freq="QS"),
    "weeks": pd.date_range("2024-01-03", periods=12, freq="W-WED"),
    "business days": pd.bdate_range("2024-02-21", periods=12),
    "days of a calendar": pd.date_range("2024-02-20", periods=12, freq=WORKDAYS),
    "hours across a change of the clock": pd.date_range("2024-03-30 20:00", periods=12, freq="h", tz="Europe/Berlin"),
    "days across a change of the clock": pd.date_range("2024-03-26", periods=12, freq="D", tz="Europe/Berlin"),
    "every two hours": pd.date_range("2024-01-01", periods=12, freq="2h"),
    "periods of months": pd.period_range("2024-01", periods=12, freq="M"),
    "periods of two months": pd.period_range("2024-01", periods=12, freq="2M"),
    "a range": pd.RangeIndex(5, 17),
    "every second number": pd.RangeIndex(5, 29, 2),
    "whole numbers": pd.Index(np.arange(-3, 9)),
}

every_kind = pytest.mark.parametrize("index", REGULAR.values(), ids=REGULAR)


def forgetful(index):
    """The same times without their frequency, as a column of a file or a level of a panel gives them."""
    return pd.DatetimeIndex(list(index)) if isinstance(index, pd.DatetimeIndex) else index


@every_kind
def test_next_times_follow_the_frequency(index):
    assert times_after(index[:7], 5).equals(index[7:])
    assert len(times_after(index, 0)) == 0


@every_kind
def test_relative_steps_are_rows(index):
    steps, times = resolve_fh(ForecastingHorizon([-2, 0, 1, 4]), index[:7])
    assert steps.tolist() == [-2, 0, 1, 4]
    assert times.equals(index[[4, 6, 7, 10]])


@every_kind
def test_absolute_times_become_steps(index):
    wanted = index[[0, 6, 7, 11]]
    steps, times = resolve_fh(ForecastingHorizon(wanted, is_relative=False), index[:7])
    assert steps.tolist() == [-6, 0, 1, 5]
    assert times.equals(wanted)


@every_kind
def test_frequency_is_inferred(index):
    # pandas recognises no calendar of the user's own.
    like = index if isinstance(index, pd.DatetimeIndex) and index.freq == WORKDAYS else None
    assert times_after(with_frequency(forgetful(index), like), 3).equals(times_after(index, 3))


def test_horizon_of_timedeltas():
    hours = REGULAR["hours across a change of the clock"]
    fh = ForecastingHorizon(pd.to_timedelta([1, 5], "h"), is_relative=True)
    assert resolve_fh(fh, hours[:7])[0].tolist() == [1, 5]


def test_far_times():
    days = REGULAR["days"]
    steps, _ = resolve_fh(ForecastingHorizon(days[-1:] + pd.Timedelta(days=400), is_relative=False), days)
    assert steps.tolist() == [400]


def test_contiguous_steps_keep_the_frequency():
    days = REGULAR["days"]
    assert resolve_fh(ForecastingHorizon([2, 3, 4]), days)[1].freq == days.freq


def test_short_series_take_the_frequency_of_a_longer_one():
    months = REGULAR["month starts"]
    assert with_frequency(forgetful(months[:1]), like=months).freq == months.freq
    # Five days in a row may be business days, if others are.
    week = pd.date_range("2024-02-26", periods=5)
    assert with_frequency(forgetful(week)).freqstr == "D"
    assert with_frequency(forgetful(week), like=REGULAR["business days"]).freqstr == "B"


def test_other_frequency_than_the_longest_series_is_kept():
    assert with_frequency(forgetful(REGULAR["days"]), like=REGULAR["month starts"]).freqstr == "D"


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (
            REGULAR["days"].delete(4),
            "sales must have times with a fixed frequency, but 2024-02-28 00:00:00 is followed by 2024-03-01 00:00:00. "
            "Put missing rows in",
        ),
        (REGULAR["periods of months"].delete(4), "fixed frequency 'M', but 2024-04 is followed by 2024-06"),
        (pd.Index([1, 2, 3, 7, 8]), "fixed step from row to row, but 3 is followed by 7"),
        (REGULAR["days"].append(REGULAR["days"][-1:]), "one row at each time, but 2024-03-07 00:00:00 is there more"),
        (REGULAR["periods of months"].repeat(2), "one row at each time, but 2024-01 is there more than once"),
        (
            forgetful(REGULAR["days"][:2]),
            "The 2 row(s) of sales are too few to infer a frequency. Pass more rows, set the freq",
        ),
    ],
    ids=["missing day", "missing month", "missing number", "day twice", "months twice", "two rows"],
)
def test_times_without_a_frequency_are_an_error(index, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        with_frequency(index, whose="sales")


def test_times_must_be_times():
    with pytest.raises(TypeError, match="must have a DatetimeIndex, a PeriodIndex or whole numbers .* got Index"):
        with_frequency(pd.Index([0.5, 1.5, 2.5]))


@pytest.mark.parametrize(
    ("kind", "wanted", "error", "message"),
    [
        ("days", REGULAR["days"][-1:] + pd.Timedelta("12h"), ValueError, "2024-03-07 12:00:00.*'D', and none at that"),
        ("business days", pd.DatetimeIndex(["2024-03-09"]), ValueError, "2024-03-09.*'B', and none at that time"),
        ("days", pd.DatetimeIndex(["2024-02-24"]), ValueError, "rows from 2024-02-25 00:00:00 on"),
        (
            "days",
            REGULAR["periods of months"],
            TypeError,
            "of the kind PeriodIndex of frequency 'M', but y has Datetime",
        ),
        (
            "hours across a change of the clock",
            REGULAR["days"],
            TypeError,
            "kind DatetimeIndex, but y has DatetimeIndex with a time zone",
        ),
    ],
)
def test_times_that_the_series_never_has_are_an_error(kind, wanted, error, message):
    with pytest.raises(error, match=message):
        resolve_fh(ForecastingHorizon(wanted, is_relative=False), REGULAR[kind])


def test_steps_before_the_first_row_are_an_error():
    with pytest.raises(
        ValueError, match="12 row.s. before the last one of y, but only 12 rows are known. The first is 5"
    ):
        resolve_fh(ForecastingHorizon([-12, 1]), REGULAR["a range"])


@every_kind
@pytest.mark.parametrize("start", [0, 3, 7])
def test_rows_that_continue_get_the_frequency(index, start):
    new = continue_index(index[:7], forgetful(index[start:]), "y")
    assert new.equals(index[start:])
    assert frequency_of(new) == frequency_of(index)


@every_kind
def test_rows_may_precede(index):
    assert continue_index(index[7:], index[:7], "y").equals(index[:7])
    assert continue_index(index[5:9], index[3:7], "y").equals(index[3:7])
    with pytest.raises(ValueError, match="Pass the rows between"):
        continue_index(index[7:], index[:6], "y")


@every_kind
@pytest.mark.parametrize("hole", [7, 9])
def test_rows_with_a_hole_are_no_continuation(index, hole):
    with pytest.raises(ValueError, match=r"that continue .*: expected .*, got .*\. Pass the rows between"):
        continue_index(index[:7], index.delete(hole)[7:], "y")


def test_rows_out_of_step_are_no_continuation():
    every_second = pd.RangeIndex(0, 20, 2)
    with pytest.raises(ValueError, match="frequency 2 after 18: expected 6, got 5"):
        continue_index(every_second, pd.RangeIndex(5, 15, 2), "y")
