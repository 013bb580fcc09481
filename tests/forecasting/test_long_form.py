"""Panels from tables in the long form, of pandas and polars."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from pandas.testing import assert_frame_equal

from sklrnn.forecasting import GRUForecaster, panel_from_long

DAYS = pd.date_range("2024-01-01", periods=20, freq="D")


@pytest.fixture
def table():
    """Two series of different length, in an order of rows by chance, with a column of X."""
    index = pd.MultiIndex.from_tuples([("b", day) for day in DAYS] + [("a", day) for day in DAYS[4:]])
    rows = pd.DataFrame({"unique_id": index.get_level_values(0), "ds": index.get_level_values(1)})
    random = np.random.default_rng(0)
    return rows.assign(y=random.normal(size=36), price=np.arange(36)).sample(frac=1, random_state=0)


def in_polars(table):
    days = [day.to_pydatetime() for day in table["ds"]]  # older polars reads other times as numbers
    return pl.DataFrame({**table.to_dict("list"), "ds": days})


def by_set_index(table):
    return table.set_index(["unique_id", "ds"]).sort_index()


@pytest.mark.parametrize("convert", [lambda table: table, in_polars], ids=["pandas", "polars"])
def test_the_panel_is_that_of_set_index(table, convert):
    y, X = panel_from_long(convert(table))
    expected = by_set_index(table)
    assert_frame_equal(y, expected[["y"]], check_index_type=False)
    assert_frame_equal(X, expected[["price"]].astype(float), check_index_type=False)
    assert X.index is y.index


def test_forecasts_are_the_same_from_every_kind_of_table(table):
    expected = by_set_index(table)
    model = GRUForecaster(units=2, max_epochs=1, random_state=0, future_X=[])
    forecast = model.fit(expected[["y"]], expected[["price"]], fh=[1, 2]).predict()
    y, X = panel_from_long(in_polars(table))
    assert_frame_equal(model.fit(y, X, fh=[1, 2]).predict(), forecast, check_index_type=False)


def test_columns_may_have_other_names_and_there_may_be_several_targets(table):
    renamed = table.rename(columns={"unique_id": "shop", "ds": "day", "y": "sales"})
    y, X = panel_from_long(renamed, id="shop", time="day", target=["sales", "price"])
    assert y.columns.tolist() == ["sales", "price"]
    assert y.index.names == ["shop", "day"]
    assert X is None


@pytest.mark.parametrize("convert", [pd.DataFrame, pl.DataFrame])
def test_X_names_the_columns_that_are_read(table, convert):
    longer = convert(table.assign(note="text").to_dict("list"))
    y, X = panel_from_long(longer, X="price")
    assert X.columns.tolist() == ["price"]
    assert panel_from_long(longer, X=[])[1] is None
    assert y.columns.tolist() == ["y"]
    with pytest.raises(TypeError, match="'note' must hold numbers, got .* X=.* names the columns"):
        panel_from_long(longer)
    with pytest.raises(ValueError, match="X names 'y', which is the target"):
        panel_from_long(longer, X=["price", "y"])
    with pytest.raises(ValueError, match="There is no column 'cost' in the table, .* Set X="):
        panel_from_long(longer, X=["cost"])


@pytest.mark.parametrize("convert", [pd.DataFrame, pl.DataFrame])
def test_a_single_series_needs_no_id(convert):
    y, _ = panel_from_long(convert({"ds": [3, 1, 2], "y": [30.0, 10.0, None]}), id=None)
    assert y.index.tolist() == [1, 2, 3]
    assert y["y"].tolist()[::2] == [10.0, 30.0]
    assert np.isnan(y["y"].iloc[1])


def test_time_zones_of_polars_are_kept():
    times = pd.date_range("2024-03-30 12:00", periods=30, freq="h", tz="Europe/Berlin")
    table = pl.DataFrame({"unique_id": ["a"] * 30, "ds": times.to_list(), "y": [*range(30)]}).with_columns(
        pl.col("ds").dt.convert_time_zone("Europe/Berlin")
    )
    y, _ = panel_from_long(table)
    assert y.index.get_level_values(-1).tolist() == times.tolist()
    assert str(y.index.levels[-1].tz) == "Europe/Berlin"


@pytest.mark.parametrize("convert", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"ds": ["2024-01-01", "2024-01-02"]}, TypeError, "column 'ds' must be dates, periods or whole numbers"),
        ({"unique_id": ["a", None]}, ValueError, "Every row needs a value in column 'unique_id', but row 1 has none"),
        ({"price": ["low", "high"]}, TypeError, "Column 'price' must hold numbers, got"),
    ],
    ids=["text as times", "no series", "text as X"],
)
def test_what_is_wrong_with_a_column_is_an_error_that_names_it(convert, changed, error, message):
    columns = {"unique_id": ["a", "a"], "ds": [1, 2], "y": [1.0, 2.0]}
    with pytest.raises(error, match=message):
        panel_from_long(convert(columns | changed))


def test_a_missing_column_and_another_object_are_errors(table):
    with pytest.raises(ValueError, match="There is no column 'unique_id' in the table, which has .*Set id="):
        panel_from_long(table.rename(columns={"unique_id": "shop"}))
    with pytest.raises(TypeError, match="needs a DataFrame of pandas or polars or a Table of PyArrow, got list"):
        panel_from_long([1, 2])
