"""A warning about a table of lags whose columns are no time steps in order, which no other check can see."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklrnn.inputs.user_warnings import warn_user

Array = NDArray[Any]

# Rows of lags repeat the row before them, one column further. So few rows, or columns, could do so by chance.
_LEAST_ROWS = 20
_LEAST_COLUMNS = 3
_MOST_ROWS = 200
# Where another series begins, a row does not repeat the one before.
_MOVED = 0.9
# Series that hardly change move in both directions.
_MOVED_BACK = 0.7


def warn_of_lag_order(estimator: Any, table: Array) -> None:
    """Warn if columns are lags with the newest first, or if columns that are no lags stand behind them.

    ``table`` is (sample, time), as it is read where ``n_timesteps`` is not set.
    """
    rows, n_columns = table[:_MOST_ROWS], table.shape[1]
    if len(rows) < _LEAST_ROWS or n_columns < _LEAST_COLUMNS:
        return
    right = (rows[1:, 1:] == rows[:-1, :-1]).mean(axis=0)
    left = (rows[1:, :-1] == rows[:-1, 1:]).mean(axis=0)
    name = type(estimator).__name__
    newest_first, oldest_first = _n_lags(right, left), _n_lags(left, right)
    if newest_first and not estimator.bidirectional:
        warn_user(
            f"The first {newest_first} columns of X are lags with the newest first, but {name} reads columns as time "
            "steps with the oldest first. Reverse them, here or in what makes the lags: "
            f"make_pipeline(FunctionTransformer(np.fliplr), {name}())."
        )
    if max(newest_first, oldest_first) not in (0, n_columns):
        n_lags = max(newest_first, oldest_first)
        warn_user(
            f"The first {n_lags} columns of X are lags of a series, and column {n_lags} (counted from 0) is not the "
            f"next of them, but {name} reads all {n_columns} columns as time steps of one series. Leave the others "
            "out, or pass X as (sample, time, feature)."
        )


def _n_lags(moved: Array, moved_back: Array) -> int:
    """How many columns, from the first on, hold the same series at consecutive times; 0 if it may be chance."""
    is_lag = (moved > _MOVED) & (moved_back < _MOVED_BACK)
    n_lags = 1 + int(np.argmin([*is_lag, False]))
    return n_lags if n_lags >= _LEAST_COLUMNS else 0
