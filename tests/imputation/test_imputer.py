"""Imputation: accuracy, values that must stay, leakage, forms of X."""

import pickle
import threading

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
import skops.io
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline

from sklrnn import GRURegressor, RecurrentImputer, SlidingWindow, supervise
from sklrnn.datasets import load_co2, load_jfk_weather
from sklrnn.imputation.imputer import _STEPS
from sklrnn.timeline.calendar_features import choose_cycles, cyclical_features
from sklrnn.training.auto_epochs import resolve_epochs

TINY = {"units": 4, "max_epochs": 2, "random_state": 0}
SMALL = {"units": 16, "max_epochs": 60, "random_state": 0}


def tiny(**options):
    return RecurrentImputer(**TINY | options)


@pytest.fixture(scope="module")
def waves():
    steps = np.arange(600)
    truth = np.column_stack([10 + 3 * np.sin(steps / 4), np.cos(steps / 4), 100 + np.sin(steps / 9)])
    X = truth.copy()
    rng = np.random.default_rng(0)
    for column in range(3):
        for start in rng.integers(1, 580, 8):
            X[start : start + rng.integers(1, 12), column] = np.nan
    return truth, X


@pytest.fixture(scope="module")
def fitted(waves):
    return tiny().fit(waves[1])


def hide_blocks(truth, column, seed, longest=30):
    """The table with a tenth of what is known in a column removed in blocks, and where."""
    rng = np.random.default_rng(seed)
    table, known = truth.copy(), truth[column].notna().to_numpy()
    hidden = np.zeros(len(table), dtype=bool)
    while hidden.sum() < 0.1 * known.sum():
        length = rng.integers(1, longest + 1)
        start = rng.integers(1, len(table) - length)
        hidden[start : start + length] |= known[start : start + length]
    table.loc[hidden, column] = np.nan
    return table, hidden


# -- accuracy --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("load", "column", "ahead_by"),
    [(lambda: load_co2(fill=False).to_frame(), "co2", 0.85), (lambda: load_jfk_weather(fill=False), "temp", 0.85)],
    ids=["co2", "temperature"],
)
def test_it_beats_the_straight_line_and_the_last_value(load, column, ahead_by):
    truth = load()
    table, hidden = hide_blocks(truth, column, seed=0)
    filled = (
        RecurrentImputer(units=32, max_epochs=25, random_state=0).set_output(transform="pandas").fit_transform(table)
    )

    def error(values):
        return (values[column] - truth[column])[hidden].abs().mean()

    straight, last = error(table.interpolate().ffill().bfill()), error(table.ffill())
    assert error(filled) < ahead_by * min(straight, last)


def test_other_columns_are_used(waves):
    truth, X = waves
    filled = RecurrentImputer(**SMALL).fit_transform(X)
    gaps = np.isnan(X)
    straight = pd.DataFrame(X).interpolate().to_numpy()
    assert np.abs(filled - truth)[gaps].mean() < 0.6 * np.abs(straight - truth)[gaps].mean()


def test_without_looking_ahead_it_beats_the_last_value(waves):
    truth, X = waves
    filled = RecurrentImputer(bidirectional=False, **SMALL).fit_transform(X)
    gaps = np.isnan(X)
    last = pd.DataFrame(X).ffill().to_numpy()
    assert np.abs(filled - truth)[gaps].mean() < 0.4 * np.abs(last - truth)[gaps].mean()


def test_it_learns_without_any_gap_in_training(waves):
    truth, X = waves
    model = RecurrentImputer(**SMALL).fit(truth)
    gaps = np.isnan(X)
    straight = pd.DataFrame(X).interpolate().to_numpy()
    assert np.abs(model.transform(X) - truth)[gaps].mean() < 0.6 * np.abs(straight - truth)[gaps].mean()
    assert_array_equal(model.transform(truth), truth)


def test_the_loss_is_in_units_of_the_error_of_the_interpolation(waves):
    for loss in ("absolute_error", "squared_error"):
        model = RecurrentImputer(**TINY | {"loss": loss, "max_epochs": 12, "learning_rate": 1e-9}).fit(waves[0])
        assert 0.5 < np.mean(model.loss_curve_) < 1.6


