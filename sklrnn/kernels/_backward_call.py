"""The backward pass of a layer: buffers, and the compiled loop over them."""

from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from sklrnn.kernels._arguments import NUMBER, GoingBack, back_memory
from sklrnn.kernels._forward_call import Trace
from sklrnn.kernels._runtime import Kernel, Weights, address, in_threads, room_for, rows_of_group, share_rows

# Bytes of slots' gradients that stay in a core's own cache beside the weights and the states.
_STRETCH = 2**18
# Sums of fewer products would be loaded and stored more than they are added to.
_FEWEST_ROWS = 128


class Read(NamedTuple):
    """What was read, from where on, with what, and what that left behind."""

    kernel: Kernel
    x: Tensor
    first: tuple[Tensor, ...]
    weights: Weights
    trace: Trace


class Ends(NamedTuple):
    """Gradients: those that are given, and room for those that are wanted."""

    states: Tensor | None
    last: tuple[Tensor | None, ...]
    x: Tensor | None
    parameters: list[Tensor | None]  # of the four weights, then of the first states


class BackLayout(NamedTuple):
    n_in_group: int
    n_at_once: int
    shares: list[tuple[int, int]]
    of_a_thread: int  # bytes


@lru_cache(maxsize=64)
def back_layout_of(
    kernel: Kernel, n_steps: int, n_rows: int, n_features: int, units: int, n_threads: int
) -> BackLayout:
    n_gates, n_slots, *_ = kernel.shape
    width, n_in_group = kernel.in_vectors(units), rows_of_group(n_rows)
    fitting = _STRETCH // (NUMBER * n_in_group * n_slots * width)
    n_at_once = min(n_steps, max(fitting, -(-_FEWEST_ROWS // n_in_group)))
    of_a_thread = back_memory(0, kernel.lanes, n_gates, n_slots, n_features, units, n_in_group, n_at_once).end
    shares = share_rows(n_rows, 2 * n_steps * n_gates * width * (units + n_features + 32), n_threads)
    return BackLayout(n_in_group, n_at_once, shares, of_a_thread)


def go_back(
    was: Read, grad_states: Tensor | None, grad_last: tuple[Tensor | None, ...], wanted: tuple[bool, ...]
) -> list[Tensor | None]:
    """Take the gradients of all outputs to those of x, the four weights and the first states (and memory).

    ``wanted`` says which of these somebody asks for.
    """
    kernel, x, first, weights, trace = was
    n_steps, n_rows, n_features = x.shape
    units, width = weights.weight_hh.shape[1], trace.layout.width
    back = back_layout_of(kernel, n_steps, n_rows, n_features, units, torch.get_num_threads())
    if grad_states is not None:
        grad_states = grad_states if units == width else F.pad(grad_states, (0, width - units))
        grad_states = grad_states.contiguous().resolve_neg()
    grad_x = room_for(x, n_steps, n_rows, kernel.in_vectors(n_features)) if wanted[0] else None
    parameters = zip((*weights, *first), wanted[1:], strict=True)
    grads = [room_for(x, *parameter.shape) if asked else None for parameter, asked in parameters]
    grad_last = tuple(grad if grad is None else grad.contiguous().resolve_neg() for grad in grad_last)
    buffer = room_for(x, len(back.shares) * back.of_a_thread // NUMBER)
    ends = Ends(grad_states, grad_last, grad_x, grads)
    numbers, shares = back_plan(was, back, buffer, ends)
    in_threads(kernel.backward, shares, (was, ends, buffer))
    kernel.finish(numbers, len(shares), buffer.data_ptr())
    return [None if grad_x is None else grad_x[:, :, :n_features], *grads]


def back_plan(was: Read, back: BackLayout, buffer: Tensor, ends: Ends) -> tuple[tuple[int, ...], list[tuple[Any, ...]]]:
    """What the compiled loop is told: as a whole, and for each thread."""
    _, x, first, weights, (states, kept, layout) = was
    grad_states, grad_last, grad_x, grads = ends
    n_steps, n_rows, n_features = x.shape
    place, to_weights, to_first = kept.data_ptr(), grads[:4], grads[4:]
    plan = GoingBack(
        n_steps=n_steps,
        n_at_once=back.n_at_once,
        n_rows=n_rows,
        n_in_group=back.n_in_group,
        n_features=n_features,
        units=weights.weight_hh.shape[1],
        x=x.data_ptr(),
        x_step=x.stride(0),
        x_row=x.stride(1),
        weight_ih=weights.weight_ih.data_ptr(),
        weight_hh=weights.weight_hh.data_ptr(),
        first=address(first, 0),
        first_memory=address(first, 1),
        states=states.data_ptr(),
        memory=place + layout.memory,
        gates=place + layout.gates,
        grad_states=address([grad_states], 0),
        grad_last=address(grad_last, 0),
        grad_last_memory=address(grad_last, 1),
        grad_x=address([grad_x], 0),
        grad_weight_ih=address(to_weights, 0),
        grad_weight_hh=address(to_weights, 1),
        grad_bias_ih=address(to_weights, 2),
        grad_bias_hh=address(to_weights, 3),
        grad_first=address(to_first, 0),
        grad_first_memory=address(to_first, 1),
    )
    numbers, own = tuple(plan), buffer.data_ptr()
    return numbers, [(numbers, *rows, own + i * back.of_a_thread) for i, rows in enumerate(back.shares)]
