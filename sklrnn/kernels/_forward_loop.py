"""The forward pass through time of any cell, made from its equations for one vector of units.

Rows are independent, so a group of rows is processed from its first step to its last before the next group: its states
stay in the cache. Where a group does not divide into tiles, the last tile begins earlier and computes some rows again.
"""

from collections.abc import Callable, Sequence
from typing import Any

from numba.extending import register_jitable

from sklrnn.kernels._arguments import FLOAT_BYTES, CellShape, forward_scratch
from sklrnn.kernels._compile import specialised
from sklrnn.kernels._late_gate import late_gate
from sklrnn.kernels._matmul import N_SUMS, ROWS, end_of_group, slot_sums
from sklrnn.kernels._packing import pack, pack_bias, pad_rows, unpad_rows
from sklrnn.kernels._simd import LANES, VECTOR_BYTES, load, restore_flush_to_zero, set_flush_to_zero, store, zero

_forward_scratch = register_jitable(forward_scratch)


def forward_pass(steps: Sequence[Callable[..., None]], late_step: Callable[..., None] | None, shape: CellShape) -> Any:
    """Make the loop that computes all states of a cell and, where asked, the gates for the backward pass.

    A step has one or two parts, which are called with ``(sums, gates, old_state, new_state, old_cell_state,
    new_cell_state, peephole, stride)``. These are addresses; peephole weights of a unit are ``stride`` vectors apart.
    They compute one vector of the new state from one vector of each slot; the second sees what the first has stored.
    Where a gate is late, they compute the other gates only, and ``late_step`` the new state.
    """
    n_gates, n_slots, first_gate, panel, *_ = shape
    n_state_gates, n_late, n_peepholes = shape.n_state_gates, shape.n_late_gates, shape.n_peepholes
    n_panels = N_SUMS // (n_gates * panel)
    widest = _single_row_step(steps, shape, panel, n_panels)
    wide = _panel_step(steps, shape, panel)
    narrow = wide if panel == 1 else _panel_step(steps, shape, 1)
    late = late_gate(late_step, shape)

    @specialised
    def forward(args, first_row, end_row, scratch):  # type: ignore[no-untyped-def]
        units, blocks = args.units, (args.units + LANES - 1) // LANES
        s = _forward_scratch(
            scratch, LANES, n_gates, n_slots, n_late, n_peepholes, args.n_features, units, args.group_size
        )
        control = set_flush_to_zero()
        pack(args.weight_ih, units, args.n_features, n_gates, first_gate, panel, s.weights_x)
        pack(args.weight_hh, units, units, n_state_gates, 0, panel, s.weights_h)
        pack(args.weight_hh + FLOAT_BYTES * n_state_gates * units * units, units, units, n_late, 0, 2, s.weights_late)
        pack_bias(args.bias_ih, args.bias_hh, units, n_gates, n_slots, first_gate, s.bias)
        pad_rows(args.peephole, 0, n_peepholes, units, s.peephole)
        for at in range(s.zeros, s.peephole, VECTOR_BYTES):
            store(at, 0, zero())
        row = first_row
        while row < end_row:
            end = end_of_group(row, end_row, args.group_size)
            pad_rows(args.initial_state, row, end - row, units, s.initial_state)
            pad_rows(args.initial_cell_state, row, end - row, units, s.initial_cell_state)
            pad_rows(args.state_mask, row, end - row, units, s.state_mask)
            for t in range(args.n_steps):
                at = VECTOR_BYTES * blocks * (t * args.n_rows + row)
                old = args.states + at - VECTOR_BYTES * blocks * args.n_rows if t > 0 else s.initial_state
                seen = old
                if args.state_mask != 0:
                    seen = s.seen
                    for i in range((end - row) * blocks):
                        store(seen, i, load(old, i) * load(s.state_mask, i))
                block = 0
                while block < blocks:
                    if end - row == 1 and blocks - block >= n_panels * panel:
                        widest(args, s, row, end, t, block, blocks)
                        block += n_panels * panel
                    elif blocks - block >= panel:
                        wide(args, s, row, end, t, block, blocks)
                        block += panel
                    else:
                        narrow(args, s, row, end, t, block, blocks)
                        block += 1
                gates = args.gates + at * n_slots if args.gates != 0 else s.gates
                late(args, s, end - row, blocks, gates, old, args.states + at, seen)
            at = (args.n_steps - 1) * args.n_rows + row
            unpad_rows(args.states + VECTOR_BYTES * blocks * at, row, end - row, units, args.final_state)
            at = (args.n_steps - 1) % args.n_saved_steps * args.n_rows + row
            unpad_rows(args.cell_states + VECTOR_BYTES * blocks * at, row, end - row, units, args.final_cell_state)
            row = end
        restore_flush_to_zero(control)

    return forward


