"""LSTM.

i, f, o = σ(W x + U h + b), each with weights of its own, g = tanh(W_g x + U_g h + b_g), c' = f * c + i * g,
h' = o * tanh(c').

The slots are i, f, g and o; the cell state is c. With peepholes p_i * c, p_f * c and p_o * c' are added to the sums
of i, f and o.
"""

from numba.extending import register_jitable

from sklrnn.kernels._activations import sigmoid_and_tanh, tanh, two_sigmoids
from sklrnn.kernels._arguments import CellShape, KernelSource
from sklrnn.kernels._kernel import make_kernel
from sklrnn.kernels._simd import Vector, load, rounded_product, store, zero


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
    i, f = two_sigmoids(load(sums, 0), load(sums, 1))
    o, g = sigmoid_and_tanh(load(sums, 3), load(sums, 2))
    c = f * load(old_cell_state, 0) + rounded_product(i, g)
    store(gates, 0, i)
    store(gates, 1, f)
    store(gates, 2, g)
    store(gates, 3, o)
    store(new_cell_state, 0, c)


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
    store(new_state, 0, load(gates, 3) * tanh(load(new_cell_state, 0)))


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
    i, f, g, o = load(gates, 0), load(gates, 1), load(gates, 2), load(gates, 3)
    tanh_c = tanh(load(new_cell_state, 0))
    grad_c = load(grad_cell_state, 0) + grad * o * (1.0 - tanh_c * tanh_c)
    store(grad_slots, 0, grad_c * g * i * (1.0 - i))
    store(grad_slots + slot_bytes, 0, grad_c * load(old_cell_state, 0) * f * (1.0 - f))
    store(grad_slots + 2 * slot_bytes, 0, grad_c * i * (1.0 - g * g))
    store(grad_slots + 3 * slot_bytes, 0, grad * tanh_c * o * (1.0 - o))
    store(grad_cell_state, 0, grad_c * f)
    store(direct_grad, 0, zero())


@register_jitable
def _peephole_cell_state(
    sums: int,
    gates: int,
    old_state: int,
    new_state: int,
    old_cell_state: int,
    new_cell_state: int,
    peephole: int,
    stride: int,
) -> None:
    c = load(old_cell_state, 0)
    i, f = two_sigmoids(load(sums, 0) + load(peephole, 0) * c, load(sums, 1) + load(peephole, stride) * c)
    g = tanh(load(sums, 2))
    store(gates, 0, i)
    store(gates, 1, f)
    store(gates, 2, g)
    store(new_cell_state, 0, f * c + rounded_product(i, g))


@register_jitable
def _peephole_new_state(
    sums: int,
    gates: int,
    old_state: int,
    new_state: int,
    old_cell_state: int,
    new_cell_state: int,
    peephole: int,
    stride: int,
) -> None:
    c = load(new_cell_state, 0)
    o, tanh_c = sigmoid_and_tanh(load(sums, 3) + load(peephole, 2 * stride) * c, c)
    store(gates, 3, o)
    store(new_state, 0, o * tanh_c)


@register_jitable
def _peephole_step_backward(
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
    i, f, g, o = load(gates, 0), load(gates, 1), load(gates, 2), load(gates, 3)
    old_c, c = load(old_cell_state, 0), load(new_cell_state, 0)
    tanh_c = tanh(c)
    grad_o = grad * tanh_c * o * (1.0 - o)
    grad_c = load(grad_cell_state, 0) + grad * o * (1.0 - tanh_c * tanh_c) + grad_o * load(peephole, 2 * stride)
    grad_i, grad_f = grad_c * g * i * (1.0 - i), grad_c * old_c * f * (1.0 - f)
    store(grad_slots, 0, grad_i)
    store(grad_slots + slot_bytes, 0, grad_f)
    store(grad_slots + 2 * slot_bytes, 0, grad_c * i * (1.0 - g * g))
    store(grad_slots + 3 * slot_bytes, 0, grad_o)
    store(grad_cell_state, 0, grad_c * f + grad_i * load(peephole, 0) + grad_f * load(peephole, stride))
    store(direct_grad, 0, zero())
    store(grad_peephole, 0, load(grad_peephole, 0) + grad_i * old_c)
    store(grad_peephole, stride, load(grad_peephole, stride) + grad_f * old_c)
    store(grad_peephole, 2 * stride, load(grad_peephole, 2 * stride) + grad_o * c)


_SHAPE = CellShape(n_gates=4, n_slots=4, first_gate=0, panel=1, n_states=2, saves_gates=True)


def lstm() -> KernelSource:
    return make_kernel((_gates, _new_state), _step_backward, _SHAPE)


def peephole_lstm() -> KernelSource:
    return make_kernel(
        (_peephole_cell_state, _peephole_new_state), _peephole_step_backward, _SHAPE._replace(n_peepholes=3)
    )
