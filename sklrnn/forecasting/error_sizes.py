"""How large the errors of forecasts are: at each step ahead, in each series, and with which probability."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit
from sklearn.isotonic import IsotonicRegression

from sklrnn.forecasting.windows import Windows
from sklrnn.saved_state import Saved

Array = NDArray[Any]

# Between the levels 0 and 1, at so many are the quantiles of the errors stored.
_N_QUANTILES = 1001
# Of millions of windows, so many are looked at together.
_WINDOWS_AT_ONCE = 2**16
# With so many degrees of freedom the quantiles of the errors and those of the normal distribution weigh the same.
_NORMAL_DEGREES = 20.0
_LEAST_BLOCKS = 2.0
# The seasonal naive error counts as at least this share of the scale: it may be zero where the series is not constant.
_LEAST_NAIVE_ERROR = 0.02
_NORMAL_PER_MEAN = np.sqrt(np.pi / 2)  # the standard deviation of a normal distribution, for a mean absolute value of 1


@dataclass(frozen=True)
class ErrorSizes(Saved):
    """Absolute errors, as a product of sizes: |error| = unit(window) * series * step * a random number.

    The unit is the geometric mean of the scale of the window and the seasonal naive error of its series: intervals in
    the unit of the window alone are too wide where the window moves much, those in the other too narrow.
    ``steps`` is the mean size (step, channel), which never falls from one step to the next. ``series`` is relative to
    all series (series, channel). ``quantiles`` are those of the random number, at equidistant levels from 0 to 1, for
    each channel.

    The errors of windows that overlap are much alike. ``n_blocks`` is how often the horizon fits into the rows that
    were forecast: so many errors are known, and the next one is independent of them, hence the quantiles of Student's
    t, widened as for the prediction of a further value. ``degrees`` are its degrees of freedom.
    """

    steps: Array
    series: Array
    quantiles: Array
    n_blocks: float
    degrees: float

    @classmethod
    def of(cls, windows: Windows, errors: Array) -> "ErrorSizes":
        """From signed errors of windows in units of their scales: (window, step, channel); unknown ones are NaN."""
        scale = windows.level_and_scale()[1]
        sizes = np.abs(errors) * np.where(scale > 0, _per_unit(windows, scale), np.nan)
        series = _sizes_of_series(windows, _relative_to(_steps(sizes), sizes))
        # Large panels have millions of errors, so they are changed in place.
        sizes /= series[windows.series_ids][:, np.newaxis]
        steps = _steps(sizes)
        relative = _relative_to(steps, sizes, out=sizes)
        channels = np.moveaxis(relative, 2, 0)
        quantiles = [_quantiles(channel[np.isfinite(channel)]) for channel in channels]
        # There may be no windows, where targets have gaps everywhere.
        n_times = len(windows) / np.bincount(windows.ages).max(initial=1)
        n_blocks = max(_LEAST_BLOCKS, n_times / windows.spec.horizon + 1)
        # The series of a panel err together: however many there are, they count as two.
        degrees = 2 * n_blocks * np.clip(len(np.unique(windows.series_ids)), 1, 2)
        return cls(steps * _growth(relative), series, np.array(quantiles), n_blocks, degrees)

    def offsets(self, levels: Array, windows: Windows, scale: Array, *, series_ids: Array | None) -> Array:
        """How far the quantiles are from the points of windows with these scales: (window, step, channel, level).

        ``series_ids`` are those of the series that the errors are of; others may follow. None: all are others.
        """
        series = np.ones((len(windows), 1))
        if series_ids is not None:
            is_known = series_ids < len(self.series)
            series = np.where(is_known[:, np.newaxis], self.series[np.where(is_known, series_ids, 0)], 1.0)
        unit = scale / _per_unit(windows, scale)
        sizes = unit * series[:, np.newaxis] * self.steps
        offsets: Array = sizes[..., np.newaxis] * self._relative(levels)
        return offsets

    def _relative(self, levels: Array) -> Array:
        """Quantiles of the signed random number, which is as likely as its opposite: (channel, level)."""
        coverage = np.abs(2 * levels - 1)
        upper = np.maximum(0.5 + coverage / 2, 0.5 + 1e-9)
        grid = np.linspace(0, 1, self.quantiles.shape[1])
        known = np.array([np.interp(coverage, grid, channel) for channel in self.quantiles])
        weight = self.degrees / (self.degrees + _NORMAL_DEGREES)
        mixed = weight * known + (1 - weight) * _NORMAL_PER_MEAN * ndtri(upper)
        widened = np.sqrt(1 + 1 / self.n_blocks) * stdtrit(self.degrees, upper) / ndtri(upper)
        quantiles: Array = mixed * widened * np.sign(levels - 0.5)
        return quantiles


def _per_unit(windows: Windows, scale: Array) -> Array:
    """The scale of each window in the unit of its errors, (window, 1, channel); 1 where it is zero."""
    naive = windows.stacked.naive_error[windows.series_ids][:, np.newaxis]
    naive = np.maximum(naive, _LEAST_NAIVE_ERROR * scale)
    per_unit: Array = np.sqrt(np.divide(scale, naive, out=np.ones_like(scale), where=naive > 0))
    return per_unit


def _relative_to(steps: Array, sizes: Array, out: Array | None = None) -> Array:
    relative: Array = np.divide(sizes, np.where(steps > 0, steps, 1.0), out=out)
    return relative


def _steps(sizes: Array) -> Array:
    """The mean size at each step, (step, channel), never less than at the step before; 0 where nothing is known."""
    counts, means = np.isfinite(sizes).sum(axis=0), _means(sizes, axis=0)
    for channel in range(means.shape[1]):
        weights = counts[:, channel]
        if weights.any():
            # A step without errors has no weight: it gets what the steps beside it have.
            known_steps = np.flatnonzero(weights)
            isotonic = IsotonicRegression(out_of_bounds="clip")
            isotonic.fit(known_steps, means[known_steps, channel], sample_weight=weights[known_steps])
            means[:, channel] = isotonic.predict(np.arange(len(means)))
    return means


def _means(sizes: Array, axis: int | tuple[int, ...]) -> Array:
    """The means of those that are known; 0 where none is."""
    known = np.isfinite(sizes)
    means: Array = np.where(known, sizes, 0.0).sum(axis=axis) / np.maximum(known.sum(axis=axis), 1)
    return means


def _sizes_of_series(windows: Windows, relative: Array) -> Array:
    """The mean of the relative sizes in each series, (series, channel).

    It is drawn to 1 by as many windows as the horizon has steps: about one that shares no target with another.
    """
    n_series, n_channels = windows.stacked.naive_error.shape
    sums, counts = np.zeros((2, n_series, n_channels))
    for first in range(0, len(relative), _WINDOWS_AT_ONCE):
        block, series = relative[first : first + _WINDOWS_AT_ONCE], windows.series_ids[first : first + _WINDOWS_AT_ONCE]
        known = np.isfinite(block)
        np.add.at(sums, series, np.where(known, block, 0.0).sum(axis=1))
        np.add.at(counts, series, known.sum(axis=1))
    pseudo = windows.spec.horizon**2
    sizes: Array = (sums + pseudo) / (counts + pseudo)
    return sizes


def _growth(relative: Array) -> Array:
    """How much larger than the mean the next errors will be, for each channel.

    Where the newest third of the errors is larger than all are, as is the rule where series grow, the geometric mean
    of both is taken. Smaller ones are no reason for narrower intervals.
    """
    newest, every = _means(relative[len(relative) * 2 // 3 :], axis=(0, 1)), _means(relative, axis=(0, 1))
    ratio = np.divide(newest, every, out=np.ones_like(every), where=every > 0)
    growth: Array = np.sqrt(np.maximum(ratio, 1.0))
    return growth


def _quantiles(relative: Array) -> Array:
    if not len(relative):
        return np.zeros(_N_QUANTILES)
    quantiles: Array = np.quantile(relative, np.linspace(0, 1, _N_QUANTILES), overwrite_input=True)
    return quantiles
