"""Prediction intervals have the asked coverage, and warn if there are too few windows to calibrate them."""

import copy
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm, t

from sklrnn.forecasting import GRUForecaster, cross_conformal
from sklrnn.forecasting.cross_conformal import cross_conformal_errors
from sklrnn.forecasting.error_sizes import ErrorSizes
from sklrnn.forecasting.network import NetworkRecipe, forecast_errors

FH = [1, 2, 3]


def tiny(**settings):
    return GRUForecaster(**{"units": 2, "n_networks": 1, "max_epochs": 2, "random_state": 0} | settings)


def wave(n=80, seed=0, noise=0.3):
    random = np.random.default_rng(seed)
    values = 10 + np.sin(np.arange(n) * 2 * np.pi / 12) + noise * random.normal(size=n)
    return pd.Series(values, index=pd.period_range("2010-01", periods=n, freq="M"), name="sales")


def panel_of_noise(n_series=60, n_rows=42, level=20):
    """Series of noise with different levels and scales."""
    random = np.random.default_rng(0)
    sizes = random.lognormal(sigma=1.5, size=(n_series, 1))
    values = sizes * (level + random.normal(size=(n_series, n_rows)))
    index = pd.MultiIndex.from_product([range(n_series), range(n_rows)])
    return pd.DataFrame({"y": values.ravel()}, index=index)


def train_and_test(panel, n_test=6):
    time = panel.index.get_level_values(1)
    return panel[time <= time.max() - n_test], panel[time > time.max() - n_test]


def share_within(bounds, truth):
    lower, upper = bounds.to_numpy().T
    inside = (lower <= truth.to_numpy().ravel()) & (truth.to_numpy().ravel() <= upper)
    return inside.mean()


# -- coverage -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {"loss": "absolute_error"},
        # The errors of few windows of a panel have much in common as a rule, so intervals are wider than here needed.
        {"loss": "absolute_error", "early_stopping": True, "validation_fraction": 0.5},
        {"loss": "squared_error", "normalize": "series"},
        {
            "loss": "quantile",
            "quantiles": (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95),
            "max_epochs": 30,
            "learning_rate": 0.03,
        },
        {"loss": "gaussian", "max_epochs": 30, "learning_rate": 0.03},
    ],
    ids=["conformal", "held out", "of the series", "quantile", "gaussian"],
)
def test_coverage_is_about_the_asked_one(settings):
    train, test = train_and_test(panel_of_noise(n_rows=60))
    settings = {"units": 4, "max_epochs": 12, "window_length": 12, "batch_size": 256} | settings
    model = tiny(**settings).fit(train, fh=range(1, 7))
    for coverage in (0.5, 0.8, 0.9):
        # With 360 values from 60 series the share itself is off by some hundredths.
        assert share_within(model.predict_interval(coverage=coverage), test) == pytest.approx(coverage, abs=0.1)


def test_coverage_of_random_walks_beyond_the_trained_steps():
    train, test = train_and_test(panel_of_noise(level=0).groupby(level=0).cumsum())
    model = tiny(units=4, max_epochs=6, window_length=6, strategy="recursive", batch_size=256).fit(
        train, fh=range(1, 7)
    )
    for coverage in (0.5, 0.8, 0.9):
        assert share_within(model.predict_interval(coverage=coverage), test) == pytest.approx(coverage, abs=0.1)


def test_coverage_of_a_single_series():
    y = pd.Series(np.random.default_rng(1).normal(size=900))
    model = tiny(window_length=12, max_epochs=4).fit(y[:600], fh=[1])
    model.update(y[600:], update_params=False)
    for coverage in (0.5, 0.8, 0.9):
        bounds = model.predict_interval(fh=range(-299, 1), coverage=coverage)
        assert share_within(bounds, y[600:]) == pytest.approx(coverage, abs=0.08)


def test_intervals_of_short_random_walks_hold_most_of_them():
    shares = []
    for seed in range(12):
        y = pd.Series(np.random.default_rng(seed).normal(size=40).cumsum())
        bounds = tiny(units=4, max_epochs=20).fit(y[:32], fh=range(1, 9)).predict_interval()
        shares.append(share_within(bounds, y[32:]))
    assert np.mean(shares) > 0.85
    assert np.mean(np.array(shares) < 0.5) <= 1 / 12


