"""Parts of the tables of gates and states, as a user chooses them for a plot."""

from typing import Any

import pandas as pd


def choose_cell(table: pd.DataFrame, layer: int | None, direction: str) -> tuple[pd.DataFrame, str]:
    """The columns ``(gate or state, unit)`` of one cell, and its name for a title; None is the last layer."""
    layers = list(table.columns.unique("layer"))
    layer = int(layers[-1]) if layer is None else layer
    check_choice("layer", layer, layers)
    check_choice("direction", direction, list(table.columns.unique("direction")))
    parts = [f"layer {layer}"] if len(layers) > 1 else []
    parts += [direction] if table.columns.unique("direction").size > 1 else []
    return columns_of(table, (layer, direction)), ", ".join(parts)


def columns_of(table: pd.DataFrame, key: Any) -> pd.DataFrame:
    """The columns below a key of the first levels."""
    chosen = table[key]
    assert isinstance(chosen, pd.DataFrame)
    return chosen


def choose_sample(table: pd.DataFrame, sample: Any) -> tuple[pd.DataFrame, Any]:
    """The rows of one sample, indexed by time, and its name; None is the first."""
    samples = table.index.unique("sample")
    sample = samples[0] if sample is None else sample
    check_choice("sample", sample, list(samples))
    rows = table.xs(sample, level="sample")
    assert isinstance(rows, pd.DataFrame)
    return rows, sample


def check_choice(name: str, chosen: Any, choices: list[Any]) -> None:
    if chosen not in choices:
        known = ", ".join(map(repr, choices[:8])) + (", ..." if len(choices) > 8 else "")
        raise ValueError(f"{name} must be one of {known}, got {chosen!r}.")
