"""Plots of the tables of a comparison. matplotlib is imported when one is drawn."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sklrnn._plotting import COLOURS, drawable_times, import_pyplot
from sklrnn.forecasting.comparison.cutoffs import instance_rows

__all__ = ["LineStyle", "choose_styles", "draw_forecasts", "draw_skill", "new_axes"]

# Lines beyond the colours repeat them with dashes.
_GREYS = ("#4d4d4d", "#8c8c8c", "#666666", "#a6a6a6", "#595959", "#999999")
_DASHES: tuple[Any, ...] = ("--", ":", "-.", (0, (6, 2, 1, 2, 1, 2)), (0, (1, 3)), (0, (10, 3)))
_WORST_SKILL_SHOWN = -100
# Lines of fewer points are hard to see without markers.
_SHORT = 3


class LineStyle(NamedTuple):
    """How the line of a model is drawn: in colour if it is highlighted, else in grey."""

    highlighted: bool
    color: str
    linestyle: Any

    def draw(self, ax: Any, x: Any, y: Any, name: str) -> None:
        width, zorder = (2.0, 4) if self.highlighted else (1.3, 3)
        marker = "o" if len(x) < _SHORT else None
        ax.plot(x, y, c=self.color, ls=self.linestyle, lw=width, zorder=zorder, label=name, marker=marker)


def choose_styles(models: Sequence[str], highlight: Collection[str]) -> dict[str, LineStyle]:
    """Give each model its line style, by the order of the models: whatever their ranks, the styles stay the same."""
    styles = {}
    for place, name in enumerate(name for name in models if name in highlight):
        dash = "-" if place < len(COLOURS) else _DASHES[place // len(COLOURS) % len(_DASHES)]
        styles[name] = LineStyle(True, COLOURS[place % len(COLOURS)], dash)
    for place, name in enumerate(name for name in models if name not in highlight):
        styles[name] = LineStyle(False, _GREYS[place % len(_GREYS)], _DASHES[place % len(_DASHES)])
    return styles


def new_axes() -> tuple[Any, Any]:
    """Make a figure with one axes for forecasts and one for skill."""
    _, axes = import_pyplot().subplots(2, 1, figsize=(10, 8), layout="constrained", height_ratios=(3, 2))
    return axes[0], axes[1]


def draw_forecasts(
    ax: Any,
    forecasts: pd.DataFrame,
    y: Any,
    styles: Mapping[str, LineStyle],
    *,
    instance: Any,
    variable: Any,
    history: int,
    coverage: float | None,
    legend: bool,
) -> Any:
    """Draw the forecasts of the last fold and the true values of one series, with ``history`` rows before them."""
    ax = import_pyplot().subplots(figsize=(10, 5), layout="constrained")[1] if ax is None else ax
    table, series = _select(forecasts, y, instance, variable)
    by_model = {str(name): rows for name, rows in table.groupby("model")}
    horizon = int(table["step"].max())
    cutoff = int(series.index.get_indexer([table["time"].iloc[0]])[0])
    n_known = min(history, cutoff)
    series = series.iloc[cutoff - n_known : cutoff + horizon]
    times = drawable_times(series.index)
    ax.plot(times, series, color="black", linewidth=1.5, label="truth", zorder=5)
    shown = [series.to_numpy()]
    for name, style in styles.items():
        values = by_model[name]["y_pred"]
        if values.notna().all():
            style.draw(ax, times[n_known:], values, name)
            shown += [values.to_numpy()] if style.highlighted else []
    shown += _draw_interval(ax, times[n_known:], by_model, styles, coverage)
    if n_known:
        ax.axvline(times[n_known - 1], color="black", linewidth=0.8, alpha=0.4)
    _limit(ax, np.concatenate(shown), series.to_numpy())
    which = "".join(f", {table[name].iloc[0]}" for name in ("instance", "variable") if name in table)
    title = f"Forecasts at the last of {forecasts['fold'].nunique()} cut-offs{which}"
    ax.set(title=title, ylabel=str(series.name or "y"))
    if legend:
        _legend_beside(ax)
    return ax


def draw_skill(
    ax: Any, skill: pd.DataFrame, styles: Mapping[str, LineStyle], *, reference: str, n_splits: int, legend: bool
) -> Any:
    """Draw the skill of each model against the reference, step by step."""
    ax = import_pyplot().subplots(figsize=(10, 4), layout="constrained")[1] if ax is None else ax
    percent = 100 * skill
    for name, style in styles.items():
        if percent[name].notna().any():
            style.draw(ax, percent.index, percent[name], name)
    values = percent.to_numpy()[np.isfinite(percent.to_numpy())]
    is_cut = bool(values.size) and values.min() < _WORST_SKILL_SHOWN
    if is_cut:
        ax.set_ylim(_WORST_SKILL_SHOWN, max(5.0, 1.05 * values.max()))
    ax.axhline(0, color="black", linewidth=0.8, alpha=0.4)
    ax.set(
        title=f"Error saved against {reference}, all {n_splits} cut-offs",
        xlabel="steps ahead",
        ylabel=f"error saved, %{f' (not below {_WORST_SKILL_SHOWN})' if is_cut else ''}",
    )
    ax.xaxis.get_major_locator().set_params(integer=True)
    if legend:
        _legend_beside(ax)
    return ax


def _draw_interval(
    ax: Any,
    times: Any,
    by_model: Mapping[str, pd.DataFrame],
    styles: Mapping[str, LineStyle],
    coverage: float | None,
) -> list[Any]:
    """Draw the prediction interval of the first highlighted model that has one, and return its bounds."""
    for name, style in styles.items():
        rows = by_model[name]
        if style.highlighted and rows["lower"].notna().all():
            label = f"{100 * (coverage or 0):g} % interval of {name}"
            ax.fill_between(times, rows["lower"], rows["upper"], color=style.color, alpha=0.15, lw=0, label=label)
            return [rows["lower"].to_numpy(), rows["upper"].to_numpy()]
    return []


def _select(forecasts: pd.DataFrame, y: Any, instance: Any, variable: Any) -> tuple[pd.DataFrame, Any]:
    """Take one series, and its forecasts on the last fold."""
    table = forecasts[forecasts["fold"] == forecasts["fold"].max()]
    if "instance" in table:
        rows = dict(instance_rows(y.index))
        instance = next(iter(rows)) if instance is None else instance
        _check_choice("instance", instance, rows)
        table = table[[name == instance for name in table["instance"]]]
        y = y.iloc[rows[instance]].droplevel(list(range(y.index.nlevels - 1)))
    if "variable" in table:
        variable = y.columns[0] if variable is None else variable
        _check_choice("variable", variable, y.columns)
        table, y = table[table["variable"] == variable], y[variable]
    return table, y if y.ndim == 1 else y.iloc[:, 0]


def _check_choice(name: str, chosen: Any, choices: Any) -> None:
    if chosen not in choices:
        known = ", ".join(map(repr, list(choices)[:8])) + (", ..." if len(choices) > 8 else "")
        raise ValueError(f"{name} must be one of {known}, got {chosen!r}.")


def _limit(ax: Any, values: Any, y_true: Any) -> None:
    """Limit the y axis, so that a diverging forecast does not compress all others."""
    reach = 1.5 * max(np.ptp(y_true), np.finfo(float).tiny)
    low, high = max(values.min(), y_true.min() - reach), min(values.max(), y_true.max() + reach)
    margin = 0.05 * (high - low)
    if margin > 0:
        ax.set_ylim(low - margin, high + margin)


def _legend_beside(ax: Any) -> None:
    """Put the legend to the right of the axes, where it hides no line."""
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0, frameon=False)
