"""Each row has its role in each split, and is drawn there."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.dates import num2date
from numpy.testing import assert_array_equal
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit, TimeSeriesSplit

from sklrnn import PurgedKFold, PurgedTimeSeriesSplit
from sklrnn.inspection import SplitDisplay, split_roles

X = np.zeros((60, 1))
SPLITTERS = {
    "forward": TimeSeriesSplit(3, gap=4),
    "rolling": TimeSeriesSplit(3, gap=4, max_train_size=10),
    "blocks": KFold(4),
    "shuffled": ShuffleSplit(3, test_size=0.2, train_size=0.5, random_state=0),
    "purged": PurgedTimeSeriesSplit(3, horizon=3, window_length=5, embargo=2),
    "purged blocks": PurgedKFold(4, horizon=3, window_length=5, stride_within=2, embargo=2),
}


def runs(roles):
    """The roles in order, each with its number of rows."""
    codes = roles.cat.codes.to_numpy()
    starts = np.flatnonzero(np.r_[True, np.diff(codes) != 0])
    lengths = np.diff(np.r_[starts, len(codes)])
    return [(roles.iloc[start], int(length)) for start, length in zip(starts, lengths, strict=True)]


@pytest.mark.parametrize("cv", SPLITTERS.values(), ids=SPLITTERS)
def test_training_and_test_rows_are_those_of_the_splitter(cv):
    roles = split_roles(cv, X)
    for split, (train, test) in enumerate(cv.split(X)):
        assert_array_equal(np.flatnonzero(roles[split] == "training"), np.sort(train))
        assert_array_equal(np.flatnonzero(roles[split] == "test"), np.sort(test))


def test_rows_between_training_and_test_are_a_gap_and_others_are_unused():
    roles = split_roles(SPLITTERS["rolling"], X)
    assert runs(roles[0]) == [("unused", 1), ("training", 10), ("gap", 4), ("test", 15), ("unused", 30)]
    assert runs(roles[2])[-1] == ("test", 15)


def test_purged_splitters_tell_horizon_window_and_embargo_apart():
    forward = split_roles(SPLITTERS["purged"], X)
    # The targets of the two rows before the test rows reach those of the first of them; the embargo is beyond.
    assert runs(forward[0])[-4:-1] == [("embargo", 2), ("gap", 2), ("test", 14)]
    blocks = split_roles(SPLITTERS["purged blocks"], X)
    after = [("gap", 3), ("window gap", 8), ("embargo", 2)]  # a window spans 9 rows
    assert runs(blocks[1]) == [("training", 11), ("embargo", 2), ("gap", 2), ("test", 15), *after, ("training", 17)]


def test_a_panel_is_read_entity_by_entity():
    index = pd.MultiIndex.from_product([["a", "b"], pd.date_range("2024", periods=20)], names=["shop", "day"])
    frame = pd.DataFrame({"sales": 0.0}, index=index)
    roles = split_roles(PurgedTimeSeriesSplit(2, horizon=3, embargo=1, test_size=4), frame)
    assert_array_equal(roles.index, index)
    expected = [("training", 9), ("embargo", 1), ("gap", 2), ("test", 4), ("unused", 4)]
    assert runs(roles.loc["a", 0]) == runs(roles.loc["b", 0]) == expected


def test_groups_reach_a_splitter_that_takes_them():
    groups = np.repeat([0, 1, 2], 20)
    roles = split_roles(GroupKFold(3), X, groups=groups)
    assert sorted(runs(roles[split]) for split in range(3))[0] == [("test", 20), ("training", 40)]


def test_bars_are_drawn_where_the_rows_are():
    figure, axes = plt.subplots(1, 2)
    display = SplitDisplay.from_cv(SPLITTERS["forward"], X, ax=axes[1])
    assert display.ax_ is axes[1]
    assert display.figure_ is figure
    assert not axes[0].has_data()
    for split, bars in enumerate(display.bars_["gap"]):
        (path,) = bars.get_paths()
        rows = np.flatnonzero(display.roles[split] == "gap")
        assert path.get_extents().intervalx.tolist() == [rows[0], rows[-1] + 1]
        assert path.get_extents().intervaly.mean() == split
    assert (axes[1].get_xlabel(), axes[1].get_ylabel()) == ("row", "split")
    assert [text.get_text() for text in axes[1].get_legend().texts] == ["training", "test", "gap"]
    assert axes[1].yaxis_inverted()


@pytest.mark.parametrize("freq", ["D", "period"])
def test_dates_are_on_the_axis(freq):
    days = pd.date_range("2024-01-01", periods=60, tz="Europe/Berlin")
    index = pd.period_range("2024-01-01", periods=60, freq="D") if freq == "period" else days
    display = SplitDisplay.from_cv(TimeSeriesSplit(3), pd.DataFrame({"a": 0.0}, index=index))
    begins = [bars.get_paths()[0].get_extents().xmin for bars in display.bars_["test"]]
    assert [num2date(begin).day for begin in begins] == [16, 31, 15]
    assert display.ax_.get_xlabel() == "time"


def test_what_is_no_splitter_is_refused():
    with pytest.raises(ValueError, match="cv gave no split"):
        split_roles(iter([]), X)
    with pytest.raises(ValueError, match="names row 60, but X has the rows 0 to 59"):
        split_roles([(np.arange(30), np.arange(30, 61))], X)
    with pytest.raises(ValueError, match="Expected `?cv`? as an integer"):
        split_roles("forward", X)
