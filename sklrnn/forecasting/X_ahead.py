"""X of the rows ahead of each series that its forecasts read."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklrnn.forecasting.future_X import RowsOfX, count_steps_read, describe_missing
from sklrnn.forecasting.history import History
from sklrnn.forecasting.panel_rows import stretches
from sklrnn.forecasting.series import check_columns_of_X
from sklrnn.forecasting.windows import WindowSpec

Array = NDArray[Any]


@dataclass(frozen=True)
class XAhead:
    """Rows of X after the cutoffs of a history: those that are passed, known already, or were passed early.

    ``steps`` are those to forecast, (series, step). Each series has ``n_ahead`` rows ahead, of which its forecasts read
    ``n_read``.
    """

    history: History
    spec: WindowSpec
    steps: Array
    passed: RowsOfX
    n_read: Array
    n_ahead: int

    @classmethod
    def of(cls, history: History, X: pd.DataFrame | None, steps: Array, spec: WindowSpec) -> "XAhead":
        """Read what was passed to predict."""
        n_read, horizon = count_steps_read(steps, spec.horizon), spec.horizon
        if not spec.known_future:
            n_read = np.zeros_like(n_read)
        furthest = max(0, int(steps.max(initial=0)))
        n_ahead = int(n_read.max()) if spec.known_future else -(-furthest // horizon) * horizon
        passed, times = RowsOfX.empty(len(history.columns.X)), history.table.times
        if X is not None and spec.known_future:
            history.check_index_levels(X, "X")
            passed = RowsOfX.read(
                history.columns.reorder_future_X(X, spec.known_future), history.table.keys, times.kind
            )
            passed = passed.where(n_read[passed.series] > 0)
            passed.check_unique(history.table.keys, times.kind)
        return cls(history, spec, steps, passed, n_read, n_ahead)

    def read(self, ids: Array) -> Array:
        """X of the rows ahead of these series, (series, row, column); NaN where no forecast reads it."""
        X = np.full((len(ids), self.n_ahead, len(self.history.columns.X)), np.nan)
        n_read = self.n_read[ids]
        if not n_read.any():
            return X
        places, steps = np.repeat(np.arange(len(ids)), n_read), stretches(np.ones(len(ids), np.int64), n_read)
        values = self._find(ids[places], steps)
        self._check(ids[places], steps, values)
        known_future = np.array(self.spec.known_future)
        X[places[:, np.newaxis], steps[:, np.newaxis] - 1, known_future] = values[:, known_future]
        return X

    def _find(self, series: Array, steps: Array) -> Array:
        """X of series some steps after their cutoffs; all must have a row."""
        history = self.history
        table, early = history.table, history.early_X
        rows = history.n_known[series] - 1 + steps
        ordinals = table.times.ordinals_at(series, rows)
        values, found = np.full((len(series), table.X.shape[1]), np.nan), np.zeros(len(series), dtype=bool)
        for source in (self.passed, early):
            places = source.find(series, ordinals)
            own = (places >= 0) & ~found
            values[own], found = source.values[places[own]], found | own
            if source is self.passed:
                own = (rows < table.lengths[series]) & ~found
                values[own] = table.X[table.offsets[series[own]] + rows[own]]
                found |= own
        if not found.all():
            number = int(series[np.argmin(found)])
            missing = np.flatnonzero(~found[series == number])
            asked = history.times_at(np.full(self.steps.shape[1], number), self.steps[number])
            n_read = int(self.n_read[number])
            ahead = history.times_at(np.full(n_read, number), np.arange(1, n_read + 1))
            raise ValueError(describe_missing(missing, asked, ahead, self.spec.horizon, table.key(number)))
        return values

    def _check(self, series: Array, steps: Array, values: Array) -> None:
        """The numbers must be finite, and such that a network can read them; a column may fade out."""
        columns, history = self.history.columns.X, self.history
        infinite = np.argwhere(np.isinf(values))
        if len(infinite):
            row, column = (int(place) for place in infinite[0])
            time = history.times_at(series[row : row + 1], steps[row : row + 1])[0]
            raise ValueError(
                f"X of {history.table.describe(int(series[row]))} is infinite at {time} in column {columns[column]!r}. "
                "Put NaN where a value is unknown."
            )
        too_large = np.abs(values) > np.finfo(np.float32).max
        if too_large.any():
            number = int(series[np.argmax(too_large.any(axis=1))])
            own = values[series == number]
            check_columns_of_X(own, columns, f"X of {history.table.describe(number)}", refuse_small=False)
