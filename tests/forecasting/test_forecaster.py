"""The forecaster through its public interface: indices, horizons, updates, and leakage."""

import copy
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.utils._param_validation import InvalidParameterError
from sktime.base import load
from sktime.forecasting.base import ForecastingHorizon
from sktime.split import ExpandingWindowSplitter

from sklrnn.datasets import load_air_passengers
from sklrnn.forecasting import (
    CNNLSTMForecaster,
    GRUForecaster,
    LSTMForecaster,
    RecurrentForecaster,
    SimpleRNNForecaster,
)

NAN = np.nan
FH = [1, 2, 3]
INDICES = {
    "month starts": pd.date_range("2015-01-01", periods=48, freq="MS"),
    "business days": pd.bdate_range("2024-01-01", periods=48),
    "holidays": pd.date_range("2024-01-01", periods=48, freq=pd.offsets.CustomBusinessDay(holidays=["2024-03-08"])),
    "hours with a time zone": pd.date_range("2024-03-29 08:00", periods=48, freq="h", tz="Europe/Berlin"),
    "periods": pd.period_range("2015-01", periods=48, freq="M"),
    "a range": pd.RangeIndex(100, 148),
    "every second number": pd.RangeIndex(0, 96, 2),
}


def values_of(n, seed=0):
    random = np.random.default_rng(seed)
    return 10 + np.sin(np.arange(n) * 2 * np.pi / 12) + 0.2 * random.normal(size=n)


def months(n=60, seed=0, scale=1.0):
    return pd.Series(scale * values_of(n, seed), index=pd.period_range("2010-01", periods=n, freq="M"), name="sales")


def tiny(**settings):
    return GRUForecaster(**{"units": 2, "n_networks": 1, "max_epochs": 2, "random_state": 0} | settings)


def bare(series):
    """The same without the frequency, as it comes from a file."""
    return pd.Series(series.to_numpy(), index=pd.DatetimeIndex(list(series.index)))


# -- times -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES)
def test_index_of_forecasts_continues_that_of_y(index):
    y = pd.Series(values_of(48), index=index, name="sales")
    model = tiny().fit(y[:45], fh=FH)
    ahead = model.predict()
    assert ahead.index.equals(index[45:])
    assert ahead.name == "sales"
    mixed = model.predict(fh=[-2, 0, 2])
    assert mixed.index.equals(index[[42, 44, 46]])
    assert mixed.iloc[-1] == pytest.approx(ahead.iloc[1])
    absolute = model.predict(fh=ForecastingHorizon(index[[42, 44, 46]], is_relative=False))
    assert_array_equal(absolute, mixed)


@pytest.mark.parametrize("kind", ["month starts", "business days", "hours with a time zone"])
def test_frequency_is_inferred(kind):
    y = pd.Series(values_of(48), index=INDICES[kind])
    with_freq, without_freq = (tiny().fit(series[:40], fh=FH) for series in (y, bare(y)))
    assert without_freq.predict().index.equals(y.index[40:43])
    assert_array_equal(with_freq.predict(), without_freq.predict())
    without_freq.update(bare(y)[40:41], update_params=False)
    assert without_freq.predict().index.equals(y.index[41:44])


def test_index_with_a_hole_is_an_error():
    y = months().drop(pd.Period("2012-05", "M"))
    with pytest.raises(ValueError, match="2012-04 is followed by 2012-06. Put missing rows in with NaN"):
        tiny().fit(y, fh=FH)


def test_rows_of_an_array_are_numbered():
    assert tiny().fit(values_of(40), fh=FH).predict().shape == (3, 1)
    assert tiny().fit(np.stack([values_of(40)] * 2, axis=1), fh=FH).predict().shape == (3, 2)


# -- horizons --------------------------------------------------------------------------------------------------------


def test_gaps_in_the_horizon_leave_the_others_as_they_are():
    model = tiny().fit(months(), fh=range(1, 7))
    assert_array_equal(model.predict(fh=[2, 5]), model.predict(fh=range(1, 7)).iloc[[1, 4]])


def test_horizon_may_come_with_predict_only():
    y = months()
    model = tiny().fit(y)
    assert model.horizon_ == model.sp_ == 12
    assert len(model.predict(fh=range(1, 30))) == 29
    with pytest.raises(ValueError, match="must be passed either to `fit` or `predict`"):
        tiny().fit(y).predict()


