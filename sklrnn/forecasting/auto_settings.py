"""Settings of a forecaster that depend on its series: season, window, fold, and what else "auto" stands for."""

from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sktime.forecasting.base import ForecastingHorizon

from sklrnn.forecasting.fh_index import resolve_fh
from sklrnn.forecasting.seasonality import FEW_SERIES, SeriesSample, resolve_season, season_by_frequency
from sklrnn.forecasting.series import SeriesTable
from sklrnn.forecasting.windows import WindowSpec
from sklrnn.inputs.magnitudes import exponents, without_exponent
from sklrnn.inputs.user_warnings import warn_user
from sklrnn.timeline.time_index import frequency_of
from sklrnn.training.auto_epochs import StepBudget

Array = NDArray[Any]

# Seasons in a window if the series is long enough: two weeks of hours, a quarter of days.
_MOST_SEASONS = 14
_ROWS_WITHOUT_SEASON = 24
# The median series is at least this many windows long, so that the training windows differ.
_LEAST_WINDOWS_IN_SERIES = 2.5
MIN_ROWS = 3
# Steps of the optimizer with max_epochs="auto": 200 for the 84 windows of nine years of months, 20,000 for the 200,000
# of M4's hours. Few windows are soon overfitted.
AUTO_STEPS = StepBudget(14, growth=0.6, most_steps=20_000)
_ENOUGH_WINDOWS = 100
# With "auto": units and learning rate for few and many windows. On some ten thousand windows twice as much is worse, on
# the 250,000 of M4's hours better.
_MANY_WINDOWS = 100_000
_UNITS, _LEARNING_RATES = (64, 128), (5e-3, 1e-2)
# Few windows are soon learnt, and what networks learn from them is partly chance, which a mean has less of.
_FEW_WINDOWS, _NETWORKS_FOR_FEW_WINDOWS = 500, 3
# Longer seasons are left to the network: smoothing would read too many rows.
_LONGEST_SMOOTHED = 60


def resolve_units(units: int | tuple[int, ...] | Literal["auto"], n_windows: int) -> int | tuple[int, ...]:
    """Return the units that were given, or choose them by the number of training windows."""
    if units != "auto":
        return units
    return _UNITS[n_windows >= _MANY_WINDOWS]


def resolve_learning_rate(learning_rate: float | Literal["auto"], n_windows: int) -> float:
    """Return the rate that was given, or choose it by the number of training windows."""
    return _LEARNING_RATES[n_windows >= _MANY_WINDOWS] if learning_rate == "auto" else float(learning_rate)


def resolve_n_networks(n_networks: int | Literal["auto"], n_windows: int) -> int:
    """Return the number that was given, or choose it by the number of training windows."""
    if n_networks != "auto":
        return n_networks
    return _NETWORKS_FOR_FEW_WINDOWS if n_windows <= _FEW_WINDOWS else 1


def step_budget(spec: WindowSpec, n_windows: int) -> StepBudget:
    """The steps of the optimizer for ``max_epochs="auto"``.

    A network that corrects smoothing is trained for fewer steps on few windows: it starts at a good forecast, and what
    it learns from a dozen windows of one series are their chances.
    """
    share = 1.0 if not spec.smoothing_seasons else min(1.0, n_windows / _ENOUGH_WINDOWS) ** 2
    return AUTO_STEPS._replace(steps=share * AUTO_STEPS.steps)


def resolve_horizon(strategy: str, fh: ForecastingHorizon | None, index: pd.Index, sp: int) -> int:
    """The steps that the networks predict at once."""
    if strategy == "recursive":
        return 1
    return sp if fh is None else max(1, int(resolve_fh(fh, index)[0].max()))


def resolve_sp(sp: int | Literal["auto"], table: SeriesTable, *, verbose: int = 0) -> int:
    """Return the season that was given, or choose it by all channels of all series."""
    freq, offsets, n_channels = frequency_of(table.times.index_of(0)), table.offsets, table.y.shape[1]

    def channel(number: int) -> Array:
        series, column = divmod(number, n_channels)
        return without_exponent(table.y[offsets[series] : offsets[series + 1], column])

    channels = SeriesSample(np.repeat(table.lengths, n_channels), channel)
    return resolve_season(sp, channels, freq if isinstance(freq, str) else None, verbose=verbose)


def smoothing_seasons(sp: int | Literal["auto"], found: int, table: SeriesTable) -> tuple[int, ...]:
    """The seasons that smoothing tries in each window.

    A few short series seldom show a season clearly enough for a network. Smoothing needs less evidence, so it may take
    the season of the frequency or none.
    """
    freq = frequency_of(table.times.index_of(0))
    n_series = len(table) * table.y.shape[1]
    usual = season_by_frequency(freq) if isinstance(freq, str) else 1
    if sp != "auto" or found > 1 or n_series >= FEW_SERIES or usual > _LONGEST_SMOOTHED:
        return (found if found <= _LONGEST_SMOOTHED else 1,)
    return (1, usual) if usual > 1 else (1,)


