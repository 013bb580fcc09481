"""Forecasts after the end of each series, block by block, and in-sample forecasts, one step ahead."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sktime.forecasting.base import ForecastingHorizon

from sklrnn.forecasting.calibration import Calibration
from sklrnn.forecasting.history import History
from sklrnn.forecasting.network import ForecastNetwork
from sklrnn.forecasting.series import make_index
from sklrnn.forecasting.windows import StackedSeries, Windows, WindowSpec
from sklrnn.forecasting.X_ahead import XAhead

Array = NDArray[np.float64]

_DOUBLE = np.dtype(np.float64)
# Numbers in the rows of series that are forecast at once.
_MOST_NUMBERS = 2**20
# A point forecast has this level, and no calibration.
_MEDIAN = np.array([0.5])


@dataclass(frozen=True)
class Rollout:
    """Forecasts of stacked series by the mean of several networks.

    ``steps``, (series, step), are those to forecast, counted from the last known row of each series: 1 is the first
    future row, 0 the last known one. ``n_known`` is the number of known rows of each series. Future rows follow them in
    ``stacked``; forecasts are written there when more steps are needed than the networks predict at once (recursive
    forecasting). ``series_ids`` holds the number of each stacked series among those of the history. If the networks
    read one channel, each channel is forecast as a series of its own.
    """

    spec: WindowSpec
    networks: list[ForecastNetwork]
    stacked: StackedSeries
    n_known: "NDArray[np.int64]"
    steps: "NDArray[np.int64]"
    series_ids: "NDArray[np.int64]"

    def predict(self) -> Array:
        """Forecasts of the steps of all series, concatenated: (row, channel)."""
        return self._forecast(_MEDIAN, None)[..., 0]

    def predict_quantiles(self, levels: Array, calibration: Calibration) -> Array:
        """Quantiles of the forecasts: (row, channel, level)."""
        return self._forecast(levels, calibration)

    def _forecast(self, levels: Array, calibration: Calibration | None) -> Array:
        n, n_channels = self.stacked.y.shape[1] // self.spec.n_channels, self.stacked.y.shape[1]
        if n == 1:
            return self._forecast_each(levels, calibration).reshape(-1, n_channels, len(levels))
        apart = replace(
            self,
            stacked=self.stacked.split_channels(),
            n_known=np.repeat(self.n_known, n),
            steps=np.repeat(self.steps, n, axis=0),
            series_ids=(self.series_ids[:, np.newaxis] * n + np.arange(n)).ravel(),
        )
        channels = apart._forecast_each(levels, calibration)[..., 0, :]
        joined = np.swapaxes(channels.reshape(len(self.steps), n, -1, len(levels)), 1, 2)
        return joined.reshape(-1, n, len(levels))

    def _forecast_each(self, levels: Array, calibration: Calibration | None) -> Array:
        """Forecasts of the steps of each series: (series, step, channel, level)."""
        is_future = self.steps > 0
        if is_future.all():
            ahead = self._out_of_sample(levels, calibration)
            return np.take_along_axis(ahead, self.steps[..., np.newaxis, np.newaxis] - 1, axis=1)
        forecasts = np.empty((*self.steps.shape, self.spec.n_channels, len(levels)))
        forecasts[~is_future] = self._in_sample(levels, calibration)
        if is_future.any():
            series, _ = np.nonzero(is_future)
            forecasts[is_future] = self._out_of_sample(levels, calibration)[series, self.steps[is_future] - 1]
        return forecasts

    def _out_of_sample(self, levels: Array, calibration: Calibration | None) -> Array:
        """Forecast all series as far as the furthest step of any: (series, step, channel, level)."""
        horizon = self.spec.horizon
        furthest = max(0, int(self.steps.max()))
        ends = self.stacked.starts + self.n_known
        blocks = [np.empty((len(ends), 0, self.spec.n_channels, len(levels)))]
        first_scale = spread = np.zeros(())
        for block in range(-(-furthest // horizon)):
            windows = self._windows(ends + block * horizon, np.arange(len(ends)))
            # Forecasts vary less than the series itself: a window of them must not make intervals narrower.
            first_scale = first_scale if block else windows.level_and_scale()[1]
            points, offsets = self._predict_windows(windows, levels, calibration, least_scale=first_scale)
            # The errors of blocks are taken to be independent: those at the end of a block stay with all later ones.
            offsets = np.sign(offsets) * np.hypot(offsets, spread)
            spread = offsets[:, -1:]
            self.stacked.y[windows.origins[:, np.newaxis] + np.arange(horizon)] = points
            blocks.append(points[..., np.newaxis] + offsets)
        return np.concatenate(blocks, axis=1)

    def _in_sample(self, levels: Array, calibration: Calibration | None) -> Array:
        """Forecast known rows from the rows before them, (row, channel, level); NaN where these hold no known value."""
        series_ids, places = np.nonzero(self.steps <= 0)
        rows = self.n_known[series_ids] + self.steps[series_ids, places] - 1
        windows = self._windows(self.stacked.starts[series_ids] + rows, series_ids)
        points, offsets = self._predict_windows(windows, levels, calibration, least_scale=np.zeros(()))
        values: Array = points[:, 0, :, np.newaxis] + offsets[:, 0]
        values[~windows.has_observation] = np.nan
        return values

    def _windows(self, origins: "NDArray[np.int64]", series_ids: "NDArray[np.int64]") -> Windows:
        return Windows(self.spec, self.stacked, origins, series_ids, _DOUBLE)

    def _predict_windows(
        self, windows: Windows, levels: Array, calibration: Calibration | None, *, least_scale: Array
    ) -> tuple[Array, Array]:
        """Point forecasts in the unit of y, and how far their quantiles at ``levels`` are from them."""
        baseline, scale = windows.baseline_and_scale()
        scaled = np.mean([network.predict_scaled(windows) for network in self.networks], axis=0)
        points = scaled * scale + baseline
        if calibration is None:
            return points, np.zeros((*points.shape, len(levels)))
        scale = np.maximum(scale, least_scale)
        if not self.networks[0].predicts_quantiles(levels):
            return points, calibration.offsets(levels, windows, scale, self.series_ids[windows.series_ids])
        quantiles = [network.predict_scaled_quantiles(windows, levels) for network in self.networks]
        return points, (np.mean(quantiles, axis=0) - scaled[..., np.newaxis]) * scale[..., np.newaxis]


class RolloutOfHistory:
    """Forecasts of all series of a history from their cutoffs, in blocks of series."""

    def __init__(
        self,
        spec: WindowSpec,
        networks: list[ForecastNetwork],
        history: History,
        fh: ForecastingHorizon,
        X: pd.DataFrame | None,
        *,
        sp: int,
    ) -> None:
        self.spec, self.networks, self.history, self.sp = spec, networks, history, sp
        self.steps = history.resolve_fh(fh)
        self.X_ahead = XAhead.of(history, X, self.steps, spec)

    def index(self) -> pd.Index:
        """The index of the forecasts."""
        n_series, n_steps = self.steps.shape
        times = self.history.times_at(np.repeat(np.arange(n_series), n_steps), self.steps.ravel())
        return make_index(self.history.table.keys, n_steps, times, self.history.index_names)

    def predict(self) -> Array:
        """Forecasts of the steps of all series, concatenated: (row, channel)."""
        return np.concatenate([block.predict() for block in self.blocks()])

    def predict_quantiles(self, levels: Array, calibration: Calibration) -> Array:
        """Quantiles of the forecasts: (row, channel, level)."""
        return np.concatenate([block.predict_quantiles(levels, calibration) for block in self.blocks()])

    def blocks(self) -> Iterator[Rollout]:
        """Parts of the forecasts, for as many series as are forecast at once."""
        table, n_known = self.history.table, self.history.n_known
        n_columns = table.y.shape[1] + table.X.shape[1]
        sizes = np.cumsum((n_known + self.X_ahead.n_ahead) * n_columns)
        for ids in np.split(np.arange(len(table)), np.flatnonzero(np.diff(sizes // _MOST_NUMBERS)) + 1):
            known = table.take(ids, n_known[ids])
            stacked = known.stack(sp=self.sp, X_ahead=self.X_ahead.read(ids))
            yield Rollout(self.spec, self.networks, stacked, n_known[ids], self.steps[ids], ids)
