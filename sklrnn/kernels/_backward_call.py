"""The backward pass of a layer: its buffers, and the calls of the compiled loops."""

from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from sklrnn.kernels._arguments import FLOAT_BYTES, BackwardArgs, as_array, backward_scratch
from sklrnn.kernels._forward_call import SavedForward
from sklrnn.kernels._library import Kernel
from sklrnn.kernels._runtime import (
    Weights,
    address_of,
    allocate,
    group_size_of,
    run_in_threads,
    split_rows,
)

# So many bytes of slot gradients stay in a core's own cache beside the weights and the states.
_CHUNK_BYTES = 2**18
# A sum of fewer products would be loaded and stored more often than it is added to.
_MIN_CHUNK_ROWS = 128


class ForwardCall(NamedTuple):
    """A forward pass that has run: its inputs, and what it saved."""

    kernel: Kernel
    x: Tensor
    state_mask: Tensor | None
    initial_states: tuple[Tensor, ...]
    weights: Weights
    saved: SavedForward


class Gradients(NamedTuple):
    """The gradients of the outputs, which are given, and memory for those of the inputs, where they are needed."""

    states: Tensor | None
    final_states: tuple[Tensor | None, ...]
    x: Tensor | None
    parameters: list[Tensor | None]  # of the weights, then of the initial states


class BackwardLayout(NamedTuple):
    """How the backward pass divides its work among threads and its buffer."""

    group_size: int
    chunk_steps: int
    row_ranges: list[tuple[int, int]]  # for each thread
    scratch_bytes: int  # of a thread


@lru_cache(maxsize=64)
def backward_layout(
    kernel: Kernel, n_steps: int, n_rows: int, n_features: int, units: int, n_threads: int
) -> BackwardLayout:
    n_gates, n_slots, *_ = kernel.shape
    width, group_size = kernel.padded(units), group_size_of(n_rows)
    cached_steps = _CHUNK_BYTES // (FLOAT_BYTES * group_size * n_slots * width)
    chunk_steps = min(n_steps, max(cached_steps, -(-_MIN_CHUNK_ROWS // group_size)))
    scratch = backward_scratch(0, kernel.lanes, *kernel.shape.counts(), n_features, units, group_size, chunk_steps)
    row_ranges = split_rows(n_rows, 2 * n_steps * n_gates * width * (units + n_features + 32), n_threads)
    return BackwardLayout(group_size, chunk_steps, row_ranges, scratch.end)


def run_backward(
    forward: ForwardCall,
    grad_states: Tensor | None,
    grad_final_states: tuple[Tensor | None, ...],
    needs_grad: tuple[bool, ...],
) -> list[Tensor | None]:
    """From the gradients of all outputs to those of x, the weights and the initial states.

    ``needs_grad`` says which of these are asked for.
    """
    kernel, x, _, initial_states, weights, saved = forward
    n_steps, n_rows, n_features = x.shape
    units, width = weights.weight_hh.shape[1], saved.layout.width
    layout = backward_layout(kernel, n_steps, n_rows, n_features, units, torch.get_num_threads())
    if grad_states is not None:
        grad_states = grad_states if units == width else F.pad(grad_states, (0, width - units))
        grad_states = grad_states.contiguous().resolve_neg()
    grad_x = allocate(x, n_steps, n_rows, kernel.padded(n_features)) if needs_grad[0] else None
    parameters = zip((*weights, *initial_states), needs_grad[1:], strict=True)
    grads = [
        allocate(x, *parameter.shape) if is_needed and parameter is not None else None
        for parameter, is_needed in parameters
    ]
    grad_final_states = tuple(grad if grad is None else grad.contiguous().resolve_neg() for grad in grad_final_states)
    buffer = allocate(x, len(layout.row_ranges) * layout.scratch_bytes // FLOAT_BYTES)
    gradients = Gradients(grad_states, grad_final_states, grad_x, grads)
    values, calls = backward_calls(forward, layout, buffer, gradients)
    run_in_threads(kernel.backward, calls, (forward, gradients, buffer))
    kernel.finish(values, len(calls), buffer.data_ptr())
    return [None if grad_x is None else grad_x[:, :, :n_features], *grads]


def backward_calls(
    forward: ForwardCall, layout: BackwardLayout, buffer: Tensor, gradients: Gradients
) -> tuple[Any, list[tuple[Any, ...]]]:
    """The `BackwardArgs` in memory, and the arguments of the compiled loop for each thread."""
    _, x, state_mask, initial_states, weights, saved = forward
    n_weights = len(weights)
    n_steps, n_rows, n_features = x.shape
    start = saved.buffer.data_ptr()
    grad_weights, grad_initial_states = gradients.parameters[:n_weights], gradients.parameters[n_weights:]
    args = BackwardArgs(
        n_steps=n_steps,
        chunk_steps=layout.chunk_steps,
        n_rows=n_rows,
        group_size=layout.group_size,
        n_features=n_features,
        units=weights.weight_hh.shape[1],
        x=x.data_ptr(),
        x_step=x.stride(0),
        x_row=x.stride(1),
        weight_ih=weights.weight_ih.data_ptr(),
        weight_hh=weights.weight_hh.data_ptr(),
        peephole=address_of(weights, 4),
        state_mask=address_of([state_mask], 0),
        initial_state=address_of(initial_states, 0),
        initial_cell_state=address_of(initial_states, 1),
        states=saved.states.data_ptr(),
        cell_states=start + saved.layout.cell_states,
        gates=start + saved.layout.gates,
        grad_states=address_of([gradients.states], 0),
        grad_final_state=address_of(gradients.final_states, 0),
        grad_final_cell_state=address_of(gradients.final_states, 1),
        grad_x=address_of([gradients.x], 0),
        grad_weight_ih=address_of(grad_weights, 0),
        grad_weight_hh=address_of(grad_weights, 1),
        grad_bias_ih=address_of(grad_weights, 2),
        grad_bias_hh=address_of(grad_weights, 3),
        grad_peephole=address_of(grad_weights, 4),
        grad_initial_state=address_of(grad_initial_states, 0),
        grad_initial_cell_state=address_of(grad_initial_states, 1),
    )
    values, scratch = as_array(args), buffer.data_ptr()
    return values, [(values, *rows, scratch + i * layout.scratch_bytes) for i, rows in enumerate(layout.row_ranges)]
