"""The network of an imputer: it predicts the residuals of the interpolation."""

from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sklrnn.imputation.features import FeatureBuilder
from sklrnn.imputation.interpolation import IncompleteSeries, interpolate
from sklrnn.imputation.segments import tile
from sklrnn.inputs.ragged import Ragged, concatenate_steps
from sklrnn.nn.loss_modules import WeightedTargets
from sklrnn.nn.losses import Loss, regression_loss
from sklrnn.training.trained_network import TrainedNetwork

Array = NDArray[Any]

ImputationLoss = Literal["huber", "absolute_error", "squared_error"]


def masked_loss(loss: str) -> Loss:
    """A regression loss for targets that bring a weight for each column."""
    named = regression_loss(loss)
    return replace(named, per_output=WeightedTargets(named.per_output))


def impute(model: TrainedNetwork, series: IncompleteSeries, features: FeatureBuilder) -> Array:
    """The values of series, with predictions for those that are missing."""
    missing: Any = np.isnan(series.values)
    interpolation = interpolate(series, ~missing, features.scales.level, ahead=features.ahead)
    filled = np.where(missing, interpolation.interpolated, series.values)
    tiling = tile(series.lengths, features.window, ahead=features.ahead)
    steps = np.arange(tiling.segments.rows.shape[1])
    is_used = (steps >= tiling.begin[:, np.newaxis]) & (steps < tiling.stop[:, np.newaxis])
    chosen = np.flatnonzero((is_used & missing.any(axis=1)[tiling.segments.rows]).any(axis=1))
    if not len(chosen):
        return filled
    segments = tiling.segments.take(chosen)
    sequences = features.build(interpolation, series.calendar, segments)
    real = segments.is_real
    raw = model.run(sequences if real.all() else Ragged.from_lengths(sequences[real], segments.lengths.astype(np.intp)))
    rows, is_used = segments.rows[real], is_used[chosen][:, : real.shape[1]][real]
    residuals = np.zeros(filled.shape)
    residuals[rows[is_used]] = concatenate_steps(raw)[is_used] * features.scales.residual_scale
    return np.where(missing, filled + residuals, filled)
