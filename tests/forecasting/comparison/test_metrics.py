import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sktime.performance_metrics import forecasting as sktime_metrics

from sklrnn.forecasting.comparison.metrics import (
    interval_coverage,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_absolute_scaled_error,
    root_mean_squared_error,
    seasonal_naive,
    seasonal_scale,
    symmetric_mean_absolute_percentage_error,
)


@pytest.fixture
def series():
    rng = np.random.default_rng(0)
    return rng.normal(10, 3, size=40), rng.normal(10, 3, size=7), rng.normal(10, 3, size=7)


@pytest.mark.parametrize(
    ("ours", "theirs", "factor"),
    [
        (mean_absolute_error, sktime_metrics.mean_absolute_error, 1),
        (root_mean_squared_error, lambda *pair: sktime_metrics.mean_squared_error(*pair, square_root=True), 1),
        (
            symmetric_mean_absolute_percentage_error,
            lambda *pair: sktime_metrics.mean_absolute_percentage_error(*pair, symmetric=True),
            100,
        ),
        (
            mean_absolute_percentage_error,
            lambda *pair: sktime_metrics.mean_absolute_percentage_error(*pair, symmetric=False),
            100,
        ),
    ],
)
def test_scores_agree_with_those_of_sktime(series, ours, theirs, factor):
    _, y_true, y_pred = series
    assert_allclose(ours(y_true, y_pred), factor * theirs(y_true, y_pred))


@pytest.mark.parametrize("sp", [1, 4, 12])
def test_scaled_error_agrees_with_that_of_sktime(series, sp):
    y_train, y_true, y_pred = series
    theirs = sktime_metrics.mean_absolute_scaled_error(y_true, y_pred, y_train=y_train, sp=sp)
    assert_allclose(mean_absolute_scaled_error(y_true, y_pred, seasonal_scale(y_train, sp)), theirs)


def test_stacked_series_are_scored_one_by_one():
    rng = np.random.default_rng(1)
    y_train, y_true, y_pred = rng.normal(size=(3, 2, 30)), rng.normal(size=(3, 2, 5)), rng.normal(size=(3, 2, 5))
    scale = seasonal_scale(y_train, 4)
    for score in (
        root_mean_squared_error,
        symmetric_mean_absolute_percentage_error,
        lambda true, pred: mean_absolute_scaled_error(true, pred, seasonal_scale(y_train, 4)),
    ):
        assert score(y_true, y_pred).shape == (3, 2)
    for place in np.ndindex(3, 2):
        assert_allclose(
            mean_absolute_scaled_error(y_true, y_pred, scale)[place],
            np.abs(y_true[place] - y_pred[place]).mean() / np.abs(y_train[place][4:] - y_train[place][:-4]).mean(),
        )


@pytest.mark.parametrize(
    "y_train",
    [
        np.full(20, 7.0),
        np.zeros(20),
        np.tile([1.0, 5.0, 2.0, 0.0], 5),
        np.tile([0.1, 0.7, 0.3, 0.9], 5) + np.linspace(0, 1e-15, 20),
    ],
    ids=["constant", "zeros", "periodic", "periodic up to rounding"],
)
def test_series_without_a_scale_has_no_scaled_error(y_train):
    scale = seasonal_scale(y_train, 4)
    assert np.isnan(scale)
    assert np.isnan(mean_absolute_scaled_error(np.ones(3), np.zeros(3), scale))


def test_small_changes_are_still_a_scale():
    assert_allclose(seasonal_scale(1e-6 * np.arange(10.0), 1), 1e-6)


@pytest.mark.parametrize("n_rows", [2, 12])
def test_at_most_a_season_of_rows_is_scaled_by_the_naive_forecast(n_rows):
    y_train = np.arange(n_rows) * 2.0
    assert_allclose(seasonal_scale(y_train, 12), 2.0)
    assert_allclose(seasonal_naive(y_train, 12, 3), y_train[-1])


def test_two_zeros_are_no_percentage_error():
    assert symmetric_mean_absolute_percentage_error(np.array([0.0, 2.0]), np.array([0.0, -2.0])) == 100
    assert np.isnan(mean_absolute_percentage_error(np.array([0.0, 2.0]), np.array([0.0, 2.0])))


def test_bounds_belong_to_the_interval():
    y_true = np.array([1.0, 2.0, 3.0, 4.0])
    assert interval_coverage(y_true, np.array([1.0, 0.0, 3.5, 0.0]), np.array([9.0, 2.0, 9.0, 3.9])) == 0.5


def test_coverage_is_nan_where_a_bound_is():
    lower, upper = np.zeros((2, 3)), np.full((2, 3), 9.0)
    upper[1, 2] = np.nan
    assert_allclose(interval_coverage(np.ones((2, 3)), lower, upper), [1.0, np.nan])


@pytest.mark.parametrize("horizon", [1, 4, 5, 11])
def test_last_season_is_repeated(horizon):
    y_train = pd.Series(np.arange(10.0)).to_numpy()
    assert_allclose(seasonal_naive(y_train, 4, horizon), [6.0 + step % 4 for step in range(horizon)])
