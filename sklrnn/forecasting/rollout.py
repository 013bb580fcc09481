"""Forecasts from the ends of series, block by block, and of rows within them, one step ahead."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sklrnn.forecasting.calibration import Calibration
from sklrnn.forecasting.network import WindowNetwork
from sklrnn.forecasting.windows import Framing, Track, Windows

Array = NDArray[np.float64]

_DOUBLE = np.dtype(np.float64)


@dataclass(frozen=True)
class Rolling:
    """Networks at work on the ends of the series of a track.

    ``steps`` holds, for each series, the steps to forecast, counted from its last known row: 1 is the first row to come,
    0 the last known one. ``n_known`` are the known rows of each series; rows to come follow them in the track, and own
    forecasts are written there when more steps are wanted than the networks answer at once.
    """

    framing: Framing
    networks: list[WindowNetwork]
    track: Track
    n_known: "NDArray[np.int64]"
    steps: "list[NDArray[np.int64]]"

    def points(self) -> Array:
        """Forecasts of the wanted steps of all series, one below the other: (row, channel)."""
        return self._answer(None, None)

    def quantiles(self, levels: Array, calibration: Calibration) -> Array:
        """Quantiles of the wanted steps: (row, channel, level)."""
        return self._answer(levels, calibration)

    def _answer(self, levels: Array | None, calibration: Calibration | None) -> Array:
        within = self._within(levels, calibration)
        ahead = self._ahead(levels, calibration)
        rows = []
        for number, steps in enumerate(self.steps):
            one = np.empty((len(steps), *ahead.shape[2:]))
            to_come = steps > 0
            one[to_come] = ahead[number, steps[to_come] - 1]
            one[~to_come] = within[number]
            rows.append(one)
        return np.concatenate(rows)

    def _ahead(self, levels: Array | None, calibration: Calibration | None) -> Array:
        """Roll all series as far as any of them is wanted: (series, step, channel[, level])."""
        horizon = self.framing.horizon
        furthest = max(int(steps.max(initial=0)) for steps in self.steps)
        ends = self.track.starts + self.n_known
        blocks = []
        told: Array | None = None
        for block in range(max(1, -(-furthest // horizon))):
            windows = self._windows(ends + block * horizon, np.arange(len(ends)))
            if furthest:
                # Own forecasts are calmer than what is to come: they must not make errors look small.
                told = windows.scales()[1] if told is None else told
                points, values = self._values(windows, levels, calibration, n_blocks=block + 1, least_spread=told)
                self.track.y[windows.origins[:, np.newaxis] + np.arange(horizon)] = points
            else:
                values = np.empty((len(ends), 0, self.framing.n_channels, *(() if levels is None else (len(levels),))))
            blocks.append(values)
        return np.concatenate(blocks, axis=1)

    def _within(self, levels: Array | None, calibration: Calibration | None) -> list[Array]:
        """Forecast known rows from the rows before them; where these hold no known value, it stays NaN."""
        rows = [n + steps[steps <= 0] - 1 for n, steps in zip(self.n_known, self.steps, strict=True)]
        owners = np.repeat(np.arange(len(rows)), [len(part) for part in rows])
        if not len(owners):
            return [np.empty((0, self.framing.n_channels, *(() if levels is None else (len(levels),))))] * len(rows)
        windows = self._windows(self.track.starts[owners] + np.concatenate(rows), owners)
        values = self._values(windows, levels, calibration, n_blocks=1, least_spread=0.0)[1][:, 0]
        values[~windows.informed] = np.nan
        return np.split(values, np.cumsum([len(part) for part in rows])[:-1])

    def _windows(self, origins: "NDArray[np.int64]", owners: "NDArray[np.int64]") -> Windows:
        return Windows(self.framing, self.track, origins, owners, _DOUBLE)

    def _values(
        self,
        windows: Windows,
        levels: Array | None,
        calibration: Calibration | None,
        *,
        n_blocks: int,
        least_spread: Array | float,
    ) -> tuple[Array, Array]:
        """Points, and either these or quantiles around them, on the scale of the series.

        Errors of one block after another are taken for independent, so that intervals widen with the root of their
        number.
        """
        level, spread = windows.scales()
        own = np.mean([network.points(windows) for network in self.networks], axis=0)
        points = own * spread + level
        if levels is None or calibration is None:
            return points, points
        if self.networks[0].knows(levels):
            offsets = np.mean([network.values_at(windows, levels) for network in self.networks], axis=0)
            offsets = offsets - own[..., np.newaxis]
        else:
            offsets = calibration.offsets(levels)
        widths = np.sqrt(n_blocks) * np.maximum(spread, least_spread)
        return points, points[..., np.newaxis] + widths[..., np.newaxis] * offsets