# -- what must stay --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_known_values_stay_bit_for_bit(waves, dtype):
    X = waves[1].astype(dtype)
    X[5, 0], X[6, 0] = -0.0, np.nextafter(dtype(1), dtype(2))
    given = X.copy()
    filled = tiny().fit(X).transform(X)
    assert filled.dtype == dtype
    assert not np.isnan(filled).any()
    known = ~np.isnan(X)
    assert_array_equal(filled[known].view(np.uint8), X[known].view(np.uint8))
    assert_array_equal(X, given)
    assert not np.shares_memory(filled, X)


def test_single_precision_imputes_as_double_does(waves, fitted):
    X = waves[1].astype(np.float32)
    assert_allclose(fitted.transform(X), fitted.transform(X.astype(np.float64)), rtol=1e-4)


def test_frames_keep_index_and_names(waves):
    frame = pd.DataFrame(waves[1], columns=list("abc"), index=pd.date_range("2024-01-01", periods=600, freq="h"))
    model = tiny().set_output(transform="pandas").fit(frame)
    filled = model.transform(frame)
    assert filled.index.equals(frame.index)
    assert list(filled) == list("abc")
    assert filled.notna().all(axis=None)
    assert_array_equal(model.get_feature_names_out(), ["a", "b", "c"])
    with pytest.raises(ValueError, match="feature names should match"):
        model.transform(frame[["b", "a", "c"]])


def test_constant_columns_stay_constant():
    X = np.column_stack([np.full(80, 3.7), np.random.default_rng(0).normal(size=80)])
    X[10:20, 0] = np.nan
    assert_array_equal(tiny().fit_transform(X)[:, 0], 3.7)


def test_one_column_one_row_and_no_value():
    X = np.random.default_rng(0).normal(size=(50, 1)) + 20
    X[10:14] = np.nan
    model = tiny().fit(X)
    assert model.transform(X).shape == (50, 1)
    assert_array_equal(model.transform([[5.0]]), [[5.0]])
    for rows in (np.full((1, 1), np.nan), np.full((30, 1), np.nan)):
        filled = model.transform(rows)
        assert filled.shape == rows.shape
        assert np.abs(filled - 20).max() < 5  # about the mean of training


def test_nearly_everything_may_be_missing():
    X = np.full((200, 2), np.nan)
    X[7, 0], X[150, 0], X[9, 1] = 1.0, 2.0, 5.0
    filled = tiny().fit_transform(X)
    assert np.isfinite(filled).all()
    assert_array_equal(filled[:, 1], 5.0)  # one value can't be learnt from, but can be filled in


# -- leakage ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"units": (4, 4), "residual": True}, {"filters": 3}, {"cell": "gru"}])
def test_without_looking_ahead_no_later_row_has_an_effect(waves, options):
    X = waves[1]
    model = tiny(bidirectional=False, window_length=20, **options).fit(X)
    whole = model.transform(X)
    for end in (1, 2, 15, 20, 21, 133, 500):
        assert_allclose(model.transform(X[:end]), whole[:end], rtol=1e-12)
    changed = X.copy()
    changed[300:] = np.where(np.isnan(X[300:]), 1.0, X[300:] + 50)
    assert_allclose(model.transform(changed)[:300], whole[:300], rtol=1e-12)


def test_looking_ahead_later_rows_have_an_effect(waves, fitted):
    X = waves[1]
    gap = int(np.flatnonzero(np.isnan(X[:, 0]))[0])
    changed = X.copy()
    changed[gap + 12 : gap + 30] += 5
    assert abs(fitted.transform(changed)[gap, 0] - fitted.transform(X)[gap, 0]) > 1e-3


def test_new_rows_are_filled_from_themselves_alone(waves, fitted):
    X = waves[1]
    model, scales = fitted.model_, fitted._scales
    before = fitted.transform(X[300:])
    assert_array_equal(before, fitted.transform(X[300:]))
    fitted.transform(X[:300] + 1000)
    assert_array_equal(before, fitted.transform(X[300:]))
    assert fitted.model_ is model
    assert all(np.size(scale) == 3 for scale in scales)
    # Of the training rows nothing is kept: what is saved is no larger for more of them.
    assert len(pickle.dumps(tiny(max_epochs=1).fit(np.tile(X, (4, 1))))) < 1.1 * len(pickle.dumps(fitted))


