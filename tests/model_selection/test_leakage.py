import pickle
from contextlib import nullcontext

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit, TimeSeriesSplit, cross_val_score
from sklearn.neighbors import KNeighborsRegressor

from sklrnn.model_selection.leakage import LeakageError, check_no_leakage
from sklrnn.model_selection.purged_splits import PurgedKFold, PurgedTimeSeriesSplit


def rows(n_rows):
    return np.zeros((n_rows, 1))


def leaks(train_row, test_row, groups, *, window_length, horizon, stride_within):
    """The definition in three slow loops, on the rows of one entity."""
    if groups[train_row] != groups[test_row]:
        return False
    own = [row for row, group in enumerate(groups) if group == groups[train_row]]
    train_place, test_place = own.index(train_row), own.index(test_row)
    for answer in range(test_place + 1, test_place + horizon + 1):
        for step in range(1, horizon + 1):
            if train_place + step == answer:
                return True
        for step in range(window_length):
            if train_place - step * stride_within == answer:
                return True
    return False


@st.composite
def split_problems(draw):
    n_rows = draw(st.integers(2, 24))
    role = draw(st.lists(st.sampled_from(["train", "test", "neither"]), min_size=n_rows, max_size=n_rows))
    train, test = (np.flatnonzero(np.array(role) == name) for name in ("train", "test"))
    n_groups = draw(st.integers(1, 3))
    groups = draw(st.lists(st.integers(0, n_groups - 1), min_size=n_rows, max_size=n_rows))
    reach = {name: draw(st.integers(1, 4)) for name in ("window_length", "horizon", "stride_within")}
    return train, test, groups, reach


@settings(deadline=None, max_examples=300)
@given(split_problems())
def test_agrees_with_slow_loops_and_names_a_true_leak(problem):
    train, test, groups, reach = problem
    leaking = {row for row in train for other in test if leaks(row, other, groups, **reach)}
    expected = pytest.raises(LeakageError) if leaking else nullcontext()
    with expected as caught:
        check_no_leakage([(train, test)], rows(len(groups)), groups=groups, **reach)
    if leaking:
        assert leaks(caught.value.train_row, caught.value.test_row, groups, **reach)
        assert f"{len(leaking)} of {len(train)} training rows" in str(caught.value)


@pytest.mark.parametrize("gap", [0, 22])
def test_too_small_a_gap_is_caught_and_the_right_one_named(gap):
    with pytest.raises(LeakageError, match=rf"Split 0 leaks.*Set gap=23 in TimeSeriesSplit \(now {gap}\)"):
        check_no_leakage(TimeSeriesSplit(gap=gap), rows(300), window_length=72, horizon=24)


@pytest.mark.parametrize("gap", [23, 24, 40])
def test_gap_of_the_horizon_less_one_passes(gap):
    assert check_no_leakage(TimeSeriesSplit(gap=gap), rows(300), window_length=72, horizon=24) is None


@pytest.mark.parametrize("cv", [KFold(shuffle=True, random_state=0), ShuffleSplit(random_state=0), 5, None, KFold(3)])
def test_splitters_without_a_gap_are_caught(cv):
    with pytest.raises(LeakageError, match=r"[uU]se Purged"):
        check_no_leakage(cv, rows(100), window_length=5, horizon=1)


def test_shuffling_is_named_as_the_reason():
    with pytest.raises(LeakageError, match=r"in place of shuffle=True in KFold, use PurgedTimeSeriesSplit"):
        check_no_leakage(KFold(shuffle=True, random_state=0), rows(100), window_length=1, horizon=1)


@pytest.mark.parametrize(
    ("cv", "advice"),
    [
        (PurgedTimeSeriesSplit(horizon=12), r"Set horizon=24 \(now 12\) in PurgedTimeSeriesSplit"),
        (PurgedKFold(3, horizon=24), r"Set window_length=10 \(now 1\) in PurgedKFold"),
        (PurgedKFold(3, horizon=23, window_length=9), r"Set window_length=10 \(now 9\), horizon=24 \(now 23\)"),
    ],
)
def test_shipped_splitter_with_too_short_a_reach_is_caught(cv, advice):
    with pytest.raises(LeakageError, match=advice):
        check_no_leakage(cv, rows(300), window_length=10, horizon=24)


