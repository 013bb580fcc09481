import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor, StackingRegressor
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import Ridge
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    TimeSeriesSplit,
    cross_val_predict,
    cross_val_score,
)
from threadpoolctl import threadpool_limits

from sklrnn.model_selection.leakage import check_no_leakage
from sklrnn.model_selection.purged_splits import PurgedKFold, PurgedTimeSeriesSplit

SPLITTERS = [PurgedTimeSeriesSplit, PurgedKFold]


def rows(n_rows):
    return np.zeros((n_rows, 1))


def reads(row, reach):
    return {row - step * reach["stride_within"] for step in range(reach["window_length"])}


def learns(row, reach):
    return {row + step for step in range(1, reach["horizon"] + 1)}


def splits_or_skip(cv, X, groups=None):
    """Make the splits, and pass over the drawn sizes that are too small for them."""
    try:
        return list(cv.split(X, groups=groups))
    except ValueError as error:
        assume("n_splits=" not in str(error))
        raise


reaches = st.fixed_dictionaries(
    {"horizon": st.integers(1, 6), "window_length": st.integers(1, 5), "stride_within": st.integers(1, 3)}
)


@pytest.mark.parametrize("gap", [0, 1, 23])
@pytest.mark.parametrize("limits", [{"test_size": 7}, {"test_size": 5, "max_train_size": 20}])
def test_forward_splits_are_those_of_scikit_learn_with_the_gap_of_the_horizon(gap, limits):
    ours = PurgedTimeSeriesSplit(4, horizon=gap + 1, **limits).split(rows(100))
    theirs = TimeSeriesSplit(4, gap=gap, **limits).split(rows(100))
    for our_pair, their_pair in zip(ours, theirs, strict=True):
        for our_rows, their_rows in zip(our_pair, their_pair, strict=True):
            assert_array_equal(our_rows, their_rows)


def test_defaults_are_five_splits_without_a_window_and_one_step_ahead():
    shared = {"n_splits": 5, "horizon": 1, "window_length": 1, "stride_within": 1, "embargo": 0}
    assert vars(PurgedKFold()) == shared
    assert vars(PurgedTimeSeriesSplit()) == {**shared, "expanding": True, "max_train_size": None, "test_size": None}


@pytest.mark.parametrize(
    ("cv", "n_rows", "message"),
    [
        (PurgedTimeSeriesSplit(), 0, "test_size=1 .* leave 0 of 0 time steps"),
        (PurgedTimeSeriesSplit(), 1, "test_size=1 .* leave 0 of 1 time steps"),
        (PurgedTimeSeriesSplit(), 5, "test_size=1 .* leave 0 of 5 time steps"),
        (PurgedKFold(), 0, "n_splits=5 blocks need at least as many time steps, got 0"),
        (PurgedKFold(), 1, "got 1"),
        (PurgedKFold(), 4, "got 4"),
    ],
)
def test_too_few_rows_are_counted(cv, n_rows, message):
    with pytest.raises(ValueError, match=message):
        list(cv.split(np.zeros((n_rows, 1))))


def test_every_row_may_be_a_block():
    splits = [(train.tolist(), test.tolist()) for train, test in PurgedKFold(3).split(np.zeros((3, 1)))]
    assert splits == [([2], [0]), ([0], [1]), ([0, 1], [2])]


def test_the_fewest_rows_make_test_sets_of_one():
    splits = list(PurgedTimeSeriesSplit(n_splits=4).split(np.zeros((5, 1))))
    assert [(len(train), test.tolist()) for train, test in splits] == [(1, [1]), (2, [2]), (3, [3]), (4, [4])]


def test_default_test_size_leaves_room_for_the_gap():
    splits = list(PurgedTimeSeriesSplit(5, horizon=24).split(rows(100)))
    assert [len(train) for train, _ in splits] == [17, 29, 41, 53, 65]
    assert {len(test) for _, test in splits} == {12}


def test_blocks_are_those_of_kfold():
    for (_, ours), (_, theirs) in zip(PurgedKFold(4).split(rows(103)), KFold(4).split(rows(103)), strict=True):
        assert_array_equal(ours, theirs)


