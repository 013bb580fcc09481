"""Batches of training in one call: the instructions of a step, carried out one after the other for each batch.

`run` reads them from memory. Layers run in their kernels; what is around them is here and in ``_program_loss.py``.
"""

from typing import Any

import numpy as np
from numba import types
from numba.extending import register_jitable

from sklrnn.kernels import _program_arguments as ops
from sklrnn.kernels._arguments import FLOAT_BYTES
from sklrnn.kernels._compile import tuple_at
from sklrnn.kernels._memory import call_function, load_double, load_int, square_root, store_double, sum_lanes
from sklrnn.kernels._program_arguments import HEAD_BACKWARD, INSTRUCTION_INTS, INSTRUCTIONS, StepConstants
from sklrnn.kernels._program_loss import loss_and_gradient
from sklrnn.kernels._simd import (
    LANES,
    load,
    load_scalar,
    restore_flush_to_zero,
    set_flush_to_zero,
    store,
    store_scalar,
    zero,
)

_INT_BYTES = 8
_N_CONSTANTS = len(StepConstants._fields)
_CALL, _STANDARDISE, _MOVE, _MULTIPLY, _TAKE, _FILL, _HEAD, _LOSS, _PENALTY, _CLIP, _UPDATE, _AVERAGE = range(
    len(INSTRUCTIONS)
)
_call_at, _standardise_at, _move_at, _multiply_at, _take_at, _fill_at, _head_at, _loss_at = (
    tuple_at(len(kind._fields)) for kind in INSTRUCTIONS[:8]
)
_penalty_at, _clip_at, _update_at, _average_at = (tuple_at(len(kind._fields)) for kind in INSTRUCTIONS[8:])
_constants_at = tuple_at(_N_CONSTANTS, types.float32)


@register_jitable
def _dot(left: int, right: int, n: int) -> float:
    """The product of two rows of contiguous numbers."""
    vectors = n // LANES
    sums = zero()
    for i in range(vectors):
        sums = sums + load(left, i) * load(right, i)
    total = sum_lanes(sums)
    for i in range(vectors * LANES, n):
        total += load_scalar(left, i) * load_scalar(right, i)
    return total


@register_jitable
def _add_scaled(target: int, source: int, factor: float, n: int) -> None:
    """Add a multiple of a row to another."""
    vectors = n // LANES
    for i in range(vectors):
        store(target, i, load(target, i) + load(source, i) * factor)
    for i in range(vectors * LANES, n):
        store_scalar(target, i, load_scalar(target, i) + load_scalar(source, i) * factor)


@register_jitable
def _fill(target: int, n: int) -> None:
    vectors = n // LANES
    for i in range(vectors):
        store(target, i, zero())
    for i in range(vectors * LANES, n):
        store_scalar(target, i, 0.0)


@register_jitable
def _copy(target: int, source: int, n: int) -> None:
    vectors = n // LANES
    for i in range(vectors):
        store(target, i, load(source, i))
    for i in range(vectors * LANES, n):
        store_scalar(target, i, load_scalar(source, i))


@register_jitable
def _standardise(a: Any, batch: int) -> None:
    chosen = a.order + _INT_BYTES * batch * a.batch_size
    for row in range(a.n_rows):
        sample = load_int(chosen, row) * a.x_sample
        for step in range(a.n_steps):
            source = sample + step * a.x_step
            target = a.target + FLOAT_BYTES * (step * a.n_rows + row) * a.n_features
            for feature in range(a.n_features):
                at = source + feature * a.x_feature
                if a.is_double:
                    z = (load_double(a.x, at) - load_double(a.mean, feature)) / load_double(a.spread, feature)
                    store_scalar(target, feature, np.float32(z))
                else:
                    x, mean = load_scalar(a.x, at), load_scalar(a.mean, feature)
                    store_scalar(target, feature, (x - mean) / load_scalar(a.spread, feature))


@register_jitable
def _move(a: Any) -> None:
    for step in range(a.n_steps):
        for row in range(a.n_rows):
            target = a.target + FLOAT_BYTES * (step * a.target_step + row * a.target_row)
            source = a.source + FLOAT_BYTES * (step * a.source_step + row * a.source_row)
            if a.divisor != 1:
                factor = np.float32(1.0 / a.divisor)
                if not a.adds:
                    _fill(target, a.n_features)
                _add_scaled(target, source, factor, a.n_features)
            elif a.adds:
                _add_scaled(target, source, np.float32(1.0), a.n_features)
            else:
                _copy(target, source, a.n_features)


@register_jitable
def _multiply(a: Any) -> None:
    vectors = a.n_features // LANES
    for step in range(a.n_steps):
        for row in range(a.n_rows):
            target = a.target + FLOAT_BYTES * (step * a.target_step + row * a.target_row)
            source = a.source + FLOAT_BYTES * (step * a.source_step + row * a.source_row)
            factors = a.factors + FLOAT_BYTES * row * a.n_features
            for i in range(vectors):
                store(target, i, load(source, i) * load(factors, i))
            for i in range(vectors * LANES, a.n_features):
                store_scalar(target, i, load_scalar(source, i) * load_scalar(factors, i))


@register_jitable
def _head(a: Any) -> None:
    for row in range(a.n_rows):
        part = a.part + FLOAT_BYTES * row * a.part_row
        raw = a.raw + FLOAT_BYTES * row * a.n_outputs
        for output in range(a.n_outputs):
            start = load_scalar(a.bias, output) if a.is_first else load_scalar(raw, output)
            weight = a.weight + FLOAT_BYTES * output * a.weight_row
            store_scalar(raw, output, start + _dot(part, weight, a.n_features))


