"""Windows keep their rows, know their past and never see a later row."""

import pickle
import tracemalloc

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from pandas.tseries.holiday import USFederalHolidayCalendar
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor, VotingRegressor
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    RandomizedSearchCV,
    TimeSeriesSplit,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklrnn.estimators.named_regressors import GRURegressor
from sklrnn.preprocessing.sliding_window import SlidingWindow

PADDINGS = ["edge", "zero", "nan", "mean"]


def series(n_rows=60, n_features=2, index=None, seed=0):
    values = np.random.default_rng(seed).normal(size=(n_rows, n_features))
    index = pd.date_range("2024-01-01", periods=n_rows, freq="h") if index is None else index
    return pd.DataFrame(values, columns=[f"f{i}" for i in range(n_features)], index=index)


def sums(frame, length):
    """A target that needs the whole window: the sum of its rows, and no history is as good as the true one."""
    return frame["f0"].rolling(length, min_periods=1).sum()


def windows_by_loop(known, ends, *, length, step=1, padding="edge", mean=np.nan):
    """What each window must hold, place by place, from ``known``: position -> row."""
    span = (length - 1) * step + 1
    result = np.empty((len(ends), length, len(next(iter(known.values())))))
    for number, end in enumerate(ends):
        for k in range(length):
            place = end - (length - 1 - k) * step
            before = max((p for p in known if p < place), default=None)
            after = min((p for p in known if place < p <= end), default=None)
            if place in known:
                result[number, k] = known[place]
            elif padding == "edge":
                bridged = before is not None and after - before < span
                result[number, k] = known[before if bridged else after]
            else:
                result[number, k] = {"zero": 0.0, "nan": np.nan, "mean": mean}[padding]
    return result


# --- the windows of one series -------------------------------------------------------------------------------------


@given(st.integers(1, 12), st.integers(1, 5), st.integers(1, 3), st.sampled_from(PADDINGS), st.booleans())
@settings(max_examples=60, deadline=None)
def test_windows_agree_with_a_loop(n_rows, length, step, padding, as_frame):
    n_rows += (length - 1) * step
    X = series(n_rows) if as_frame else series(n_rows).to_numpy()
    rows = np.asarray(X)
    window = SlidingWindow(window_length=length, stride_within=step, padding=padding)
    known = dict(enumerate(rows))
    truth = windows_by_loop(known, range(n_rows), length=length, step=step, padding=padding, mean=rows.mean(axis=0))
    assert_allclose(window.fit_transform(X), truth)
    flat = window.set_params(flatten=True).fit_transform(X)
    assert_allclose(flat.reshape(n_rows, length, -1), truth)


@given(st.sets(st.integers(0, 30), min_size=4), st.sets(st.integers(0, 35), min_size=1), st.integers(1, 4),
       st.integers(1, 2), st.sampled_from(PADDINGS))  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_rows_find_what_is_known_of_their_past(train, test, length, step, padding):
    train, test = sorted(train), sorted(test - train)
    if not test or len(train) <= (length - 1) * step:
        return
    everything = series(36, index=pd.period_range("2024-01-01", periods=36, freq="D"))
    window = SlidingWindow(window_length=length, stride_within=step, padding=padding).fit(everything.iloc[train])
    rows = everything.to_numpy()
    mean = rows[train].mean(axis=0)
    in_training = windows_by_loop(
        {p: rows[p] for p in train}, train, length=length, step=step, padding=padding, mean=mean
    )
    known = {p: rows[p] for p in [*train, *test]}
    new = windows_by_loop(known, test, length=length, step=step, padding=padding, mean=mean)
    assert_allclose(window.transform(everything.iloc[train]), in_training)
    assert_allclose(window.transform(everything.iloc[test]), new)
    counted = windows_by_loop(known, test, length=length, step=step, padding="nan")
    assert_array_equal(window.count_filled(everything.iloc[test]), np.isnan(counted[:, :, 0]).sum(axis=1))


