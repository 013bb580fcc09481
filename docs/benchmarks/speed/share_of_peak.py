"""The share of a core's peak that the kernels reach: multiplications and additions of their matrix products a second.

The peak is a loop of fused multiplications and additions, timed beside each number. Everything else that a kernel does
(activations, packing weights, moving states) counts as time, and not as work. A number is the least time of many runs,
in seconds of the processor, which other work on the machine disturbs less than those on the wall.

``--set x86-64-v3`` compiles and measures the kernels of another instruction set on this processor.
"""

import argparse
import itertools
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from sklrnn.kernels._library import FEATURES_OF

CELLS = ("simple_rnn", "gru", "lstm")
SECONDS = 0.002  # of one measurement; the least of many counts


def seconds_of(function: Callable[[], None], n_calls: int) -> float:
    start = time.thread_time()
    for _ in range(n_calls):
        function()
    return (time.thread_time() - start) / n_calls


def fused_operations() -> tuple[Callable[[], None], int]:
    """A call that only multiplies and adds in registers, and the number of its operations."""
    from numba import cfunc, types

    from sklrnn.kernels._simd import LANES, load, store

    n_turns, values = 10_000, np.zeros(4 * LANES, np.float32)

    def run(address: int) -> None:
        factor, term = load(address, 0), load(address, 1)
        # Ten sums that do not wait for each other: two units of four cycles each need eight.
        a, b, c, d, e = factor + 1.0, factor + 2.0, factor + 3.0, factor + 4.0, factor + 5.0
        f, g, h, i, j = factor + 6.0, factor + 7.0, factor + 8.0, factor + 9.0, factor + 10.0
        for _ in range(n_turns):
            a, b, c, d, e = (
                a * factor + term,
                b * factor + term,
                c * factor + term,
                d * factor + term,
                e * factor + term,
            )
            f, g, h, i, j = (
                f * factor + term,
                g * factor + term,
                h * factor + term,
                i * factor + term,
                j * factor + term,
            )
        store(address, 2, a + b + c + d + e + f + g + h + i + j)

    call = cfunc(types.void(types.int64), nopython=True)(run)
    return lambda: call.ctypes(values.ctypes.data), 2 * 10 * LANES * n_turns


def passes(cell: str, n_rows: int, n_steps: int, n_features: int, units: int) -> list[tuple[Callable[[], None], int]]:
    """The forward and the backward pass of a layer, and the operations of each, without those of padded units."""
    import torch

    from sklrnn.kernels import preallocated
    from sklrnn.nn.cells import GRU, LSTM, SimpleRNN

    kind, n_gates = {"simple_rnn": (SimpleRNN, 1), "gru": (GRU, 3), "lstm": (LSTM, 4)}[cell]
    layer: Any = kind(n_features, units)
    layer.initialise(torch.Generator().manual_seed(0))
    for weight in layer.parameters():
        weight.grad = torch.zeros_like(weight) if weight.requires_grad else None
    made = preallocated.preallocated_layer(
        layer, torch.randn(n_steps, n_rows, n_features), grad_x=None, gives_final=True
    )
    if made is None:
        raise SystemExit(f"There is no kernel for {units} units of {cell}.")
    made.grad_final_state.normal_()
    of_state, of_x = (2 * n_steps * n_rows * n_gates * units * n for n in (units, n_features))
    return [(made.forward, of_state + of_x), (made.backward, 2 * of_state + of_x)]


def shares(cell: str, n_rows: int, asked: argparse.Namespace, peak: tuple[Callable[[], None], int]) -> Iterator[float]:
    """Of the forward and the backward pass, for each number of units."""
    for units in asked.units:
        least = {}
        tasks = [*passes(cell, n_rows, asked.steps, asked.features, units), peak]
        n_calls = [max(1, int(SECONDS / min(seconds_of(call, 1) for _ in range(3)))) for call, _ in tasks]
        for _ in range(asked.rounds):
            for i, (call, _) in enumerate(tasks):
                least[i] = min(least.get(i, 1.0), seconds_of(call, n_calls[i]))
        forward, backward, most = (operations / least[i] for i, (_, operations) in enumerate(tasks))
        yield from (forward / most, backward / most)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", nargs="+", choices=CELLS, default=CELLS)
    parser.add_argument("--units", nargs="+", type=int, default=[16, 20, 32, 50, 64, 100, 128, 192, 256])
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 2, 32, 128])
    parser.add_argument("--steps", type=int, default=48)
    parser.add_argument("--features", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--set", choices=FEATURES_OF, help="an instruction set")
    asked = parser.parse_args()
    if asked.set and os.environ.get("SKLRNN_KERNELS") != "jit":
        target = {"NUMBA_CPU_NAME": asked.set, "NUMBA_CPU_FEATURES": FEATURES_OF[asked.set], "SKLRNN_KERNELS": "jit"}
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **target})

    import torch

    torch.set_num_threads(1)
    from sklrnn.kernels import autograd

    autograd._CELLS.update({name: cell._replace(max_units=10**6) for name, cell in autograd._CELLS.items()})
    peak = fused_operations()
    print("| units | | " + " | ".join(map(str, asked.units)) + " |\n|---|---" + "|--:" * len(asked.units) + "|")
    for cell, n_rows in itertools.product(asked.cells, asked.batches):
        found = [f"{100 * share:.0f}" for share in shares(cell, n_rows, asked, peak)]
        pairs = (f"{forward} / {backward}" for forward, backward in zip(found[::2], found[1::2], strict=True))
        print(f"| {cell} | {n_rows} | " + " | ".join(pairs) + " |", flush=True)


if __name__ == "__main__":
    main()
