"""A panel in Parquet files becomes the y of a forecaster, by PyArrow, which `.ci/run-parquet` installs."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from sklrnn.forecasting import GRUForecaster, panel_files, panel_from_long

pa = pytest.importorskip("pyarrow")
dataset = pytest.importorskip("pyarrow.dataset")
pq = pytest.importorskip("pyarrow.parquet")

DAYS = pd.date_range("2024-01-01", periods=40)
RNG = np.random.default_rng(0)
SALES = pd.concat(
    [
        pd.DataFrame({"unique_id": shop, "ds": DAYS, "y": RNG.normal(size=40), "price": 1.0, "note": "x"})
        for shop in ["a", "b", "c"]
    ],
    ignore_index=True,
)


@pytest.fixture
def folder(tmp_path):
    """Three files with the rows by chance, in small groups."""
    rows = SALES.sample(frac=1, random_state=0)
    for number, start in enumerate(range(0, len(rows), 50)):
        rows[start : start + 50].to_parquet(tmp_path / f"part{number}.parquet", row_group_size=20)
    return tmp_path


def assert_same_panel(source, table=SALES, **columns):
    y, X = panel_from_long(source, **columns)
    expected_y, expected_X = panel_from_long(table, **columns)
    assert_frame_equal(y, expected_y, check_index_type=False)
    if X is None or expected_X is None:
        assert X is expected_X
    else:
        assert_frame_equal(X, expected_X, check_index_type=False)


def write(folder, **files):
    for name, columns in files.items():
        pq.write_table(pa.table(columns), folder / f"{name}.parquet")
    return folder


def test_a_panel_is_the_same_from_files_as_from_the_table(folder):
    for source in (folder, str(folder), dataset.dataset(folder)):
        assert_same_panel(source, X=["price"])
        assert_same_panel(source, target=["y", "price"], X=[])
    one = folder / "one" / "sales.parquet"
    one.parent.mkdir()
    SALES.drop(columns="note").to_parquet(one)
    assert_same_panel(one, SALES.drop(columns="note"))


def test_batches_and_groups_of_rows_of_any_size_give_the_same_panel(folder, monkeypatch):
    monkeypatch.setattr(panel_files, "_ROWS_AT_ONCE", 7)
    assert_same_panel(folder, X=["price"])


def test_a_forecaster_on_parquet_files_is_the_one_on_the_table(folder):
    forecaster = GRUForecaster(units=4, max_epochs=2, window_length=7, random_state=0)
    panels = [panel_from_long(source, X=[])[0] for source in (folder, SALES)]
    assert_frame_equal(*(forecaster.clone().fit(y, fh=[1, 2]).predict() for y in panels), check_index_type=False)


def test_columns_that_are_not_asked_for_are_not_read(folder):
    write(folder, part9={"unique_id": ["d"], "ds": DAYS[:1], "y": [1.0], "price": [None], "note": [[1, 2]]})
    y, X = panel_from_long(folder, X=["price"])
    assert y.index.unique(0).tolist() == ["a", "b", "c", "d"]
    assert np.isnan(X["price"].iloc[-1])


def test_folders_named_by_the_series_and_filtered_datasets_are_read(tmp_path):
    table = pa.Table.from_pandas(SALES.drop(columns="note"), preserve_index=False)
    pq.write_to_dataset(table, tmp_path, partition_cols=["unique_id"])
    assert_same_panel(tmp_path, SALES.drop(columns="note"))
    opened = dataset.dataset(tmp_path, partitioning="hive")
    assert_same_panel(opened.filter(dataset.field("ds") < DAYS[20]), SALES[SALES["ds"] < DAYS[20]].drop(columns="note"))


def test_datasets_of_other_files_and_of_tables_are_read(tmp_path):
    SALES.to_csv(tmp_path / "sales.csv", index=False)
    assert_same_panel(dataset.dataset(tmp_path / "sales.csv", format="csv"), X=["price"])
    assert_same_panel(dataset.dataset(pa.table(SALES.to_dict("list"))), X=["price"])


def test_types_may_differ_between_files_as_far_as_they_fit_together(tmp_path):
    first = {"unique_id": ["a"], "ds": pa.array([DAYS[0]], pa.timestamp("ms")), "y": [1]}
    second = {
        "unique_id": pa.array(["a"]).dictionary_encode(),
        "ds": pa.array([DAYS[1]], pa.timestamp("ns")),
        "y": [1.5],
    }
    y, _ = panel_from_long(write(tmp_path, first=first, second=second))
    assert y["y"].tolist() == [1.0, 1.5]
    assert y.index.tolist() == [("a", DAYS[0]), ("a", DAYS[1])]


@pytest.mark.parametrize(
    ("times", "zone"),
    [(pa.array([2, 1, 3]), None), (pa.array([DAYS[1], DAYS[0], DAYS[2]], pa.date32()), None), (None, "Europe/Berlin")],
    ids=["whole numbers", "dates", "time zone"],
)
def test_a_single_series_needs_no_id_and_its_times_may_be_of_any_kind(tmp_path, times, zone):
    if zone:
        times = pa.array(DAYS[[1, 0, 2]].tz_localize(zone), pa.timestamp("us", zone))
    write(tmp_path, sales={"ds": times, "y": [2.0, 1.0, 3.0]})
    y, _ = panel_from_long(tmp_path, id=None)
    assert y["y"].tolist() == [1.0, 2.0, 3.0]
    assert_frame_equal(y, panel_from_long(pa.table({"ds": times, "y": [2.0, 1.0, 3.0]}), id=None)[0])


def test_a_path_that_has_no_parquet_files_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="There is no folder or file .*none"):
        panel_from_long(tmp_path / "none")
    with pytest.raises(ValueError, match="holds no Parquet files"):
        panel_from_long(tmp_path)
    (tmp_path / "sales.csv").write_text("ds,y\n1,2\n")
    with pytest.raises(ValueError, match="sales.csv"):
        panel_from_long(tmp_path)


def test_a_column_that_a_file_lacks_is_an_error_that_names_those_it_has(tmp_path):
    row = {"unique_id": ["a"], "ds": [1], "sales": [1.0]}
    with pytest.raises(ValueError, match=r"no column 'y' in the table, which has \['unique_id', 'ds', 'sales'\]"):
        panel_from_long(write(tmp_path, first=row))
    with pytest.raises(
        ValueError, match=r"no column 'sales' in the file .*second.parquet, which has \['unique_id', 'ds'"
    ):
        panel_from_long(write(tmp_path, second={"unique_id": ["a"], "ds": [2], "y": [1.0]}), target="sales")


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        (
            {"unique_id": [7]},
            ValueError,
            "is int64 in the file .*second.parquet, but string in a file before",
        ),
        ({"y": ["high"]}, TypeError, "'y' must hold numbers, got string in the file .*second.parquet"),
        ({"ds": pa.array([None], pa.int64())}, ValueError, "needs a value in column 'ds', but row 1 has none"),
    ],
    ids=["numbers as names", "text as target", "no time"],
)
def test_files_whose_columns_do_not_fit_are_an_error_that_names_the_file(tmp_path, changed, error, message):
    row = {"unique_id": ["a"], "ds": [1], "y": [1.0]}
    with pytest.raises(error, match=message):
        panel_from_long(write(tmp_path, first=row, second=row | changed))


def test_text_as_times_is_an_error(tmp_path):
    write(tmp_path, sales={"unique_id": ["a"], "ds": ["2024-01-01"], "y": [1.0]})
    with pytest.raises(TypeError, match="times in column 'ds' must be dates or whole numbers, got string"):
        panel_from_long(tmp_path)


def test_a_forecaster_reads_a_table_of_pyarrow_and_gives_one():
    sales = pa.table(SALES[["unique_id", "ds", "y"]].to_dict("list"))
    forecaster = GRUForecaster(units=4, max_epochs=2, window_length=7, random_state=0).fit(sales, fh=[1, 2])
    forecast = forecaster.predict()
    assert forecast.schema.equals(sales.schema)
    expected = forecaster.clone().fit(panel_from_long(sales)[0], fh=[1, 2]).predict()
    assert_frame_equal(panel_from_long(forecast)[0], expected, check_index_type=False)
