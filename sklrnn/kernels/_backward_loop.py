"""The backward pass through time of any cell, made from the derivatives of its equations for one vector of units.

A group of rows is processed chunk by chunk of time, from the last step to the first, and the gradients of its slots are
multiplied with the inputs of the slots while both are still in the cache. Each thread sums weight gradients of its own.
"""

from collections.abc import Callable
from typing import Any

from numba.extending import register_jitable

from sklrnn.kernels._arguments import FLOAT_BYTES, CellShape, backward_scratch
from sklrnn.kernels._compile import specialised
from sklrnn.kernels._matmul import ROWS, end_of_group, product
from sklrnn.kernels._packing import pack_transposed, pad_rows, unpack_gradient, unpad_rows
from sklrnn.kernels._simd import (
    LANES,
    VECTOR_BYTES,
    load,
    load_scalar,
    restore_flush_to_zero,
    set_flush_to_zero,
    store,
    store_scalar,
    where_less,
    zero,
)

_backward_scratch = register_jitable(backward_scratch)
# From so many rows on, a tile is faster than single rows, even if not all of it is needed.
_MIN_ROWS_FOR_TILE = 3


def backward_pass(step_backward: Callable[..., None], shape: CellShape) -> Any:
    """Make the loop for the gradients of x, of the initial state, and of the weights as sums in a thread's scratch.

    ``step_backward(grad, gates, old_state, new_state, old_cell_state, new_cell_state, grad_cell_state, direct_grad,
    grad_slots, stride)`` is given the gradient of one vector of the new state, and addresses. It computes the gradients
    of the slots, which are ``stride`` vectors apart, the gradient that reaches the previous state directly, and updates
    that of the cell state.
    """
    n_gates, n_slots, first_gate, *_ = shape
    group_chunk = _group_chunk(step_backward, shape)

    @specialised
    def backward(args, first_row, end_row, scratch):  # type: ignore[no-untyped-def]
        n_features, units, blocks = args.n_features, args.units, (args.units + LANES - 1) // LANES
        s = _backward_scratch(scratch, LANES, n_gates, n_slots, n_features, units, args.group_size, args.chunk_steps)
        control = set_flush_to_zero()
        _clear(s, units)
        pack_transposed(args.weight_hh, units, units, n_gates, 0, s.weights_h)
        if args.grad_x != 0:
            pack_transposed(args.weight_ih, n_features, units, n_gates, first_gate, s.weights_x)
        row = first_row
        while row < end_row:
            end = end_of_group(row, end_row, args.group_size)
            n = end - row
            pad_rows(args.initial_state, row, n, units, s.initial_state)
            pad_rows(args.initial_cell_state, row, n, units, s.initial_cell_state)
            pad_rows(args.grad_final_state, row, n, units, s.grad_state)
            pad_rows(args.grad_final_cell_state, row, n, units, s.grad_cell_state)
            stop = args.n_steps
            while stop > 0:
                start = max(0, stop - args.chunk_steps)
                group_chunk(args, s, row, end, start, stop, blocks)
                stop = start
            unpad_rows(s.grad_state, row, n, units, args.grad_initial_state)
            unpad_rows(s.grad_cell_state, row, n, units, args.grad_initial_cell_state)
            row = end
        restore_flush_to_zero(control)

    return backward


def finish_pass(shape: CellShape) -> Any:
    """Make the function that adds up the weight gradients of all threads."""
    n_gates, n_slots, first_gate, *_ = shape

    @specialised
    def finish(args, n_threads, scratch):  # type: ignore[no-untyped-def]
        n_features, units, width = args.n_features, args.units, (args.units + LANES - 1) // LANES * LANES
        s = _backward_scratch(scratch, LANES, n_gates, n_slots, n_features, units, args.group_size, args.chunk_steps)
        stride, row = s.end - scratch, n_gates * width
        state_bias = s.sums_bias + FLOAT_BYTES * (n_slots - n_gates) * width
        if args.grad_weight_ih != 0:
            unpack_gradient(
                s.sums_x, n_threads, stride, n_features, units, n_gates, first_gate, row, args.grad_weight_ih
            )
        if args.grad_weight_hh != 0:
            unpack_gradient(s.sums_h, n_threads, stride, units, units, n_gates, 0, row, args.grad_weight_hh)
        if args.grad_bias_ih != 0:
            unpack_gradient(s.sums_bias, n_threads, stride, 1, units, n_gates, first_gate, 0, args.grad_bias_ih)
        if args.grad_bias_hh != 0:
            unpack_gradient(state_bias, n_threads, stride, 1, units, n_gates, 0, 0, args.grad_bias_hh)

    return finish


@register_jitable
def _clear(s, units):  # type: ignore[no-untyped-def]
    for at in range(s.zeros, s.tile, VECTOR_BYTES):
        store(at, 0, zero())
    for at in range(s.sums_x, s.end, VECTOR_BYTES):
        store(at, 0, zero())
    store_scalar(s.one, 0, 1.0)
    for lane in range(LANES):
        store_scalar(s.unit_mask, lane, 1.0 if lane < (units - 1) % LANES + 1 else 0.0)


