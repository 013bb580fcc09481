"""The unrolled network has its inputs, cells and outputs at every step, and where they belong."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest
from torch import nn

from sklrnn.drawing.svg import shortened
from sklrnn.drawing.unrolled import unrolled_picture
from sklrnn.generation.network import LanguageArchitecture
from sklrnn.nn.cells import CELLS, StepwiseCell
from sklrnn.nn.network import NetworkArchitecture
from sklrnn.nn.summary import Input, Layer
from sklrnn.translation.network import TranslationArchitecture

SVG = "{http://www.w3.org/2000/svg}"
N_COLUMNS = 4
HEAD = Layer("head", ("sample", 2))


def network(**options):
    plain = {"n_features": 3, "n_outputs": 2, "cell": "gru", "units": (5,)}
    return NetworkArchitecture(**plain | options).build(seed=0)


def picture(of):
    return ElementTree.fromstring(unrolled_picture(of.layers()).svg(title="", description="", standalone=True))


def texts_of(layers):
    root = ElementTree.fromstring(unrolled_picture(layers).svg(title="", description="", standalone=True))
    return ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]


def texts(of):
    return texts_of(of.layers())


@pytest.mark.parametrize("cell", [*CELLS, nn.LSTM])
def test_every_step_has_an_input_and_a_cell_in_each_layer(cell):
    of = network(cell=cell, units=(5, 4))
    found = texts(of)
    assert [text for text in found if text.startswith("x")] == ["x1", "x2", "x3", "xT"]
    name = type(of.recurrent[0].forwards).__name__
    assert found.count(name) == 2 * N_COLUMNS
    assert found.count("head") == found.count("ŷ") == 1


@pytest.mark.parametrize(
    ("cell", "state"),
    [("simple_rnn", "h"), ("gru", "h"), ("lstm", "(h, c)"), ("slstm", "(h, c, n, m)"), (nn.LSTM, "(h, c)")],
)
def test_states_are_passed_on_by_name(cell, state):
    assert {f"{state}{step}" for step in "0123"} <= {*texts(network(cell=cell))}


class Pair(StepwiseCell):
    gates = ("candidate",)
    n_states = 2


def test_states_of_a_users_cell_have_no_invented_names():
    layer = next(layer for layer in network().layers() if layer.name.startswith("recurrent"))
    layer.module.forwards = Pair(3, 5)
    assert "(h, …)1" in texts_of([replace(layer, reads=(Input("X", ("sample", "time", 3)),)), HEAD])


def test_without_recurrent_layers_the_head_reads_the_last_step():
    layers = [layer for layer in network(filters=(3,)).layers() if not layer.name.startswith("recurrent")]
    found = texts_of([*layers[:-1], HEAD])
    assert found.count("head") == 1
    assert "convolution 1, filters of 3 steps: (sample, time, 3)" in found


def test_two_directions_have_two_cells_for_each_step():
    found = texts(network(bidirectional=True, return_sequences=True))
    assert found.count("GRU") == 2 * N_COLUMNS
    assert found.count("h1") == 1  # passed on to the right
    assert found.count("h2") == found.count("h3") == 2  # and from the right
    assert found.count("hT") == 1


def test_with_outputs_at_every_step_every_step_has_a_head():
    found = texts(network(return_sequences=True))
    assert found.count("head") == N_COLUMNS + 1  # and the name of the row
    assert [text for text in found if text.startswith("ŷ")] == ["ŷ1", "ŷ2", "ŷ3", "ŷT"]


def test_sums_of_residual_layers_are_drawn():
    assert texts(network(units=(5, 5, 5), residual=True, return_sequences=True)).count("+") == 2 * N_COLUMNS
    assert texts(network(units=(5, 5), residual=True)).count("+") == 1


@pytest.mark.parametrize(("kernel_size", "n_askew"), [(1, 0), (2, 1 + 1 + 1), (3, 1 + 2 + 1)])
def test_a_convolution_reads_the_steps_before_too(kernel_size, n_askew):
    of = network(filters=(2,), kernel_size=kernel_size)
    lines = [line.get("points").split() for line in picture(of).iter(f"{SVG}polyline")]
    corners = [[tuple(map(float, point.split(","))) for point in line] for line in lines]
    askew = [line for line in corners if line[0][0] != line[1][0] and line[0][1] != line[1][1]]
    assert len(askew) == n_askew


@pytest.mark.parametrize(
    ("options", "bar"),
    [
        ({"filters": (2,), "pool_size": 3}, "max pooling: (sample, time / 3, 2)"),
        ({"filters": (2,)}, "convolution 1, filters of 3 steps: (sample, time, 2)"),
        ({"filters": (2,), "batch_norm": True}, "batch normalisation 1: (sample, time, 2)"),
        ({"n_tokens": 6, "embedding_dim": 4}, "embedding: (sample, time, 4)"),
        ({"pooling": "mean"}, "mean over time: (sample, 5)"),
        ({"pooling": "attention"}, "attention: (sample, 5)"),
        ({"normalize_X": "window"}, "standardise: (sample, time, 3)"),
    ],
)
def test_layers_around_the_cells_are_bars(options, bar):
    assert bar in texts(network(**options))


def test_what_passes_by_the_cells_stands_beside_them():
    found = texts(network(filters=(2,), convolution_skip=True, n_direct_steps=2))
    assert {"mean over time of", "the convolutions", "the last 2 steps"} <= {*found}


@pytest.mark.parametrize("attention", [False, True])
def test_a_translator_has_columns_for_both_sequences(attention):
    options = {"n_features": 3, "n_outputs": 7, "cell": "gru", "units": (5, 5), "embedding_dim": 4}
    of = TranslationArchitecture(**options, attention=attention).build(seed=0)
    found = texts(of)
    assert found.count("GRU") == 2 * 2 * N_COLUMNS
    assert [text for text in found if text.startswith("y") and "step" not in text] == ["y0", "y1", "y2", "yT'-1"]
    assert [text for text in found if text.startswith("ŷ")] == ["ŷ1", "ŷ2", "ŷ3", "ŷT'"]
    assert ("attention: (sample, time of y, 5)" in found) is attention


def test_a_language_model_says_that_its_outputs_become_inputs():
    of = LanguageArchitecture(n_features=3, n_outputs=7, cell="gru", units=(5,), n_context=2).build(seed=0)
    found = texts(of)
    assert "Generating: the token that is sampled at a step is the input of the next step." in found
    assert {"context", "standardise context"} <= {*found}


def test_boxes_do_not_overlap():
    """Whatever stands beside or on top of each other."""
    of = network(filters=(2, 3), pool_size=2, convolution_skip=True, n_direct_steps=3, units=(5, 4), bidirectional=True)
    boxes = [
        tuple(float(box.get(name)) for name in ("x", "y", "width", "height"))
        for box in picture(of).iter(f"{SVG}rect")
        if box.get("class") != "ground"
    ]
    assert len(boxes) > 20
    for place, (x, y, width, height) in enumerate(boxes):
        for left, top, other_width, other_height in boxes[:place]:
            beside = x + width <= left or left + other_width <= x
            assert beside or y + height <= top or top + other_height <= y


@pytest.mark.parametrize("cell", [*CELLS, nn.GRU])
@pytest.mark.parametrize(
    "options",
    [
        {"units": (5, 5), "residual": True, "bidirectional": True},
        {"filters": (2, 3), "pool_size": (2, 3), "batch_norm": True, "convolution_skip": True, "pooling": "attention"},
        {"n_tokens": 6, "embedding_dim": 4, "pooling": "max", "bidirectional": True},
        {"flag_missing": True, "return_sequences": True, "filters": (2,)},
        {"stateful": True, "n_direct_steps": 1},
    ],
)
def test_every_option_of_every_cell_is_drawn(cell, options):
    of = network(cell=cell, **options)
    found = texts(of)
    n_cells = N_COLUMNS * len(of.recurrent) * (2 if options.get("bidirectional") else 1)
    name = type(of.recurrent[0].forwards).__name__
    assert found.count(name) + found.count(shortened(name, 9)) * (len(name) > 9) == n_cells
    for layer in of.layers():
        assert layer.name in " ".join(found)
