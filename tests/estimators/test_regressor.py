"""Losses, quantiles and intervals of regressors."""

import tracemalloc

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy.special import softmax
from torch import nn

from sklrnn import GRURegressor

TINY = {"units": 6, "max_epochs": 4, "random_state": 0}


@pytest.fixture(scope="module")
def heteroscedastic():
    """The last value of a sequence sets the level of its target, the one before it the noise."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4000, 4))
    y = 20 + 3 * X[:, -1] + rng.normal(size=4000) * (0.3 + np.abs(X[:, -2]))
    return X[:2500], y[:2500], X[2500:], y[2500:]


COVERED = {
    "quantile": {"loss": "quantile", "quantiles": (0.05, 0.5, 0.95)},
    "quantile, widened": {"loss": "quantile", "early_stopping": True},
    "gaussian": {"loss": "gaussian"},
    "squared_error": {"early_stopping": True},
    "huber": {"loss": "huber", "early_stopping": True},
}


@pytest.mark.parametrize("case", COVERED)
def test_intervals_cover_what_they_promise(case, heteroscedastic):
    X, y, X_new, y_new = heteroscedastic
    options = {"units": 16, "learning_rate": 5e-3, "max_epochs": 20, "batch_size": 64, "random_state": 0}
    model = GRURegressor(**{**options, **COVERED[case]}, validation_fraction=0.2).fit(X, y)
    low, high = model.predict_interval(X_new, coverage=0.9).T
    assert 0.87 <= np.mean((low <= y_new) & (y_new <= high)) <= 0.93
    if "quantile" in case or case == "gaussian":
        assert np.corrcoef(high - low, np.abs(X_new[:, -2]))[0, 1] > 0.7


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("loss", ["quantile", "gaussian", "squared_error", "poisson", "absolute_error"])
def test_quantiles_have_the_shape_of_targets_and_never_cross(loss, outputs, heteroscedastic):
    X, y, X_new, _ = heteroscedastic
    y = np.maximum(y, 0)
    targets = y if outputs == 1 else np.c_[y, 2 * y]
    model = GRURegressor(**TINY, loss=loss, early_stopping=True).fit(X[:300], targets[:300])
    levels = [0.1, 0.3, 0.5, 0.9]
    values = model.predict_quantiles(X_new, levels)
    assert values.shape == ((1500, 4) if outputs == 1 else (1500, 2, 4))
    assert (np.diff(values, axis=-1) >= 0).all()
    assert model.predict_interval(X_new, 0.5).shape == ((1500, 2) if outputs == 1 else (1500, 2, 2))
    assert model.predict_quantiles(X_new).shape[-1] == 3
    if loss == "quantile":
        assert_allclose(model.predict(X_new), values[..., 2])
    if loss == "poisson":
        assert (values >= 0).all()
        assert (model.predict(X_new) > 0).all()


def test_an_interval_needs_quantiles_or_held_out_rows(heteroscedastic):
    X, y, X_new, _ = heteroscedastic
    plain = GRURegressor(**TINY).fit(X[:200], y[:200])
    with pytest.raises(ValueError, match='no samples were held out .*calibration_cv=3 .*True or with loss="quantile"'):
        plain.predict_interval(X_new)
    with pytest.raises(ValueError, match="early_stopping=True"):
        plain.predict_quantiles(X_new)
    narrow = GRURegressor(**TINY, loss="quantile").fit(X[:200], y[:200])
    assert narrow.predict_interval(X_new, coverage=0.8).shape == (1500, 2)
    with pytest.raises(ValueError, match=r"outer levels in `quantiles` \(now \(0.1, 0.5, 0.9\)\)"):
        narrow.predict_interval(X_new, coverage=0.9)
    with pytest.raises(
        ValueError, match=r"was trained for the quantiles \(0.1, 0.5, 0.9\).*got levels from 0.05 to 0.05"
    ):
        narrow.predict_quantiles(X_new, [0.05])


def test_more_coverage_than_the_held_out_rows_can_tell_is_wider(heteroscedastic):
    X, y, X_new, _ = heteroscedastic
    model = GRURegressor(**TINY, early_stopping=True).fit(X[:100], y[:100])  # 10 errors: up to 10 / 11
    widths = [np.ptp(model.predict_interval(X_new, level), axis=1) for level in (0.9, 0.91, 0.95, 0.99, 0.999)]
    assert (np.diff(widths, axis=0) > 0).all()


@pytest.mark.parametrize("outputs", [1, 2])
def test_quantiles_beyond_the_held_out_errors_widen(outputs, heteroscedastic):
    X, y, X_new, _ = heteroscedastic
    targets = y if outputs == 1 else np.c_[y, -y]
    model = GRURegressor(**TINY, early_stopping=True).fit(X[:100], targets[:100])
    levels = np.array([0.9995, 0.5, 0.99, 0.0005, 0.95, 0.9, 0.01])
    values = model.predict_quantiles(X_new[:20], levels)[..., np.argsort(levels)]
    spread = values[..., -3] - values[..., 2]  # from the median to 0.95
    assert (np.diff(values, axis=-1) > 0.05 * spread[..., np.newaxis]).all()
    low, _, high = np.moveaxis(model.predict_quantiles(X_new[:20], [0.0005, 0.5, 0.9995]), -1, 0)
    errors = targets[90:100].reshape(10, -1) - model.predict(X[90:100]).reshape(10, -1)
    assert (high - low > np.ptp(errors, axis=0).reshape(y[:1].shape if outputs == 1 else (1, 2))).all()


def test_bounds_never_pass_each_other():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 5))
    y = X[:, 0] + rng.normal(size=400) * np.exp(X[:, 1])
    y[300:] = X[300:, 0]  # calmer than what was learnt: the held-out errors make the band narrower
    options = {"loss": "quantile", "early_stopping": True, "validation_fraction": 0.25}
    model = GRURegressor(units=8, max_epochs=40, random_state=0, **options).fit(X, y)
    low, high = model.predict_interval(X, 0.85).T
    assert (low <= high).all()


@pytest.mark.parametrize("wrong", [0, 1, 1.5, "much"])
def test_coverage_and_levels_are_checked(wrong, heteroscedastic):
    X, y, *_ = heteroscedastic
    model = GRURegressor(**TINY, loss="gaussian").fit(X[:50], y[:50])
    with pytest.raises(ValueError, match="coverage must be a number between 0 and 1"):
        model.predict_interval(X, coverage=wrong)
    with pytest.raises(ValueError, match="quantiles must be|could not convert"):
        model.predict_quantiles(X, [wrong])


@pytest.mark.parametrize("loss", ["poisson", nn.PoissonNLLLoss])
def test_poisson_learns_a_rate(loss):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 4))
    y = rng.poisson(np.exp(3 + 0.5 * X[:, -1]))
    model = GRURegressor(loss=loss, units=8, max_epochs=40, random_state=0).fit(X, y)
    assert np.corrcoef(model.predict(X), np.exp(3 + 0.5 * X[:, -1]))[0, 1] > 0.95
    assert model.predict(X).mean() == pytest.approx(y.mean(), rel=0.05)


def test_a_loss_of_torch(heteroscedastic):
    X, y, *_ = heteroscedastic
    model = GRURegressor(**{**TINY, "max_epochs": 30}, loss=nn.SmoothL1Loss).fit(X[:300], y[:300])
    assert model.score(X[:300], y[:300]) > 0.5


def test_a_loss_of_labels_is_an_error_before_it_leaves_a_model(heteroscedastic):
    X, y, *_ = heteroscedastic
    model = GRURegressor(**TINY, loss=nn.CrossEntropyLoss)
    with pytest.raises(ValueError, match="loss=CrossEntropyLoss needs targets .* use a classifier, such as"):
        model.fit(X, y)
    assert not hasattr(model, "model_")


def test_shares_are_learnt_with_cross_entropy():
    X = np.random.default_rng(0).normal(size=(200, 4))
    up = 1 / (1 + np.exp(-3 * X[:, -1]))
    model = GRURegressor(units=8, max_epochs=60, loss=nn.CrossEntropyLoss, normalize_y=False, random_state=0)
    predicted = softmax(model.fit(X, np.c_[up, 1 - up]).predict(X), axis=1)
    assert np.abs(predicted[:, 0] - up).mean() < 0.1


def test_a_constant_target_is_predicted(heteroscedastic):
    X, *_ = heteroscedastic
    model = GRURegressor(**TINY).fit(X[:40], np.full(40, 7.0))
    assert_allclose(model.predict(X[:40]), 7, atol=1.0)


def test_predictions_in_double_precision_follow_the_network():
    X, y = np.random.default_rng(0).normal(size=(20, 5)), np.arange(20.0)
    model = GRURegressor(units=3, max_epochs=2, random_state=0).fit(X, y)
    before = model.predict(X)
    with torch.no_grad():
        model.module_.head.bias += 1.0
    np.testing.assert_allclose(model.predict(X) - before, y.std(), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_windows_are_never_written_out(dtype):
    rows = np.random.default_rng(0).normal(size=(60_000 + 50, 8)).astype(dtype)
    X = np.lib.stride_tricks.sliding_window_view(rows, 50, axis=0)[:-1].transpose(0, 2, 1)
    model = GRURegressor(units=2, max_epochs=1, batch_size=1024, early_stopping=True, random_state=0)
    model.fit(X[:64], rows[50:114, 0])
    tracemalloc.start()
    try:
        model.fit(X, rows[50:, 0]).predict(X)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < X.size * X.itemsize / 2
