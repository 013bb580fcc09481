"""Products of a few rows with a block of weights, held in the processor's registers."""

from collections.abc import Sequence
from typing import Any

import numba
from llvmlite import ir
from numba.extending import intrinsic, register_jitable

from sklrnn.kernels._arguments import MAX_TILE_ROWS
from sklrnn.kernels._simd import (
    FUSED,
    LANES,
    N_REGISTERS,
    VECTOR_BYTES,
    all_lanes,
    constant,
    load_vector,
    pointer,
    store_vector,
)

# Rows that fit into the registers beside their weights, by the number of vectors in a row.
ROWS = {1: 8, 2: 8, 3: 8, 4: 4} if N_REGISTERS == 32 else {1: 8, 2: 4, 3: 4, 4: 2}


# A processor can add two vectors at a time, and each takes it four cycles: fewer sums than these would wait.
N_SUMS = 8


def product(rows: int, vectors: int, n_panels: int = 1) -> Any:
    """Make a function of numba's language: ``out = start + left @ right`` for a fixed number of rows and of vectors.

    It takes the addresses and strides of its four matrices and the ``depth`` of the product: of ``start``, ``out`` and
    ``right`` the vectors from row to row, of ``left`` the floats from row to row and from column to column. ``vectors``
    are those of all panels, which follow each other in ``right``.
    """

    def multiply(
        typing_context: Any,
        start: Any,
        start_row: Any,
        out: Any,
        out_row: Any,
        left: Any,
        left_row: Any,
        left_column: Any,
        right: Any,
        right_row: Any,
        depth: Any,
    ) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            start, start_row, out, out_row, left, left_row, *product_args = args
            sums = _load_tile(builder, start, start_row, rows, range(vectors))
            left_rows = _rows(builder, left, left_row, rows)
            sums = _add_product(builder, sums, left_rows, range(vectors), n_panels, *product_args)
            _store_tile(builder, out, out_row, sums)
            return context.get_dummy_value()

        return numba.types.void(*[numba.types.int64] * 10), generate

    multiply.__qualname__ = f"product_{rows}_{vectors}_{n_panels}"
    return intrinsic(multiply)


def slot_sums(rows: int, panel: int, n_panels: int, n_gates: int, n_slots: int, n_state_gates: int) -> Any:
    """Make a function of numba's language: all slots of some rows and some panels of units at one step.

    The first ``n_gates`` slots of each block are the bias plus x times weights, the last ``n_state_gates`` the bias
    plus the state times weights; those that are among both are the sum of all three. All are among both where a panel
    has several blocks.
    """
    of_panel = n_slots * panel
    vectors = range(of_panel * n_panels)
    x_slots = [vector for vector in vectors if vector % of_panel < of_panel - (n_slots - n_gates)]
    state_slots = [vector for vector in vectors if vector % of_panel >= n_slots - n_state_gates]

    def multiply(
        typing_context: Any,
        out: Any,
        bias: Any,
        x: Any,
        x_row: Any,
        weights_x: Any,
        n_features: Any,
        state: Any,
        state_row: Any,
        weights_h: Any,
        units: Any,
    ) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            out, bias, x, x_row, weights_x, n_features, state, state_row, weights_h, units = args
            one, no_stride = constant(1), constant(0)
            sums = _load_tile(builder, bias, no_stride, rows, x_slots)
            x_rows, stride = _rows(builder, x, x_row, rows), constant(len(x_slots) // n_panels)
            sums = _add_product(builder, sums, x_rows, x_slots, n_panels, one, weights_x, stride, n_features)
            # Slots that only x adds to leave the registers before those that only the state adds to are loaded.
            done = {at: sums.pop(at) for at in list(sums) if at[1] not in state_slots}
            _store_tile(builder, out, constant(len(vectors)), done)
            sums |= _load_tile(builder, bias, no_stride, rows, [at for at in state_slots if at not in x_slots])
            state_rows, stride = _rows(builder, state, state_row, rows), constant(len(state_slots) // n_panels)
            sums = _add_product(builder, sums, state_rows, state_slots, n_panels, one, weights_h, stride, units)
            _store_tile(builder, out, constant(len(vectors)), sums)
            return context.get_dummy_value()

        return numba.types.void(*[numba.types.int64] * 10), generate

    multiply.__qualname__ = f"slot_sums_{rows}_{panel}_{n_panels}_{n_gates}_{n_slots}_{n_state_gates}"
    return intrinsic(multiply)


def _offset(builder: Any, stride: Any, row: int, vector: int) -> Any:
    return builder.add(builder.mul(stride, constant(row * LANES)), constant(vector * LANES))


def _load_tile(builder: Any, address: Any, stride: Any, rows: int, vectors: Sequence[int]) -> Any:
    return {
        (row, vector): load_vector(builder, address, _offset(builder, stride, row, vector))
        for row in range(rows)
        for vector in vectors
    }


def _store_tile(builder: Any, address: Any, stride: Any, tile: Any) -> None:
    for (row, vector), value in tile.items():
        store_vector(builder, address, _offset(builder, stride, row, vector), value)


def _rows(builder: Any, address: Any, stride: Any, rows: int) -> Any:
    return [pointer(builder, address, builder.mul(stride, constant(row))) for row in range(rows)]


def _add_product(
    builder: Any,
    sums: Any,
    left_rows: Any,
    vectors: Sequence[int],
    n_panels: int,
    left_column: Any,
    right: Any,
    right_row: Any,
    depth: Any,
) -> Any:
    """Generate the loop over the depth; the sums stay in registers from its first turn to its last.

    Each element is summed in the order of the depth, in a tile of any size, so a row of the result does not depend
    on the rows beside it: it is equal to the bit in any batch.
    """
    panel_bytes = builder.mul(builder.mul(depth, right_row), constant(VECTOR_BYTES))
    panels = [builder.add(right, builder.mul(panel_bytes, constant(panel))) for panel in range(n_panels)]
    entry = builder.block
    head, body, after = (builder.append_basic_block(f"depth.{name}") for name in ("head", "body", "after"))
    builder.branch(head)
    builder.position_at_end(head)
    k = builder.phi(depth.type)
    k.add_incoming(constant(0), entry)
    running = {at: builder.phi(first.type) for at, first in sums.items()}
    for at, first in sums.items():
        running[at].add_incoming(first, entry)
    builder.cbranch(builder.icmp_signed("<", k, depth), body, after)
    builder.position_at_end(body)
    column = builder.mul(k, left_column)
    right_offset = builder.mul(k, builder.mul(right_row, constant(LANES)))
    right_now = [
        load_vector(builder, panel, builder.add(right_offset, constant(vector * LANES)))
        for panel in panels
        for vector in range(len(vectors) // n_panels)
    ]
    for row, first in enumerate(left_rows):
        value = all_lanes(builder, builder.load(builder.gep(first, [column]), typ=ir.FloatType()))
        for vector, weight in zip(vectors, right_now, strict=True):
            term = builder.fmul(value, weight, flags=FUSED)
            running[row, vector].add_incoming(builder.fadd(running[row, vector], term, flags=FUSED), body)
    k.add_incoming(builder.add(k, constant(1)), body)
    builder.branch(head)
    builder.position_at_end(after)
    return running


@register_jitable
def end_of_group(row: int, end_row: int, group_size: int) -> int:
    """The end of the group of rows that begins here; none is smaller than a tile, unless all rows together are."""
    return end_row if end_row - row <= group_size else row + group_size - (MAX_TILE_ROWS - 1)
