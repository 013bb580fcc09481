"""What ``"auto"`` means for a forecaster: season, window and fold, chosen from the series."""

import warnings
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from sklrnn.forecasting.seasonality import find_season
from sklrnn.forecasting.series import Key, Series
from sklrnn.forecasting.windows import Framing
from sklrnn.timeline.time_index import frequency_of

# A window holds so many seasons where the series is long enough: two weeks of hours, a quarter of days.
_MOST_SEASONS = 14
_WITHOUT_SEASON = 24
# Windows should differ: a series is at least so many of them long.
_WINDOWS_IN_SERIES = 2.5
FEWEST_ROWS = 3
# Steps of the optimizer with max_epochs="auto": 200 for the 84 windows of nine years of months, 20,000 for the 200,000
# of M4's hours. Few windows are soon learnt by heart.
_STEPS_FOR_ONE_WINDOW, _GROWTH, _MOST_STEPS = 14, 0.6, 20_000


def choose_season(sp: int | Literal["auto"], series: Mapping[Key, Series]) -> int:
    """Take the season that was given, or find the one that most channels of most series have."""
    if sp != "auto":
        return int(sp)
    some = next(iter(series.values()))
    freq = frequency_of(some.index)
    channels = [one.y[:, channel] for one in series.values() for channel in range(one.y.shape[1])]
    return find_season(channels, freq if isinstance(freq, str) else None)


def choose_framing(
    series: Mapping[Key, Series],
    *,
    window_length: int | Literal["auto"],
    horizon: int,
    fold: int | Literal["auto"],
    sp: int,
    normalize: str | None,
    known: tuple[int, ...],
) -> Framing:
    """Choose how samples are cut, and shorten the window, with a warning, where the series are too short for it."""
    some = next(iter(series.values()))
    longest = max(len(one) for one in series.values())
    if longest < FEWEST_ROWS:
        raise ValueError(
            f"A forecaster needs a series of at least {FEWEST_ROWS} rows to learn from, got {longest}. Pass more history."
        )
    lengths = [len(one) for one in series.values()]
    horizon = _fit_horizon(horizon, longest)
    window = (
        _choose_window(horizon, sp, lengths)
        if window_length == "auto"
        else _fit_window(int(window_length), horizon, longest)
    )
    window, step = _choose_fold(fold, window, sp, is_exact=window == window_length, room=longest - horizon)
    levels, spreads = (np.array([getattr(one, which) for one in series.values()]) for which in ("level", "spread"))
    return Framing(
        window_length=window,
        horizon=horizon,
        fold=step,
        n_channels=some.y.shape[1],
        n_columns=some.X.shape[1],
        known=known,
        normalize=normalize,
        level_length=min(window, max(sp, window // 2)),
        level=tuple(levels.mean(axis=0).tolist()),
        spread=tuple(np.sqrt((spreads**2).mean(axis=0) + levels.var(axis=0)).tolist()),
    )


def _fit_horizon(horizon: int, longest: int) -> int:
    if horizon < longest - 1:
        return horizon
    shorter = max(1, longest // 3)
    warnings.warn(
        f"A horizon of {horizon} steps leaves nothing of a series of {longest} rows to learn from. The network learns "
        f"{shorter} step(s) at once instead, and rolls on from its own forecasts. Pass more history.",
        stacklevel=6,
    )
    return shorter


def _fit_window(window: int, horizon: int, longest: int) -> int:
    if window <= longest - horizon:
        return window
    shorter = max(1, (longest - horizon) // 2)
    warnings.warn(
        f"window_length={window} and a horizon of {horizon} need a series of at least {window + horizon} rows, got {longest}. "
        f"A window of {shorter} is used instead. Shorten the window or pass more history.",
        stacklevel=6,
    )
    return shorter


def _choose_window(horizon: int, sp: int, lengths: list[int]) -> int:
    most = max(1.0, (int(np.median(lengths)) - horizon) / _WINDOWS_IN_SERIES)
    if 1 < sp <= most:
        return sp * int(min(_MOST_SEASONS, most // sp))
    return int(min(most, max(_WITHOUT_SEASON, horizon)))


def _choose_fold(fold: int | Literal["auto"], window: int, sp: int, *, is_exact: bool, room: int) -> tuple[int, int]:
    """Give the window and its fold, which divides it: a window that was not asked for follows the fold that was."""
    if fold == "auto":
        return window, sp if sp > 1 and window % sp == 0 and window >= 2 * sp else 1
    if window % fold and is_exact:
        raise ValueError(
            f"fold={fold} must divide window_length={window}: each recurrent step reads one fold. "
            f"Take window_length={max(1, window // fold) * fold} or fold=1."
        )
    whole = max(1, window // fold) * fold
    if whole <= room:
        return whole, int(fold)
    warnings.warn(
        f"fold={fold} needs windows of at least {fold} rows, but the series leave room for {room}. Rows are read one by one "
        "instead. Take a smaller fold or pass more history.",
        stacklevel=6,
    )
    return window, 1


def choose_epochs(max_epochs: int | Literal["auto"], n_windows: int, batch_size: int) -> int:
    """Take the passes that were asked for, or as many as make the steps of the optimizer that the windows can bear."""
    if max_epochs != "auto":
        return int(max_epochs)
    steps = min(_STEPS_FOR_ONE_WINDOW * n_windows**_GROWTH, _MOST_STEPS)
    return max(1, round(steps / -(-n_windows // batch_size)))


def choose_known(future_X: Any, columns: Any) -> tuple[int, ...]:
    """Tell which columns of X are known in the future."""
    names = list(columns)
    if isinstance(future_X, str):
        return tuple(range(len(names))) if future_X == "known" else ()
    unknown = [name for name in future_X if name not in names]
    if unknown:
        raise ValueError(f"future_X={list(future_X)!r} names {unknown!r}, but X has the columns {names!r}.")
    return tuple(place for place, name in enumerate(names) if name in list(future_X))