@given(st.integers(0, 59), st.integers(1, 10), st.sampled_from(["edge", "zero", "nan"]), st.booleans())
@settings(max_examples=40, deadline=None)
def test_no_later_row_ever_enters(row, length, padding, with_gaps):
    X = series()
    changed = X.copy()
    changed.iloc[row:] += 1000.0
    train = np.r_[0:20, 40:50] if with_gaps else np.arange(30)
    window = SlidingWindow(window_length=length, padding=padding)
    for frame in (X, X.iloc[train], X.iloc[30:]):
        before = window.fit(X.iloc[train]).transform(frame)
        after = window.fit(changed.iloc[train]).transform(changed.loc[frame.index])
        early = np.asarray(frame.index < X.index[row])
        assert_array_equal(before[early], after[early])


def test_last_row_of_each_window_is_the_row_itself():
    X = series()
    assert_array_equal(SlidingWindow(window_length=7).fit_transform(X)[:, -1], X)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("flatten", [False, True])
def test_windows_are_a_view_of_the_dtype_given(dtype, flatten):
    X = series(200).astype(dtype)
    window = SlidingWindow(window_length=50, flatten=flatten).fit(X[:100])
    for frame in (X[:100], X[100:], X[120:]):
        windows = window.transform(frame)
        assert windows.dtype == dtype
        assert np.shares_memory(windows[10], windows[11])
        assert not windows.flags.writeable


@pytest.mark.parametrize("flatten", [False, True])
def test_long_windows_cost_no_memory(flatten):
    X = series(100_000, 10, pd.date_range("2000-01-01", periods=100_000, freq="min")).astype(np.float32)
    window = SlidingWindow(window_length=100, flatten=flatten)
    tracemalloc.start()
    window.fit_transform(X[:90_000])
    window.transform(X[90_000:])
    added = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert added < 1.3 * X.to_numpy().nbytes  # written out it would be a hundred times the rows


def test_other_dtypes_become_float64():
    assert SlidingWindow(window_length=2).fit_transform(np.arange(6, dtype=np.int8).reshape(3, 2)).dtype == np.float64


# --- context -------------------------------------------------------------------------------------------------------

INDEXES = {
    "hours": pd.date_range("2024-03-01", periods=60, freq="h"),
    "month ends": pd.date_range("2010-01-31", periods=60, freq="ME"),
    "business days": pd.date_range("2024-01-01", periods=60, freq="B"),
    "days in a time zone": pd.date_range("2024-03-01", periods=60, freq="D", tz="Europe/Berlin"),
    "months": pd.period_range("2010-01", periods=60, freq="M"),
    "range": pd.RangeIndex(60),
    "integers": pd.Index(np.arange(60) * 5),
    "durations": pd.timedelta_range("0s", periods=60, freq="10s"),
}
every_index = pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES)


@every_index
@pytest.mark.parametrize(
    ("train", "test"),
    [
        (np.arange(40), np.arange(40, 60)),
        (np.r_[0:20, 40:60], np.arange(20, 40)),
        (np.arange(40), np.arange(60)),
        (np.arange(40), np.arange(40)),
    ],
    ids=["follows on", "in a gap", "all rows", "the training rows again"],
)
def test_windows_of_a_split_are_those_of_the_whole_series(index, train, test):
    X = series(index=index)
    by_hand = SlidingWindow(window_length=8, context="none").fit_transform(X)
    window = SlidingWindow(window_length=8).fit(X.iloc[train])
    assert_array_equal(window.transform(X.iloc[test]), by_hand[test])


@every_index
def test_a_gap_leaves_the_known_rows_at_their_true_place(index):
    X = series(index=index)
    window = SlidingWindow(window_length=8, padding="nan").fit(X.iloc[:40])
    by_hand = SlidingWindow(window_length=8).fit_transform(X)[43].copy()
    by_hand[4:7] = np.nan  # of the rows 36 ... 43 those from 40 to 42 lie in the gap
    assert_array_equal(window.transform(X.iloc[43:])[0], by_hand)
    assert_array_equal(window.count_filled(X.iloc[43:])[:9], [3, 3, 3, 3, 3, 2, 1, 0, 0])


@every_index
def test_training_rows_again_get_the_windows_of_training(index):
    train = series(index=index).iloc[np.r_[0:20, 26:50]]
    window = SlidingWindow(window_length=8)
    assert_array_equal(window.fit_transform(train), window.transform(train))