def test_a_missing_value_has_no_effect_on_its_own_imputation(waves):
    """Whatever a value was before it was removed, it is imputed the same."""
    truth, _ = waves
    model = tiny().fit(truth)
    one, two = truth.copy(), truth.copy()
    two[100, 0] = 1e6
    one[100, 0] = two[100, 0] = np.nan
    assert_array_equal(model.transform(one), model.transform(two))


# -- forms of X ------------------------------------------------------------------------------------------------------


def test_each_sequence_is_a_series_of_its_own(waves):
    X = waves[1][:300].reshape(10, 30, 3)
    model = tiny().fit(X)
    filled = model.transform(X)
    assert filled.shape == X.shape
    assert not np.isnan(filled).any()
    assert_allclose(np.concatenate([model.transform(x[np.newaxis]) for x in X]), filled, rtol=1e-12)
    assert isinstance(model.transform(list(X)), list)
    assert_array_equal(model.transform(list(X)), filled)


def test_sequences_of_several_lengths(waves):
    X = np.split(waves[1], [1, 40, 55, 300])
    model = tiny().fit(X)
    filled = model.transform(X)
    assert [part.shape for part in filled] == [part.shape for part in X]
    for part, own in zip(filled, X, strict=True):
        assert_array_equal(part[~np.isnan(own)], own[~np.isnan(own)])
        assert_allclose(model.transform([own])[0], part, rtol=1e-12)
    objects = np.empty(5, dtype=object)
    objects[:] = X
    assert model.transform(objects).dtype == object
    univariate = [part[:, 0] for part in X]
    assert [part.shape for part in tiny().fit_transform(univariate)] == [part.shape for part in univariate]


def test_sequences_have_no_column_names(waves):
    model = tiny().set_output(transform="pandas").fit(waves[1].reshape(20, 30, 3))
    assert not hasattr(model, "get_feature_names_out")
    assert model.transform(waves[1].reshape(20, 30, 3)).shape == (20, 30, 3)


def test_tables_and_sequences_are_not_mixed(waves, fitted):
    with pytest.raises(ValueError, match=r"was fitted on a table \(row, feature\), got sequences"):
        fitted.transform(waves[1].reshape(20, 30, 3))


def test_the_entities_of_a_panel_are_series_of_their_own(waves):
    stamps = pd.date_range("2024-01-01", periods=300, freq="D")
    keys = pd.MultiIndex.from_product([["x", "y"], stamps])
    panel = pd.DataFrame(waves[1], index=keys, columns=list("abc"))
    mixed = panel.swaplevel().sort_index().swaplevel()  # the rows of both in turn
    model = tiny().set_output(transform="pandas").fit(mixed)
    filled = model.transform(mixed)
    assert filled.index.equals(mixed.index)
    for key in ("x", "y"):
        alone = model.transform(panel.loc[[key]])
        assert_allclose(filled.loc[[key]].to_numpy(), alone.to_numpy(), rtol=1e-12)


def test_rows_out_of_order_are_an_error(waves):
    frame = pd.DataFrame(waves[1], index=pd.date_range("2024-01-01", periods=600))
    with pytest.raises(ValueError, match="must be in the order of time"):
        tiny().fit(frame.sample(frac=1, random_state=0))


def test_calendar_features_show_the_season():
    rng = np.random.default_rng(0)
    index = pd.date_range("2024-01-01", periods=2000, freq="h")
    # Noise but for one hour of the day, which can't be seen from neighbouring rows.
    series = np.where(index.hour == 7, 10.0, 0.0) + 0.1 * rng.normal(size=2000)
    frame = pd.DataFrame({"series": series}, index=index)
    holed = frame.mask(pd.Series(rng.random(2000) < 0.2, index=index))
    gaps = holed["series"].isna().to_numpy()
    with_dates = RecurrentImputer(loss="squared_error", **SMALL).fit(holed)
    assert with_dates.cycles_ == ("day", "week")
    error = np.abs(with_dates.transform(holed)[:, 0] - series)[gaps].mean()
    assert error < 0.5
    assert RecurrentImputer(**SMALL, calendar=False).fit(holed).cycles_ == ()
    with pytest.raises(ValueError, match="reads the day, week of each, but the index of this X holds no dates"):
        with_dates.transform(holed.reset_index(drop=True))


