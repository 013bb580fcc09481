"""Whole batches of training as one call of machine code, which runs without the GIL.

A program is a list of instructions: what a step does, in order, with the addresses of all arrays. The functions here
make instructions from tensors; ``_program_arguments.py`` says what each does.
"""

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from sklrnn.kernels import _program_arguments as arguments
from sklrnn.kernels._library import Kernel
from sklrnn.kernels._program_arguments import HEAD_BACKWARD, INSTRUCTION_INTS, INSTRUCTIONS, LOSSES, StepConstants
from sklrnn.kernels._registry import load_program

Array = NDArray[Any]

_NUMBER_OF = {kind: number for number, kind in enumerate(INSTRUCTIONS)}
N_CONSTANTS = len(StepConstants._fields)


@dataclass(frozen=True)
class Instruction:
    """The arguments of an instruction, and the arrays whose addresses are among them."""

    args: tuple[int, ...]
    arrays: Sequence[Any]
    is_backward: bool = False

    def as_row(self) -> list[int]:
        number = HEAD_BACKWARD if self.is_backward else _NUMBER_OF[type(self.args)]
        return [number, *self.args, *[0] * (INSTRUCTION_INTS - 1 - len(self.args))]


class Program:
    """Instructions in memory, ready to be run."""

    def __init__(self, run: Callable[..., None], instructions: list[Instruction]) -> None:
        self._run, self._n = run, len(instructions)
        self._rows = np.array([each.as_row() for each in instructions], dtype=np.int64)
        self._address = self._rows.ctypes.data
        self._keep_alive = [each.arrays for each in instructions]

    def run(self, first: int, end: int) -> None:
        """Run these batches of an epoch; their entries in the tables begin at 0."""
        self._run(self._address, self._n, first, end)


def make_program(instructions: list[Instruction]) -> Program | None:
    """None where the machine code can't be had."""
    run = load_program()
    return None if run is None else Program(run, instructions)


def call(kernel: Kernel, name: str, given: tuple[Any, ...], arrays: Any) -> Instruction:
    """Call a function of a kernel with its arguments in memory, and two or three ints."""
    values, *ints = given
    first, second, third = [*ints, 0][:3]
    address = ctypes.addressof(values)
    args = arguments.Call(kernel.address_of(name), address, first, second, third, n_ints=len(ints))
    return Instruction(args, (kernel, values, arrays))


def move(
    target: Tensor, source: Tensor, *, adds: bool = False, divisor: int = 1, is_reversed: bool = False
) -> Instruction:
    """Copy a source, or add it; a dimension of time is put before (row, feature), where there is none.

    Where only one of both has more than one step, the other is used at every step.
    """
    target, source = (one if one.ndim == 3 else one.unsqueeze(0) for one in (target, source))
    n_steps = max(len(target), len(source))
    target_step, source_step = (one.stride(0) if len(one) == n_steps else 0 for one in (target, source))
    address = source.data_ptr()
    if is_reversed:
        address += source.element_size() * (n_steps - 1) * source_step
        source_step = -source_step
    args = arguments.Move(
        *(target.data_ptr(), target_step, target.stride(1), address, source_step, source.stride(1)),
        *(n_steps, *target.shape[1:], adds, divisor),
    )
    return Instruction(args, (target, source))


def multiply(target: Tensor, source: Tensor, factors: Tensor) -> Instruction:
    """Multiply each step of a source (time, row, feature) with factors (row, feature)."""
    args = arguments.Multiply(
        *(target.data_ptr(), *target.stride()[:2], source.data_ptr(), *source.stride()[:2]),
        *(*target.shape, factors.data_ptr()),
    )
    return Instruction(args, (target, source, factors))


def fill(target: Tensor) -> Instruction:
    """Set contiguous numbers to zero."""
    return Instruction(arguments.Fill(target.data_ptr(), target.numel()), (target,))


def take(target: Tensor, table: Tensor) -> Instruction:
    """Copy the entry of the batch from a table with one for each."""
    return Instruction(arguments.Take(target.data_ptr(), table.data_ptr(), target.numel()), (target, table))


