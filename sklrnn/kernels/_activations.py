"""Sigmoid and tanh of vectors, to a few units in the last place.

Both follow from expm1(x) = exp(x) - 1, which keeps its precision where x is small: the sigmoid is 1 / (2 + expm1(-x)),
and tanh is expm1(2 x) / (2 + expm1(2 x)).
"""

from numba.extending import register_jitable

from sklrnn.kernels._simd import Vector, clip, power_of_two

# Beyond these, the sigmoid is 1 or less than 1e-18, and tanh is 1. The product of two denominators stays finite.
_SIGMOID_BOUND = 43.0
_TANH_BOUND = 18.1
_LOG2_E = 1.4426950408889634
_ROUNDING = 12582912.0  # 3 * 2**22: a sum with it has no bits for a fraction, so it is rounded to an integer
_LN2 = (0.693359375, -2.12194440e-4)  # ln(2) in two parts; the first has few bits, so that a multiple of it is exact


@register_jitable
def _expm1(x: Vector, bound: float) -> Vector:
    """2**n * (exp(r) - 1) + (2**n - 1), where x = n * ln(2) + r."""
    x = clip(x, bound)
    shifted = x * _LOG2_E + _ROUNDING
    n = shifted - _ROUNDING
    r = x - n * _LN2[0] - n * _LN2[1]
    # The minimax polynomial of degree 6 on ±ln(2)/2; its relative error is at most 3e-9.
    p = r * 0.0013814613285128754 + 0.00836871001816057
    p = p * r + 0.041668387375269046
    p = p * r + 0.16666520688215858
    p = p * r + 0.49999993451607366
    scale = power_of_two(shifted)
    return (p * (r * r) + r) * scale + (scale - 1.0)


@register_jitable
def tanh(x: Vector) -> Vector:
    a = _expm1(2.0 * x, _TANH_BOUND)
    return a / (a + 2.0)


@register_jitable
def two_sigmoids(x: Vector, y: Vector) -> tuple[Vector, Vector]:
    """The sigmoids of two vectors, with one division for both."""
    a, b = _expm1(0.0 - x, _SIGMOID_BOUND) + 2.0, _expm1(0.0 - y, _SIGMOID_BOUND) + 2.0
    inverse = 1.0 / (a * b)
    return inverse * b, inverse * a


@register_jitable
def sigmoid_and_tanh(x: Vector, y: Vector) -> tuple[Vector, Vector]:
    """The sigmoid of one vector and the tanh of another, with one division for both."""
    a, b = _expm1(0.0 - x, _SIGMOID_BOUND) + 2.0, _expm1(2.0 * y, _TANH_BOUND)
    inverse = 1.0 / (a * (b + 2.0))
    return inverse * (b + 2.0), inverse * a * b
