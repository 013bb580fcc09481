"""Global models of many series, and forecasts of unseen series."""

import copy
import pickle
import sys

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sktime.forecasting.base import ForecastingHorizon

from sklrnn.forecasting import GRUForecaster, compare

FH = [1, 2, 3]


def tiny(**settings):
    return GRUForecaster(**{"units": 2, "max_epochs": 2, "random_state": 0} | settings)


def months(n=30, seed=0, start="2010-01", scale=1.0):
    random = np.random.default_rng(seed)
    values = 10 + np.sin(np.arange(n) * 2 * np.pi / 12) + 0.2 * random.normal(size=n)
    return pd.Series(scale * values, index=pd.period_range(start, periods=n, freq="M"), name="sales")


def panel_of(series, names=("shop", "month")):
    return pd.concat(series, names=list(names)).to_frame("sales")


@pytest.fixture(scope="module")
def panel():
    """Series of different lengths, ends and sizes."""
    return panel_of(
        {
            "a": months(40),
            "b": months(25, seed=1, start="2011-06", scale=100.0),
            "c": months(30, seed=2),
            "d": months(5, seed=3),
        }
    )


@pytest.fixture(scope="module")
def fitted(panel):
    return tiny().fit(panel, fh=FH)


@pytest.fixture
def model(fitted):
    return copy.deepcopy(fitted)


# -- fit and predict -------------------------------------------------------------------------------------------------


def test_each_series_is_forecast_from_its_own_end(panel, model):
    forecast = model.predict()
    assert forecast.index.names == panel.index.names
    for shop in "abcd":
        last = panel.loc[shop].index[-1]
        assert forecast.loc[shop].index.tolist() == [last + 1, last + 2, last + 3]
        assert forecast.loc[shop].to_numpy() == pytest.approx(panel.loc[shop].to_numpy().mean(), rel=0.3)


def test_absolute_horizon_is_a_different_one_for_each_series(model):
    wanted = pd.PeriodIndex(["2013-07", "2013-08"], freq="M")
    forecast = model.predict(fh=ForecastingHorizon(wanted, is_relative=False))
    assert [forecast.loc[shop].index.equals(wanted) for shop in "abcd"] == [True] * 4
    ahead = model.predict(fh=range(1, 40))
    for shop in "abcd":
        assert_allclose(forecast.loc[shop], ahead.loc[shop].reindex(wanted))


def calls_into_pandas(function, *arguments, **options):
    """How many functions of pandas run."""
    count = 0

    def note(frame, event, _):
        nonlocal count
        count += event == "call" and "/pandas/" in frame.f_code.co_filename

    sys.setprofile(note)
    try:
        function(*arguments, **options)
    finally:
        sys.setprofile(None)
    return count


def test_work_of_pandas_does_not_grow_with_the_number_of_series():
    counts = []
    for n in (5, 50):
        data = panel_of({f"shop {number:02d}": months(30, seed=number) for number in range(n)})
        X = data.rename(columns={"sales": "price"})
        known, new = data.groupby(level=0).head(24), data.groupby(level=0).tail(6)
        model = tiny(max_epochs=1)
        counts.append(
            [
                calls_into_pandas(model.fit, known, X=X, fh=FH),
                calls_into_pandas(model.predict),
                calls_into_pandas(model.predict_interval),
                calls_into_pandas(model.update, new, update_params=False),
            ]
        )
    few, many = counts
    assert all(later <= 1.2 * earlier + 50 for earlier, later in zip(few, many, strict=True)), counts


def test_known_rows_of_all_series(panel, model):
    fitted = model.predict(fh=[-1, 0])
    assert fitted.index.equals(panel.groupby(level=0).tail(2).index)
    with pytest.raises(ValueError, match="before the last one of the series 'd', but only 5 rows are known"):
        model.predict(fh=[-10])
    early = ForecastingHorizon(pd.PeriodIndex(["2010-03"], freq="M"), is_relative=False)
    with pytest.raises(ValueError, match="2010-03, but the series 'b' has rows from 2011-06 on"):
        model.predict(fh=early)


def test_forecast_of_a_series_needs_no_other(panel, model):
    forecast = model.predict(fh=range(1, 8))
    rest = tiny().fit(panel, fh=FH)
    rest.update(panel.loc[["a"]] * 0, update_params=False)
    assert_allclose(rest.predict(fh=range(1, 8)).drop("a"), forecast.drop("a"))


