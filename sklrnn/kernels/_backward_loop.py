"""Back through time, for any cell: a cell adds the derivatives of its equations for one vector of units.

A group of rows goes back through a stretch of time, and what its slots received is multiplied with what they had seen
while both are still in the cache. Each thread adds up weights' gradients of its own.
"""

from collections.abc import Callable
from typing import Any

from numba.extending import register_jitable

from sklrnn.kernels._arguments import NUMBER, Shape, back_memory
from sklrnn.kernels._matmul import ROWS, end_of_group, product
from sklrnn.kernels._naming import specialised
from sklrnn.kernels._packing import pack_back, put_in, take_out, unpack
from sklrnn.kernels._simd import (
    LANES,
    VECTOR,
    heed_denormals,
    ignore_denormals,
    load,
    load_number,
    store,
    store_number,
    where_less,
    zero,
)

_back_memory = register_jitable(back_memory)
# So many rows, or more, are faster in a tile, even if not all of it is needed.
_FULL_TILE_PAYS = 3


def backward_pass(step: Callable[..., None], shape: Shape) -> Any:
    """The gradients of x, of the first state, and of the weights as sums in a thread's own memory.

    ``step(grad, gates, old, new, old_memory, new_memory, grad_memory, carry, grad_slots, apart)`` takes the gradient of
    one vector of the new state to those of its slots, which stand ``apart`` vectors from each other, and to what goes
    on to the earlier state by other ways than the slots.
    """
    n_gates, n_slots, first_gate, *_ = shape
    derive, add_up = _derivatives(step, n_slots), _sums_of_weights(shape)
    wide, narrow = _times_weights(2), _times_weights(1)

    @specialised
    def times_weights(start, start_row, out, vectors, left, apart, weights, depth, n_rows):  # type: ignore[no-untyped-def]
        for vector in range(0, vectors - 1, 2):
            wide(start, start_row, out, vectors, vector, left, apart, weights, depth, n_rows)
        if vectors % 2:
            narrow(start, start_row, out, vectors, vectors - 1, left, apart, weights, depth, n_rows)

    @specialised
    def go_back(plan, first_row, end_row, own):  # type: ignore[no-untyped-def]
        units, blocks = plan.units, (plan.units + LANES - 1) // LANES
        depth = n_gates * blocks * LANES
        m = _back_memory(own, LANES, n_gates, n_slots, plan.n_features, units, plan.n_in_group, plan.n_at_once)
        before = ignore_denormals()
        _clear(m, units)
        pack_back(plan.weight_hh, units, units, n_gates, 0, m.weights_h)
        if plan.grad_x != 0:
            pack_back(plan.weight_ih, plan.n_features, units, n_gates, first_gate, m.weights_x)
        row = first_row
        while row < end_row:
            end = end_of_group(row, end_row, plan.n_in_group)
            n = end - row
            put_in(plan.first, row, n, units, m.first)
            put_in(plan.first_memory, row, n, units, m.first_memory)
            put_in(plan.grad_last, row, n, units, m.grad_state)
            put_in(plan.grad_last_memory, row, n, units, m.grad_memory)
            stop = plan.n_steps
            while stop > 0:
                start = max(0, stop - plan.n_at_once)
                for t in range(stop - 1, start - 1, -1):
                    at = VECTOR * (t - start) * n
                    slots, seen = m.slots + at * m.slots_apart, m.seen + at * m.seen_apart
                    derive(plan, m, row, end, t, blocks, slots, seen)
                    if t > 0 or plan.grad_first != 0:
                        of_state = slots + VECTOR * blocks * (n_slots - n_gates)
                        to = m.grad_state
                        times_weights(m.carry, blocks, to, blocks, of_state, m.slots_apart, m.weights_h, depth, n)
                    if plan.grad_x != 0:
                        x = plan.grad_x + VECTOR * (t * plan.n_rows + row) * m.blocks_x
                        times_weights(m.zeros, 0, x, m.blocks_x, slots, m.slots_apart, m.weights_x, depth, n)
                add_up(plan, m, blocks, (stop - start) * n)
                stop = start
            take_out(m.grad_state, row, n, units, plan.grad_first)
            take_out(m.grad_memory, row, n, units, plan.grad_first_memory)
            row = end
        heed_denormals(before)

    return go_back


