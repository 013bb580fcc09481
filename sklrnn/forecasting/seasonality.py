"""The seasonal period of a series, found from its frequency and its autocorrelation."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
# The shortest season with at least this share of the highest correlation is taken: multiples of it correlate as well.
_SHARE_OF_HIGHEST = 0.85
# Least correlation with the previous season, after a trend is removed.
_LEAST_CORRELATION = 0.3
_MOST_SERIES = 50
_LONGEST_SEASON = 400


def find_season(y: Array | Sequence[Array], freq: str | None = None) -> int:
    """Return the number of rows in a season; 1 stands for none.

    The usual season of the frequency is taken if the autocorrelation at its lag is high enough, otherwise the shortest
    lag at which the autocorrelation has a high peak. For several series the median autocorrelation is taken.
    """
    series = [y] if isinstance(y, np.ndarray) else list(y)
    if len(series) > _MOST_SERIES:
        series = [series[position] for position in np.linspace(0, len(series) - 1, _MOST_SERIES).astype(int)]
    shortest = min(len(values) for values in series) if series else 0
    longest = min(int(np.median([len(values) for values in series])) // 3 if series else 0, _LONGEST_SEASON)
    if longest < 2 or shortest < 2:
        return 1
    correlations = _median_autocorrelation([np.asarray(values, dtype=np.float64) for values in series], longest)
    by_calendar = _season_by_frequency(freq)
    if 1 < by_calendar <= longest and correlations[by_calendar] >= _LEAST_CORRELATION:
        return by_calendar
    return _first_high_peak(correlations)


def _season_by_frequency(freq: str | None) -> int:
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
    found = [_autocorrelation(values, longest) for values in series]
    return np.nan_to_num(
        np.nanmedian(np.array([row for row in found if row is not None] or [np.zeros(longest + 1)]), axis=0)
    )


def _autocorrelation(values: Array, longest: int) -> Array | None:
    known = ~np.isnan(values)
    n = len(values)
    if known.sum() < max(2 * longest, 6):
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


def _first_high_peak(correlations: Array) -> int:
    """The shortest lag with a peak that is nearly as high as the highest one."""
    inner = correlations[1:-1]
    peaks = (
        np.flatnonzero((inner >= correlations[:-2]) & (inner > correlations[2:]) & (inner >= _LEAST_CORRELATION)) + 1
    )
    peaks = peaks[peaks > 1]
    # A random walk has high correlations at all short lags; at a season they are lower before the peak.
    peaks = np.array([lag for lag in peaks if correlations[1:lag].min() < 0.7 * correlations[lag]], dtype=int)
    if not len(peaks):
        return 1
    return int(peaks[correlations[peaks] >= _SHARE_OF_HIGHEST * correlations[peaks].max()].min())
