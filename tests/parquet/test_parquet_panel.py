"""A panel in Parquet files becomes the y of a forecaster, by PyArrow, which `.ci/run-parquet` installs."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from sklrnn.forecasting import GRUForecaster, panel_from_long

pa = pytest.importorskip("pyarrow")
dataset = pytest.importorskip("pyarrow.dataset")

DAYS = pd.date_range("2024-01-01", periods=40)
RNG = np.random.default_rng(0)
SALES = pd.concat(
    [pd.DataFrame({"unique_id": shop, "ds": DAYS, "y": RNG.normal(size=40), "note": "x"}) for shop in ["a", "b", "c"]],
    ignore_index=True,
)


def test_a_forecaster_on_parquet_files_is_the_one_on_the_table(tmp_path):
    for shop, rows in SALES.groupby("unique_id"):
        rows.to_parquet(tmp_path / f"{shop}.parquet")
    needed = ["unique_id", "ds", "y"]
    from_files, X = panel_from_long(dataset.dataset(tmp_path).to_table(columns=needed))
    assert X is None
    from_table, _ = panel_from_long(SALES[needed])
    forecaster = GRUForecaster(units=4, max_epochs=2, window_length=7, random_state=0)
    forecasts = [forecaster.clone().fit(y, fh=[1, 2]).predict() for y in (from_files, from_table)]
    assert_frame_equal(*forecasts, check_index_type=False)


def test_a_forecaster_reads_a_table_of_pyarrow_and_gives_one():
    sales = pa.table(SALES[["unique_id", "ds", "y"]].to_dict("list"))
    forecaster = GRUForecaster(units=4, max_epochs=2, window_length=7, random_state=0).fit(sales, fh=[1, 2])
    forecast = forecaster.predict()
    assert forecast.schema.equals(sales.schema)
    expected = forecaster.clone().fit(panel_from_long(sales)[0], fh=[1, 2]).predict()
    assert_frame_equal(panel_from_long(forecast)[0], expected, check_index_type=False)