def _panel_step(steps: Sequence[Callable[..., None]], shape: CellShape, panel: int) -> Any:
    """Make one time step of one panel of units, for all rows of a group: first all sums, then each part of the step.

    Rows wait for nothing of each other, so a processor works on several of them at a time where each part is short.
    """
    n_rows = ROWS[shape.n_gates * panel]
    tile, pair, single = (_tile_sums(shape, panel, 1, n) for n in (n_rows, 2, 1))
    gates = _gates(steps, shape, panel)

    @specialised
    def panel_step(args, s, row, end, t, block, blocks):  # type: ignore[no-untyped-def]
        if end - row >= n_rows:
            for at in range(row, end, n_rows):
                tile(args, s, row, min(at, end - n_rows), t, block, blocks)
        elif end - row >= 2:
            for at in range(row, end, 2):
                pair(args, s, row, min(at, end - 2), t, block, blocks)
        else:
            single(args, s, row, row, t, block, blocks)
        gates(args, s, row, end, t, block, blocks)

    return panel_step


def _single_row_step(steps: Sequence[Callable[..., None]], shape: CellShape, panel: int, n_panels: int) -> Any:
    """Make one time step of some panels of units, for a single row."""
    sums, gates = _tile_sums(shape, panel, n_panels, 1), _gates(steps, shape, panel * n_panels)

    @specialised
    def single_row_step(args, s, row, end, t, block, blocks):  # type: ignore[no-untyped-def]
        sums(args, s, row, row, t, block, blocks)
        gates(args, s, row, end, t, block, blocks)

    return single_row_step


def _tile_sums(shape: CellShape, panel: int, n_panels: int, n_rows: int) -> Any:
    """Make the slots of some panels of units at one time step, for some rows."""
    n_gates, n_slots, n_state_gates = shape.n_gates, shape.n_slots, shape.n_state_gates
    multiply = slot_sums(n_rows, panel, n_panels, n_gates, n_slots, n_state_gates)

    @specialised
    def tile_sums(args, s, group, row, t, block, blocks):  # type: ignore[no-untyped-def]
        state, width = s.initial_state, blocks * LANES
        if args.state_mask != 0:
            state = s.seen
        elif t > 0:
            state = args.states + VECTOR_BYTES * ((t - 1) * args.n_rows + group) * blocks
        state += FLOAT_BYTES * (row - group) * width
        out = s.sums + VECTOR_BYTES * (row - group) * n_panels * panel * n_slots
        bias = s.bias + VECTOR_BYTES * block * n_slots
        x = args.x + FLOAT_BYTES * (t * args.x_step + row * args.x_row)
        weights_x = s.weights_x + VECTOR_BYTES * block * args.n_features * n_gates
        weights_h = s.weights_h + VECTOR_BYTES * block * args.units * n_state_gates
        multiply(out, bias, x, args.x_row, weights_x, args.n_features, state, width, weights_h, args.units)

    return tile_sums


def _gates(steps: Sequence[Callable[..., None]], shape: CellShape, panel: int) -> Any:
    """Make what follows from the sums of some blocks of units, for all rows of a group."""
    first, *_ = parts = [_over_rows(step, shape, panel) for step in steps]
    second = parts[-1]
    if len(parts) == 1:
        return first

    @specialised
    def both(args, s, row, end, t, block, blocks):  # type: ignore[no-untyped-def]
        first(args, s, row, end, t, block, blocks)
        second(args, s, row, end, t, block, blocks)

    return both


def _over_rows(step: Callable[..., None], shape: CellShape, panel: int) -> Any:
    """Make a part of the step of some blocks of units, for all rows of a group."""
    n_slots, is_late = shape.n_slots, shape.n_late_gates > 0
    sums_stride = panel * n_slots

    @specialised
    def over_rows(args, s, row, end, t, block, blocks):  # type: ignore[no-untyped-def]
        n, group = args.n_rows * blocks, row * blocks
        old, old_cell = s.initial_state, s.initial_cell_state
        if t > 0:
            old = args.states + VECTOR_BYTES * ((t - 1) * n + group)
            old_cell = args.cell_states + VECTOR_BYTES * ((t - 1) % args.n_saved_steps * n + group)
        new = args.states + VECTOR_BYTES * (t * n + group)
        new_cell = args.cell_states + VECTOR_BYTES * (t % args.n_saved_steps * n + group)
        gates, gates_stride = s.sums, sums_stride
        if args.gates != 0:
            gates, gates_stride = args.gates + VECTOR_BYTES * (t * n + group + block) * n_slots, blocks * n_slots
        elif is_late:
            gates, gates_stride = s.gates + VECTOR_BYTES * block * n_slots, blocks * n_slots
        for i in range(end - row):
            for p in range(panel):
                offset = VECTOR_BYTES * (i * blocks + block + p)
                step(
                    s.sums + VECTOR_BYTES * (i * sums_stride + p * n_slots),
                    gates + VECTOR_BYTES * (i * gates_stride + p * n_slots),
                    old + offset,
                    new + offset,
                    old_cell + offset,
                    new_cell + offset,
                    s.peephole + VECTOR_BYTES * (block + p),
                    blocks,
                )

    return over_rows
