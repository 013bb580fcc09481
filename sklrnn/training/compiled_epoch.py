"""All batches of an epoch in machine code, for lists of operations that it has instructions for.

Python draws the random numbers of some batches and computes their learning rates. Then one call runs these batches,
without the GIL: fits in several threads do not wait for each other.
"""

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sklrnn.kernels.program import N_CONSTANTS, Program, average, clip, make_program, penalty, update
from sklrnn.training.batches import Batches
from sklrnn.training.fused_step import FusedStep
from sklrnn.training.operations.signal import EpochArrays
from sklrnn.training.optimizer_steps import OptimizerSteps

Array = NDArray[Any]

_MOST_BATCHES = 64  # of a call
# After each call Python sees whether Ctrl-C was pressed.
_SECONDS = 0.1


class CompiledEpoch:
    """The batches of one size, and the last one, if it is smaller."""

    def __init__(self, batches: Batches, parts: list["_Part"], order: Array) -> None:
        self._batches, self._parts, self._order = batches, parts, order

    def run(self, net: Any) -> Iterator[tuple[float, int]]:
        """Train on all batches, and give the loss and the size of each."""
        self._order[:] = self._batches.epoch_order()
        for part in self._parts:
            yield from part.run(net)


class _Part:
    """Batches of one size."""

    def __init__(self, net: Any, step: FusedStep, epoch: EpochArrays, n_rows: int, first: int, end: int) -> None:
        self._epoch, self._n_rows, self._first, self._end = epoch, n_rows, first, end
        self._steps = OptimizerSteps(net.optimizer_)
        self._constants = np.zeros((epoch.n_entries, N_CONSTANTS), dtype=np.float32)
        self._shares = np.zeros(epoch.n_entries)
        instructions = step.instructions(epoch)
        self.program: Program | None = None
        if instructions is not None:
            self.program = make_program([*instructions, *self._after_gradients(net)])

    def _after_gradients(self, net: Any) -> Any:
        """The rest of a step: penalties, clipping, the optimizer and the average of weights."""
        weights = net.optimizer_.weights
        if net.l1 or net.l2:
            factors = np.array([net.l1, net.l2])
            for weight in net.module_.penalized_weights():
                yield penalty(weight, weight.grad, factors, self._epoch.losses)
        if net.max_grad_norm is not None:
            yield clip(weights.gradients, net.max_grad_norm)
        steps = self._steps
        yield update(weights.values, weights.gradients, steps.means, self._constants, is_decoupled=steps.is_decoupled)
        yield average(net.average_.mean_of_flat(), weights.values, self._shares)

    def run(self, net: Any) -> Iterator[tuple[float, int]]:
        assert self.program is not None
        first, n_at_once = self._first, 1
        while first < self._end:
            n = min(n_at_once, self._end - first)
            for entry, draw in itertools.product(range(n), self._epoch.draws):
                draw(entry)
            self._constants[:n] = self._steps.count(net.next_rates(n))
            self._shares[:n] = net.average_.next_shares(n)
            started = time.perf_counter()
            self.program.run(first, first + n)
            seconds = time.perf_counter() - started
            n_at_once = min(max(1, int(n * _SECONDS / max(seconds, 1e-9))), self._epoch.n_entries)
            first += n
            for loss in self._epoch.losses[:n].tolist():
                yield loss, self._n_rows


def make_compiled_epoch(net: Any, batches: Any, step_for: Callable[[Any], Any]) -> CompiledEpoch | None:
    """None where not all of a step has instructions, or samples don't lie in plain arrays.

    ``step_for(batch)`` gives the step of a batch, whose operations the programs are made of.
    """
    if not OptimizerSteps.exist_for(net.optimizer_) or not _are_plain(batches):
        return None
    n, size = len(batches.order), batches.batch_size
    order = np.zeros(n, dtype=np.int64)
    parts: list[_Part] = []
    standardised = None
    for n_rows, first, end in ((size, 0, n // size), (n % size, n // size, len(batches))):
        if first == end:
            continue
        step = step_for(_shapes(batches, n_rows))
        if not isinstance(step, FusedStep):
            return None
        epoch = EpochArrays(
            batches.samples.X,
            batches.y,
            batches.weights,
            order=order,
            batch_size=size,
            n_entries=min(_MOST_BATCHES, end - first),
        )
        epoch.standardised = standardised
        part = _Part(net, step, epoch, n_rows, first, end)
        if part.program is None:
            return None
        standardised = epoch.standardised
        parts.append(part)
    return CompiledEpoch(batches, parts, order)


def _are_plain(batches: Any) -> bool:
    """Whether samples lie in arrays that machine code can read."""
    if type(batches) is not Batches or batches.device.type != "cpu":
        return False
    X: Any = batches.samples.X
    y: Any = batches.y
    weights: Any = batches.weights
    if not all(isinstance(values, np.ndarray) for values in (X, y, weights)):
        return False
    in_place = X.flags.aligned and X.dtype.isnative and all(stride % X.itemsize == 0 for stride in X.strides)
    return (
        in_place
        and X.dtype in (np.float32, np.float64)
        and y.dtype in (np.float32, np.int64)
        and y.flags.c_contiguous
        and weights.flags.c_contiguous
    )


def _shapes(batches: Batches, n_rows: int) -> Any:
    """A batch of this size without its numbers."""
    X, weights = batches.samples.X, batches.weights
    x = torch.empty(n_rows, *X.shape[1:], dtype=torch.float64 if X.dtype == np.float64 else torch.float32)
    return {"x": x, "weight": torch.empty(n_rows, *np.shape(weights)[1:])}, None
