import numpy as np
import pytest
import torch

from sklrnn.inputs.samples import Samples
from sklrnn.training.batches import Batches
from sklrnn.training.block_batches import BlockBatches

N = 103
X = np.arange(float(N)).reshape(N, 1, 1)
Y = np.arange(N, dtype=np.float32)[:, np.newaxis]
WEIGHTS = np.ones(N, dtype=np.float32)


def make_batches(sizes=(40, 3, 60), *, n_samples=N, buffer_size=32, batch_size=8, seed=0, asked=None):
    def read(rng):
        if asked is not None:
            asked.append(rng)
        start = 0
        for size in sizes:
            rows = slice(start, start + size)
            yield X[rows], Y[rows], WEIGHTS[rows]
            start += size

    options = {"batch_size": batch_size, "buffer_size": buffer_size, "device": torch.device("cpu"), "seed": seed}
    return BlockBatches(read, n_samples=n_samples, identity="", **options)


def epoch_of(batches, epoch=0):
    batches.set_epoch(epoch)
    return [batch[0]["x"].flatten().int().tolist() for batch in batches]


@pytest.mark.parametrize("seed", [0, None])
@pytest.mark.parametrize("buffer_size", [1, 16, 1000])
@pytest.mark.parametrize("sizes", [(103,), (40, 3, 60), (1,) * 103])
def test_an_epoch_has_every_sample_once(seed, buffer_size, sizes):
    batches = make_batches(sizes, buffer_size=buffer_size, seed=seed)
    found = epoch_of(batches)
    assert len(found) == len(batches) == 13
    assert sorted(map(len, found)) == [7, *[8] * 12]
    assert sorted(np.concatenate(found)) == list(range(N))


def test_inputs_targets_and_weights_stay_together():
    for x, y in make_batches():
        assert torch.equal(x["x"].flatten(), y.flatten().double())
        assert len(x["weight"]) == len(y)


def test_a_buffer_that_holds_all_samples_gives_the_epochs_of_an_array():
    in_memory = Batches(Samples(X, Y), batch_size=8, device=torch.device("cpu"), seed=5)
    batches = make_batches(buffer_size=N, seed=5)
    for epoch in range(2):
        assert epoch_of(batches, epoch) == epoch_of(in_memory, epoch)


def test_epochs_are_shuffled_anew_and_repeatable():
    batches = make_batches()
    first = epoch_of(batches, 0)
    assert first != epoch_of(batches, 1)
    assert first == epoch_of(batches, 0)
    assert first != epoch_of(make_batches(seed=1), 0)


def test_samples_are_drawn_from_the_whole_buffer():
    first = epoch_of(make_batches(buffer_size=64))[0]
    assert max(first) >= 32
    assert max(first) < 64  # what the buffer did not hold yet can't be in it


def test_without_a_seed_the_order_stays():
    assert np.concatenate(epoch_of(make_batches(seed=None))).tolist() == list(range(N))


def test_blocks_are_shuffled_only_where_the_buffer_does_not_hold_all():
    asked = []
    epoch_of(make_batches(buffer_size=32, asked=asked))
    epoch_of(make_batches(buffer_size=200, asked=asked))
    epoch_of(make_batches(seed=None, asked=asked))
    assert [rng is None for rng in asked] == [False, True, True]


@pytest.mark.parametrize("n_samples", [90, 120])
def test_a_source_that_gives_other_samples_than_before_is_an_error(n_samples):
    with pytest.raises(ValueError, match=f"gave 103 training samples in epoch 1, and {n_samples} when it was"):
        epoch_of(make_batches(n_samples=n_samples))