def finish_pass(shape: Shape) -> Any:
    """The gradients of the weights, from the sums of all threads."""
    n_gates, n_slots, first_gate, *_ = shape

    @specialised
    def run(plan, n_sets, own):  # type: ignore[no-untyped-def]
        n_features, units, width = plan.n_features, plan.units, (plan.units + LANES - 1) // LANES * LANES
        m = _back_memory(own, LANES, n_gates, n_slots, n_features, units, plan.n_in_group, plan.n_at_once)
        apart, row = m.end - own, n_gates * width
        of_state = m.sums_bias + NUMBER * (n_slots - n_gates) * width
        if plan.grad_weight_ih != 0:
            unpack(m.sums_x, n_sets, apart, n_features, units, n_gates, first_gate, row, plan.grad_weight_ih)
        if plan.grad_weight_hh != 0:
            unpack(m.sums_h, n_sets, apart, units, units, n_gates, 0, row, plan.grad_weight_hh)
        if plan.grad_bias_ih != 0:
            unpack(m.sums_bias, n_sets, apart, 1, units, n_gates, first_gate, 0, plan.grad_bias_ih)
        if plan.grad_bias_hh != 0:
            unpack(of_state, n_sets, apart, 1, units, n_gates, 0, 0, plan.grad_bias_hh)

    return run


@register_jitable
def _clear(m, units):  # type: ignore[no-untyped-def]
    for at in range(m.zeros, m.tile, VECTOR):
        store(at, 0, zero())
    for at in range(m.sums_x, m.end, VECTOR):
        store(at, 0, zero())
    store_number(m.one, 0, 1.0)
    for lane in range(LANES):
        store_number(m.inside, lane, 1.0 if lane < (units - 1) % LANES + 1 else 0.0)


def _derivatives(step: Any, n_slots: int) -> Any:
    """The gradients of all slots of a group of rows at one step, and a copy of what the slots saw."""

    @specialised
    def run(plan, m, row, end, t, blocks, slots, seen):  # type: ignore[no-untyped-def]
        step_apart, group = plan.n_rows * blocks, row * blocks
        old, old_memory = m.first, m.first_memory
        if t > 0:
            before = VECTOR * ((t - 1) * step_apart + group)
            old, old_memory = plan.states + before, plan.memory + before
        for i in range(end - row):
            x = plan.x + NUMBER * (t * plan.x_step + (row + i) * plan.x_row)
            for feature in range(plan.n_features):
                store_number(seen, i * m.seen_apart * LANES + feature, load_number(x, feature))
            for block in range(blocks):
                at = i * blocks + block
                here, now = VECTOR * at, VECTOR * (t * step_apart + group + at)
                store(seen, i * m.seen_apart + m.blocks_x + block, load(old, at))
                grad = load(m.grad_state, at)
                if plan.grad_states != 0:
                    grad = grad + load(plan.grad_states + now, 0)
                step(
                    grad,
                    plan.gates + now * n_slots,
                    old + here,
                    plan.states + now,
                    old_memory + here,
                    plan.memory + now,
                    m.grad_memory + here,
                    m.carry + here,
                    slots + VECTOR * (i * m.slots_apart + block),
                    blocks,
                )
            if plan.units % LANES:
                # Infinite x times no weight is NaN in the lanes beyond the last unit, and would spread from there.
                inside = load(m.inside, 0)
                for slot in range(n_slots):
                    at = i * m.slots_apart + (slot + 1) * blocks - 1
                    store(slots, at, where_less(0.0, inside, load(slots, at), 0.0))

    return run


