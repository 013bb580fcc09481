"""From the equations of a cell to its compiled kernel."""

from collections.abc import Callable
from typing import Any

from sklrnn.kernels._arguments import GoingBack, Reading, Shape
from sklrnn.kernels._backward_loop import backward_pass, finish_pass
from sklrnn.kernels._compile import compiled
from sklrnn.kernels._forward_loop import forward_pass
from sklrnn.kernels._runtime import Kernel
from sklrnn.kernels._simd import LANES

run: Any = None
arguments: Any = None


def make_kernel(step: Callable[..., None], step_backward: Callable[..., None], shape: Shape) -> Kernel:
    return Kernel(
        compiled(_over_rows, Reading, 3, run=forward_pass(step, shape)),
        compiled(_over_rows, GoingBack, 3, run=backward_pass(step_backward, shape)),
        compiled(_over_threads, GoingBack, 2, run=finish_pass(shape)),
        shape,
        LANES,
    )


# ``compiled`` puts the loop of a cell in the place of ``run``.
def _over_rows(values: tuple[int, ...], first_row: int, end_row: int, own: int) -> None:
    run(arguments(*values), first_row, end_row, own)


def _over_threads(values: tuple[int, ...], n_threads: int, own: int) -> None:
    run(arguments(*values), n_threads, own)
