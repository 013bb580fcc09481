"""The pictures of a comparison. matplotlib is imported when one is drawn."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from sklrnn.forecasting.comparison.aicc_search import LowestAICc
from sklrnn.forecasting.comparison.cutoffs import instances_of

if TYPE_CHECKING:
    from sklrnn.forecasting.comparison.comparison import Comparison

__all__ = ["draw_forecasts", "draw_skill", "new_axes"]

# Colours that stay apart for colour-blind readers too (Okabe and Ito); then the same again, dashed.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_GREYS = ("#4d4d4d", "#8c8c8c", "#666666", "#a6a6a6", "#595959", "#999999")
_DASHES: tuple[Any, ...] = ("--", ":", "-.", (0, (6, 2, 1, 2, 1, 2)), (0, (1, 3)), (0, (10, 3)))
_BEST_SHOWN = 4
_WORST_SKILL_SHOWN = -100
# Lines of fewer points are hard to see without markers.
_SHORT = 3


class _Line(NamedTuple):
    """How the line of a model looks."""

    colour: str
    dash: Any
    width: float
    layer: float


def new_axes() -> tuple[Any, Any]:
    """Make a figure with a place for forecasts and a place for skill."""
    plt = _pyplot()
    _, axes = plt.subplots(2, 1, figsize=(10, 8), layout="constrained", height_ratios=(3, 2))
    return axes[0], axes[1]


def draw_forecasts(
    comparison: "Comparison",
    ax: Any,
    *,
    instance: Any,
    variable: Any,
    highlight: Sequence[str] | None,
    history: int | None,
    legend: bool,
) -> Any:
    """Draw the forecasts of the last fold beside the truth."""
    ax = _pyplot().subplots(figsize=(10, 5), layout="constrained")[1] if ax is None else ax
    table, series = _select(comparison, instance, variable)
    lines, coloured = _lines(comparison, highlight)
    cut = int(series.index.get_indexer([table["time"].iloc[0]])[0])
    shown = 3 * max(comparison.sp, comparison.horizon) // 2 if history is None else history
    series = series.iloc[max(cut - shown, 0) : cut + comparison.horizon]
    past, future = _positions(series.index), _positions(pd.Index(table["time"].iloc[: comparison.horizon]))
    ax.plot(past, series, color="black", linewidth=1.5, label="truth", zorder=5)
    drawn = [series.to_numpy()]
    for name, line in lines.items():
        rows = table[table["model"] == name]
        if rows["y_pred"].isna().any():
            continue
        _draw(ax, future, rows["y_pred"], name, line, marker="o" if comparison.horizon < _SHORT else None)
        drawn += [rows["y_pred"].to_numpy()] if name in coloured else []
    with_interval = [name for name in coloured if table.loc[table["model"] == name, "lower"].notna().all()]
    for name in with_interval[:1]:
        rows = table[table["model"] == name]
        label = f"{100 * (comparison.coverage or 0):g} % interval of {name}"
        ax.fill_between(future, rows["lower"], rows["upper"], color=lines[name].colour, alpha=0.15, lw=0, label=label)
        drawn += [rows["lower"].to_numpy(), rows["upper"].to_numpy()]
    n_known = len(series) - comparison.horizon
    if n_known:
        ax.axvline(past[n_known - 1], color="black", linewidth=0.8, alpha=0.4)
    _limit(ax, np.concatenate(drawn), series.to_numpy())
    ax.set(title=_title_of_forecasts(comparison, table), ylabel=str(series.name or "y"))
    if legend:
        _legend_beside(ax)
    return ax


def draw_skill(
    comparison: "Comparison", ax: Any, *, reference: str | None, highlight: Sequence[str] | None, legend: bool
) -> Any:
    """Draw how much of the reference's error each model does away with, step by step."""
    ax = _pyplot().subplots(figsize=(10, 4), layout="constrained")[1] if ax is None else ax
    skill = 100 * comparison.skill(reference)
    lines, _ = _lines(comparison, highlight)
    for name, line in lines.items():
        if skill[name].notna().any():
            _draw(ax, skill.index, skill[name], name, line, marker="o" if comparison.horizon < _SHORT else None)
    values = skill.to_numpy()[np.isfinite(skill.to_numpy())]
    runs_out = bool(values.size) and values.min() < _WORST_SKILL_SHOWN
    if runs_out:
        ax.set_ylim(_WORST_SKILL_SHOWN, max(5.0, 1.05 * values.max()))
    ax.axhline(0, color="black", linewidth=0.8, alpha=0.4)
    against = "repeating the last season" if reference is None else reference
    ax.set(
        title=f"Error saved against {against}, all {comparison.n_splits} cut-offs",
        xlabel="steps ahead",
        ylabel=f"error saved, %{f' (not below {_WORST_SKILL_SHOWN})' if runs_out else ''}",
    )
    ax.xaxis.get_major_locator().set_params(integer=True)
    if legend:
        _legend_beside(ax)
    return ax


