"""Forecasts from every row of a test part, in batches of windows."""

from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import check_scalar
from sktime.forecasting.base import ForecastingHorizon

from sklrnn.estimators.options import shallow_copy
from sklrnn.forecasting.calibration import Calibration
from sklrnn.forecasting.history import History
from sklrnn.forecasting.network import ForecastNetwork
from sklrnn.forecasting.panel_rows import PanelRows, find_keys, reach, stretches, to_times
from sklrnn.forecasting.rollout import Rollout
from sklrnn.forecasting.row_statistics import naive_errors_until
from sklrnn.forecasting.windows import StackedSeries, WindowSpec
from sklrnn.forecasting.X_ahead import XAhead

Array = NDArray[Any]

# Numbers in the rows that are forecast at once.
_MOST_NUMBERS = 2**22


class Origins(NamedTuple):
    """Where series are forecast from: each forecast knows the first ``n_known`` rows of the series with its number."""

    series: Array
    n_known: Array

    @property
    def numbers(self) -> Array:
        """The series that are forecast, in their order; the origins of each are consecutive."""
        return self.series[np.flatnonzero(np.diff(self.series, prepend=-1))]

    @property
    def counts(self) -> Array:
        """How many origins each of these series has."""
        starts = np.flatnonzero(np.diff(self.series, prepend=-1))
        return np.diff(np.append(starts, len(self.series)))


