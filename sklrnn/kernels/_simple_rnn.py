"""SimpleRNN: h' = tanh(W x + U h + b). The one slot is that sum."""

from numba.extending import register_jitable

from sklrnn.kernels._activations import tanh
from sklrnn.kernels._arguments import GoingBack, Reading, Shape
from sklrnn.kernels._backward_loop import backward_pass, finish_pass
from sklrnn.kernels._compile import compiled
from sklrnn.kernels._forward_loop import forward_pass
from sklrnn.kernels._simd import Vector, load, store, zero


@register_jitable
def _step(sums: int, gates: int, old: int, new: int, old_memory: int, new_memory: int) -> None:
    store(new, 0, tanh(load(sums, 0)))


@register_jitable
def _step_back(
    grad: Vector,
    gates: int,
    old: int,
    new: int,
    old_memory: int,
    new_memory: int,
    grad_memory: int,
    carry: int,
    grad_slots: int,
    apart: int,
) -> None:
    h = load(new, 0)
    store(grad_slots, 0, grad * (1.0 - h * h))
    store(carry, 0, zero())


SHAPE = Shape(n_gates=1, n_slots=1, first_gate=0, panel=2, n_states=1, keeps_gates=False)
_read, _go_back, _finish = forward_pass(_step, SHAPE), backward_pass(_step_back, SHAPE), finish_pass(SHAPE)


@compiled(Reading, 3)
def forward(numbers: tuple[int, ...], first_row: int, end_row: int, own: int) -> None:
    _read(Reading(*numbers), first_row, end_row, own)


@compiled(GoingBack, 3)
def backward(numbers: tuple[int, ...], first_row: int, end_row: int, own: int) -> None:
    _go_back(GoingBack(*numbers), first_row, end_row, own)


@compiled(GoingBack, 2)
def finish(numbers: tuple[int, ...], n_sets: int, own: int) -> None:
    _finish(GoingBack(*numbers), n_sets, own)
