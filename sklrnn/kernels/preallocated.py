"""A layer that reads and goes back over the same arrays, step after step of training.

What autograd asks for anew each time (room for the states, a record of what was done, sums into the gradients) stands
ready here, and the gradients of the weights are written where the optimizer reads them.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from sklrnn.kernels._arguments import NUMBER
from sklrnn.kernels._backward_call import Ends, Read, back_layout_of, back_plan
from sklrnn.kernels._forward_call import Trace, layout_of, reading_plan
from sklrnn.kernels._runtime import Kernel, Weights, in_threads, room_for
from sklrnn.kernels.autograd import kernel_for


class StandingLayer:
    """A layer, its input, its outputs and all their gradients, each at its place.

    Fill ``x`` (time, sample, feature), and ``read`` fills ``states`` (time, sample, unit) and ``last`` (sample, unit).
    Fill ``grad_last`` (or ``grad_states``, if that was given), and ``go_back`` fills ``grad_x``, if that was given, and
    the ``grad`` of each weight that is learnt, whatever was in there. Gradients of sequences have units, or features,
    in whole vectors.
    """

    def __init__(
        self, kernel: Kernel, weights: Weights, x: Tensor, *, grad_states: Tensor | None, grad_x: Tensor | None
    ) -> None:
        n_steps, n_rows, n_features = x.shape
        units, n_threads = weights.weight_hh.shape[1], torch.get_num_threads()
        layout = layout_of(kernel, n_steps, n_rows, n_features, units, n_threads, True)
        back = back_layout_of(kernel, n_steps, n_rows, n_features, units, n_threads)
        trace = Trace(room_for(x, n_steps, n_rows, layout.width), room_for(x, layout.end // NUMBER), layout)
        buffer = room_for(x, len(back.shares) * back.of_a_thread // NUMBER)
        last = [room_for(x, 1, n_rows, units) for _ in range(kernel.shape.n_states)]
        grad_last = room_for(x, 1, n_rows, units) if grad_states is None else None
        ends = Ends(grad_states, (grad_last,), grad_x, [weight.grad for weight in weights])
        self.x, self.states, self.last = x, trace.states[:, :, :units], last[0][0]
        self.grad_x, self.grad_states = grad_x, grad_states
        self.grad_last = None if grad_last is None else grad_last[0]
        self._kernel = kernel
        self._reading = reading_plan(kernel, layout, x, (), weights, trace.states, trace.buffer, last, keep=True)
        self._plan, self._going_back = back_plan(Read(kernel, x, (), weights, trace), back, buffer, ends)
        self._buffer = buffer.data_ptr()
        self._in_use: tuple[Any, ...] = (x, weights, trace, buffer, last, ends)

    def read(self) -> None:
        """Go forwards through time."""
        in_threads(self._kernel.forward, self._reading, self._in_use)

    def go_back(self) -> None:
        """Take the gradients of the outputs to those of the weights, and of ``x``."""
        in_threads(self._kernel.backward, self._going_back, self._in_use)
        self._kernel.finish(self._plan, len(self._going_back), self._buffer)


def standing_stack(layers: Sequence[Any], x: Tensor, *, apart: Sequence[bool]) -> list[StandingLayer] | None:
    """Stand for layers of torch on top of each other, where only the last state of the highest is used.

    None where there is no kernel for one of them, or where a gradient has no fixed place. A layer reads the states of
    the one below where they are; one that is set ``apart`` has an input of its own, for the caller to fill.
    """
    stack: list[StandingLayer] = []
    for layer, is_apart in zip(layers, apart, strict=True):
        if stack:
            x = room_for(x, *stack[-1].states.shape) if is_apart else stack[-1].states
        found = kernel_for(layer, x)
        if found is None or not all(_has_its_gradient(weight) for weight in found[2]):
            return None
        _, kernel, weights = found
        grad_states = None
        if len(stack) + 1 < len(layers):
            grad_states = room_for(x, *x.shape[:2], kernel.in_vectors(layer.hidden_size))
        below = stack[-1].grad_states if stack else None
        stack.append(StandingLayer(kernel, weights, x, grad_states=grad_states, grad_x=below))
    return stack


def _has_its_gradient(weight: Tensor) -> bool:
    """Whether there is room for the gradient of a weight that is learnt, and none for another."""
    if weight.grad is None or not weight.requires_grad:
        return weight.grad is None and not weight.requires_grad
    return weight.grad.is_contiguous()
