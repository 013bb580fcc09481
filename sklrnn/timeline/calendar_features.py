"""Time of day, week and year as features."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklrnn.timeline.grid_inference import infer_grid
from sklrnn.timeline.panel import times_of
from sklrnn.timeline.table import Table
from sklrnn.timeline.time_index import TimeGrid, read_entity_times

__all__ = [
    "CALENDAR_WORDS",
    "Calendar",
    "CalendarOption",
    "calendar_columns",
    "check_cycles",
    "choose_cycles",
    "cyclical_features",
    "dates_of",
    "is_calendar",
    "need_dates",
]

Array = NDArray[Any]
Cycle = Literal["day", "week", "year"]
CalendarOption = Literal["auto"] | list[Cycle] | None

_DAY = pd.Timedelta(days=1)
_LENGTHS = {"day": _DAY, "week": 7 * _DAY, "year": 365.25 * _DAY}
# Sines and cosines of so many waves in a cycle. Demand has two peaks a day, and a weekend is a short part of a week.
_HARMONICS = {"day": 2, "week": 3, "year": 1}
CALENDAR_WORDS = "'auto', None, or a list of different names among 'day', 'week' and 'year'"


def dates_of(X: Any) -> pd.DatetimeIndex | None:
    """The dates of the rows of a frame; None where its index holds none."""
    return _as_dates(times_of(X.index if hasattr(X, "iloc") else None))


def need_dates(labels: Any, calendar: Any, table: str = "X") -> pd.DatetimeIndex:
    """The dates that label the rows of a table, or an error where they are no dates."""
    dates = None if labels is None else _as_dates(pd.Index(labels))
    if dates is None:
        kind = "no index" if labels is None else f"an index of {pd.Index(labels).dtype}"
        raise ValueError(
            f"calendar={calendar!r} reads the date of each row, but {table} has {kind}. Pass a frame whose index is a "
            "DatetimeIndex or PeriodIndex (pandas.to_datetime converts a column), name the column of dates as "
            "time_column, or set calendar=None."
        )
    return dates


def _as_dates(index: Any) -> pd.DatetimeIndex | None:
    if isinstance(index, pd.Index) and index.dtype == object:  # dates from an array or list
        index = index.infer_objects()
    if isinstance(index, pd.PeriodIndex):
        index = index.to_timestamp()
    if not isinstance(index, pd.DatetimeIndex):
        return None
    if index.hasnans:
        raise ValueError(f"Every row needs a date, but row {int(np.argmax(index.isna()))} has none. Drop the row.")
    return index


def is_calendar(value: Any) -> bool:
    """Whether a value says which cycles rows are described by."""
    if value is None or isinstance(value, str):
        return value in (None, "auto")
    if not isinstance(value, list | tuple) or not value:
        return False
    return len(set(value)) == len(value) and set(value) <= set(_LENGTHS)


def check_cycles(calendar: Any, dates: pd.DatetimeIndex) -> tuple[str, ...]:
    """The cycles that were asked for; "auto" means those that the training dates can teach."""
    return choose_cycles(dates) if calendar == "auto" else tuple(calendar)


def choose_cycles(dates: pd.DatetimeIndex | None) -> tuple[str, ...]:
    """The cycles that are at least two steps long and that the dates span at least twice."""
    if dates is None or len(dates) < 2:
        return ()
    sorted_ = dates.sort_values()
    step, span = pd.Series(sorted_.unique()).diff().median(), sorted_[-1] - sorted_[0]
    return tuple(name for name, length in _LENGTHS.items() if step < length / 2 and span >= 2 * length)


def cyclical_features(dates: pd.DatetimeIndex | None, cycles: tuple[str, ...], n_rows: int) -> Array:
    """Sine and cosine of each cycle, (row, 2 * cycle)."""
    if not cycles or dates is None:
        return np.zeros((n_rows, 0))
    phases = _phases(dates)
    angles = 2 * np.pi * np.column_stack([phases[cycle] for cycle in cycles])
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1)


def calendar_columns(dates: pd.DatetimeIndex, cycles: tuple[str, ...], suffix: str = "") -> dict[str, Array]:
    """Sine and cosine of the waves of each cycle, by the name of the column: ``day_sin``, ``week_cos2``."""
    phases = _phases(dates)
    return {
        f"{name}{suffix}": function(2 * np.pi * wave * phases[cycle]) for name, cycle, wave, function in _waves(cycles)
    }


def _waves(cycles: tuple[str, ...]) -> Iterator[tuple[str, str, int, Any]]:
    for cycle in cycles:
        for wave in range(1, _HARMONICS[cycle] + 1):
            number = "" if wave == 1 else str(wave)
            yield f"{cycle}_sin{number}", cycle, wave, np.sin
            yield f"{cycle}_cos{number}", cycle, wave, np.cos


def _phases(dates: pd.DatetimeIndex) -> dict[str, Array]:
    """The share of each cycle that has passed, by local time."""
    of_day = (dates.hour * 3600 + dates.minute * 60 + dates.second).to_numpy() / 86400
    return {
        "day": of_day,
        "week": (dates.dayofweek.to_numpy() + of_day) / 7,
        "year": (dates.dayofyear.to_numpy() + of_day) / 366,
    }


@dataclass(frozen=True)
class Calendar:
    """The calendar features of rows: the cycles that they describe, and the grid that tells the time to be predicted.

    ``lead`` is the number of steps to that time. Where it is 0 there is none, and no grid is needed.
    """

    cycles: tuple[str, ...]
    lead: int
    grid: TimeGrid | None

    @classmethod
    def of_training_rows(cls, table: Table, calendar: CalendarOption, lead: int) -> Self:
        """Learn from the training rows which cycles they span, and what a step is."""
        dates = need_dates(table.labels, calendar)
        grid = infer_grid(read_entity_times(dates, table.entities)) if lead else None
        if grid is not None and grid.step is None and grid.freq is None:
            raise ValueError(
                f"The index keeps no frequency, so the date {lead} step(s) ahead is not known for calendar="
                f"{calendar!r}. Set horizon=None to read the calendar of the rows alone, or let "
                "supervise(..., calendar=...) add it, which reads the dates of the targets."
            )
        return cls(check_cycles(calendar, dates), lead, grid)

    @property
    def names(self) -> list[str]:
        """The names of the columns, first those of the row itself."""
        own = [name for name, *_ in _waves(self.cycles)]
        return own + [f"{name}_lead{self.lead}" for name in own if self.lead]

    def features(self, labels: Any) -> Array:
        """The columns for rows with these labels."""
        dates = need_dates(labels, list(self.cycles))
        columns = [*calendar_columns(dates, self.cycles).values()]
        if self.grid is not None:
            columns += calendar_columns(self.grid.ahead(dates, self.lead), self.cycles).values()
        return np.column_stack(columns) if columns else np.zeros((len(dates), 0))
