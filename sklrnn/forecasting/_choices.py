"""What ``"auto"`` means for a forecaster: season, window and fold, chosen from the series."""

import warnings
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from sklrnn.forecasting._framing import Framing
from sklrnn.forecasting._season import find_season
from sklrnn.forecasting._series import Key, Series, frequency_of

# A window holds so many seasons where the series is long enough: two weeks of hours, a quarter of days.
_MOST_SEASONS = 14
_WITHOUT_SEASON = 24
# Windows should differ: a series is at least so many of them long.
_WINDOWS_IN_SERIES = 2.5
FEWEST_ROWS = 3


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
    horizon, window = _fit_in(window_length, horizon, sp, [len(one) for one in series.values()])
    step = _choose_fold(fold, window, sp, given=window_length != "auto")
    return Framing(
        window_length=window,
        horizon=horizon,
        fold=step,
        n_channels=some.y.shape[1],
        n_columns=some.X.shape[1],
        known=known,
        normalize=normalize,
        level_length=min(window, max(sp, window // 2)),
    )


def _fit_in(window_length: int | Literal["auto"], horizon: int, sp: int, lengths: list[int]) -> tuple[int, int]:
    typical, longest = int(np.median(lengths)), max(lengths)
    if horizon >= longest - 1:
        shorter = max(1, longest // 3)
        warnings.warn(
            f"A horizon of {horizon} steps leaves nothing of a series of {longest} rows to learn from. The network learns "
            f"{shorter} step(s) at once instead, and rolls on from its own forecasts. Pass more history.",
            stacklevel=6,
        )
        horizon = shorter
    room = longest - horizon
    if window_length != "auto":
        if window_length <= room:
            return horizon, int(window_length)
        shorter = max(1, room // 2)
        warnings.warn(
            f"window_length={window_length} and a horizon of {horizon} need a series of at least "
            f"{window_length + horizon} rows, got {longest}. A window of {shorter} is used instead. "
            "Shorten the window or pass more history.",
            stacklevel=6,
        )
        return horizon, shorter
    most = max(1.0, (typical - horizon) / _WINDOWS_IN_SERIES)
    if sp > 1 and sp <= most:
        return horizon, sp * int(min(_MOST_SEASONS, most // sp))
    return horizon, int(min(most, max(_WITHOUT_SEASON, horizon)))


def _choose_fold(fold: int | Literal["auto"], window: int, sp: int, *, given: bool) -> int:
    if fold == "auto":
        return sp if sp > 1 and window % sp == 0 and window >= 2 * sp else 1
    if window % int(fold):
        if given:
            raise ValueError(
                f"fold={fold} must divide window_length={window}: each recurrent step reads one fold. "
                f"Take window_length={window // int(fold) * int(fold) or fold} or fold=1."
            )
        return 1
    return int(fold)


def choose_known(future_X: Any, columns: Any) -> tuple[int, ...]:
    """Tell which columns of X are known in the future."""
    names = [] if columns is None else list(columns)
    if isinstance(future_X, str):
        return tuple(range(len(names))) if future_X == "known" else ()
    unknown = [name for name in future_X if name not in names]
    if unknown:
        raise ValueError(f"future_X={list(future_X)!r} names {unknown!r}, but X has the columns {names!r}.")
    return tuple(place for place, name in enumerate(names) if name in list(future_X))
