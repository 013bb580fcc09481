"""GRU with the reset gate after the product.

r = σ(W_r x + U_r h + b_r), z = σ(W_z x + U_z h + b_z), n = tanh(W_n x + b_n + r * (U_n h + d_n)), h' = n + z * (h - n).

The slots are n's part of x, r, z, and n's part of the state.
"""

from numba.extending import register_jitable

from sklrnn.kernels._activations import tanh, two_sigmoids
from sklrnn.kernels._arguments import GoingBack, Reading, Shape
from sklrnn.kernels._backward_loop import backward_pass, finish_pass
from sklrnn.kernels._compile import compiled
from sklrnn.kernels._forward_loop import forward_pass
from sklrnn.kernels._simd import Vector, load, store


@register_jitable
def _step(sums: int, gates: int, old: int, new: int, old_memory: int, new_memory: int) -> None:
    of_state = load(sums, 3)
    r, z = two_sigmoids(load(sums, 1), load(sums, 2))
    n = tanh(load(sums, 0) + r * of_state)
    store(gates, 0, n)
    store(gates, 1, r)
    store(gates, 2, z)
    store(gates, 3, of_state)
    store(new, 0, n + z * (load(old, 0) - n))


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
    n, r, z, of_state = load(gates, 0), load(gates, 1), load(gates, 2), load(gates, 3)
    grad_n = grad * (1.0 - z) * (1.0 - n * n)
    store(grad_slots, 0, grad_n)
    store(grad_slots, apart, grad_n * of_state * r * (1.0 - r))
    store(grad_slots, 2 * apart, grad * (load(old, 0) - n) * z * (1.0 - z))
    store(grad_slots, 3 * apart, grad_n * r)
    store(carry, 0, grad * z)


SHAPE = Shape(n_gates=3, n_slots=4, first_gate=2, panel=1, n_states=1, keeps_gates=True)
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
