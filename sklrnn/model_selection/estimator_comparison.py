"""The result of `compare_estimators`: a table of scores, a summary and a plot."""

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from sklrnn._plotting import COLOURS, make_axes
from sklrnn._suggestions import did_you_mean
from sklrnn.saved_state import with_stamp, without_stamp

__all__ = ["EstimatorComparison"]


@dataclass(eq=False, repr=False, kw_only=True)
class EstimatorComparison:
    """The result of `compare_estimators`, which makes it.

    Attributes
    ----------
    results : pandas.DataFrame
        A row per estimator and fold: ``estimator``, ``fold``, ``n_train`` and ``n_test`` (samples), the scores by the
        names of their scorers, greater is better, ``fit_seconds``, ``predict_seconds`` (to predict and score the test
        samples), ``n_parameters`` (trained numbers of a network or a linear model, else NaN), ``n_warnings`` and
        ``error``, empty if none.

    estimators : dict
        The estimators by name, as they were passed.

    metrics : tuple of str
        Names of the scores; the first one ranks.

    failures : list of str
        A sentence per estimator that failed.

    See Also
    --------
    compare_estimators : Makes it.
    sklrnn.forecasting.Comparison : The same for forecasters.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.dummy import DummyRegressor
    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn.model_selection import TimeSeriesSplit
    >>> from sklrnn import compare_estimators
    >>> X = np.random.default_rng(0).normal(size=(60, 3))
    >>> models = {"mean": DummyRegressor(), "linear": LinearRegression()}
    >>> comparison = compare_estimators(models, X, X.sum(axis=1), cv=TimeSeriesSplit(2), scoring="r2")
    >>> comparison.results[["estimator", "fold", "n_train", "n_test"]]
      estimator  fold  n_train  n_test
    0      mean     0       20      20
    1      mean     1       40      20
    2    linear     0       20      20
    3    linear     1       40      20
    >>> comparison.summary().index.tolist()
    ['linear', 'mean']
    """

    __module__ = "sklrnn"

    estimators: dict[str, Any]
    results: pd.DataFrame
    metrics: tuple[str, ...]

    @property
    def failures(self) -> list[str]:
        """A sentence per estimator that failed: on how many splits, and the first error."""
        failed = self.results[self.results["error"] != ""]
        return [
            f"{name!r} failed on {len(rows)} of {self.n_splits} splits: {rows['error'].iloc[0]}"
            for name, rows in failed.groupby("estimator", sort=False)
        ]

    @property
    def n_splits(self) -> int:
        """Number of splits."""
        return int(self.results["fold"].nunique())

    def summary(self) -> pd.DataFrame:
        """Average the scores of each estimator over the splits, the best first.

        Scores whose names begin with ``neg_`` are given as what they negate: ``mean_absolute_error`` is an error, and
        less is better.

        Returns
        -------
        table : pandas.DataFrame
            A row per estimator: its mean ``rank`` over the splits by the first score, of each score the mean and the
            standard deviation over the splits (``"..., std"``; of one split there is none), the mean seconds of a fit
            and of a prediction, ``parameters`` if any estimator tells them, and the numbers of ``warnings`` and
            ``failed`` splits if there are any. Where an estimator failed, its means are NaN.
        """
        results, order = self.results, list(self.estimators)
        by_estimator = results.groupby("estimator", sort=False)
        first = results[self.metrics[0]]
        ranks = (-first).groupby(results["fold"]).rank(na_option="bottom")
        table = pd.DataFrame({"rank": ranks.groupby(results["estimator"]).mean().round(2)}).loc[order]
        for metric in self.metrics:
            values = _as_named(results[metric], metric).groupby(results["estimator"])
            table[_shown(metric)] = values.agg(lambda scores: scores.mean(skipna=False))
            table[f"{_shown(metric)}, std"] = values.agg(lambda scores: scores.std(skipna=False))
        for name in ("fit", "predict"):
            table[f"{name}, s"] = by_estimator[f"{name}_seconds"].mean()
        if results["n_parameters"].notna().any():
            table["parameters"] = by_estimator["n_parameters"].mean().round().astype("Int64")
        n_failed = (results["error"] != "").groupby(results["estimator"]).sum()
        for name, counts in (("warnings", by_estimator["n_warnings"].sum()), ("failed", n_failed)):
            if counts.any():
                table[name] = counts
        means = first.groupby(results["estimator"]).agg(lambda scores: scores.mean(skipna=False))[order]
        return table.iloc[np.lexsort([-means.fillna(-np.inf), table["rank"]])]

    def plot(self, metric: str | None = None, ax: Any = None) -> Any:
        """Draw the score of each estimator on each split, and its mean, the best estimator at the top.

        Parameters
        ----------
        metric : str, default=None
            Name of a score; None is the first.

        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        ax : matplotlib Axes
            The axes.
        """
        metric = self.metrics[0] if metric is None else metric
        if metric not in self.metrics:
            hint = did_you_mean(metric, self.metrics)
            raise ValueError(f"metric must be one of {', '.join(map(repr, self.metrics))}, got {metric!r}.{hint}")
        order = [str(name) for name in self.summary().index]
        ax = make_axes(ax, size=(7, 1.2 + 0.45 * len(order)))
        values = _as_named(self.results[metric], metric)
        for place, name in enumerate(order):
            scores = values[self.results["estimator"] == name]
            mean = scores.mean(skipna=False)
            ax.plot(scores, [place] * len(scores), "o", color=COLOURS[0], alpha=0.4, markersize=6)
            ax.plot(mean, place, "|", color=COLOURS[1], markersize=18, markeredgewidth=3)
            if np.isfinite(mean):
                ax.annotate(f"{mean:#.3g}", (mean, place), (0, 11), textcoords="offset points", ha="center", fontsize=9)
        ax.set_yticks(range(len(order)), order)
        ax.set_ylim(len(order) - 0.5, -0.7)
        ax.grid(axis="x", alpha=0.3)
        n = self.n_splits
        points = "each split (dots) and their mean" if n > 1 else "one split"
        better = "less is better" if metric.startswith("neg_") else "more is better"
        ax.set(xlabel=f"{_shown(metric).replace('_', ' ')} ({better})", title=f"Scores on {points}")
        return ax

    def __getstate__(self) -> dict[str, Any]:
        return with_stamp({**vars(self), "results": self.results.to_dict("list")}, type(self))

    def __setstate__(self, state: dict[str, Any]) -> None:
        content = without_stamp(state, type(self))
        vars(self).update(content, results=pd.DataFrame(content["results"]))

    def __repr__(self) -> str:
        table = self.summary().to_string(na_rep="-", float_format=_four_digits)
        return "\n".join([self._title, "", table, *(["", *self.failures] if self.failures else [])])

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.failures)
        table = self.summary().to_html(na_rep="-", float_format=_four_digits)
        return f"<p>{escape(self._title)}</p>{table}{notes}"

    @property
    def _title(self) -> str:
        n, n_splits = len(self.estimators), self.n_splits
        return f"{n} estimator{'s' * (n > 1)} on {n_splits} split{'s' * (n_splits > 1)}"


def _shown(metric: str) -> str:
    return metric.removeprefix("neg_")


def _as_named(scores: Any, metric: str) -> Any:
    """What a scorer that negates has negated."""
    return -scores if metric.startswith("neg_") else scores


def _four_digits(value: float) -> str:
    return f"{value:.4g}"
