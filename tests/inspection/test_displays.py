"""Displays draw the tables that they hold, where they are told to, and say what is drawn."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline

from sklrnn import CNNLSTMRegressor, LSTMRegressor, SequenceScaler
from sklrnn.inspection import (
    FilterDisplay,
    GateDisplay,
    GradientFlowDisplay,
    StateDisplay,
    cell_states,
    filter_responses,
    filters,
    gates,
    gradient_flow,
)

X = np.random.default_rng(0).normal(size=(40, 9, 1))
Y = X.sum(axis=(1, 2))
SHORT = {"units": 8, "max_epochs": 2, "random_state": 0}


@pytest.fixture(scope="module")
def model():
    return CNNLSTMRegressor(filters=7, bidirectional=True, pool_size=1, **SHORT).fit(X, Y)


DISPLAYS = (GateDisplay, StateDisplay, GradientFlowDisplay, FilterDisplay)


@pytest.mark.parametrize("display", DISPLAYS)
def test_display_draws_into_axes_side_by_side(display, model):
    figure, axes = plt.subplots(1, 2)
    drawn = display.from_estimator(model, X[:2], ax=axes[1])
    assert drawn.ax_ is axes[1]
    assert drawn.figure_ is figure
    assert not axes[0].has_data()
    assert drawn.plot(axes[0]) is drawn
    assert axes[0].has_data()
    assert drawn.ax_ is axes[0]


@pytest.mark.parametrize("display", DISPLAYS)
def test_axes_are_labelled(display, model):
    ax = display.from_estimator(model, X[:2]).ax_
    assert ax.get_xlabel()
    assert ax.get_ylabel()


@pytest.mark.parametrize("display", DISPLAYS)
def test_display_of_a_pipeline_is_that_of_its_last_step(display):
    pipeline = make_pipeline(SequenceScaler(), CNNLSTMRegressor(filters=3, **SHORT)).fit(X, Y)
    drawn = display.from_estimator(pipeline, X[:2])
    alone = display.from_estimator(pipeline[-1], pipeline[:-1].transform(X[:2]))
    for line, other in zip(drawn.ax_.lines, alone.ax_.lines, strict=True):
        assert_allclose(line.get_ydata(), other.get_ydata())


def test_lines_of_gates_are_means_over_units(model):
    display = GateDisplay.from_estimator(model, X[:2], sample=1, direction="backward")
    table = gates(model, X[:2]).loc[1][1]["backward"]
    for line in display.lines_:
        assert_allclose(line.get_ydata(), table[line.get_label()].mean(axis=1))
    assert display.ax_.get_title() == "Gates of sample 1, backward"


@pytest.mark.parametrize(
    ("gate", "label", "limits"),
    [("forget", "forget gate: 0 shut, 1 open", (0, 1)), ("candidate", "candidate: value", (-1, 1))],
)
def test_heat_map_shows_a_gate_unit_by_unit(gate, label, limits, model):
    display = GateDisplay(gates=gates(model, X[:1])).plot(gate=gate)
    (image,) = display.ax_.collections
    assert_allclose(image.get_array(), display.gates.loc[0][1]["forward"][gate].T)
    assert image.get_clim() == limits
    assert display.figure_.axes[-1].get_ylabel() == label


def test_trajectories_are_those_of_the_chosen_units(model):
    display = StateDisplay.from_estimator(model, X[:2], state="cell", units=[5, 1])
    table = cell_states(model, X[:2]).loc[0][1]["forward"]["cell"]
    assert_allclose([line.get_ydata() for line in display.lines_], table[[5, 1]].T)
    assert len(display.plot().lines_) == 6


def test_components_are_those_of_pca(model):
    display = StateDisplay.from_estimator(model, X[:4], kind="components")
    states = display.states[1]["forward"]["hidden"]
    pca = PCA(2).fit(states)
    expected = np.abs(pca.transform(states).reshape(4, 9, 2))  # the signs are a matter of convention
    assert_allclose(np.abs([line.get_xydata() for line in display.lines_]), expected, atol=1e-9)
    assert f"({pca.explained_variance_ratio_[0]:.0%} of variance)" in display.ax_.get_xlabel()
    assert len(display.plot(kind="components", sample=2).lines_) == 1


def test_gradients_of_several_networks_share_axes(model):
    other = LSTMRegressor(**SHORT).fit(X, Y)
    first = GradientFlowDisplay.from_estimator(model, X[:5], Y[:5], with_respect_to="input")
    second = GradientFlowDisplay.from_estimator(other, X[:5], ax=first.ax_, name="plain")
    assert_allclose(second.line_.get_ydata(), gradient_flow(other, X[:5]).median(axis=1))
    assert [text.get_text() for text in first.ax_.get_legend().texts] == ["CNNLSTMRegressor", "plain"]
    assert first.line_.get_color() != second.line_.get_color()
    assert first.ax_.get_yscale() == "log"


def test_heat_map_shows_learned_or_initial_filters(model):
    for weights in ("learned", "initial"):
        (image,) = FilterDisplay.from_estimator(model, weights=weights).ax_.collections
        assert_allclose(image.get_array(), filters(model, weights=weights))
        low, high = image.get_clim()
        assert low == -high


def test_responses_are_drawn_below_the_series(model):
    display = FilterDisplay.from_estimator(model, X[:2], kind="responses", filters=[6, 2], sample=1)
    lines = display.ax_.lines
    levels = display.ax_.get_yticks()
    responses = filter_responses(model, X[:2]).loc[1]
    assert_allclose(lines[1].get_ydata() - levels[1], responses[6])
    assert_allclose(lines[2].get_ydata() - levels[2], responses[2])
    standard = model.module_.standardise
    assert_allclose(lines[0].get_ydata(), (X[1, :, 0] - standard.mean.item()) / standard.spread.item())


@pytest.mark.parametrize(
    ("display", "options", "message"),
    [
        (GateDisplay, {"gate": "reset"}, "gate must be one of 'input', 'forget', 'candidate', 'output', got 'reset'"),
        (GateDisplay, {"layer": 2}, "layer must be one of 1, got 2"),
        (GateDisplay, {"sample": 9}, "sample must be one of 0, 1, got 9"),
        (StateDisplay, {"state": "Cell"}, "state must be one of 'hidden', 'cell', got 'Cell'"),
        (StateDisplay, {"units": [8]}, "units must be one of 0, 1, 2, 3, 4, 5, 6, 7, got 8"),
        (StateDisplay, {"kind": "pca"}, "kind must be one of 'units', 'components', got 'pca'"),
        (FilterDisplay, {"filters": [7]}, "filters must be one of 0, 1, 2, 3, 4, 5, 6, got 7"),
    ],
)
def test_what_is_not_there_is_named(display, options, message, model):
    with pytest.raises(ValueError, match=message):
        display.from_estimator(model, X[:2], **options)


def test_responses_need_a_series(model):
    with pytest.raises(ValueError, match='kind="responses" needs a series. Pass X'):
        FilterDisplay.from_estimator(model, kind="responses")