def test_series_with_large_numbers_have_wide_intervals():
    panel = panel_of_noise(12)
    bounds = tiny(window_length=12).fit(panel, fh=[1]).predict_interval()
    width = np.ptp(bounds.to_numpy(), axis=1)
    spread = panel.groupby(level=0)["y"].std().to_numpy()
    assert np.corrcoef(np.log(width), np.log(spread))[0, 1] > 0.95


# -- quantiles and bounds --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["absolute_error", "squared_error", "huber", "quantile", "gaussian"])
@pytest.mark.parametrize("fh", [FH, range(1, 9), [-5, 0, 2]], ids=["trained", "beyond", "mixed"])
def test_quantiles_increase_and_intervals_are_made_of_them(loss, fh):
    model = tiny(loss=loss).fit(wave(), fh=FH)
    levels = [0.05, 0.25, 0.5, 0.75, 0.95]
    quantiles = model.predict_quantiles(fh=fh, alpha=levels)
    assert quantiles.columns.tolist() == [("sales", level) for level in levels]
    assert (np.diff(quantiles, axis=1) > 0).all()
    bounds = model.predict_interval(fh=fh, coverage=[0.5, 0.9])
    assert bounds.columns.tolist() == [("sales", c, end) for c in (0.5, 0.9) for end in ("lower", "upper")]
    assert_allclose(bounds, quantiles.iloc[:, [1, 3, 0, 4]])
    assert quantiles.index.equals(model.predict(fh=fh).index)
    assert_allclose(quantiles["sales", 0.5], model.predict(fh=fh), rtol=1e-9)


@pytest.mark.parametrize(
    "settings",
    [{}, {"n_networks": 2}, {"early_stopping": True}, {"strategy": "recursive"}, {"loss": "gaussian"}],
    ids=["refit", "two networks", "held out", "recursive", "gaussian"],
)
@pytest.mark.parametrize("n_rows", [50, 90])
def test_a_higher_coverage_is_always_wider(settings, n_rows):
    y = pd.DataFrame({"calm": wave(n_rows, noise=0.1), "wild": wave(n_rows, seed=1, noise=1.0)})
    model = tiny(**settings).fit(y, fh=range(1, 13))
    coverages = [0.99, 0.5, 0.9999, 0.8, 0.9, 0.999, 0.95]
    bounds = model.predict_interval(fh=range(-2, 15), coverage=coverages)
    low_and_high = bounds.to_numpy().reshape(17, 2, len(coverages), 2)[:, :, np.argsort(coverages)]
    widths = low_and_high[..., 1] - low_and_high[..., 0]
    assert (widths[..., 1:] > 1.01 * widths[..., :-1]).all()
    levels = np.array([0.9995, 0.0005, 0.9, 0.5, 0.999, 0.001])
    quantiles = model.predict_quantiles(fh=range(-2, 15), alpha=list(levels)).to_numpy().reshape(17, 2, -1)
    assert (np.diff(quantiles[..., np.argsort(levels)]) > 0).all()


@pytest.mark.parametrize("loss", ["absolute_error", "gaussian"])
def test_intervals_widen_beyond_the_trained_steps(loss):
    y = pd.Series(np.random.default_rng(0).normal(size=150))
    model = tiny(loss=loss, window_length=6).fit(y, fh=[1])
    width = np.ptp(model.predict_interval(fh=range(1, 26)).to_numpy(), axis=1)
    # Forecasts of noise are flat, and so are windows of forecasts: their small scale must not narrow the intervals.
    assert width[24] >= 4.5 * width[0]
    assert (width >= width[0]).all()


@pytest.mark.parametrize("n_rows", [30, 90])
def test_intervals_never_narrow_with_the_steps(n_rows):
    # Two blocks: those of 6 steps that are learnt, and of 6 more that are forecast from these.
    model = tiny(max_epochs=10).fit(wave(n_rows, noise=1.0).cumsum(), fh=range(1, 7))
    width = np.ptp(model.predict_interval(fh=range(1, 13)).to_numpy(), axis=1)
    assert (np.diff(width) >= -1e-9 * width[-1]).all()
    assert width[-1] > 1.2 * width[5]


