"""Exponential smoothing of the rows before a forecast, with a trend and a season, chosen for each window."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# Holt's method: the shares of an error that correct level and trend, and the share of the trend left a step later.
_CANDIDATES = np.array(
    [
        (1.0, 0.0, 1.0),
        (0.4, 0.0, 1.0),
        *((level, trend, damping) for level in (1.0, 0.7, 0.4) for trend in (0.1, 0.3) for damping in (0.9, 1.0)),
    ]
)
# The share of an error that corrects the season.
_SEASON_SHARE = 0.2
# The forecast is the mean of so many candidates, those with the least errors within the rows.
_N_AVERAGED = 2
# Candidates are compared so far ahead at most: later, changes decide that none of them foresees.
_LONGEST_HORIZON = 12
# Rows that are read: so many, or so many seasons.
_LEAST_ROWS, _MOST_SEASONS = 32, 8
_BLOCK_SIZE = 8192


def count_rows_read(seasons: tuple[int, ...]) -> int:
    """How many rows smoothing reads at most."""
    return max(_LEAST_ROWS, _MOST_SEASONS * max(seasons))


def forecast_by_smoothing(rows: Array, horizon: int, seasons: tuple[int, ...]) -> Array:
    """Forecasts (sample, step, channel) of what follows rows (sample, row, channel), each series by itself."""
    n_samples, n_rows, n_channels = rows.shape
    # Relative to the last row, so that a constant is forecast exactly.
    newest = rows[:, -1:]
    series = np.moveaxis(rows - newest, 1, 0).reshape(n_rows, -1)
    blocks = np.split(series, range(_BLOCK_SIZE, series.shape[1], _BLOCK_SIZE), axis=1)
    forecasts = np.concatenate([_mean_of_best(block, horizon, seasons) for block in blocks], axis=1)
    smoothed: Array = newest + np.moveaxis(forecasts.reshape(horizon, n_samples, n_channels), 1, 0)
    return smoothed


def _mean_of_best(series: Array, horizon: int, seasons: tuple[int, ...]) -> Array:
    """Forecasts (step, series) of series (row, series)."""
    # A season needs two of them to start from.
    seasons = tuple(season for season in seasons if 2 * season <= len(series)) or (1,)
    origins = _origins(len(series), max(seasons), min(horizon, _LONGEST_HORIZON))
    errors, forecasts = zip(*(_smooth(series, horizon, season, *origins) for season in seasons), strict=True)
    best = np.argsort(np.concatenate(errors), axis=0, kind="stable")[:_N_AVERAGED]
    mean: Array = np.take_along_axis(np.concatenate(forecasts, axis=1), best[np.newaxis], axis=1).mean(axis=1)
    return mean


def _smooth(series: Array, horizon: int, season: int, first: int, tried: int) -> tuple[Array, Array]:
    """The errors (candidate, series) within the rows, and forecasts (step, candidate, series) of what follows.

    Errors are those of ``tried`` steps, from each origin with ``first`` known rows or more.
    """
    n_rows = len(series)
    share, trend_share, damping = (column[:, np.newaxis] for column in _CANDIDATES.T)
    level, trend, seasons = _start(series, season)
    # For each step ahead, how many of today's trends lie in it: (step, candidate, 1).
    trends = np.cumsum(damping ** np.arange(1, horizon + 1), axis=1).T[..., np.newaxis]
    errors = np.zeros((len(_CANDIDATES), series.shape[1]))
    for n_known in range(1, n_rows + 1):
        phase = (n_known - 1) % season
        error = series[n_known - 1] - level - damping * trend - seasons[phase]
        level = level + damping * trend + share * error
        trend = damping * trend + share * trend_share * error
        if season > 1:
            seasons[phase] += _SEASON_SHARE * error
        if first <= n_known <= n_rows - tried:
            later = series[n_known : n_known + tried, np.newaxis]
            ahead = seasons[(n_known + np.arange(tried)) % season]
            errors += np.abs(later - level - trends[:tried] * trend - ahead).sum(axis=0)
    return errors, level + trends * trend + seasons[(n_rows + np.arange(horizon)) % season]


def _start(series: Array, season: int) -> tuple[Array, Array, Array]:
    """Level and trend (candidate, series) before the first row, and the season (row of it, candidate, series)."""
    shape = len(_CANDIDATES), series.shape[1]
    if season == 1:
        return np.broadcast_to(series[0], shape), np.zeros(shape), np.zeros((1, *shape))
    two = series[: 2 * season].reshape(2, season, -1)
    means = two.mean(axis=1)
    slope = (means[1] - means[0]) / season
    line = means.mean(axis=0) + (np.arange(2 * season) - season + 0.5)[:, np.newaxis] * slope
    seasons = (two - line.reshape(two.shape)).mean(axis=0)
    has_trend = _CANDIDATES[:, 1:2] > 0
    return (
        np.broadcast_to(line[0] - slope, shape),
        has_trend * slope,
        np.repeat(seasons[:, np.newaxis], len(_CANDIDATES), axis=1),
    )


def _origins(n_rows: int, season: int, horizon: int) -> tuple[int, int]:
    """From how many known rows on the candidates are compared, and how many steps ahead."""
    first = min(3, max(1, n_rows // 3))
    if season > 1:
        # The first two seasons are where it starts from; a few rows must be left.
        first = 2 * season if n_rows >= 2 * season + 4 else n_rows - max(1, (n_rows - season) // 3)
    return first, min(horizon, max(1, (n_rows - first) // 2))