@pytest.mark.parametrize("fh", [[0], [-3, -1]])
def test_horizon_of_fit_may_be_in_sample(fh):
    assert len(tiny().fit(months(), fh=fh).predict()) == len(fh)


@pytest.mark.parametrize("normalize", ["window", "series", None])
def test_steps_beyond_the_trained_ones_are_recursive(normalize):
    y = months()
    model = tiny(normalize=normalize).fit(y, fh=FH)
    far = model.predict(fh=range(1, 9))
    by_hand = []
    for _ in range(3):
        block = model.predict(fh=FH)
        by_hand.append(block)
        model.update(block, update_params=False)
    assert_allclose(far, pd.concat(by_hand)[:8])


def test_recursive_strategy_trains_one_step():
    y = months()
    model = tiny(strategy="recursive").fit(y, fh=range(1, 7))
    assert model.horizon_ == 1
    far = model.predict()
    for step in range(6):
        assert_allclose(model.predict(fh=[1]), far.iloc[[step]])
        model.update(far.iloc[[step]], update_params=False)


@pytest.mark.parametrize("strategy", ["direct", "recursive"])
@pytest.mark.parametrize("normalize", ["window", "series", None])
def test_known_rows_are_forecast_as_they_would_have_been(strategy, normalize):
    y = months()
    model = tiny(strategy=strategy, normalize=normalize).fit(y[:50], fh=FH)
    one_by_one = copy.deepcopy(model)
    expected = []
    for now in range(50, 60):
        expected.append(one_by_one.predict(fh=[1]).iloc[0])
        one_by_one.update(y[now : now + 1], update_params=False)
    model.update(y[50:], update_params=False)
    assert_allclose(model.predict(fh=range(-9, 1)), expected)


def test_first_row_has_nothing_to_be_forecast_from():
    y = months(40)
    fitted = tiny().fit(y, fh=FH).predict(fh=range(-39, 1))
    assert fitted.isna().tolist() == [True] + [False] * 39
    with pytest.raises(ValueError, match="40 row.s. before the last one of y, but only 40 rows are known"):
        tiny().fit(y, fh=FH).predict(fh=[-40])


def test_residuals_follow():
    y = months(40)
    model = tiny().fit(y, fh=FH)
    assert_allclose(model.predict_residuals(y)[1:], (y - model.predict(fh=range(-39, 1)))[1:])


# -- what is forecast ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "forecaster", [SimpleRNNForecaster, GRUForecaster, LSTMForecaster, CNNLSTMForecaster, RecurrentForecaster]
)
def test_trend_continues(forecaster):
    y = load_air_passengers()
    model = forecaster(units=8, random_state=0).fit(y[:-36], fh=range(1, 13))
    years = model.predict(fh=range(1, 37)).groupby(lambda month: month.year).mean()
    last = y[-48:-36].mean()
    assert (np.diff([last, *years]) > 0.03 * last).all()


def test_season_continues():
    y = load_air_passengers()
    forecast = GRUForecaster(random_state=0).fit(y[:-36], fh=range(1, 13)).predict()
    assert np.corrcoef(forecast, y[-36:-24])[0, 1] > 0.95


def test_every_step_depends_on_the_newest_row():
    y = months()
    model = tiny(max_epochs=5).fit(y, fh=range(1, 13))
    before = model.predict()
    changed = y[-1:] + 0.5
    assert (np.abs(model.update(changed, update_params=False).predict() - before) > 1e-6).all()


def test_channels_help_each_other():
    random = np.random.default_rng(0)
    leader = pd.Series(random.normal(size=200))
    y = pd.DataFrame({"leader": leader, "follower": leader.shift(1, fill_value=0.0)})
    model = GRUForecaster(units=8, window_length=4, random_state=0, normalize="series").fit(y[:150], fh=[1])
    model.update(y[150:], update_params=False)
    errors = (model.predict(fh=range(-49, 1)) - y[150:]).std()
    assert errors["follower"] < 0.35
    assert errors["leader"] > 0.8


def test_networks_are_averaged():
    y = months()
    three = tiny(n_networks=3).fit(y, fh=FH)
    assert len(three.networks_) == 3
    together = three.predict()
    alone = []
    for network in three.networks_:
        three.networks_ = [network]
        alone.append(three.predict())
    assert_allclose(together, np.mean(alone, axis=0))
    assert np.ptp(alone, axis=0).min() > 0