def test_series_of_a_panel_that_is_hard_to_forecast_has_wider_intervals():
    noise = np.random.default_rng(0).normal(size=(2, 120))
    index = pd.MultiIndex.from_product([["calm", "wild"], range(120)])
    panel = pd.DataFrame({"y": noise.ravel()}, index=index)
    model = tiny(normalize="series").fit(panel, fh=FH)
    windows = model._calibration.windows
    errors = np.random.default_rng(1).normal(size=(len(windows), 3, 1))
    errors[windows.series_ids == 1] *= 5
    model._calibration._sizes = ErrorSizes.of(windows, errors)
    before = model.predict_interval()
    calm, wild = (np.ptp(before.loc[key].to_numpy(), axis=1) for key in ("calm", "wild"))
    assert_allclose(wild / calm, 5, rtol=0.3)
    # A series that comes later is taken to be as hard as the average.
    model.update(panel.loc[["calm"]].rename(index={"calm": "new"}), update_params=False)
    after = model.predict_interval()
    assert_allclose(after.loc["calm"], before.loc["calm"])
    average = np.ptp(after.loc["new"].to_numpy(), axis=1) / calm
    assert_allclose(average, 2.5, rtol=0.5)


def test_channels_have_intervals_of_their_own():
    y = pd.DataFrame({"calm": wave(noise=0.01), "wild": wave(noise=3.0)})
    model = tiny(normalize="series").fit(y, fh=FH)
    bounds = model.predict_interval()
    assert bounds.columns.get_level_values(0).unique().tolist() == ["calm", "wild"]
    turned = tiny(normalize="series").fit(y[["wild", "calm"]], fh=FH).predict_interval()
    for each in (bounds, turned):
        assert (each["wild", 0.9, "upper"] - each["wild", 0.9, "lower"] > 5).all()
        assert (each["calm", 0.9, "upper"] - each["calm", 0.9, "lower"] < 5).all()


def test_order_of_channels_is_that_of_fit_after_pretraining():
    y = pd.DataFrame({"a": wave(), "b": 1000 + wave(seed=1)})
    panel = pd.concat({"one": y, "two": y * 1.1})
    model = tiny().pretrain(panel, fh=FH).fit(y[["b", "a"]], fh=FH)
    assert model.predict().columns.tolist() == ["b", "a"]
    assert (model.predict()["b"] > 500).all()
    assert (model.predict_interval()["b"] > 500).all(axis=None)
    assert (model.predict_interval()["a"] < 500).all(axis=None)


def test_variance_follows_from_the_intervals():
    variance = tiny().fit(wave(), fh=FH).predict_var()
    assert variance.shape == (3, 1)
    assert (variance > 0).all(axis=None)


def test_levels_beyond_the_trained_ones_are_an_error():
    model = tiny(loss="quantile", quantiles=(0.1, 0.5, 0.9)).fit(wave(), fh=FH)
    assert model.predict_interval(coverage=0.8).shape == (3, 2)
    with pytest.raises(ValueError, match=r"trained for the quantiles \(0.1, 0.5, 0.9\).* got levels from 0.05 to 0.95"):
        model.predict_interval(coverage=0.9)


# -- calibration -----------------------------------------------------------------------------------------------------


def record_fits(monkeypatch):
    """The recipes and windows of all fits, in a list that fills up."""
    fits = []
    fit = NetworkRecipe.fit
    monkeypatch.setattr(NetworkRecipe, "fit", lambda self, windows: fits.append((self, windows)) or fit(self, windows))
    return fits


def test_refits_are_made_once_and_each_row_is_held_out_of_one(monkeypatch):
    fits = record_fits(monkeypatch)
    model = tiny(max_epochs=6).fit(wave(), fh=FH)
    point = model.predict()
    (_, all_windows), *refits = fits
    assert not refits
    first = model.predict_interval()
    assert_array_equal(model.predict_interval(), first)
    assert_array_equal(model.predict(), point)
    refits = fits[1:]
    assert [recipe.options.max_epochs for recipe, _ in refits] == [3, 3, 3]
    is_held_out = np.array([~windows.stacked.observed[:, 0] for _, windows in refits])
    first_target = all_windows.origins.min()
    assert (is_held_out[:, first_target:].sum(axis=0) == 1).all()
    assert not is_held_out[:, :first_target].any()
    # Each block is one part of the time.
    assert (np.abs(np.diff(is_held_out[:, first_target:].astype(int))).sum(axis=1) <= 2).all()


