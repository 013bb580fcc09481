"""The kernel of a cell, compiled from its equations."""

from collections.abc import Callable
from typing import Any

from sklrnn.kernels._arguments import BackwardArgs, CellShape, ForwardArgs
from sklrnn.kernels._backward_loop import backward_pass, finish_pass
from sklrnn.kernels._compile import compiled
from sklrnn.kernels._forward_loop import forward_pass
from sklrnn.kernels._runtime import Kernel
from sklrnn.kernels._simd import LANES


def make_kernel(
    step: Callable[..., None],
    step_backward: Callable[..., None],
    shape: CellShape,
    late_step: Callable[..., None] | None = None,
) -> Kernel:
    """Compile the forward and backward pass of a cell; `forward_pass` and `backward_pass` say what a step is."""
    return Kernel(
        forward=compiled(_run_rows, forward_pass(step, late_step, shape), ForwardArgs, 3),
        backward=compiled(_run_rows, backward_pass(step_backward, shape), BackwardArgs, 3),
        finish=compiled(_run_finish, finish_pass(shape), BackwardArgs, 2),
        shape=shape,
        lanes=LANES,
    )


# The two functions that Python calls; ``compiled`` sets these globals in a copy for each loop.
loop: Any = None
arguments: Any = None


def _run_rows(values: tuple[int, ...], first_row: int, end_row: int, scratch: int) -> None:
    loop(arguments(*values), first_row, end_row, scratch)


def _run_finish(values: tuple[int, ...], n_threads: int, scratch: int) -> None:
    loop(arguments(*values), n_threads, scratch)