@pytest.mark.parametrize(
    "settings",
    [
        {"window_length": 7},
        {"normalize": "series"},
        {"sp": 4},
        {"fold": 3},
        {"n_networks": 2},
        {"loss": "huber"},
        {"max_epochs": 3},
        {"strategy": "recursive"},
        {"units": (2, 2)},
        {"dropout": 0.5},
        {"learning_rate": 0.1},
    ],
    ids=str,
)
def test_every_setting_matters(settings):
    y = months()
    plain, other = (tiny(**each).fit(y, fh=FH).predict() for each in ({"max_epochs": 2}, settings))
    assert not np.allclose(plain, other, rtol=1e-7)


def test_season_window_and_fold_may_be_given():
    model = tiny(sp=4, window_length=8, fold=2).fit(months(), fh=FH)
    assert (model.sp_, model.window_length_, model.fold_, model.horizon_) == (4, 8, 2, 3)


# -- no leak ---------------------------------------------------------------------------------------------------------


def test_later_rows_change_no_earlier_forecast():
    y = months()
    settings = [
        {"normalize": normalize, "strategy": s}
        for normalize in ("window", "series", None)
        for s in ("direct", "recursive")
    ]
    for each in settings:
        model = tiny(**each).fit(y[:50], fh=FH)
        truth, nonsense = (copy.deepcopy(model).update(more, update_params=False) for more in (y[50:], -1000 * y[50:]))
        back = range(-49, -8)  # of these the last one is the row after the cutoff of fit
        assert_array_equal(truth.predict(fh=back), nonsense.predict(fh=back), err_msg=str(each))


def test_update_with_old_rows_moves_the_cutoff_back():
    y = months()
    model = tiny().fit(y[:50], fh=FH)
    expected = model.predict()
    model.update(1000 * y[50:], update_params=False)
    model.update(y[40:50], update_params=False)
    assert_array_equal(model.predict(), expected)
    rows = [model.update_predict_single(y[:now], fh=[1], update_params=False) for now in range(45, 51)]
    assert_allclose(np.concatenate(rows)[:, 0], model.update(y[:51], update_params=False).predict(fh=range(-5, 1)))


def test_value_after_a_gap_at_the_start_is_not_known_in_it():
    y = months()
    y[:10] = NAN
    model = tiny().fit(y, fh=FH)
    assert model.predict(fh=range(-59, 1)).isna().sum() == 11


# -- update ---------------------------------------------------------------------------------------------------------


def test_update_without_training():
    y = months()
    model = tiny().fit(y[:50], fh=FH)
    network = model.networks_[0]
    assert model.update(y[50:], update_params=False).networks_[0] is network
    assert model.predict().index.equals(pd.period_range("2015-01", periods=3, freq="M"))
    whole = tiny().fit(y[:50], fh=FH).update(y, update_params=False)  # what is known already may come again
    assert_array_equal(model.predict(), whole.predict())


def test_update_trains_on_new_rows():
    y = months(80)
    y[50:] *= -1  # another world
    settings = {"units": 8, "max_epochs": 60, "normalize": "series", "window_length": 12}
    reads, learns = (
        tiny(**settings).fit(y[:50], fh=[1]).update(y[50:70], update_params=update) for update in (False, True)
    )
    assert learns.networks_[0].n_iter_ > reads.networks_[0].n_iter_
    errors = [
        np.abs(model.update(y[70:], update_params=False).predict(fh=range(-9, 1)) - y[70:]).mean()
        for model in (reads, learns)
    ]
    assert errors[1] < 0.8 * errors[0]


def test_rows_are_replaced():
    y = months()
    model = tiny().fit(y[:50] + np.repeat([0.0, 5.0], [47, 3]), fh=FH)
    assert_array_equal(
        model.update(y[47:50], update_params=False).predict(fh=[1]),
        model.update(y[:50], update_params=False).predict(fh=[1]),
    )


def test_failed_update_leaves_the_forecaster_as_it_was():
    y = months()
    days = pd.Series(values_of(5), index=pd.date_range("2020-01-01", periods=5))
    model = tiny().fit(y[:50], fh=FH)
    before = model.predict()
    with pytest.raises(ValueError, match="expected 2014-03, got 2014-05. Pass the rows between"):
        model.update(y[52:])
    with pytest.raises(TypeError, match="kind DatetimeIndex, but was fitted to PeriodIndex of frequency 'M'"):
        model.update(days)
    with pytest.raises(ValueError, match="y is infinite at 2014-03"):
        model.update(y[50:] * np.inf)
    assert model.cutoff[0] == y.index[49]
    assert model.predict().equals(before)
    assert model.update(y[50:]).predict().index[0] == pd.Period("2015-01", "M")


