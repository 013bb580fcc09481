import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from pandas.testing import assert_frame_equal

from sklrnn.inputs.block_source import BlockSource, InBlock, split_block, split_target

PAIRS = [(np.full((2, 3), number), np.full(2, number)) for number in range(4)]
TABLE = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})


class Files:
    """An iterable that starts anew each time."""

    def __iter__(self):
        return iter(PAIRS)


@pytest.mark.parametrize(
    "source", [PAIRS, tuple(PAIRS), Files(), lambda: iter(PAIRS)], ids=["list", "tuple", "own", "function"]
)
def test_blocks_can_be_read_twice(source):
    source = BlockSource(source)
    for _ in range(2):
        assert [X[0, 0] for _, (X, _) in source.read()] == [0, 1, 2, 3]


def test_a_list_can_be_read_in_any_order():
    source = BlockSource(PAIRS)
    assert len(source) == 4
    assert [X[0, 0] for _, (X, _) in source.read([2, 0])] == [2, 0]


def test_a_data_loader_of_torch_is_a_source():
    data = torch.utils.data.TensorDataset(torch.zeros(10, 3), torch.arange(10))
    blocks = [block for _, block in BlockSource(torch.utils.data.DataLoader(data, batch_size=4)).read()]
    X, y, _ = split_block(blocks[2], None)
    assert type(X) is np.ndarray
    assert y.tolist() == [8, 9]


def test_tables_of_polars_become_frames():
    [(_, block)] = BlockSource([pl.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})]).read()
    assert_frame_equal(block, TABLE)


@pytest.mark.parametrize(
    "once", [iter(PAIRS), (pair for pair in PAIRS), map(tuple, PAIRS)], ids=["iterator", "generator", "map"]
)
def test_what_can_be_read_only_once_is_refused(once):
    with pytest.raises(ValueError, match="can be read once.*Pass the function that makes it"):
        BlockSource(once)


@pytest.mark.parametrize(
    "single", [np.zeros((5, 3)), TABLE, (np.zeros((5, 3)), np.zeros(5))], ids=["array", "frame", "pair"]
)
def test_a_single_block_is_no_source(single):
    with pytest.raises(TypeError, match="a single block is passed as"):
        BlockSource(single)


def test_a_source_is_something_to_read_from():
    with pytest.raises(TypeError, match="fit_blocks reads an iterable of blocks.*got int"):
        BlockSource(3)
    with pytest.raises(TypeError, match="must return an iterable of blocks.*got NoneType"):
        list(BlockSource(lambda: None).read())


def test_a_table_needs_a_target_and_a_pair_has_one():
    with pytest.raises(ValueError, match="Name the column to predict as target"):
        split_block(TABLE, None)
    with pytest.raises(ValueError, match="Leave target out"):
        split_block(PAIRS[0], "a")
    with pytest.raises(TypeError, match="A block must be a pair.*got ndarray"):
        split_block(np.zeros((5, 3)), None)
    X, y = split_target(np.array([[1, 2, 3], [4, 5, 6]]), -1)
    assert (X.tolist(), y.tolist()) == ([[1, 2], [4, 5]], [3, 6])
    with pytest.raises(ValueError, match="target='c' is no column"):
        split_target(TABLE, "c")


def test_an_error_names_the_block():
    with pytest.raises(ValueError, match=r"In block 3 of file 2 \(counted from 0\): no number"), InBlock((2, 3)):
        raise ValueError("no number")


def test_parquet_without_pyarrow_names_the_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r"pip install 'sklrnn\[parquet\]'"):
        BlockSource(tmp_path)
