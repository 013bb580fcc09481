"""Minimal gated unit: u = σ(W_u x + U_u h + b_u), c = tanh(W_c x + U_c h + b_c), h' = h + u * (c - h).

The slots are u and c.
"""

from numba.extending import register_jitable

from sklrnn.kernels._activations import sigmoid_and_tanh
from sklrnn.kernels._arguments import CellShape, KernelSource
from sklrnn.kernels._kernel import make_kernel
from sklrnn.kernels._simd import Vector, load, store


@register_jitable
def _step(
    sums: int,
    gates: int,
    old_state: int,
    new_state: int,
    old_cell_state: int,
    new_cell_state: int,
    peephole: int,
    stride: int,
) -> None:
    u, c = sigmoid_and_tanh(load(sums, 0), load(sums, 1))
    h = load(old_state, 0)
    store(gates, 0, u)
    store(gates, 1, c)
    store(new_state, 0, h + u * (c - h))


@register_jitable
def _step_backward(
    grad: Vector,
    gates: int,
    old_state: int,
    new_state: int,
    old_cell_state: int,
    new_cell_state: int,
    grad_cell_state: int,
    direct_grad: int,
    grad_slots: int,
    slot_bytes: int,
    peephole: int,
    grad_peephole: int,
    stride: int,
) -> None:
    u, c = load(gates, 0), load(gates, 1)
    store(grad_slots, 0, grad * (c - load(old_state, 0)) * u * (1.0 - u))
    store(grad_slots + slot_bytes, 0, grad * u * (1.0 - c * c))
    store(direct_grad, 0, grad * (1.0 - u))


def minimal_gru() -> KernelSource:
    shape = CellShape(n_gates=2, n_slots=2, first_gate=0, panel=1, n_states=1, saves_gates=True)
    return make_kernel((_step,), _step_backward, shape)