def test_update_predict():
    y = months()
    model = tiny().fit(y[:40], fh=[1])
    walked = model.update_predict(y[40:], ExpandingWindowSplitter(fh=[1], initial_window=1), update_params=False)
    assert model.cutoff[0] == y.index[39]
    expected = model.update(y[40:], update_params=False).predict(fh=range(-18, 1))
    assert_allclose(walked.to_numpy().ravel(), expected)
    assert len(tiny().fit(y[:40], fh=[1]).update_predict(y[40:43], update_params=True)) == 2


def test_second_fit_does_not_depend_on_the_first():
    y, other = months(), months(40, seed=1, scale=50.0)
    model = tiny().fit(y, fh=FH).fit(other, fh=range(1, 7))
    assert_array_equal(model.predict(), tiny().fit(other, fh=range(1, 7)).predict())


# -- data of all kinds -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("normalize", ["window", "series", None])
@pytest.mark.parametrize("value", [0.0, -3.5, 1e9 + 0.1])
def test_constant_is_forecast_as_itself(value, normalize):
    model = tiny(normalize=normalize).fit(months(40) * 0 + value, fh=FH)
    answers = [model.predict(), model.predict_interval(), model.predict(fh=range(-38, 0))]
    for answer in answers:
        assert_allclose(answer, value, rtol=1e-15)


def test_units_make_no_difference():
    y = months()
    expected = tiny().fit(y, fh=FH).predict()
    for moved, back in [
        (-y, lambda answer: -answer),
        (1e-9 * y, lambda answer: 1e9 * answer),
        (1e9 + y, lambda answer: answer - 1e9),
    ]:
        found = back(tiny(loss="squared_error").fit(moved, fh=FH).predict())
        assert np.abs(found - y.mean()).max() < 3 * y.std()
    # sMAPE weighs values by their size: where all weigh the same, units can't be seen at all.
    assert_allclose(tiny().fit(4 * y, fh=FH).predict(), 4 * expected, rtol=1e-5)


@pytest.mark.parametrize(
    "convert",
    [
        lambda y: (10 * y).astype(int),
        lambda y: y.astype("float32"),
        lambda y: y > 10,
        lambda y: y.convert_dtypes(),
        lambda y: pd.Series(pd.array([*range(59), pd.NA], dtype="Int64"), index=y.index),
    ],
    ids=["int", "float32", "bool", "nullable", "with NA"],
)
def test_numbers_of_all_kinds(convert):
    forecast = tiny().fit(convert(months()), fh=FH).predict()
    assert forecast.dtype == np.float64
    assert np.isfinite(forecast).all()


@pytest.mark.parametrize("gap", [slice(0, 9), slice(20, 33), slice(50, 60), slice(1, 60), slice(0, 59)], ids=str)
def test_gaps_are_filled(gap):
    y = months()
    y[gap] = NAN
    model = tiny().fit(y, fh=FH)
    assert np.isfinite(model.predict()).all()
    assert np.isfinite(model.predict_interval(fh=range(1, 16))).all(axis=None)
    frame = pd.DataFrame({"whole": months(), "gappy": y})
    assert np.isfinite(tiny().fit(frame, fh=FH).predict()).all(axis=None)


def test_gap_is_filled_with_the_row_before():
    y = months()
    model = tiny().fit(y, fh=FH)
    later = pd.Series([NAN, NAN], index=pd.period_range("2015-01", periods=2, freq="M"))
    repeated = later.fillna(y.iloc[-1])
    gap, filled = (copy.deepcopy(model).update(more, update_params=False) for more in (later, repeated))
    assert_array_equal(gap.predict(), filled.predict())


def test_series_without_values_is_an_error():
    with pytest.raises(ValueError, match="y has 60 rows, but no known value"):
        tiny().fit(months() * NAN, fh=FH)


def test_columns_may_come_in_another_order():
    y = pd.DataFrame({"small": months(), "large": 1000 * months(seed=1)})
    model = tiny().fit(y[:50], fh=FH)
    forecast = copy.deepcopy(model).update(y[50:], update_params=False).predict()
    turned = model.update(y.loc[y.index[50:], ["large", "small"]], update_params=False).predict()
    assert_array_equal(turned[["small", "large"]], forecast[["small", "large"]])
    with pytest.raises(ValueError, match=r"fitted with the columns \['small', 'large'\] of y, got \['small', 'huge'\]"):
        model.update(y[50:].rename(columns={"large": "huge"}))
    with pytest.raises(ValueError, match="Pass the same columns"):
        model.update(y.loc[y.index[50:], ["small"]])


