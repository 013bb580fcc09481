"""Average the scores of a comparison, rank the models, and say what failed."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sklrnn.forecasting.comparison.tables import round_significant

__all__ = ["count_failures", "describe_failures", "describe_metric_errors", "summarize"]

_UNITS = {"sMAPE": "sMAPE, %", "MAPE": "MAPE, %"}


def summarize(
    results: pd.DataFrame, metric_errors: pd.DataFrame, *, models: Sequence[str], metrics: Sequence[str], covers: bool
) -> pd.DataFrame:
    """A row per model, the best first: see `Comparison.summary`."""
    first = choose_ranking_metric(metrics, metric_errors)
    by_model, n_failed = results["model"], count_failures(results, models)
    ranks = pd.Series(np.nan, index=results.index)
    if first is not None:
        series_of_fold = [name for name in ("fold", "instance") if name in results]
        ranks = results.groupby(series_of_fold, sort=False)[first].rank(na_option="bottom")
    table = pd.DataFrame({"rank": ranks.groupby(by_model).mean().round(2)}).loc[list(models)]
    for name in metrics:
        mean = results[name].groupby(by_model).mean()
        incomplete = metric_errors.loc[metric_errors["metric"] == name, "model"]
        table[_UNITS.get(name, name)] = round_significant(mean.mask(mean.index.isin(incomplete)))
    if covers:
        covered = 100 * results["coverage"].groupby(by_model).mean()
        unknown = results["coverage"].isna().groupby(by_model).any()
        table["coverage, %"] = covered.mask(unknown).round(1)
    table.loc[n_failed > 0, table.columns[1:]] = np.nan
    by_fold = results.drop_duplicates(["model", "fold"])
    for name in ("fit", "predict"):
        table[f"{name}, s"] = by_fold.groupby("model")[f"{name}_seconds"].mean().round(3)
    for name, counts in (("warnings", by_fold.groupby("model")["n_warnings"].sum()), ("failed", n_failed)):
        if counts.any():
            table[name] = counts
    order = table["rank"] if first is None else table[_UNITS.get(first, first)].fillna(np.inf)
    return table.iloc[np.lexsort([order, table["rank"]])]


def choose_ranking_metric(metrics: Sequence[str], metric_errors: pd.DataFrame) -> str | None:
    """The first metric that never raised an error; None if all did."""
    raised = set(metric_errors["metric"])
    return next((name for name in metrics if name not in raised), None)


def count_failures(results: pd.DataFrame, models: Sequence[str]) -> "pd.Series[int]":
    """Number of folds where each model failed on at least one series."""
    failed = results[results["error"] != ""].groupby("model")["fold"].nunique()
    return failed.reindex(pd.Index(models, name="model"), fill_value=0)


def describe_failures(results: pd.DataFrame) -> list[str]:
    """A sentence per model that failed: at how many cut-offs, and the first error."""
    n_splits, failed = results["fold"].nunique(), results[results["error"] != ""]
    return [
        f"{name!r} failed at {rows['fold'].nunique()} of {n_splits} cut-offs: {rows['error'].iloc[0]}"
        for name, rows in failed.groupby("model", sort=False)
    ]


def describe_metric_errors(metric_errors: pd.DataFrame, metrics: Sequence[str]) -> list[str]:
    """A sentence per metric that raised errors, and one that says what ranks instead of the first."""
    sentences = [
        f"The metric {name!r} raised an error for {rows['model'].nunique()} model(s), at "
        f"{rows['fold'].nunique()} cut-off(s); the first for {rows['model'].iloc[0]!r}: {rows['error'].iloc[0]}"
        for name, rows in metric_errors.groupby("metric", sort=False)
    ]
    ranking = choose_ranking_metric(metrics, metric_errors)
    if ranking != metrics[0]:
        sentences.append("No metric ranks the models." if ranking is None else f"{ranking!r} ranks the models instead.")
    return sentences
