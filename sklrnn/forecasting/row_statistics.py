"""Statistics of many series that lie one after the other, without a loop over them.

Sums of a series are taken over its rows alone, in batches of series of equal length: their digits depend on no other.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklrnn.inputs.magnitudes import standard_deviation

Array = NDArray[Any]

_BLOCK_SIZE = 2**20


def fill_forward(values: Array, offsets: Array) -> Array:
    """Fill gaps with the last known value of a series; a gap at its start with the first one, or 0 if there is none."""
    missing = np.isnan(values)
    if not missing.any():
        return values
    starts = offsets[:-1]
    rows = np.where(missing, np.repeat(starts, np.diff(offsets))[:, np.newaxis], np.arange(len(values))[:, np.newaxis])
    filled = np.take_along_axis(values, np.maximum.accumulate(rows, axis=0), axis=0)
    first = starts[:, np.newaxis] + first_known(~missing, offsets)
    of_series = np.take_along_axis(values, first, axis=0)
    filled = np.where(np.isnan(filled), np.repeat(of_series, np.diff(offsets), axis=0), filled)
    return np.nan_to_num(filled)


def first_known(known: Array, offsets: Array) -> Array:
    """The place of the first known value within each series, 0 if there is none: (series, channel)."""
    starts, lengths = offsets[:-1], np.diff(offsets)
    first = np.zeros((len(starts), known.shape[1]), dtype=np.int64)
    late = np.flatnonzero(~known[starts].all(axis=1))
    for chosen, rows in _equally_long(starts[late], lengths[late], known.shape[1]):
        first[late[chosen]] = known[rows].argmax(axis=1)
    return first


def level_and_scale(filled: Array, offsets: Array) -> tuple[Array, Array]:
    """Mean and standard deviation of each series, (series, channel): exactly 0 for a constant, despite rounding."""
    return _of_each(filled, offsets, lambda rows: rows.mean(axis=-1)), _of_each(filled, offsets, _deviation)


def naive_errors(filled: Array, offsets: Array, sp: int) -> Array:
    """The mean absolute error of the seasonal naive forecast within each series, as in MASE: (series, channel)."""

    def errors(rows: Array) -> Array:
        lag = sp if rows.shape[-1] > sp else 1
        if rows.shape[-1] <= lag:
            return np.zeros(rows.shape[:-1])
        return np.asarray(np.abs(rows[..., lag:] - rows[..., :-lag]).mean(axis=-1))

    return _of_each(filled, offsets, errors)


def naive_errors_until(filled: Array, n_known: Array, sp: int) -> Array:
    """The error of the seasonal naive forecast within the first rows of one series: (number of rows, channel)."""
    errors = np.zeros((len(n_known), filled.shape[1]))
    for lag in {1, sp}:
        sums = np.cumsum(np.abs(filled[lag:] - filled[:-lag]), axis=0)
        has_lag = (n_known > lag) & ((n_known <= sp) if lag < sp else True)
        counts = n_known[has_lag] - lag
        errors[has_lag] = sums[counts - 1] / counts[:, np.newaxis]
    return errors


def _deviation(rows: Array) -> Array:
    deviation = standard_deviation(rows, axis=-1)
    return np.where(deviation > 10 * np.finfo(np.float64).eps * np.abs(rows).max(axis=-1), deviation, 0.0)


def _of_each(values: Array, offsets: Array, statistic: Callable[[Array], Array]) -> Array:
    """A statistic of each series and channel, of those of equal length at once: (channel, series, row)."""
    result = np.empty((len(offsets) - 1, values.shape[1]))
    for chosen, rows in _equally_long(offsets[:-1], np.diff(offsets), values.shape[1]):
        # Rows are the last axis in memory too, whose sums have the same digits for any number of channels.
        result[chosen] = statistic(np.take(values.T, rows, axis=1)).T
    return result


def _equally_long(starts: Array, lengths: Array, n_columns: int) -> Iterator[tuple[Array, Array]]:
    """Numbers of series of equal length, and their rows: (series, row)."""
    by_length = np.argsort(lengths, kind="stable")
    for group in np.split(by_length, np.flatnonzero(np.diff(lengths[by_length])) + 1):
        if not len(group):
            continue
        length = int(lengths[group[0]])
        size = max(1, _BLOCK_SIZE // (length * max(1, n_columns)))
        for first in range(0, len(group), size):
            chosen = group[first : first + size]
            yield chosen, starts[chosen, np.newaxis] + np.arange(length)
