"""The result of `compare`: tables, a summary, the skill by step, and plots."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sklrnn.forecasting.comparison.aicc_search import LowestAICc
from sklrnn.forecasting.comparison.plotting import LineStyle, choose_styles, draw_forecasts, draw_skill, new_axes
from sklrnn.forecasting.comparison.summary import (
    count_failures,
    describe_failures,
    describe_metric_errors,
    summarize,
)
from sklrnn.forecasting.plain_values import SavedAsPlainValues

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Comparison"]

_BEST_HIGHLIGHTED = 4


@dataclass(eq=False, repr=False, kw_only=True)
class Comparison(SavedAsPlainValues):
    """The result of `compare`, which makes it.

    Attributes
    ----------
    results : pandas.DataFrame
        A row per model and fold, in a panel per instance too: ``model``, ``fold``, ``cutoff`` (the time of the last
        training row), ``instance`` (in a panel; a tuple in a hierarchy), the metrics (sMAPE in percent), ``coverage``
        (the share of true values within their prediction interval), ``fit_seconds`` and ``predict_seconds`` (of the
        whole fold, and without the intervals), ``n_warnings`` (of the whole fold) and ``error``, empty if none.

    forecasts : pandas.DataFrame
        A row per model, fold and step: ``model``, ``fold``, ``instance`` (in a panel), ``time``, ``variable`` (if y has
        several), ``step``, ``y_true``, ``y_pred``, and the bounds of the prediction interval, ``lower`` and ``upper``.

    naive_baseline : pandas.DataFrame
        For each fold and step: ``seasonal_naive``, the seasonal naive forecast, which repeats the last season, and
        ``scale``, its mean absolute in-sample error, by which MASE and the skill are scaled.

    warnings : pandas.DataFrame
        The warnings of the models: ``model``, ``fold``, ``category``, ``message`` and how many ``times``. A failed
        prediction interval is one of them, of the category ``IntervalFailed``. A likelihood search of ``"ets"`` or
        ``"arima"`` that was repeated, a candidate passed over because its search did not converge, and a result whose
        search did not converge have the category ``ConvergenceWarning``.

    metric_errors : pandas.DataFrame
        The errors of your own metrics: ``metric``, ``model``, ``fold`` and ``error``, the first one of the fold.

    models : dict
        The forecasters by name, not fitted; the classical ones as they were made for the data.

    y : pandas.Series or pandas.DataFrame
        The series, converted to floats.

    horizon, sp : int
        Number of steps forecast, and of rows in a season (seasonal periodicity).

    coverage : float or None
        Nominal coverage of the prediction intervals.

    metrics : tuple of str
        Names of the metrics; the first one that never raised an error ranks.

    failures : list of str
        A sentence per model that failed.

    metric_failures : list of str
        A sentence per metric that raised an error, and one that says which metric ranks instead.

    See Also
    --------
    sklrnn.forecasting.compare : Makes it.

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

    __module__ = "sklrnn.forecasting"

    models: dict[str, Any]
    y: Any
    results: pd.DataFrame
    forecasts: pd.DataFrame
    naive_baseline: pd.DataFrame
    warnings: pd.DataFrame
    metric_errors: pd.DataFrame
    horizon: int
    sp: int
    coverage: float | None
    metrics: tuple[str, ...]

    @property
    def failures(self) -> list[str]:
        """A sentence per model that failed: at how many cut-offs, and the first error."""
        return describe_failures(self.results)

    @property
    def metric_failures(self) -> list[str]:
        """A sentence per metric that raised an error, and one that says which metric ranks instead."""
        return describe_metric_errors(self.metric_errors, self.metrics)

    @property
    def n_splits(self) -> int:
        """Number of cut-offs."""
        return int(self.results["fold"].nunique())

    def summary(self) -> pd.DataFrame:
        """Average the scores of each model over folds and instances, the best rank first.

        Models are ranked at each cut-off (for each instance) by the first metric, and the ranks are averaged. Where a
        model failed, it ranks last. Its averages are NaN, because they would be over fewer cut-offs than those of the
        others: ``results`` has its scores at the cut-offs where it did not fail. The same is true of the average of a
        metric of your own that raised an error for a model; the next metric that raised none ranks then.

        Returns
        -------
        pandas.DataFrame
            A row per model. Seconds are the mean of a fold. The columns ``warnings`` and ``failed`` (the number of
            cut-offs) are there only if a model warned or failed.
        """
        return summarize(
            self.results,
            self.metric_errors,
            models=list(self.models),
            metrics=self.metrics,
            covers=self.coverage is not None,
        )

    def skill(self, reference: str | None = None) -> pd.DataFrame:
        """Compute the skill score of each model at each step: 1 - error of the model / error of the reference.

        1 is a perfect forecast, 0 is as good as the reference, and below 0 is worse. Errors are mean absolute errors
        over folds and instances, scaled as in MASE, so that all series have the same weight.

        Parameters
        ----------
        reference : str, default=None
            The model to compare with. None means the seasonal naive forecast, whether it is among the models or not.

        Returns
        -------
        pandas.DataFrame
            A row per step, a column per model; NaN for models that failed somewhere.
        """
        if reference is not None and reference not in self.models:
            raise ValueError(f"The reference must be one of the models {list(self.models)}, got {reference!r}.")
        keys = [name for name in ("fold", "instance", "variable", "step") if name in self.forecasts]
        joined = self.forecasts.merge(self.naive_baseline[[*keys, "seasonal_naive", "scale"]], on=keys)
        # A series of equal seasons has no scale; if there are no other series, errors are compared unscaled.
        scale = joined["scale"] if joined["scale"].notna().any() else 1.0
        errors = (joined["y_true"] - joined["y_pred"]).abs() / scale
        naive_errors = (joined["y_true"] - joined["seasonal_naive"]).abs() / scale
        by_step = errors.groupby([joined["step"], joined["model"]]).mean().unstack()[list(self.models)]
        by_step.loc[:, (count_failures(self.results, list(self.models)) > 0)[by_step.columns]] = np.nan
        baseline = naive_errors.groupby(joined["step"]).mean() if reference is None else by_step[reference]
        # Rounded, so that the reference itself has a skill of exactly zero.
        return (1 - by_step.div(baseline.where(baseline > 0), axis=0)).round(12) + 0.0

    def plot(
        self,
        *,
        axes: Any = None,
        instance: Any = None,
        variable: Any = None,
        highlight: Sequence[str] | None = None,
        history: int | None = None,
    ) -> "Figure":
        """Draw the forecasts of the last fold with the true values, and the skill of each model at each step.

        Parameters
        ----------
        axes : pair of matplotlib.axes.Axes, default=None
            The axes for forecasts and skill; None makes a figure. See also `plot_forecasts` and `plot_skill`.

        instance, variable : object, default=None
            The series of a panel, and its variable, whose forecasts are drawn. None means the first.

        highlight : sequence of str, default=None
            Models drawn in colour; the others are grey. None means the networks of this package, or without any the
            four best models.

        history : int, default=None
            Number of rows drawn before the cut-off. None means one and a half times the season or the horizon,
            whichever is longer.

        Returns
        -------
        matplotlib.figure.Figure
            The figure.
        """
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
        """Draw the forecasts of the last fold, as `plot` does, and return the axes."""
        return draw_forecasts(
            ax,
            self.forecasts,
            self.y,
            self._line_styles(highlight),
            instance=instance,
            variable=variable,
            history=3 * max(self.sp, self.horizon) // 2 if history is None else history,
            coverage=self.coverage,
            legend=legend,
        )

    def plot_skill(
        self,
        ax: Any = None,
        *,
        reference: str | None = None,
        highlight: Sequence[str] | None = None,
        legend: bool = True,
    ) -> Any:
        """Draw the skill of each model at each step, as `plot` does, and return the axes."""
        return draw_skill(
            ax,
            self.skill(reference),
            self._line_styles(highlight),
            reference="the seasonal naive forecast" if reference is None else reference,
            n_splits=self.n_splits,
            legend=legend,
        )

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
        notes = [*self.failures, *self.metric_failures]
        return ["", *notes] if notes else []

    def _line_styles(self, highlight: Sequence[str] | None) -> dict[str, LineStyle]:
        """The line style of each model, from the best rank to the worst."""
        ranked = [str(name) for name in self.summary().index]
        unknown = [name for name in highlight or [] if name not in ranked]
        if unknown:
            raise ValueError(f"highlight must name models among {list(self.models)}, got {unknown}.")
        if highlight is None:
            networks = [name for name, model in self.models.items() if _is_network(model)]
            highlight = networks or ranked[:_BEST_HIGHLIGHTED]
        styles = choose_styles(list(self.models), highlight)
        return {name: styles[name] for name in ranked}


def _is_network(model: Any) -> bool:
    return type(model).__module__.split(".")[0] == "sklrnn" and not isinstance(model, LowestAICc)
