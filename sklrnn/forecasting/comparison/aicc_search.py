"""Base class of the classical forecasters that select their model by the corrected Akaike information criterion.

They exist for `compare`, and need nothing but statsmodels: sktime's automatic ETS takes several times as long, and its
automatic ARIMA needs a further package. All are forecasters of sktime like any other.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sktime.forecasting.base import BaseForecaster

from sklrnn.forecasting.comparison.warning_counts import count_warnings
from sklrnn.training.process import one_blas_thread

__all__ = ["Candidate", "LowestAICc", "fit_converged", "rank_by_aicc"]

Array = NDArray[np.float64]

_CANNOT_FIT = (ValueError, FloatingPointError, np.linalg.LinAlgError)
# A search that does not converge takes the longest, and candidates further down are worse by their criterion.
_MOST_CANDIDATES = 3


class LowestAICc(BaseForecaster):
    """Keeps the data, and forecasts a constant series as constant.

    A subclass selects a model (``_search``), applies it to further rows (``_with_more_rows``), and makes forecasts
    for the steps to come (``_mean``, ``_quantiles``).

    No warning of statsmodels is shown. `compare` counts them, and what the search says of its candidates.
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
        with one_blas_thread(), count_warnings.inner() as notes:
            self.result_ = self._search(self._values, self._exog, notes) if varies else None

    def _update(self, y: Any, X: Any = None, update_params: bool = True) -> "LowestAICc":
        self._values = np.concatenate([self._values, y.to_numpy(np.float64)])
        if X is not None and self._exog is not None:
            self._exog = np.concatenate([self._exog, X.to_numpy(np.float64)])
        if update_params or self.result_ is None:
            self._choose()
        else:
            with one_blas_thread(), count_warnings.inner():
                self.result_ = self._with_more_rows(self._values, self._exog)
        return self

    def _predict(self, fh: Any, X: Any) -> Any:
        steps, exog = self._ahead(fh, X)
        last = np.full(steps.max() + 1, self._values[-1])
        with count_warnings.inner():
            values = last if self.result_ is None else self._mean(int(steps.max()) + 1, exog)
        return pd.Series(values[steps], index=fh.to_absolute_index(self.cutoff), name=self._name)

    def _predict_quantiles(self, fh: Any, X: Any, alpha: list[float]) -> pd.DataFrame:
        steps, exog = self._ahead(fh, X)
        last = np.full((steps.max() + 1, len(alpha)), self._values[-1])
        with count_warnings.inner():
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


def rank_by_aicc(fit: Callable[[Any], Any], forms: Iterable[Any]) -> list[Any]:
    """Fit each form, and put the lowest corrected Akaike criterion first; forms that can't be fitted drop out.

    Whether these searches converge is not asked: one that stops early finds too low a likelihood, which can only put
    its form further down.
    """
    results = []
    for form in forms:
        try:
            result = fit(form)
        except _CANNOT_FIT:
            continue
        if np.isfinite(result.aicc):
            results.append(result)
    if not results:
        raise ValueError("No form of the model could be fitted to this series.")
    return sorted(results, key=lambda result: result.aicc)


class Candidate(NamedTuple):
    """A form of the model with two searches for its highest likelihood; the second gets the result of the first."""

    name: str
    search: Callable[[], Any]
    search_again: Callable[[Any], Any]


def fit_converged(candidates: Iterable[Candidate], notes: Counter[tuple[str, str]]) -> Any:
    """Fit the first candidate whose search converges, the best ones coming first.

    Where the limit of a search is reached, or its line search fails, depends on the last digits of a processor. Such a
    search is repeated, then the candidate is passed over. If no search converges, the result with the lowest criterion
    is taken. Each of these is noted.
    """
    passed_over: dict[str, Any] = {}
    for candidate in islice(candidates, _MOST_CANDIDATES):
        result = candidate.search()
        repeated = not _converged(result)
        if repeated:
            result = _better(result, _again(candidate, result))
        if _converged(result):
            for name in passed_over:
                _note(notes, f"{name} was passed over, as its likelihood search did not converge.")
            if repeated:
                _note(notes, f"The likelihood search of {candidate.name} converged only when it was repeated.")
            return result
        passed_over[candidate.name] = result
    best = min(passed_over, key=lambda name: np.nan_to_num(passed_over[name].aicc, nan=np.inf))
    tried = ", ".join(passed_over)
    _note(notes, f"No likelihood search converged ({tried}); {best} is used as far as its search came.")
    return passed_over[best]


def _again(candidate: Candidate, result: Any) -> Any:
    try:
        return candidate.search_again(result)
    except _CANNOT_FIT:
        return result


def _better(first: Any, second: Any) -> Any:
    return first if first.llf >= second.llf and not _converged(second) else second


def _converged(result: Any) -> bool:
    return bool(result.mle_retvals["converged"]) and bool(np.isfinite(result.llf))


def _note(notes: Counter[tuple[str, str]], message: str) -> None:
    notes["ConvergenceWarning", message] += 1
