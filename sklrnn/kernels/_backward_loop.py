"""The backward pass through time of any cell, made from the derivatives of its equations for one vector of units.

A group of rows is processed chunk by chunk of time, from the last step to the first, and the gradients of its slots are
multiplied with the inputs of the slots while both are still in the cache. Each thread sums weight gradients of its own.
"""

from collections.abc import Callable
from typing import Any

from numba.extending import register_jitable

from sklrnn.kernels._arguments import FLOAT_BYTES, CellShape, backward_scratch
from sklrnn.kernels._compile import specialised
from sklrnn.kernels._late_gate import late_gate_backward
from sklrnn.kernels._matmul import end_of_group
from sklrnn.kernels._packing import pack_transposed, pad_rows, padded, unpack_gradient, unpad_rows
from sklrnn.kernels._row_products import times_weights
from sklrnn.kernels._simd import (
    LANES,
    VECTOR_BYTES,
    load,
    load_scalar,
    restore_flush_to_zero,
    set_flush_to_zero,
    store,
    store_scalar,
    zero,
)
from sklrnn.kernels._weight_gradients import weight_gradients

_backward_scratch = register_jitable(backward_scratch)


def backward_pass(step_backward: Callable[..., None], shape: CellShape) -> Any:
    """Make the loop for the gradients of x, of the initial state, and of the weights as sums in a thread's scratch.

    ``step_backward(grad, gates, old_state, new_state, old_cell_state, new_cell_state, grad_cell_state, direct_grad,
    grad_slots, slot_bytes, peephole, grad_peephole, stride)`` is given the gradient of one vector of the new state, and
    addresses. It computes the gradients of the slots, which are ``slot_bytes`` apart and have to be stored in their
    order; the gradient that reaches the previous state directly; and updates that of the cell state, and those of the
    peephole weights, which are ``stride`` vectors apart. The gradient of a late gate's input and of the reset gate
    follow from these.
    """
    n_gates, n_slots, first_gate, *_ = shape
    n_state_gates, n_late, n_peepholes = shape.n_state_gates, shape.n_late_gates, shape.n_peepholes
    group_chunk = _group_chunk(step_backward, shape)

    @specialised
    def backward(args, first_row, end_row, scratch):  # type: ignore[no-untyped-def]
        n_features, units, blocks = args.n_features, args.units, (args.units + LANES - 1) // LANES
        sizes = n_features, units, args.group_size, args.chunk_steps
        s = _backward_scratch(scratch, LANES, n_gates, n_slots, n_late, n_peepholes, *sizes)
        control = set_flush_to_zero()
        _clear(s)
        pack_transposed(args.weight_hh, units, units, n_state_gates, 0, s.weights_h)
        late_weights = args.weight_hh + FLOAT_BYTES * n_state_gates * units * units
        pack_transposed(late_weights, units, units, n_late, 0, s.weights_late)
        pad_rows(args.peephole, 0, n_peepholes, units, s.peephole)
        if args.grad_x != 0:
            pack_transposed(args.weight_ih, n_features, units, n_gates, first_gate, s.weights_x)
        row = first_row
        while row < end_row:
            end = end_of_group(row, end_row, args.group_size)
            n = end - row
            pad_rows(args.initial_state, row, n, units, s.initial_state)
            pad_rows(args.initial_cell_state, row, n, units, s.initial_cell_state)
            pad_rows(args.state_mask, row, n, units, s.state_mask)
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
    n_state_gates, n_late, n_peepholes = shape.n_state_gates, shape.n_late_gates, shape.n_peepholes

    @specialised
    def finish(args, n_threads, scratch):  # type: ignore[no-untyped-def]
        n_features, units, width = args.n_features, args.units, (args.units + LANES - 1) // LANES * LANES
        n_columns, n_state_columns = padded(n_gates * units), padded(n_state_gates * units)
        sizes = n_features, units, args.group_size, args.chunk_steps
        s = _backward_scratch(scratch, LANES, n_gates, n_slots, n_late, n_peepholes, *sizes)
        stride, state_bias = s.end - scratch, s.sums_bias + FLOAT_BYTES * (n_slots - n_gates) * units
        if args.grad_weight_ih != 0:
            out = args.grad_weight_ih
            unpack_gradient(s.sums_x, n_threads, stride, n_features, units, n_gates, first_gate, n_columns, units, out)
        if args.grad_weight_hh != 0:
            late = args.grad_weight_hh + FLOAT_BYTES * n_state_gates * units * units
            out = args.grad_weight_hh
            unpack_gradient(s.sums_h, n_threads, stride, units, units, n_state_gates, 0, n_state_columns, units, out)
            unpack_gradient(s.sums_late, n_threads, stride, units, units, n_late, 0, width, units, late)
        if args.grad_bias_ih != 0:
            unpack_gradient(s.sums_bias, n_threads, stride, 1, units, n_gates, first_gate, 0, units, args.grad_bias_ih)
        if args.grad_bias_hh != 0:
            unpack_gradient(state_bias, n_threads, stride, 1, units, n_gates, 0, 0, units, args.grad_bias_hh)
        if args.grad_peephole != 0:
            unpack_gradient(s.sums_peephole, n_threads, stride, 1, units, n_peepholes, 0, 0, width, args.grad_peephole)

    return finish


