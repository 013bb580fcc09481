"""What a compiled function is given: sizes, and the addresses of the arrays that it reads and writes.

A row is one sequence of the batch. A *slot* is one pre-activation of a cell, a sum that it needs at each step. States
are padded to whole vectors: a row is some *blocks* of ``lanes`` units, in which those beyond the last stay zero. The
*cell state* is the LSTM's second state. Address 0 stands for an array that is absent.
"""

import ctypes
from collections.abc import Callable
from typing import Any, NamedTuple

FLOAT_BYTES = 4  # of a float32
MAX_TILE_ROWS = 8
# The functions of a kernel. Each is given the address of its arguments and so many ints.
FUNCTIONS = {"forward": 3, "backward": 3, "finish": 2}
SIZES = "sizes"  # the name of an array beside them: a CellShape, and the lanes of a vector


class CellShape(NamedTuple):
    """The sizes of a cell, and which of torch's gates its slots belong to."""

    n_gates: int
    n_slots: int  # the first n_gates of them are sums over x, the last n_gates sums over the state
    first_gate: int  # torch's number of the gate whose slot comes first
    panel: int  # blocks of units that are multiplied together
    n_states: int  # 2 with a cell state
    saves_gates: bool  # whether the backward pass needs more than the states


class KernelSource(NamedTuple):
    """A kernel before it is compiled: the functions that `FUNCTIONS` names, and the sizes of its cell."""

    functions: dict[str, Callable[..., None]]
    shape: CellShape


class ForwardArgs(NamedTuple):
    """The forward pass."""

    n_steps: int
    n_rows: int
    group_size: int  # at most so many rows are processed together
    n_features: int
    units: int
    x: int  # (time, row, feature); features are contiguous
    x_step: int  # stride in floats from step to step
    x_row: int  # from row to row
    weight_ih: int  # (gate, unit, feature)
    weight_hh: int  # (gate, unit, unit)
    bias_ih: int  # (gate, unit)
    bias_hh: int
    initial_state: int  # (row, unit) contiguous, or 0 for zeros
    initial_cell_state: int
    states: int  # out: (time, row, padded unit)
    cell_states: int  # out: (saved step, row, padded unit)
    n_saved_steps: int  # steps for which the cell state is saved
    gates: int  # out: (time, row, block, slot, lane), or 0 where there is no backward pass
    final_state: int  # out: (row, unit) contiguous
    final_cell_state: int  # the same, or 0


class BackwardArgs(NamedTuple):
    """The backward pass."""

    n_steps: int
    chunk_steps: int  # at most so many steps of slot gradients are stored before they are multiplied
    n_rows: int
    group_size: int
    n_features: int
    units: int
    x: int
    x_step: int
    x_row: int
    weight_ih: int
    weight_hh: int
    initial_state: int
    initial_cell_state: int
    states: int
    cell_states: int
    gates: int
    grad_states: int  # (time, row, padded unit), or 0
    grad_final_state: int  # (row, unit) contiguous, or 0
    grad_final_cell_state: int
    grad_x: int  # out: (time, row, padded feature), or 0
    grad_weight_ih: int  # out: as in torch, or 0
    grad_weight_hh: int
    grad_bias_ih: int
    grad_bias_hh: int
    grad_initial_state: int  # out: (row, unit) contiguous, or 0
    grad_initial_cell_state: int


def as_array(args: ForwardArgs | BackwardArgs) -> Any:
    """Arguments in memory, as a compiled function reads them."""
    return (ctypes.c_int64 * len(args))(*args)


class ForwardScratch(NamedTuple):
    """Addresses of what a thread keeps for itself in the forward pass."""

    weights_x: int  # (panel, feature, vector, lane)
    weights_h: int  # (panel, unit, vector, lane)
    bias: int  # (block, slot, lane)
    initial_state: int  # (row of a group, padded unit)
    initial_cell_state: int
    tile: int
    end: int


class BackwardScratch(NamedTuple):
    """Addresses of what a thread keeps for itself in the backward pass; strides from row to row in vectors."""

    weights_x: int  # (pair of vectors of features, gate * unit, vector, lane)
    weights_h: int  # (pair of blocks, gate * unit, vector, lane)
    one: int
    unit_mask: int  # for the last block: 1 in the lanes of units, 0 in those beyond
    zeros: int
    tile: int
    initial_state: int  # (row of a group, padded unit)
    initial_cell_state: int
    grad_state: int
    grad_cell_state: int
    direct_grad: int  # of the previous state, by other ways than the slots
    grad_slots: int  # (step of a chunk and row of a group, slot * padded unit and a gap)
    inputs: int  # of the slots: x and the previous state (step of a chunk and row of a group, both padded and a gap)
    sums_x: int  # gradients of the weights, (feature, slot * padded unit)
    sums_h: int  # (unit, slot * padded unit)
    sums_bias: int  # (slot * padded unit)
    end: int
    blocks_x: int
    slot_stride: int
    input_stride: int


def forward_scratch(
    start: int, lanes: int, n_gates: int, n_slots: int, n_features: int, units: int, group_size: int
) -> ForwardScratch:
    """Divide the memory that begins at an address."""
    width = FLOAT_BYTES * ((units + lanes - 1) // lanes) * lanes
    weights_h = start + n_gates * width * n_features
    bias = weights_h + n_gates * width * units
    state = bias + n_slots * width
    cell_state = state + group_size * width
    tile = cell_state + group_size * width
    end = tile + FLOAT_BYTES * lanes * 4 * MAX_TILE_ROWS
    return ForwardScratch(start, weights_h, bias, state, cell_state, tile, end)


def backward_scratch(
    start: int, lanes: int, n_gates: int, n_slots: int, n_features: int, units: int, group_size: int, chunk_steps: int
) -> BackwardScratch:
    """Divide the memory that begins at an address."""
    vector = FLOAT_BYTES * lanes
    blocks, blocks_x = (units + lanes - 1) // lanes, (n_features + lanes - 1) // lanes
    # Without a gap all rows would fall into the same few sets of the cache.
    slot_stride, input_stride = n_slots * blocks + 1, blocks_x + blocks + 1
    depth, state = n_gates * blocks * lanes, vector * group_size * blocks
    weights_h = start + vector * depth * blocks_x
    one = weights_h + vector * depth * blocks
    unit_mask = one + vector
    zeros = unit_mask + vector
    tile = zeros + 4 * vector
    states = tile + 4 * MAX_TILE_ROWS * vector
    grad_slots = states + 5 * state
    inputs = grad_slots + vector * group_size * chunk_steps * slot_stride
    # The last tile reads beyond the last of the inputs.
    sums_x = inputs + vector * (group_size * chunk_steps * input_stride + MAX_TILE_ROWS)
    sums_h = sums_x + vector * n_features * blocks * n_gates
    sums_bias = sums_h + vector * units * blocks * n_gates
    end = sums_bias + vector * blocks * n_slots
    return BackwardScratch(
        *(start, weights_h, one, unit_mask, zeros, tile),
        *(states, states + state, states + 2 * state, states + 3 * state, states + 4 * state),
        *(grad_slots, inputs, sums_x, sums_h, sums_bias, end, blocks_x, slot_stride, input_stride),
    )
