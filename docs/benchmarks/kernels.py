"""A training step of one layer (forward, backward, fused Adam) through the kernels, against torch's own layers.

``python docs/benchmarks/kernels.py [threads [seconds a point]]``. Both sides hold the same weights and read the same
batch, in turn; a time is the least of all turns, so that what else the machine does counts little. With one thread it
is the time of the processor, with more the time on the clock; on a machine that has other work to do as well, set
``OMP_WAIT_POLICY=PASSIVE`` then, or torch's threads wait for each other at work. Ratios above 1 are in favour of the
kernels.
"""

import platform
import statistics
import sys
import time
from itertools import product

import torch
from torch import nn

from sklrnn.nn.cells import GRU, LSTM, SimpleRNN

LAYERS = {"GRU": (GRU, nn.GRU), "LSTM": (LSTM, nn.LSTM), "SimpleRNN": (SimpleRNN, nn.RNN)}
BATCHES, STEPS, UNITS = (32, 128, 256), (24, 72, 168), (16, 32, 64, 128)
N_FEATURES = 8
FEWEST_TURNS = 3


def training_step(layer, x):
    weights = [weight for weight in layer.parameters() if weight.requires_grad]
    optimizer = torch.optim.Adam(weights, fused=True)

    def step():
        optimizer.zero_grad()
        states, _ = layer(x)
        states[-1].sum().backward()
        optimizer.step()

    return step


def least_seconds(works, clock, seconds):
    """The least time of each, in turns for so many seconds."""
    best = [float("inf")] * len(works)
    for work in works:  # once for what is made or compiled in a first call
        work()
    turns, end = 0, time.perf_counter() + seconds
    while turns < FEWEST_TURNS or time.perf_counter() < end:
        for i, work in enumerate(works):
            start = clock()
            work()
            best[i] = min(best[i], clock() - start)
        turns += 1
    return best


def compare(name, batch, steps, n_features, units, clock, seconds):
    """Seconds of a step through the kernels and through torch."""
    ours, theirs = LAYERS[name]
    layer, reference = ours(n_features, units), theirs(n_features, units)
    layer.initialise(torch.Generator().manual_seed(0))
    reference.load_state_dict(layer.state_dict())
    for mine, other in zip(layer.parameters(), reference.parameters(), strict=True):
        other.requires_grad_(mine.requires_grad)
    x = torch.randn(batch, steps, n_features, generator=torch.Generator().manual_seed(1)).transpose(0, 1)
    return least_seconds([training_step(layer, x), training_step(reference, x)], clock, seconds)


def main(n_threads=1, seconds=1.0):
    torch.set_num_threads(n_threads)
    clock = time.thread_time if n_threads == 1 else time.perf_counter
    print(f"{platform.processor() or platform.machine()}, torch {torch.__version__}, {n_threads} thread(s)\n")
    for name in LAYERS:
        mine, other = compare(name, 32, 33, 1, 32, clock, seconds)
        print(
            f"{name}, batch 32, 33 steps, 1 feature, 32 units: {other / mine:.2f} ({1e3 * mine:.2f} ms)\n", flush=True
        )
        print(f"| batch x steps | {' | '.join(f'{units} units' for units in UNITS)} |\n|---|" + "--:|" * len(UNITS))
        ratios = []
        for batch, steps in product(BATCHES, STEPS):
            row = [compare(name, batch, steps, N_FEATURES, units, clock, seconds) for units in UNITS]
            ratios += (row := [other / mine for mine, other in row])
            print(f"| {batch} x {steps} | {' | '.join(f'{ratio:.2f}' for ratio in row)} |", flush=True)
        print(f"\nleast {min(ratios):.2f}, median {statistics.median(ratios):.2f}\n", flush=True)


if __name__ == "__main__":
    main(*(kind(given) for kind, given in zip((int, float), sys.argv[1:], strict=False)))
