"""The seasonal period of series: candidates of the calendar and the autocorrelation, evaluated on the last rows."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sklrnn.forecasting.season_trial import Trial, try_season
from sklrnn.inputs.user_warnings import warn_user

Array = NDArray[Any]

# Rows in one season, by the first letters of the frequency's name.
_BY_FREQUENCY = (
    (("B",), 5),
    (("W",), 52),
    (("MS", "ME", "M", "BM", "BMS", "BME"), 12),
    (("QS", "QE", "Q", "BQ", "BQS", "BQE"), 4),
    (("D", "C"), 7),
    (("h", "H"), 24),
    (("min", "T"), 60),
    (("s", "S"), 60),
    (("YS", "YE", "Y", "A", "AS", "BY", "BYS", "BYE"), 1),
)
# Where the index has no frequency, one of these is a likely season.
_USUAL = (4, 7, 12, 24, 52)
# The shortest season with at least this share of the highest correlation is tried: multiples of it correlate as well.
_SHARE_OF_HIGHEST = 0.85
# Least correlation with the previous season, after a trend is removed, of a season to try.
_LEAST_CORRELATION = 0.1
# A random walk has high correlations at all short lags; before a season there are lower ones, by these factors.
_LOWER_BEFORE_NAMED, _LOWER_BEFORE_PEAK = 0.98, 0.7
_LONGEST_SEASON = 400
# Further ahead a change of the level hides a season; one that no calendar names must last for a whole season.
_LONGEST_HORIZON = 12
# Autocorrelations are taken of so many series, and seasons tried on so many.
_MOST_CORRELATED, _MOST_TRIED = 50, 300


class _Evidence(NamedTuple):
    """The least gain of a season, and the least significance of it."""

    gain: float
    significance: float

    def accepts(self, trial: Trial) -> bool:
        return trial.gain >= self.gain and trial.significance >= self.significance


# A season that the calendar names needs less evidence than one that was looked for, many series less than few, and a
# season that the correlation shows clearly hardly any.
_NAMED, _NAMED_IN_FEW = _Evidence(0.01, 1.0), _Evidence(0.1, 1.0)
_FOUND, _FOUND_IN_FEW = _Evidence(0.03, 3.0), _Evidence(0.1, 3.0)
_CLEAR, _CLEAR_CORRELATION = _Evidence(0.02, 0.0), 0.4
FEW_SERIES = 10
# Of the accepted seasons the shortest one that gains at least this share of the highest gain is taken.
_NEARLY_AS_GOOD = 0.85
# With fewer series there is no saying whether dates would name a season.
_LEAST_SERIES_TO_WARN = 20


class Season(NamedTuple):
    """The number of rows in a season, 1 for none, why it was chosen, and a season that only dates would name."""

    sp: int
    reason: str
    only_with_dates: int | None = None


class SeriesSample(NamedTuple):
    """Many series of these lengths, of which only some are looked at: ``read`` gives the values of one."""

    lengths: Array
    read: Callable[[int], Array]

    @classmethod
    def of(cls, y: Array | Sequence[Array]) -> "SeriesSample":
        """The series that have a known value."""
        series = [np.asarray(values, dtype=np.float64) for values in ([y] if isinstance(y, np.ndarray) else y)]
        series = [values for values in series if not np.isnan(values).all()]
        return cls(np.array([len(values) for values in series]), series.__getitem__)

    def some(self, most: int) -> list[Array]:
        """At most so many of them, evenly spread."""
        n = len(self.lengths)
        chosen = np.arange(n) if n <= most else np.linspace(0, n - 1, most).astype(int)
        return [self.read(number) for number in chosen.tolist()]


def find_season(y: Array | Sequence[Array], freq: str | None = None) -> int:
    """Return the number of rows in a season; 1 stands for none."""
    return choose_season(y, freq).sp


def choose_season(y: Array | Sequence[Array] | SeriesSample, freq: str | None = None) -> Season:
    """Choose a season that helps to forecast the last rows of one or many series, or none.

    Tried are the usual season of the frequency (without a frequency, all usual ones), and the shortest lag at which the
    median autocorrelation has a high peak.
    """
    sample = y if isinstance(y, SeriesSample) else SeriesSample.of(y)
    n_series = len(sample.lengths)
    n_rows = int(np.median(sample.lengths)) if n_series else 0
    by_calendar = (season_by_frequency(freq),) if freq else _USUAL
    correlations = _median_autocorrelation(sample.some(_MOST_CORRELATED), n_rows // 2)
    seasons = {season for season in by_calendar if season > 1 and 2 * season < n_rows}
    seasons |= {_first_high_peak(correlations[: n_rows // 3 + 1])} - {1}
    if n_series < FEW_SERIES:
        seasons = {season for season in seasons if _stands_out(correlations, season, _LOWER_BEFORE_NAMED)}
    if not seasons:
        return Season(1, "no season to try")
    trials = _try_seasons(sample.some(_MOST_TRIED), seasons, by_calendar)
    found, named = (_FOUND_IN_FEW, _NAMED_IN_FEW) if n_series < FEW_SERIES else (_FOUND, _NAMED)
    with_dates = {
        season: trial
        for season, trial in trials.items()
        if season in by_calendar
        and (named.accepts(trial) or (_CLEAR.accepts(trial) and _is_clear(correlations, season)))
    }
    accepted = {season: trial for season, trial in trials.items() if found.accepts(trial)}
    if freq:
        accepted |= with_dates
    if accepted:
        return _best(accepted, by_calendar if freq else ())
    hint = None
    if with_dates and n_series >= _LEAST_SERIES_TO_WARN:
        hint = max(with_dates, key=lambda season: with_dates[season].gain)
    return Season(1, f"tried {', '.join(map(str, sorted(seasons)))}: none helps to forecast the last rows", hint)


def _try_seasons(series: list[Array], seasons: set[int], by_calendar: Sequence[int]) -> dict[int, Trial]:
    trials = {}
    for season in sorted(seasons):
        trial = try_season(series, season, min(season, _LONGEST_HORIZON) if season in by_calendar else season)
        if trial is not None:
            trials[season] = trial
    return trials


def resolve_season(
    sp: int | Literal["auto"], y: Sequence[Array] | SeriesSample, freq: str | None, *, verbose: int
) -> int:
    """Return the season that was given, or choose one, and tell which; a warning names one that only dates would."""
    if sp != "auto":
        return int(sp)
    season = choose_season(y, freq)
    if season.only_with_dates is not None:
        rows = season.only_with_dates
        warn_user(
            f"The series seem to repeat every {rows} rows, but not clearly enough for an index without dates, so "
            f"sp='auto' takes no season. If they do, pass sp={rows}, or give y an index of dates or periods; pass sp=1 "
            "if not."
        )
    if verbose:
        print(f"Season: sp={season.sp} ({season.reason})")
    return season.sp


def _best(accepted: Mapping[int, Trial], preferred: Sequence[int]) -> Season:
    """The season of the calendar, or else the shortest one, unless another gains clearly more."""
    least = _NEARLY_AS_GOOD * max(trial.gain for trial in accepted.values())
    good = [season for season, trial in accepted.items() if trial.gain >= least]
    sp = min(good, key=lambda season: (season not in preferred, season))
    return Season(sp, f"it saves {accepted[sp].gain:.0%} of the error of simple forecasts of the last rows")


def season_by_frequency(freq: str | None) -> int:
    """The usual season of a frequency: a day of hours, a week of days, a year of months."""
    if not freq:
        return 1
    name = freq.split("-")[0]
    digits = "".join(letter for letter in name if letter.isdigit())
    unit, times = name[len(digits) :], int(digits or 1)
    season = next((rows for names, rows in _BY_FREQUENCY if unit in names), 1)
    if unit in ("min", "T", "s", "S") and times > 1:
        # The season of rows every few minutes is the day, not the hour.
        per_day = (1440 if unit in ("min", "T") else 86400) // times
        return per_day if per_day <= _LONGEST_SEASON else max(1, season // times)
    return max(1, season // times)


def _median_autocorrelation(series: list[Array], longest: int) -> Array:
    """The median over series of the autocorrelation at lags up to the longest."""
    longest = min(longest, _LONGEST_SEASON)
    if longest < 2 or min(len(values) for values in series) < 2:
        return np.zeros(3)
    found = [_autocorrelation(values, longest) for values in series]
    return np.nan_to_num(
        np.nanmedian(np.array([row for row in found if row is not None] or [np.zeros(longest + 1)]), axis=0)
    )


def _autocorrelation(values: Array, longest: int) -> Array | None:
    known = ~np.isnan(values)
    n = len(values)
    if known.sum() < max(longest, 6):
        return None
    time = np.linspace(-1.0, 1.0, n)
    trend = np.polynomial.polynomial.polyfit(time[known], values[known], 2)
    # Missing values keep their position and add nothing to the products.
    residuals = np.where(known, values - np.polynomial.polynomial.polyval(time, trend), 0.0)
    variance = residuals @ residuals
    if variance <= 1e-12 * max(1.0, float(values[known] @ values[known])):
        return None
    # Long lags, and those that often fall on a gap, have fewer pairs of values.
    n_pairs = np.round(_lagged_products(known.astype(np.float64), longest))
    correlations: Array = _lagged_products(residuals, longest) / variance * (known.sum() / np.maximum(n_pairs, 1))
    return correlations


def _lagged_products(values: Array, longest: int) -> Array:
    """The sum of the products of values ``lag`` rows apart, for lags up to the longest."""
    spectrum = np.fft.rfft(values, 2 * len(values))
    return np.fft.irfft(spectrum * spectrum.conj())[: longest + 1]


def _stands_out(correlations: Array, season: int, factor: float) -> bool:
    """Whether the correlation at the season is higher than at some shorter lag."""
    high = season < len(correlations) and correlations[season] >= _LEAST_CORRELATION
    return bool(high and correlations[1:season].min() < factor * correlations[season])


def _is_clear(correlations: Array, season: int) -> bool:
    """Whether the correlation at the season is high, and much lower before it."""
    high = season < len(correlations) and correlations[season] >= _CLEAR_CORRELATION
    return bool(high and _stands_out(correlations, season, _LOWER_BEFORE_PEAK))


def _first_high_peak(correlations: Array) -> int:
    """The shortest lag with a peak that is nearly as high as the highest one."""
    inner = correlations[1:-1]
    peaks = (
        np.flatnonzero((inner >= correlations[:-2]) & (inner > correlations[2:]) & (inner >= _LEAST_CORRELATION)) + 1
    )
    lags = [lag for lag in peaks.tolist() if lag > 1 and _stands_out(correlations, lag, _LOWER_BEFORE_PEAK)]
    if not lags:
        return 1
    return min(lag for lag in lags if correlations[lag] >= _SHARE_OF_HIGHEST * correlations[lags].max())
