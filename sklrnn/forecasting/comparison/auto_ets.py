"""Exponential smoothing whose error, trend and season are selected automatically."""

from collections import Counter
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from sklrnn.forecasting.comparison.aicc_search import Array, Candidate, LowestAICc, fit_converged, rank_by_aicc

__all__ = ["ETSSearch"]

_N_PATHS = 2000


class ETSSearch(LowestAICc):
    """Exponential smoothing whose error, trend and season are chosen by the corrected Akaike criterion.

    The forms are compared with heuristic first states, and the best whose search converges is fitted again with
    estimated ones: mostly the choice of a full search in a fraction of its time. Multiplicative forms are tried if all
    values are positive, and a season if there are two of it. Intervals are quantiles of simulated futures.

    Parameters
    ----------
    sp : int, default=1
        Number of rows in a season.

    most_rows : int, default=1000
        Number of rows to fit to, the newest ones.

    random_state : int, default=0
        Seed of the simulated paths.

    Examples
    --------
    >>> from sklrnn.datasets import load_air_passengers
    >>> from sklrnn.forecasting.comparison.auto_ets import ETSSearch
    >>> ets = ETSSearch(sp=12).fit(load_air_passengers()[:60], fh=[1, 2])
    >>> bool(ets.predict().between(190, 215).all())
    True
    """

    _tags = {"capability:random_state": True, "property:randomness": "derandomized"}  # noqa: RUF012

    def __init__(self, sp: int = 1, most_rows: int = 1000, random_state: int = 0) -> None:
        self.sp = sp
        self.most_rows = most_rows
        self.random_state = random_state
        super().__init__()

    def _search(self, values: Array, exog: None, notes: Counter[tuple[str, str]]) -> Any:
        if len(values) < 10:
            raise ValueError(
                f"Exponential smoothing needs at least 10 rows to estimate its initial states, got {len(values)}."
            )
        ranked = rank_by_aicc(lambda form: _fit(self._model(values, "heuristic", **form)), self._forms(values))
        models = (self._model(values, "estimated", **_form(rough.model)) for rough in ranked)
        result = fit_converged((_candidate(model) for model in models), notes)
        self._form = _form(result.model)
        return result

    def _forms(self, values: Array) -> Iterator[dict[str, Any]]:
        seasons = self.sp > 1 and len(values) >= 2 * self.sp + 2
        for positive, (trend, damped), seasonal in product(
            [False, True], [(None, False), ("add", False), ("add", True)], [False, True]
        ):
            if (seasonal and not seasons) or (positive and not values.min() > 0):
                continue
            kind = "mul" if positive else "add"
            yield {"error": kind, "trend": trend, "damped_trend": damped, "seasonal": kind if seasonal else None}

    def _model(self, values: Array, initialization: str, **form: Any) -> Any:
        from statsmodels.tsa.exponential_smoothing.ets import ETSModel

        season = self.sp if form["seasonal"] else None
        return ETSModel(values, seasonal_periods=season, initialization_method=initialization, **form)

    def _with_more_rows(self, values: Array, exog: None) -> Any:
        return self._model(values, "estimated", **self._form).smooth(self.result_.params)

    def _mean(self, n_steps: int, exog: None) -> Array:
        return np.asarray(self.result_.forecast(n_steps))

    def _quantiles(self, n_steps: int, exog: None, levels: Array) -> Array:
        noise = np.random.default_rng(self.random_state).normal(size=(n_steps, _N_PATHS)) * np.sqrt(self.result_.scale)
        paths = self.result_.simulate(n_steps, anchor="end", repetitions=_N_PATHS, random_errors=noise)
        return np.quantile(np.asarray(paths), levels, axis=1).T


def _form(model: Any) -> dict[str, Any]:
    return {name: getattr(model, name) for name in ("error", "trend", "damped_trend", "seasonal")}


def _candidate(model: Any) -> Candidate:
    """Search from the states that statsmodels suggests; then on from where that ended, with wider differences."""
    return Candidate(
        f"ETS({model.short_name})",
        lambda: _fit(model),
        lambda result: _fit(model, start_params=result.params, epsilon=1e-6),
    )


def _fit(model: Any, **options: Any) -> Any:
    return model.fit(disp=False, warn_convergence=False, **options)