def resolve_window_spec(
    table: SeriesTable,
    *,
    window_length: int | Literal["auto"],
    horizon: int,
    fold: int | Literal["auto"],
    sp: int,
    normalize: str | None,
    known_future: tuple[int, ...],
) -> WindowSpec:
    """Choose how samples are cut; a warning says what is used instead if the series are too short for the settings."""
    lengths = table.lengths
    longest = int(lengths.max())
    if longest < MIN_ROWS:
        raise ValueError(
            f"A forecaster needs a series of at least {MIN_ROWS} rows to learn from, got {longest}. Pass more history."
        )
    horizon = _limit_horizon(horizon, longest, in_whole_blocks=bool(known_future))
    window = (
        _auto_window(horizon, sp, lengths)
        if window_length == "auto"
        else _limit_window(int(window_length), horizon, longest)
    )
    window, step = _resolve_fold(fold, window, sp, is_exact=window == window_length, limit=longest - horizon)
    levels, scales = table.level, table.scale
    return WindowSpec(
        window_length=window,
        horizon=horizon,
        fold=step,
        n_channels=table.y.shape[1],
        n_exogenous=table.X.shape[1],
        known_future=known_future,
        normalize=normalize,
        level_length=min(window, max(sp, window // 2)),
        level=tuple(levels.mean(axis=0).tolist()),
        scale=tuple(_scale_of_all(levels, scales).tolist()),
    )


def with_separate_channels(spec: WindowSpec, table: SeriesTable) -> WindowSpec:
    """The same for samples of one channel each."""
    levels, scales = (values.reshape(-1, 1) for values in (table.level, table.scale))
    scale = tuple(_scale_of_all(levels, scales).tolist())
    return replace(spec, n_channels=1, level=tuple(levels.mean(axis=0).tolist()), scale=scale)


def _scale_of_all(levels: Array, scales: Array) -> Array:
    """The standard deviation of each channel over all series, from the levels and scales (series, channel) of each."""
    powers = exponents(np.maximum(np.abs(levels), scales).max(axis=0))
    levels, scales = np.ldexp(levels, -powers), np.ldexp(scales, -powers)
    return np.ldexp(np.sqrt((scales**2).mean(axis=0) + levels.var(axis=0)), powers)


def _limit_horizon(horizon: int, longest: int, *, in_whole_blocks: bool) -> int:
    """Shorten a horizon that is too long to learn; with ``in_whole_blocks`` to one that divides it."""
    if horizon < longest - 1:
        return horizon
    shorter = max(1, longest // 3)
    if in_whole_blocks:
        # Otherwise the last block would read X beyond the horizon that was asked for.
        shorter = max(divisor for divisor in range(1, shorter + 1) if horizon % divisor == 0)
    warn_user(
        f"A horizon of {horizon} steps leaves nothing of a series of {longest} rows to learn from. The network learns "
        f"{shorter} step(s) at once instead, and reaches later steps from its own forecasts. Pass more history.",
    )
    return shorter


def _limit_window(window: int, horizon: int, longest: int) -> int:
    if window <= longest - horizon:
        return window
    shorter = max(1, (longest - horizon) // 2)
    warn_user(
        f"window_length={window} and a horizon of {horizon} need a series of at least {window + horizon} rows, got "
        f"{longest}. A window of {shorter} is used instead. Shorten the window or pass more history.",
    )
    return shorter


def _auto_window(horizon: int, sp: int, lengths: Array) -> int:
    most = max(1.0, (int(np.median(lengths)) - horizon) / _LEAST_WINDOWS_IN_SERIES)
    if 1 < sp <= most:
        return sp * int(min(_MOST_SEASONS, most // sp))
    return int(min(most, max(_ROWS_WITHOUT_SEASON, horizon)))


def _resolve_fold(fold: int | Literal["auto"], window: int, sp: int, *, is_exact: bool, limit: int) -> tuple[int, int]:
    """Return the window length and its fold, which divides it; an automatic window is rounded to the fold."""
    if fold == "auto":
        return window, sp if sp > 1 and window % sp == 0 and window >= 2 * sp else 1
    if window % fold and is_exact:
        raise ValueError(
            f"fold={fold} must divide window_length={window}: each recurrent step reads one fold. "
            f"Take window_length={max(1, window // fold) * fold} or fold=1."
        )
    whole = max(1, window // fold) * fold
    if whole <= limit:
        return whole, int(fold)
    warn_user(
        f"fold={fold} needs windows of at least {fold} rows, but the series leave room for {limit}. Rows are "
        "read one by one instead. Take a smaller fold or pass more history.",
    )
    return window, 1


def resolve_future_X(future_X: Any, columns: Any) -> tuple[int, ...]:
    """Return the positions of the columns of X whose future is known."""
    names = list(columns)
    if isinstance(future_X, str):
        return tuple(range(len(names))) if future_X == "known" else ()
    unknown = [name for name in future_X if name not in names]
    if unknown:
        raise ValueError(f"future_X={list(future_X)!r} names {unknown!r}, but X has the columns {names!r}.")
    return tuple(position for position, name in enumerate(names) if name in list(future_X))
