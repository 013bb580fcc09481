"""Prediction intervals have the asked coverage, and warn if there are too few windows to calibrate them."""

import copy

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import t

from sklrnn.forecasting import GRUForecaster
from sklrnn.forecasting.calibration import Calibration
from sklrnn.forecasting.network import NetworkRecipe

FH = [1, 2, 3]


def tiny(**settings):
    return GRUForecaster(**{"units": 2, "max_epochs": 2, "random_state": 0} | settings)


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
        {"loss": "absolute_error", "early_stopping": True},
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
    train, test = train_and_test(panel_of_noise())
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


def count_fits(monkeypatch):
    fits = []
    fit = NetworkRecipe.fit
    monkeypatch.setattr(NetworkRecipe, "fit", lambda self, windows: fits.append(len(windows)) or fit(self, windows))
    return fits


def test_refit_is_made_once_and_without_the_newest_windows(monkeypatch):
    fits = count_fits(monkeypatch)
    model = tiny().fit(wave(), fh=FH)
    point = model.predict()
    assert len(fits) == 1
    first = model.predict_interval()
    assert_array_equal(model.predict_interval(), first)
    assert_array_equal(model.predict(), point)
    n_newest = int(0.2 * fits[0])
    assert fits[1:] == [fits[0] - n_newest - 2]  # the windows between share targets with the newest


def test_held_out_windows_need_no_refit(monkeypatch):
    fits = count_fits(monkeypatch)
    tiny(early_stopping=True).fit(wave(), fh=FH).predict_interval()
    assert len(fits) == 1


def test_losses_with_a_distribution_need_no_refit(monkeypatch):
    fits = count_fits(monkeypatch)
    for loss in ("quantile", "gaussian"):
        tiny(loss=loss).fit(wave(), fh=FH).predict_interval()
    assert len(fits) == 2


def test_update_without_training_keeps_the_errors(monkeypatch):
    y = wave()
    model = tiny().fit(y[:70], fh=FH)
    width = np.ptp(model.predict_interval().to_numpy(), axis=1)
    fits = count_fits(monkeypatch)
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
    model = tiny().fit(wave(n=11), fh=[1, 2])
    with pytest.warns(UserWarning, match="windows are too few to hold some out"):
        bounds = model.predict_interval()
    assert (np.ptp(bounds.to_numpy(), axis=1) > 0).all()


def errors_of(values, levels):
    """Quantiles of given errors, one step ahead."""
    y = pd.Series(np.arange(40.0))
    model = tiny(window_length=4).fit(y, fh=[1])
    calibration = Calibration(model.networks_[0], model._calibration.windows, refit=None)
    calibration._errors = np.asarray(values, dtype=float).reshape(-1, 1, 1)
    return calibration.error_quantiles(np.asarray(levels)).ravel()


def test_error_distribution_is_symmetric_and_corrected_for_finite_samples():
    low, middle, high = errors_of([1.0, 2, 3, 4], [0.1, 0.5, 0.9])
    assert middle == 0.0
    assert low == -high
    assert high == 4.0  # with the finite-sample correction, 0.9 is the largest of four errors
    assert errors_of(np.arange(1, 1001), [0.95])[0] == pytest.approx(900, abs=3)
    assert np.isfinite(errors_of([1.0, np.nan, 3.0], [0.05, 0.95])).all()


def test_levels_beyond_the_largest_error_follow_the_tail_of_student_t_without_a_jump():
    random = np.random.default_rng(0)
    errors, known = random.normal(size=9), 0.95  # the largest of nine errors belongs to the level 0.5 + 0.5 * 9 / 10
    below, at, above, far = errors_of(errors, [known - 1e-9, known, known + 1e-9, 0.9995])
    assert_allclose([below, above], at, rtol=1e-6)
    assert at == pytest.approx(np.abs(errors).max())
    spread = np.sqrt(np.mean(errors**2))
    assert far - at == pytest.approx(spread * (t.ppf(0.9995, 9) - t.ppf(known, 9)), rel=1e-6)


# -- after pretraining -----------------------------------------------------------------------------------------------


def test_series_without_training_has_the_errors_on_all_its_windows(monkeypatch):
    panel = panel_of_noise(10, 40)
    model = tiny(window_length=8).pretrain(panel, fh=FH)
    fits = count_fits(monkeypatch)
    model.fit(wave(), fh=FH).predict_interval()
    assert not fits
    assert model._calibration.errors().shape == (len(model._calibration.windows), 3, 1)


@pytest.mark.parametrize("fine_tune", [False, True])
def test_short_series_falls_back_to_the_errors_of_the_panel(fine_tune):
    panel = panel_of_noise(10, 40)
    model = tiny(window_length=8, fine_tune=fine_tune).pretrain(panel, fh=FH)
    of_the_panel = model.pretrained_.calibration.errors()
    model.fit(wave(n=9), fh=FH)
    assert_array_equal(model._calibration.errors(), of_the_panel)
    bounds = model.predict_interval()
    assert (np.ptp(bounds.to_numpy(), axis=1) > 0).all()


def test_errors_after_fine_tuning_are_those_of_a_tuned_refit():
    panel = panel_of_noise(10, 40)
    model = tiny(window_length=8, fine_tune=True, max_epochs=20).pretrain(panel, fh=FH)
    pretrained = copy.deepcopy(model.pretrained_.networks[0])
    model.fit(wave(), fh=FH)
    calibration = model._calibration
    n_newest = len(calibration.errors())
    assert 10 <= n_newest < len(calibration.windows) / 2
    assert_array_equal(
        model.pretrained_.networks[0].predict_scaled(calibration.windows),
        pretrained.predict_scaled(calibration.windows),
    )
