"""What all generators of tasks need: checked sizes and a source of random numbers."""

import math
from numbers import Real
from typing import Any

import numpy as np


def random_numbers(random_state: Any) -> np.random.RandomState:
    from sklearn.utils import check_random_state

    drawn: np.random.RandomState = check_random_state(random_state)
    return drawn


def check_sizes(**sizes: tuple[Any, int]) -> None:
    """Check ints, given as ``name=(value, least)``."""
    from sklrnn.inputs.validation import check_int  # loads pandas, which a look at this package need not

    for name, (value, least) in sizes.items():
        check_int(name, value, least)


def check_numbers(least: float = -math.inf, **numbers: Any) -> None:
    """Check finite numbers."""
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value) or value < least:
            of_at_least = "" if least == -math.inf else f" of at least {least:g}"
            raise ValueError(f"{name} must be a finite number{of_at_least}, got {value!r}.")
