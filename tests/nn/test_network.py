"""Networks against plain torch, step by step."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn

from sklrnn.inputs.samples import feature_statistics
from sklrnn.nn.architecture import count_parameters
from sklrnn.nn.convolution import CausalConvolution
from sklrnn.nn.layers import SequenceDropout
from sklrnn.nn.network import NetworkArchitecture

TORCH = {"simple_rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


def network(cell="gru", n_features=3, n_outputs=2, units=(5,), seed=0, **options):
    return NetworkArchitecture(n_features, n_outputs, cell, units, **options).build(seed=seed).double()


@pytest.fixture
def sequences():
    return torch.randn(4, 7, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.mark.parametrize("cell", TORCH)
def test_a_layer_is_torchs_layer(cell, sequences):
    ours = network(cell)
    theirs = TORCH[cell](3, 5, batch_first=True).double()
    theirs.load_state_dict(ours.recurrent[0].forwards.state_dict())
    states, _ = theirs(sequences)
    assert_allclose(ours(sequences).detach(), ours.head(states[:, -1]).detach(), rtol=1e-12)


@pytest.mark.parametrize("cell", TORCH)
def test_two_directions_read_the_final_state_of_each(cell, sequences):
    ours = network(cell, bidirectional=True)
    layer = ours.recurrent[0]
    x = sequences.transpose(0, 1)
    forwards, _ = layer.forwards(x)
    backwards, _ = layer.backwards(x.flip(0))
    states, final, _ = ours.encode(sequences)
    assert_allclose(final.detach(), torch.cat([forwards[-1], backwards[-1]], -1).detach())
    assert_allclose(states[:, :, 5:].detach(), backwards.flip(0).detach())


def test_every_step_matters_in_both_directions(sequences):
    ours = network("gru", bidirectional=True)
    sequences.requires_grad_()
    ours(sequences).sum().backward()
    assert (sequences.grad.abs().sum(dim=(0, 2)) > 0).all()


@pytest.mark.parametrize("pool_size", [1, 2, 3, 10])
@pytest.mark.parametrize("n_steps", [1, 2, 7])
def test_convolutions_see_the_past_only_and_always_the_newest_step(pool_size, n_steps):
    torch.manual_seed(0)
    layer = CausalConvolution(3, (4, 6), kernel_size=3, pool_size=pool_size)
    for weight in layer.parameters():
        nn.init.uniform_(weight, 0.1, 1.0)
    # Rising, so that the maximum of a block is its newest step.
    x = (torch.rand(n_steps, 2, 3) + 2.0 * torch.arange(n_steps)[:, None, None]).requires_grad_()
    out = layer(x)
    assert out.shape == (-(-n_steps // pool_size), 2, 6)
    out[-1].sum().backward()
    assert x.grad[-1].abs().sum() > 0
    if pool_size == 1 and n_steps > 1:
        x.grad = None
        layer(x)[0].sum().backward()
        assert x.grad[1:].abs().sum() == 0


def test_dropout_uses_one_mask_for_all_steps():
    layer = SequenceDropout(0.5)
    layer.use_generator(torch.Generator().manual_seed(0))
    dropped = layer(torch.ones(6, 10, 4))
    assert (dropped == dropped[0]).all()
    assert set(dropped.unique().tolist()) == {0.0, 2.0}
    layer.eval()
    assert (layer(torch.ones(6, 10, 4)) == 1).all()


def test_recurrent_dropout_uses_one_mask_for_all_steps_and_none_at_predict(sequences):
    dropping, plain = network("simple_rnn", recurrent_dropout=0.5), network("simple_rnn")
    layer = dropping.recurrent[0]
    layer.recurrent_dropout.use_generator(torch.Generator().manual_seed(7))
    x = sequences.transpose(0, 1)
    states = layer(x)[0].detach()
    kept = torch.rand((4, 5), generator=torch.Generator().manual_seed(7)) >= 0.5
    assert 0 < kept.sum() < 20
    cell, h = layer.forwards, torch.zeros(4, 5, dtype=torch.float64)
    for x_t, state in zip(x, states, strict=True):
        h = torch.tanh(x_t @ cell.weight_ih_l0.T + cell.bias_ih_l0 + (h * kept / 0.5) @ cell.weight_hh_l0.T).detach()
        assert_allclose(state, h, rtol=1e-12)
    assert_allclose(dropping.eval()(sequences).detach(), plain(sequences).detach())


@pytest.mark.parametrize("cell", TORCH)
def test_nothing_is_run_step_by_step_at_predict(cell, sequences, monkeypatch):
    ours = network(cell, recurrent_dropout=0.5)
    monkeypatch.setattr(type(ours.recurrent[0].forwards), "unroll", None)
    ours.eval()(sequences)
    with pytest.raises(TypeError):
        ours.train()(sequences)


def test_each_direction_has_a_mask_of_its_own(sequences):
    layer = network("gru", bidirectional=True, recurrent_dropout=0.5).recurrent[0]
    drawn = []
    draw = layer.recurrent_dropout.mask
    layer.recurrent_dropout.mask = lambda *args: drawn.append(draw(*args)) or drawn[-1]
    layer(sequences.transpose(0, 1))
    assert len(drawn) == 2
    assert not torch.equal(*drawn)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_layers_are_residual_where_widths_allow(bidirectional, sequences):
    options = {"units": (3, 3, 3, 4), "bidirectional": bidirectional}
    ours = network("gru", residual=True, **options).eval()
    assert [layer.is_residual for layer in ours.recurrent] == [False, True, True, False]
    del ours.recurrent[3]
    by_hand = network("gru", **options).recurrent
    x = sequences.transpose(0, 1)
    first, final, _ = by_hand[0](x)
    second, final_of_second, _ = by_hand[1](first)
    third, final_of_third, _ = by_hand[2](second + first)
    states, last, _ = ours.encode(sequences)
    assert_allclose(states.detach(), (third + second + first).detach(), rtol=1e-12)
    assert_allclose(last.detach(), (final_of_third + final_of_second + final).detach(), rtol=1e-12)


@pytest.mark.parametrize(("cell", "count"), [("simple_rnn", 513), ("lstm", 4 * (14 * 16 + 16 * 16 + 16) + 17)])
def test_parameters_are_counted_as_in_textbooks(cell, count):
    assert count_parameters(network(cell, 14, 1, (16,))) == count


def test_weights_of_layers_are_counted_as_in_textbooks():
    ours = network("simple_rnn", 234, 15, (1024, 512))
    weights = [weight.numel() for name, weight in ours.named_parameters() if "weight" in name]
    assert weights == [239616, 1048576, 524288, 262144, 7680]
    assert [weight.numel() for weight in ours.penalized_weights()] == weights[:-1]


@pytest.mark.parametrize("cell", TORCH)
def test_recurrent_weights_start_orthogonal_and_the_forget_gate_open(cell):
    started = network(cell, units=(6,)).recurrent[0].forwards
    for block in started.weight_hh_l0.detach().split(6):
        assert_allclose(block @ block.T, np.eye(6), atol=1e-6)
    bias = started.bias_ih_l0.detach()
    expected = np.zeros(len(bias))
    if cell == "lstm":
        expected[6:12] = 1.0
    assert_allclose(bias, expected)


def test_building_leaves_torchs_generator_alone():
    before = torch.get_rng_state()
    network("lstm", filters=(4,), bidirectional=True, units=(3, 3))
    NetworkArchitecture(3, 1, nn.GRU, (4,)).build(seed=1)
    assert torch.equal(before, torch.get_rng_state())


def test_a_cell_of_ones_own_is_seeded_and_may_be_batch_first(sequences):
    def cell(input_size, hidden_size):
        return nn.GRU(input_size, hidden_size, batch_first=True)

    one, same, other = network(cell), network(cell), network(cell, seed=1)
    assert_allclose(one(sequences).detach(), same(sequences).detach())
    assert not np.allclose(one(sequences).detach(), other(sequences).detach())


@pytest.mark.parametrize("weighted", [False, True])
def test_statistics_are_those_of_all_steps(weighted):
    rng = np.random.default_rng(0)
    X = rng.normal(1e6, 3, size=(300, 5, 2))
    X[..., 1] = 7.0
    weights = rng.integers(0, 4, 300).astype(float) if weighted else None
    mean, spread = feature_statistics(X, weights)
    flat = np.repeat(X, weights.astype(int), axis=0) if weighted else X
    assert_allclose(mean, flat.mean(axis=(0, 1)), rtol=1e-12)
    assert_allclose(spread, [flat[..., 0].std(), 1.0], rtol=1e-6)


def test_precision_survives_a_large_offset():
    X = 1e9 + np.random.default_rng(0).normal(size=(50, 4, 1))
    ours = NetworkArchitecture(1, 1, "gru", (4,)).build(seed=0)
    ours.standardise.set_statistics(*feature_statistics(X, None))
    standardised = ours.standardise(torch.from_numpy(X)).numpy()
    assert_allclose(standardised.std(), 1.0, rtol=1e-5)
