"""``fit_blocks`` reads Parquet files and datasets of PyArrow, which `.ci/run-parquet` installs."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.pipeline import make_pipeline

from sklrnn import GRUClassifier, GRURegressor, SlidingWindow, supervise
from sklrnn.inputs.block_source import BlockSource

pa = pytest.importorskip("pyarrow")
dataset = pytest.importorskip("pyarrow.dataset")
pq = pytest.importorskip("pyarrow.parquet")

RNG = np.random.default_rng(0)
HOURS = pd.date_range("2024-03-01", periods=100, freq="h")
ROWS = pd.concat(
    [
        pd.DataFrame(
            {"sensor": name, "time": HOURS, "load": np.sin(np.arange(100) / 5 + shift), "temp": RNG.normal(size=100)}
        )
        for shift, name in enumerate(["north", "south", "west"])
    ],
    ignore_index=True,
)
TINY = {"units": 3, "max_epochs": 3, "random_state": 0, "early_stopping": True, "validation_fraction": 0.2}


def make_window():
    return SlidingWindow(window_length=6, groups="sensor", time_column="time", horizon=2)


@pytest.fixture
def folder(tmp_path):
    """Five files, whose borders lie within the series, with small groups of rows."""
    for number, start in enumerate(range(0, len(ROWS), 70)):
        ROWS[start : start + 70].to_parquet(tmp_path / f"part-{number}.parquet", row_group_size=20)
    return tmp_path


def read_as(source, folder):
    if source == "folder":
        return folder
    if source == "path":
        return str(folder)
    opened = dataset.dataset(folder)
    return opened if source == "dataset" else opened.to_table()


@pytest.mark.parametrize("source", ["folder", "path", "dataset", "table"])
def test_windows_cross_the_borders_of_files_as_in_a_pipeline(folder, source):
    in_memory = make_pipeline(make_window(), GRURegressor(**TINY))
    in_memory.fit(*supervise(ROWS, target="load", horizon=2, groups="sensor", time_column="time"))
    window = make_window()
    model = GRURegressor(**TINY).fit_blocks(read_as(source, folder), target="load", window=window)
    assert_allclose(make_pipeline(window, model).predict(ROWS), in_memory.predict(ROWS), rtol=1e-3, atol=1e-5)


def test_columns_of_the_partition_are_columns_of_the_rows(tmp_path):
    pq.write_to_dataset(pa.Table.from_pandas(ROWS, preserve_index=False), tmp_path, partition_cols=["sensor"])
    opened = dataset.dataset(tmp_path, partitioning="hive")
    window = make_window()
    model = GRURegressor(**TINY).fit_blocks(opened, target="load", window=window)
    names = list(opened.schema.names)
    assert make_pipeline(window, model).predict(ROWS[names]).shape == (300, 2)


def test_rows_are_samples_without_a_window(tmp_path):
    X = pd.DataFrame(RNG.normal(size=(200, 5))).add_prefix("step")
    y = np.where(X["step4"] > 0, "up", "down")
    for number, start in enumerate(range(0, 200, 60)):
        part = slice(start, start + 60)
        X[part].assign(label=y[part]).to_parquet(tmp_path / f"{number}.parquet")
    model = GRUClassifier(**TINY).fit_blocks(tmp_path, target="label")
    in_memory = GRUClassifier(**TINY).fit(X, y)
    assert_allclose(model.predict_proba(X), in_memory.predict_proba(X), rtol=1e-3)
    assert_array_equal(model.classes_, ["down", "up"])
    small = GRUClassifier(**TINY).fit_blocks(tmp_path, target="label", buffer_size=40)  # files in another order
    assert small.n_iter_ == 3


def test_files_are_the_parts_of_a_dataset_and_keep_their_order(folder):
    source = BlockSource(folder)
    assert len(source) == 5
    read = pd.concat([block for _, block in source.read()], ignore_index=True)
    assert_array_equal(read["temp"], ROWS["temp"])


def test_a_folder_that_is_missing_or_empty_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="There is no folder or file"):
        GRURegressor().fit_blocks(tmp_path / "none", target="load")
    with pytest.raises(ValueError, match="holds no Parquet files"):
        GRURegressor().fit_blocks(tmp_path, target="load")
