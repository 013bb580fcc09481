"""Statistics of numbers whose squares are too large or too small for a float of 64 bits.

Such numbers are scaled by a power of two first, which changes no digit of them. All others are taken as they are.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# Powers of two up to which numbers, and the sums of their squares, are far from the limits of a float (2**1024).
_ORDINARY = 300
# Beyond this number even a sum of values, or a prediction a little outside of their range, may overflow.
LARGEST = 1e300


def exponents(magnitudes: Any) -> NDArray[np.intp]:
    """The power of two of each magnitude, or 0 where it is an ordinary one."""
    powers = np.frexp(magnitudes)[1]
    return np.where(np.abs(powers) > _ORDINARY, powers, 0)


def column_powers(values: Array) -> NDArray[np.intp]:
    """The power of two by which to divide each column, 0 for ordinary numbers; NaN is left out."""
    largest = np.fmax.reduce(np.abs(values), axis=0, initial=0.0)
    check_magnitude("X", largest)
    return exponents(largest)


def without_exponent(values: Array) -> Array:
    """The values, scaled by a power of two so that the largest lies between 0.5 and 1; NaN stays."""
    return np.asarray(np.ldexp(values, -np.frexp(np.fmax.reduce(np.abs(values), initial=0.0))[1]))


def check_magnitude(name: str, largest: Any) -> None:
    """Refuse numbers that leave no room to compute with them."""
    if float(np.max(largest, initial=0.0)) > LARGEST:
        raise ValueError(
            f"{name} holds numbers of a size up to {np.max(largest):.3g}, and {LARGEST:g} is the largest that can be "
            f"computed with. Divide {name} by a constant."
        )


def check_single_precision(name: str, largest: float, advice: str) -> None:
    """Refuse numbers of which a network, in floats of 32 bits, would see infinity, or nothing but zeros."""
    low, high = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).max)
    if largest > high or 0 < largest < low:
        raise ValueError(
            f"The absolute values of {name} reach {largest:.3g}, but networks are trained in floats of 32 bits, of "
            f"which the smallest is {low:.3g} and the largest {high:.3g}. {advice}"
        )


def check_scaled_targets(y: Array, *, normalized: bool) -> None:
    """Refuse targets of which a network, in floats of 32 bits, would see infinity, or nothing but zeros."""
    largest = float(np.abs(y).max())
    if not normalized:
        check_single_precision("y", largest, "Set normalize_y=True, or divide y by a constant.")
    elif largest > 1:  # what is smaller are the rounding errors of a constant
        advice = "Look for outliers, or fit anew: that scale is the spread of the training samples of the first fit."
        check_single_precision("y, on the scale of the network,", largest, advice)


def standard_deviation(values: Array, axis: int, *, keepdims: bool = False) -> Array:
    """The standard deviation along an axis."""
    powers = exponents(np.abs(values).max(axis=axis, keepdims=True))
    if not powers.any():
        return np.asarray(values.std(axis=axis, keepdims=keepdims))
    deviation = np.ldexp(np.ldexp(values, -powers).std(axis=axis, keepdims=True), powers)
    return deviation if keepdims else deviation.squeeze(axis)


def mean_and_spread(values: Array, weights: Array | None) -> tuple[Array, Array]:
    """Weighted mean and standard deviation of each column."""
    counted = values if weights is None else values[weights > 0]
    largest = np.abs(counted).max(axis=0)
    check_magnitude("y", largest)
    powers = exponents(largest)
    if powers.any() or exponents(np.abs(values).max()):
        # What has no weight may be of any size, and is left out before it is squared.
        values, weights = np.ldexp(counted, -powers), None if weights is None else weights[weights > 0]
    mean = np.average(values, axis=0, weights=weights)
    spread = np.sqrt(np.average((values - mean) ** 2, axis=0, weights=weights))
    return np.ldexp(mean, powers), np.ldexp(spread, powers)
