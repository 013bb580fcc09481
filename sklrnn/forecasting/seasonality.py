"""The season of a series, found from its calendar and from how it repeats itself."""

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
# A season shorter than this share of the best correlation's is taken: two weeks repeat at least as well as one.
_NEARLY_AS_GOOD = 0.85
# Least correlation with the season before, once trend is taken out.
_CLEAR = 0.3
_SERIES_TO_LOOK_AT = 50
_LONGEST = 400


def find_season(y: Array | Sequence[Array], freq: str | None = None) -> int:
    """Tell how many rows make a season; 1 stands for none.

    The season that the calendar suggests is taken if the series does repeat itself so; otherwise the shortest one that
    shows clearly in the autocorrelation. Of several series the typical correlation counts.
    """
    series = [y] if isinstance(y, np.ndarray) else list(y)
    if len(series) > _SERIES_TO_LOOK_AT:
        series = [series[place] for place in np.linspace(0, len(series) - 1, _SERIES_TO_LOOK_AT).astype(int)]
    shortest = min(len(values) for values in series) if series else 0
    longest = min(int(np.median([len(values) for values in series])) // 3 if series else 0, _LONGEST)
    if longest < 2 or shortest < 2:
        return 1
    correlations = _typical_correlations([np.asarray(values, dtype=np.float64) for values in series], longest)
    by_calendar = _season_of(freq)
    if 1 < by_calendar <= longest and correlations[by_calendar] >= _CLEAR:
        return by_calendar
    return _shortest_peak(correlations)


def _season_of(freq: str | None) -> int:
    """What the calendar suggests: hours have days, days have weeks, months have years."""
    if not freq:
        return 1
    name = freq.split("-")[0]
    digits = "".join(letter for letter in name if letter.isdigit())
    unit, times = name[len(digits) :], int(digits or 1)
    season = next((rows for names, rows in _BY_FREQUENCY if unit in names), 1)
    if unit in ("min", "T", "s", "S") and times > 1:
        # Readings every few minutes follow the day, not the hour.
        per_day = (1440 if unit in ("min", "T") else 86400) // times
        return per_day if per_day <= _LONGEST else max(1, season // times)
    return max(1, season // times)


def _typical_correlations(series: list[Array], longest: int) -> Array:
    """The median over series of the correlation with the values ``lag`` rows before, for lags up to the longest."""
    found = [_correlations(values, longest) for values in series]
    return np.nan_to_num(
        np.nanmedian(np.array([row for row in found if row is not None] or [np.zeros(longest + 1)]), axis=0)
    )


def _correlations(values: Array, longest: int) -> Array | None:
    known = ~np.isnan(values)
    n = len(values)
    if known.sum() < max(2 * longest, 6):
        return None
    time = np.linspace(-1.0, 1.0, n)
    trend = np.polynomial.polynomial.polyfit(time[known], values[known], 2)
    # What is missing stays in its place, and counts for nothing.
    rest = np.where(known, values - np.polynomial.polynomial.polyval(time, trend), 0.0)
    variance = rest @ rest
    if variance <= 1e-12 * max(1.0, float(values[known] @ values[known])):
        return None
    # Long lags, and those that often meet a gap, have fewer pairs of values.
    n_pairs = np.round(_products(known.astype(np.float64), longest))
    correlations: Array = _products(rest, longest) / variance * (known.sum() / np.maximum(n_pairs, 1))
    return correlations


def _products(values: Array, longest: int) -> Array:
    """The sums of the products of values that stand ``lag`` rows apart, for lags up to the longest."""
    spectrum = np.fft.rfft(values, 2 * len(values))
    return np.fft.irfft(spectrum * spectrum.conj())[: longest + 1]


def _shortest_peak(correlations: Array) -> int:
    """The shortest lag that is a clear peak, and nearly as high as the highest one."""
    inner = correlations[1:-1]
    peaks = np.flatnonzero((inner >= correlations[:-2]) & (inner > correlations[2:]) & (inner >= _CLEAR)) + 1
    peaks = peaks[peaks > 1]
    # A slow wander has high correlations at all short lags, and a valley nowhere before them.
    peaks = np.array([lag for lag in peaks if correlations[1:lag].min() < 0.7 * correlations[lag]], dtype=int)
    if not len(peaks):
        return 1
    return int(peaks[correlations[peaks] >= _NEARLY_AS_GOOD * correlations[peaks].max()].min())