def _group_chunk(step_backward: Callable[..., None], shape: CellShape) -> Any:
    """Make the backward pass of a group of rows through a chunk of time."""
    n_gates, n_slots, *_ = shape
    slot_gradients, add_weight_gradients = _slot_gradients(step_backward, n_slots), _weight_gradients(shape)
    times_weights = _times_weights()

    @specialised
    def group_chunk(args, s, row, end, start, stop, blocks):  # type: ignore[no-untyped-def]
        n, depth = end - row, n_gates * blocks * LANES
        for t in range(stop - 1, start - 1, -1):
            at = VECTOR_BYTES * (t - start) * n
            slots, inputs = s.grad_slots + at * s.slot_stride, s.inputs + at * s.input_stride
            slot_gradients(args, s, row, end, t, blocks, slots, inputs)
            if t > 0 or args.grad_initial_state != 0:
                state_slots, out = slots + VECTOR_BYTES * blocks * (n_slots - n_gates), s.grad_state
                times_weights(s.direct_grad, blocks, out, blocks, state_slots, s.slot_stride, s.weights_h, depth, n)
            if args.grad_x != 0:
                out = args.grad_x + VECTOR_BYTES * (t * args.n_rows + row) * s.blocks_x
                times_weights(s.zeros, 0, out, s.blocks_x, slots, s.slot_stride, s.weights_x, depth, n)
        add_weight_gradients(args, s, blocks, (stop - start) * n)

    return group_chunk


def _slot_gradients(step_backward: Any, n_slots: int) -> Any:
    """Make the gradients of all slots of a group of rows at one step, and a copy of the inputs of the slots."""

    @specialised
    def slot_gradients(args, s, row, end, t, blocks, slots, inputs):  # type: ignore[no-untyped-def]
        step_size, group = args.n_rows * blocks, row * blocks
        old, old_cell = s.initial_state, s.initial_cell_state
        if t > 0:
            offset = VECTOR_BYTES * ((t - 1) * step_size + group)
            old, old_cell = args.states + offset, args.cell_states + offset
        for i in range(end - row):
            x = args.x + FLOAT_BYTES * (t * args.x_step + (row + i) * args.x_row)
            for feature in range(args.n_features):
                store_scalar(inputs, i * s.input_stride * LANES + feature, load_scalar(x, feature))
            for block in range(blocks):
                at = i * blocks + block
                in_group, now = VECTOR_BYTES * at, VECTOR_BYTES * (t * step_size + group + at)
                store(inputs, i * s.input_stride + s.blocks_x + block, load(old, at))
                grad = load(s.grad_state, at)
                if args.grad_states != 0:
                    grad = grad + load(args.grad_states + now, 0)
                step_backward(
                    grad,
                    args.gates + now * n_slots,
                    old + in_group,
                    args.states + now,
                    old_cell + in_group,
                    args.cell_states + now,
                    s.grad_cell_state + in_group,
                    s.direct_grad + in_group,
                    slots + VECTOR_BYTES * (i * s.slot_stride + block),
                    blocks,
                )
            if args.units % LANES:
                # In the lanes beyond the last unit, an infinite x times a weight of 0 is NaN, which would spread.
                mask = load(s.unit_mask, 0)
                for slot in range(n_slots):
                    at = i * s.slot_stride + (slot + 1) * blocks - 1
                    store(slots, at, where_less(0.0, mask, load(slots, at), 0.0))

    return slot_gradients


def _times_weights() -> Any:
    """Make the product of the slot gradients at one step with the weights: the gradient of what the slots summed."""
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


def _weight_gradients(shape: CellShape) -> Any:
    """Make the sums over a chunk of time of the gradients of all weights and biases: (input, slot * padded unit)."""
    n_gates, n_slots, _, panel, *_ = shape
    wide, bias = _panel_gradients(n_gates * panel), product(1, n_slots)
    narrow = wide if panel == 1 else _panel_gradients(n_gates)

    @specialised
    def over_columns(s, n_inputs, inputs, slots, n_rows, n_columns, sums):  # type: ignore[no-untyped-def]
        for column in range(0, n_columns, panel * n_gates):
            offset = VECTOR_BYTES * column
            if n_columns - column >= panel * n_gates:
                wide(s, n_inputs, inputs, slots + offset, n_rows, n_columns, sums + offset)
            else:
                narrow(s, n_inputs, inputs, slots + offset, n_rows, n_columns, sums + offset)

    @specialised
    def weight_gradients(args, s, blocks, n_rows):  # type: ignore[no-untyped-def]
        n = n_gates * blocks
        if args.grad_weight_ih != 0:
            over_columns(s, args.n_features, s.inputs, s.grad_slots, n_rows, n, s.sums_x)
        if args.grad_weight_hh != 0:
            state_slots = s.grad_slots + VECTOR_BYTES * (n_slots * blocks - n)
            over_columns(s, args.units, s.inputs + VECTOR_BYTES * s.blocks_x, state_slots, n_rows, n, s.sums_h)
        if args.grad_bias_ih != 0 or args.grad_bias_hh != 0:
            for at in range(0, n_slots * blocks, n_slots):
                slots = s.grad_slots + VECTOR_BYTES * at
                bias(s.zeros, 0, s.tile, 0, s.one, 0, 0, slots, s.slot_stride, n_rows)
                for vector in range(n_slots):
                    store(s.sums_bias, at + vector, load(s.sums_bias, at + vector) + load(s.tile, vector))

    return weight_gradients


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