@settings(deadline=None)
@given(reaches, st.integers(2, 60), st.integers(2, 6), st.integers(0, 4), st.sampled_from(SPLITTERS))
def test_no_training_row_touches_an_answer(reach, n_rows, n_splits, embargo, splitter):
    for train, test in splits_or_skip(splitter(n_splits, embargo=embargo, **reach), rows(n_rows)):
        answers = set().union(*(learns(row, reach) for row in test.tolist()))
        for row in train.tolist():
            assert not answers & (reads(row, reach) | learns(row, reach))


@settings(deadline=None)
@given(reaches, st.integers(20, 80), st.integers(2, 5), st.sampled_from(SPLITTERS))
def test_no_more_rows_are_purged_than_must_be(reach, n_rows, n_splits, splitter):
    reach["stride_within"] = 1  # a longer stride leaves rows out between the steps that a window reads
    for train, test in splits_or_skip(splitter(n_splits, **reach), rows(n_rows)):
        answers = set().union(*(learns(row, reach) for row in test.tolist()))
        last = n_rows if splitter is PurgedKFold else test[0]
        purged = set(range(last)) - set(train.tolist()) - set(test.tolist())
        assert all(answers & (reads(row, reach) | learns(row, reach)) for row in purged)


@pytest.mark.parametrize("embargo", [1, 5])
def test_embargo_leaves_out_further_rows(embargo):
    for splitter, sides in ((PurgedTimeSeriesSplit, {0: 1, 1: 1}), (PurgedKFold, {0: 1, 1: 2})):
        options = {"test_size": 20} if splitter is PurgedTimeSeriesSplit else {}
        without = [len(train) for train, _ in splitter(3, **options).split(rows(99))]
        with_it = [len(train) for train, _ in splitter(3, embargo=embargo, **options).split(rows(99))]
        for number, n_sides in sides.items():
            assert without[number] - with_it[number] == n_sides * embargo


def test_rolling_training_sets_keep_the_first_length():
    lengths = {len(train) for train, _ in PurgedTimeSeriesSplit(4, horizon=3, expanding=False).split(rows(80))}
    capped = PurgedTimeSeriesSplit(4, horizon=3, expanding=False, max_train_size=5).split(rows(80))
    assert lengths == {80 - 4 * 15 - 2}
    assert {len(train) for train, _ in capped} == {5}


def panel(lengths, by_time=False, stamps=True):
    """Entities of several lengths that end together, below each other or sorted by time."""
    table = pd.DataFrame(
        [(name, pd.Timestamp("2020-01-01") + pd.Timedelta(days=max(lengths) - length + day))
         for name, length in zip("abcdef", lengths, strict=False) for day in range(length)],
        columns=["entity", "day"],
    )  # fmt: skip
    if by_time:
        table = table.sort_values(["day", "entity"], ignore_index=True)
    table["x"] = 0.0
    return table.set_index("day") if stamps else table


@pytest.mark.parametrize("splitter", SPLITTERS)
@pytest.mark.parametrize("by_time", [False, True])
def test_entities_of_a_panel_are_cut_at_the_same_time(splitter, by_time):
    X = panel([40, 25, 33], by_time)
    for train, test in splitter(3, horizon=2, window_length=3).split(X, groups=X["entity"]):
        days = X.index[test]
        others = X.index[np.setdiff1d(np.arange(len(X)), test)]
        assert not ((others >= days.min()) & (others <= days.max())).any()
        for name in X["entity"].unique():
            before = X[(X["entity"] == name) & (X.index < days.min())]
            kept = X.iloc[train][lambda part, name=name: part["entity"] == name]
            if len(before) > 1:
                assert kept.index[kept.index < days.min()].max() == before.index[-2]