@pytest.mark.parametrize("n_rows", [3, 4, 5, 9])
def test_short_series_are_forecast_with_a_warning(n_rows):
    message = f"A horizon of 12 steps leaves nothing of a series of {n_rows} rows"
    with pytest.warns(UserWarning, match=message) as warned:
        model = tiny().fit(months(n_rows), fh=range(1, 13))
    assert {warning.filename for warning in warned} == {__file__}  # the line that called fit
    assert np.isfinite(model.predict()).all()


def test_no_rows_are_an_error():
    with pytest.raises(ValueError, match="y has no rows. A forecaster needs the history of at least one series"):
        tiny().fit(months(0), fh=FH)


@pytest.mark.parametrize("n_rows", [1, 2])
def test_one_or_two_rows_are_an_error(n_rows):
    with pytest.raises(ValueError, match=f"at least 3 rows to learn from, got {n_rows}"):
        tiny().fit(months(n_rows), fh=FH)


def test_text_is_an_error():
    with pytest.raises(TypeError, match="categorical"):
        tiny().fit(pd.Series(list("ab") * 20), fh=FH)


# -- settings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"window_length": 0},
        {"window_length": "long"},
        {"strategy": "dirrec"},
        {"normalize": "minmax"},
        {"sp": 0},
        {"fold": 1.5},
        {"n_networks": 0},
        {"future_X": "some"},
        {"loss": "poisson"},
        {"quantiles": (0.9, 0.1)},
        {"max_epochs": 0},
        {"fine_tune": "yes"},
        {"units": (4, 0)},
        {"cell": "elman"},
    ],
    ids=str,
)
def test_invalid_parameters_are_errors(wrong):
    (name,) = wrong
    with pytest.raises(InvalidParameterError, match=f"The '{name}' parameter of RecurrentForecaster must be"):
        RecurrentForecaster(**wrong).fit(months(), fh=FH)


def test_cell_may_be_a_module_of_torch():
    model = RecurrentForecaster(cell=torch.nn.GRU, units=2, max_epochs=1, random_state=0).fit(months(), fh=FH)
    assert isinstance(model.networks_[0].module_.recurrent[0].forwards, torch.nn.GRU)


def test_same_seed_gives_the_same_forecast():
    y = months()
    settings = {"dropout": 0.3, "n_networks": 2}
    before = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    first, again, other = (tiny(**settings, random_state=seed).fit(y, fh=FH).predict() for seed in (1, 1, 2))
    assert_array_equal(first, again)
    assert not np.allclose(first, other)
    assert_array_equal(np.random.get_state()[1], before[0])  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), before[1])


def test_fits_in_threads_have_their_own_seed():
    y = months()
    expected = tiny().fit(y, fh=FH).predict()
    jobs = (joblib.delayed(lambda: tiny().fit(y, fh=FH).predict())() for _ in range(4))
    for found in joblib.Parallel(2, prefer="threads")(jobs):
        assert_array_equal(found, expected)


def test_fit_leaves_data_and_settings_alone():
    y = months()
    y[20:22] = NAN
    before, settings = y.copy(), tiny().get_params()
    model = tiny().fit(y, fh=FH)
    model.update(y[-3:]).predict_interval()
    pd.testing.assert_series_equal(y, before)
    assert model.get_params() == settings


@pytest.mark.parametrize(
    "copied", [lambda model: pickle.loads(pickle.dumps(model)), copy.deepcopy], ids=["pickle", "copy"]
)
@pytest.mark.parametrize("asked_before", [False, True])
def test_copy_of_a_fitted_forecaster_predicts_the_same(copied, asked_before):
    y = months()
    model = tiny(n_networks=2).fit(y[:50], fh=FH)
    if asked_before:
        model.predict_interval()
    other = copied(model)
    for each in (model, other):
        each.update(y[50:])
    assert_array_equal(other.predict(), model.predict())
    assert_array_equal(other.predict_interval(), model.predict_interval())


def test_forecaster_can_be_saved(tmp_path):
    model = tiny().fit(months(), fh=FH)
    model.save(tmp_path / "model")
    assert_array_equal(load(str(tmp_path / "model")).predict(), model.predict())