def test_no_error_is_that_of_a_network_which_was_trained_on_the_target(monkeypatch):
    fits = record_fits(monkeypatch)
    model = tiny(max_epochs=6).fit(wave(), fh=FH)
    windows, errors = cross_conformal_errors(model._calibration.refit, model._calibration.windows)
    assert not np.isnan(errors).any()
    rows = windows.origins[:, np.newaxis] + np.arange(3)
    expected = np.full(errors.shape, np.nan)
    for recipe, trained in fits[1:]:
        is_held_out = ~trained.stacked.observed[rows]
        expected[is_held_out] = forecast_errors(recipe.fit(trained), windows)[is_held_out]
    assert_allclose(errors, expected, rtol=1e-5)


def test_many_windows_need_one_refit_without_the_newest(monkeypatch):
    monkeypatch.setattr(cross_conformal, "_MANY_WINDOWS", 20)
    fits = record_fits(monkeypatch)
    model = tiny().fit(wave(), fh=FH)
    bounds = model.predict_interval()
    assert (np.ptp(bounds.to_numpy(), axis=1) > 0).all()
    (_, all_windows), (_, older) = fits
    is_held_out = ~older.stacked.observed[:, 0]
    n_targets = len(all_windows) + 2
    assert is_held_out.sum() == pytest.approx(0.2 * n_targets, abs=1.5)
    assert is_held_out[-is_held_out.sum() :].all()


def test_held_out_windows_need_no_refit(monkeypatch):
    fits = record_fits(monkeypatch)
    tiny(early_stopping=True).fit(wave(), fh=FH).predict_interval()
    assert len(fits) == 1


def test_losses_with_a_distribution_need_no_refit(monkeypatch):
    fits = record_fits(monkeypatch)
    for loss in ("quantile", "gaussian"):
        tiny(loss=loss).fit(wave(), fh=FH).predict_interval()
    assert len(fits) == 2


def test_update_without_training_keeps_the_errors(monkeypatch):
    y = wave()
    model = tiny().fit(y[:70], fh=FH)
    width = np.ptp(model.predict_interval().to_numpy(), axis=1)
    fits = record_fits(monkeypatch)
    model.update(y[70:] * 0 + y[:70].mean(), update_params=False)
    assert not fits
    assert np.ptp(model.predict_interval().to_numpy(), axis=1).shape == width.shape


def test_refit_after_an_update_trains_as_long_as_the_first_network():
    y = wave(n=120)
    model = tiny(units=8, max_epochs=40, window_length=12).fit(y[:110], fh=FH).update(y[110:])
    assert model.networks_[0].recipe.options.max_epochs == 4
    assert model._calibration.refit.options.max_epochs == 40
    fresh = tiny(units=8, max_epochs=40, window_length=12).fit(y, fh=FH)
    widths = [np.ptp(each.predict_interval().to_numpy(), axis=1).mean() for each in (model, fresh)]
    assert widths[0] == pytest.approx(widths[1], rel=0.3)


def test_too_few_windows_give_a_warning():
    model = tiny().fit(wave(n=7), fh=[1, 2])
    with pytest.warns(UserWarning, match="windows are too few to hold some out"):
        bounds = model.predict_interval()
    assert (np.ptp(bounds.to_numpy(), axis=1) > 0).all()


def sizes_of(errors, levels):
    """Quantiles of given errors (window, step), for a window whose scale and seasonal naive error are 1."""
    n, horizon = errors.shape
    y = pd.Series(np.arange(n + horizon + 3.0))
    model = tiny(window_length=4, sp=1).fit(y, fh=range(1, horizon + 1))
    windows = model._calibration.windows
    stacked = replace(windows.stacked, scale=np.ones((1, 1)), naive_error=np.ones((1, 1)))
    windows = replace(windows, stacked=stacked, spec=replace(windows.spec, normalize="series"))
    sizes = ErrorSizes.of(windows, errors[..., np.newaxis])
    offsets = sizes.offsets(np.asarray(levels), windows[:1], np.ones((1, 1, 1)), series_ids=windows[:1].series_ids)
    return offsets[0, :, 0]


