"""Batch normalisation and pooling behind convolutions."""

import pytest
import torch
from torch import nn

from sklrnn.nn.convolution import BatchNorm, CausalConvolution


def values(*shape, seed=0):
    return 3.0 + 2.0 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_training_normalises_as_torch_does():
    ours, theirs, x = BatchNorm(4), nn.BatchNorm1d(4), values(5, 4, 7)
    torch.testing.assert_close(ours(x), theirs(x))


def test_padding_is_no_part_of_the_statistics():
    x, lengths = values(3, 4, 7), torch.tensor([7, 2, 5])
    padded = x.clone()
    for row, length in enumerate(lengths.tolist()):
        padded[row, :, length:] = 1e9
    steps = torch.cat([x[row, :, :length] for row, length in enumerate(lengths.tolist())], dim=1)
    expected = nn.BatchNorm1d(4)(steps.unsqueeze(0))[0]
    found = BatchNorm(4)(padded, lengths)
    torch.testing.assert_close(torch.cat([found[row, :, :n] for row, n in enumerate(lengths)], dim=1), expected)


def test_predictions_use_averages_and_no_other_row():
    norm = BatchNorm(4)
    for seed in range(20):
        norm(values(8, 4, 6, seed=seed))
    norm.eval()
    assert norm.mean.sub(3.0).abs().max() < 0.5
    assert norm.variance.sqrt().sub(2.0).abs().max() < 0.5
    x = values(5, 4, 6, seed=99)
    torch.testing.assert_close(norm(x)[2:3], norm(x[2:3]))


def test_the_first_batch_fills_the_averages_alone():
    norm, x = BatchNorm(2), values(6, 2, 5)
    norm(x)
    torch.testing.assert_close(norm.mean, x.mean(dim=(0, 2)))
    torch.testing.assert_close(norm.variance, x.transpose(0, 1).flatten(1).var(dim=1))


def test_a_batch_of_one_value_is_normalised_by_the_averages():
    norm = BatchNorm(2)
    norm(values(6, 2, 5))
    mean = norm.mean.clone()
    assert norm(values(1, 2, 1)).isfinite().all()
    torch.testing.assert_close(norm.mean, mean)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("pool_size", [3, (2, 3)])
def test_a_padded_sequence_is_read_as_it_is_alone(batch_norm, pool_size):
    layer = CausalConvolution(2, (4, 5), kernel_size=3, pool_size=pool_size, batch_norm=batch_norm).eval()
    for convolution in layer.layers:
        nn.init.normal_(convolution.weight, generator=torch.Generator().manual_seed(0))
        if convolution.bias is not None:
            nn.init.zeros_(convolution.bias)
    x, lengths = values(13, 4, 2), torch.tensor([13, 1, 6, 9])
    together, left = layer(x, lengths), layer.lengths_after(lengths)
    for row, length in enumerate(lengths.tolist()):
        alone = layer(x[:length, row : row + 1])
        assert len(alone) == left[row]
        torch.testing.assert_close(together[: len(alone), row], alone[:, 0])