def standardise(target: Tensor, x: Array, mean: Array, spread: Array, samples: tuple[Array, int]) -> Instruction:
    """Gather samples of x (sample, time, feature), which may be a view, and standardise them.

    ``samples`` are the order of an epoch, and the size of a batch.
    """
    order, batch_size = samples
    sample, step, feature = (stride // x.itemsize for stride in x.strides)
    args = arguments.Standardise(
        *(x.ctypes.data, sample, step, feature, x.dtype == np.float64, order.ctypes.data, batch_size),
        *(mean.ctypes.data, spread.ctypes.data, target.data_ptr()),
        *target.shape,
    )
    return Instruction(args, (target, x, mean, spread, order))


def mean_loss(
    kind: str,
    raw: tuple[Tensor, Tensor],
    samples: tuple[Array, Array, Array],
    *,
    batch_size: int,
    losses: Array,
    levels: Tensor | None,
    has_target_weights: bool,
) -> Instruction:
    """The loss of raw outputs, and their gradient; samples are targets, weights and the order of an epoch.

    Weights (sample,) or (sample, time) tell whether there is one output a sample, or one a step.
    """
    y, weights, order = samples
    n_steps = 1 if weights.ndim == 1 else weights.shape[1]
    n_targets = 1 if kind == "log_loss" else y.shape[-1] // (1 + has_target_weights)
    levels_of = np.zeros(0) if levels is None else levels.numpy().astype(np.float64)
    args = arguments.Loss(
        *(LOSSES.index(kind), raw[0].data_ptr(), raw[1].data_ptr(), n_steps, len(raw[0]) // n_steps),
        *(n_targets, raw[0].shape[1] // n_targets, order.ctypes.data, batch_size),
        *(y.ctypes.data, has_target_weights, weights.ctypes.data, levels_of.ctypes.data, losses.ctypes.data),
    )
    return Instruction(args, (raw, samples, levels_of, losses))


def penalty(weight: Tensor, gradient: Tensor, factors: Array, losses: Array) -> Instruction:
    """Add a penalty with factors l1 and l2 to the loss, and its gradient."""
    addresses = factors.ctypes.data, losses.ctypes.data
    args = arguments.Penalty(weight.data_ptr(), gradient.data_ptr(), weight.numel(), *addresses)
    return Instruction(args, (weight, gradient, factors, losses))


def clip(gradient: Tensor, norm: float) -> Instruction:
    """Scale a gradient in whole vectors down to a norm."""
    bound = np.array([norm])
    args = arguments.Clip(gradient.data_ptr(), gradient.numel(), bound.ctypes.data)
    return Instruction(args, (gradient, bound))


def update(
    weights: Tensor,
    gradients: Tensor,
    means: tuple[Tensor | None, Tensor | None],
    constants: Array,
    *,
    is_decoupled: bool,
) -> Instruction:
    """A step of an optimizer on weights in whole vectors, with a table of `StepConstants` in float32."""
    mean, mean_of_squares = (0 if each is None else each.data_ptr() for each in means)
    args = arguments.Update(
        *(weights.data_ptr(), gradients.data_ptr(), mean, mean_of_squares, weights.numel()),
        *(constants.ctypes.data, is_decoupled),
    )
    return Instruction(args, (weights, gradients, means, constants))


def average(mean: Tensor, weights: Tensor, shares: Array) -> Instruction:
    """Move a mean towards the weights, in whole vectors."""
    args = arguments.Average(mean.data_ptr(), weights.data_ptr(), weights.numel(), shares.ctypes.data)
    return Instruction(args, (mean, weights, shares))


def head_part(
    weights: tuple[Tensor, Tensor],
    biases: tuple[Tensor, Tensor],
    part: tuple[Tensor, Tensor | None],
    raw: tuple[Tensor, Tensor],
    *,
    is_first: bool,
) -> tuple[Instruction, Instruction]:
    """The head of one part of its input, forwards and backwards; of each array there is its gradient too."""
    (weight, grad_weight), (bias, grad_bias), (values, gradient) = weights, biases, part
    args = arguments.HeadPart(
        *(weight.data_ptr(), weight.stride(0), grad_weight.data_ptr(), bias.data_ptr(), grad_bias.data_ptr()),
        *(values.data_ptr(), values.stride(0)),
        *((0, 0) if gradient is None else (gradient.data_ptr(), gradient.stride(0))),
        *(raw[0].data_ptr(), raw[1].data_ptr(), len(values), len(weight), values.shape[1], is_first),
    )
    arrays = (weights, biases, part, raw)
    return Instruction(args, arrays), Instruction(args, arrays, is_backward=True)
