"""Calendar features follow the local clock, and those of the target the grid of the rows."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from sklrnn.timeline.calendar_features import Calendar, calendar_columns, choose_cycles, need_dates
from sklrnn.timeline.table import split_table


def calendar_of(index, *, lead=1, calendar=("day",)):
    return Calendar.of_training_rows(split_table(pd.DataFrame({"x": 0.0}, index)), calendar, lead)


def test_columns_are_waves_of_the_local_time():
    noon_on_wednesday = pd.DatetimeIndex(["2024-05-01 12:00"], tz="Asia/Tokyo")
    columns = calendar_columns(noon_on_wednesday, ("day", "week"), "_lead1")
    assert_allclose(columns["day_cos_lead1"], -1.0)
    assert_allclose(columns["day_cos2_lead1"], 1.0)
    assert_allclose(columns["week_sin_lead1"], np.sin(2 * np.pi * 2.5 / 7))
    assert len(columns) == 2 * (2 + 3)


@pytest.mark.parametrize(
    ("index", "next_date"),
    [
        (pd.date_range("2024-01-01", periods=40, freq="h"), "2024-01-02 16:00"),
        (pd.date_range("2024-01-31", periods=12, freq="ME"), "2025-01-31"),
        (pd.period_range("2024-01", periods=12, freq="M"), "2025-01-01"),
        (pd.bdate_range("2024-01-01", periods=20), "2024-01-29"),
        (pd.date_range("2024-03-20", periods=12, freq="D", tz="Europe/Berlin"), "2024-04-01"),
        (pd.date_range("2024-03-20 02:30", periods=11, freq="D", tz="Europe/Berlin"), "2024-03-31 02:30"),
        (pd.date_range("2024-10-16 02:30", periods=11, freq="D", tz="Europe/Berlin"), "2024-10-27 02:30"),
        (pd.date_range("2024-01-01", periods=40, freq="h").delete([5, 6, 30]), "2024-01-02 16:00"),
    ],
    ids=[
        "hours",
        "month ends",
        "periods",
        "business days",
        "local days",
        "an hour that the clock skips",
        "an hour that comes twice",
        "with holes",
    ],
)
def test_time_of_the_target_is_a_step_of_the_index_later(index, next_date):
    calendar = calendar_of(index, calendar=("day", "week", "year"))
    row = calendar.features(index[-1:])[0]
    date = pd.DatetimeIndex([next_date])
    expected = calendar_columns(date, ("day", "week", "year"))
    names = [f"{name}_lead1" for name in expected]
    assert_allclose(row[[calendar.names.index(name) for name in names]], np.ravel(list(expected.values())))


def test_dates_without_a_rule_have_no_time_of_the_target():
    index = pd.DatetimeIndex(["2024-01-01", "2024-01-02", "2024-01-09 07:00", "2024-02-01 05:13:01", "2024-03-01"])
    assert calendar_of(index, lead=0).features(index).shape == (5, 4)
    with pytest.raises(ValueError, match="horizon=None"):
        calendar_of(index)


@pytest.mark.parametrize(
    ("index", "cycles"),
    [
        (pd.date_range("2024-01-01", periods=40, freq="h"), ()),
        (pd.date_range("2024-01-01", periods=50, freq="h"), ("day",)),
        (pd.date_range("2024-01-01", periods=24 * 14 + 1, freq="h"), ("day", "week")),
        (pd.date_range("2022-01-01", periods=1000), ("week", "year")),
        (pd.date_range("2020-01-31", periods=30, freq="ME"), ("year",)),
    ],
)
def test_auto_takes_the_cycles_that_the_rows_span_twice(index, cycles):
    assert choose_cycles(index) == cycles


@pytest.mark.parametrize("labels", [None, pd.RangeIndex(3), pd.Index(["a", "b"])])
def test_labels_that_are_no_dates_are_an_error(labels):
    with pytest.raises(ValueError, match=r"calendar='auto' reads the date of each row.*DatetimeIndex or PeriodIndex"):
        need_dates(labels, "auto")
