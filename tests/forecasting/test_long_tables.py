"""Forecasters read tables of polars in the long form, and give such tables; for PyArrow see ``tests/parquet``."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import skops.io
from pandas.testing import assert_frame_equal
from polars.testing import assert_frame_equal as assert_polars_equal

from sklrnn import trusted_types
from sklrnn.forecasting import GRUForecaster, compare, panel_from_long

DAYS = pd.date_range("2024-01-01", periods=30)
RNG = np.random.default_rng(0)
SALES = pl.DataFrame({"unique_id": ["a"] * 30 + ["b"] * 30, "ds": [*DAYS] * 2, "y": RNG.normal(size=60)})
LATER = pl.DataFrame({"unique_id": ["b", "a"], "ds": [DAYS[-1] + DAYS.freq] * 2, "y": [0.5, 0.1]})
PRICE = pl.concat([SALES, LATER]).select("unique_id", "ds", price=pl.col("ds").dt.weekday())
NAME = pl.col("unique_id")
ONE = SALES[:30].drop("unique_id")


def make(**settings):
    return GRUForecaster(units=2, max_epochs=1, window_length=7, random_state=0, **settings)


def in_pandas(table, series="unique_id", time="ds"):
    return panel_from_long(table, id=series, time=time, target=[c for c in table.columns if c not in (series, time)])[0]


def assert_same_numbers(table, frame, series="unique_id", time="ds"):
    assert isinstance(table, pl.DataFrame)
    assert_frame_equal(in_pandas(table, series, time), frame, check_index_type=False, check_freq=False)


def test_a_long_table_is_forecast_as_its_panel_is():
    expected = make().fit(in_pandas(SALES), fh=[1, 2]).predict()
    forecast = make().fit(SALES.sample(fraction=1, shuffle=True, seed=0), fh=[1, 2]).predict()
    assert forecast.schema == SALES.schema
    assert_same_numbers(forecast, expected)
    assert_polars_equal(make().fit_predict(SALES, fh=[1, 2]), forecast)


def test_a_single_series_needs_no_column_of_names():
    expected = make().fit(in_pandas(ONE, None), fh=[1, 2]).predict()
    forecast = make().fit(ONE, fh=[1, 2]).predict()
    assert_same_numbers(forecast, expected, None)
    assert forecast.columns == ["ds", "y"]


def test_rows_and_X_that_come_later_are_long_tables_too():
    model = make(future_X=["price"]).fit(SALES, PRICE, fh=[1])
    expected = make(future_X=["price"]).fit(in_pandas(SALES), in_pandas(PRICE), fh=[1])
    assert_same_numbers(model.predict(), expected.predict())
    changed = PRICE[-2:].with_columns(price=3)
    assert_same_numbers(model.predict(X=changed), expected.predict(X=in_pandas(changed)))
    new_price = PRICE[-2:].with_columns(pl.col("ds").dt.offset_by("1d"))
    model.update(LATER, new_price, update_params=False)
    expected.update(in_pandas(LATER), in_pandas(new_price), update_params=False)
    assert_same_numbers(model.predict(), expected.predict())


def test_forecasts_have_the_kind_of_the_rows_that_came_last():
    model = make().fit(SALES, fh=[1])
    model.update(in_pandas(LATER), update_params=False)
    assert isinstance(model.predict(), pd.DataFrame)
    assert isinstance(model.fit(SALES, fh=[1]).predict(), pl.DataFrame)
    assert isinstance(model.predict_interval(), pd.DataFrame)  # sktime's columns have three levels


@pytest.mark.parametrize(
    "columns",
    [
        {"ds": pl.col("ds").cast(pl.Date)},
        {"ds": pl.col("ds").dt.cast_time_unit("ns")},
        {
            "ds": pl.col("ds").dt.replace_time_zone("Europe/Berlin"),
            "unique_id": pl.col("unique_id").cast(pl.Categorical),
        },
        {
            "ds": pl.int_range(30, dtype=pl.Int32).over("unique_id"),
            "unique_id": (pl.col("unique_id") == "b").cast(pl.Int32),
        },
    ],
    ids=["dates", "nanoseconds", "time zone and categories", "whole numbers"],
)
def test_columns_of_series_and_times_keep_their_types(columns):
    table = SALES.with_columns(**columns)
    forecast = make().fit(table, fh=[1]).predict()
    assert forecast.schema == table.schema
    assert len(forecast.join(table, on=["unique_id"], suffix="_known").select("unique_id").unique()) == 2


def test_a_forecaster_saved_after_it_read_polars_still_gives_polars(tmp_path):
    model = make().fit(SALES, fh=[1, 2])
    skops.io.dump(model, tmp_path / "model.skops")
    loaded = skops.io.load(tmp_path / "model.skops", trusted=trusted_types())
    for copy in (pickle.loads(pickle.dumps(model)), loaded):
        assert_polars_equal(copy.predict(), model.predict())


def test_series_and_times_are_found_by_their_type():
    table = SALES.rename({"unique_id": "shop", "ds": "day", "y": "sales"})
    forecast = make().fit(table, fh=[1]).predict()
    assert forecast.columns == ["shop", "day", "sales"]
    assert_same_numbers(
        forecast.rename({"shop": "unique_id", "day": "ds", "sales": "y"}),
        in_pandas(make().fit(SALES, fh=[1]).predict()),
    )
    assert make().fit(table[:30], fh=[1]).predict()["shop"].to_list() == ["a"]


def test_pretraining_and_comparing_read_long_tables():
    model = make().pretrain(SALES, fh=[1]).fit(ONE, fh=[1])
    expected = make().pretrain(in_pandas(SALES), fh=[1]).fit(in_pandas(ONE, None), fh=[1])
    assert_same_numbers(model.predict(), expected.predict(), None)
    results = [compare(["naive"], y, horizon=2, n_splits=2).results for y in (SALES, in_pandas(SALES))]
    assert_frame_equal(*(result.drop(columns=[c for c in result if "seconds" in str(c)]) for result in results))


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        (SALES.rename({"ds": "day"}).with_columns(start=pl.col("day")), TypeError, r"\['day', 'start'\] have dates"),
        (
            SALES.with_columns(unique_id=1).rename({"unique_id": "shop"}),
            ValueError,
            r"y, X = panel_from_long\(y, id=...",
        ),
        (ONE.select(pl.col("ds").cast(pl.String).alias("day"), "y"), TypeError, "of which none has dates"),
        (SALES.with_columns(price=1), ValueError, r"columns beside the target 'y': \['price'\]. Pass a table of"),
        (SALES.drop("y"), ValueError, "series and times, but no values"),
        (SALES.lazy(), TypeError, "got LazyFrame. Collect a lazy frame first"),
        (SALES.with_columns(pl.col("ds").cast(pl.String)), TypeError, "times in column 'ds' must be dates"),
    ],
    ids=["two dates", "numbered shops", "text as times", "X in y", "no values", "lazy", "text in ds"],
)
def test_a_table_whose_columns_are_not_clear_is_an_error_that_says_what_to_do(y, error, message):
    with pytest.raises(error, match=message):
        make().fit(y, fh=[1])


def test_X_needs_the_columns_of_y_and_none_of_its_targets():
    with pytest.raises(ValueError, match="also needs 'unique_id', which y has"):
        make().fit(SALES, PRICE.drop("unique_id"), fh=[1])
    with pytest.raises(ValueError, match="X has the column 'y', which is the target"):
        make().fit(SALES, SALES, fh=[1])


def test_whole_numbers_are_no_channels_where_the_columns_are_named_as_series_and_times():
    numbered = pl.DataFrame({"unique_id": [1] * 20 + [2] * 20, "ds": [*range(20)] * 2, "y": RNG.normal(size=40)})
    assert make().fit(numbered, fh=[1]).predict().columns == ["unique_id", "ds", "y"]
