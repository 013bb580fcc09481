"""Weights of torch in the order in which products read them, and gradients in the order of torch."""

import numba
from numba.extending import register_jitable

from sklrnn.kernels._arguments import FLOAT_BYTES
from sklrnn.kernels._simd import LANES, VECTOR_BYTES, load_scalar, store_scalar

_ZERO = numba.float32(0.0)


@register_jitable
def padded(n: int) -> int:
    """``n`` floats rounded up to whole vectors."""
    return (n + LANES - 1) // LANES * LANES


@register_jitable
def pack(weights: int, units: int, depth: int, n_gates: int, first_gate: int, panel: int, out: int) -> None:
    """From (gate, unit, depth) to (panel of blocks, depth, block and slot, lane), with zeros beyond the last unit."""
    blocks = (units + LANES - 1) // LANES
    for slot in range(n_gates):
        gate = weights + FLOAT_BYTES * ((first_gate + slot) % n_gates) * units * depth
        for unit in range(blocks * LANES):
            block, lane = unit // LANES, unit % LANES
            in_panel = block % panel
            first = block - in_panel
            stride = min(panel, blocks - first) * n_gates * LANES
            to = out + VECTOR_BYTES * (first * depth * n_gates + in_panel * n_gates + slot) + FLOAT_BYTES * lane
            for k in range(depth):
                store_scalar(to, k * stride, load_scalar(gate, unit * depth + k) if unit < units else _ZERO)


@register_jitable
def pack_bias(bias_ih: int, bias_hh: int, units: int, n_gates: int, n_slots: int, first_gate: int, out: int) -> None:
    """From two of (gate, unit), the second perhaps absent, to (block, slot, lane).

    A slot that sums over both x and the state has both biases.
    """
    first_state_slot = n_slots - n_gates
    for slot in range(n_slots):
        for unit in range((units + LANES - 1) // LANES * LANES):
            bias = _ZERO
            if unit < units and slot < n_gates:
                bias += load_scalar(bias_ih, (first_gate + slot) % n_gates * units + unit)
            if unit < units and slot >= first_state_slot and bias_hh != 0:
                bias += load_scalar(bias_hh, (slot - first_state_slot) * units + unit)
            store_scalar(out, (unit // LANES * n_slots + slot) * LANES + unit % LANES, bias)


@register_jitable
def pack_transposed(weights: int, n_columns: int, units: int, n_gates: int, first_gate: int, out: int) -> None:
    """From (gate, unit, column) to (pair of vectors of columns, slot * unit, vector, lane)."""
    vectors, depth = (n_columns + LANES - 1) // LANES, n_gates * units
    for slot in range(n_gates):
        gate = weights + FLOAT_BYTES * ((first_gate + slot) % n_gates) * units * n_columns
        for unit in range(units):
            for vector in range(vectors):
                in_pair = vector % 2
                first = vector - in_pair
                to = out + VECTOR_BYTES * (first * depth + (slot * units + unit) * min(2, vectors - first) + in_pair)
                for lane in range(LANES):
                    column = vector * LANES + lane
                    value = load_scalar(gate, unit * n_columns + column) if column < n_columns else _ZERO
                    store_scalar(to, lane, value)


@register_jitable
def unpack_gradient(
    sums: int,
    n_threads: int,
    stride: int,
    n_columns: int,
    units: int,
    n_gates: int,
    first_gate: int,
    row: int,
    slot_row: int,
    out: int,
) -> None:
    """Add up the sums of all threads, ``stride`` bytes apart: (column, slot, unit) to (gate, unit, column).

    ``row`` and ``slot_row`` are the strides in floats from column to column and from slot to slot.
    """
    for slot in range(n_gates):
        gate = out + FLOAT_BYTES * ((first_gate + slot) % n_gates) * units * n_columns
        for unit in range(units):
            for column in range(n_columns):
                total = _ZERO
                for i in range(n_threads):
                    total += load_scalar(sums + i * stride, column * row + slot * slot_row + unit)
                store_scalar(gate, unit * n_columns + column, total)


@register_jitable
def pad_rows(rows: int, row: int, n_rows: int, units: int, out: int) -> None:
    """From contiguous (row, unit), or zeros if there is no address, to (row, padded unit)."""
    width = (units + LANES - 1) // LANES * LANES
    for i in range(n_rows):
        for unit in range(width):
            exists = unit < units and rows != 0
            store_scalar(out, i * width + unit, load_scalar(rows, (row + i) * units + unit) if exists else _ZERO)


@register_jitable
def unpad_rows(padded: int, row: int, n_rows: int, units: int, out: int) -> None:
    """From (row, padded unit) to contiguous (row, unit), if there is an address for it."""
    width = (units + LANES - 1) // LANES * LANES
    if out != 0:
        for i in range(n_rows):
            for unit in range(units):
                store_scalar(out, (row + i) * units + unit, load_scalar(padded, i * width + unit))
