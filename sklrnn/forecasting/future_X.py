"""Rows of X after the end of a series: which are there, and which a forecast reads."""

from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklrnn.forecasting.series import (
    SeriesKey,
    TimeSeries,
    check_columns_of_X,
    check_unique_times,
    describe_series,
    to_floats,
)

Array = NDArray[Any]

# An error lists at most so many stretches of missing times.
_MOST_STRETCHES = 10


class EarlyX(NamedTuple):
    """Rows of X that were passed to `fit` or `update` before the rows of y at their times."""

    times: pd.Index
    values: Array

    @classmethod
    def after(cls, time: Any, X: pd.DataFrame | None) -> "EarlyX | None":
        """The rows of X after this time; None if there are none."""
        if X is None or not (is_later := X.index > time).any():
            return None
        later = X[is_later].sort_index()
        return cls(later.index, _unchecked_floats(later))


def keep_early_X(
    X: Mapping[SeriesKey, pd.DataFrame], series: Mapping[SeriesKey, TimeSeries]
) -> dict[SeriesKey, EarlyX]:
    """The rows of X after the end of each series."""
    early = {key: EarlyX.after(one.index[-1], X.get(key)) for key, one in series.items()}
    return {key: rows for key, rows in early.items() if rows is not None}


def combine_rows(
    early: EarlyX | None, X: pd.DataFrame | None, columns: tuple[Hashable, ...], key: SeriesKey
) -> pd.DataFrame | None:
    """The early rows and those of X, which replace early ones with the same time."""
    if early is None:
        return X
    older = pd.DataFrame(early.values, index=early.times, columns=list(columns))
    if X is None:
        return older
    check_unique_times(X, f"X of {describe_series(key)}")
    newer = pd.DataFrame(_unchecked_floats(X), index=X.index, columns=list(columns))
    return pd.concat([older[~older.index.isin(newer.index)], newer])


def _unchecked_floats(X: pd.DataFrame) -> Array:
    """The values as floats; infinite ones are an error only when they are read."""
    return X.to_numpy(dtype=np.float64, na_value=np.nan)


def count_steps_read(steps: Array, horizon: int) -> int:
    """How many rows of X after the end of a series its forecasts read.

    The networks read X of all steps that they predict at once, also where fewer of them are asked for. A forecast of a
    known row reads X from this row on.
    """
    ahead, known = steps[steps > 0], steps[steps <= 0]
    blocks = -(-int(ahead.max(initial=0)) // horizon)
    return max(blocks * horizon, int(known.max(initial=-horizon)) + horizon - 1)


def values_of_future_X(X: pd.DataFrame | None, asked: pd.Index, ahead: pd.Index, horizon: int, key: SeriesKey) -> Array:
    """The values of X at all times ``ahead`` of a series, which the forecasts of the times ``asked`` read.

    Every time must have a row. A value that is missing (NaN) in its row is filled later.
    """
    if X is not None:
        check_unique_times(X, f"X of {describe_series(key)}")
    positions = np.full(len(ahead), -1) if X is None else X.index.get_indexer(ahead)
    if X is None or (positions < 0).any():
        raise ValueError(_describe_missing(np.flatnonzero(positions < 0), asked, ahead, horizon, key))
    whose = f"X of {describe_series(key)}"
    values = to_floats(X.iloc[positions], whose)
    check_columns_of_X(values, X.columns, whose, refuse_small=False)  # a column may fade out
    return values


def _describe_missing(missing: Array, asked: pd.Index, ahead: pd.Index, horizon: int, key: SeriesKey) -> str:
    stretches = np.split(missing, np.flatnonzero(np.diff(missing) > 1) + 1)
    listed = [
        f"{ahead[part[0]]}" if len(part) == 1 else f"{ahead[part[0]]} to {ahead[part[-1]]} ({len(part)} rows)"
        for part in stretches[:_MOST_STRETCHES]
    ]
    if len(stretches) > _MOST_STRETCHES:
        listed.append(f"and more up to {ahead[missing[-1]]} ({len(missing)} rows in all)")
    message = (
        f"The forecast of {describe_series(key)} for {_describe_range(asked)} needs the future of X up to {ahead[-1]}, "
        f"but there is no row of X for {', '.join(listed)}. Pass X for these times to predict, or say with future_X "
        "which columns are known in the future."
    )
    if ahead[-1] <= asked.max():
        return message
    return (
        f"{message} The networks predict {horizon} steps at once, and read X for all of them: with another fh in fit "
        'they predict fewer; with strategy="recursive" no forecast reads X beyond its own time.'
    )


def _describe_range(times: pd.Index) -> str:
    first, last = times.min(), times.max()
    return f"{first}" if first == last else f"{first} to {last}"
