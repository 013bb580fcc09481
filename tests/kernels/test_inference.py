"""Layers that only predict give the bits of the layers that train."""

import pickle

import pytest
import torch

from sklrnn.kernels import ForwardLayer, SingleStep, run_kernel
from sklrnn.nn.cells import CELLS, PeepholeLSTM, TextbookGRU

CELLS_OF_KINDS = {**CELLS, "textbook_gru": TextbookGRU, "peephole_lstm": PeepholeLSTM}
KINDS = ["simple_rnn", "gru", "lstm", "textbook_gru", "minimal_gru", "peephole_lstm"]


def made(kind, n_features=3, units=21):
    layer = CELLS_OF_KINDS[kind](n_features, units)
    layer.initialise(torch.Generator().manual_seed(0))
    for weight in (layer.bias_ih_l0, *([layer.peephole_l0] if kind == "peephole_lstm" else [])):
        torch.nn.init.uniform_(weight, generator=torch.Generator().manual_seed(1))
    return layer


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n_steps", "n_rows"), [(1, 1), (7, 1), (7, 40)])
def test_a_forward_layer_computes_what_training_computes(kind, n_steps, n_rows):
    layer, x = made(kind), torch.randn(n_steps, n_rows, 3, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        states, final = ForwardLayer.of(layer)(x)
        expected, _ = run_kernel(layer, x)
    assert torch.equal(states, expected)
    assert torch.equal(final, expected[-1])


@pytest.mark.parametrize("kind", KINDS)
def test_single_steps_give_the_states_of_the_sequence(kind):
    layer, x = made(kind), torch.randn(9, 1, 3, generator=torch.Generator().manual_seed(2))
    step, found = SingleStep(layer), []
    for row in x:
        step.x[:] = row[0]
        step.read()
        found.append(torch.tensor(step.state))
        step = pickle.loads(pickle.dumps(step))
    with torch.no_grad():
        expected, _ = run_kernel(layer, x)
    assert torch.equal(torch.stack(found), expected[:, 0])


@pytest.mark.parametrize("kind", ["lstm", "peephole_lstm"])
def test_a_single_step_begins_where_another_one_ended(kind):
    layer = made(kind)
    first, x = SingleStep(layer), torch.tensor([0.3, -1.0, 2.0])
    for _ in range(2):
        first.x[:] = x
        first.read()
    second = SingleStep(layer, first.states)
    for step in (first, second):
        step.x[:] = x
        step.read()
    assert torch.equal(*(torch.tensor(step.state) for step in (first, second)))
    assert all(map(torch.equal, first.states, second.states))


def test_layers_without_a_kernel_are_left_to_torch(monkeypatch):
    assert ForwardLayer.of(made("lstm", units=300)) is None
    assert not SingleStep.can_replace(made("gru", units=120))
    monkeypatch.setenv("SKLRNN_KERNELS", "0")
    assert ForwardLayer.of(made("gru")) is None
    assert not SingleStep.can_replace(made("gru"))