def test_rows_before_the_training_rows_see_nothing_of_them():
    X = series()
    window = SlidingWindow(window_length=8).fit(X[30:])
    assert_array_equal(window.transform(X[:30]), SlidingWindow(window_length=8).fit_transform(X[:30]))


def test_a_series_without_rule_joins_rows_that_come_next():
    stamps = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.cumsum(np.random.default_rng(1).integers(50, 99, 60)), "s")
    X = series(index=stamps)
    window = SlidingWindow(window_length=8).fit(X[:40])
    assert_array_equal(window.transform(X[40:]), SlidingWindow(window_length=8).fit_transform(X)[40:])
    assert window.count_filled(X[50:])[0] == 7  # ten rows later is no direct successor


@pytest.mark.parametrize("unread", ["array", "text", "another kind", "context none"])
def test_without_times_rows_get_no_context(unread):
    X = series()
    window = SlidingWindow(window_length=8, context="none" if unread == "context none" else "auto").fit(X[:40])
    assert window.n_context_rows_ == (0 if unread == "context none" else 7)
    new = X[40:]
    if unread == "text":
        new = new.set_index(new.index.astype(str))
    elif unread == "another kind":
        new = new.set_index(pd.RangeIndex(40, 60))
    elif unread == "array":
        window.fit(X[:40].to_numpy())
        new = new.to_numpy()
    assert_array_equal(window.transform(new), SlidingWindow(window_length=8).fit_transform(X[40:]))


def test_a_second_chunk_does_not_see_the_first_and_says_so():
    X = series()
    window = SlidingWindow(window_length=8).fit(X[:40])
    whole = window.transform(X[40:])
    assert_array_equal(window.transform(X[40:50]), whole[:10])
    assert_array_equal(window.count_filled(X[50:]), [7, 6, 5, 4, 3, 2, 1, 0, 0, 0])
    assert_array_equal(window.transform(X[43:])[7:], whole[10:])  # with the rows before it, and these dropped
    assert window.n_context_rows_ == 7


@pytest.mark.parametrize("library", ["pandas", "polars", "numpy"])
def test_a_time_column_replaces_the_index(library):
    X = series().reset_index(names="when")
    if library == "numpy":
        X["when"] = np.arange(60) * 2.0
    column = "when" if library != "numpy" else 0
    given = {"pandas": X, "polars": pl.from_pandas(X), "numpy": X.to_numpy()}[library]
    window = SlidingWindow(window_length=8, time_column=column).fit(given[:40])
    truth = SlidingWindow(window_length=8).fit_transform(X[["f0", "f1"]])
    assert_array_equal(window.transform(given[40:]), truth[40:])
    names = window.set_params(flatten=True).get_feature_names_out()
    # scikit-learn 1.6 finds no names in a frame of polars 2.
    named = library != "numpy" and hasattr(StandardScaler().fit(given[["f0", "f1"]]), "feature_names_in_")
    assert names[-1] == ("f1_lag0" if named else "x2_lag0")


def test_columns_in_the_other_byte_order_are_read_beside_a_time_column():
    X = series().reset_index(names="when")
    swapped = X.astype({name: X[name].dtype.newbyteorder() for name in ("f0", "f1")})
    window = SlidingWindow(window_length=8, time_column="when")
    assert_array_equal(window.fit_transform(swapped), window.fit_transform(X))


# --- panels --------------------------------------------------------------------------------------------------------


def panel(order="stacked"):
    """Three towns of 20, 15 and 18 hours."""
    towns = {"Ulm": 20, "Rom": 15, "Lund": 18}
    frames = [series(n, seed=n).assign(town=town) for town, n in towns.items()]
    X = pd.concat(frames).rename_axis("when").reset_index()
    return X.sort_values(["when", "town"], ignore_index=True) if order == "interleaved" else X


