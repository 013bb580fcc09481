"""Errors of forecasts of every row, each by a network that was not trained on that row."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklrnn.forecasting.network import NetworkRecipe, forecast_errors
from sklrnn.forecasting.panel_rows import stretches
from sklrnn.forecasting.windows import Windows

Array = NDArray[Any]

# The rows are held out in so many blocks of time, one after the other.
_N_BLOCKS = 3
# With more windows than this only the newest of so many blocks is held out: one refit is enough.
_MANY_WINDOWS, _BLOCKS_OF_MANY = 20_000, 5
# A refit makes this share of the epochs. Its errors are about those of a full one, and intervals cost half as much.
_SHARE_OF_EPOCHS = 0.5


def cross_conformal_errors(recipe: NetworkRecipe, windows: Windows) -> tuple[Windows, Array]:
    """Windows, and the errors on their targets (window, step, channel); NaN where a target was not held out.

    A held-out target is masked in the loss of all windows that have it. So the windows at the border of a block still
    learn from their other targets: leaving them out would leave nothing of a short series to learn from.
    """
    shorter = recipe.with_most_epochs(round(_SHARE_OF_EPOCHS * recipe.options.max_epochs))
    is_many = len(windows) > _MANY_WINDOWS
    blocks = _blocks_of_targets(windows, _BLOCKS_OF_MANY if is_many else _N_BLOCKS)
    n_held_out = 1 if is_many else _N_BLOCKS
    # Of very many windows a fraction is tested: only these get errors.
    tested = _take(windows, _has_targets(windows, blocks < n_held_out).any(axis=1))
    shape = len(tested), windows.spec.horizon, windows.spec.n_channels
    errors = np.full(shape, np.nan, dtype=np.float32)
    for block in range(n_held_out):
        is_trained = ~_has_targets(windows, blocks == block).all(axis=1)
        held_out = _has_targets(tested, blocks == block)
        is_tested = held_out.any(axis=1)
        if not is_trained.any() or not is_tested.any():
            continue
        network = shorter.fit(_without_targets(_take(windows, is_trained), blocks == block))
        of_network = forecast_errors(network, _take(tested, is_tested))
        errors[is_tested] = np.where(held_out[is_tested][..., np.newaxis], of_network, errors[is_tested])
    is_known = ~np.isnan(errors).all(axis=(1, 2))
    return _take(tested, is_known), errors[is_known]


def _take(windows: Windows, chosen: Any) -> Windows:
    return replace(windows, origins=windows.origins[chosen], series_ids=windows.series_ids[chosen])


def _blocks_of_targets(windows: Windows, n_blocks: int) -> Array:
    """The block of the targets of each age, the newest first. The blocks have about the same number of targets."""
    counts = np.convolve(np.bincount(windows.ages), np.ones(windows.spec.horizon))
    middles = np.cumsum(counts) - counts / 2
    blocks: Array = (n_blocks * middles / counts.sum()).astype(int)
    return blocks


def _has_targets(windows: Windows, ages: Array) -> Array:
    """Whether each target is of one of the ages that are marked: (window, step)."""
    ages_of_last, horizon = windows.ages, windows.spec.horizon
    return np.stack([ages[ages_of_last + age] for age in reversed(range(horizon))], axis=1)


def _without_targets(windows: Windows, ages: Array) -> Windows:
    """The same windows without the targets of some ages: the rows remain as inputs."""
    stacked = windows.stacked
    observed = stacked.observed.copy()
    n_targets = np.minimum(len(ages), stacked.ends - stacked.starts)
    rows = stretches(stacked.ends - n_targets, n_targets)
    observed[rows[ages[np.repeat(stacked.ends, n_targets) - 1 - rows]]] = False
    return replace(windows, stacked=replace(stacked, observed=observed))
