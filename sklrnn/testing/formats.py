"""Checks that the same numbers, or texts, are read alike, whatever holds them."""

from collections.abc import Callable
from typing import Any
from unittest import SkipTest

import numpy as np
from numpy.typing import NDArray

from sklrnn.testing.checked import Checked
from sklrnn.testing.comparisons import as_arrays, assert_same

Array = NDArray[Any]
Convert = Callable[[Array], Any]


def check_lists_agree(case: Checked) -> None:
    """Nested lists give the predictions of arrays."""
    _compare(case, "nested lists", lambda values: values.tolist(), optional=True)


def check_pandas_agrees(case: Checked) -> None:
    """Tables of pandas give the predictions of arrays; in three dimensions only y is one."""
    import pandas as pd

    _compare(
        case.as_table(),
        "pandas",
        lambda values: (pd.DataFrame if values.ndim == 2 else pd.Series)(values),
        optional=True,
    )


def check_polars_agrees(case: Checked) -> None:
    """Tables of polars give the predictions of arrays; in three dimensions only y is one."""
    try:
        import polars as pl
    except ImportError as error:
        raise SkipTest("polars is not installed") from error

    def convert(values: Array) -> Any:
        if values.ndim == 1:
            return pl.Series(values.tolist())
        return pl.DataFrame({f"column{number}": column.tolist() for number, column in enumerate(values.T)})

    _compare(case.as_table(), "polars", convert, optional=True)


def check_arrays_of_strings_agree(case: Checked) -> None:
    """Texts in an array of numpy's strings are read like those in an object array."""
    _compare(case, "arrays of strings", lambda values: values.astype(str) if isinstance(values[0], str) else values)


def check_masked_arrays_agree(case: Checked) -> None:
    """A masked array without a masked value is read like its numbers."""
    _compare(case, "masked arrays", lambda values: np.ma.masked_array(values, mask=False), optional=True)


def check_masked_values_are_not_read(case: Checked) -> None:
    """What lies below a mask has no influence: it is refused, or read as a missing value."""
    if case.X.dtype.kind != "f":
        return
    mask = np.zeros(case.X.shape, dtype=bool)
    mask[:, 0] = True
    found = []
    for below in (case.X, np.where(mask, 1e3 + case.X, case.X)):
        masked = np.ma.masked_array(below, mask=mask)
        try:
            found.append(case.answers(case.fit(masked), masked))
        except (TypeError, ValueError):
            return
    assert_same(found[1], found[0], f"{case.name} reads the values below the mask of a masked array.")


def check_read_only_arrays_agree(case: Checked) -> None:
    """Arrays that can't be written to are read like others."""

    def lock(values: Array) -> Array:
        values = values.copy()
        values.setflags(write=False)
        return values

    _compare(case, "read-only arrays", lock)


def check_strided_arrays_agree(case: Checked) -> None:
    """Views with gaps, with negative strides and in the order of Fortran are read like arrays in one piece."""
    _compare(case, "views with gaps between the values", lambda values: np.repeat(values, 2, axis=-1)[..., ::2])
    _compare(case, "views with negative strides", lambda values: values[::-1].copy()[::-1])
    _compare(case, "arrays in the order of Fortran", np.asfortranarray)


def check_byte_orders_agree(case: Checked) -> None:
    """Arrays in the other byte order are read like those in that of the machine."""

    def swap(values: Array) -> Array:
        return values if values.dtype.kind in "OUS" else values.astype(values.dtype.newbyteorder())

    _compare(case, "arrays in the other byte order", swap)


def _compare(case: Checked, what: str, convert: Convert, *, optional: bool = False) -> None:
    """Fit and predict with X and y in another format; one that is optional may be refused."""
    X = case.X if optional and case.X.ndim == 3 and what in ("pandas", "polars") else convert(case.X)
    y = convert(case.y) if case.y.ndim < 3 else case.y
    try:
        found = case.answers(case.fit(X, y), X)
    except (TypeError, ValueError) as error:
        if optional:
            raise SkipTest(f"{case.name} refuses {what}: {error}") from error
        raise AssertionError(f"{case.name} fails with {what}: {error}") from error
    expected = case.answers(case.fit())
    assert_same(
        as_arrays(found), as_arrays(expected), f"{case.name} reads {what} differently from arrays with these values."
    )