def form(X, how):
    """The same panel told apart in three ways, with what SlidingWindow must be told."""
    if how == "MultiIndex":
        return X.set_index(["town", "when"]), {}
    if how == "column":
        return X.set_index("when"), {"groups": "town"}
    if how == "two columns":
        return X, {"groups": "town", "time_column": "when"}
    codes = X.assign(town=pd.factorize(X["town"])[0], when=X["when"].astype("int64") // 3_600_000_000)
    return codes[["f0", "f1", "town", "when"]].to_numpy(dtype=float), {"groups": 2, "time_column": 3}


@pytest.mark.parametrize("order", ["stacked", "interleaved"])
@pytest.mark.parametrize("how", ["MultiIndex", "column", "two columns", "array"])
@pytest.mark.parametrize("padding", PADDINGS)
def test_each_entity_is_windowed_by_itself(order, how, padding):
    X = panel(order)
    hour = X.groupby("town").cumcount()
    train, test = np.flatnonzero(hour < 10), np.flatnonzero(hour >= 10)
    given, options = form(X, how)
    take = given.iloc.__getitem__ if hasattr(given, "iloc") else given.__getitem__
    window = SlidingWindow(window_length=4, padding=padding, **options).fit(take(train))
    for part in (train, test):
        windows = window.transform(take(part))
        for town, rows in X.groupby("town"):
            own = rows.set_index("when")[["f0", "f1"]]
            alone = SlidingWindow(window_length=4, padding=padding).fit(own[:10])
            truth = alone.transform(own[:10] if part is train else own[10:])
            assert_allclose(windows[X["town"].iloc[part] == town], truth, rtol=1e-12)


@pytest.mark.parametrize("order", ["stacked", "interleaved"])
def test_rows_of_a_panel_may_be_numbered_through(order):
    X = panel(order).drop(columns="when")
    windows = SlidingWindow(window_length=4, groups="town").fit_transform(X)
    for town, rows in X.groupby("town"):
        own = rows[["f0", "f1"]].to_numpy()
        assert_array_equal(windows[X["town"] == town], SlidingWindow(window_length=4).fit_transform(own))


def test_an_entity_that_training_has_not_seen_gets_no_context():
    X = panel().set_index(["town", "when"])
    window = SlidingWindow(window_length=4, padding="mean").fit(X.loc[["Ulm", "Rom"]])
    windows = window.transform(X.loc[["Lund"]])
    assert_allclose(windows[0, :3], np.tile(X.loc[["Ulm", "Rom"]].mean(), (3, 1)))
    assert_array_equal(windows[5], X.loc["Lund"].iloc[2:6])


# --- names and containers ------------------------------------------------------------------------------------------


def test_lag_columns_are_named_oldest_step_first():
    window = SlidingWindow(window_length=3, stride_within=2, flatten=True).fit(series())
    expected = ["f0_lag4", "f1_lag4", "f0_lag2", "f1_lag2", "f0_lag0", "f1_lag0"]
    assert list(window.get_feature_names_out()) == expected
    assert not hasattr(window.set_params(flatten=False), "get_feature_names_out")
    unnamed = SlidingWindow(window_length=2, flatten=True).fit([[1.0], [2.0], [3.0]])
    assert list(unnamed.get_feature_names_out()) == ["x0_lag1", "x0_lag0"]
    assert list(unnamed.get_feature_names_out(["temp"])) == ["temp_lag1", "temp_lag0"]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_flat_windows_come_in_the_frame_asked_for(library):
    X = series()
    window = SlidingWindow(window_length=3, flatten=True).set_output(transform=library)
    frame = window.fit_transform(X)
    assert list(frame.columns) == list(window.get_feature_names_out())
    assert_array_equal(frame.to_numpy(), SlidingWindow(window_length=3, flatten=True).fit_transform(X))
    if library == "pandas":
        assert frame.index.equals(X.index)


def test_a_whole_pipeline_can_be_set_to_frames():
    X = series()
    model = make_pipeline(StandardScaler(), SlidingWindow(window_length=3)).set_output(transform="pandas")
    windows = model.fit_transform(X[:40])
    assert windows.shape == (40, 3, 2)
    # Now that the scaler keeps the index, the window knows the past of the next rows.
    assert_array_equal(model.transform(X)[40:], model.transform(X[40:]))
    with sklearn.config_context(transform_output="pandas"):
        assert isinstance(SlidingWindow(window_length=3).fit_transform(X), np.ndarray)
        assert isinstance(SlidingWindow(window_length=3, flatten=True).fit_transform(X), pd.DataFrame)


@pytest.mark.parametrize("copy", [lambda w: pickle.loads(pickle.dumps(w)), lambda w: clone(w).fit(series()[:40])])
def test_copies_give_the_same_windows(copy):
    window = SlidingWindow(window_length=8, padding="mean", flatten=True).set_output(transform="pandas")
    window.fit(series()[:40])
    pd.testing.assert_frame_equal(copy(window).transform(series()[40:]), window.transform(series()[40:]))


# --- scikit-learn's tools, untouched -------------------------------------------------------------------------------


def ridge(length=6, **options):
    return make_pipeline(SlidingWindow(window_length=length, flatten=True, **options), Ridge(1e-6))


def task(n_rows=240):
    X = series(n_rows)
    return X, sums(X, 6)


def test_predictions_of_a_fold_equal_those_on_windows_cut_by_hand():
    X, y = task()
    by_hand = np.concatenate([X.shift(lag).bfill().to_numpy() for lag in reversed(range(6))], axis=1)
    for train, test in TimeSeriesSplit(4).split(X):
        piped = ridge().fit(X.iloc[train], y.iloc[train]).predict(X.iloc[test])
        assert_allclose(piped, Ridge(1e-6).fit(by_hand[train], y.iloc[train]).predict(by_hand[test]))


@pytest.mark.parametrize("cv", [TimeSeriesSplit(4), TimeSeriesSplit(4, gap=2), KFold(4)], ids=str)
def test_scores_are_those_of_full_windows(cv):
    X, y = task(1000)  # the rows after gaps, whose windows are filled, are few then
    assert cross_val_score(ridge(), X, y, cv=cv).min() > 0.9
    scores = cross_validate(ridge(), X, y, cv=cv, return_train_score=True)
    assert scores["train_score"].min() > 0.9


@pytest.mark.parametrize(
    "search",
    [
        lambda m, g: GridSearchCV(m, g, cv=TimeSeriesSplit(3, gap=2)),
        lambda m, g: RandomizedSearchCV(m, g, n_iter=3, cv=TimeSeriesSplit(3), random_state=0),
        lambda m, g: HalvingGridSearchCV(
            m, g, cv=TimeSeriesSplit(3), resource="ridge__max_iter", max_resources=90, random_state=0
        ),
    ],
    ids=["grid", "randomized", "halving"],
)
def test_searches_find_the_window(search):
    X, y = task()
    model = ridge().set_params(ridge__solver="lsqr")
    found = search(model, {"slidingwindow__window_length": [2, 4, 6]}).fit(X, y)
    assert found.best_params_["slidingwindow__window_length"] == 6
    assert found.predict(X[-30:]).shape == (30,)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
def test_halving_over_random_rows_is_refused_with_advice():
    # Its default resource is the number of rows, which it draws at random and in random order.
    X, y = task()
    search = HalvingGridSearchCV(ridge(), {"ridge__alpha": [0.1, 1.0]}, cv=TimeSeriesSplit(3), random_state=0)
    with pytest.raises(ValueError, match="HalvingGridSearchCV shuffles unless its resource"):
        search.fit(X, y)


def test_window_and_network_are_searched_together():
    X, y = task()
    model = make_pipeline(SlidingWindow(), GRURegressor(max_epochs=1, random_state=0))
    grid = {"slidingwindow__window_length": [2, 6], "gruregressor__units": [2, 4]}
    search = GridSearchCV(model, grid, cv=TimeSeriesSplit(2, gap=2)).fit(X, y)
    assert len(search.cv_results_["params"]) == 4
    assert search.predict(X).shape == y.shape


def test_other_tools_take_the_pipeline():
    X, y = task()
    assert r2_score(y, cross_val_predict(ridge(), X, y, cv=KFold(4))) > 0.8
    halves = TransformedTargetRegressor(ridge(), transformer=StandardScaler()).fit(X[:120], y[:120])
    assert halves.score(X[120:], y[120:]) > 0.99
    trees = make_pipeline(SlidingWindow(window_length=6, flatten=True, padding="nan"), HistGradientBoostingRegressor())
    both = VotingRegressor([("ridge", ridge()), ("trees", trees)]).fit(X[:120], y[:120])
    assert both.predict(X[120:]).shape == (120,)


def test_a_column_transformer_before_the_window():
    X, y = task()
    X = X.assign(sky=np.where(np.arange(len(X)) % 3 == 0, "clear", "cloudy"))
    prepare = ColumnTransformer(
        [("sky", OneHotEncoder(sparse_output=False), ["sky"]), ("rest", StandardScaler(), ["f0", "f1"])]
    ).set_output(transform="pandas")
    model = make_pipeline(prepare, *[step for _, step in ridge().steps]).fit(X[:120], y[:120])
    assert model.score(X[120:], y[120:]) > 0.99
    assert "sky__sky_clear_lag5" in model[:-1].get_feature_names_out()


# --- bad input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "X", "message"),
    [
        ({"window_length": 24}, series(10), r"window_length=24 needs at least 24 rows, got 10\. Shorten the window or"),
        ({"window_length": 5, "stride_within": 3}, series(12), "stride_within=3 needs at least 13 rows, got 12"),
        ({"window_length": 0}, series(), "'window_length' parameter of SlidingWindow must be an int in the range"),
        ({"padding": "reflect"}, series(), "'padding' parameter of SlidingWindow must be a str among"),
        ({"time_column": "when"}, series(), r"time_column='when' is no column of X. Its columns are \['f0', 'f1'\]"),
        ({"groups": 2}, series().to_numpy(), "groups=2 is no column of an array of 2 columns"),
        ({"time_column": "f0", "groups": "f1"}, series(), "no feature beside"),
        ({"time_column": "t"}, series().assign(t="Monday"), "time_column='t' holds no times.*to_datetime"),
        ({"groups": "g"}, series().assign(g=None), "row 0 has none in groups='g'"),
        ({}, series().assign(sky="clear"), "Column 'sky' holds no numbers"),
        ({}, np.array([[1.0, "warm"]] * 9, dtype=object), "Column 1 holds no numbers"),
        ({}, series().reset_index(names="when"), "Column 'when' holds times.*time_column"),
        ({}, series().iloc[::-1], r"row 1 \(.*\) comes before row 0"),
        ({}, series().iloc[[0, 1, 2, 2]], "rows 2 and 3 are both at"),
        ({}, train_test_split(series(), random_state=0)[0], "without shuffling"),
        ({}, series().replace(series().iloc[3, 1], np.inf), "contains infinity"),
    ],
)
def test_bad_input_is_refused_with_advice(options, X, message):
    with pytest.raises(ValueError, match=message):
        SlidingWindow(**{"window_length": 3, **options}).fit(X)