def test_cycles_need_two_turns_and_rows_that_show_them():
    def cycles(freq, periods):
        return choose_cycles(pd.date_range("2020-01-01", periods=periods, freq=freq))

    assert cycles("h", 47) == ()
    assert cycles("h", 49) == ("day",)
    assert cycles("h", 24 * 14 + 1) == ("day", "week")
    assert cycles("D", 800) == ("week", "year")
    assert cycles("MS", 40) == ("year",)
    assert cycles("YS", 40) == ()
    assert choose_cycles(None) == ()
    dates = pd.DatetimeIndex(["2024-01-01 06:00", "2024-01-02 12:00"])
    assert_allclose(cyclical_features(dates, ("day",), 2), [[1, 0], [0, -1]], atol=1e-12)


# -- parameters ------------------------------------------------------------------------------------------------------


def test_a_series_comes_back_as_a_series(waves):
    days = pd.date_range("2024-01-01", periods=200, name="day")
    series = pd.Series(waves[1][:200, 0], index=days, name="level")
    filled = tiny().fit_transform(series)
    expected = tiny().fit_transform(series.to_frame())[:, 0]
    pd.testing.assert_series_equal(filled, pd.Series(expected, index=days, name="level"))
    again = pickle.loads(pickle.dumps(tiny().fit(series)))
    pd.testing.assert_series_equal(again.transform(series), filled)
    assert tiny().fit(series).transform(series.to_frame()).shape == (200, 1)
    assert_array_equal(tiny().fit_transform(series.rename(None)), filled)
    assert tiny().fit_transform(series.astype(np.float32)).dtype == np.float32
    of_polars = tiny(calendar=False).fit_transform(pl.Series("level", series.to_numpy()))
    assert of_polars.name == "level"
    assert_array_equal(of_polars, tiny(calendar=False).fit_transform(series))


def test_a_series_of_a_panel_is_several_series(waves):
    column = pd.Series(waves[1][:120, 0], name="level")
    panel = pd.concat({"a": column, "b": column}, names=["town", "row"])
    filled = tiny().fit_transform(panel)
    assert filled.index.equals(panel.index)
    assert_allclose(filled["a"], filled["b"])


def test_a_series_in_another_container(waves):
    series = pd.Series(waves[1][:100, 0], name="level", index=np.arange(7, 107))
    both = tiny(add_indicator=True).fit_transform(series)
    assert list(both.columns) == ["level", "missingindicator_level"]
    assert both.index.equals(series.index)
    for container in ("pandas", "polars"):
        frame = tiny().set_output(transform=container).fit_transform(series)
        assert list(frame.columns) == ["level"]
        with sklearn.config_context(transform_output=container):
            assert type(tiny().fit_transform(series)) is type(frame)


def test_empty_columns_are_left_out_or_kept_as_scikit_learn_does(waves):
    X = np.insert(waves[1], 1, np.nan, axis=1)
    with pytest.warns(UserWarning, match=r"Columns \[1\] .* hold no value"):
        model = tiny().fit(X)
    assert_array_equal(model.get_feature_names_out(), ["x0", "x2", "x3"])
    assert_array_equal(model.transform(X), tiny().fit_transform(waves[1]))
    kept = tiny(keep_empty_features=True).fit(X)
    assert_array_equal(kept.transform(X)[:, 1], SimpleImputer(keep_empty_features=True).fit_transform(X)[:, 1])
    later = X.copy()
    later[3, 1] = 8.0
    assert_array_equal(kept.transform(later)[2:5, 1], [0.0, 8.0, 0.0])


