"""LSTM.

i, f, o = σ(W x + U h + b), each with weights of its own, g = tanh(W_g x + U_g h + b_g), c' = f * c + i * g,
h' = o * tanh(c').

The slots are i, f, g and o; the memory is c.
"""

from numba.extending import register_jitable

from sklrnn.kernels._activations import sigmoid_and_tanh, tanh, two_sigmoids
from sklrnn.kernels._arguments import GoingBack, Reading, Shape
from sklrnn.kernels._backward_loop import backward_pass, finish_pass
from sklrnn.kernels._compile import compiled
from sklrnn.kernels._forward_loop import forward_pass
from sklrnn.kernels._simd import Vector, load, store, zero


@register_jitable
def _step(sums: int, gates: int, old: int, new: int, old_memory: int, new_memory: int) -> None:
    i, f = two_sigmoids(load(sums, 0), load(sums, 1))
    o, g = sigmoid_and_tanh(load(sums, 3), load(sums, 2))
    c = f * load(old_memory, 0) + i * g
    store(gates, 0, i)
    store(gates, 1, f)
    store(gates, 2, g)
    store(gates, 3, o)
    store(new_memory, 0, c)
    store(new, 0, o * tanh(c))


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
    i, f, g, o = load(gates, 0), load(gates, 1), load(gates, 2), load(gates, 3)
    seen = tanh(load(new_memory, 0))
    grad_c = load(grad_memory, 0) + grad * o * (1.0 - seen * seen)
    store(grad_slots, 0, grad_c * g * i * (1.0 - i))
    store(grad_slots, apart, grad_c * load(old_memory, 0) * f * (1.0 - f))
    store(grad_slots, 2 * apart, grad_c * i * (1.0 - g * g))
    store(grad_slots, 3 * apart, grad * seen * o * (1.0 - o))
    store(grad_memory, 0, grad_c * f)
    store(carry, 0, zero())


SHAPE = Shape(n_gates=4, n_slots=4, first_gate=0, panel=1, n_states=2, keeps_gates=True)
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
