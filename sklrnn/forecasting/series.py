"""Frames of one or many series, taken apart and put together again."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklrnn.forecasting.fh_index import check_same_kind, go_on, regular
from sklrnn.forecasting.windows import Track
from sklrnn.timeline.panel import split_entities, times_of

Array = NDArray[Any]
Key = Hashable


@dataclass(frozen=True)
class Series:
    """The rows of one series that are known: ``y`` of shape (time, channel) and ``X`` of shape (time, column).

    ``level`` and ``spread`` of each channel are those of the rows that were known when the networks last learnt from it:
    what a network is shown of a row must not depend on the rows after it.
    """

    index: pd.Index
    y: Array
    X: Array
    level: Array
    spread: Array

    def __len__(self) -> int:
        return len(self.index)

    def up_to(self, n_rows: int) -> "Series":
        return replace(self, index=self.index[:n_rows], y=self.y[:n_rows], X=self.X[:n_rows])

    def until(self, time: Any) -> "Series":
        """The rows up to this time."""
        return self.up_to(int(self.index.searchsorted(time, side="right")))

    def measured(self) -> "Series":
        """The same with the level and spread of the rows that are known by now."""
        filled = fill_from_before(self.y)
        return replace(self, level=filled.mean(axis=0), spread=_spread(filled))


def name_of(key: Key) -> str:
    """What messages call a series."""
    return "y" if key is None else f"the series {key!r}"


# -- taken apart -----------------------------------------------------------------------------------------------------


def take_apart(y: pd.DataFrame, X: pd.DataFrame | None) -> dict[Key, Series]:
    """Split frames by instance; a single series has the key None."""
    columns = {} if X is None else by_instance(X)
    unmeasured = np.zeros(y.shape[1])
    return {
        key: Series(
            piece.index,
            _numbers(piece, name_of(key)),
            _align(piece.index, columns.get(key), X is not None, key),
            unmeasured,
            unmeasured,
        )
        for key, piece in by_instance(y).items()
    }


def by_instance(frame: pd.DataFrame) -> dict[Key, pd.DataFrame]:
    """The rows of each instance, by time; those of a single series have the key None."""
    return dict(_pieces(frame))


def begin(
    series: Mapping[Key, Series], channels: tuple[Hashable, ...], like: pd.Index | None = None
) -> dict[Key, Series]:
    """Get series ready that were not known before: their frequency is fixed, and their level and spread are measured.

    A short series may not tell its frequency; it is taken from the longest one.
    """
    if like is None:
        key, longest = max(series.items(), key=lambda item: len(item[1]))
        like = regular(longest.index, whose=name_of(key))
    ready = {}
    for key, one in series.items():
        unknown = [name for name, column in zip(channels, one.y.T, strict=True) if np.isnan(column).all()]
        if unknown:
            which = f" in column {unknown[0]!r}" if len(channels) > 1 else ""
            raise ValueError(
                f"{name_of(key)} has {len(one)} rows, but no known value{which}. Leave it out, or fill it."
            )
        ready[key] = replace(one, index=regular(one.index, like, name_of(key))).measured()
    return ready


def _pieces(frame: pd.DataFrame) -> Iterable[tuple[Key, pd.DataFrame]]:
    for key, rows in split_entities(frame.index):
        piece = frame.iloc[rows]
        yield key, piece.set_axis(times_of(piece.index))


def rows_at(frame: pd.DataFrame, times: pd.Index, whose: str) -> Array:
    """The values at these times; NaN where there is no row."""
    if frame.index.has_duplicates:
        twice = frame.index[frame.index.duplicated()][0]
        raise ValueError(f"{whose} must have one row at each time, but {twice} is there more than once.")
    return _numbers(frame.reindex(times), whose)


def _numbers(frame: pd.DataFrame, whose: str) -> Array:
    """The values as floats; what is missing becomes NaN, what is infinite is refused."""
    values = frame.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isinf(values).any():
        row, column = np.argwhere(np.isinf(values))[0]
        raise ValueError(
            f"{whose} is infinite at {frame.index[row]} in column {frame.columns[column]!r}. Put NaN where a value is unknown."
        )
    return values


def _align(index: pd.Index, piece: pd.DataFrame | None, wanted: bool, key: Key) -> Array:
    if not wanted:
        return np.zeros((len(index), 0))
    if piece is None:
        raise ValueError(f"X has no rows for the series {key!r}. X must cover every row of y.")
    missing = index.difference(piece.index)
    if len(missing):
        raise ValueError(
            f"X must have a row for every row of y, but {len(missing)} are missing, the first at {missing[0]}. "
            "Pass an X with the index of y."
        )
    return rows_at(piece, index, f"X of {name_of(key)}")


# -- longer ----------------------------------------------------------------------------------------------------------


def extend(known: Series, new: Series, key: Key) -> Series:
    """Add newer rows to a series; rows with a known time replace those that were there."""
    check_same_kind(new.index, known.index, "update got times of the kind {}, but was fitted to {}")
    times = go_on(known.index, new.index, name_of(key))
    older = slice(int(known.index.searchsorted(times[0])))
    newer = slice(int(known.index.searchsorted(times[-1], side="right")), None)
    return replace(
        known,
        # The parts know their frequency, and so does the whole.
        index=known.index[older].append([times, known.index[newer]]),
        y=np.concatenate([known.y[older], new.y, known.y[newer]]),
        X=np.concatenate([known.X[older], new.X, known.X[newer]]),
    )


def fill_from_before(values: Array) -> Array:
    """Repeat the last known value in gaps; a gap at the start takes the first one, a column of gaps zeros."""
    missing = np.isnan(values)
    if not missing.any():
        return values
    rows = np.where(missing, 0, np.arange(len(values))[:, np.newaxis])
    filled = np.take_along_axis(values, np.maximum.accumulate(rows, axis=0), axis=0)
    first = np.argmax(~missing, axis=0)
    filled = np.where(np.isnan(filled), values[first, np.arange(values.shape[1])], filled)
    return np.nan_to_num(filled)


# -- put together ----------------------------------------------------------------------------------------------------


def lay_end_to_end(
    series: Mapping[Key, Series], *, sp: int, ahead: Mapping[Key, Array] | None = None, n_ahead: int = 0
) -> Track:
    """Put series into one track, each followed by ``n_ahead`` rows whose y is to come and whose X may be known."""
    ys, observed, Xs, lengths, firsts, errors = [], [], [], [], [], []
    for key, one in series.items():
        seen = ~np.isnan(one.y)
        filled = fill_from_before(one.y)
        X = one.X if ahead is None else np.concatenate([one.X, ahead[key]])
        ys.append(np.concatenate([filled, np.full((n_ahead, filled.shape[1]), np.nan)]))
        observed.append(np.concatenate([seen, np.zeros((n_ahead, filled.shape[1]), dtype=bool)]))
        Xs.append(fill_from_before(X))
        lengths.append(len(one) + n_ahead)
        firsts.append(np.argmax(seen, axis=0))
        errors.append(_naive_error(filled, sp))
    ends = np.cumsum(lengths)
    starts = ends - lengths
    return Track(
        np.concatenate(ys),
        np.concatenate(observed),
        np.concatenate(Xs),
        starts,
        ends,
        starts[:, np.newaxis] + np.array(firsts),
        np.array([one.level for one in series.values()]),
        np.array([one.spread for one in series.values()]),
        np.array(errors),
    )


def label_rows(times: Mapping[Key, pd.Index], names: list[Any]) -> pd.Index:
    """Make the index of a frame out of the times of each series."""
    if None in times:
        return times[None].rename(names[-1])
    keys = [key if isinstance(key, tuple) else (key,) for key in times]
    counts = [len(own) for own in times.values()]
    levels = [pd.Index([key[level] for key in keys]).repeat(counts) for level in range(len(keys[0]))]
    first, *others = times.values()
    return pd.MultiIndex.from_arrays([*levels, first.append(others)], names=names)


def _spread(values: Array) -> Array:
    spread = values.std(axis=0)
    # What rounding leaves of a constant is no spread.
    return np.where(spread > 10 * np.finfo(np.float64).eps * np.abs(values).max(axis=0), spread, 0.0)


def _naive_error(values: Array, sp: int) -> Array:
    """The mean error of the seasonal naive forecast on the series itself, the unit in which errors are weighed."""
    lag = sp if len(values) > sp else 1
    if len(values) <= lag:
        return np.zeros(values.shape[1])
    return np.asarray(np.abs(values[lag:] - values[:-lag]).mean(axis=0))
