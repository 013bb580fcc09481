"""Windows of series as samples of a network, and the targets that follow them.

The rows of all series are concatenated in one ``StackedSeries``. Windows of it are cut, scaled and folded into steps
when a batch needs them, so that training takes memory for rows, not for rows times window length.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sklrnn.forecasting.smoothing import count_rows_read, forecast_by_smoothing
from sklrnn.inputs.magnitudes import standard_deviation
from sklrnn.saved_state import Saved

Array = NDArray[Any]

_SINGLE = np.dtype(np.float32)
# The scale of a window is at least this share of its series' scale: a nearly constant window would blow up its targets.
_LEAST_RELATIVE_SCALE = 0.02
_BLOCK_SIZE = 4096


@dataclass(frozen=True)
class WindowSpec(Saved):
    """How a sample is cut and scaled.

    A step of the network reads ``fold`` rows at once. ``known_future`` holds the positions of the columns of X whose
    future is known. If there are any, the steps of the window are followed by those of the next ``horizon`` rows, which
    must be there: their y is zero, and a last feature flags them. ``level`` and ``scale`` of each channel are those of
    all series together, for ``normalize=None``. An output of 0 forecasts the level of the window, or where there are
    ``smoothing_seasons`` what exponential smoothing with one of these forecasts (1 is no season).
    """

    window_length: int
    horizon: int
    fold: int
    n_channels: int
    n_exogenous: int = 0
    known_future: tuple[int, ...] = ()
    normalize: str | None = "window"
    level_length: int = 1
    level: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()
    smoothing_seasons: tuple[int, ...] = ()

    @property
    def baseline(self) -> Literal["level", "smoothing"]:
        return "smoothing" if self.smoothing_seasons else "level"

    @property
    def n_rows_read(self) -> int:
        """Past rows that a forecast depends on, at most."""
        return max(self.window_length, count_rows_read(self.smoothing_seasons) if self.smoothing_seasons else 0)

    @property
    def n_future_steps(self) -> int:
        return -(-self.horizon // self.fold) if self.known_future else 0

    @property
    def n_steps(self) -> int:
        return self.window_length // self.fold + self.n_future_steps

    @property
    def n_features(self) -> int:
        return self.fold * (self.n_channels + self.n_exogenous) + bool(self.known_future)


@dataclass(frozen=True)
class StackedSeries(Saved):
    """The rows of all series, concatenated.

    Series ``s`` has the rows ``starts[s]`` to ``ends[s]``. Future rows of y are NaN until they are forecast; there are
    no other gaps in ``y`` and ``X``, as missing values are filled forward. ``observed`` is False where y was missing.
    ``first_observed`` is the row of the first observed value, ``naive_error`` the error of the seasonal naive forecast;
    they are shaped (series, channel), as are ``level`` and ``scale``.
    """

    y: Array
    observed: Array
    X: Array
    starts: Array
    ends: Array
    first_observed: Array
    level: Array
    scale: Array
    naive_error: Array

    def has_one_sign(self) -> Array:
        """Whether all values of a series are positive, or all negative: (series, channel)."""
        order = np.argsort(self.starts)
        has_one_sign = np.empty(self.naive_error.shape, dtype=bool)
        least, most = (bound.reduceat(self.y, self.starts[order], axis=0) for bound in (np.fmin, np.fmax))
        has_one_sign[order] = (least > 0) | (most < 0)
        return has_one_sign

    def split_channels(self) -> "StackedSeries":
        """The same with each channel as a series of its own: channel c of n of series s is number s * n + c."""
        n_rows, n = self.y.shape
        shift = n_rows * np.arange(n)
        return StackedSeries(
            self.y.T.reshape(-1, 1),
            self.observed.T.reshape(-1, 1),
            np.tile(self.X, (n, 1)),
            (self.starts[:, np.newaxis] + shift).ravel(),
            (self.ends[:, np.newaxis] + shift).ravel(),
            (self.first_observed + shift).reshape(-1, 1),
            self.level.reshape(-1, 1),
            self.scale.reshape(-1, 1),
            self.naive_error.reshape(-1, 1),
        )


@dataclass(frozen=True)
class Windows(Saved):
    """The inputs of a network, shaped (sample, step, feature): an array that is computed when it is indexed.

    The window of a sample ends before the row ``origins`` of the stacked series, and belongs to the series
    ``series_ids``. ``ages`` counts the rows between the last target of a sample and the end of its series.
    """

    spec: WindowSpec
    stacked: StackedSeries
    origins: Array
    series_ids: Array
    dtype: Any = _SINGLE

    @classmethod
    def for_training(cls, spec: WindowSpec, stacked: StackedSeries) -> "Windows":
        """All samples whose targets are known, the oldest first; short series give samples with less than a window.

        If the series have more channels than a sample, each channel gives samples of its own.
        """
        if stacked.y.shape[1] > spec.n_channels:
            stacked = stacked.split_channels()
        last = stacked.ends - stacked.starts - spec.horizon
        first = np.minimum(spec.window_length, np.maximum(1, (last + 1) // 2))
        counts = np.maximum(0, last - first + 1)
        n_windows, kind = int(counts.sum()), _least_integer(len(stacked.y))
        series_ids = np.repeat(np.arange(len(counts), dtype=kind), counts)
        # Windows of a series are numbered from its first one on, in a row of all.
        origins = np.arange(n_windows, dtype=kind)
        origins += (stacked.starts + first - np.cumsum(counts) + counts).astype(kind)[series_ids]
        windows = cls(spec, stacked, origins, series_ids)
        return windows.take(np.argsort(-windows.ages, kind="stable"))

    def __len__(self) -> int:
        return len(self.origins)

    @property
    def shape(self) -> tuple[int, int, int]:
        return len(self), self.spec.n_steps, self.spec.n_features

    @property
    def ages(self) -> Array:
        ages: Array = self.stacked.ends.astype(self.origins.dtype)[self.series_ids] - self.origins
        return ages - self.spec.horizon

    def count_before(self, position: int) -> int:
        """How many windows, the oldest, have no target that the window at this position, or a newer one, has too."""
        return int((self.ages >= self.ages[position] + self.spec.horizon).sum())

    @property
    def has_observation(self) -> Array:
        """Whether the window holds an observed value, for each (sample, channel)."""
        has_observation: Array = self.origins[:, np.newaxis] > self.stacked.first_observed[self.series_ids]
        return has_observation

    def __getitem__(self, chosen: Any) -> Any:
        part = self.take(chosen)
        return part if isinstance(chosen, slice) else part.to_numpy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return self.to_numpy().astype(dtype or self.dtype, copy=False)

    def to_numpy(self) -> Array:
        """Compute all samples."""
        spec = self.spec
        rows = self._window_rows()
        level, scale = self._level_and_scale_of(self.stacked.y[rows])
        parts = [divide_or_zero(self.stacked.y[rows] - level, scale)]
        if spec.n_exogenous:
            parts.append(self.stacked.X[rows])
        n_steps = spec.window_length // spec.fold
        sequences = np.concatenate([part.reshape(len(self), n_steps, -1) for part in parts], axis=2)
        if spec.known_future:
            sequences = self._append_future_steps(sequences)
        return sequences.astype(self.dtype, copy=False)

    def level_and_scale(self) -> tuple[Array, Array]:
        """Level and scale of each window, shaped (sample, 1, channel)."""
        if len(self) > _BLOCK_SIZE:
            levels, scales = zip(*(block.level_and_scale() for _, block in self.blocks()), strict=True)
            return np.concatenate(levels), np.concatenate(scales)
        return self._level_and_scale_of(self.stacked.y[self._window_rows()])

    def baseline_and_scale(self) -> tuple[Array, Array]:
        """What an output of 0 forecasts, (sample, step ahead or 1, channel), and the scale of each window.

        Outputs * scale + baseline have the unit of y.
        """
        level, scale = self.level_and_scale()
        return (self._smoothed() if self.spec.smoothing_seasons else level), scale

    def _smoothed(self) -> Array:
        """What exponential smoothing of the rows before each sample forecasts."""
        seasons, horizon = self.spec.smoothing_seasons, self.spec.horizon
        forecasts = np.empty((len(self), horizon, self.spec.n_channels))
        n_known = np.maximum(1, self.origins - self.stacked.starts[self.series_ids])
        n_rows = np.minimum(n_known, count_rows_read(seasons))
        for n in np.unique(n_rows).tolist():
            chosen = np.flatnonzero(n_rows == n)
            for block in np.split(chosen, range(_BLOCK_SIZE, len(chosen), _BLOCK_SIZE)):
                rows = self.origins[block, np.newaxis] + np.arange(-n, 0)
                forecasts[block] = forecast_by_smoothing(self.stacked.y[rows], horizon, seasons)
        return forecasts

    def take(self, chosen: Any) -> "Windows":
        """Some of the windows, which are not computed yet."""
        return replace(self, origins=self.origins[chosen], series_ids=self.series_ids[chosen])

    def blocks(self, size: int | None = None) -> "Iterator[tuple[int, Windows]]":
        """Parts that are computed at once, each with the number of its first window."""
        size = size or _BLOCK_SIZE
        for first in range(0, len(self), size):
            yield first, self.take(slice(first, first + size))

    def _window_rows(self) -> Array:
        rows = self.origins[:, np.newaxis] + np.arange(-self.spec.window_length, 0)
        # A series shorter than the window is padded with its own first row.
        return np.maximum(rows, self.stacked.starts[self.series_ids][:, np.newaxis])

    def _append_future_steps(self, sequences: Array) -> Array:
        spec, n = self.spec, len(self)
        # The last fold is filled up with the last row of the horizon, as no forecast may read beyond that row.
        ahead = np.minimum(np.arange(spec.n_future_steps * spec.fold), spec.horizon - 1)
        rows = self.origins[:, np.newaxis] + ahead
        X = np.zeros((*rows.shape, spec.n_exogenous))
        X[..., list(spec.known_future)] = self.stacked.X[rows][..., list(spec.known_future)]
        future = np.zeros((n, spec.n_future_steps, sequences.shape[2]))
        future[..., spec.fold * spec.n_channels :] = X.reshape(n, spec.n_future_steps, -1)
        is_future = np.repeat([0.0, 1.0], [sequences.shape[1], spec.n_future_steps])
        sequences = np.concatenate([sequences, future], axis=1)
        return np.concatenate([sequences, np.broadcast_to(is_future[:, np.newaxis], (n, len(is_future), 1))], axis=2)

    def _level_and_scale_of(self, windows: Array) -> tuple[Array, Array]:
        if self.spec.normalize is None:
            shape = len(windows), 1, self.spec.n_channels
            return np.broadcast_to(self.spec.level, shape), np.broadcast_to(self.spec.scale, shape)
        level = self.stacked.level[self.series_ids][:, np.newaxis]
        scale = self.stacked.scale[self.series_ids][:, np.newaxis]
        if self.spec.normalize == "series":
            return level, scale
        newest = windows[:, -self.spec.level_length :]
        newest_scale = np.maximum(standard_deviation(newest, axis=1, keepdims=True), _LEAST_RELATIVE_SCALE * scale)
        return newest.mean(axis=1, keepdims=True), newest_scale


def _least_integer(largest: int) -> Any:
    """A type of half the size where it can count the rows."""
    return np.dtype(np.int32) if largest < np.iinfo(np.int32).max else np.dtype(np.int64)


def divide_or_zero(numerator: Array, denominator: Array) -> Array:
    """Divide; 0 where the denominator, the scale of a constant, is 0."""
    ratio: Array = np.where(denominator > 0, numerator / np.where(denominator > 0, denominator, 1.0), 0.0)
    return ratio
