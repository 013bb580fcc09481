"""Laying out torch's weights as products read them, and gradients as torch wants them."""

import numba
from numba.extending import register_jitable

from sklrnn.kernels._arguments import NUMBER
from sklrnn.kernels._simd import LANES, VECTOR, load_number, store_number

_ZERO = numba.float32(0.0)


@register_jitable
def pack(weights: int, units: int, depth: int, n_gates: int, first_gate: int, panel: int, out: int) -> None:
    """From (gate, unit, depth) to (panel of blocks, depth, block and slot, lane); units beyond the last weigh nothing."""
    blocks = (units + LANES - 1) // LANES
    for slot in range(n_gates):
        gate = weights + NUMBER * ((first_gate + slot) % n_gates) * units * depth
        for unit in range(blocks * LANES):
            block, lane = unit // LANES, unit % LANES
            in_panel = block % panel
            first = block - in_panel
            apart = min(panel, blocks - first) * n_gates * LANES
            to = out + VECTOR * (first * depth * n_gates + in_panel * n_gates + slot) + NUMBER * lane
            for k in range(depth):
                store_number(to, k * apart, load_number(gate, unit * depth + k) if unit < units else _ZERO)


@register_jitable
def pack_bias(bias_ih: int, bias_hh: int, units: int, n_gates: int, n_slots: int, first_gate: int, out: int) -> None:
    """From two of (gate, unit) to (block, slot, lane), where a slot that sees both x and the state has the sum."""
    of_state = n_slots - n_gates
    for slot in range(n_slots):
        for unit in range((units + LANES - 1) // LANES * LANES):
            bias = _ZERO
            if unit < units and slot < n_gates:
                bias += load_number(bias_ih, (first_gate + slot) % n_gates * units + unit)
            if unit < units and slot >= of_state:
                bias += load_number(bias_hh, (slot - of_state) * units + unit)
            store_number(out, (unit // LANES * n_slots + slot) * LANES + unit % LANES, bias)


@register_jitable
def pack_back(weights: int, n_columns: int, units: int, n_gates: int, first_gate: int, out: int) -> None:
    """From (gate, unit, column) to (pair of vectors of columns, slot * unit, vector, lane)."""
    width, vectors = (units + LANES - 1) // LANES * LANES, (n_columns + LANES - 1) // LANES
    depth = n_gates * width
    for slot in range(n_gates):
        gate = weights + NUMBER * ((first_gate + slot) % n_gates) * units * n_columns
        for unit in range(width):
            for vector in range(vectors):
                in_pair = vector % 2
                first = vector - in_pair
                to = out + VECTOR * (first * depth + (slot * width + unit) * min(2, vectors - first) + in_pair)
                for lane in range(LANES):
                    column = vector * LANES + lane
                    inside = unit < units and column < n_columns
                    store_number(to, lane, load_number(gate, unit * n_columns + column) if inside else _ZERO)


@register_jitable
def unpack(
    sums: int, n_sets: int, apart: int, n_columns: int, units: int, n_gates: int, first_gate: int, row: int, out: int
) -> None:
    """From sets of (column, slot * unit), so many bytes apart, with ``row`` numbers a column, to (gate, unit, column)."""
    width = (units + LANES - 1) // LANES * LANES
    for slot in range(n_gates):
        gate = out + NUMBER * ((first_gate + slot) % n_gates) * units * n_columns
        for unit in range(units):
            for column in range(n_columns):
                total = _ZERO
                for i in range(n_sets):
                    total += load_number(sums + i * apart, column * row + slot * width + unit)
                store_number(gate, unit * n_columns + column, total)


@register_jitable
def put_in(given: int, row: int, n_rows: int, units: int, out: int) -> None:
    """From rows of (sample, unit) without gaps, or zeros if there are none, to whole vectors of units."""
    width = (units + LANES - 1) // LANES * LANES
    for i in range(n_rows):
        for unit in range(width):
            inside = unit < units and given != 0
            store_number(out, i * width + unit, load_number(given, (row + i) * units + unit) if inside else _ZERO)


@register_jitable
def take_out(states: int, row: int, n_rows: int, units: int, out: int) -> None:
    """From whole vectors of units to rows of (sample, unit) without gaps, if there is an address for them."""
    width = (units + LANES - 1) // LANES * LANES
    if out != 0:
        for i in range(n_rows):
            for unit in range(units):
                store_number(out, (row + i) * units + unit, load_number(states, i * width + unit))