def test_an_entity_out_of_order_is_named():
    X = panel().set_index(["town", "when"])
    with pytest.raises(ValueError, match="The rows of 'Rom' must be in the order of time, but row 21 .* row 20"):
        SlidingWindow(window_length=3).fit(X.iloc[np.r_[0:20, 21, 20, 22:53]])


def test_missing_values_pass():
    X = series()
    X.iloc[5, 0] = np.nan
    windows = SlidingWindow(window_length=3, padding="mean").fit_transform(X)
    assert np.isnan(windows).sum() == 3
    assert_allclose(windows[0, 0, 0], X["f0"].mean())


def test_means_that_fill_are_those_of_the_known_values():
    X = np.array([[1.0, np.nan, np.nan], [5.0, 4.0, np.nan], [6.0, 8.0, np.nan]])
    first = SlidingWindow(2, padding="mean").fit_transform(X)[0, 0]
    assert_array_equal(first, [4.0, 6.0, np.nan])


def test_a_single_known_value_is_the_mean_that_fills():
    X = np.array([[np.nan, np.nan], [2.0, np.nan], [np.nan, np.nan]])
    first = SlidingWindow(2, padding="mean").fit_transform(X)[0, 0]
    assert_array_equal(first, [2.0, np.nan])


def test_few_rows_suffice_once_fitted():
    X = series()
    assert SlidingWindow(window_length=24).fit(X).transform(X[-1:]).shape == (1, 24, 2)


