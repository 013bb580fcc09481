"""The kernel of a cell, made from its equations."""

from collections.abc import Callable, Sequence
from typing import Any

from sklrnn.kernels._arguments import BackwardArgs, CellShape, ForwardArgs, KernelSource
from sklrnn.kernels._backward_loop import backward_pass, finish_pass
from sklrnn.kernels._compile import tuple_at
from sklrnn.kernels._forward_loop import forward_pass


def make_kernel(
    steps: Sequence[Callable[..., None]],
    step_backward: Callable[..., None],
    shape: CellShape,
    late_step: Callable[..., None] | None = None,
) -> KernelSource:
    """Make the forward and backward pass of a cell; `forward_pass` and `backward_pass` say what a step is."""
    functions = {
        "forward": _over_rows(forward_pass(steps, late_step, shape), ForwardArgs),
        "backward": _over_rows(backward_pass(step_backward, shape), BackwardArgs),
        "finish": _over_threads(finish_pass(shape), BackwardArgs),
    }
    return KernelSource(functions, shape)


def _over_rows(loop: Any, arguments: Any) -> Callable[..., None]:
    values_at = tuple_at(len(arguments._fields))

    def run(args: int, first_row: int, end_row: int, scratch: int) -> None:
        loop(arguments(*values_at(args)), first_row, end_row, scratch)

    return run


def _over_threads(loop: Any, arguments: Any) -> Callable[..., None]:
    values_at = tuple_at(len(arguments._fields))

    def run(args: int, n_threads: int, scratch: int) -> None:
        loop(arguments(*values_at(args)), n_threads, scratch)

    return run