@pytest.mark.parametrize(
    "keys",
    [[7, 3, 5], ["z", "a", "k"], [("x", 1), ("x", 2), ("y", 1)], [("x", 1, "p"), ("x", 2, "p"), ("y", 1, "q")]],
    ids=["numbers", "names", "hierarchy", "deep hierarchy"],
)
def test_keys_of_all_kinds(keys):
    names = [f"level {number}" for number in range(1 + (len(keys[0]) if isinstance(keys[0], tuple) else 1))]
    data = panel_of({key: months(20 + 4 * number, seed=number) for number, key in enumerate(keys)}, names)
    model = tiny().fit(data, fh=FH)
    forecast = model.predict()
    assert forecast.index.names == names
    assert forecast.index.droplevel(-1).unique().tolist() == keys
    assert_array_equal(forecast, tiny().fit(data.rename_axis([None] * len(names)), fh=FH).predict())
    assert len(model.predict_interval()) == 9


@pytest.mark.parametrize("freq", ["MS", "B", "h"])
def test_frequency_of_a_short_series_is_that_of_the_others(freq):
    times = pd.date_range("2024-01-01", periods=34, freq=freq)  # a Monday
    data = panel_of(
        {"long": pd.Series(np.arange(30.0), index=times[:30]), "week": pd.Series(np.arange(5.0), index=times[:5])}
        | {"one": pd.Series([1.0], index=times[:1])}
    )
    forecast = tiny().fit(data, fh=FH).predict()
    assert forecast.loc["week"].index.equals(times[5:8])
    assert forecast.loc["one"].index.equals(times[1:4])


def test_series_keep_their_size(panel):
    for normalize in ("window", "series"):
        forecast = tiny(normalize=normalize).fit(panel, fh=FH).predict()
        assert (forecast.loc["b"] > 300).all(axis=None)
        assert (forecast.drop("b") < 30).all(axis=None)


def test_a_panel_trains_one_global_model(panel):
    # Each series alone is too short to learn that "up" follows "down".
    random = np.random.default_rng(0)
    flips = {number: pd.Series(random.choice([-1.0, 1.0]) * (-1.0) ** np.arange(8)) for number in range(40)}
    data = panel_of({key: values + 0.05 * random.normal(size=8) for key, values in flips.items()})
    model = tiny(units=4, max_epochs=60, window_length=4, normalize="series").fit(data, fh=[1])
    truth = np.sign([values[0] for values in flips.values()])
    assert (np.sign(model.predict().to_numpy().ravel()) == truth).all()


def test_intervals_of_a_panel(panel, model):
    bounds = model.predict_interval(coverage=0.8)
    assert bounds.index.equals(model.predict().index)
    width = bounds["sales", 0.8, "upper"] - bounds["sales", 0.8, "lower"]
    assert (width > 0).all()
    assert (width.loc["b"] > 10 * width.loc["a"].max()).all()


def test_panel_with_several_columns(panel):
    wide = panel.assign(costs=panel["sales"] * 3)
    forecast = tiny().fit(wide, fh=FH).predict()
    assert forecast.columns.tolist() == ["sales", "costs"]
    assert forecast.shape == (12, 2)


def test_series_without_values_is_named(panel):
    broken = panel.copy()
    broken.loc["c"] = np.nan
    with pytest.raises(ValueError, match="the series 'c' has 30 rows, but no known value"):
        tiny().fit(broken, fh=FH)
    broken = panel.drop(("c", pd.Period("2011-01", "M")))
    with pytest.raises(ValueError, match="the series 'c' must have times with a fixed frequency 'M'"):
        tiny().fit(broken, fh=FH)


# -- update ----------------------------------------------------------------------------------------------------------


def test_update_of_one_series_leaves_the_others(panel, model):
    before = model.predict()
    last = panel.loc["c"].index[-1]
    more = panel_of({"c": pd.Series([9.0, 10.0], index=[last + 1, last + 2])})
    after = model.update(more, update_params=False).predict()
    assert after.loc["c"].index[0] == last + 3
    pd.testing.assert_frame_equal(after.drop("c"), before.drop("c"))


def test_each_series_has_its_own_cutoff(panel, model):
    before = model.predict()
    model.update(panel.loc[["a"]][:35], update_params=False)
    assert model.predict().loc["a"].index[0] == panel.loc["a"].index[34] + 1
    pd.testing.assert_frame_equal(model.predict().drop("a"), before.drop("a"))


