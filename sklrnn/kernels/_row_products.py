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
    n_panels = 2
    widest, wide, narrow = _product_over_rows(1, 2, n_panels), _times_panel(2), _times_panel(1)

    @specialised
    def times_weights(  # type: ignore[no-untyped-def]
        start, start_row, out, vectors, left, stride, weights, depth, n_rows
    ):
        vector = 0
        while vector < vectors:
            if n_rows == 1 and vectors - vector >= 2 * n_panels:
                widest(start, start_row, out, vectors, vector, left, stride, weights, depth, n_rows)
                vector += 2 * n_panels
            elif vectors - vector >= 2:
                wide(start, start_row, out, vectors, vector, left, stride, weights, depth, n_rows)
                vector += 2
            else:
                narrow(start, start_row, out, vectors, vector, left, stride, weights, depth, n_rows)
                vector += 1

    return times_weights


def _times_panel(panel: int) -> Any:
    """Make the same for one panel of the weights."""
    n_large, n_small = ROWS[panel], ROWS[panel] // 2
    large, small, pair, single = (_product_over_rows(n, panel) for n in (n_large, n_small, 2, 1))

    @specialised
    def times_panel(  # type: ignore[no-untyped-def]
        start, start_row, out, vectors, vector, left, stride, weights, depth, n_rows
    ):
        if n_rows >= n_large:
            large(start, start_row, out, vectors, vector, left, stride, weights, depth, n_rows)
        elif n_rows >= n_small:
            small(start, start_row, out, vectors, vector, left, stride, weights, depth, n_rows)
        elif n_rows >= 2:
            pair(start, start_row, out, vectors, vector, left, stride, weights, depth, n_rows)
        else:
            single(start, start_row, out, vectors, vector, left, stride, weights, depth, n_rows)

    return times_panel


def _product_over_rows(n_tile: int, panel: int, n_panels: int = 1) -> Any:
    """Make the same for some panels of the weights and at least so many rows."""
    multiply = product(n_tile, panel * n_panels, n_panels)

    @specialised
    def product_over_rows(  # type: ignore[no-untyped-def]
        start, start_row, out, vectors, vector, left, stride, weights, depth, n_rows
    ):
        right, left_row = weights + VECTOR_BYTES * vector * depth, stride * LANES
        if start_row != 0:
            start += VECTOR_BYTES * vector
        out += VECTOR_BYTES * vector
        for tile in range(0, n_rows, n_tile):
            row = min(tile, n_rows - n_tile)
            first, to = start + VECTOR_BYTES * row * start_row, out + VECTOR_BYTES * row * vectors
            multiply(
                first, start_row, to, vectors, left + FLOAT_BYTES * row * left_row, left_row, 1, right, panel, depth
            )

    return product_over_rows