@register_jitable
def _head_backward(a: Any) -> None:
    if a.is_first:
        _fill(a.grad_bias, a.n_outputs)
        for row in range(a.n_rows):
            _add_scaled(a.grad_bias, a.grad_raw + FLOAT_BYTES * row * a.n_outputs, np.float32(1.0), a.n_outputs)
    for output in range(a.n_outputs):
        _fill(a.grad_weight + FLOAT_BYTES * output * a.weight_row, a.n_features)
    for row in range(a.n_rows):
        part, grad_part = a.part + FLOAT_BYTES * row * a.part_row, a.grad_part + FLOAT_BYTES * row * a.grad_part_row
        if a.grad_part != 0:
            _fill(grad_part, a.n_features)
        for output in range(a.n_outputs):
            gradient, offset = load_scalar(a.grad_raw, row * a.n_outputs + output), FLOAT_BYTES * output * a.weight_row
            _add_scaled(a.grad_weight + offset, part, gradient, a.n_features)
            if a.grad_part != 0:
                _add_scaled(grad_part, a.weight + offset, gradient, a.n_features)


@register_jitable
def _penalty(a: Any, entry: int) -> None:
    l1, l2 = load_double(a.factors, 0), load_double(a.factors, 1)
    total = load_double(a.losses, entry)
    for i in range(a.n):
        weight = np.float64(load_scalar(a.weight, i))
        slope = 2.0 * l2 * weight
        if weight != 0.0:
            slope += l1 if weight > 0.0 else -l1
        store_scalar(a.gradient, i, load_scalar(a.gradient, i) + np.float32(slope))
        total += l1 * abs(weight) + l2 * weight * weight
    store_double(a.losses, entry, total)


@register_jitable
def _clip(a: Any) -> None:
    sums = zero()
    for i in range(a.n // LANES):
        sums = sums + load(a.gradient, i) * load(a.gradient, i)
    factor = load_double(a.norm, 0) / (np.sqrt(np.float64(sum_lanes(sums))) + 1e-6)
    if not factor >= 1.0:  # nor if it is NaN
        for i in range(a.n // LANES):
            store(a.gradient, i, load(a.gradient, i) * np.float32(factor))


@register_jitable
def _update(a: Any, entry: int) -> None:
    c = StepConstants(*_constants_at(a.constants + FLOAT_BYTES * entry * _N_CONSTANTS))
    for i in range(a.n // LANES):
        weight, gradient = load(a.weights, i), load(a.gradients, i)
        if a.is_decoupled:
            weight = weight - weight * c.decay
        else:
            gradient = gradient + weight * c.decay
        change = gradient * c.gradient_rate
        if a.mean != 0:
            mean = load(a.mean, i)
            mean = mean + (gradient - mean) * c.new_share
            store(a.mean, i, mean)
            change = change + mean * c.mean_rate
        if a.mean_of_squares != 0:
            square = load(a.mean_of_squares, i)
            square = square + (gradient * gradient - square) * c.new_square_share
            store(a.mean_of_squares, i, square)
            change = change / (square_root(square) / c.correction + c.epsilon)
        store(a.weights, i, weight - change)


@register_jitable
def _average(a: Any, entry: int) -> None:
    share = np.float32(load_double(a.shares, entry))
    for i in range(a.n // LANES):
        mean = load(a.mean, i)
        store(a.mean, i, mean + (load(a.weights, i) - mean) * share)


@register_jitable
def _carry_out(operation: int, address: int, batch: int, entry: int) -> None:
    if operation == _CALL:
        a = ops.Call(*_call_at(address))
        call_function(a.function, a.args, a.first, a.second, a.scratch, a.n_ints)
    elif operation == _STANDARDISE:
        _standardise(ops.Standardise(*_standardise_at(address)), batch)
    elif operation == _MOVE:
        _move(ops.Move(*_move_at(address)))
    elif operation == _MULTIPLY:
        _multiply(ops.Multiply(*_multiply_at(address)))
    elif operation == _TAKE:
        b = ops.Take(*_take_at(address))
        _copy(b.target, b.table + FLOAT_BYTES * entry * b.n, b.n)
    elif operation == _FILL:
        f = ops.Fill(*_fill_at(address))
        _fill(f.target, f.n)
    elif operation == _HEAD:
        _head(ops.HeadPart(*_head_at(address)))
    elif operation == HEAD_BACKWARD:
        _head_backward(ops.HeadPart(*_head_at(address)))
    elif operation == _LOSS:
        loss_and_gradient(ops.Loss(*_loss_at(address)), batch, entry)
    elif operation == _PENALTY:
        _penalty(ops.Penalty(*_penalty_at(address)), entry)
    elif operation == _CLIP:
        _clip(ops.Clip(*_clip_at(address)))
    elif operation == _UPDATE:
        _update(ops.Update(*_update_at(address)), entry)
    elif operation == _AVERAGE:
        _average(ops.Average(*_average_at(address)), entry)


def run(program: int, n_instructions: int, first: int, end: int) -> None:
    """Carry out all instructions for each batch from ``first`` to ``end``, whose entries in the tables begin at 0."""
    control = set_flush_to_zero()
    for batch in range(first, end):
        for i in range(n_instructions):
            instruction = program + _INT_BYTES * INSTRUCTION_INTS * i
            _carry_out(load_int(instruction, 0), instruction + _INT_BYTES, batch, batch - first)
    restore_flush_to_zero(control)
