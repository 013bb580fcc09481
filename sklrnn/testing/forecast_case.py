"""A forecaster under test with a series for it: what it can do, and what it forecasts."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklrnn.testing.options import fresh_copy, option

Array = NDArray[Any]

# Rows that are not yet known in `fit`.
_N_LATER = 12


@dataclass(frozen=True)
class ForecastCase:
    """A forecaster, a series of which the last rows come later, and variables for all rows and some beyond."""

    forecaster: Any
    y: Any
    X: Any
    fh: tuple[int, ...]

    @classmethod
    def of(cls, forecaster: Any, y: Any = None, X: Any = None, fh: Any = (1, 2, 3)) -> "ForecastCase":
        """Take a series that is given, or make one, with a variable if the forecaster reads any."""
        if y is None:
            if X is not None:
                raise ValueError("X needs y: pass both, or neither to have them made.")
            y, X = _make_data(forecaster)
        fh = tuple(int(step) for step in fh)
        if not fh or min(fh) < 1:
            raise ValueError(f"fh must hold steps ahead, from 1 on, got {fh}.")
        if len(y) < 3 * _N_LATER:
            raise ValueError(f"y must have at least {3 * _N_LATER} rows, got {len(y)}.")
        if X is not None and len(X) < len(y):
            raise ValueError(f"X must have a value for each of the {len(y)} rows of y, got {len(X)} rows.")
        return cls(forecaster, y, X, fh)

    @property
    def name(self) -> str:
        return type(self.forecaster).__name__

    @property
    def can_train_on(self) -> bool:
        return True

    @property
    def knows_future_X(self) -> bool:
        return option(self.forecaster, "future_X", "known") != "unknown"

    def has_tag(self, *names: str) -> bool:
        """Whether the first of these tags that the forecaster has is set."""
        values = (self.forecaster.get_tag(name, None, raise_error=False) for name in names)
        return bool(next((value for value in values if value is not None), False))

    @property
    def n_known(self) -> int:
        return len(self.y) - _N_LATER

    def rows(self, start: int, stop: int, y: Any = None) -> dict[str, Any]:
        """Some rows of y, and of X where there is one."""
        y = self.y if y is None else y
        known = {"y": y.iloc[start:stop].copy()}
        return known if self.X is None else known | {"X": self.X.iloc[start:stop].copy()}

    def future(self, start: int, X: Any = None) -> dict[str, Any]:
        """The variables of the rows that `fh` reaches."""
        X = self.X if X is None else X
        return {} if X is None else {"X": X.iloc[start : start + max(self.fh)].copy()}

    def changed(self, first: int, last: int | None = None) -> Any:
        """The series with other values in some rows."""
        y = self.y.copy()
        y.iloc[first:last] = float(np.max(self.y)) + float(np.min(self.y)) - y.iloc[first:last]
        return y

    def fit(self, n_rows: int | None = None, y: Any = None) -> Any:
        """A fitted copy of the forecaster, which knows the first rows."""
        known = self.rows(0, self.n_known if n_rows is None else n_rows, y)
        model = fresh_copy(self.forecaster)
        model.fit(**known, fh=list(self.fh))
        return model

    def update(self, model: Any, start: int, stop: int, y: Any = None, *, update_params: bool = False) -> Any:
        """Tell a fitted copy of more rows."""
        return model.update(**self.rows(start, stop, y), update_params=update_params)

    def answers(self, model: Any, n_known: int | None = None) -> Array:
        """The forecasts of a model that knows so many rows; without a number, those of its cutoff."""
        start = self.n_known if n_known is None else n_known
        if n_known is None and len(self.y):
            start = int(self.y.index.get_indexer(model.cutoff)[0]) + 1
        return np.asarray(model.predict(fh=list(self.fh), **self.future(start)))

    def train_on(self, model: Any) -> Any:
        """Train a fitted copy on, with the next rows."""
        start = int(self.y.index.get_indexer(model.cutoff)[0]) + 1
        return self.update(model, start, start + 2, update_params=True)

    def rolling(self, model: Any, y: Any = None) -> Any:
        """The forecasts for each step of each later row as cutoff, a column for each cutoff; none trains."""
        from sktime.split import ExpandingWindowSplitter

        splitter = ExpandingWindowSplitter(list(self.fh), initial_window=1, step_length=2)
        known = self.rows(self.n_known, len(self.y), y)
        future = {} if self.X is None else {"X": self.X.iloc[self.n_known :].copy()}
        return model.update_predict(**(known | future), cv=splitter, update_params=False)


def _make_data(forecaster: Any) -> tuple[Any, Any]:
    random, n_rows = np.random.default_rng(0), 60
    days = pd.date_range("2024-01-01", periods=n_rows + 6, freq="D")
    week = np.sin(2 * np.pi * np.arange(n_rows) / 7)
    X = pd.DataFrame({"x": random.normal(size=n_rows + 6)}, index=days)
    y = 20 + week + X["x"].to_numpy()[:n_rows] + random.normal(scale=0.5, size=n_rows)
    case = ForecastCase(forecaster, y, None, (1,))
    reads_X = case.has_tag("capability:exogenous")
    return pd.Series(y, index=days[:n_rows], name="y"), X if reads_X else None
