"""What a compiled function is given: sizes, and the addresses of the arrays that it reads and writes.

A row is one sequence of the batch. A *slot* is one pre-activation of a cell, a sum that it needs at each step. States
are padded to whole vectors: a row is some *blocks* of ``lanes`` units, in which those beyond the last stay zero. The
*cell state* is the LSTM's second state. The *seen* state is what the weights are multiplied with: the state, times the
mask of recurrent dropout if there is one. A *late* gate sees the seen state times the reset gate, so that its product
waits for the other gates. Address 0 stands for an array that is absent.
"""

import ctypes
from collections.abc import Callable
from typing import Any, NamedTuple

FLOAT_BYTES = 4  # of a float32
MAX_TILE_ROWS = 8
MAX_PANEL = 4  # vectors that are summed together in a row of a tile
# The functions of a kernel, and that of the program. Each is given the address of its arguments and so many ints.
FUNCTIONS = {"forward": 3, "backward": 3, "finish": 2}
N_INTS = {**FUNCTIONS, "run": 3}
SIZES = "sizes"  # the name of an array beside them: a CellShape, and the lanes of a vector


class CellShape(NamedTuple):
    """The sizes of a cell, and which of torch's gates its slots belong to."""

    n_gates: int
    n_slots: int  # the first n_gates of them are sums over x, the last n_state_gates sums over the seen state
    first_gate: int  # torch's number of the gate whose slot comes first
    panel: int  # blocks of units that are multiplied together
    n_states: int  # 2 with a cell state
    saves_gates: bool  # whether the backward pass needs more than the states
    n_late_gates: int = 0  # torch's last gates, 0 or 1; its slot comes first, that of the reset gate second
    n_peepholes: int = 0  # gates that see the cell state

    @property
    def n_state_gates(self) -> int:
        """Gates that see the state at once."""
        return self.n_gates - self.n_late_gates

    def counts(self) -> tuple[int, int, int, int]:
        """What the sizes of the scratch memory depend on."""
        return self.n_gates, self.n_slots, self.n_late_gates, self.n_peepholes


class KernelSource(NamedTuple):
    """A kernel before it is compiled: the functions that `FUNCTIONS` names, and the sizes of its cell.

    Or the program: one function, and no cell.
    """

    functions: dict[str, Callable[..., None]]
    shape: CellShape | tuple[()] = ()


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
    bias_hh: int  # or 0
    peephole: int  # (gate, unit), or 0
    state_mask: int  # (row, unit) contiguous, or 0
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
    peephole: int
    state_mask: int
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
    grad_peephole: int
    grad_initial_state: int  # out: (row, unit) contiguous, or 0
    grad_initial_cell_state: int


def as_array(args: ForwardArgs | BackwardArgs) -> Any:
    """Arguments in memory, as a compiled function reads them."""
    return (ctypes.c_int64 * len(args))(*args)


class ForwardScratch(NamedTuple):
    """Addresses of what a thread keeps for itself in the forward pass."""

    weights_x: int  # (panel, feature, vector, lane)
    weights_h: int  # (panel, unit, vector, lane)
    weights_late: int  # (pair of blocks, unit, vector, lane)
    bias: int  # (block, slot, lane)
    initial_state: int  # (row of a group, padded unit)
    initial_cell_state: int
    sums: int  # (row of a group, block of a panel, slot, lane), or more blocks of a single row
    zeros: int
    peephole: int  # (gate, padded unit)
    state_mask: int  # (row of a group, padded unit)
    seen: int
    late_input: int  # the seen state times the reset gate
    late_sums: int
    gates: int  # (row of a group, block, slot, lane), where a late gate needs them and no backward pass does
    end: int