def test_indicators_are_those_of_scikit_learn(waves):
    frame = pd.DataFrame(waves[1], columns=list("abc")).assign(full=1.0)
    ours = tiny(add_indicator=True).set_output(transform="pandas").fit(frame)
    theirs = SimpleImputer(add_indicator=True).set_output(transform="pandas").fit(frame)
    assert list(ours.get_feature_names_out()) == list(theirs.get_feature_names_out())
    flags = ["missingindicator_a", "missingindicator_b", "missingindicator_c"]
    pd.testing.assert_frame_equal(ours.transform(frame)[flags], theirs.transform(frame)[flags])


def test_another_mark_for_missing_values(waves):
    X = waves[1]
    marked = np.where(np.isnan(X), -999, X)
    assert_array_equal(tiny(missing_values=-999).fit_transform(marked), tiny().fit_transform(X))
    with pytest.raises(ValueError, match="contains NaN"):
        tiny(missing_values=-999).fit(X)
    whole = np.arange(40).reshape(20, 2)
    whole[5, 1] = -1
    assert np.abs(tiny(missing_values=-1).fit_transform(whole)[5, 1] - 11) < 2


def test_bounds_hold_for_what_is_filled_in(waves):
    X = waves[1]
    filled = tiny(min_value=[9, -np.inf, -np.inf], max_value=10.0).fit_transform(X)
    gaps = np.isnan(X)
    assert filled[:, 0][gaps[:, 0]].min() >= 9
    assert filled[gaps].max() <= 10
    assert_array_equal(filled[~gaps], X[~gaps])
    with pytest.raises(ValueError, match="one for each of the 3 columns"):
        tiny(min_value=[0, 1]).fit(X)
    with pytest.raises(ValueError, match="must not be above max_value"):
        tiny(min_value=2, max_value=1).fit(X)


def test_early_stopping_validates_on_the_newest_rows(waves):
    X = waves[1]
    model = tiny(early_stopping=True, validation_fraction=0.2, max_epochs=6).fit(X)
    assert len(model.validation_curve_) == model.n_iter_ == 6
    assert model.best_validation_loss_ == min(model.validation_curve_)
    changed = X.copy()
    changed[480:] = np.random.default_rng(0).normal(size=(120, 3))
    other = tiny(early_stopping=True, validation_fraction=0.2, max_epochs=6).fit(changed)
    assert_array_equal(np.stack(other._scales), np.stack(model._scales))  # nothing is learnt from what is held out
    assert other.validation_curve_ != model.validation_curve_
    with pytest.raises(ValueError, match="both need at least 2"):
        tiny(early_stopping=True).fit(X[:10])


def test_every_parameter_is_alive(waves):
    X = waves[1][:200]
    base = tiny(window_length=30).fit_transform(X)
    for change in (
        {"window_length": 12},
        {"bidirectional": False},
        {"loss": "squared_error"},
        {"loss": "absolute_error"},
        {"units": 5},
        {"cell": "gru"},
        {"filters": 4},
        {"dropout": 0.5},
        {"recurrent_dropout": 0.5},
        {"l2": 1.0},
        {"learning_rate": 0.1},
        {"schedule": "constant"},
        {"optimizer": "sgd"},
        {"batch_size": 8},
        {"max_epochs": 3},
        {"random_state": 1},
    ):
        assert not np.array_equal(tiny(**{"window_length": 30} | change).fit_transform(X), base), change


def test_auto_makes_windows_for_the_gaps_and_steps_for_the_windows():
    imputer = RecurrentImputer()
    assert imputer._choose_window(np.array([1, 1, 2]), longest=1000) == 64
    assert imputer._choose_window(np.full(10, 30), longest=1000) == 120
    assert (
        imputer._choose_window(np.array([1] * 100 + [40] * 10), longest=1000) == 160
    )  # most values are in the long ones
    assert imputer._choose_window(np.full(10, 300), longest=1000) == 192
    assert imputer._choose_window(np.full(10, 300), longest=99) == 99
    assert resolve_epochs("auto", _STEPS, n_batches=4, n_samples=128) * 4 == 600
    assert resolve_epochs("auto", _STEPS, n_batches=400, n_samples=12800) * 400 == pytest.approx(6000, rel=0.05)
    assert resolve_epochs(3, _STEPS, n_batches=4, n_samples=128) == 3
    # 17 times 8 windows make 5 batches.
    model = tiny(units=2, window_length=8, max_epochs="auto").fit(np.sin(np.arange(64.0))[:, np.newaxis])
    assert model.n_iter_ == resolve_epochs("auto", _STEPS, n_batches=5, n_samples=136)