def test_quantiles_of_many_errors_are_those_of_the_errors():
    errors = np.random.default_rng(0).laplace(size=(4000, 1))
    low, middle, high, far = sizes_of(errors, [0.05, 0.5, 0.95, 0.995])[0]
    assert middle == 0.0
    assert low == pytest.approx(-high)
    assert high == pytest.approx(np.log(10), rel=0.05)
    assert far == pytest.approx(np.log(100), rel=0.1)


def test_quantiles_of_few_errors_are_those_of_a_wide_student_t():
    errors = np.random.default_rng(0).choice([-1.0, 1.0], size=(9, 1))
    levels = np.array([0.9, 0.99, 0.9999])
    # The mean absolute error is 1 at 10 blocks; the quantiles of the errors themselves, 1, weigh as much as the normal.
    expected = (1 + np.sqrt(np.pi / 2) * norm.ppf(levels)) / 2 * t.ppf(levels, 20) / norm.ppf(levels) * np.sqrt(1.1)
    assert_allclose(sizes_of(errors, levels)[0], expected, rtol=1e-5)


def test_sizes_of_steps_are_smoothed_so_that_they_never_fall():
    errors = np.ones((30, 4)) * [1.0, 3.0, 2.0, 4.0]
    errors[::2] *= -1
    errors[0, 1] = np.nan
    high = sizes_of(errors, [0.9])[:, 0]
    assert_allclose(high / high[0], [1.0, 2.5, 2.5, 4.0], rtol=0.01)


# -- after pretraining -----------------------------------------------------------------------------------------------


def test_series_without_training_has_the_errors_on_all_its_windows(monkeypatch):
    panel = panel_of_noise(10, 40)
    model = tiny(window_length=8).pretrain(panel, fh=FH)
    fits = record_fits(monkeypatch)
    model.fit(wave(), fh=FH).predict_interval()
    assert not fits
    windows, errors = model._calibration._measure()
    assert len(windows) == len(errors) == len(model._calibration.windows)


def test_panel_without_windows_has_the_errors_of_the_panel_before():
    model = tiny(window_length=8).pretrain(panel_of_noise(10, 40), fh=FH)
    with pytest.warns(UserWarning, match="nothing to learn from"):
        model.pretrain(panel_of_noise(2, 3), fh=FH)
    bounds = model.fit(wave(n=9), fh=FH).predict_interval()
    assert (np.ptp(bounds.to_numpy(), axis=1) > 0).all()


def test_models_of_before_measure_their_errors_anew():
    model = tiny().fit(wave(), fh=FH)
    loaded = copy.deepcopy(model)
    vars(loaded._calibration)["_errors"] = None
    assert_array_equal(loaded.predict_interval(), model.predict_interval())


@pytest.mark.parametrize("fine_tune", [False, True])
def test_short_series_falls_back_to_the_errors_of_the_panel(fine_tune):
    panel = panel_of_noise(10, 40)
    model = tiny(window_length=8, fine_tune=fine_tune).pretrain(panel, fh=FH)
    of_the_panel = model.pretrained_.calibration.sizes()
    model.fit(wave(n=9), fh=FH)
    bounds = model.predict_interval()
    offsets = (bounds.to_numpy().T - model.predict().to_numpy()).T
    (rollout,) = model._make_rollout(model.fh, None).blocks()
    window = rollout._windows(rollout.stacked.starts + 9, np.array([0]))
    scale = window.level_and_scale()[1]
    assert_allclose(offsets, of_the_panel.offsets(np.array([0.05, 0.95]), window, scale, series_ids=None)[0, :, 0])


def test_errors_after_fine_tuning_are_those_of_a_tuned_refit():
    panel = panel_of_noise(10, 40)
    model = tiny(window_length=8, fine_tune=True, max_epochs=20).pretrain(panel, fh=FH)
    pretrained = copy.deepcopy(model.pretrained_.networks[0])
    model.fit(wave(), fh=FH)
    calibration = model._calibration
    windows, errors = calibration._measure()
    assert len(windows) == len(errors) == len(calibration.windows)
    assert_array_equal(
        model.pretrained_.networks[0].predict_scaled(calibration.windows),
        pretrained.predict_scaled(calibration.windows),
    )