@pytest.mark.parametrize("update_params", [False, True])
@pytest.mark.parametrize("n_rows", [1, 20])
def test_new_series_may_join(panel, model, n_rows, update_params):
    newcomer = months(n_rows, seed=9, start="2015-01")
    model.update(panel_of({"new": newcomer}), update_params=update_params)
    forecast = model.predict()
    assert forecast.index.droplevel(-1).unique().tolist() == [*"abcd", "new"]
    assert forecast.loc["new"].index[0] == newcomer.index[-1] + 1


def test_update_trains_on_all_series(panel, model):
    network = model.networks_[0]
    n_epochs = network.n_iter_
    model.update(panel.loc[["a"]][-1:])
    assert model.networks_[0].n_iter_ > n_epochs
    assert network.n_iter_ == n_epochs


def test_series_and_panel_do_not_mix(panel, model):
    with pytest.raises(TypeError, match="y has an index of 1 level.s., but the forecaster was fitted to one of 2"):
        model.update(months(50)[-3:])
    assert len(model.predict()) == 12
    with pytest.raises(TypeError, match="y has an index of 2 level.s., but the forecaster was fitted to one of 1"):
        tiny().fit(months(), fh=FH).update(panel)


# -- pretrain --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pretrained(panel):
    return tiny(max_epochs=5).pretrain(panel, fh=FH)


UNSEEN = months(24, seed=7, scale=7.0)


def test_unseen_series_is_forecast_without_training(pretrained):
    model = copy.deepcopy(pretrained).fit(UNSEEN)
    assert model.horizon_ == 3
    for network, before in zip(model.networks_, pretrained.networks_, strict=True):
        assert network.n_iter_ == before.n_iter_
    assert model.predict(fh=FH).index[0] == UNSEEN.index[-1] + 1
    assert model.predict(fh=FH).to_numpy() == pytest.approx(70, rel=0.3)


def test_unseen_panel(pretrained):
    strangers = panel_of({"q": months(12, seed=8), "r": months(3, seed=9)})
    forecast = copy.deepcopy(pretrained).fit(strangers).predict(fh=FH)
    alone = copy.deepcopy(pretrained).fit(strangers.loc["r"]["sales"]).predict(fh=FH)
    assert_allclose(forecast.loc["r"].to_numpy().ravel(), alone)


@pytest.mark.parametrize("n_rows", [1, 2, 4])
def test_few_rows_are_enough(pretrained, n_rows):
    forecast = copy.deepcopy(pretrained).fit(UNSEEN[:n_rows]).predict(fh=range(1, 8))
    assert np.isfinite(forecast).all()


def test_few_rows_are_too_few_to_infer_a_frequency(panel):
    stamped = panel.set_index(
        pd.MultiIndex.from_arrays(
            [panel.index.get_level_values(0), panel.index.get_level_values(1).to_timestamp()], names=panel.index.names
        )
    )
    model = tiny().pretrain(stamped, fh=FH)
    short = pd.Series([1.0, 2.0], index=pd.DatetimeIndex(["2020-01-01", "2020-02-01"]))
    with pytest.raises(
        ValueError, match="The 2 row.s. of y are too few to infer a frequency. .* set the freq of the index"
    ):
        model.fit(short)
    short.index.freq = "MS"
    assert model.fit(short).predict(fh=[1]).index[0] == pd.Timestamp("2020-03-01")


@pytest.mark.parametrize(
    "copied", [lambda model: model.clone(), copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))]
)
def test_copies_keep_the_pretrained_networks(pretrained, copied):
    other = copied(pretrained)
    assert other.state == "pretrained"
    assert_array_equal(other.fit(UNSEEN).predict(fh=FH), copy.deepcopy(pretrained).fit(UNSEEN).predict(fh=FH))
    assert_array_equal(other.predict_interval(fh=FH), copy.deepcopy(pretrained).fit(UNSEEN).predict_interval(fh=FH))


def test_clone_of_a_fitted_forecaster_keeps_the_pretraining_only(panel):
    model = tiny(fine_tune=True, max_epochs=20).pretrain(panel, fh=FH)
    expected = model.clone().fit(UNSEEN).predict(fh=FH)
    other = model.fit(-3 * UNSEEN**2).clone()
    assert_array_equal(other.fit(UNSEEN).predict(fh=FH), expected)
    # Nor does the series of the last fit leave anything behind.
    assert_array_equal(model.fit(UNSEEN).predict(fh=FH), expected)


