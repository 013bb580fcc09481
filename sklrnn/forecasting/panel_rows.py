"""The rows of a frame, found by series and time without a pandas object for each series."""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklrnn.timeline.panel import is_panel, split_entities

Array = NDArray[Any]
# What a panel's index calls a series; None for a single series.
SeriesKey = Hashable

# Times that no other kind of index has.
NO_TIME = np.iinfo(np.int64).min


def describe_series(key: SeriesKey) -> str:
    """Name a series in a message."""
    return "y" if key is None else f"the series {key!r}"


def ordinals_of(index: pd.Index) -> Array:
    """Times as whole numbers that can be compared with others of the same kind; ``NO_TIME`` where there are none."""
    if isinstance(index, pd.DatetimeIndex | pd.PeriodIndex):
        return index.asi8
    if pd.api.types.is_integer_dtype(index.dtype):
        return index.to_numpy(dtype=np.int64)
    return np.full(len(index), NO_TIME)


def to_times(ordinals: Array, kind: pd.Index) -> pd.Index:
    """Undo ``ordinals_of``: an index of this kind."""
    if isinstance(kind, pd.PeriodIndex):
        periods: Any = pd.PeriodIndex
        return periods.from_ordinals(ordinals, freq=kind.freq)
    if not isinstance(kind, pd.DatetimeIndex):
        return pd.Index(ordinals)
    stamps = pd.DatetimeIndex(np.ascontiguousarray(ordinals).view(f"M8[{kind.unit}]"))
    return stamps if kind.tz is None else stamps.tz_localize("UTC").tz_convert(kind.tz)


def stretches(starts: Array, lengths: Array) -> Array:
    """The numbers of consecutive rows, concatenated."""
    ends = np.cumsum(lengths)
    return np.asarray(np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - ends + lengths, lengths))


@dataclass(frozen=True)
class PanelRows:
    """Where the rows of each series are in an index.

    Series ``s``, which ``keys`` names (None for a single series), has the rows ``offsets[s]`` to ``offsets[s + 1]``
    of an order of the rows that has one series after the other; where ``order`` is None they lie so already.
    ``kind`` is an index of the kind of the times without any of them, and ``level`` holds the times, which
    ``codes`` number for each row.
    """

    index: pd.Index
    keys: pd.Index | None
    offsets: Array
    order: Array | None
    level: pd.Index
    codes: Array | None

    @classmethod
    def of(cls, index: pd.Index) -> "PanelRows":
        """Find the series in the order of their first rows."""
        if not is_panel(index):
            return cls(index, None, np.array([0, len(index)]), None, index, None)
        panel: Any = index
        level, codes = panel.levels[-1], np.asarray(panel.codes[-1])
        entities = [np.asarray(level_codes) for level_codes in panel.codes[:-1]]
        is_new = np.zeros(max(0, len(index) - 1), dtype=bool)
        for numbers in entities:
            is_new |= numbers[1:] != numbers[:-1]
        firsts = np.concatenate([[0][: len(index)], np.flatnonzero(is_new) + 1])
        keys = panel[firsts].droplevel(-1)
        if keys.is_unique and all((numbers[firsts] >= 0).all() for numbers in entities):
            return cls(index, keys, np.append(firsts, len(index)), None, level, codes)
        runs = [rows for _, rows in split_entities(index)]
        offsets = np.concatenate([[0], np.cumsum([len(rows) for rows in runs])])
        order = np.concatenate(runs)
        return cls(index, panel[order[offsets[:-1]]].droplevel(-1), offsets, order, level, codes)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def kind(self) -> pd.Index:
        return self.level[:0]

    @property
    def lengths(self) -> Array:
        return np.diff(self.offsets)

    def key(self, number: int) -> SeriesKey:
        return None if self.keys is None else self.keys[number]

    def rows_of(self, number: int) -> Any:
        """The rows of a series in the frame."""
        rows = slice(int(self.offsets[number]), int(self.offsets[number + 1]))
        return rows if self.order is None else self.order[rows]

    def times_of(self, number: int) -> pd.Index:
        """The times of a series as its index."""
        own: Any = self.index[self.rows_of(number)]
        return own.get_level_values(-1) if is_panel(own) else own

    def in_order(self, values: Array) -> Array:
        """Bring values, one for each row of the frame, into the order of the series."""
        return values if self.order is None else values[self.order]

    def ordinals(self, rows: Any = slice(None)) -> Array:
        """The times of some rows, counted in the order of the series."""
        return self._at_rows(ordinals_of(self.level), rows)

    def ordinals_in(self, kind: pd.Index) -> Array:
        """The times as those of another kind of index; ``NO_TIME`` where it has no such time."""
        return self._at_rows(_ordinals_in(self.level, kind), slice(None))

    def take(self, ids: Array, kind: pd.Index) -> "PanelRows":
        """Some of the series, with times in the unit of an index."""
        level: Any = self.level
        if isinstance(kind, pd.DatetimeIndex):
            level = level.as_unit(kind.unit)
        rows = np.concatenate([np.arange(len(self.index))[self.rows_of(number)] for number in ids.tolist()])
        offsets = np.concatenate([[0], np.cumsum(self.lengths[ids])])
        keys = None if self.keys is None else self.keys[ids]
        return replace(self, keys=keys, offsets=offsets, order=rows, level=level)

    def _at_rows(self, ordinals: Array, rows: Any) -> Array:
        chosen = rows if self.order is None else self.order[rows]
        if self.codes is None:
            return ordinals[chosen]
        # A missing time has the code -1.
        return np.append(ordinals, NO_TIME)[self.codes[chosen]]


def latest_time(index: pd.MultiIndex) -> pd.Index:
    """The latest of the last times of all series, as an index of one time with the frequency of the level."""
    rows = PanelRows.of(index)
    codes = rows.in_order(np.asarray(rows.codes))[rows.offsets[1:] - 1]
    latest: Any = pd.Index([rows.level.take(codes[codes >= 0]).max()])
    freq = getattr(rows.level, "freq", None)
    return pd.DatetimeIndex(latest, freq=freq) if isinstance(latest, pd.DatetimeIndex) and freq is not None else latest


def _ordinals_in(level: pd.Index, kind: pd.Index) -> Array:
    nowhere = np.full(len(level), NO_TIME)
    if isinstance(level, pd.DatetimeIndex) and isinstance(kind, pd.DatetimeIndex):
        if (level.tz is None) != (kind.tz is None):
            return nowhere
        converted = level.as_unit(kind.unit)
        return np.where(converted.as_unit(level.unit).asi8 == level.asi8, converted.asi8, NO_TIME)
    if isinstance(level, pd.PeriodIndex) or isinstance(kind, pd.PeriodIndex):
        return ordinals_of(level) if level.dtype == kind.dtype else nowhere
    return nowhere if isinstance(level, pd.DatetimeIndex) or isinstance(kind, pd.DatetimeIndex) else ordinals_of(level)


def find_keys(keys: pd.Index | None, known: pd.Index | None) -> Array:
    """The numbers of series among the known ones; -1 where they are not known."""
    if keys is None or known is None:
        return np.zeros(1, dtype=np.int64) if keys is known else np.full(1 if keys is None else len(keys), -1)
    if len(keys) == len(known) and keys.equals(known):
        return np.arange(len(keys))
    numbers: Array = known.get_indexer(keys)
    return numbers


def reach(key: Any) -> tuple[Any, ...]:
    """The parts of a key, one for each level of the index before the last."""
    return key if isinstance(key, tuple) else (key,)