def _times_weights(panel: int) -> Any:
    """From the gradients of slots to those of what they saw at one step, for one panel of it."""
    n_large, n_small = ROWS[panel], ROWS[panel] // 2
    large, small, single = (_product_over_rows(n, panel) for n in (n_large, n_small, 1))

    @specialised
    def run(start, start_row, out, vectors, vector, left, apart, weights, depth, n_rows):  # type: ignore[no-untyped-def]
        right = weights + VECTOR * vector * depth
        if start_row != 0:
            start += VECTOR * vector
        out += VECTOR * vector
        if n_rows >= n_large:
            large(start, start_row, out, vectors, left, apart * LANES, right, depth, n_rows)
        elif n_rows >= n_small:
            small(start, start_row, out, vectors, left, apart * LANES, right, depth, n_rows)
        else:
            single(start, start_row, out, vectors, left, apart * LANES, right, depth, n_rows)

    return run


def _product_over_rows(n_tile: int, panel: int) -> Any:
    multiply = product(n_tile, panel)

    @specialised
    def run(start, start_row, out, vectors, left, left_row, right, depth, n_rows):  # type: ignore[no-untyped-def]
        for tile in range(0, n_rows, n_tile):
            row = min(tile, n_rows - n_tile)
            begin, to = start + VECTOR * row * start_row, out + VECTOR * row * vectors
            multiply(begin, start_row, to, vectors, left + NUMBER * row * left_row, left_row, 1, right, panel, depth)

    return run


def _sums_of_weights(shape: Shape) -> Any:
    """Add a stretch of time to the gradients of all weights and biases: (number seen, slot * unit)."""
    n_gates, n_slots, _, panel, *_ = shape
    wide, bias = _sums_of_panel(n_gates * panel), product(1, n_slots)
    narrow = wide if panel == 1 else _sums_of_panel(n_gates)

    @specialised
    def over_columns(m, n_seen, seen, slots, n_rows, n_columns, sums):  # type: ignore[no-untyped-def]
        for column in range(0, n_columns, panel * n_gates):
            here = VECTOR * column
            if n_columns - column >= panel * n_gates:
                wide(m, n_seen, seen, slots + here, n_rows, n_columns, sums + here)
            else:
                narrow(m, n_seen, seen, slots + here, n_rows, n_columns, sums + here)

    @specialised
    def run(plan, m, blocks, n_rows):  # type: ignore[no-untyped-def]
        n = n_gates * blocks
        if plan.grad_weight_ih != 0:
            over_columns(m, plan.n_features, m.seen, m.slots, n_rows, n, m.sums_x)
        if plan.grad_weight_hh != 0:
            of_state = m.slots + VECTOR * (n_slots * blocks - n)
            over_columns(m, plan.units, m.seen + VECTOR * m.blocks_x, of_state, n_rows, n, m.sums_h)
        if plan.grad_bias_ih != 0 or plan.grad_bias_hh != 0:
            for at in range(0, n_slots * blocks, n_slots):
                bias(m.zeros, 0, m.tile, 0, m.one, 0, 0, m.slots + VECTOR * at, m.slots_apart, n_rows)
                for vector in range(n_slots):
                    store(m.sums_bias, at + vector, load(m.sums_bias, at + vector) + load(m.tile, vector))

    return run


def _sums_of_panel(vectors: int) -> Any:
    """The same for some columns of weights."""
    n_tile = ROWS[vectors]
    tile, single = product(n_tile, vectors), product(1, vectors)

    @specialised
    def run(m, n_seen, seen, slots, n_rows, n_columns, sums):  # type: ignore[no-untyped-def]
        apart = m.seen_apart * LANES
        at = 0
        while at < n_seen:
            n, left = min(n_seen - at, n_tile), seen + NUMBER * at
            # A stretch is summed up by itself: small numbers that join a large sum one by one get lost.
            if n >= _FULL_TILE_PAYS:
                tile(m.zeros, 0, m.tile, vectors, left, 1, apart, slots, m.slots_apart, n_rows)
            else:
                n = 1
                single(m.zeros, 0, m.tile, vectors, left, 0, apart, slots, m.slots_apart, n_rows)
            for row in range(n):
                for vector in range(vectors):
                    to = (at + row) * n_columns + vector
                    store(sums, to, load(sums, to) + load(m.tile, row * vectors + vector))
            at += n

    return run