@settings(deadline=None)
@given(st.data(), reaches, st.lists(st.integers(1, 30), min_size=1, max_size=5), st.sampled_from(SPLITTERS))
def test_panels_of_any_shape_do_not_leak(data, reach, lengths, splitter):
    groups = np.repeat(np.arange(len(lengths)), lengths)
    groups = groups[data.draw(st.permutations(range(len(groups))))]
    cv = splitter(data.draw(st.integers(2, 4)), **reach)
    splits_or_skip(cv, rows(len(groups)), groups)
    check_no_leakage(cv, rows(len(groups)), groups=groups, **reach)


def test_panel_with_missing_days_never_learns_past_the_first_test_day():
    rng = np.random.default_rng(0)
    X = panel([60, 60, 60])
    X = X[rng.random(len(X)) < 0.6]
    for train, test in PurgedTimeSeriesSplit(4, horizon=3).split(X, groups=X["entity"]):
        for name in "abc":
            own = X.index[X["entity"] == name]
            newest = X.index[train][(X["entity"] == name).to_numpy()[train]].max()
            assert own[own.get_loc(newest) + 3] <= X.index[test].min()


@pytest.mark.parametrize("splitter", SPLITTERS)
def test_multiindex_says_entities_and_times_by_itself(splitter):
    X = panel([20, 14])
    named = splitter(2).split(X, groups=X["entity"])
    indexed = splitter(2).split(X.set_index("entity", append=True).swaplevel())
    for (train, test), (same_train, same_test) in zip(named, indexed, strict=True):
        assert_array_equal(train, same_train)
        assert_array_equal(test, same_test)


def test_without_stamps_time_is_the_rank_within_the_entity():
    groups = [0] * 8 + [1] * 6
    (train, test), _ = PurgedTimeSeriesSplit(2, horizon=2, test_size=3).split(rows(14), groups=groups)
    assert_array_equal(test, [2, 3, 4, 10, 11, 12])
    assert_array_equal(train, [0, 8])


@pytest.mark.parametrize("splitter", SPLITTERS)
def test_panel_given_as_one_series_is_refused(splitter):
    with pytest.raises(ValueError, match=r"row 40 .* comes before row 39 .*groups="):
        next(splitter(2).split(panel([40, 40])))


def test_backward_time_names_the_rows():
    X = pd.DataFrame({"x": range(6)}, index=pd.date_range("2020-01-01", periods=6)[[0, 1, 3, 2, 4, 5]])
    with pytest.raises(ValueError, match=r"row 3 \(2020-01-03.*\) comes before row 2 \(2020-01-04"):
        next(PurgedKFold(2).split(X))


def test_missing_times_and_entities_are_refused():
    X = panel([10])
    X.index = X.index.where(np.arange(10) != 4)
    with pytest.raises(ValueError, match="row 4 has none"):
        next(PurgedKFold(2).split(X))
    index = pd.MultiIndex.from_arrays([["a", None], [1, 2]])
    with pytest.raises(ValueError, match="row 1 has none in the index"):
        next(PurgedKFold(2).split(pd.DataFrame({"x": [1, 2]}, index=index)))


@pytest.mark.parametrize("splitter", SPLITTERS)
def test_splits_need_rows(splitter):
    with pytest.raises(TypeError, match="X must have rows to split, got None"):
        next(splitter().split(None))


@pytest.mark.parametrize("splitter", SPLITTERS)
@pytest.mark.parametrize("name", ["n_splits", "horizon", "window_length", "stride_within", "embargo"])
@pytest.mark.parametrize("value", [-1, 1.5, "2", None, True])
def test_parameters_are_checked_by_name(splitter, name, value):
    with pytest.raises(ValueError, match=rf"{name} must be an int of at least \d, got"):
        splitter(**{name: value})


def test_sizes_are_checked():
    with pytest.raises(ValueError, match="test_size must be an int of at least 1, got 0"):
        PurgedTimeSeriesSplit(test_size=0)
    with pytest.raises(ValueError, match="max_train_size must be an int of at least 9, got 8"):
        PurgedTimeSeriesSplit(max_train_size=8, window_length=5, stride_within=2)
    with pytest.raises(ValueError, match="n_splits must be an int of at least 2, got 1"):
        PurgedKFold(1)


