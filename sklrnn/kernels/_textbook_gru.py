"""GRU with the reset gate applied before the product, as in its paper.

r = σ(W_r x + U_r h + b_r), z = σ(W_z x + U_z h + b_z), n = tanh(W_n x + b_n + U_n (r * h)), h' = n + z * (h - n).

The slots are n, r and z. The gate of n is late: between its two products its place among the gates holds x's sum.
"""

from numba.extending import register_jitable

from sklrnn.kernels._activations import tanh, two_sigmoids
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
    r, z = two_sigmoids(load(sums, 1), load(sums, 2))
    store(gates, 0, load(sums, 0))
    store(gates, 1, r)
    store(gates, 2, z)


@register_jitable
def _late_step(late_sum: int, gates: int, old_state: int, new_state: int) -> None:
    n, z = tanh(load(gates, 0) + load(late_sum, 0)), load(gates, 2)
    store(gates, 0, n)
    store(new_state, 0, n + z * (load(old_state, 0) - n))


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
    n, z = load(gates, 0), load(gates, 2)
    store(grad_slots, 0, grad * (1.0 - z) * (1.0 - n * n))
    store(grad_slots + 2 * slot_bytes, 0, grad * (load(old_state, 0) - n) * z * (1.0 - z))
    store(direct_grad, 0, grad * z)


def textbook_gru() -> KernelSource:
    shape = CellShape(n_gates=3, n_slots=3, first_gate=2, panel=1, n_states=1, saves_gates=True, n_late_gates=1)
    return make_kernel((_step,), _step_backward, shape, _late_step)