# -- an estimator like others ----------------------------------------------------------------------------------------


def test_a_seed_repeats_and_no_global_generator_is_touched(waves):
    X = waves[1]
    np.random.seed(3)  # noqa: NPY002
    torch.manual_seed(3)
    before = np.random.get_state()[1].copy(), torch.get_rng_state(), torch.get_num_threads()  # noqa: NPY002
    predictions = {}
    workers = [
        threading.Thread(target=lambda place=place: predictions.update({place: tiny().fit_transform(X)}))
        for place in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert_array_equal(predictions[0], predictions[1])
    assert_array_equal(predictions[0], predictions[2])
    assert_array_equal(predictions[0], tiny().fit_transform(X))
    assert not np.array_equal(predictions[0], tiny(random_state=1).fit_transform(X))
    assert_array_equal(before[0], np.random.get_state()[1])  # noqa: NPY002
    assert torch.equal(before[1], torch.get_rng_state())
    assert before[2] == torch.get_num_threads()


def test_pickled_and_cloned(waves, fitted):
    X = waves[1]
    state = pickle.dumps(fitted)
    assert b"torch" not in state
    assert_array_equal(pickle.loads(state).transform(X), fitted.transform(X))
    safe = skops.io.dumps(fitted)
    loaded = skops.io.loads(safe, trusted=skops.io.get_untrusted_types(data=safe))
    assert_array_equal(loaded.transform(X), fitted.transform(X))
    copy = clone(fitted)
    assert copy.get_params() == {**fitted.get_params(), "missing_values": copy.missing_values}
    with pytest.raises(NotFittedError):
        copy.transform(X)


def test_in_a_pipeline_before_windows():
    X, y = supervise(load_jfk_weather(fill=False).iloc[:400], target="temp", horizon=3, dropna=True)
    assert X.isna().any(axis=None)
    model = make_pipeline(
        tiny(bidirectional=False), SlidingWindow(window_length=12), GRURegressor(units=4, max_epochs=2, random_state=0)
    ).set_output(transform="pandas")
    # By its index SlidingWindow finds the history of new rows among those of training.
    model.fit(X[:300], y[:300])
    assert model[1].count_filled(model[0].transform(X[300:]))[0] == 0
    assert model.predict(X[300:]).shape == (len(X) - 300, 3)
    search = GridSearchCV(model, {"recurrentimputer__units": [2, 3]}, cv=TimeSeriesSplit(2, gap=2))
    with pytest.warns(UserWarning, match="X lies far outside"):  # the wind turns after the first training rows
        search.fit(X, y)
    assert search.predict(X).shape == (len(X), 3)


def test_a_fit_that_fails_leaves_the_fitted_imputer_as_it_was(waves, fitted):
    model = pickle.loads(pickle.dumps(fitted))
    before = model.transform(waves[1])
    with pytest.raises(ValueError, match="no value at all"):
        model.fit(np.full((5, 7), np.nan))
    assert model.n_features_in_ == 3
    assert_array_equal(model.transform(waves[1]), before)
    with pytest.raises(ValueError, match="Training diverged"):
        model.set_params(learning_rate=1e30, optimizer="sgd", max_grad_norm=None).fit(waves[1])
    assert_array_equal(model.transform(waves[1]), before)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([[1.0, 2.0]], "at least two, got 1 sample"),
        (np.full((4, 2), np.nan), "no value at all"),
        ([[1.0, np.inf], [2.0, 3.0]], "infinity"),
        (np.zeros((2, 3, 4, 5)), "array of 4 dimensions"),
        ([np.zeros((3, 2)), np.zeros((3, 1))], "needs the same features"),
    ],
)
def test_bad_input(X, message):
    with pytest.raises(ValueError, match=message):
        tiny().fit(X)
    with pytest.raises(ValueError, match="'window_length' parameter"):
        tiny(window_length=1).fit([[1.0], [2.0]])
