"""Learning curves and importances are drawn as the tables hold them."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklrnn import GRURegressor
from sklrnn.datasets import load_air_passengers
from sklrnn.forecasting import GRUForecaster
from sklrnn.inspection import (
    SequenceImportanceDisplay,
    TrainingCurveDisplay,
    sequence_importance,
    training_curves,
)

X = np.random.default_rng(0).normal(size=(60, 5, 2))
Y = X[:, -1, 0] + X[:, -3, 1]
SHORT = {"units": 4, "max_epochs": 4, "random_state": 0}


@pytest.fixture(scope="module")
def model():
    return GRURegressor(early_stopping=True, schedule="one_cycle", **SHORT).fit(X, Y)


def legend_of(ax):
    return [text.get_text() for text in ax.get_legend().texts]


def test_losses_and_learning_rate_are_drawn_by_epoch(model):
    display = TrainingCurveDisplay.from_estimator(model)
    curves = training_curves(model)
    for line, name in zip(display.lines_, ["training_loss", "validation_loss"], strict=True):
        assert_array_equal(line.get_xdata(), [1, 2, 3, 4])
        assert_array_equal(line.get_ydata(), curves[name])
    (rate,) = display.rate_ax_.lines
    assert_array_equal(rate.get_ydata(), curves["learning_rate"])
    best = int(np.argmin(model.validation_curve_)) + 1
    assert legend_of(display.ax_) == ["training", "validation", f"best epoch: {best}", "learning rate"]
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("epoch", "loss (squared_error)")
    (mark,) = (line for line in display.ax_.lines if line.get_label().startswith("best"))
    assert mark.get_xydata().tolist() == [[best, model.best_validation_loss_]]


def test_without_validation_there_is_no_best_epoch_to_mark():
    display = TrainingCurveDisplay.from_estimator(GRURegressor(**SHORT).fit(X, Y), learning_rate=False)
    assert display.rate_ax_ is None
    assert legend_of(display.ax_) == ["training"]


def test_networks_of_a_forecaster_are_drawn_together_or_alone():
    forecaster = GRUForecaster(n_networks=2, **SHORT).fit(load_air_passengers(), fh=[1, 2])
    display = TrainingCurveDisplay.from_estimator(forecaster)
    for line, network in zip(display.lines_, forecaster.networks_, strict=True):
        assert_array_equal(line.get_ydata(), network.loss_curve_)
    (alone,) = display.plot(network=1).lines_
    assert_array_equal(alone.get_ydata(), forecaster.networks_[1].loss_curve_)
    with pytest.raises(ValueError, match="network must be one of 0, 1, got 2"):
        display.plot(network=2)


def test_heat_map_shows_the_means_with_the_newest_step_on_the_right(model):
    options = {"n_repeats": 2, "random_state": 0, "steps_per_block": 2}
    result = sequence_importance(model, X, Y, scoring="neg_mean_squared_error", **options)
    display = SequenceImportanceDisplay.from_estimator(model, X, Y, scoring="neg_mean_squared_error", **options)
    (image,) = display.ax_.collections
    assert_allclose(image.get_array(), result.importances_mean.T)
    assert_array_equal(np.unique(image.get_coordinates()[..., 0]), [-0.5, 1.5, 3.5, 4.5])  # edges of the blocks
    assert display.ax_.xaxis_inverted()
    low, high = image.get_clim()
    assert low == -high
    assert display.figure_.axes[-1].get_ylabel() == "decrease of the score (neg_mean_squared_error)"


def test_lines_have_a_band_of_one_standard_deviation(model):
    display = SequenceImportanceDisplay.from_estimator(model, X, Y, n_repeats=3, random_state=0, kind="lines")
    for number, line in enumerate(display.lines_):
        mean, spread = display.importances_mean[number], display.importances_std[number]
        assert_allclose(line.get_ydata(), mean)
        assert_array_equal(line.get_xdata(), [4, 3, 2, 1, 0])
        corners = display.ax_.collections[number].get_paths()[0].vertices[:, 1]
        assert_allclose([corners.min(), corners.max()], [(mean - spread).min(), (mean + spread).max()])
    (only,) = display.plot(kind="lines", features=[1]).lines_
    assert only.get_label() == "feature 1"


@pytest.mark.parametrize("display", [TrainingCurveDisplay, SequenceImportanceDisplay])
def test_displays_stand_side_by_side(display, model):
    figure, axes = plt.subplots(1, 2)
    data = () if display is TrainingCurveDisplay else (X, Y)
    drawn = display.from_estimator(model, *data, ax=axes[1])
    assert drawn.ax_ is axes[1]
    assert drawn.figure_ is figure
    assert not axes[0].has_data()
    assert drawn.plot(axes[0]) is drawn
    assert axes[0].has_data()


def test_what_is_not_there_is_named(model):
    display = SequenceImportanceDisplay.from_estimator(model, X, Y, n_repeats=1)
    with pytest.raises(ValueError, match="kind must be one of 'heatmap', 'lines', got 'bars'"):
        display.plot(kind="bars")
    with pytest.raises(ValueError, match="features must be one of 0, 1, got 'temp'"):
        display.plot(features=["temp"])
    with pytest.raises(ValueError, match="network must be one of 0, got 1"):
        TrainingCurveDisplay.from_estimator(model, network=1)