class BackwardScratch(NamedTuple):
    """Addresses of what a thread keeps for itself in the backward pass; strides from row to row in vectors."""

    weights_x: int  # (pair of vectors of features, gate * unit, vector, lane)
    weights_h: int  # (pair of blocks, gate * unit, vector, lane)
    weights_late: int
    one: int
    zeros: int
    tile: int
    initial_state: int  # (row of a group, padded unit)
    initial_cell_state: int
    grad_state: int
    grad_cell_state: int
    direct_grad: int  # of the previous state, by other ways than the slots
    state_mask: int
    grad_late_input: int
    peephole: int  # (gate, padded unit)
    grad_slots: int  # (step of a chunk and row of a group, slot * unit and a gap)
    inputs: int  # of the slots: x, the seen state, the late input (step of a chunk and row of a group, padded, a gap)
    sums_x: int  # gradients of the weights, (feature, slot * unit, padded)
    sums_h: int  # (unit, slot * unit, padded)
    sums_late: int
    sums_bias: int  # (slot * unit, padded)
    sums_peephole: int  # (gate, padded unit)
    step_peephole: int  # the same at one step
    end: int
    blocks_x: int
    slot_stride: int
    input_stride: int


def forward_scratch(
    start: int,
    lanes: int,
    n_gates: int,
    n_slots: int,
    n_late: int,
    n_peepholes: int,
    n_features: int,
    units: int,
    group_size: int,
) -> ForwardScratch:
    """Divide the memory that begins at an address."""
    vector = FLOAT_BYTES * lanes
    blocks = (units + lanes - 1) // lanes
    width, state = vector * blocks, vector * group_size * blocks
    weights_h = start + n_gates * width * n_features
    weights_late = weights_h + (n_gates - n_late) * width * units
    bias = weights_late + n_late * width * units
    states = bias + n_slots * width
    sums = states + 2 * state
    zeros = sums + MAX_PANEL * max(group_size, 2) * vector
    peephole = zeros + MAX_PANEL * vector
    masked = peephole + n_peepholes * width
    late = masked + 2 * state
    gates = late + 2 * n_late * state
    end = gates + n_late * n_slots * state
    return ForwardScratch(
        *(start, weights_h, weights_late, bias, states, states + state, sums, zeros, peephole),
        *(masked, masked + state, late, late + n_late * state, gates, end),
    )


def backward_scratch(
    start: int,
    lanes: int,
    n_gates: int,
    n_slots: int,
    n_late: int,
    n_peepholes: int,
    n_features: int,
    units: int,
    group_size: int,
    chunk_steps: int,
) -> BackwardScratch:
    """Divide the memory that begins at an address."""
    vector = FLOAT_BYTES * lanes
    blocks, blocks_x = (units + lanes - 1) // lanes, (n_features + lanes - 1) // lanes
    # Without a gap all rows would fall into the same few sets of the cache.
    slot_stride, input_stride = n_slots * blocks + 1, blocks_x + (1 + n_late) * blocks + 1
    depth, state = blocks * lanes, vector * group_size * blocks
    weights_h = start + vector * n_gates * depth * blocks_x
    weights_late = weights_h + vector * (n_gates - n_late) * depth * blocks
    one = weights_late + vector * n_late * depth * blocks
    zeros = one + vector
    tile = zeros + MAX_PANEL * vector
    states = tile + 4 * MAX_TILE_ROWS * vector
    peephole = states + 7 * state
    grad_slots = peephole + vector * n_peepholes * blocks
    inputs = grad_slots + vector * group_size * chunk_steps * slot_stride
    # The last tile reads beyond the last of the inputs.
    sums_x = inputs + vector * (group_size * chunk_steps * input_stride + MAX_TILE_ROWS)
    sums_h = sums_x + vector * n_features * blocks * n_gates
    sums_late = sums_h + vector * units * blocks * (n_gates - n_late)
    sums_bias = sums_late + vector * units * blocks * n_late
    sums_peephole = sums_bias + vector * blocks * n_slots
    step_peephole = sums_peephole + vector * blocks * n_peepholes
    end = step_peephole + vector * blocks * n_peepholes
    return BackwardScratch(
        *(start, weights_h, weights_late, one, zeros, tile),
        *(states, states + state, states + 2 * state, states + 3 * state, states + 4 * state),
        *(states + 5 * state, states + 6 * state, peephole, grad_slots, inputs),
        *(sums_x, sums_h, sums_late, sums_bias, sums_peephole, step_peephole, end),
        *(blocks_x, slot_stride, input_stride),
    )
