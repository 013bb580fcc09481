"""Windows of rows that come in blocks are those of all rows together."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from sklrnn import SlidingWindow, supervise
from sklrnn.inputs.block_source import BlockSource
from sklrnn.preprocessing.window_blocks import WindowBlocks, _Rows, _Tails

RNG = np.random.default_rng(0)
N = 60
HOURS = pd.date_range("2024-03-01", periods=N, freq="h")
SERIES = pd.DataFrame({"load": np.arange(N) + 0.5, "temp": RNG.normal(size=N)}, index=HOURS)
PANEL = pd.concat({name: SERIES + 100 * shift for shift, name in enumerate("abc")}, names=["sensor", "time"])
GAPS = SERIES.drop(HOURS[[20, 21, 22, 40]])


def in_blocks(rows, size):
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def read(window, blocks, target=None):
    """All windows and targets, and the reader; the second pass must give the same as the first."""
    reader = WindowBlocks(window, BlockSource(blocks).read, target)
    first, second = ([part for _, part in reader] for _ in range(2))
    joined = [[np.concatenate([part[i] for part in parts]) for i in range(2)] for parts in (first, second)]
    assert_array_equal(joined[0][0], joined[1][0])
    assert_array_equal(joined[0][1], joined[1][1])
    return *joined[0], reader


def expected(window, rows, target, **options):
    X, y = supervise(rows, target=target, horizon=window.horizon, dropna=True, **options)
    numbers = clone(window).fit(rows).transform(rows)
    kept = rows.index.get_indexer(X.index)
    return numbers[kept], np.asarray(y)


@pytest.mark.parametrize("size", [7, 25, 500])
@pytest.mark.parametrize(
    "window",
    [
        SlidingWindow(5, horizon=3),
        SlidingWindow(3, stride_within=4, horizon=[2]),
        SlidingWindow(4, padding="zero", calendar=["day"], horizon=[6]),
        SlidingWindow(1, horizon=1),
        SlidingWindow(5, context="none"),
    ],
    ids=["next steps", "stride", "calendar", "one row", "no context"],
)
@pytest.mark.parametrize("rows", [SERIES, PANEL], ids=["series", "panel"])
def test_blocks_give_the_windows_of_all_rows(rows, window, size):
    windows, y, _ = read(window, in_blocks(rows, size), "load")
    wanted, wanted_y = expected(window, rows, "load")
    assert_allclose(windows, wanted, rtol=1e-12)
    assert_array_equal(y, wanted_y)


@pytest.mark.parametrize("size", [1, 6, 500])
def test_gaps_keep_their_length_and_rows_without_a_target_are_counted(size):
    window = SlidingWindow(5, horizon=[2])
    windows, y, reader = read(window, in_blocks(GAPS, size), "load")
    wanted, wanted_y = expected(window, GAPS, "load")
    assert_array_equal(windows, wanted)
    assert_array_equal(y, wanted_y)
    assert reader.n_left_out == 3  # two steps before hours 20, 21 and 40 there is a row; before 22 there is none


def test_a_panel_by_time_gives_the_windows_of_each_series():
    by_time = PANEL.sort_index(level=["time", "sensor"])
    windows, y, _ = read(SlidingWindow(5, horizon=3), in_blocks(by_time, 10), "load")
    wanted, wanted_y = expected(SlidingWindow(5, horizon=3), PANEL, "load")
    found, known = (sorted(map(tuple, x.reshape(len(x), -1))) for x in (windows, wanted))
    assert found == known
    assert_array_equal(np.sort(y, axis=0), np.sort(wanted_y, axis=0))


def test_no_window_holds_rows_of_two_series():
    windows, _, _ = read(SlidingWindow(5), in_blocks(PANEL, 7), "load")
    hundreds = windows[:, :, 0] // 100
    assert (hundreds == hundreds[:, :1]).all()


def test_pairs_of_arrays_give_a_window_for_each_row():
    X, y = SERIES.to_numpy(), np.arange(N)
    window = SlidingWindow(5)
    windows, targets, reader = read(window, list(zip(in_blocks(X, 7), in_blocks(y, 7), strict=True)))
    assert_array_equal(windows, window.fit_transform(X))
    assert_array_equal(targets, y)
    assert reader.n_left_out == 0


def test_a_column_of_arrays_is_a_target_by_its_number():
    rows = SERIES.to_numpy()
    windows, y, _ = read(SlidingWindow(5, horizon=2), in_blocks(rows, 7), 0)
    wanted, wanted_y = supervise(rows, target=0, horizon=2)
    assert_array_equal(windows, SlidingWindow(5).fit_transform(rows)[: len(wanted)])
    assert_array_equal(y, wanted_y)


def test_numbered_rows_are_numbered_through_all_blocks():
    rows = SERIES.reset_index(drop=True)
    blocks = [block.reset_index(drop=True) for block in in_blocks(rows, 7)]
    windows, _, reader = read(SlidingWindow(5), blocks, "load")
    assert_array_equal(windows, expected(SlidingWindow(5), rows, "load")[0])
    later = pd.DataFrame(RNG.normal(size=(2, 2)), columns=rows.columns, index=[N, N + 1])
    assert_array_equal(reader.window.transform(later), SlidingWindow(5).fit(rows).transform(later))


def test_a_series_may_return_in_a_later_block_but_not_go_back_in_time():
    parts = [PANEL.loc[["a"]][:30], PANEL.loc[["b"]], PANEL.loc[["a"]][30:]]
    windows, _, _ = read(SlidingWindow(5), parts, "load")
    assert len(windows) == 2 * (N - 1)
    with pytest.raises(ValueError, match="In block 2 .*must be in the order of time"):
        read(SlidingWindow(5), [parts[2], parts[1], parts[0]], "load")


def test_blocks_need_the_same_columns():
    with pytest.raises(ValueError, match="In block 1 .*The columns are .*and those of the first block"):
        read(SlidingWindow(5), [SERIES[:30], SERIES[30:].drop(columns="temp")], "load")


def test_too_few_rows_for_a_window_are_an_error():
    with pytest.raises(ValueError, match="window_length=50 needs at least 50 rows, got 20"):
        read(SlidingWindow(50), in_blocks(SERIES[:20], 6), "load")
    with pytest.raises(ValueError, match="holds no rows"):
        read(SlidingWindow(50), [SERIES[:0]], "load")


@pytest.mark.parametrize("option", [{"padding": "mean"}, {"calendar": "auto"}, {"flatten": True}], ids=str)
def test_what_is_known_only_at_the_end_is_refused(option):
    [name] = option
    with pytest.raises(ValueError, match=f"{name}=.* can't be combined with fit_blocks"):
        read(SlidingWindow(5, **option), [SERIES], "load")


def test_a_window_is_a_sliding_window():
    with pytest.raises(TypeError, match="window must be a SlidingWindow, got 24"):
        read(24, [SERIES], "load")
    with pytest.raises(ValueError, match="Set horizon of the SlidingWindow"):
        read(SlidingWindow(5, horizon=None), [SERIES], "load")


def test_rows_that_are_no_longer_needed_are_freed():
    reader = WindowBlocks(SlidingWindow(5), BlockSource([]).read, "load")
    tails = _Tails(4, reader._split)
    for block in in_blocks(PANEL.sort_index(level=["time", "sensor"]), 2):  # two of three series in each
        tails.keep(_Rows(block, (None, None)), np.zeros(2, dtype=bool), reader._split(block).entities)
    held = {id(tail.of_block): len(tail.of_block.table) for tail in tails._by_name.values()}
    assert sum(held.values()) <= 2 * 3 * 4


def test_large_blocks_are_given_in_pieces(monkeypatch):
    monkeypatch.setattr("sklrnn.preprocessing.window_blocks._NUMBERS_AT_ONCE", 100)
    pieces = [len(part[0]) for _, part in WindowBlocks(SlidingWindow(5), BlockSource([PANEL]).read, "load")]
    assert max(pieces) == 10
    assert sum(pieces) == 3 * (N - 1)
