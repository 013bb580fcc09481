"""How much a season helps to forecast the last known rows, evaluated with a model that costs next to nothing.

All series lie in one table (series, row) that ends with their last rows; NaN stands for rows that a series lacks.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# Seasonal means are taken over so many seasons, and errors from so many origins at most.
_MOST_CYCLES = 5
_MOST_ORIGINS = 12
# The rows of one forecast are alike, but fewer forecasts than this have no standard error to rely on.
_ENOUGH_FORECASTS = 20
_SHORTEST_MEAN, _LONGEST_MEAN = 5, 12
# In units of a series' mean absolute difference: what is below is rounding.
_NO_ERROR = 1e-6


class Trial(NamedTuple):
    """The share of the error that a season saves, and the saved error in units of its standard error."""

    gain: float
    significance: float


def try_season(series: Sequence[Array], season: int, horizon: int) -> Trial | None:
    """Forecast the last rows of the series with and without a season, from several origins where they are long.

    Errors are in units of a series' mean absolute difference. Returns None where too few rows are known.
    """
    table = _align(series, max(12 * season, 300))
    n_rows = min(int(np.median([len(values) for values in series])), table.shape[1])
    horizon = min(horizon, n_rows - 2 * season)
    if horizon < 1:
        return None
    origins = range(table.shape[1] - horizon, table.shape[1] - n_rows + 2 * season - 1, -horizon)[:_MOST_ORIGINS]
    without, errors = (_scaled_errors(table, origins, horizon, sp, season) for sp in (1, season))
    known: Array = np.isfinite(without + errors).all(axis=0)
    if not known.any():
        return None
    without, errors = (np.where(known, each, np.nan) for each in (without, errors))
    # With and without a season, the level model that does best.
    without, errors = (each[np.nanmean(each, axis=(1, 2)).argmin()] for each in (without, errors))
    saved = without - errors
    chosen = saved[known] if len(saved) < _ENOUGH_FORECASTS else _mean(saved)[known.any(axis=1)]
    before = float(np.nanmean(without))
    gain = float(np.nanmean(saved)) / before if before > _NO_ERROR else 0.0
    standard_error = float(chosen.std(ddof=1)) / np.sqrt(len(chosen)) if len(chosen) > 1 else np.inf
    return Trial(gain, float(chosen.mean()) / max(standard_error, _NO_ERROR))


def _align(series: Sequence[Array], most_rows: int) -> Array:
    n_rows = min(most_rows, max(len(values) for values in series))
    table = np.full((len(series), n_rows), np.nan)
    for row, values in zip(table, series, strict=True):
        newest = values[-n_rows:]
        row[n_rows - len(newest) :] = newest
    return table


def _scaled_errors(table: Array, origins: Sequence[int], horizon: int, season: int, longest: int) -> Array:
    """Absolute errors (level model, origin times series, step); NaN where a value or a forecast is missing."""
    errors = []
    for origin in origins:
        past, future = table[:, :origin], table[:, origin : origin + horizon]
        unit = _mean(np.abs(np.diff(past, axis=1)))
        ahead: Array = np.zeros((len(table), 1))
        if season > 1:
            shape = _seasonal_means(past, season)
            past = past - shape[:, (np.arange(origin) - origin) % season]
            ahead = shape[:, np.arange(horizon) % season]
        unit = np.where(unit > 0, unit, np.nan)[:, np.newaxis]
        levels = _levels(past, horizon, max(longest, _LONGEST_MEAN))
        errors.append(np.stack([np.abs(level + ahead - future) / unit for level in levels]))
    return np.concatenate(errors, axis=1)


def _seasonal_means(past: Array, season: int) -> Array:
    """The mean deviation from a moving average (series, row of the season); the first row follows the last known."""
    deviations = past - _moving_average(past, season)
    n_cycles = min(_MOST_CYCLES, -(-past.shape[1] // season))
    missing = max(0, n_cycles * season - past.shape[1])
    newest = np.pad(deviations[:, -n_cycles * season :], [(0, 0), (missing, 0)], constant_values=np.nan)
    means = _mean(newest.reshape(len(past), n_cycles, season))
    return means - _mean(means)[:, np.newaxis]


def _moving_average(values: Array, season: int) -> Array:
    """The centred average over a season; NaN at the ends, and where more than half of a season is missing."""
    known = ~np.isnan(values)
    sums, counts = (_moving_sum(each, season) for each in (np.where(known, values, 0.0), known.astype(float)))
    average = np.where(2 * counts >= season, sums / np.maximum(counts, 1.0), np.nan)
    if season % 2 == 0:
        average = (average[:, 1:] + average[:, :-1]) / 2
    centred = np.full_like(values, np.nan)
    centred[:, season // 2 : season // 2 + average.shape[1]] = average
    return centred


def _moving_sum(values: Array, length: int) -> Array:
    sums = np.pad(np.cumsum(values, axis=1), [(0, 0), (1, 0)])
    return sums[:, length:] - sums[:, :-length]


def _levels(past: Array, horizon: int, longest: int) -> Iterator[Array]:
    """Forecasts without a season: the last value, two means of the newest rows, and a line."""
    newest = past[:, -longest - 1 :]
    rows = np.maximum.accumulate(np.where(np.isnan(newest), 0, np.arange(newest.shape[1])), axis=1)
    filled = np.take_along_axis(newest, rows, axis=1)
    flat = np.zeros(horizon)
    yield filled[:, -1:] + flat
    yield _mean(newest[:, -_SHORTEST_MEAN:])[:, np.newaxis] + flat
    yield _mean(newest[:, -longest:])[:, np.newaxis] + flat
    slope = (filled[:, -1:] - filled[:, :1]) / max(1, filled.shape[1] - 1)
    yield filled[:, -1:] + slope * np.arange(1, horizon + 1)


def _mean(values: Array) -> Array:
    """The mean of the known values along axis 1; NaN where there are none."""
    known = ~np.isnan(values)
    counts = known.sum(axis=1)
    mean: Array = np.where(counts > 0, np.where(known, values, 0.0).sum(axis=1) / np.maximum(counts, 1), np.nan)
    return mean
