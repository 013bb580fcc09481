"""The product of a late gate, whose input is the seen state times the reset gate: forward and backward.

In a step it comes after all other gates of all units: ``late input = r * seen``, ``late sum = U late input``. Its slot
comes first, that of the reset gate second.
"""

from collections.abc import Callable
from typing import Any

from sklrnn.kernels._arguments import FLOAT_BYTES, CellShape
from sklrnn.kernels._compile import specialised
from sklrnn.kernels._row_products import times_weights
from sklrnn.kernels._simd import VECTOR_BYTES, load, store


def late_gate(late_step: Callable[..., None] | None, shape: CellShape) -> Any:
    """Make what ends a time step of a group of rows; nothing where no gate is late.

    ``late_step(late_sum, gates, old_state, new_state)`` is given addresses, and computes one vector of the new state.
    """
    n_slots, multiply = shape.n_slots, times_weights()

    @specialised
    def nothing(args, s, n_rows, blocks, gates, old, new, seen):  # type: ignore[no-untyped-def]
        pass

    if late_step is None:
        return nothing

    @specialised
    def late(args, s, n_rows, blocks, gates, old, new, seen):  # type: ignore[no-untyped-def]
        for at in range(n_rows * blocks):
            store(s.late_input, at, load(gates, at * n_slots + 1) * load(seen, at))
        multiply(s.zeros, 0, s.late_sums, blocks, s.late_input, blocks, s.weights_late, args.units, n_rows)
        for at in range(n_rows * blocks):
            offset = VECTOR_BYTES * at
            late_step(s.late_sums + offset, gates + offset * n_slots, old + offset, new + offset)

    return late


def late_gate_backward(shape: CellShape) -> Any:
    """Make the gradient of the reset gate's slot from that of the late slot, and its share in `direct_grad`."""
    n_slots, multiply = shape.n_slots, times_weights()

    @specialised
    def nothing(args, s, n_rows, blocks, gates, slots, inputs):  # type: ignore[no-untyped-def]
        pass

    if not shape.n_late_gates:
        return nothing

    @specialised
    def late_backward(args, s, n_rows, blocks, gates, slots, inputs):  # type: ignore[no-untyped-def]
        slot_bytes, weights = FLOAT_BYTES * args.units, s.weights_late
        multiply(s.zeros, 0, s.grad_late_input, blocks, slots, s.slot_stride, weights, args.units, n_rows)
        for i in range(n_rows):
            reset_slot = slots + VECTOR_BYTES * i * s.slot_stride + slot_bytes
            next_slot = load(reset_slot + slot_bytes, 0)  # its start is overwritten by the end of the last block
            for block in range(blocks):
                at, seen_at = i * blocks + block, i * s.input_stride + s.blocks_x + block
                r, seen, grad = load(gates, at * n_slots + 1), load(inputs, seen_at), load(s.grad_late_input, at)
                store(reset_slot, block, grad * seen * r * (1.0 - r))
                store(inputs, seen_at + blocks, r * seen)
                grad_seen = grad * r
                if args.state_mask != 0:
                    grad_seen = grad_seen * load(s.state_mask, at)
                store(s.direct_grad, at, load(s.direct_grad, at) + grad_seen)
            store(reset_slot + slot_bytes, 0, next_slot)

    return late_backward
