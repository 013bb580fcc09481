"""Base class of the classical forecasters that select their model by the corrected Akaike information criterion.

They exist for `compare`, and need nothing but statsmodels: sktime's automatic ETS takes several times as long, and its
automatic ARIMA needs a further package. All are forecasters of sktime like any other.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sktime.forecasting.base import BaseForecaster

from sklrnn.training._overlapping import one_blas_thread

__all__ = ["LowestAICc", "fit_lowest"]

Array = NDArray[np.float64]


class LowestAICc(BaseForecaster):
    """Keeps the data, and forecasts a constant series as constant.

    A subclass selects a model (``_search``), applies it to further rows (``_with_more_rows``), and makes forecasts
    for the steps to come (``_mean``, ``_quantiles``).
    """

    _tags = {  # noqa: RUF012
        "authors": "The sklrnn developers",
        "python_dependencies": "statsmodels",
        "y_inner_mtype": "pd.Series",
        "X_inner_mtype": "pd.DataFrame",
        "requires-fh-in-fit": False,
        "capability:exogenous": False,
        "capability:insample": False,
        "capability:pred_int": True,
        "capability:pred_int:insample": False,
        "capability:update": True,
        "capability:missing_values": False,
    }
    _config = {"remember_data": False}  # noqa: RUF012
    result_: Any

    def __post_init__(self) -> None:
        # sktime reads them even if it is configured not to remember the data.
        self._y = None
        self._X = None

    def _fit(self, y: Any, X: Any, fh: Any) -> "LowestAICc":
        self._name = y.name
        self._values = y.to_numpy(np.float64)[-self.most_rows :]
        self._exog = None if X is None else X.to_numpy(np.float64)[-self.most_rows :]
        self._choose()
        return self

    def _choose(self) -> None:
        varies = np.ptp(self._values) > 0
        with one_blas_thread():
            self.result_ = self._search(self._values, self._exog) if varies else None

    def _update(self, y: Any, X: Any = None, update_params: bool = True) -> "LowestAICc":
        self._values = np.concatenate([self._values, y.to_numpy(np.float64)])
        if X is not None and self._exog is not None:
            self._exog = np.concatenate([self._exog, X.to_numpy(np.float64)])
        if update_params or self.result_ is None:
            self._choose()
        else:
            with one_blas_thread():
                self.result_ = self._with_more_rows(self._values, self._exog)
        return self

    def _predict(self, fh: Any, X: Any) -> Any:
        steps, exog = self._ahead(fh, X)
        last = np.full(steps.max() + 1, self._values[-1])
        values = last if self.result_ is None else self._mean(int(steps.max()) + 1, exog)
        return pd.Series(values[steps], index=fh.to_absolute_index(self.cutoff), name=self._name)

    def _predict_quantiles(self, fh: Any, X: Any, alpha: list[float]) -> pd.DataFrame:
        steps, exog = self._ahead(fh, X)
        last = np.full((steps.max() + 1, len(alpha)), self._values[-1])
        values = last if self.result_ is None else self._quantiles(int(steps.max()) + 1, exog, np.asarray(alpha))
        columns = pd.MultiIndex.from_product([self._get_varnames(), alpha])
        return pd.DataFrame(values[steps], index=fh.to_absolute_index(self.cutoff), columns=columns)

    def _ahead(self, fh: Any, X: Any) -> tuple[Any, Array | None]:
        """Positions of the horizon among the steps after the cut-off, and the exogenous rows of these steps."""
        steps = np.asarray(fh.to_relative(self.cutoff).to_pandas(), dtype=int) - 1
        known = None if X is None or self._exog is None else X.to_numpy(np.float64)[: steps.max() + 1]
        return steps, known

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Return testing parameter settings."""
        return [{}, {"sp": 4, "most_rows": 100}]


def fit_lowest(fit: Callable[[Any], Any], forms: Iterable[Any]) -> Any:
    """Take the result with the lowest corrected Akaike criterion; forms that can't be fitted drop out."""
    best: Any = None
    for form in forms:
        try:
            result = fit(form)
        except (ValueError, FloatingPointError, np.linalg.LinAlgError):
            continue
        if np.isfinite(result.aicc) and (best is None or result.aicc < best.aicc):
            best = result
    if best is None:
        raise ValueError("No form of the model could be fitted to this series.")
    return best
