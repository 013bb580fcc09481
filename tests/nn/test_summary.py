"""The table of a network's layers against the network itself."""

import pytest
import torch
from torch import nn

from sklrnn.generation.network import LanguageArchitecture
from sklrnn.nn.architecture import count_parameters
from sklrnn.nn.cells import CELLS
from sklrnn.nn.network import NetworkArchitecture
from sklrnn.nn.summary import NetworkSummary
from sklrnn.translation.network import TranslationArchitecture

OPTIONS = [
    {},
    {"units": (5, 5), "residual": True},
    {"units": (5, 10), "bidirectional": True, "residual": True},
    {"filters": (2, 3), "pool_size": 2},
    {"filters": (2, 3), "pool_size": (2, 3), "batch_norm": True, "convolution_skip": True, "pooling": "max"},
    {"pooling": "mean", "bidirectional": True},
    {"pooling": "attention"},
    {"flag_missing": True, "return_sequences": True},
    {"n_tokens": 6, "embedding_dim": 4},
    {"n_direct_steps": 2},
    {"normalize_X": "window"},
]
CELL_OPTIONS = [
    *({"cell": cell} for cell in CELLS),
    {"cell": "gru", "cell_options": {"reset_after": False}},
    {"cell": "lstm", "cell_options": {"peephole": True}},
    {"cell": nn.GRU},
]
WITHOUT_RECURRENCE = {"cell": None, "units": (), "filters": (2, 3)}


def network(**options):
    return NetworkArchitecture(**{"n_features": 3, "n_outputs": 2, "cell": "gru", "units": (5,)} | options).build(
        seed=0
    )


def translation_network(**options):
    plain = {"n_features": 3, "n_outputs": 7, "cell": "gru", "units": (5, 5), "embedding_dim": 4}
    return TranslationArchitecture(**plain | options).build(seed=0)


def language_network(**options):
    plain = {"n_features": 3, "n_outputs": 7, "cell": "gru", "units": (5, 4)}
    return LanguageArchitecture(**plain | options).build(seed=0)


def summary(of):
    return NetworkSummary(of.layers(), title="A network")


def words(of):
    """The text with single spaces."""
    return " ".join(str(summary(of)).split())


def parts(of):
    """The numbers of parameters of all weights, as printed."""
    rows = [line.split() for line in str(summary(of)).splitlines() if line.startswith("  ")]
    return [int(row[-1]) for row in rows if row[-1] != "trained"]


def every_network():
    for cell in CELL_OPTIONS:
        for options in OPTIONS:
            yield network(**cell, **options)
    for pooling in ("last", "attention"):
        yield network(**WITHOUT_RECURRENCE, pooling=pooling)
    for options in ({}, {"attention": True, "bidirectional": True}, {"n_tokens": 6}, {"n_values": 2, "n_outputs": 3}):
        yield translation_network(**options)
    for options in ({}, {"n_context": 2}):
        yield language_network(**options)


def test_parts_and_total_are_the_trainable_parameters():
    for of in every_network():
        total = count_parameters(of)
        assert sum(parts(of)) == summary(of).n_parameters == total
        assert f"Trainable parameters: {total}\n" in str(summary(of))


def test_all_other_values_are_said_not_to_be_trained():
    for of in every_network():
        stored = sum(value.numel() for value in of.state_dict().values())
        assert f"Values that are not trained: {stored - count_parameters(of)}" in str(summary(of))


def output_shapes(of, *inputs):
    """What the layers with weights give when the network runs."""
    seen, hooks = {}, []
    for layer in of.layers():
        if layer.module is None:
            continue

        def record(module, inputs, outputs, layer=layer):
            seen[layer.name] = (outputs[0] if isinstance(outputs, tuple) else outputs).shape

        hooks.append(layer.module.register_forward_hook(record))
    of.eval()(*inputs)
    for hook in hooks:
        hook.remove()
    return seen


@pytest.mark.parametrize("options", [*OPTIONS, WITHOUT_RECURRENCE])
def test_widths_of_layers_are_those_of_a_run(options):
    of = network(**options)
    x = torch.zeros(4, 6, 1, dtype=torch.int64) if "n_tokens" in options else torch.zeros(4, 6, 3)
    seen = output_shapes(of, x)
    for layer in of.layers():
        if layer.name.startswith(("convolution", "batch normalisation")):
            assert seen[layer.name][1] == layer.shape[-1]
        elif layer.module is not None:
            assert seen[layer.name][-1] == layer.shape[-1]


def test_widths_of_a_translator_are_those_of_a_run():
    of = translation_network(attention=True, bidirectional=True, n_tokens=6)
    codes = torch.zeros(4, 6, dtype=torch.int64)
    seen = output_shapes(of, codes.unsqueeze(2), codes, torch.full((4,), 6))
    assert {name: shape[-1] for name, shape in seen.items()} == {layer.name: layer.shape[-1] for layer in of.layers()}


def test_widths_of_a_language_model_are_those_of_a_run():
    of = language_network(n_context=2)
    seen = output_shapes(of, torch.zeros(6, 4, dtype=torch.int64), None, torch.zeros(4, 2))
    assert {name: shape[-1] for name, shape in seen.items()} == {layer.name: layer.shape[-1] for layer in of.layers()}


def test_every_weight_of_a_deep_lstm_has_a_row():
    found = parts(network(cell="lstm", n_features=117, units=(512, 256), n_outputs=30))
    assert found == [239616, 1048576, 2048, 524288, 262144, 1024, 7680, 30]


def test_shapes_name_their_axes():
    text = words(network(units=(5, 4), filters=(2,), pool_size=3))
    assert "standardise (sample, time, 3)" in text
    assert "max pooling (sample, time / 3, 2)" in text
    assert "recurrent 1: GRU (sample, time / 3, 5)" in text
    assert "recurrent 2: GRU (sample, 4)" in text


def test_sizes_begin_with_the_number_of_gates():
    text = words(network(cell="lstm", cell_options={"peephole": True}, bidirectional=True))
    assert "input weights of 4 gates, backward 4 x 5 x 3 60" in text
    assert "peephole weights, backward 3 x 5 15" in text


def test_html_has_the_same_cells():
    shown = summary(network(cell=nn.GRU))
    cells = shown._repr_html_().replace("</td>", " ").replace("</th>", " ")
    for line in str(shown).splitlines():
        for cell in line.split("  "):
            assert cell.strip("- ") in cells
