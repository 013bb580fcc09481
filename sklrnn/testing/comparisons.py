"""Comparisons of answers: numbers up to rounding, labels exactly, and messages that say where they differ."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# Of the spread of the numbers. Sums of a batch of another size may be added up in another order, in single precision.
_ROUNDING = 1e-5


def assert_same(found: Any, expected: Any, claim: str) -> None:
    """Fail with the claim, and where it does not hold, unless both are equal up to rounding."""
    difference = find_difference(found, expected)
    if difference is not None:
        raise AssertionError(f"{claim} {difference}")


def assert_differs(found: Any, expected: Any, claim: str) -> None:
    """Fail with the claim if both are equal up to rounding."""
    if find_difference(found, expected) is None:
        raise AssertionError(claim)


def take_rows(answers: Any, rows: Any) -> Any:
    """The answers for some sequences, or for one: a number, a slice or an array of numbers."""
    if isinstance(answers, dict):
        return {name: take_rows(part, rows) for name, part in answers.items()}
    if isinstance(answers, list | tuple):
        return [answers[row] for row in rows] if isinstance(rows, np.ndarray) else answers[rows]
    return np.asarray(answers)[rows]


def as_arrays(answers: Any) -> Any:
    """Answers as arrays, whatever held them."""
    return {n: np.asarray(part) for n, part in answers.items()} if isinstance(answers, dict) else np.asarray(answers)


def find_difference(found: Any, expected: Any) -> str | None:
    """Say where two answers differ, or None: arrays, tables, lists of arrays, or a dict of several answers."""
    if isinstance(found, dict) and isinstance(expected, dict):
        for name in expected:
            difference = find_difference(found[name], expected[name])
            if difference is not None:
                return f"In the {name}: {difference}"
        return None
    if isinstance(found, list | tuple) and isinstance(expected, list | tuple):
        return _difference_of_lists(found, expected)
    one, other = np.asarray(found), np.asarray(expected)
    if one.shape != other.shape:
        return f"The shape is {one.shape} rather than {other.shape}."
    if one.dtype.kind not in "fiub" or other.dtype.kind not in "fiub":
        wrong = np.asarray(one != other)
    else:
        one, other = one.astype(np.float64), other.astype(np.float64)
        wrong = ~np.isclose(one, other, rtol=0, atol=_tolerance(other), equal_nan=True)
    if not wrong.any():
        return None
    first = tuple(int(place) for place in np.argwhere(wrong)[0])
    return (
        f"{wrong.sum()} of {wrong.size} value(s) differ, the first at {first}: {one[first]} rather than {other[first]}."
    )


def _difference_of_lists(found: Any, expected: Any) -> str | None:
    if len(found) != len(expected):
        return f"There are {len(found)} of them rather than {len(expected)}."
    for number, (one, other) in enumerate(zip(found, expected, strict=True)):
        difference = find_difference(one, other)
        if difference is not None:
            return f"In sequence {number}: {difference}"
    return None


def _tolerance(expected: Array) -> float:
    known = expected[np.isfinite(expected)]
    if not known.size:
        return 0.0
    # An offset takes digits from what varies: those of a float32.
    return float(_ROUNDING * np.ptp(known) + 1e-6 * np.abs(known).max() + 1e-12)
