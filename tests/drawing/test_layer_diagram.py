"""The layer diagram says what a network is: its counts and shapes are those of the module and of a run."""

import re
from xml.etree import ElementTree

import pytest
import torch

from sklrnn.drawing.layer_diagram import layer_diagram, sources
from sklrnn.nn.architecture import count_parameters
from sklrnn.nn.cells import CELLS
from sklrnn.nn.network import NetworkArchitecture
from sklrnn.nn.summary import as_text

SVG = "{http://www.w3.org/2000/svg}"
OPTIONS = [
    {},
    {"units": (5, 5), "residual": True},
    {"units": (5, 4), "bidirectional": True},
    {"filters": (2, 3), "pool_size": 2, "batch_norm": True},
    {"filters": (2,), "convolution_skip": True, "pooling": "max", "n_direct_steps": 2},
    {"pooling": "attention", "return_sequences": False},
    {"return_sequences": True, "flag_missing": True},
    {"n_tokens": 6, "embedding_dim": 4},
]


def network(**options):
    plain = {"n_features": 3, "n_outputs": 2, "cell": "gru", "units": (5,)}
    return NetworkArchitecture(**plain | options).build(seed=0)


def texts(layers):
    """All texts of the diagram."""
    picture = layer_diagram(layers).svg(title="A network", description="", standalone=True)
    return ["".join(text.itertext()) for text in ElementTree.fromstring(picture).iter(f"{SVG}text")]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("options", OPTIONS)
def test_counts_are_those_of_the_module(cell, options):
    of = network(cell=cell, **options)
    found = texts(of.layers())
    counts = [int(text.split()[0].replace(",", "")) for text in found if re.fullmatch(r"[\d,]+ parameters?", text)]
    assert sum(counts) == count_parameters(of)
    assert f"{count_parameters(of):,} trainable parameters" in found
    by_layer = [count_parameters(layer.module) if layer.module else 0 for layer in of.layers()]
    assert counts == by_layer


@pytest.mark.parametrize("options", OPTIONS)
def test_shapes_are_those_of_a_run(options):
    of, seen = network(**options), {}
    for layer in of.layers():
        if layer.module is not None:
            layer.module.register_forward_hook(
                lambda module, _, output, name=layer.name: seen.update({name: output}),
            )
    x = torch.zeros(4, 6, 1, dtype=torch.int64) if "n_tokens" in options else torch.zeros(4, 6, 3)
    of.eval()(x)
    found = texts(of.layers())
    for layer in of.layers():
        assert as_text(layer.shape) in found
        if layer.module is None or layer.name.startswith(("convolution", "batch normalisation")):
            continue
        outputs = seen[layer.name]
        # A recurrent layer gives its states and its final state.
        given = outputs[0 if "time" in str(layer.shape) else 1] if isinstance(outputs, tuple) else outputs
        assert given.ndim == len(layer.shape)
        assert given.shape[-1] == layer.shape[-1]


def test_what_the_head_reads_adds_up_to_its_width():
    of = network(filters=(2, 4), convolution_skip=True, n_direct_steps=2, bidirectional=True, pool_size=2)
    *_, (head, read) = sources(of.layers())
    assert [layer.name for layer in read] == [
        "recurrent 1: GRU, bidirectional",
        "mean over time of the convolutions",
        "the last 2 steps",
    ]
    assert sum(layer.shape[-1] for layer in read) == head.module.in_features


def test_lines_lead_past_layers_that_are_not_read():
    """Boxes that follow each other are joined by an arrow if the lower one reads the upper one."""
    of = network(filters=(2,), convolution_skip=True)
    picture = layer_diagram(of.layers()).svg(title="A network", description="", standalone=True)
    lines = [line.get("points").split() for line in ElementTree.fromstring(picture).iter(f"{SVG}polyline")]
    straight = [points for points in lines if len(points) == 2]
    # X, standardise, convolution, recurrent | mean over time, head
    assert len(straight) == 4
    assert len(lines) == 4 + 2
