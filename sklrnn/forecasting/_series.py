"""Frames of one or many series, taken apart and put together again."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklrnn.forecasting._framing import Track

Array = NDArray[Any]
Key = Hashable


@dataclass(frozen=True)
class Series:
    """The rows of one series that are known: ``y`` of shape (time, channel) and ``X`` of shape (time, column)."""

    index: pd.Index
    y: Array
    X: Array

    def __len__(self) -> int:
        return len(self.index)

    def up_to(self, n_rows: int) -> "Series":
        return Series(self.index[:n_rows], self.y[:n_rows], self.X[:n_rows])

    def until(self, time: Any) -> "Series":
        """The rows up to this time."""
        n_rows = int(self.index.searchsorted(time, side="right"))
        if not n_rows:
            raise ValueError(
                f"A forecast from {time} needs rows up to that time, but the first one known is {self.index[0]}."
            )
        return self.up_to(n_rows)

    def last_time(self) -> pd.Index:
        """The time of the last row, as an index that knows its frequency where there is one."""
        last = self.index[-1:]
        if isinstance(last, pd.DatetimeIndex) and last.freq is None:
            last = pd.DatetimeIndex(last, freq=frequency_of(self.index))
        return last


def take_apart(y: pd.DataFrame, X: pd.DataFrame | None) -> dict[Key, Series]:
    """Split frames by instance; a single series has the key None."""
    pieces = dict(_pieces(y))
    columns = {} if X is None else dict(_pieces(X))
    return {
        key: Series(piece.index, _numbers(piece), _align(piece.index, columns.get(key), X is not None, key))
        for key, piece in pieces.items()
    }


def label_rows(times: Mapping[Key, pd.Index], names: list[Any]) -> pd.Index:
    """Make the index of a frame out of the times of each series."""
    if None in times:
        return times[None].rename(names[-1])
    keys = [key if isinstance(key, tuple) else (key,) for key in times]
    counts = [len(own) for own in times.values()]
    levels = [pd.Index([key[level] for key in keys]).repeat(counts) for level in range(len(keys[0]))]
    first, *others = times.values()
    return pd.MultiIndex.from_arrays([*levels, first.append(others)], names=names)


def times_of(X: pd.DataFrame, key: Key) -> pd.Index:
    """The times that X has rows for, of one series."""
    if key is None:
        return X.index
    try:
        return X.loc[key].index  # type: ignore[call-overload]
    except KeyError as error:
        raise ValueError(f"X has no rows for the series {key!r}. Pass X for every series.") from error


def rows_at(X: pd.DataFrame, key: Key, times: pd.Index) -> Array:
    """Take the rows of X at these times; NaN where it has none."""
    own = X if key is None else X.loc[key]  # type: ignore[call-overload]
    return _numbers(own.reindex(times))


def _pieces(frame: pd.DataFrame) -> Iterable[tuple[Key, pd.DataFrame]]:
    if not isinstance(frame.index, pd.MultiIndex):
        yield None, frame
        return
    levels = list(range(frame.index.nlevels - 1))
    for key, piece in frame.groupby(level=levels if len(levels) > 1 else 0, sort=False):
        index = piece.index.get_level_values(-1)
        yield key, piece.set_axis(index)


def _numbers(frame: pd.DataFrame) -> Array:
    return frame.to_numpy(dtype=np.float64, na_value=np.nan)


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
    return _numbers(piece.reindex(index))


def extend(known: Series, new: Series, key: Key) -> Series:
    """Add newer rows to a series; rows with a known time replace those that were there."""
    if type(known.index) is not type(new.index) and not (_counts(known.index) and _counts(new.index)):
        raise TypeError(
            f"update got times of the kind {type(new.index).__name__}, but was fitted to {type(known.index).__name__}. "
            "Pass the same kind of index as in fit."
        )
    start = known.index.searchsorted(new.index[0])
    older = known.up_to(int(start))
    kept = known.index[start:].difference(new.index)
    if len(kept) and kept[-1] < new.index[-1]:
        raise ValueError(
            f"update got rows from {new.index[0]} to {new.index[-1]} without {kept[0]}, which is known already. "
            "Pass consecutive rows."
        )
    rest = Series(known.index[start:], known.y[start:], known.X[start:])
    newer = rest.index > new.index[-1]
    index = older.index.append([new.index, rest.index[newer]])
    _check_unbroken(known.index, index, older, new, key)
    y = np.concatenate([older.y, new.y, rest.y[newer]])
    return Series(index, y, np.concatenate([older.X, new.X, rest.X[newer]]))


def _counts(index: pd.Index) -> bool:
    return pd.api.types.is_integer_dtype(index.dtype) and not isinstance(index, pd.PeriodIndex)


def _check_unbroken(before: pd.Index, after: pd.Index, older: Series, new: Series, key: Key) -> None:
    """Where the time of the rows has a frequency, new rows must keep it, and follow on at once."""
    freq = frequency_of(before)
    what = "" if key is None else f" of {key!r}"
    if freq is None:
        return
    expected: pd.Index
    if isinstance(before, pd.PeriodIndex):
        if frequency_of(new.index) != freq:
            raise ValueError(
                f"update got periods of frequency {frequency_of(new.index)!r}{what}, but was fitted to {freq!r}. "
                "Bring them to the same frequency, for example with y.resample(...)."
            )
        expected = pd.period_range(after[0], periods=len(after), freq=freq)
    elif isinstance(before, pd.DatetimeIndex):
        expected = pd.date_range(after[0], periods=len(after), freq=freq)
    else:
        expected = pd.RangeIndex(after[0], after[0] + len(after) * freq, freq)
    if not after.equals(expected):
        wrong = int(np.argmax(np.asarray(after) != np.asarray(expected)))
        raise ValueError(
            f"update needs rows{what} that go on with the frequency {freq!r} after "
            f"{older.index[-1] if len(older) else before[-1]}: expected {expected[wrong]}, got {after[wrong]}. "
            "Pass the rows between, or bring y to that frequency."
        )


def frequency_of(index: pd.Index) -> Any:
    """The step from row to row: the name of a frequency, a number for counted rows, None if there is no fixed one."""
    if isinstance(index, pd.PeriodIndex):
        return index.freqstr
    if isinstance(index, pd.DatetimeIndex):
        if index.freq is not None:
            return index.freqstr
        return pd.infer_freq(index) if len(index) > 2 else None
    if _counts(index) and len(index) > 1:
        step = int(index[1] - index[0])
        return step if (np.diff(np.asarray(index)) == step).all() else None
    return None


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


def lay_end_to_end(
    series: Mapping[Key, Series],
    *,
    sp: int,
    ahead: Mapping[Key, Array] | None = None,
    n_ahead: int = 0,
    normalize: str | None,
) -> Track:
    """Put series into one track, each followed by ``n_ahead`` rows whose y is to come and whose X may be known."""
    ys, observed, Xs, lengths, levels, spreads, errors = [], [], [], [], [], [], []
    for key, one in series.items():
        seen = ~np.isnan(one.y)
        filled = fill_from_before(one.y)
        X = one.X if ahead is None else np.concatenate([one.X, ahead[key]])
        ys.append(np.concatenate([filled, np.full((n_ahead, filled.shape[1]), np.nan)]))
        observed.append(np.concatenate([seen, np.zeros((n_ahead, filled.shape[1]), dtype=bool)]))
        Xs.append(fill_from_before(X))
        lengths.append(len(one) + n_ahead)
        levels.append(filled.mean(axis=0))
        spreads.append(_spread(filled))
        errors.append(_naive_error(filled, sp))
    ends = np.cumsum(lengths)
    level, spread = np.array(levels), np.array(spreads)
    if normalize is None:
        level, spread = (
            np.broadcast_to(level.mean(axis=0), level.shape),
            np.broadcast_to(np.sqrt((spread**2).mean(axis=0)), spread.shape),
        )
    return Track(
        np.concatenate(ys),
        np.concatenate(observed),
        np.concatenate(Xs),
        ends - lengths,
        ends,
        level,
        spread,
        np.array(errors),
    )


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
