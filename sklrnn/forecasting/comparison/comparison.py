"""The result of a comparison: tables to work with, a summary to read, a picture to look at."""

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Comparison"]

_UNITS = {"sMAPE": "sMAPE, %", "MAPE": "MAPE, %"}


class Comparison:
    """What `compare` found; not made by hand.

    Attributes
    ----------
    results : pandas.DataFrame
        A row per model and fold, in a panel per instance too: ``model``, ``fold``, ``cutoff`` (the last time known),
        ``instance`` (in a panel; a tuple in a hierarchy), the scores, ``coverage`` (the share of true values within
        their interval), ``fit_seconds`` and ``predict_seconds`` (of the whole fold, and without the intervals),
        ``n_warnings`` (of the whole fold) and ``error``, empty where nothing failed. sMAPE is in percent.

    forecasts : pandas.DataFrame
        A row per model, fold and step: ``model``, ``fold``, ``instance`` (in a panel), ``time``, ``variable`` (if y has
        several), ``step``, ``y_true``, ``y_pred``, and the ends of the interval, ``lower`` and ``upper``.

    yardstick : pandas.DataFrame
        For the same rows what models are measured by: ``seasonal_naive``, the forecast that repeats the last season,
        and ``scale``, its mean absolute error within the training part.

    warnings : pandas.DataFrame
        What models warned of: ``model``, ``fold``, ``category``, ``message`` and how many ``times``. An interval that
        failed is among them, as ``IntervalFailed``; a likelihood search of ``"ets"`` or ``"arima"`` that had to be
        repeated, a candidate passed over because its search did not converge, and a result whose search did not
        converge, as ``ConvergenceWarning``.

    models : dict
        The forecasters by name, not fitted; those that were asked for by name in the form that was chosen for the data.

    y : pandas.Series or pandas.DataFrame
        The series as it was read.

    horizon, sp : int
        Number of steps forecast, and of rows in a season.

    coverage : float or None
        Probability of the intervals.

    metrics : tuple of str
        Names of the scores; the first one ranks.

    failures : list of str
        A sentence per model that failed.

    Examples
    --------
    >>> from sklrnn.datasets import load_air_passengers
    >>> from sklrnn.forecasting import compare
    >>> comparison = compare(["naive", "seasonal_naive"], load_air_passengers(), horizon=3, n_splits=2)
    >>> comparison.results[["model", "fold", "cutoff", "MASE"]].round({"MASE": 2})
                model  fold   cutoff  MASE
    0           naive     0  1960-06  1.97
    1           naive     1  1960-09  2.52
    2  seasonal_naive     0  1960-06  1.76
    3  seasonal_naive     1  1960-09  1.14
    >>> comparison.skill().round(2)
    model  naive  seasonal_naive
    step
    1      -0.05             0.0
    2      -1.51             0.0
    3      -0.42             0.0
    """

    def __init__(
        self,
        *,
        models: dict[str, Any],
        y: Any,
        results: pd.DataFrame,
        forecasts: pd.DataFrame,
        yardstick: pd.DataFrame,
        warnings: pd.DataFrame,
        horizon: int,
        sp: int,
        coverage: float | None,
        metrics: tuple[str, ...],
    ) -> None:
        self.models = models
        self.y = y
        self.results = results
        self.forecasts = forecasts
        self.yardstick = yardstick
        self.warnings = warnings
        self.horizon = horizon
        self.sp = sp
        self.coverage = coverage
        self.metrics = metrics

    @property
    def failures(self) -> list[str]:
        """Say which models failed, where and why."""
        return [
            f"{name!r} failed at {n_failed} of {self.n_splits} cut-offs: {self._first_error(str(name))}"
            for name, n_failed in self._n_failed.items()
            if n_failed
        ]

    @property
    def n_splits(self) -> int:
        """Number of cut-offs."""
        return int(self.results["fold"].nunique())

    def summary(self) -> pd.DataFrame:
        """Average the scores of each model over folds and instances, the best rank first.

        The rank is the mean of those at each cut-off (and of each instance) by the first metric. A model that failed is
        last there. Its scores are NaN, since an average over other cut-offs could not be compared: ``results`` has those
        of the cut-offs where it worked.

        Returns
        -------
        pandas.DataFrame
            A row per model. Seconds are those of a fold; ``warnings`` and ``failed`` (the number of cut-offs) are there
            only where something is to be reported.
        """
        results, first = self.results, self.metrics[0]
        ranks = results.groupby(self._cell, sort=False)[first].rank(na_option="bottom")
        models = results["model"]
        table = pd.DataFrame({"rank": ranks.groupby(models).mean().round(2)}).loc[list(self.models)]
        for name in self.metrics:
            table[_UNITS.get(name, name)] = _significant(results[name].groupby(models).mean())
        if self.coverage is not None:
            covered = 100 * results["coverage"].groupby(models).mean()
            unknown = results["coverage"].isna().groupby(models).any()
            table["coverage, %"] = covered.mask(unknown).round(1)
        table.loc[self._n_failed > 0, table.columns[1:]] = np.nan
        of_folds = results.drop_duplicates(["model", "fold"])
        for name in ("fit", "predict"):
            table[f"{name}, s"] = of_folds.groupby("model")[f"{name}_seconds"].mean().round(3)
        for name, counts in (("warnings", of_folds.groupby("model")["n_warnings"].sum()), ("failed", self._n_failed)):
            if counts.any():
                table[name] = counts
        order = np.lexsort([table[_UNITS.get(first, first)].fillna(np.inf), table["rank"]])
        return table.iloc[order]

    def skill(self, reference: str | None = None) -> pd.DataFrame:
        """Give the skill of each model at each step: the share of the reference's error that it does away with.

        1 is a perfect forecast, 0 is as good as the reference, and below 0 is worse. Errors are absolute errors in units
        of the scale of MASE, so that each series counts the same, averaged over folds and instances.

        Parameters
        ----------
        reference : str, default=None
            The model to compare with. None means the forecast that repeats the last season, whether it is among the
            models or not.

        Returns
        -------
        pandas.DataFrame
            A row per step, a column per model; NaN for models that failed somewhere.
        """
        if reference is not None and reference not in self.models:
            raise ValueError(f"The reference must be one of the models {list(self.models)}, got {reference!r}.")
        keys = [name for name in ("fold", "instance", "variable", "step") if name in self.forecasts]
        joined = self.forecasts.merge(self.yardstick[[*keys, "seasonal_naive", "scale"]], on=keys)
        # Series without a scale repeat themselves exactly; if there are no others, plain errors are compared.
        scale = joined["scale"] if joined["scale"].notna().any() else 1.0
        errors = (joined["y_true"] - joined["y_pred"]).abs() / scale
        naive_errors = (joined["y_true"] - joined["seasonal_naive"]).abs() / scale
        by_step = errors.groupby([joined["step"], joined["model"]]).mean().unstack()[list(self.models)]
        by_step.loc[:, (self._n_failed > 0)[by_step.columns]] = np.nan
        base = naive_errors.groupby(joined["step"]).mean() if reference is None else by_step[reference]
        # Rounded, so that the reference itself has a skill of zero and not of minus a trifle.
        return (1 - by_step.div(base.where(base > 0), axis=0)).round(12) + 0.0

    def plot(
        self,
        *,
        axes: Any = None,
        instance: Any = None,
        variable: Any = None,
        highlight: Sequence[str] | None = None,
        history: int | None = None,
    ) -> "Figure":
        """Draw the forecasts of the last fold beside the truth, and the skill of each model at each step.

        Parameters
        ----------
        axes : pair of matplotlib.axes.Axes, default=None
            Where to draw forecasts and skill; None makes a figure. See also `plot_forecasts` and `plot_skill`.

        instance, variable : object, default=None
            Which series of a panel, and which variable, the forecasts are shown of. None means the first.

        highlight : sequence of str, default=None
            Models in colour, the others being grey. None means the networks of this package, or the four best models if
            there are none.

        history : int, default=None
            Number of rows shown before the cut-off. None means one and a half times the season or
            the horizon, whichever is longer.

        Returns
        -------
        matplotlib.figure.Figure
            The figure.
        """
        from sklrnn.forecasting.comparison.plotting import new_axes

        above, below = new_axes() if axes is None else axes
        self.plot_forecasts(above, instance=instance, variable=variable, highlight=highlight, history=history)
        self.plot_skill(below, highlight=highlight, legend=False)
        return above.figure

    def plot_forecasts(
        self,
        ax: Any = None,
        *,
        instance: Any = None,
        variable: Any = None,
        highlight: Sequence[str] | None = None,
        history: int | None = None,
        legend: bool = True,
    ) -> Any:
        """Draw the forecasts of the last fold, as `plot` does; give the axes."""
        from sklrnn.forecasting.comparison.plotting import draw_forecasts

        return draw_forecasts(
            self, ax, instance=instance, variable=variable, highlight=highlight, history=history, legend=legend
        )

    def plot_skill(
        self,
        ax: Any = None,
        *,
        reference: str | None = None,
        highlight: Sequence[str] | None = None,
        legend: bool = True,
    ) -> Any:
        """Draw the skill of each model at each step, as `plot` does; give the axes."""
        from sklrnn.forecasting.comparison.plotting import draw_skill

        return draw_skill(self, ax, reference=reference, highlight=highlight, legend=legend)

    def __repr__(self) -> str:
        return "\n".join([self._title, "", self.summary().to_string(na_rep="-"), *self._notes])

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self._notes)
        return f"<p>{escape(self._title)}</p>{self.summary().to_html(na_rep='-')}{notes}"

    @property
    def _title(self) -> str:
        n_models, n_instances = len(self.models), self.results.get("instance", pd.Series([0])).nunique()
        of_panel = f" of {n_instances} series" if "instance" in self.results else ""
        intervals = "" if self.coverage is None else f", intervals for {100 * self.coverage:g} %"
        return (
            f"{n_models} model{'s' * (n_models > 1)} at {self.n_splits} cut-off{'s' * (self.n_splits > 1)}{of_panel}, "
            f"{self.horizon} step{'s' * (self.horizon > 1)} ahead, season of {self.sp}{intervals}"
        )

    @property
    def _notes(self) -> list[str]:
        return ["", *self.failures] if self.failures else []

    @property
    def _cell(self) -> list[str]:
        """What names one comparison among the models."""
        return [name for name in ("fold", "instance") if name in self.results]

    @property
    def _n_failed(self) -> "pd.Series[int]":
        """Number of folds where each model failed, for one series at least."""
        failed = self.results[self.results["error"] != ""].groupby("model")["fold"].nunique()
        return failed.reindex(pd.Index(self.models, name="model"), fill_value=0)

    def _first_error(self, name: str) -> str:
        rows = self.results[(self.results["model"] == name) & (self.results["error"] != "")]
        return str(rows["error"].iloc[0])


def _significant(values: "pd.Series[float]", digits: int = 4) -> "pd.Series[float]":
    """Round all values alike, so that the typical one keeps this many digits."""
    typical = values.abs().median()
    decimals = digits - 1 - int(np.floor(np.log10(typical))) if typical > 0 and np.isfinite(typical) else digits
    return values.round(min(max(decimals, 0), 8))
