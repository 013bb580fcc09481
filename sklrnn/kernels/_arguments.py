"""What a compiled function is told: sizes, and the addresses of the arrays that it reads and fills.

Rows are samples. A *slot* is a sum that a cell makes at each step. States are kept in whole vectors of units: a row is
some *blocks* of ``lanes`` units, in which those beyond the last stay zero. An address of 0 stands for an array that is
not there.
"""

from typing import NamedTuple

NUMBER = 4  # bytes of a float32
MOST_ROWS = 8  # of any tile


class Shape(NamedTuple):
    """What has to be known of a cell, and how its slots belong to the gates of torch's layer."""

    n_gates: int
    n_slots: int  # the first n_gates of them see x, the last n_gates the state
    first_gate: int  # torch's number of the gate whose slot comes first
    panel: int  # blocks of units that are multiplied together
    n_states: int  # two with a memory, a second state that only the cell itself sees
    keeps_gates: bool  # whether the way back needs more than the states


class Reading(NamedTuple):
    """The forward pass."""

    n_steps: int
    n_rows: int
    n_in_group: int  # most rows that are worked on together
    n_features: int
    units: int
    x: int  # (time, sample, feature), where features have no gaps
    x_step: int  # numbers from step to step
    x_row: int  # numbers from sample to sample
    weight_ih: int  # (gate, unit, feature)
    weight_hh: int  # (gate, unit, unit)
    bias_ih: int  # (gate, unit)
    bias_hh: int
    first: int  # the state before the first step, (sample, unit) without gaps, or 0 for zeros
    first_memory: int
    states: int  # out: (time, sample, unit)
    memory: int  # out: (kept step, sample, unit)
    n_kept: int  # steps for which memory is kept
    gates: int  # out: (time, sample, block, slot, lane), or 0 where nobody will go back
    last: int  # out: (sample, unit) without gaps
    last_memory: int  # the same, or 0


class GoingBack(NamedTuple):
    """The backward pass."""

    n_steps: int
    n_at_once: int  # steps whose slots' gradients are kept until they are multiplied
    n_rows: int
    n_in_group: int  # most rows that are worked on together
    n_features: int
    units: int
    x: int
    x_step: int
    x_row: int
    weight_ih: int
    weight_hh: int
    first: int
    first_memory: int
    states: int
    memory: int
    gates: int
    grad_states: int  # (time, sample, unit), or 0
    grad_last: int  # (sample, unit) without gaps, or 0
    grad_last_memory: int
    grad_x: int  # out: (time, sample, feature in whole vectors), or 0
    grad_weight_ih: int  # out: as in torch, or 0
    grad_weight_hh: int
    grad_bias_ih: int
    grad_bias_hh: int
    grad_first: int  # out: (sample, unit) without gaps, or 0
    grad_first_memory: int


class ReaderMemory(NamedTuple):
    """A thread's own memory in the forward pass: addresses."""

    weights_x: int  # (panel, feature, vector, lane)
    weights_h: int  # (panel, unit, vector, lane)
    bias: int  # (block, slot, lane)
    first: int  # (sample of a group, unit)
    first_memory: int
    tile: int
    end: int


class BackMemory(NamedTuple):
    """A thread's own memory in the backward pass: addresses, and vectors from row to row."""

    weights_x: int  # (pair of vectors of features, gate * unit, vector, lane)
    weights_h: int  # (pair of blocks, gate * unit, vector, lane)
    one: int
    inside: int  # 1 for each unit of the last block, 0 in its lanes beyond the last unit
    zeros: int
    tile: int
    first: int  # (sample of a group, unit)
    first_memory: int
    grad_state: int
    grad_memory: int
    carry: int  # what reaches the earlier state by other ways than the slots
    slots: int  # gradients, (step at once and sample of a group, slot * unit and a gap)
    seen: int  # what slots are sums of: x and the earlier state, (step at once and sample of a group, both and a gap)
    sums_x: int  # gradients of weights, (feature, slot * unit)
    sums_h: int  # (unit, slot * unit)
    sums_bias: int  # (slot * unit)
    end: int
    blocks_x: int
    slots_apart: int
    seen_apart: int


def reader_memory(
    start: int, lanes: int, n_gates: int, n_slots: int, n_features: int, units: int, n_rows: int
) -> ReaderMemory:
    """Divide the memory that begins at an address, for groups of so many rows."""
    width = NUMBER * ((units + lanes - 1) // lanes) * lanes
    weights_h = start + n_gates * width * n_features
    bias = weights_h + n_gates * width * units
    first = bias + n_slots * width
    first_memory = first + n_rows * width
    tile = first_memory + n_rows * width
    return ReaderMemory(start, weights_h, bias, first, first_memory, tile, tile + NUMBER * lanes * 4 * MOST_ROWS)


def back_memory(
    start: int, lanes: int, n_gates: int, n_slots: int, n_features: int, units: int, n_rows: int, n_at_once: int
) -> BackMemory:
    """Divide the memory that begins at an address, for groups of so many rows."""
    vector = NUMBER * lanes
    blocks, blocks_x = (units + lanes - 1) // lanes, (n_features + lanes - 1) // lanes
    # Without a gap all rows would fall on the same few places of the cache.
    slots_apart, seen_apart = n_slots * blocks + 1, blocks_x + blocks + 1
    depth, state = n_gates * blocks * lanes, vector * n_rows * blocks
    weights_h = start + vector * depth * blocks_x
    one = weights_h + vector * depth * blocks
    inside = one + vector
    zeros = inside + vector
    tile = zeros + 4 * vector
    first = tile + 4 * MOST_ROWS * vector
    slots = first + 5 * state
    seen = slots + vector * n_rows * n_at_once * slots_apart
    # A last tile reads on past what is seen.
    sums_x = seen + vector * (n_rows * n_at_once * seen_apart + MOST_ROWS)
    sums_h = sums_x + vector * n_features * blocks * n_gates
    sums_bias = sums_h + vector * units * blocks * n_gates
    end = sums_bias + vector * blocks * n_slots
    return BackMemory(
        *(start, weights_h, one, inside, zeros, tile),
        *(first, first + state, first + 2 * state, first + 3 * state, first + 4 * state),
        *(slots, seen, sums_x, sums_h, sums_bias, end, blocks_x, slots_apart, seen_apart),
    )
