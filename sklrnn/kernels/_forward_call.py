"""The forward pass of a layer: buffers, and the compiled loop over them."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from sklrnn.kernels._arguments import NUMBER, Reading, reader_memory
from sklrnn.kernels._runtime import Kernel, Weights, address, in_threads, room_for, rows_of_group, share_rows


class Layout(NamedTuple):
    """How reading divides its buffer: places in bytes."""

    width: int  # units in whole vectors
    n_in_group: int
    n_kept: int  # steps for which memory is kept
    shares: list[tuple[int, int]]
    of_a_thread: int
    gates: int
    memory: int
    threads: int
    end: int


@lru_cache(maxsize=64)
def layout_of(
    kernel: Kernel, n_steps: int, n_rows: int, n_features: int, units: int, n_threads: int, keep: bool
) -> Layout:
    n_gates, n_slots, *_ = kernel.shape
    width, n_in_group = kernel.in_vectors(units), rows_of_group(n_rows)
    n_kept = n_steps if keep else min(n_steps, 2)
    gates = NUMBER * n_steps * n_rows * width * n_slots if keep and kernel.shape.keeps_gates else 0
    threads = gates + (NUMBER * n_kept * n_rows * width if kernel.shape.n_states == 2 else 0)
    shares = share_rows(n_rows, n_steps * n_gates * width * (units + n_features + 32), n_threads)
    of_a_thread = reader_memory(0, kernel.lanes, n_gates, n_slots, n_features, units, n_in_group).end
    end = threads + len(shares) * of_a_thread
    return Layout(width, n_in_group, n_kept, shares, of_a_thread, 0, gates, threads, end)


class Trace(NamedTuple):
    """What going back needs to know of reading."""

    states: Tensor  # (time, sample, unit), in whole vectors of units
    buffer: Tensor
    layout: Layout


def read(
    kernel: Kernel, x: Tensor, first: tuple[Tensor, ...], weights: Weights, *, keep: bool
) -> tuple[Trace, tuple[Tensor, ...]]:
    """Read sequences (time, sample, feature), from given states (and memory) or from zero.

    Gives what going back needs, if it is to be kept, and what a layer of torch gives: all states, the last one, and the
    last memory if there is one.
    """
    n_steps, n_rows, n_features = x.shape
    units = weights.weight_hh.shape[1]
    layout = layout_of(kernel, n_steps, n_rows, n_features, units, torch.get_num_threads(), keep)
    states, buffer = room_for(x, n_steps, n_rows, layout.width), room_for(x, layout.end // NUMBER)
    last = [room_for(x, 1, n_rows, units) for _ in range(kernel.shape.n_states)]
    shares = reading_plan(kernel, layout, x, first, weights, states, buffer, last, keep=keep)
    in_threads(kernel.forward, shares, (x, first, weights, states, buffer, last))
    all_states = states if layout.width == units else states[:, :, :units]
    return Trace(states, buffer, layout), (all_states, *last)


def reading_plan(
    kernel: Kernel,
    layout: Layout,
    x: Tensor,
    first: tuple[Tensor, ...],
    weights: Weights,
    states: Tensor,
    buffer: Tensor,
    last: Sequence[Tensor],
    *,
    keep: bool,
) -> list[tuple[Any, ...]]:
    """What the compiled loop is told, for each thread."""
    n_steps, n_rows, n_features = x.shape
    place = buffer.data_ptr()
    plan = Reading(
        n_steps=n_steps,
        n_rows=n_rows,
        n_in_group=layout.n_in_group,
        n_features=n_features,
        units=weights.weight_hh.shape[1],
        x=x.data_ptr(),
        x_step=x.stride(0),
        x_row=x.stride(1),
        weight_ih=weights.weight_ih.data_ptr(),
        weight_hh=weights.weight_hh.data_ptr(),
        bias_ih=weights.bias_ih.data_ptr(),
        bias_hh=weights.bias_hh.data_ptr(),
        first=address(first, 0),
        first_memory=address(first, 1),
        states=states.data_ptr(),
        memory=place + layout.memory,
        n_kept=layout.n_kept,
        gates=place + layout.gates if keep and kernel.shape.keeps_gates else 0,
        last=address(last, 0),
        last_memory=address(last, 1),
    )
    numbers, own = tuple(plan), place + layout.threads
    return [(numbers, *rows, own + i * layout.of_a_thread) for i, rows in enumerate(layout.shares)]
