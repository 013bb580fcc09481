"""Products of all rows of a group with packed weights."""

from typing import Any

from sklrnn.kernels._arguments import FLOAT_BYTES
from sklrnn.kernels._compile import specialised
from sklrnn.kernels._matmul import ROWS, product
from sklrnn.kernels._simd import LANES, VECTOR_BYTES


def times_weights() -> Any:
    """Make ``out = start + left @ weights`` for a group of rows, with weights in pairs of vectors.

    In the backward pass these are the slot gradients at one step and the transposed weights, which gives the gradient
    of what the slots summed.
    """
    wide, narrow = _times_panel(2), _times_panel(1)

    @specialised
    def times_weights(  # type: ignore[no-untyped-def]
        start, start_row, out, vectors, left, stride, weights, depth, n_rows
    ):
        for vector in range(0, vectors - 1, 2):
            wide(start, start_row, out, vectors, vector, left, stride, weights, depth, n_rows)
        if vectors % 2:
            narrow(start, start_row, out, vectors, vectors - 1, left, stride, weights, depth, n_rows)

    return times_weights


def _times_panel(panel: int) -> Any:
    """Make the same for one panel of the weights."""
    n_large, n_small = ROWS[panel], ROWS[panel] // 2
    large, small, single = (_product_over_rows(n, panel) for n in (n_large, n_small, 1))

    @specialised
    def times_panel(  # type: ignore[no-untyped-def]
        start, start_row, out, vectors, vector, left, stride, weights, depth, n_rows
    ):
        right = weights + VECTOR_BYTES * vector * depth
        if start_row != 0:
            start += VECTOR_BYTES * vector
        out += VECTOR_BYTES * vector
        if n_rows >= n_large:
            large(start, start_row, out, vectors, left, stride * LANES, right, depth, n_rows)
        elif n_rows >= n_small:
            small(start, start_row, out, vectors, left, stride * LANES, right, depth, n_rows)
        else:
            single(start, start_row, out, vectors, left, stride * LANES, right, depth, n_rows)

    return times_panel


def _product_over_rows(n_tile: int, panel: int) -> Any:
    multiply = product(n_tile, panel)

    @specialised
    def product_over_rows(  # type: ignore[no-untyped-def]
        start, start_row, out, vectors, left, left_row, right, depth, n_rows
    ):
        for tile in range(0, n_rows, n_tile):
            row = min(tile, n_rows - n_tile)
            first, to = start + VECTOR_BYTES * row * start_row, out + VECTOR_BYTES * row * vectors
            multiply(
                first, start_row, to, vectors, left + FLOAT_BYTES * row * left_row, left_row, 1, right, panel, depth
            )

    return product_over_rows
