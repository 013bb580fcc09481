"""Losses by name: the module that is minimised, and how raw outputs become predictions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import norm
from torch import nn

from sklrnn.nn.loss_modules import (
    CrossEntropy,
    Elementwise,
    Gaussian,
    MeanOverOutputs,
    Poisson,
    Quantile,
    increasing,
    mean_and_deviation,
)
from sklrnn.nn.losses_of_torch import LossOfTorch

Array = NDArray[Any]

# Levels such as (1 - 0.9) / 2 are not exact.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Loss:
    """What is minimised, and how raw outputs become predictions.

    ``per_output(raw, target)`` gives one loss for each output of a sample, or one a sample. Each output has ``width``
    raw numbers. ``point(raw)`` turns raw outputs ``(sample, output, width)`` into one prediction an output;
    ``quantiles(raw, levels)`` gives ``(sample, output, level)`` where the loss models a distribution. ``positive``
    marks a loss on a log scale.
    """

    per_output: nn.Module
    width: int = 1
    point: Callable[[Array], Array] = lambda raw: raw[..., 0]
    quantiles: Callable[[Array, Array], Array] | None = None
    levels: tuple[float, ...] = ()
    positive: bool = False

    @property
    def per_sample(self) -> nn.Module:
        """One loss a sample: the mean over its outputs."""
        return MeanOverOutputs(self.per_output)

    def covers(self, levels: Array) -> bool:
        """Whether these levels lie between the trained ones, where there are any."""
        if not self.levels:
            return True
        return bool(self.levels[0] - _ROUNDING <= levels.min() and levels.max() <= self.levels[-1] + _ROUNDING)


def regression_loss(loss: str | type[nn.Module], quantiles: tuple[float, ...] = ()) -> Loss:
    """Look up a regressor's loss."""
    if not isinstance(loss, str):
        of_torch = LossOfTorch(loss)
        return Loss(of_torch, point=_rate, positive=True) if of_torch.predicts_log_rate else Loss(of_torch)
    if loss == "quantile":
        levels = tuple(float(level) for level in quantiles)
        return Loss(Quantile(levels), len(levels), _Levels(levels).median, _Levels(levels).at, levels)
    if loss == "gaussian":
        return Loss(Gaussian(), 2, quantiles=_gaussian_quantiles)
    if loss == "poisson":
        return Loss(Poisson(), point=_rate, positive=True)
    return _ELEMENTWISE[loss]


def classification_loss(loss: str | type[nn.Module]) -> Loss:
    """Look up a classifier's loss: targets are class codes ``(sample,)``."""
    return Loss(CrossEntropy() if isinstance(loss, str) else LossOfTorch(loss))


# Their modules hold nothing, so one for all will do: predictions look up the loss, and making a module takes long.
_ELEMENTWISE: dict[str, Loss] = {kind: Loss(Elementwise(kind)) for kind in ("squared_error", "absolute_error", "huber")}

LossName = Literal["squared_error", "absolute_error", "huber", "quantile", "gaussian", "poisson"]

# What users read about each.
LOSS_MEANINGS: dict[str, str] = {
    "squared_error": "mean squared error; the prediction estimates the mean.",
    "absolute_error": "mean absolute error; the prediction estimates the median.",
    "huber": "squared where the error is below 1, absolute above [Huber1964]_: outliers count less.\n\n"
    '.. [Huber1964] Huber, P. J.: "Robust estimation of a location parameter", Annals of Mathematical Statistics '
    "35(1), 1964.",
    "quantile": "pinball loss of the levels in `quantiles` [Koenker1978]_; the prediction is the median.\n\n"
    '.. [Koenker1978] Koenker, R. and Bassett, G.: "Regression quantiles", Econometrica 46(1), 1978.',
    "gaussian": "negative log-likelihood of a normal distribution, whose mean and standard deviation are learnt.",
    "poisson": "Poisson deviance, for counts and rates; predictions are positive.",
    "log_loss": "cross-entropy of the probabilities of the classes.",
}


def _rate(raw: Array) -> Array:
    rate: Array = np.exp(raw[..., 0])
    return rate


def _gaussian_quantiles(raw: Array, levels: Array) -> Array:
    mean, deviation = mean_and_deviation(torch.from_numpy(raw))
    return mean.numpy()[..., np.newaxis] + deviation.numpy()[..., np.newaxis] * norm.ppf(levels)


@dataclass(frozen=True)
class _Levels:
    """Trained quantiles, and levels interpolated between them, from raw outputs."""

    trained: tuple[float, ...]

    def at(self, raw: Array, levels: Array) -> Array:
        quantiles = increasing(torch.from_numpy(raw)).numpy()
        if len(self.trained) == 1:
            return np.repeat(quantiles, len(levels), axis=-1)
        upper = np.clip(np.searchsorted(self.trained, levels), 1, len(self.trained) - 1)
        low, high = np.take(self.trained, upper - 1), np.take(self.trained, upper)
        share = (levels - low) / (high - low)
        return quantiles[..., upper - 1] * (1 - share) + quantiles[..., upper] * share

    def median(self, raw: Array) -> Array:
        nearest = min(max(0.5, self.trained[0]), self.trained[-1])
        return self.at(raw, np.array([nearest]))[..., 0]
