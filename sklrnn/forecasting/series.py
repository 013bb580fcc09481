"""Series split out of frames, extended by new rows, and concatenated for a network."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklrnn.forecasting.fh_index import check_same_index_type, continue_index, with_frequency
from sklrnn.forecasting.plain_values import SavedAsPlainValues
from sklrnn.forecasting.windows import StackedSeries
from sklrnn.inputs.magnitudes import check_magnitude, check_single_precision, standard_deviation
from sklrnn.timeline.panel import split_entities, times_of

Array = NDArray[Any]
# What a panel's index calls a series; None for a single series.
SeriesKey = Hashable


@dataclass(frozen=True)
class TimeSeries(SavedAsPlainValues):
    """The known rows of one series: ``y`` of shape (time, channel) and ``X`` of shape (time, column).

    ``level`` and ``scale`` are the mean and standard deviation of each channel, of the rows that were known when the
    networks were last trained on it: the input for a row must not depend on later rows.
    """

    index: pd.Index
    y: Array
    X: Array
    level: Array
    scale: Array

    def __len__(self) -> int:
        return len(self.index)

    def until(self, time: Any) -> "TimeSeries":
        """The rows up to this time, which is included."""
        n_rows = int(self.index.searchsorted(time, side="right"))
        return replace(self, index=self.index[:n_rows], y=self.y[:n_rows], X=self.X[:n_rows])

    def with_current_scale(self) -> "TimeSeries":
        """The same series with the level and scale of all its rows."""
        filled = forward_fill(self.y)
        check_magnitude("y", np.abs(filled).max())
        return replace(self, level=filled.mean(axis=0), scale=_standard_deviation(filled))


def describe_series(key: SeriesKey) -> str:
    """Name a series in a message."""
    return "y" if key is None else f"the series {key!r}"


# -- splitting -------------------------------------------------------------------------------------------------------


def split_series(y: pd.DataFrame, X: Mapping[SeriesKey, pd.DataFrame] | None) -> dict[SeriesKey, TimeSeries]:
    """Split y into series, whose X is split already; a single series has the key None.

    Their level and scale are not computed yet.
    """
    not_computed = np.zeros(y.shape[1])
    return {
        key: TimeSeries(
            rows.index,
            to_floats(rows, describe_series(key)),
            _align_X(X.get(key), rows.index, key) if X is not None else np.zeros((len(rows), 0)),
            not_computed,
            not_computed,
        )
        for key, rows in split_frame(y).items()
    }


def split_frame(frame: pd.DataFrame) -> dict[SeriesKey, pd.DataFrame]:
    """The rows of each series, indexed by time; those of a single series have the key None."""
    return {key: frame.iloc[rows].set_axis(times_of(frame.index[rows])) for key, rows in split_entities(frame.index)}


def prepare_series(
    series: Mapping[SeriesKey, TimeSeries], channels: tuple[Hashable, ...], like: pd.Index | None = None
) -> dict[SeriesKey, TimeSeries]:
    """Prepare new series: set the frequency of their index, and compute their level and scale.

    The frequency of a series that is too short to infer it is that of the longest one.
    """
    if like is None:
        key, longest = max(series.items(), key=lambda item: len(item[1]))
        like = with_frequency(longest.index, whose=describe_series(key))
    prepared = {}
    for key, one in series.items():
        empty = [name for name, column in zip(channels, one.y.T, strict=True) if np.isnan(column).all()]
        if empty:
            which = f" in column {empty[0]!r}" if len(channels) > 1 else ""
            raise ValueError(
                f"{describe_series(key)} has {len(one)} rows, but no known value{which}. Leave it out, or fill it."
            )
        index = with_frequency(one.index, like, describe_series(key))
        prepared[key] = replace(one, index=index).with_current_scale()
    return prepared


def check_unique_times(frame: pd.DataFrame, whose: str) -> None:
    """Check that no time has two rows."""
    if frame.index.has_duplicates:
        duplicate = frame.index[frame.index.duplicated()][0]
        raise ValueError(f"{whose} must have one row at each time, but {duplicate} is there more than once.")


def check_columns_of_X(values: Array, names: Iterable[Any], whose: str, *, refuse_small: bool = True) -> None:
    """X is not scaled before the network reads it in single precision."""
    for name, largest in zip(names, np.fmax.reduce(np.abs(values), axis=0, initial=0.0), strict=True):
        if largest > 1 or refuse_small:
            check_single_precision(f"column {name!r} of {whose}", largest, "Multiply or divide it by a constant.")


def to_floats(frame: pd.DataFrame, whose: str) -> Array:
    """The values as floats; missing ones become NaN, infinite ones are an error."""
    values = frame.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isinf(values).any():
        row, column = np.argwhere(np.isinf(values))[0]
        raise ValueError(
            f"{whose} is infinite at {frame.index[row]} in column {frame.columns[column]!r}. Put NaN where a value is "
            "unknown."
        )
    return values


def _align_X(X: pd.DataFrame | None, index: pd.Index, key: SeriesKey) -> Array:
    if X is None:
        raise ValueError(f"X has no rows for the series {key!r}. X must cover every row of y.")
    whose = f"X of {describe_series(key)}"
    check_unique_times(X, whose)
    missing = index.difference(X.index)
    if len(missing):
        raise ValueError(
            f"X must have a row for every row of y, but {len(missing)} are missing, the first at {missing[0]}. "
            "Pass an X with the index of y."
        )
    return to_floats(X.reindex(index), whose)


# -- extending -------------------------------------------------------------------------------------------------------


def merge_rows(known: TimeSeries, new: TimeSeries, key: SeriesKey) -> TimeSeries:
    """Add new rows to a series; they replace known rows with the same time."""
    check_same_index_type(new.index, known.index, "update got times of the kind {}, but was fitted to {}")
    times = continue_index(known.index, new.index, describe_series(key))
    before = slice(int(known.index.searchsorted(times[0])))
    after = slice(int(known.index.searchsorted(times[-1], side="right")), None)
    return replace(
        known,
        # All three parts have a frequency, so that the result has one too.
        index=known.index[before].append([times, known.index[after]]),
        y=np.concatenate([known.y[before], new.y, known.y[after]]),
        X=np.concatenate([known.X[before], new.X, known.X[after]]),
    )


def forward_fill(values: Array) -> Array:
    """Fill gaps with the last known value; a gap at the start with the first one, a column without values with 0."""
    missing = np.isnan(values)
    if not missing.any():
        return values
    rows = np.where(missing, 0, np.arange(len(values))[:, np.newaxis])
    filled = np.take_along_axis(values, np.maximum.accumulate(rows, axis=0), axis=0)
    first = np.argmax(~missing, axis=0)
    filled = np.where(np.isnan(filled), values[first, np.arange(values.shape[1])], filled)
    return np.nan_to_num(filled)


# -- concatenating ---------------------------------------------------------------------------------------------------


def stack_series(
    series: Mapping[SeriesKey, TimeSeries],
    *,
    sp: int,
    X_ahead: Mapping[SeriesKey, Array] | None = None,
    n_ahead: int = 0,
) -> StackedSeries:
    """Concatenate series, each followed by ``n_ahead`` future rows: their y is NaN, their X may be known."""
    ys, observed, Xs, lengths, firsts, naive_errors = [], [], [], [], [], []
    for key, one in series.items():
        known = ~np.isnan(one.y)
        filled = forward_fill(one.y)
        X = one.X if X_ahead is None else np.concatenate([one.X, X_ahead[key]])
        ys.append(np.concatenate([filled, np.full((n_ahead, filled.shape[1]), np.nan)]))
        observed.append(np.concatenate([known, np.zeros((n_ahead, filled.shape[1]), dtype=bool)]))
        Xs.append(forward_fill(X))
        lengths.append(len(one) + n_ahead)
        firsts.append(np.argmax(known, axis=0))
        naive_errors.append(_naive_error(filled, sp))
    ends = np.cumsum(lengths)
    starts = ends - lengths
    return StackedSeries(
        np.concatenate(ys),
        np.concatenate(observed),
        np.concatenate(Xs),
        starts,
        ends,
        starts[:, np.newaxis] + np.array(firsts),
        np.array([one.level for one in series.values()]),
        np.array([one.scale for one in series.values()]),
        np.array(naive_errors),
    )


def make_index(times: Mapping[SeriesKey, pd.Index], names: list[Any]) -> pd.Index:
    """Make the index of a frame from the times of each series."""
    if None in times:
        return times[None].rename(names[-1])
    keys = [key if isinstance(key, tuple) else (key,) for key in times]
    counts = [len(own) for own in times.values()]
    levels = [pd.Index([key[level] for key in keys]).repeat(counts) for level in range(len(keys[0]))]
    first, *others = times.values()
    return pd.MultiIndex.from_arrays([*levels, first.append(others)], names=names)


def _standard_deviation(values: Array) -> Array:
    """The standard deviation of each column; exactly 0 for a constant, which rounding may hide."""
    deviation = standard_deviation(values, axis=0)
    return np.where(deviation > 10 * np.finfo(np.float64).eps * np.abs(values).max(axis=0), deviation, 0.0)


def _naive_error(values: Array, sp: int) -> Array:
    """The mean absolute error of the seasonal naive forecast within the series, as in MASE."""
    lag = sp if len(values) > sp else 1
    if len(values) <= lag:
        return np.zeros(values.shape[1])
    return np.asarray(np.abs(values[lag:] - values[:-lag]).mean(axis=0))


def naive_errors_until(series: TimeSeries, n_known: Array, sp: int) -> Array:
    """The error of the seasonal naive forecast within the first rows of a series: (number of rows, channel)."""
    filled = forward_fill(series.y)
    errors = np.zeros((len(n_known), filled.shape[1]))
    for lag in {1, sp}:
        sums = np.cumsum(np.abs(filled[lag:] - filled[:-lag]), axis=0)
        has_lag = (n_known > lag) & ((n_known <= sp) if lag < sp else True)
        counts = n_known[has_lag] - lag
        errors[has_lag] = sums[counts - 1] / counts[:, np.newaxis]
    return errors