def test_window_over_a_test_block_is_caught_by_its_stride():
    cv = PurgedKFold(3, horizon=2, window_length=4, stride_within=2)
    check_no_leakage(cv, rows(90), window_length=4, horizon=2, stride_within=2)
    with pytest.raises(LeakageError, match=r"The window of training row .* Set stride_within=3 \(now 2\)"):
        check_no_leakage(cv, rows(90), window_length=4, horizon=2, stride_within=3)


@pytest.mark.parametrize(("train", "test", "named"), [([5, 6, 1, 0], [3], (5, 3)), ([0, 1, 2], [4, 3], (2, 3))])
def test_error_holds_the_rows_as_numbers_and_survives_pickling(train, test, named):
    with pytest.raises(LeakageError) as caught:
        check_no_leakage([([0], [9]), (train, test)], rows(10), window_length=2, horizon=2)
    error = pickle.loads(pickle.dumps(caught.value))
    assert isinstance(error, ValueError)
    assert (error.split, error.train_row, error.test_row) == (1, *named)
    assert str(error) == str(caught.value)


def test_an_error_without_rows_names_none():
    error = LeakageError("text")
    assert (error.split, error.train_row, error.test_row) == (-1, -1, -1)


def test_a_gap_that_is_long_enough_is_not_advised_again():
    class Careless:
        gap = 1

        def split(self, X, y=None, groups=None):
            yield np.arange(5), np.arange(5, 9)

        def get_n_splits(self, X=None, y=None, groups=None):
            return 1

    with pytest.raises(LeakageError, match=r"Set gap=2 in Careless \(now 1\)"):
        check_no_leakage(Careless(), rows(10), window_length=1, horizon=3)
    wanted = r"\(window_length=1, horizon=2\)"
    with pytest.raises(LeakageError, match=f"row 5. Use PurgedTimeSeriesSplit{wanted} or PurgedKFold{wanted}.$"):
        check_no_leakage(Careless(), rows(10), window_length=1, horizon=2)


def test_the_newest_answer_in_a_window_is_named_and_the_first_test_row_that_predicts_it():
    with pytest.raises(LeakageError, match="The window of training row 5 holds row 4, an answer of test row 2"):
        check_no_leakage([([5], [2])], rows(10), window_length=4, horizon=2)
    with pytest.raises(LeakageError, match="The window of training row 6 holds row 4, an answer of test row 2"):
        check_no_leakage([([6], [2, 3])], rows(10), window_length=2, horizon=2, stride_within=2)


def test_rows_and_targets_must_agree():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        check_no_leakage(TimeSeriesSplit(2), rows(10), np.zeros(9), window_length=1, horizon=1)


def test_rows_of_a_window_are_one_apart_by_default():
    check_no_leakage([([6], [3])], rows(10), window_length=2, horizon=1)
    with pytest.raises(LeakageError, match="window of training row 6 holds row 4"):
        check_no_leakage([([6], [3])], rows(10), window_length=3, horizon=1)


def test_error_names_index_labels():
    X = pd.DataFrame({"x": range(20)}, index=pd.date_range("2020-01-01", periods=20))
    with pytest.raises(LeakageError, match=r"training row 9 \(2020-01-10.* holds row 11 \(2020-01-12.* test row 10 \("):
        check_no_leakage([(range(10), range(10, 20))], X, window_length=1, horizon=2)


def test_error_says_when_the_shared_row_was_cut_off():
    with pytest.raises(
        LeakageError, match="target of training row 8 holds a row after the last one given, an answer of"
    ):
        check_no_leakage([([8], [9])], rows(10), window_length=1, horizon=2)


@pytest.mark.parametrize("kind", [list, iter, np.array], ids=["list", "iterator", "array"])
def test_pairs_and_masks_are_read(kind):
    train, test = np.arange(10) < 4, np.arange(10) > 5
    check_no_leakage(kind([(train, test)]), rows(10), window_length=3, horizon=3)
    with pytest.raises(LeakageError):
        check_no_leakage(kind([(test, train)]), rows(10), window_length=4, horizon=1)


def test_past_of_a_test_window_is_no_leak():
    check_no_leakage([(range(5), range(5, 9))], rows(9), window_length=5, horizon=1)