@register_jitable
def _clear(s):  # type: ignore[no-untyped-def]
    for at in range(s.zeros, s.tile, VECTOR_BYTES):
        store(at, 0, zero())
    for at in range(s.sums_x, s.end, VECTOR_BYTES):
        store(at, 0, zero())
    store_scalar(s.one, 0, 1.0)


def _group_chunk(step_backward: Callable[..., None], shape: CellShape) -> Any:
    """Make the backward pass of a group of rows through a chunk of time."""
    n_gates, n_slots, n_state_gates = shape.n_gates, shape.n_slots, shape.n_state_gates
    slot_gradients, add_weight_gradients = _slot_gradients(step_backward, shape), weight_gradients(shape)
    late_backward, multiply = late_gate_backward(shape), times_weights()

    @specialised
    def group_chunk(args, s, row, end, start, stop, blocks):  # type: ignore[no-untyped-def]
        n, depth_x, depth_h = end - row, n_gates * args.units, n_state_gates * args.units
        for t in range(stop - 1, start - 1, -1):
            at = VECTOR_BYTES * (t - start) * n
            slots, inputs = s.grad_slots + at * s.slot_stride, s.inputs + at * s.input_stride
            slot_gradients(args, s, row, end, t, blocks, slots, inputs)
            gates = args.gates + VECTOR_BYTES * (t * args.n_rows + row) * blocks * n_slots
            late_backward(args, s, n, blocks, gates, slots, inputs)
            if t > 0 or args.grad_initial_state != 0:
                state_slots, out = slots + FLOAT_BYTES * args.units * (n_slots - n_state_gates), s.grad_state
                direct, direct_row = (s.direct_grad, blocks) if args.state_mask == 0 else (s.zeros, 0)
                multiply(direct, direct_row, out, blocks, state_slots, s.slot_stride, s.weights_h, depth_h, n)
                if args.state_mask != 0:
                    for at in range(n * blocks):
                        store(out, at, load(s.direct_grad, at) + load(s.state_mask, at) * load(out, at))
            if args.grad_x != 0:
                out = args.grad_x + VECTOR_BYTES * (t * args.n_rows + row) * s.blocks_x
                multiply(s.zeros, 0, out, s.blocks_x, slots, s.slot_stride, s.weights_x, depth_x, n)
        add_weight_gradients(args, s, blocks, (stop - start) * n)

    return group_chunk


def _slot_gradients(step_backward: Any, shape: CellShape) -> Any:
    """Make the gradients of all slots of a group of rows at one step, and a copy of the inputs of the slots."""
    n_slots, n_peepholes = shape.n_slots, shape.n_peepholes

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
            # A vector that ends beyond the units overwrites the start of the next slot, which is stored after it.
            for block in range(blocks - 1, -1, -1):
                at = i * blocks + block
                in_group, now = VECTOR_BYTES * at, VECTOR_BYTES * (t * step_size + group + at)
                seen = load(old, at)
                if args.state_mask != 0:
                    seen = seen * load(s.state_mask, at)
                store(inputs, i * s.input_stride + s.blocks_x + block, seen)
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
                    FLOAT_BYTES * args.units,
                    s.peephole + VECTOR_BYTES * block,
                    s.step_peephole + VECTOR_BYTES * block,
                    blocks,
                )
        for at in range(n_peepholes * blocks):
            store(s.sums_peephole, at, load(s.sums_peephole, at) + load(s.step_peephole, at))
            store(s.step_peephole, at, zero())

    return slot_gradients
