"""The gradients of the weights and biases: products of the inputs of the slots with the gradients of the slots."""

from typing import Any

from sklrnn.kernels._arguments import FLOAT_BYTES, CellShape
from sklrnn.kernels._compile import specialised
from sklrnn.kernels._matmul import ROWS, product
from sklrnn.kernels._packing import padded
from sklrnn.kernels._simd import LANES, VECTOR_BYTES, load, store

# From so many rows on, a tile is faster than single rows, even if not all of it is needed.
_MIN_ROWS_FOR_TILE = 3


def weight_gradients(shape: CellShape) -> Any:
    """Make the sums over a chunk of time of the gradients of all weights and biases: (input, slot * unit)."""
    n_gates, n_slots, n_state_gates, n_late = shape.n_gates, shape.n_slots, shape.n_state_gates, shape.n_late_gates
    add_products, bias = _over_columns(), product(1, n_slots)

    @specialised
    def weight_gradients(args, s, blocks, n_rows):  # type: ignore[no-untyped-def]
        # Sums beyond the last slot are those of whatever lies there; nobody reads them.
        units, seen = args.units, s.inputs + VECTOR_BYTES * s.blocks_x
        if args.grad_weight_ih != 0:
            add_products(s, args.n_features, s.inputs, s.grad_slots, n_rows, padded(n_gates * units) // LANES, s.sums_x)
        if args.grad_weight_hh != 0:
            state_slots = s.grad_slots + FLOAT_BYTES * (n_slots - n_state_gates) * units
            add_products(s, units, seen, state_slots, n_rows, padded(n_state_gates * units) // LANES, s.sums_h)
            if n_late:
                add_products(s, units, seen + VECTOR_BYTES * blocks, s.grad_slots, n_rows, blocks, s.sums_late)
        if args.grad_bias_ih != 0 or args.grad_bias_hh != 0:
            for at in range(0, padded(n_slots * units) // LANES, n_slots):
                slots = s.grad_slots + VECTOR_BYTES * at
                bias(s.zeros, 0, s.tile, 0, s.one, 0, 0, slots, s.slot_stride, n_rows)
                for vector in range(n_slots):
                    store(s.sums_bias, at + vector, load(s.sums_bias, at + vector) + load(s.tile, vector))

    return weight_gradients


def _over_columns() -> Any:
    """Make the same for the weights of some gates, three vectors at a time, which leaves no register unused."""
    three, two, one = (_panel_gradients(n) for n in (3, 2, 1))

    @specialised
    def over_columns(s, n_inputs, inputs, slots, n_rows, n_columns, sums):  # type: ignore[no-untyped-def]
        for column in range(0, n_columns - 2, 3):
            offset = VECTOR_BYTES * column
            three(s, n_inputs, inputs, slots + offset, n_rows, n_columns, sums + offset)
        rest = n_columns % 3
        offset = VECTOR_BYTES * (n_columns - rest)
        if rest == 2:
            two(s, n_inputs, inputs, slots + offset, n_rows, n_columns, sums + offset)
        elif rest == 1:
            one(s, n_inputs, inputs, slots + offset, n_rows, n_columns, sums + offset)

    return over_columns


def _panel_gradients(vectors: int) -> Any:
    """Make the same for some columns of the weights."""
    n_tile = ROWS[vectors]
    tile, single = product(n_tile, vectors), product(1, vectors)

    @specialised
    def panel_gradients(s, n_inputs, inputs, slots, n_rows, n_columns, sums):  # type: ignore[no-untyped-def]
        stride = s.input_stride * LANES
        at = 0
        while at < n_inputs:
            n, left = min(n_inputs - at, n_tile), inputs + FLOAT_BYTES * at
            # A chunk is summed separately: small numbers that are added to a large sum one by one get lost.
            if n >= _MIN_ROWS_FOR_TILE:
                tile(s.zeros, 0, s.tile, vectors, left, 1, stride, slots, s.slot_stride, n_rows)
            else:
                n = 1
                single(s.zeros, 0, s.tile, vectors, left, 0, stride, slots, s.slot_stride, n_rows)
            for row in range(n):
                for vector in range(vectors):
                    to = (at + row) * n_columns + vector
                    store(sums, to, load(sums, to) + load(s.tile, row * vectors + vector))
            at += n

    return panel_gradients
