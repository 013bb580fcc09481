"""Products of a few rows of states with a block of weights, held in the processor's registers."""

from typing import Any

import numba
from llvmlite import ir
from numba.extending import intrinsic, register_jitable

from sklrnn.kernels._arguments import MOST_ROWS
from sklrnn.kernels._simd import (
    _FUSED,
    LANES,
    N_REGISTERS,
    all_lanes,
    constant,
    load_vector,
    pointer,
    store_vector,
)

# Rows that fit into the registers beside their weights, by the number of vectors in a row.
ROWS = {1: 8, 2: 8, 3: 8, 4: 4} if N_REGISTERS == 32 else {1: 8, 2: 4, 3: 4, 4: 2}


def product(rows: int, vectors: int) -> Any:
    """Make a function of numba's language: ``out = start + left @ right`` for so many rows of so many vectors.

    It takes the addresses and strides of its four matrices and the ``depth`` of the product: of ``start``, ``out`` and
    ``right`` the vectors from row to row, of ``left`` the numbers from row to row and from column to column.
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
            start, start_row, out, out_row, left, left_row, *of_depth = args
            sums = _load_tile(builder, start, start_row, rows, range(vectors))
            left_rows = _rows(builder, left, left_row, rows)
            sums = _add_product(builder, sums, left_rows, range(vectors), *of_depth)
            _store_tile(builder, out, out_row, sums)
            return context.get_dummy_value()

        return numba.types.void(*[numba.types.int64] * 10), generate

    multiply.__qualname__ = f"product_{rows}_{vectors}"
    return intrinsic(multiply)


def slot_sums(rows: int, panel: int, n_gates: int, n_slots: int) -> Any:
    """Make a function of numba's language: all slots of so many rows and one panel of units at one step.

    The first ``n_gates`` slots of each block are the bias and x times weights, the last ``n_gates`` the bias and the
    state times weights; those that are both add up.
    """
    vectors = n_slots * panel
    of_state = n_slots - n_gates

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
            n, one, same = constant(n_gates * panel), constant(1), constant(0)
            seen_by_x, seen_by_state = range(vectors - of_state), range(of_state, vectors)
            sums = _load_tile(builder, bias, same, rows, seen_by_x)
            x_rows = _rows(builder, x, x_row, rows)
            sums = _add_product(builder, sums, x_rows, seen_by_x, one, weights_x, n, n_features)
            # What only x adds to leaves the registers before what only the state adds to comes in.
            done = {place: sums.pop(place) for place in list(sums) if place[1] not in seen_by_state}
            _store_tile(builder, out, constant(vectors), done)
            sums |= _load_tile(builder, bias, same, rows, range(vectors - of_state, vectors))
            state_rows = _rows(builder, state, state_row, rows)
            sums = _add_product(builder, sums, state_rows, seen_by_state, one, weights_h, n, units)
            _store_tile(builder, out, constant(vectors), sums)
            return context.get_dummy_value()

        return numba.types.void(*[numba.types.int64] * 10), generate

    multiply.__qualname__ = f"slot_sums_{rows}_{panel}_{n_gates}_{n_slots}"
    return intrinsic(multiply)


def _place(builder: Any, apart: Any, row: int, vector: int) -> Any:
    return builder.add(builder.mul(apart, constant(row * LANES)), constant(vector * LANES))


def _load_tile(builder: Any, address: Any, apart: Any, rows: int, vectors: range) -> Any:
    return {
        (row, vector): load_vector(builder, address, _place(builder, apart, row, vector))
        for row in range(rows)
        for vector in vectors
    }


def _store_tile(builder: Any, address: Any, apart: Any, tile: Any) -> None:
    for (row, vector), value in tile.items():
        store_vector(builder, address, _place(builder, apart, row, vector), value)


def _rows(builder: Any, address: Any, apart: Any, rows: int) -> Any:
    return [pointer(builder, address, builder.mul(apart, constant(row))) for row in range(rows)]


def _add_product(
    builder: Any, sums: Any, left_rows: Any, vectors: range, left_column: Any, right: Any, right_row: Any, depth: Any
) -> Any:
    """Write the loop over the depth; the sums live in registers from its first turn to its last.

    Each element is summed in the order of the depth, so a row comes out the same whatever rows stand beside it.
    """
    before = builder.block
    head, body, after = (builder.append_basic_block(f"depth.{name}") for name in ("head", "body", "after"))
    builder.branch(head)
    builder.position_at_end(head)
    k = builder.phi(depth.type)
    k.add_incoming(constant(0), before)
    running = {at: builder.phi(first.type) for at, first in sums.items()}
    for at, first in sums.items():
        running[at].add_incoming(first, before)
    builder.cbranch(builder.icmp_signed("<", k, depth), body, after)
    builder.position_at_end(body)
    column = builder.mul(k, left_column)
    of_right = builder.mul(k, builder.mul(right_row, constant(LANES)))
    right_now = [
        load_vector(builder, right, builder.add(of_right, constant(vector * LANES))) for vector in range(len(vectors))
    ]
    for row, numbers in enumerate(left_rows):
        number = all_lanes(builder, builder.load(builder.gep(numbers, [column]), typ=ir.FloatType()))
        for vector, weight in zip(vectors, right_now, strict=True):
            one = builder.fmul(number, weight, flags=_FUSED)
            running[row, vector].add_incoming(builder.fadd(running[row, vector], one, flags=_FUSED), body)
    k.add_incoming(builder.add(k, constant(1)), body)
    builder.branch(head)
    builder.position_at_end(after)
    return running


@register_jitable
def end_of_group(row: int, end_row: int, most: int) -> int:
    """Where a group of rows that begins here ends; none is smaller than a tile, unless all rows together are."""
    return end_row if end_row - row <= most else row + most - (MOST_ROWS - 1)
