"""The forward pass of a layer: its buffers, and the call of the compiled loop."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from sklrnn.kernels._arguments import FLOAT_BYTES, ForwardArgs, as_array, forward_scratch
from sklrnn.kernels._library import Kernel
from sklrnn.kernels._runtime import (
    Weights,
    address_of,
    allocate,
    group_size_of,
    run_in_threads,
    split_rows,
)


class ForwardLayout(NamedTuple):
    """How the forward pass divides its work among threads, and its buffer: offsets in bytes."""

    width: int  # padded units
    group_size: int
    n_saved_steps: int  # steps for which the cell state is saved
    row_ranges: list[tuple[int, int]]  # for each thread
    scratch_bytes: int  # of a thread
    gates: int
    cell_states: int
    scratch: int
    end: int


@lru_cache(maxsize=64)
def forward_layout(
    kernel: Kernel, n_steps: int, n_rows: int, n_features: int, units: int, n_threads: int, save: bool
) -> ForwardLayout:
    n_gates, n_slots, *_ = kernel.shape
    width, group_size = kernel.padded(units), group_size_of(n_rows)
    n_saved_steps = n_steps if save else min(n_steps, 2)
    cell_states = FLOAT_BYTES * n_steps * n_rows * width * n_slots if save and kernel.shape.saves_gates else 0
    scratch = cell_states + (FLOAT_BYTES * n_saved_steps * n_rows * width if kernel.shape.n_states == 2 else 0)
    row_ranges = split_rows(n_rows, n_steps * n_gates * width * (units + n_features + 32), n_threads)
    scratch_bytes = forward_scratch(0, kernel.lanes, *kernel.shape.counts(), n_features, units, group_size).end
    end = scratch + len(row_ranges) * scratch_bytes
    return ForwardLayout(width, group_size, n_saved_steps, row_ranges, scratch_bytes, 0, cell_states, scratch, end)


class SavedForward(NamedTuple):
    """What the backward pass needs from the forward pass."""

    states: Tensor  # (time, row, padded unit)
    buffer: Tensor
    layout: ForwardLayout


def run_forward(
    kernel: Kernel,
    x: Tensor,
    state_mask: Tensor | None,
    initial_states: tuple[Tensor, ...],
    weights: Weights,
    *,
    save: bool,
) -> tuple[SavedForward, tuple[Tensor, ...]]:
    """Run a layer over x (time, row, feature), from given initial states (with the cell state) or from zero.

    ``state_mask`` (row, unit) scales the state that the weights see.

    Returns what the backward pass needs, complete if ``save``, and the outputs of torch's layer: all states, the final
    one, and the final cell state if there is one.
    """
    n_steps, n_rows, n_features = x.shape
    units = weights.weight_hh.shape[1]
    layout = forward_layout(kernel, n_steps, n_rows, n_features, units, torch.get_num_threads(), save)
    states, buffer = allocate(x, n_steps, n_rows, layout.width), allocate(x, layout.end // FLOAT_BYTES)
    final_states = [allocate(x, 1, n_rows, units) for _ in range(kernel.shape.n_states)]
    saved = SavedForward(states, buffer, layout)
    calls = forward_calls(kernel, x, state_mask, initial_states, weights, saved, final_states, save=save)
    run_in_threads(kernel.forward, calls, (x, state_mask, initial_states, weights, states, buffer, final_states))
    all_states = states if layout.width == units else states[:, :, :units]
    return saved, (all_states, *final_states)


def forward_calls(
    kernel: Kernel,
    x: Tensor,
    state_mask: Tensor | None,
    initial_states: tuple[Tensor, ...],
    weights: Weights,
    saved: SavedForward,
    final_states: Sequence[Tensor],
    *,
    save: bool,
) -> list[tuple[Any, ...]]:
    """The arguments of the compiled loop, for each thread."""
    n_steps, n_rows, n_features = x.shape
    states, buffer, layout = saved
    start = buffer.data_ptr()
    args = ForwardArgs(
        n_steps=n_steps,
        n_rows=n_rows,
        group_size=layout.group_size,
        n_features=n_features,
        units=weights.weight_hh.shape[1],
        x=x.data_ptr(),
        x_step=x.stride(0),
        x_row=x.stride(1),
        weight_ih=weights.weight_ih.data_ptr(),
        weight_hh=weights.weight_hh.data_ptr(),
        bias_ih=weights.bias_ih.data_ptr(),
        bias_hh=address_of(weights, 3),
        peephole=address_of(weights, 4),
        state_mask=address_of([state_mask], 0),
        initial_state=address_of(initial_states, 0),
        initial_cell_state=address_of(initial_states, 1),
        states=states.data_ptr(),
        cell_states=start + layout.cell_states,
        n_saved_steps=layout.n_saved_steps,
        gates=start + layout.gates if save and kernel.shape.saves_gates else 0,
        final_state=address_of(final_states, 0),
        final_cell_state=address_of(final_states, 1),
    )
    values, scratch = as_array(args), start + layout.scratch
    return [(values, *rows, scratch + i * layout.scratch_bytes) for i, rows in enumerate(layout.row_ranges)]