def test_errors_about_too_little_data_name_the_numbers():
    cv = PurgedTimeSeriesSplit(3, horizon=24, embargo=2, test_size=20, window_length=10)
    with pytest.raises(ValueError, match=r"n_splits=3 with test_size=20 and gap=25 .* leave 5 of 90 .* needs 10\."):
        next(cv.split(rows(90)))
    with pytest.raises(ValueError, match=r"n_splits=5 blocks need at least as many time steps, got 3"):
        next(PurgedKFold(5).split(rows(3)))
    with pytest.raises(ValueError, match=r"n_splits=2.* leaves no training row in split 0 of 10 rows"):
        next(PurgedKFold(n_splits=2, horizon=5).split(rows(10)))


def test_rows_and_targets_must_agree():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        list(PurgedKFold(2).split(np.zeros((10, 1)), np.zeros(9)))


def test_rows_and_groups_must_agree():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        next(PurgedKFold(2).split(rows(10), groups=[0] * 9))


@pytest.mark.parametrize("splitter", SPLITTERS)
def test_splitter_is_what_scikit_learn_expects(splitter):
    cv = splitter(3, horizon=2)
    assert cv.get_n_splits() == cv.get_n_splits(rows(9), None, None) == 3
    assert repr(cv).startswith(f"{splitter.__name__}(")
    assert "horizon=2" in repr(cv)
    assert repr(clone(cv, safe=False)) == repr(cv)
    assert cv.get_metadata_routing().split.requests == {"groups": True}
    with config_context(enable_metadata_routing=True):
        assert cv.set_split_request(groups=False).get_metadata_routing().split.requests == {"groups": False}


@pytest.mark.parametrize("splitter", SPLITTERS)
def test_groups_reach_the_splitter_with_and_without_routing(splitter):
    X, groups = np.random.default_rng(0).normal(size=(60, 2)), np.repeat([0, 1], 30)
    expected = [len(train) for train, _ in splitter(3).split(X, groups=groups)]
    search = GridSearchCV(Ridge(), {"alpha": [1.0]}, cv=splitter(3)).fit(X, X[:, 0], groups=groups)
    with config_context(enable_metadata_routing=True):
        routed = GridSearchCV(Ridge(), {"alpha": [1.0]}, cv=splitter(3)).fit(X, X[:, 0], groups=groups)
        scores = cross_val_score(Ridge(), X, X[:, 0], cv=splitter(3), params={"groups": groups})
    assert expected != [len(train) for train, _ in splitter(3).split(X)]
    assert routed.best_score_ == search.best_score_ == pytest.approx(scores.mean())


def test_blocks_feed_out_of_fold_predictions_and_searches():
    X = np.random.default_rng(0).normal(size=(120, 2))
    cv = PurgedKFold(3, horizon=2, window_length=3)
    assert len(cross_val_predict(Ridge(), X, X[:, 0], cv=cv)) == 120
    assert StackingRegressor([("ridge", Ridge())], cv=cv).fit(X, X[:, 0]).score(X, X[:, 0]) > 0.9
    assert HalvingGridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=cv).fit(X, X[:, 0]).best_params_ == {"alpha": 0.1}


@pytest.mark.parametrize("splitter", SPLITTERS)
@pytest.mark.parametrize("model", [Ridge(), HistGradientBoostingRegressor(max_iter=20)], ids=lambda m: type(m).__name__)
@pytest.mark.parametrize("horizon", [1, 12])
def test_white_noise_cannot_be_predicted(splitter, model, horizon):
    noise = np.random.default_rng(0).normal(size=2000)
    windows = np.lib.stride_tricks.sliding_window_view(noise, 10)[:-horizon]
    target = np.lib.stride_tricks.sliding_window_view(noise[10:], horizon).mean(axis=1)
    with threadpool_limits(1):  # many threads on little data mostly wait for each other
        scores = cross_val_score(model, windows, target, cv=splitter(4, horizon=horizon, window_length=10))
    assert scores.mean() <= 0.02
