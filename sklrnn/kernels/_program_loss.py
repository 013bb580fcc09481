"""The mean loss of a batch and its gradient, computed in double: ``sklrnn/nn/losses.py`` has the same by autograd."""

import math
from typing import Any

import numpy as np
from numba.extending import register_jitable

from sklrnn.kernels._arguments import FLOAT_BYTES
from sklrnn.kernels._memory import load_double, load_int, store_double
from sklrnn.kernels._program_arguments import LEAST_DEVIATION, LOSSES
from sklrnn.kernels._simd import load_scalar, store_scalar

_SQUARED, _ABSOLUTE, _HUBER, _LOG, _QUANTILE, _GAUSSIAN, _POISSON = range(len(LOSSES))
_INT_BYTES = 8


@register_jitable
def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log(1.0 + math.exp(-abs(x)))


@register_jitable
def _sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))


@register_jitable
def _sign(x: float) -> float:
    """NaN has a sign that is NaN."""
    return 1.0 if x > 0.0 else -1.0 if x < 0.0 else x


@register_jitable
def _raw(raw: int, at: int) -> float:
    return np.float64(load_scalar(raw, at))


@register_jitable
def _store(gradient: int, at: int, value: float) -> None:
    store_scalar(gradient, at, np.float32(value))


@register_jitable
def _log_loss(raw: int, gradient: int, label: int, n: int, share: float) -> float:
    largest = _raw(raw, 0)
    for i in range(1, n):
        value = _raw(raw, i)
        if not value <= largest:  # NaN is the largest
            largest = value
    total = 0.0
    for i in range(n):
        total += math.exp(_raw(raw, i) - largest)
    for i in range(n):
        probability = math.exp(_raw(raw, i) - largest) / total
        _store(gradient, i, share * (probability - (1.0 if i == label else 0.0)))
    return math.log(total) - (_raw(raw, label) - largest)


@register_jitable
def _quantile_loss(raw: int, gradient: int, target: float, levels: int, n: int, share: float) -> float:
    loss = predicted = 0.0
    for i in range(n):
        predicted += _raw(raw, i) if i == 0 else _softplus(_raw(raw, i))
        over, level = target - predicted, load_double(levels, i)
        loss += max(level * over, (level - 1.0) * over)
        _store(gradient, i, (0.5 - level - 0.5 * _sign(over)) * share / n)
    later = 0.0  # each step raises all later quantiles
    for k in range(n):
        i = n - 1 - k
        later += _raw(gradient, i)
        _store(gradient, i, later if i == 0 else later * _sigmoid(_raw(raw, i)))
    return loss / n


@register_jitable
def _gaussian_loss(raw: int, gradient: int, target: float, share: float) -> float:
    deviation = _softplus(_raw(raw, 1)) + LEAST_DEVIATION
    z = (target - _raw(raw, 0)) / deviation
    _store(gradient, 0, -z / deviation * share)
    _store(gradient, 1, (1.0 - z * z) / deviation * _sigmoid(_raw(raw, 1)) * share)
    return 0.5 * z * z + math.log(deviation)


@register_jitable
def _point_loss(kind: int, raw: int, gradient: int, target: float, share: float) -> float:
    """A loss of one raw number, and its gradient."""
    value = _raw(raw, 0)
    difference = value - target
    if kind == _SQUARED:
        loss, slope = difference * difference, 2.0 * difference
    elif kind == _ABSOLUTE:
        loss, slope = abs(difference), _sign(difference)
    elif kind == _HUBER:
        slope = 1.0 if difference > 1.0 else -1.0 if difference < -1.0 else difference
        loss = slope * (difference - 0.5 * slope)
    else:
        rate = math.exp(value)
        of_target = target * math.log(target) if target > 0.0 else 0.0 * target
        loss, slope = of_target - target * value - target + rate, rate - target
    _store(gradient, 0, slope * share)
    return loss


@register_jitable
def _target_loss(a: Any, raw: int, gradient: int, target: float, share: float) -> float:
    if a.kind == _QUANTILE:
        return _quantile_loss(raw, gradient, target, a.levels, a.width, share)
    if a.kind == _GAUSSIAN:
        return _gaussian_loss(raw, gradient, target, share)
    return _point_loss(a.kind, raw, gradient, target, share)


@register_jitable
def loss_and_gradient(a: Any, batch: int, entry: int) -> None:
    """Store the loss in its table, and the gradient for the head."""
    chosen = a.order + _INT_BYTES * batch * a.batch_size
    n_raw = a.n_outputs * a.width
    total = 0.0
    for step in range(a.n_steps):
        for row in range(a.n_rows):
            at = load_int(chosen, row) * a.n_steps + step
            share = np.float64(load_scalar(a.weights, at)) / a.n_rows
            offset = FLOAT_BYTES * (step * a.n_rows + row) * n_raw
            if a.kind == _LOG:
                total += share * _log_loss(a.raw + offset, a.grad_raw + offset, load_int(a.y, at), n_raw, share)
                continue
            share /= a.n_outputs
            y = at * (2 * a.n_outputs if a.has_target_weights else a.n_outputs)
            for output in range(a.n_outputs):
                of_target = share
                if a.has_target_weights:
                    of_target *= np.float64(load_scalar(a.y, y + a.n_outputs + output))
                place = offset + FLOAT_BYTES * output * a.width
                target = np.float64(load_scalar(a.y, y + output))
                total += of_target * _target_loss(a, a.raw + place, a.grad_raw + place, target, of_target)
    store_double(a.losses, entry, total)