# --- scikit-learn's checks -----------------------------------------------------------------------------------------

ROWS_ARE_ORDERED_IN_TIME = {
    "check_methods_sample_order_invariance": "a window holds the rows before its own: in another order, others",
    "check_methods_subset_invariance": "a window holds the rows before its own: of a subset, not all of them",
}


@parametrize_with_checks(
    [SlidingWindow(), SlidingWindow(window_length=3, flatten=True), SlidingWindow(window_length=1)],
    expected_failed_checks=lambda window: ROWS_ARE_ORDERED_IN_TIME if window.window_length > 1 else {},
)
def test_window_keeps_the_contract(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "check",
    [
        "check_dataframe_column_names_consistency",
        "check_transformer_get_feature_names_out",
        "check_transformer_get_feature_names_out_pandas",
        "check_set_output_transform",
        "check_set_output_transform_pandas",
        "check_set_output_transform_polars",
        "check_global_output_transform_pandas",
        "check_global_set_output_transform_polars",
        "check_param_validation",
        "check_transformer_data_not_an_array",
    ],
)
@pytest.mark.filterwarnings("ignore:X (has|does not have valid) feature names")  # they fit frames and transform arrays
def test_window_keeps_what_is_not_yielded(check):
    getattr(estimator_checks, check)("SlidingWindow", SlidingWindow(window_length=3, flatten=True))


