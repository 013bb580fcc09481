"""The forward pass through time of any cell, made from its equations for one vector of units.

Rows are independent, so a group of rows is processed from its first step to its last before the next group: its states
stay in the cache. Where a group does not divide into tiles, the last tile begins earlier and computes some rows again.
"""

from collections.abc import Callable
from typing import Any

from numba.extending import register_jitable

from sklrnn.kernels._arguments import FLOAT_BYTES, CellShape, forward_scratch
from sklrnn.kernels._compile import specialised
from sklrnn.kernels._matmul import ROWS, end_of_group, slot_sums
from sklrnn.kernels._packing import pack, pack_bias, pad_rows, unpad_rows
from sklrnn.kernels._simd import LANES, VECTOR_BYTES, restore_flush_to_zero, set_flush_to_zero

_forward_scratch = register_jitable(forward_scratch)


def forward_pass(step: Callable[..., None], shape: CellShape) -> Any:
    """Make the loop that computes all states of a cell and, where asked, the gates for the backward pass.

    ``step(sums, gates, old_state, new_state, old_cell_state, new_cell_state)`` is given addresses. It computes one
    vector of the new state from one vector of each slot.
    """
    n_gates, n_slots, first_gate, panel, *_ = shape
    wide = _panel_step(step, n_gates, n_slots, panel)
    narrow = wide if panel == 1 else _panel_step(step, n_gates, n_slots, 1)

    @specialised
    def forward(args, first_row, end_row, scratch):  # type: ignore[no-untyped-def]
        units, blocks = args.units, (args.units + LANES - 1) // LANES
        s = _forward_scratch(scratch, LANES, n_gates, n_slots, args.n_features, units, args.group_size)
        control = set_flush_to_zero()
        pack(args.weight_ih, units, args.n_features, n_gates, first_gate, panel, s.weights_x)
        pack(args.weight_hh, units, units, n_gates, 0, panel, s.weights_h)
        pack_bias(args.bias_ih, args.bias_hh, units, n_gates, n_slots, first_gate, s.bias)
        row = first_row
        while row < end_row:
            end = end_of_group(row, end_row, args.group_size)
            pad_rows(args.initial_state, row, end - row, units, s.initial_state)
            pad_rows(args.initial_cell_state, row, end - row, units, s.initial_cell_state)
            for t in range(args.n_steps):
                block = 0
                while block < blocks:
                    if blocks - block >= panel:
                        wide(args, s, row, end, t, block, blocks)
                        block += panel
                    else:
                        narrow(args, s, row, end, t, block, blocks)
                        block += 1
            at = (args.n_steps - 1) * args.n_rows + row
            unpad_rows(args.states + VECTOR_BYTES * blocks * at, row, end - row, units, args.final_state)
            at = (args.n_steps - 1) % args.n_saved_steps * args.n_rows + row
            unpad_rows(args.cell_states + VECTOR_BYTES * blocks * at, row, end - row, units, args.final_cell_state)
            row = end
        restore_flush_to_zero(control)

    return forward


def _panel_step(step: Any, n_gates: int, n_slots: int, panel: int) -> Any:
    """Make one time step of one panel of units, for all rows of a group."""
    n_rows = ROWS[n_gates * panel]
    tile, single = (_tile_step(step, n_gates, n_slots, panel, n) for n in (n_rows, 1))

    @specialised
    def panel_step(args, s, row, end, t, block, blocks):  # type: ignore[no-untyped-def]
        if end - row < n_rows:
            for at in range(row, end):
                single(args, s, row, at, t, block, blocks)
        else:
            for at in range(row, end, n_rows):
                tile(args, s, row, min(at, end - n_rows), t, block, blocks)

    return panel_step


def _tile_step(step: Any, n_gates: int, n_slots: int, panel: int, n_rows: int) -> Any:
    """Make one time step of one panel of units, for some rows."""
    multiply = slot_sums(n_rows, panel, n_gates, n_slots)
    sums_stride = panel * n_slots

    @specialised
    def tile_step(args, s, group, row, t, block, blocks):  # type: ignore[no-untyped-def]
        n, at, width = args.n_rows * blocks, row * blocks + block, blocks * LANES
        group_offset = VECTOR_BYTES * group * blocks
        old, old_cell = s.initial_state - group_offset, s.initial_cell_state - group_offset
        if t > 0:
            old = args.states + VECTOR_BYTES * (t - 1) * n
            old_cell = args.cell_states + VECTOR_BYTES * ((t - 1) % args.n_saved_steps) * n
        new = args.states + VECTOR_BYTES * t * n
        new_cell = args.cell_states + VECTOR_BYTES * (t % args.n_saved_steps) * n

        bias = s.bias + VECTOR_BYTES * block * n_slots
        x = args.x + FLOAT_BYTES * (t * args.x_step + row * args.x_row)
        weights_x = s.weights_x + VECTOR_BYTES * block * args.n_features * n_gates
        state = old + FLOAT_BYTES * row * width
        weights_h = s.weights_h + VECTOR_BYTES * block * args.units * n_gates
        multiply(s.tile, bias, x, args.x_row, weights_x, args.n_features, state, width, weights_h, args.units)

        gates, gates_stride = s.tile, sums_stride
        if args.gates != 0:
            gates, gates_stride = args.gates + VECTOR_BYTES * (t * n + at) * n_slots, blocks * n_slots
        for i in range(n_rows):
            for p in range(panel):
                offset = VECTOR_BYTES * (at + i * blocks + p)
                step(
                    s.tile + VECTOR_BYTES * (i * sums_stride + p * n_slots),
                    gates + VECTOR_BYTES * (i * gates_stride + p * n_slots),
                    old + offset,
                    new + offset,
                    old_cell + offset,
                    new_cell + offset,
                )

    return tile_step
