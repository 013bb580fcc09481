"""Through time, for any cell: a cell adds its equations for one vector of units.

Samples do not meet, so a group of rows is read from its first step to its last before the next group: its states stay
in the cache. Where a group does not divide into tiles, the last tile begins earlier and writes what was there again.
"""

from collections.abc import Callable
from typing import Any

from numba.extending import register_jitable

from sklrnn.kernels._arguments import NUMBER, Shape, reader_memory
from sklrnn.kernels._matmul import ROWS, end_of_group, slot_sums
from sklrnn.kernels._naming import specialised
from sklrnn.kernels._packing import pack, pack_bias, put_in, take_out
from sklrnn.kernels._simd import LANES, VECTOR, heed_denormals, ignore_denormals

_reader_memory = register_jitable(reader_memory)


def forward_pass(step: Callable[..., None], shape: Shape) -> Any:
    """All states of a cell and, where asked, what going back will need.

    ``step(sums, gates, old, new, old_memory, new_memory)`` turns one vector of each slot into one of the new state.
    """
    n_gates, n_slots, first_gate, panel, *_ = shape
    wide = _over_rows(step, n_gates, n_slots, panel)
    narrow = wide if panel == 1 else _over_rows(step, n_gates, n_slots, 1)

    @specialised
    def read(plan, first_row, end_row, own):  # type: ignore[no-untyped-def]
        units, blocks = plan.units, (plan.units + LANES - 1) // LANES
        m = _reader_memory(own, LANES, n_gates, n_slots, plan.n_features, units, plan.n_in_group)
        before = ignore_denormals()
        pack(plan.weight_ih, units, plan.n_features, n_gates, first_gate, panel, m.weights_x)
        pack(plan.weight_hh, units, units, n_gates, 0, panel, m.weights_h)
        pack_bias(plan.bias_ih, plan.bias_hh, units, n_gates, n_slots, first_gate, m.bias)
        row = first_row
        while row < end_row:
            end = end_of_group(row, end_row, plan.n_in_group)
            put_in(plan.first, row, end - row, units, m.first)
            put_in(plan.first_memory, row, end - row, units, m.first_memory)
            for t in range(plan.n_steps):
                block = 0
                while block < blocks:
                    if blocks - block >= panel:
                        wide(plan, m, row, end, t, block, blocks)
                        block += panel
                    else:
                        narrow(plan, m, row, end, t, block, blocks)
                        block += 1
            at = (plan.n_steps - 1) * plan.n_rows + row
            take_out(plan.states + VECTOR * blocks * at, row, end - row, units, plan.last)
            at = (plan.n_steps - 1) % plan.n_kept * plan.n_rows + row
            take_out(plan.memory + VECTOR * blocks * at, row, end - row, units, plan.last_memory)
            row = end
        heed_denormals(before)

    return read


def _over_rows(step: Any, n_gates: int, n_slots: int, panel: int) -> Any:
    """One step of one panel of units, for all rows of a group."""
    n_rows = ROWS[n_gates * panel]
    tile, single = (_tile(step, n_gates, n_slots, panel, n) for n in (n_rows, 1))

    @specialised
    def run(plan, m, row, end, t, block, blocks):  # type: ignore[no-untyped-def]
        if end - row < n_rows:
            for at in range(row, end):
                single(plan, m, row, at, t, block, blocks)
        else:
            for at in range(row, end, n_rows):
                tile(plan, m, row, min(at, end - n_rows), t, block, blocks)

    return run


def _tile(step: Any, n_gates: int, n_slots: int, panel: int, n_rows: int) -> Any:
    """One step of one panel of units, for some rows."""
    multiply = slot_sums(n_rows, panel, n_gates, n_slots)
    apart = panel * n_slots

    @specialised
    def run(plan, m, group, row, t, block, blocks):  # type: ignore[no-untyped-def]
        n, at, width = plan.n_rows * blocks, row * blocks + block, blocks * LANES
        old, old_memory = m.first - VECTOR * group * blocks, m.first_memory - VECTOR * group * blocks
        if t > 0:
            old = plan.states + VECTOR * (t - 1) * n
            old_memory = plan.memory + VECTOR * ((t - 1) % plan.n_kept) * n
        new, new_memory = plan.states + VECTOR * t * n, plan.memory + VECTOR * (t % plan.n_kept) * n

        bias = m.bias + VECTOR * block * n_slots
        x = plan.x + NUMBER * (t * plan.x_step + row * plan.x_row)
        weights_x = m.weights_x + VECTOR * block * plan.n_features * n_gates
        state = old + NUMBER * row * width
        weights_h = m.weights_h + VECTOR * block * plan.units * n_gates
        multiply(m.tile, bias, x, plan.x_row, weights_x, plan.n_features, state, width, weights_h, plan.units)

        gates, gates_apart = m.tile, apart
        if plan.gates != 0:
            gates, gates_apart = plan.gates + VECTOR * (t * n + at) * n_slots, blocks * n_slots
        for i in range(n_rows):
            for p in range(panel):
                here = VECTOR * (at + i * blocks + p)
                step(
                    m.tile + VECTOR * (i * apart + p * n_slots),
                    gates + VECTOR * (i * gates_apart + p * n_slots),
                    old + here,
                    new + here,
                    old_memory + here,
                    new_memory + here,
                )

    return run
