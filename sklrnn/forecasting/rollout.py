"""Forecasts after the end of each series, block by block, and in-sample forecasts, one step ahead."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sktime.forecasting.base import ForecastingHorizon

from sklrnn.forecasting.calibration import Calibration
from sklrnn.forecasting.history import History
from sklrnn.forecasting.network import ForecastNetwork
from sklrnn.forecasting.series import make_index, stack_series
from sklrnn.forecasting.windows import StackedSeries, Windows, WindowSpec

Array = NDArray[np.float64]

_DOUBLE = np.dtype(np.float64)
# A point forecast has this level, and no calibration.
_MEDIAN = np.array([0.5])


@dataclass(frozen=True)
class Rollout:
    """Forecasts of stacked series by the mean of several networks.

    ``steps`` holds, for each series, the steps to forecast, counted from its last known row: 1 is the first future row,
    0 the last known one. ``n_known`` is the number of known rows of each series. Future rows follow them in
    ``stacked``; forecasts are written there when more steps are needed than the networks predict at once (recursive
    forecasting). ``series_ids`` holds the number of each stacked series among those of the history. If the networks
    read one channel, each channel is forecast as a series of its own.
    """

    spec: WindowSpec
    networks: list[ForecastNetwork]
    stacked: StackedSeries
    n_known: "NDArray[np.int64]"
    steps: "list[NDArray[np.int64]]"
    series_ids: "NDArray[np.int64]"

    def predict(self) -> Array:
        """Forecasts of the steps of all series, concatenated: (row, channel)."""
        return self._forecast(_MEDIAN, None)[..., 0]

    def predict_quantiles(self, levels: Array, calibration: Calibration) -> Array:
        """Quantiles of the forecasts: (row, channel, level)."""
        return self._forecast(levels, calibration)

    def _forecast(self, levels: Array, calibration: Calibration | None) -> Array:
        n = self.stacked.y.shape[1] // self.spec.n_channels
        if n == 1:
            return np.concatenate(self._forecast_each(levels, calibration))
        apart = replace(
            self,
            stacked=self.stacked.split_channels(),
            n_known=np.repeat(self.n_known, n),
            steps=[steps for steps in self.steps for _ in range(n)],
            series_ids=(self.series_ids[:, np.newaxis] * n + np.arange(n)).ravel(),
        )
        channels = apart._forecast_each(levels, calibration)
        joined = [np.concatenate(channels[first : first + n], axis=1) for first in range(0, len(channels), n)]
        return np.concatenate(joined)

    def _forecast_each(self, levels: Array, calibration: Calibration | None) -> list[Array]:
        """Forecasts of the steps of each series: (step, channel, level)."""
        in_sample = self._in_sample(levels, calibration)
        out_of_sample = self._out_of_sample(levels, calibration)
        rows = []
        for number, steps in enumerate(self.steps):
            one = np.empty((len(steps), *out_of_sample.shape[2:]))
            is_future = steps > 0
            one[is_future] = out_of_sample[number, steps[is_future] - 1]
            one[~is_future] = in_sample[number]
            rows.append(one)
        return rows

    def _out_of_sample(self, levels: Array, calibration: Calibration | None) -> Array:
        """Forecast all series as far as the furthest step of any: (series, step, channel, level)."""
        horizon = self.spec.horizon
        furthest = max(int(steps.max(initial=0)) for steps in self.steps)
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

    def _in_sample(self, levels: Array, calibration: Calibration | None) -> list[Array]:
        """Forecast known rows from the rows before them; NaN where these hold no known value."""
        rows = [n + steps[steps <= 0] - 1 for n, steps in zip(self.n_known, self.steps, strict=True)]
        series_ids = np.repeat(np.arange(len(rows)), [len(part) for part in rows])
        if not len(series_ids):
            return [np.empty((0, self.spec.n_channels, len(levels)))] * len(rows)
        windows = self._windows(self.stacked.starts[series_ids] + np.concatenate(rows), series_ids)
        points, offsets = self._predict_windows(windows, levels, calibration, least_scale=np.zeros(()))
        values = points[:, 0, :, np.newaxis] + offsets[:, 0]
        values[~windows.has_observation] = np.nan
        return np.split(values, np.cumsum([len(part) for part in rows])[:-1])

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


def make_rollout(
    spec: WindowSpec,
    networks: list[ForecastNetwork],
    history: History,
    fh: ForecastingHorizon,
    X: pd.DataFrame | None,
    *,
    sp: int,
) -> tuple[Rollout, pd.Index]:
    """Prepare the forecasts of all series from their cutoffs; return also the index of the rows to forecast."""
    known = history.until_cutoff()
    resolved = history.resolve_fh(fh)
    steps = {key: own for key, (own, _) in resolved.items()}
    X_ahead = history.X_ahead(X, resolved, spec)
    stacked = stack_series(known, sp=sp, X_ahead=X_ahead, n_ahead=len(next(iter(X_ahead.values()))))
    n_known = np.array([len(one) for one in known.values()])
    index = make_index({key: times for key, (_, times) in resolved.items()}, history.index_names)
    return Rollout(spec, networks, stacked, n_known, list(steps.values()), np.arange(len(known))), index
