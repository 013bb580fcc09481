"""GRU with the reset gate applied after the product, as in torch.

r = σ(W_r x + U_r h + b_r), z = σ(W_z x + U_z h + b_z), n = tanh(W_n x + b_n + r * (U_n h + d_n)), h' = n + z * (h - n).

The slots are x's sum for n, r, z, and the state's sum for n.
"""

from numba.extending import register_jitable

from sklrnn.kernels._activations import tanh, two_sigmoids
from sklrnn.kernels._arguments import CellShape, KernelSource
from sklrnn.kernels._kernel import make_kernel
from sklrnn.kernels._simd import Vector, load, store


@register_jitable
def _gates(
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
    store(gates, 1, r)
    store(gates, 2, z)


@register_jitable
def _new_state(
    sums: int,
    gates: int,
    old_state: int,
    new_state: int,
    old_cell_state: int,
    new_cell_state: int,
    peephole: int,
    stride: int,
) -> None:
    state_sum = load(sums, 3)
    n = tanh(load(sums, 0) + load(gates, 1) * state_sum)
    store(gates, 0, n)
    store(gates, 3, state_sum)
    store(new_state, 0, n + load(gates, 2) * (load(old_state, 0) - n))


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
    n, r, z, state_sum = load(gates, 0), load(gates, 1), load(gates, 2), load(gates, 3)
    grad_n = grad * (1.0 - z) * (1.0 - n * n)
    store(grad_slots, 0, grad_n)
    store(grad_slots + slot_bytes, 0, grad_n * state_sum * r * (1.0 - r))
    store(grad_slots + 2 * slot_bytes, 0, grad * (load(old_state, 0) - n) * z * (1.0 - z))
    store(grad_slots + 3 * slot_bytes, 0, grad_n * r)
    store(direct_grad, 0, grad * z)


def gru() -> KernelSource:
    shape = CellShape(n_gates=3, n_slots=4, first_gate=2, panel=1, n_states=1, saves_gates=True)
    return make_kernel((_gates, _new_state), _step_backward, shape)
