"""The layer that scales each window by its own last value and spread, against numpy."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from sklrnn.nn.network import NetworkArchitecture
from sklrnn.nn.window_scale import StandardiseWindow, measure_windows

WINDOWS = 50 + np.random.default_rng(0).normal(size=(6, 8, 3)).cumsum(axis=1)


def scaled(x, lengths=None, **options):
    lengths = None if lengths is None else torch.tensor(lengths)
    return StandardiseWindow(3, **options)(torch.from_numpy(x), lengths).numpy()


def test_a_window_is_measured_from_its_last_value_in_its_own_spread():
    expected = (WINDOWS - WINDOWS[:, -1:]) / WINDOWS.std(axis=1, keepdims=True)
    assert_allclose(scaled(WINDOWS), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("size", [1.0, 1e-170, 1e160])
def test_a_window_of_any_size_and_level_looks_the_same(size):
    layer = StandardiseWindow(3)
    layer.set_typical(np.full(3, size))
    assert_allclose(layer(torch.from_numpy(size * WINDOWS)).numpy(), scaled(WINDOWS), rtol=1e-9, atol=1e-9)


def test_padding_changes_nothing():
    padded = np.concatenate([WINDOWS, np.full((6, 4, 3), 1e6)], axis=1)
    assert_allclose(scaled(padded, [8] * 6)[:, :8], scaled(WINDOWS), rtol=1e-12)


def test_missing_values_are_left_out_and_become_the_mean_of_the_window():
    holes = WINDOWS.copy()
    holes[:, -1, 0] = np.nan
    known = holes[:, :-1, 0]
    values, flags = np.split(scaled(holes, flag_missing=True), 2, axis=2)
    spread = known.std(axis=1, keepdims=True)
    assert_allclose(values[:, :-1, 0], (known - known[:, -1:]) / spread, rtol=1e-9, atol=1e-12)
    assert_allclose(values[:, -1:, 0], (known.mean(axis=1, keepdims=True) - known[:, -1:]) / spread, rtol=1e-9)
    assert_array_equal(flags[0], np.isnan(holes[0]))


def test_a_window_without_any_value_has_the_level_and_the_spread_of_training():
    layer = StandardiseWindow(1, flag_missing=True)
    layer.set_statistics(np.array([7.0]), np.array([3.0]))
    layer.set_typical(np.array([2.0]))
    level, _, spread = layer.measure(torch.full((1, 4, 1), torch.nan, dtype=torch.float64))
    assert (level.item(), spread.item()) == (7.0, 2.0)
    assert_array_equal(layer(torch.full((1, 4, 1), torch.nan))[..., 0].numpy(), np.zeros((1, 4)))


def test_a_constant_window_is_not_blown_up():
    layer = StandardiseWindow(1)
    layer.set_typical(np.array([10.0]))
    nearly = torch.tensor([5.0, 5.0, 5.001]).reshape(1, 3, 1)
    assert layer.measure(nearly)[2].item() == pytest.approx(0.2)
    assert float(measure_windows(torch.full((1, 50, 1), 0.1))[2]) == 0.0


def test_a_feature_that_is_constant_in_every_window_keeps_the_statistics_of_training():
    layer = StandardiseWindow(1)
    layer.set_statistics(np.array([4.0]), np.array([2.0]))
    layer.set_typical(np.zeros(1))
    assert_array_equal(layer(torch.full((1, 3, 1), 10.0)).numpy().ravel(), [3.0, 3.0, 3.0])


@pytest.mark.skipif(torch.__version__.startswith("2.4."), reason="torch 2.4 exports no recurrent layers")
@pytest.mark.filterwarnings("ignore:The tensor attributes:UserWarning")
def test_the_scale_is_part_of_an_exported_network():
    network = NetworkArchitecture(3, 1, "gru", (4,), normalize_X="window").build(seed=0).eval()
    x = torch.from_numpy(WINDOWS).float()
    exported = torch.export.export(network, (x,)).module()
    with torch.no_grad():
        torch.testing.assert_close(exported(1000 * x + 5000), network(x), rtol=1e-3, atol=1e-3)