def _lines(comparison: "Comparison", highlight: Sequence[str] | None) -> tuple[dict[str, _Line], list[str]]:
    """Give each model its line, and the names of those in colour, both from the best rank to the worst."""
    ranked = [str(name) for name in comparison.summary().index]
    unknown = [name for name in highlight or [] if name not in ranked]
    if unknown:
        raise ValueError(f"highlight must name models among {list(comparison.models)}, got {unknown}.")
    ours = [name for name in ranked if _is_ours(comparison.models[name])]
    coloured = [name for name in ranked if name in highlight] if highlight is not None else ours or ranked[:_BEST_SHOWN]
    # By the order given, not by rank: the same model has the same colour in the next picture.
    places = {name: place for place, name in enumerate(name for name in comparison.models if name in coloured)}
    muted = {name: place for place, name in enumerate(name for name in comparison.models if name not in coloured)}
    lines = {}
    for name in ranked:
        if name in places:
            place = places[name]
            dash = "-" if place < len(_COLOURS) else _DASHES[place // len(_COLOURS) % len(_DASHES)]
            lines[name] = _Line(_COLOURS[place % len(_COLOURS)], dash, 2.0, 4)
        else:
            place = muted[name]
            lines[name] = _Line(_GREYS[place % len(_GREYS)], _DASHES[place % len(_DASHES)], 1.3, 3)
    return lines, coloured


def _is_ours(model: Any) -> bool:
    return type(model).__module__.split(".")[0] == "sklrnn" and not isinstance(model, LowestAICc)


def _select(comparison: "Comparison", instance: Any, variable: Any) -> tuple[pd.DataFrame, Any]:
    """Take the forecasts of the last fold for one series, and this series."""
    table, series = comparison.forecasts, comparison.y
    table = table[table["fold"] == table["fold"].max()]
    if "instance" in table:
        rows = dict(instances_of(series.index))
        instance = next(iter(rows)) if instance is None else instance
        _check_choice("instance", instance, rows)
        table = table[[name == instance for name in table["instance"]]]
        series = series.iloc[rows[instance]].droplevel(list(range(series.index.nlevels - 1)))
    if "variable" in table:
        variable = series.columns[0] if variable is None else variable
        _check_choice("variable", variable, series.columns)
        table, series = table[table["variable"] == variable], series[variable]
    return table, series if series.ndim == 1 else series.iloc[:, 0]


def _check_choice(what: str, chosen: Any, choices: Any) -> None:
    if chosen not in choices:
        known = ", ".join(map(repr, list(choices)[:8])) + (", ..." if len(choices) > 8 else "")
        raise ValueError(f"{what} must be one of {known}, got {chosen!r}.")


def _draw(ax: Any, x: Any, y: Any, name: str, line: _Line, marker: str | None = None) -> None:
    ax.plot(
        x, y, color=line.colour, linestyle=line.dash, linewidth=line.width, zorder=line.layer, label=name, marker=marker
    )


def _limit(ax: Any, values: Any, truth: Any) -> None:
    """Keep a forecast that ran away from squeezing all others."""
    reach = 1.5 * max(np.ptp(truth), np.finfo(float).tiny)
    low, high = max(values.min(), truth.min() - reach), min(values.max(), truth.max() + reach)
    margin = 0.05 * (high - low)
    if margin > 0:
        ax.set_ylim(low - margin, high + margin)


def _title_of_forecasts(comparison: "Comparison", table: pd.DataFrame) -> str:
    which = "".join(f", {table[name].iloc[0]}" for name in ("instance", "variable") if name in table)
    return f"Forecasts at the last of {comparison.n_splits} cut-offs{which}"


def _legend_beside(ax: Any) -> None:
    """Put the legend to the right, where no curve can be."""
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0, frameon=False)


def _positions(index: Any) -> Any:
    """Turn periods into dates, which matplotlib can place."""
    return index.to_timestamp() if isinstance(index, pd.PeriodIndex) else index


def _pyplot() -> Any:
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ModuleNotFoundError(
            "Pictures need matplotlib, which is not installed. Install it with 'python -m pip install matplotlib'."
        ) from error
    return plt