def test_fine_tuning_trains_on_the_series(panel):
    growing = pd.Series(1.2 ** np.arange(40.0))
    errors = []
    for fine_tune in (False, True):
        model = tiny(fine_tune=fine_tune, units=4, max_epochs=60, learning_rate=0.05).pretrain(panel, fh=[1])
        model.fit(growing[:30]).update(growing[30:], update_params=False)
        errors.append(np.abs(model.predict(fh=range(-9, 1)) / growing[30:] - 1).mean())
    assert errors[1] < 0.8 * errors[0]


def test_nothing_to_tune_on_gives_a_warning(panel):
    model = tiny(fine_tune=True).pretrain(panel, fh=FH)
    with pytest.warns(UserWarning, match="No series has more than horizon=3 rows, so there is nothing to learn from"):
        model.fit(UNSEEN[:2])
    assert np.isfinite(model.predict(fh=FH)).all()
    with pytest.warns(UserWarning, match="nothing to learn from"):
        model.update(UNSEEN[2:3])


def test_pretraining_continues(panel, pretrained):
    model = copy.deepcopy(pretrained)
    n_epochs = model.networks_[0].n_iter_
    model.pretrain(panel_of({"q": months(30, seed=8), "r": months(30, seed=9)}))
    assert model.networks_[0].n_iter_ > n_epochs
    assert model.horizon_ == 3
    after = model.clone().fit(UNSEEN).predict(fh=FH)
    assert not np.allclose(after, copy.deepcopy(pretrained).fit(UNSEEN).predict(fh=FH), rtol=1e-9)


def test_pooled_scale_is_that_of_the_panel(panel):
    model = tiny(normalize=None).pretrain(panel, fh=FH)
    level = model.window_spec_.level
    assert level[0] == pytest.approx(panel.groupby(level=0)["sales"].mean().mean())
    model.fit(UNSEEN)
    assert model.window_spec_.level == level
    # The same series on another scale is another series.
    low, high = (model.clone().fit(series).predict(fh=FH) for series in (UNSEEN, UNSEEN + 500))
    assert np.abs(high - 500 - low).max() > 1e-3


def test_columns_of_pretraining_are_found_by_name(panel):
    wide = panel.assign(costs=panel["sales"] * 1000)
    model = tiny().pretrain(wide, fh=FH)
    series = wide.loc["a"]
    forecast = model.clone().fit(series).predict(fh=FH)
    turned = model.clone().fit(series[["costs", "sales"]]).predict(fh=FH)
    assert_array_equal(turned[["sales", "costs"]], forecast)
    # An array has no names: its columns are taken in the order given.
    assert_array_equal(model.clone().fit(series.to_numpy()).predict(fh=FH), forecast)
    with pytest.raises(
        ValueError, match=r"fitted with the columns \['sales', 'costs'\] of y, got \['sales', 'other'\]"
    ):
        model.clone().fit(series.rename(columns={"costs": "other"}))
    with pytest.raises(ValueError, match="Pass the same columns"):
        model.clone().fit(series["sales"])


def test_failed_pretraining_leaves_nothing(panel):
    model = tiny()
    with pytest.raises(ValueError, match="at least 3 rows"):
        model.pretrain(panel_of({"a": months(2), "b": months(1)}), fh=FH)
    assert model.pretrain(panel.rename(columns={"sales": "other"}).assign(more=1.0), fh=FH).columns_.y == (
        "other",
        "more",
    )


# -- long tables -----------------------------------------------------------------------------------------------------


def test_long_table_is_an_error_with_the_line_that_sets_its_index():
    days = pd.date_range("2024-01-01", periods=20)
    long = pd.DataFrame({"unique_id": np.repeat(["a", "b"], 20), "ds": [*days, *days], "y": np.arange(40.0)})
    message = r"Set it: y = y.set_index\(\['unique_id', 'ds'\]\).sort_index\(\)"
    model = tiny()
    for refused in (model.fit, model.pretrain, lambda y, fh: compare("naive", y, horizon=1)):
        with pytest.raises(TypeError, match=message):
            refused(long, fh=FH)
    # Numbers of series and times would be two more channels.
    numbered = long.assign(unique_id=np.repeat([0, 1], 20), ds=[*range(20)] * 2)
    with pytest.raises(TypeError, match=message):
        model.fit(numbered, fh=FH)
    panel = long.set_index(["unique_id", "ds"]).sort_index()
    model.fit(panel, panel.add(1.0).rename(columns={"y": "x"}), fh=FH)
    with pytest.raises(TypeError, match=message):
        model.update(long, panel)
    with pytest.raises(TypeError, match=r"X = X.set_index\(\['unique_id', 'ds'\]\).sort_index\(\)$"):
        model.predict(X=long)
