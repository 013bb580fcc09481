"""A layer that uses the same arrays at each training step.

What autograd allocates and records anew at each step (states, the graph, sums into gradients) exists once here, and the
gradients of the weights are written to where the optimizer reads them.
"""

from typing import Any

import torch
from torch import Tensor

from sklrnn.kernels._arguments import FLOAT_BYTES
from sklrnn.kernels._backward_call import ForwardCall, Gradients, backward_calls, backward_layout
from sklrnn.kernels._forward_call import SavedForward, forward_calls, forward_layout
from sklrnn.kernels._library import Kernel
from sklrnn.kernels._runtime import Weights, allocate, run_in_threads
from sklrnn.kernels.autograd import kernel_for
from sklrnn.kernels.program import Instruction, call


class PreallocatedLayer:
    """A layer with preallocated input, outputs and gradients.

    ``forward`` reads ``x`` (time, row, feature), and writes ``states`` (time, row, unit) and ``final_state`` (row,
    unit). ``backward`` reads ``grad_final_state`` (or ``grad_states``, if that was given), and overwrites ``grad_x``,
    if that was given, and the ``grad`` of each trainable weight. ``grad_states`` and ``grad_x`` are padded to whole
    vectors of units and features. Both read ``state_mask`` (row, unit), if that was given.

    With ``passes_state`` a layer starts from ``initial_states``, the hidden state and the cell state if there is one,
    and leaves the same of its last step in ``last_states``; no gradient flows through them.
    """

    def __init__(
        self,
        kernel: Kernel,
        weights: Weights,
        x: Tensor,
        *,
        state_mask: Tensor | None,
        grad_states: Tensor | None,
        grad_x: Tensor | None,
        passes_state: bool = False,
    ) -> None:
        n_steps, n_rows, n_features = x.shape
        units, n_threads = weights.weight_hh.shape[1], torch.get_num_threads()
        layout = forward_layout(kernel, n_steps, n_rows, n_features, units, n_threads, True)
        saved = SavedForward(allocate(x, n_steps, n_rows, layout.width), allocate(x, layout.end // FLOAT_BYTES), layout)
        to_backward = backward_layout(kernel, n_steps, n_rows, n_features, units, n_threads)
        buffer = allocate(x, len(to_backward.row_ranges) * to_backward.scratch_bytes // FLOAT_BYTES)
        final_states = [allocate(x, 1, n_rows, units) for _ in range(kernel.shape.n_states)]
        initial = tuple(torch.zeros_like(state) for state in final_states) if passes_state else ()
        grad_final_state = allocate(x, 1, n_rows, units) if grad_states is None else None
        gradients = Gradients(
            grad_states, (grad_final_state,), grad_x, [None if weight is None else weight.grad for weight in weights]
        )
        self.x, self.states, self.final_state = x, saved.states[:, :, :units], final_states[0][0]
        self.initial_states, self.last_states = initial, final_states
        self.grad_x, self.grad_states = grad_x, grad_states
        self.grad_final_state = None if grad_final_state is None else grad_final_state[0]
        self._kernel, self._buffer_address = kernel, buffer.data_ptr()
        self._forward_calls = forward_calls(kernel, x, state_mask, initial, weights, saved, final_states, save=True)
        forward = ForwardCall(kernel, x, state_mask, initial, weights, saved)
        self._backward_args, self._backward_calls = backward_calls(forward, to_backward, buffer, gradients)
        self._keep_alive: tuple[Any, ...] = (x, state_mask, initial, weights, saved, buffer, final_states, gradients)

    def forward(self) -> None:
        """Compute the states from ``x``."""
        run_in_threads(self._kernel.forward, self._forward_calls, self._keep_alive)

    def instructions(self) -> tuple[list[Instruction], list[Instruction]] | None:
        """Both passes as instructions of a program; None where they are shared among threads."""
        if len(self._forward_calls) > 1 or len(self._backward_calls) > 1:
            return None
        (forward,), (backward,) = self._forward_calls, self._backward_calls
        finish = self._backward_args, 1, self._buffer_address
        kernel, arrays = self._kernel, self._keep_alive
        return [call(kernel, "forward", forward, arrays)], [
            call(kernel, "backward", backward, arrays),
            call(kernel, "finish", finish, arrays),
        ]

    def backward(self) -> None:
        """Compute the gradients of the weights, and of ``x``, from those of the states."""
        run_in_threads(self._kernel.backward, self._backward_calls, self._keep_alive)
        self._kernel.finish(self._backward_args, len(self._backward_calls), self._buffer_address)


def preallocated_layer(
    layer: Any,
    x: Tensor,
    *,
    grad_x: Tensor | None,
    state_mask: Tensor | None = None,
    gives_final: bool = False,
    passes_state: bool = False,
) -> PreallocatedLayer | None:
    """Replace a layer that reads ``x``, and gives its final state, or all states.

    None where there is no kernel for it, or where a gradient has no fixed address. The gradient of ``x`` is left in
    ``grad_x`` if it has whole vectors of features, else in an array of the layer.
    """
    found = kernel_for(layer, x, (), state_mask)
    if found is None or not all(weight is None or _has_matching_gradient(weight) for weight in found[2]):
        return None
    _, kernel, weights = found
    grad_states = None if gives_final else allocate(x, *x.shape[:2], kernel.padded(layer.hidden_size)).zero_()
    n_features = kernel.padded(x.shape[2])
    if grad_x is not None and (grad_x.shape[2] != n_features or not grad_x.is_contiguous()):
        grad_x = allocate(x, *x.shape[:2], n_features)
    return PreallocatedLayer(
        kernel,
        weights,
        x,
        state_mask=state_mask,
        grad_states=grad_states,
        grad_x=grad_x,
        passes_state=passes_state,
    )


def _has_matching_gradient(weight: Tensor) -> bool:
    """Whether a trainable weight has a gradient to write into, and a frozen one has none."""
    if weight.grad is None or not weight.requires_grad:
        return weight.grad is None and not weight.requires_grad
    return weight.grad.is_contiguous()
