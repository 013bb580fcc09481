"""SimpleRNN: h' = tanh(W x + U h + b), or h' = max(W x + U h + b, 0). The one slot is that sum."""

from numba.extending import register_jitable

from sklrnn.kernels._activations import tanh
from sklrnn.kernels._arguments import CellShape, KernelSource
from sklrnn.kernels._kernel import make_kernel
from sklrnn.kernels._simd import Vector, load, store, where_less, zero

_SHAPE = CellShape(n_gates=1, n_slots=1, first_gate=0, panel=2, n_states=1, saves_gates=False)
_LEAST_NORMAL = 1.1754943508222875e-38


@register_jitable
def _tanh_step(
    sums: int,
    gates: int,
    old_state: int,
    new_state: int,
    old_cell_state: int,
    new_cell_state: int,
    peephole: int,
    stride: int,
) -> None:
    store(new_state, 0, tanh(load(sums, 0)))


@register_jitable
def _tanh_step_backward(
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
    h = load(new_state, 0)
    store(grad_slots, 0, grad * (1.0 - h * h))
    store(direct_grad, 0, zero())


@register_jitable
def _relu_step(
    sums: int,
    gates: int,
    old_state: int,
    new_state: int,
    old_cell_state: int,
    new_cell_state: int,
    peephole: int,
    stride: int,
) -> None:
    x = load(sums, 0)
    store(new_state, 0, where_less(x, 0.0, 0.0, x))


@register_jitable
def _relu_step_backward(
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
    # The state is not negative; where it is NaN the gradient passes, as in torch.
    store(grad_slots, 0, where_less(load(new_state, 0), _LEAST_NORMAL, 0.0, grad))
    store(direct_grad, 0, zero())


def simple_rnn() -> KernelSource:
    return make_kernel((_tanh_step,), _tanh_step_backward, _SHAPE)


def relu_rnn() -> KernelSource:
    return make_kernel((_relu_step,), _relu_step_backward, _SHAPE)