def test_the_length_may_come_first():
    assert SlidingWindow(7).window_length == 7
    assert clone(SlidingWindow(7)).get_params()["window_length"] == 7
    with pytest.raises(TypeError):
        SlidingWindow(7, 2)


@pytest.mark.parametrize("n_train", [60, 250, 500, 2000])
def test_business_days_with_holidays_are_business_days(n_train):
    days = pd.bdate_range("2010-01-01", "2019-12-31")
    holidays = USFederalHolidayCalendar().holidays("2010", "2020")
    X = series(index=days[~days.isin(holidays)], n_rows=len(days) - days.isin(holidays).sum())
    window = SlidingWindow(10).fit(X[:n_train])
    filled = window.count_filled(X[n_train : n_train + 50])
    assert filled.mean() < 1  # the holidays, not the weekends


@pytest.mark.parametrize("freq", ["D", "B"])
def test_a_stamp_off_the_grid_moves_no_other_row(freq):
    X = series(30, index=pd.date_range("2024-01-01", periods=30, freq=freq))
    window = SlidingWindow(3, padding="nan").fit(X[:10])
    new = X.iloc[[10, 11, 13]]
    odd = X[14:15].set_axis(X.index[14:15] + pd.Timedelta("1s"))
    assert_array_equal(window.transform(pd.concat([new, odd]))[:3], window.transform(new))


def test_numbers_named_as_times_are_distances_also_in_a_panel():
    t = np.r_[0:50:10, 80:130:10]
    panel = pd.concat(
        [pd.DataFrame({"g": g, "t": start + t, "a": start + 1.0 * t}) for g, start in [("u", 0), ("v", 1000)]]
    )
    windows = SlidingWindow(3, groups="g", time_column="t", padding="nan").fit_transform(panel)
    assert_array_equal(windows[5, :, 0], [np.nan, np.nan, 80])


def test_numbers_are_times_in_an_array_that_also_holds_text():
    X = np.empty((20, 3), dtype=object)
    X[:, 0], X[:, 1], X[:, 2] = "u", np.arange(20), np.arange(20.0)
    window = SlidingWindow(3, groups=0, time_column=1).fit(X[:15])
    assert_array_equal(window.transform(X[15:])[0, :, 0], [13, 14, 15])


def test_times_of_two_kinds_are_not_merged_silently():
    X = series()
    window = SlidingWindow(3).fit(X[:40])
    with pytest.raises(ValueError, match="holds stamps, got an index of stamps with a time zone. Convert one"):
        window.transform(X[40:].tz_localize("UTC"))


def test_infinity_is_placed():
    X = series()
    X.iloc[7, 1] = np.inf
    with pytest.raises(ValueError, match="infinity.*The first is in column 'f1', row 7"):
        SlidingWindow(3).fit(X)


def test_a_late_stamp_in_training_does_not_hide_a_gap():
    X = series(40)
    late = X.index.to_series()
    late.iloc[30] += pd.Timedelta("1s")
    X = X.set_axis(pd.DatetimeIndex(late)).drop(index=X.index[8:11])
    windows = SlidingWindow(4, padding="nan").fit_transform(X)
    assert_array_equal(np.isnan(windows[8:11, :, 0]).sum(axis=1), [3, 2, 1])