def test_empty_sides_hold_no_leak():
    check_no_leakage([([], [1, 2]), ([1, 2], [])], rows(4), window_length=2, horizon=2)


def test_entities_do_not_see_each_other():
    groups = np.tile([0, 1, 2], 20)
    check_no_leakage(GroupKFold(3), rows(60), window_length=5, horizon=5, groups=groups)
    with pytest.raises(LeakageError, match="with groups"):
        check_no_leakage(TimeSeriesSplit(3, gap=4), rows(60), window_length=5, horizon=5, groups=groups)
    check_no_leakage(TimeSeriesSplit(3, gap=14), rows(60), window_length=5, horizon=5, groups=groups)


def test_multiindex_gives_the_entities():
    X = pd.DataFrame({"x": 0.0}, index=pd.MultiIndex.from_product([["a", "b"], pd.date_range("2020", periods=30)]))
    check_no_leakage(PurgedTimeSeriesSplit(3, horizon=4), X, window_length=3, horizon=4)
    with pytest.raises(LeakageError, match=r"\('a', "):
        check_no_leakage(TimeSeriesSplit(3), X, window_length=3, horizon=4)


def test_own_splitter_class_gets_the_groups():
    seen = []

    class Halves:
        def split(self, X, y=None, groups=None):
            seen.append(groups)
            yield np.flatnonzero(np.asarray(groups) == 0), np.flatnonzero(np.asarray(groups) == 1)

        def get_n_splits(self, X=None, y=None, groups=None):
            return 1

    check_no_leakage(Halves(), rows(8), window_length=2, horizon=2, groups=[0, 1] * 4)
    assert seen == [[0, 1] * 4]


@pytest.mark.parametrize("name", ["window_length", "horizon", "stride_within"])
@pytest.mark.parametrize("value", [0, -1, 2.0, "3", None, True])
def test_parameters_are_checked_by_name(name, value):
    options = {"window_length": 2, "horizon": 2, name: value}
    with pytest.raises(ValueError, match=f"{name} must be an int of at least 1, got"):
        check_no_leakage(3, rows(20), **options)


@pytest.mark.parametrize("row", [-1, 10])
def test_rows_outside_of_the_data_are_named(row):
    with pytest.raises(ValueError, match=f"Split 0 of cv names row {row}, but X has the rows 0 to 9"):
        check_no_leakage([([0, row], [5])], rows(10), window_length=1, horizon=1)


def test_shuffled_folds_on_a_random_walk_look_brilliant_and_are_caught():
    walk = np.random.default_rng(0).normal(size=1500).cumsum()
    horizon, window_length = 24, 24
    windows = np.lib.stride_tricks.sliding_window_view(walk, window_length)[:-horizon]
    change = walk[window_length - 1 + horizon :] - walk[window_length - 1 : -horizon]
    model, reach = KNeighborsRegressor(2), {"window_length": window_length, "horizon": horizon}
    wrong = KFold(4, shuffle=True, random_state=0)
    assert cross_val_score(model, windows, change, cv=wrong).mean() > 0.8
    with pytest.raises(LeakageError, match="shuffle=True"):
        check_no_leakage(wrong, windows, **reach)
    for honest in (PurgedTimeSeriesSplit(4, **reach), PurgedKFold(4, **reach)):
        check_no_leakage(honest, windows, **reach)
        assert cross_val_score(model, windows, change, cv=honest).mean() <= 0.02


def test_a_hundred_thousand_rows_do_not_take_a_loop():
    check_no_leakage(PurgedKFold(5, horizon=24, window_length=500), rows(100_000), window_length=500, horizon=24)


@pytest.mark.parametrize(
    ("cv", "message"),
    [
        (iter([]), "gave no split. A generator can be used up only once"),
        ([(np.array([0.5]), np.array([9]))], "must hold row numbers, got values of type float64"),
        ([(np.ones(5, bool), np.array([9]))], "a mask of 5 values, but X has 30 rows"),
    ],
)
def test_nothing_checked_is_no_clean_bill(cv, message):
    with pytest.raises(ValueError, match=message):
        check_no_leakage(cv, np.zeros((30, 1)), window_length=1, horizon=1)
