"""What the head reads of the hidden states, against its definition."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from sklrnn.nn.network import NetworkArchitecture
from sklrnn.nn.readout import make_readout

LENGTHS = [7, 3, 1, 5]
every_pooling = pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])


def states_of(n_steps=7, n_samples=4, n_units=3):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(n_steps, n_samples, n_units, generator=generator, dtype=torch.float64)


def readout(pooling):
    made = make_readout(pooling, 3).double()
    with torch.no_grad():
        for weight in made.parameters():
            weight.copy_(torch.tensor([2.0, -1.0, 0.5]))
    return made


def by_definition(pooling, steps):
    """From the states (time, unit) of one sequence."""
    scores = np.exp(steps @ [2.0, -1.0, 0.5])
    return {
        "last": steps[-1],
        "mean": steps.mean(axis=0),
        "max": steps.max(axis=0),
        "attention": scores @ steps / scores.sum(),
    }[pooling]


@every_pooling
def test_readout_is_its_definition(pooling):
    states = states_of()
    found = readout(pooling)(states, states[-1]).detach()
    assert_allclose(found, [by_definition(pooling, states[:, row].numpy()) for row in range(4)], rtol=1e-12)


@every_pooling
def test_padding_never_counts(pooling):
    states, lengths = states_of(), torch.tensor(LENGTHS)
    final = torch.stack([states[length - 1, row] for row, length in enumerate(LENGTHS)])
    for row, length in enumerate(LENGTHS):
        states[length:, row] = np.inf
    found = readout(pooling)(states, final, lengths).detach()
    expected = [by_definition(pooling, states[:length, row].numpy()) for row, length in enumerate(LENGTHS)]
    assert_allclose(found, expected, rtol=1e-12)


@every_pooling
def test_steps_one_by_one_give_the_same(pooling):
    made, states, so_far = readout(pooling), 30 * states_of(), None
    for n_steps in range(1, 8):
        so_far = made.extend(so_far, states[n_steps - 1 : n_steps])
        expected = made(states[:n_steps], states[n_steps - 1]).detach()
        assert_allclose(made.read(so_far).detach(), expected, rtol=1e-12)


def test_untrained_attention_reads_the_mean():
    states = states_of()
    assert_allclose(make_readout("attention", 3).double()(states, states[-1]).detach(), states.mean(dim=0), rtol=1e-12)


@every_pooling
@pytest.mark.parametrize(
    "options", [{}, {"bidirectional": True}, {"units": (4, 5)}, {"filters": (2, 3), "pool_size": 2}]
)
def test_network_applies_its_head_to_the_readout_of_the_last_layer(pooling, options):
    plain = {"n_features": 2, "n_outputs": 2, "cell": "lstm", "units": (5,)} | options
    network = NetworkArchitecture(**plain, pooling=pooling).build(seed=1).eval()
    x = torch.randn(3, 8, 2, generator=torch.Generator().manual_seed(2))
    states, read, _ = network.encode(x)
    expected = {"mean": states.mean(dim=0), "max": states.amax(dim=0), "attention": states.mean(dim=0)}
    if pooling != "last":
        torch.testing.assert_close(read, expected[pooling])
    torch.testing.assert_close(network(x), network.head(read))