# --- the calendar ----------------------------------------------------------------------------------------------------

HOURS = series(24 * 21)


def test_calendar_of_each_row_and_of_its_target_are_features_of_the_steps():
    windows = SlidingWindow(window_length=3, calendar=["day"], horizon=[1, 6]).fit_transform(HOURS)
    assert windows.shape == (len(HOURS), 3, 2 + 2 * 4)
    assert_array_equal(windows[:, :, :2], SlidingWindow(window_length=3).fit_transform(HOURS))
    angles = 2 * np.pi * (HOURS.index.hour.to_numpy() + 6) / 24
    assert_allclose(windows[:, -1, 6], np.sin(angles), atol=1e-12)
    assert_allclose(windows[2:, 0, 7], np.cos(angles[:-2]), atol=1e-12)


@pytest.mark.parametrize(
    "X",
    [HOURS, HOURS.set_axis(HOURS.index.to_period("h")), pd.concat({"a": HOURS, "b": HOURS[:400]}, names=["series"])],
    ids=["dates", "periods", "panel"],
)
def test_later_rows_have_the_calendar_of_the_whole(X):
    whole = SlidingWindow(window_length=4, calendar="auto", horizon=24)
    windows = whole.fit_transform(X)
    is_known = X.index.get_level_values(-1) < X.index.get_level_values(-1)[390]
    window = pickle.loads(pickle.dumps(clone(whole).fit(X[is_known])))
    assert_array_equal(window.transform(X[~is_known]), windows[~is_known])


def test_lag_columns_have_the_calendar_once():
    window = SlidingWindow(window_length=2, calendar=["day"], horizon=24, flatten=True).set_output(transform="pandas")
    names = ["f0_lag1", "f1_lag1", "f0_lag0", "f1_lag0", "day_sin", "day_cos", "day_sin2", "day_cos2"]
    lags = window.fit_transform(HOURS.astype(np.float32))
    assert list(lags.columns) == [*names, *(f"{name}_lead24" for name in names[4:])]
    assert (lags.dtypes == np.float32).all()


def test_calendar_of_the_row_alone():
    assert SlidingWindow(window_length=2, calendar=["day"], horizon=None).fit_transform(HOURS).shape[2] == 2 + 4


def test_calendar_is_searched_and_improves_what_follows_the_clock():
    X = HOURS.assign(f0=HOURS.index.hour.isin([7, 8, 17]).astype(float) + 0.1 * HOURS["f0"])
    model = make_pipeline(SlidingWindow(window_length=2, horizon=5, flatten=True), Ridge())
    choices = {"slidingwindow__calendar": [None, ["day"], "auto"]}
    search = GridSearchCV(model, choices, cv=TimeSeriesSplit(3, gap=4)).fit(X[:-5], X["f0"].to_numpy()[5:])
    assert search.best_params_["slidingwindow__calendar"] is not None
    assert search.predict(X).shape == (len(X),)


def test_array_has_a_calendar_by_its_time_column():
    table = np.column_stack([HOURS.index.to_numpy().astype(object), HOURS.to_numpy()])
    table[:, 0] = HOURS.index.to_pydatetime()
    windows = SlidingWindow(window_length=2, calendar=["day"], time_column=0).fit_transform(table)
    assert_array_equal(windows, SlidingWindow(window_length=2, calendar=["day"]).fit_transform(HOURS))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"calendar": "days"}, "'calendar' parameter .* must be 'auto', None, or a list of different names"),
        ({"calendar": ["day", "hour"]}, "'calendar' parameter"),
        ({"horizon": [0]}, "'horizon' parameter .* an int of at least 1"),
        ({"horizon": []}, "'horizon' parameter"),
    ],
)
def test_calendar_and_horizon_are_validated(options, message):
    with pytest.raises(ValueError, match=message):
        SlidingWindow(window_length=2, **options).fit(HOURS)


def test_calendar_needs_dates_when_rows_are_transformed_too():
    window = SlidingWindow(window_length=2, calendar=["day"]).fit(HOURS)
    with pytest.raises(ValueError, match="DatetimeIndex or PeriodIndex"):
        window.transform(HOURS.reset_index(drop=True))