class RollingForecast(NamedTuple):
    """What forecasts at many origins need: fitted networks, a history that reaches to the end, and the steps ahead.

    Each origin becomes a series of its own: the rows of its window, and those ahead. So forecasts that read earlier
    forecasts stay apart.
    """

    spec: WindowSpec
    networks: list[ForecastNetwork]
    calibration: Calibration
    history: History
    sp: int
    steps: Array

    def find_origins(self, y: pd.DataFrame, every: int) -> Origins:
        """The row before the first one of y and every later one from which all steps lie in y."""
        furthest, table = int(self.steps.max()), self.history.table
        rows = PanelRows.of(y.index)
        ids, lengths = find_keys(rows.keys, table.keys), rows.lengths
        # The history has the rows of y, without gaps.
        ordinals = rows.ordinals_in(table.times.kind)[rows.offsets[:-1]]
        first = table.times.steps_between(ids, ordinals)[0]
        n_origins = np.maximum(0, -(-(lengths + 1 - furthest) // every))
        within = stretches(np.zeros(len(ids), dtype=np.int64), n_origins)
        n_known = np.repeat(first, n_origins) + every * within
        # Before the first row of the series there is nothing to forecast from.
        has_rows = n_known > 0
        if not has_rows.any():
            raise ValueError(
                f"y has {lengths.max()} row(s), too few for a forecast of {furthest} step(s) that can be compared with "
                "it. Pass more rows, or a shorter fh."
            )
        return Origins(np.repeat(ids, n_origins)[has_rows], n_known[has_rows])

    def forecast(self, origins: Origins, levels: Array | None) -> Array:
        """Forecasts of all steps from all origins, then their quantiles: (row, channel, 1 + level)."""
        stacked, numbers, counts = self._stack(origins), origins.numbers, origins.counts
        bounds = np.cumsum(counts) - counts
        naive_errors = np.concatenate(
            [
                naive_errors_until(stacked.y[start : start + n_rows], origins.n_known[bound : bound + count], self.sp)
                for start, n_rows, bound, count in zip(
                    stacked.starts, self.history.table.lengths[numbers], bounds, counts, strict=True
                )
            ]
        )
        n_known, series_ids = origins.n_known, np.repeat(np.arange(len(numbers)), counts)
        n_columns = stacked.y.shape[1] + stacked.X.shape[1]
        at_once = max(1, _MOST_NUMBERS // ((self.spec.n_rows_read + self._n_ahead) * n_columns))
        blocks = []
        for start in range(0, len(n_known), at_once):
            block = slice(start, start + at_once)
            ids, ends = series_ids[block], stacked.starts[series_ids[block]] + n_known[block]
            rollout = self._rollout(stacked, naive_errors[block], numbers[ids], ids, ends)
            values = rollout.predict()[..., np.newaxis]
            if levels is not None:
                values = np.concatenate([values, rollout.predict_quantiles(levels, self.calibration)], axis=2)
            unknown = np.repeat(ends[:, np.newaxis] <= stacked.first_observed[ids], len(self.steps), axis=0)
            blocks.append(np.where(unknown[..., np.newaxis], np.nan, values))
        return np.concatenate(blocks)

    @property
    def _n_ahead(self) -> int:
        """Rows ahead that the networks write and read: whole blocks of steps that they predict at once."""
        return -(-int(self.steps.max()) // self.spec.horizon) * self.spec.horizon

    def _stack(self, origins: Origins) -> StackedSeries:
        """The series, with the rows of X that the last origins read beyond the end."""
        numbers, table = origins.numbers, self.history.table
        last = origins.n_known[np.cumsum(origins.counts) - 1]
        n_beyond = np.maximum(0, last + self._n_ahead - table.lengths[numbers])
        X = np.full((len(numbers), int(n_beyond.max()), table.X.shape[1]), np.nan)
        if self.spec.known_future and n_beyond.any():
            from_last = self.history.from_rows(numbers, last)
            steps = np.broadcast_to(self.steps, (len(table), len(self.steps)))
            ahead = XAhead.of(from_last, None, steps, self.spec).read(numbers)
            for n in np.unique(n_beyond[n_beyond > 0]).tolist():
                X[n_beyond == n, :n] = ahead[n_beyond == n, self._n_ahead - n : self._n_ahead]
        return table.take(numbers).stack(sp=self.sp, X_ahead=X)

    def _rollout(self, stacked: StackedSeries, naive_errors: Array, numbers: Array, ids: Array, ends: Array) -> Rollout:
        """Forecasts of the series ``ids``, each from the row before ``ends``.

        ``naive_errors`` are those of the rows before, ``numbers`` those of the series in the history.
        """
        spec, n_past = self.spec, self.spec.n_rows_read
        n_rows = n_past + self._n_ahead
        n_known = np.minimum(ends - stacked.starts[ids], n_past)
        # A series shorter than that is padded with its own first row, in front of its start.
        rows = np.maximum(ends[:, np.newaxis] + np.arange(-n_past, self._n_ahead), stacked.starts[ids, np.newaxis])
        y, X = stacked.y[rows], stacked.X[rows]
        y[:, n_past:] = np.nan
        unknown = [column for column in range(X.shape[2]) if column not in spec.known_future]
        X[:, n_past:, unknown] = X[:, n_past - 1, unknown][:, np.newaxis]
        ends_of_cut = np.arange(1, len(ids) + 1) * n_rows
        starts = ends_of_cut - self._n_ahead - n_known
        cut_out = StackedSeries(
            y.reshape(n_rows * len(ids), y.shape[2]),
            np.zeros((n_rows * len(ids), y.shape[2]), dtype=bool),
            X.reshape(n_rows * len(ids), X.shape[2]),
            starts,
            ends_of_cut,
            np.repeat(starts[:, np.newaxis], y.shape[2], axis=1),
            stacked.level[ids],
            stacked.scale[ids],
            naive_errors,
        )
        steps = np.broadcast_to(self.steps, (len(ids), len(self.steps)))
        return Rollout(spec, self.networks, cut_out, n_known, steps, numbers)

    def index_of(self, origins: Origins) -> pd.MultiIndex:
        """The index of the forecasts: series (of a panel), cutoff, step ahead, time."""
        *series_names, time_name = self.history.index_names
        table, n_steps = self.history.table, len(self.steps)
        series, n_known = (np.repeat(column, n_steps) for column in origins)
        steps = np.tile(self.steps, len(origins.series))
        cutoffs, times = (
            to_times(table.times.ordinals_at(series, rows), table.times.kind)
            for rows in (n_known - 1, n_known - 1 + steps)
        )
        keys = [] if table.keys is None else [table.key(number) for number in origins.numbers.tolist()]
        counts = origins.counts * n_steps
        levels = [pd.Index([reach(key)[level] for key in keys]).repeat(counts) for level in range(len(series_names))]
        names = [*series_names, "cutoff", "step", "time" if time_name is None else time_name]
        return pd.MultiIndex.from_arrays([*levels, cutoffs, pd.Index(steps), times], names=names)

    def actual(self, origins: Origins) -> Array:
        """The values that y has at the times of the forecasts: (row, channel)."""
        table = self.history.table
        rows = (table.offsets[origins.series] + origins.n_known - 1)[:, np.newaxis] + self.steps
        values: Array = table.y[rows.ravel()]
        return values


class RollingForecasts:
    """The method of a forecaster that forecasts from every row of a test part."""

    window_spec_: WindowSpec
    networks_: list[ForecastNetwork]
    sp_: int
    _history: History
    _calibration: Calibration

    def predict_rolling(
        self, y: Any, X: Any = None, *, fh: Any = None, step: int = 1, coverage: float | None = None
    ) -> pd.DataFrame:
        """Forecast from every row of a test part, without training, and return forecasts and known values.

        The first forecast is made before the first row of ``y``, each later one from ``step`` rows further on, as long
        as ``y`` has a row for each step. These are the forecasts of ``predict`` in a loop with
        ``update(..., update_params=False)``, made in batches of windows. The forecaster does not change.

        Parameters
        ----------
        y : pandas.Series or pandas.DataFrame
            The test part, in the form of the y of ``fit``. It follows the known rows, or replaces some of them.

        X : pandas.DataFrame, default=None
            Exogenous variables of the rows of ``y``, and of any later rows that the last forecasts read.

        fh : int, list or ForecastingHorizon, default=None
            The steps ahead, as numbers of rows; None takes those of ``fit``.

        step : int, default=1
            Rows from one origin to the next.

        coverage : float, default=None
            Coverage of prediction intervals, such as 0.9; None computes none.

        Returns
        -------
        forecasts : pandas.DataFrame
            A row for each origin and step: the index holds the series (of a panel), the ``cutoff`` (the last row that
            the forecast knows), the ``step`` ahead and the time. Columns are ``y_true``, ``y_pred`` and, with
            ``coverage``, ``lower`` and ``upper``; if y has several columns, each of these holds them all.

        Examples
        --------
        >>> from sklrnn.datasets import load_air_passengers
        >>> from sklrnn.forecasting import GRUForecaster
        >>> y = load_air_passengers()
        >>> model = GRUForecaster(max_epochs=10, random_state=0).fit(y[:-36], fh=range(1, 13))
        >>> forecasts = model.predict_rolling(y[-36:])
        >>> len(forecasts.index.unique("cutoff"))
        25
        >>> errors = (forecasts["y_pred"] - forecasts["y_true"]).abs().groupby("step").mean()
        """
        forecaster: Any = self
        forecaster.check_is_fitted("predict_rolling")
        check_scalar(step, "step", Integral, min_val=1)
        levels = _levels(coverage)
        # sktime notes the form of y and the horizon in the forecaster that checks them: here, in a copy.
        noting = shallow_copy(forecaster, _converter_store_y=dict(forecaster._converter_store_y))
        X_inner, y_inner = noting._check_X_y(X=X, y=y)
        rolling = RollingForecast(
            self.window_spec_,
            self.networks_,
            self._calibration,
            self._history.extend(y_inner, X_inner),
            self.sp_,
            _steps(noting._check_fh(fh)),
        )
        origins = rolling.find_origins(y_inner, int(step))
        parts = np.concatenate([rolling.actual(origins)[..., np.newaxis], rolling.forecast(origins, levels)], axis=2)
        names = ["y_true", "y_pred", "lower", "upper"][: parts.shape[2]]
        history = rolling.history
        columns = pd.Index(names)
        if parts.shape[1] > 1:
            parts = history.in_order_of_y(parts)
            columns = pd.MultiIndex.from_product([names, y_inner.columns])
        values = np.moveaxis(parts, 1, 2).reshape(len(parts), -1)
        return pd.DataFrame(values, index=rolling.index_of(origins), columns=columns)


def _levels(coverage: Any) -> Array | None:
    """The levels of the bounds of an interval."""
    if coverage is None:
        return None
    if not isinstance(coverage, Real) or not 0 < float(coverage) < 1:
        raise ValueError(f"coverage must lie between 0 and 1, such as 0.9, or be None, got {coverage!r}.")
    return 0.5 + np.array([-0.5, 0.5]) * float(coverage)


def _steps(fh: ForecastingHorizon) -> Array:
    wanted = fh.to_pandas()
    if not fh.is_relative or not pd.api.types.is_integer_dtype(wanted.dtype) or wanted.min() < 1:
        raise ValueError(
            "predict_rolling needs an fh of steps ahead, the same from every origin, such as fh=[1, 2, 3], got "
            f"{list(wanted)}. Pass such an fh."
        )
    return np.asarray(wanted, dtype=np.int64)
