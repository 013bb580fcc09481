"""Losses by name: the module that is minimised, and how raw outputs become predictions.

Modules give one loss for each output of a sample, so that samples and outputs can be weighted. Regression losses get
targets ``(sample, output)`` and raw outputs ``(sample, output * width)``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import xlogy
from scipy.stats import norm
from torch import Tensor, nn
from torch.nn import functional as F

from sklrnn.nn.losses_of_torch import LossOfTorch

Array = NDArray[Any]

# Levels such as (1 - 0.9) / 2 are not exact.
_ROUNDING = 1e-12
# Keeps the likelihood finite where the mean equals the target.
_LEAST_DEVIATION = 1e-3


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
        return _MeanOverOutputs(self.per_output)

    def covers(self, levels: Array) -> bool:
        """Whether these levels lie between the trained ones, where there are any."""
        if not self.levels:
            return True
        return bool(self.levels[0] - _ROUNDING <= levels.min() and levels.max() <= self.levels[-1] + _ROUNDING)


class _MeanOverOutputs(nn.Module):
    """One loss a sample, and its gradient where there is a formula for it."""

    def __init__(self, per_output: nn.Module) -> None:
        super().__init__()
        self.per_output = per_output

    def forward(self, raw: Tensor, target: Tensor) -> Tensor:
        losses: Tensor = self.per_output(raw, target)
        if losses.ndim == 1 or losses[0].numel() == 1:
            return losses.flatten()
        return losses.flatten(1).mean(dim=1)

    def loss_gradient(self, raw: Array, target: Array) -> tuple[Array, Array] | None:
        """The losses and their gradients with respect to the raw outputs; None for a loss that is left to autograd."""
        known = _loss_gradient(self.per_output, raw, target)
        if known is None:
            return None
        losses, gradient = known
        if losses.ndim == 1 or losses.shape[1] == 1:
            return losses.reshape(-1), gradient
        return losses.mean(axis=1), gradient / losses.shape[1]

    @property
    def is_log_loss(self) -> bool:
        """Whether raw outputs are logits, whose size says how sure a classifier is."""
        return isinstance(self.per_output, CrossEntropy)


class _Elementwise(nn.Module):
    """A loss of torch, and a function of ``raw - target`` that gives the same losses with their gradients."""

    def __init__(self, function: Callable[..., Tensor], loss_gradient: Callable[[Array], tuple[Array, Array]]) -> None:
        super().__init__()
        self.function = function
        self.of_difference = loss_gradient

    def forward(self, raw: Tensor, target: Tensor) -> Tensor:
        return self.function(raw, target, reduction="none")

    def loss_gradient(self, raw: Array, target: Array) -> tuple[Array, Array]:
        return self.of_difference(raw - target)


def _squared(difference: Array) -> tuple[Array, Array]:
    return difference * difference, difference + difference


def _absolute(difference: Array) -> tuple[Array, Array]:
    return np.abs(difference), np.sign(difference)


def _huber(difference: Array) -> tuple[Array, Array]:
    gradient = difference.clip(-1.0, 1.0)
    return gradient * (difference - 0.5 * gradient), gradient


class CrossEntropy(nn.Module):
    """Minus the log-probability of the true class: raw (sample, class), target (sample,)."""

    def forward(self, raw: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(raw, target, reduction="none")

    def loss_gradient(self, raw: Array, target: Array) -> tuple[Array, Array]:
        shifted = raw - raw.max(axis=1, keepdims=True)
        gradient = np.exp(shifted)
        total = gradient.sum(axis=1, keepdims=True)
        gradient /= total
        chosen = np.arange(len(target)), target
        gradient[chosen] -= 1.0
        return np.log(total[:, 0]) - shifted[chosen], gradient


class _Quantile(nn.Module):
    """Pinball loss of all levels at once."""

    levels: Tensor

    def __init__(self, levels: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("levels", torch.tensor(levels, dtype=torch.float32))

    def forward(self, raw: Tensor, target: Tensor) -> Tensor:
        predicted = _increasing(raw.reshape(*target.shape, -1))  # (sample, output, level)
        over = target.unsqueeze(-1) - predicted
        levels = self.levels.to(raw)
        return torch.maximum(levels * over, (levels - 1) * over).mean(dim=2)

    def loss_gradient(self, raw: Array, target: Array) -> tuple[Array, Array]:
        levels, raw = self.levels.numpy(), raw.reshape(*target.shape, -1)
        positive = _softplus(raw[..., 1:])
        predicted = np.concatenate([raw[..., :1], positive], axis=-1).cumsum(axis=-1)
        over = target[..., np.newaxis] - predicted
        losses = np.maximum(levels * over, (levels - 1) * over).mean(axis=-1)
        of_predicted = (np.float32(0.5) - levels - 0.5 * np.sign(over)) / np.float32(len(levels))
        gradient = of_predicted[..., ::-1].cumsum(axis=-1)[..., ::-1].copy()  # each step raises all later quantiles
        gradient[..., 1:] *= np.exp(raw[..., 1:] - positive)
        return losses, gradient.reshape(len(raw), -1)


class _Gaussian(nn.Module):
    """Negative log-likelihood of a normal distribution whose mean and standard deviation are both predicted."""

    def forward(self, raw: Tensor, target: Tensor) -> Tensor:
        mean, deviation = _mean_and_deviation(raw.reshape(*target.shape, 2))
        return 0.5 * ((target - mean) / deviation) ** 2 + deviation.log()

    def loss_gradient(self, raw: Array, target: Array) -> tuple[Array, Array]:
        raw = raw.reshape(*target.shape, 2)
        positive = _softplus(raw[..., 1])
        deviation = positive + np.float32(_LEAST_DEVIATION)
        z = (target - raw[..., 0]) / deviation
        of_deviation = (1 - z * z) / deviation * np.exp(raw[..., 1] - positive)
        gradient = np.stack([-z / deviation, of_deviation], axis=-1)
        return 0.5 * z * z + np.log(deviation), gradient.reshape(len(raw), -1)


class _Poisson(nn.Module):
    """Half the Poisson deviance of the rate exp(raw): it is zero where the rate equals the target."""

    def forward(self, raw: Tensor, target: Tensor) -> Tensor:
        return torch.xlogy(target, target) - target * raw - target + raw.exp()

    def loss_gradient(self, raw: Array, target: Array) -> tuple[Array, Array]:
        rate = np.exp(raw)
        return xlogy(target, target) - target * raw - target + rate, rate - target


class WeightedTargets(nn.Module):
    """Any loss, for targets that bring a weight for each output: (sample, output and weight)."""

    def __init__(self, per_output: nn.Module) -> None:
        super().__init__()
        self.per_output = per_output

    def forward(self, raw: Tensor, target: Tensor) -> Tensor:
        values, weights = target.chunk(2, dim=1)
        losses: Tensor = self.per_output(raw, values) * weights
        return losses

    def loss_gradient(self, raw: Array, target: Array) -> tuple[Array, Array] | None:
        values, weights = np.split(target, 2, axis=1)
        known = _loss_gradient(self.per_output, raw, values)
        if known is None:
            return None
        losses, gradient = known
        return losses * weights, gradient * np.repeat(weights, gradient.shape[1] // weights.shape[1], axis=1)


def _loss_gradient(per_output: Any, raw: Array, target: Array) -> tuple[Array, Array] | None:
    """Losses of a module with their gradients; None if it has no formula for them."""
    has_formula = hasattr(per_output, "loss_gradient")
    return per_output.loss_gradient(raw, target) if has_formula else None


def regression_loss(loss: str | type[nn.Module], quantiles: tuple[float, ...] = ()) -> Loss:
    """Look up a regressor's loss."""
    if not isinstance(loss, str):
        of_torch = LossOfTorch(loss)
        return Loss(of_torch, point=_rate, positive=True) if of_torch.predicts_log_rate else Loss(of_torch)
    if loss == "quantile":
        levels = tuple(float(level) for level in quantiles)
        return Loss(_Quantile(levels), len(levels), _Levels(levels).median, _Levels(levels).at, levels)
    if loss == "gaussian":
        return Loss(_Gaussian(), 2, quantiles=_gaussian_quantiles)
    if loss == "poisson":
        return Loss(_Poisson(), point=_rate, positive=True)
    return _ELEMENTWISE[loss]


def classification_loss(loss: str | type[nn.Module]) -> Loss:
    """Look up a classifier's loss: targets are class codes ``(sample,)``."""
    return Loss(CrossEntropy() if isinstance(loss, str) else LossOfTorch(loss))


# Their modules hold nothing, so one for all will do: predictions look up the loss, and making a module takes long.
_ELEMENTWISE: dict[str, Loss] = {
    "squared_error": Loss(_Elementwise(F.mse_loss, _squared)),
    "absolute_error": Loss(_Elementwise(F.l1_loss, _absolute)),
    "huber": Loss(_Elementwise(F.huber_loss, _huber)),
}

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


def _increasing(raw: Tensor) -> Tensor:
    """The lowest quantile, then each further one a positive step above the last: quantiles can't cross."""
    lowest, steps = raw[..., :1], F.softplus(raw[..., 1:])
    return torch.cat([lowest, lowest + steps.cumsum(dim=-1)], dim=-1)


def _mean_and_deviation(raw: Tensor) -> tuple[Tensor, Tensor]:
    return raw[..., 0], F.softplus(raw[..., 1]) + _LEAST_DEVIATION


def _softplus(raw: Array) -> Array:
    return F.softplus(torch.from_numpy(raw)).numpy()


def _gaussian_quantiles(raw: Array, levels: Array) -> Array:
    mean, deviation = _mean_and_deviation(torch.from_numpy(raw))
    return mean.numpy()[..., np.newaxis] + deviation.numpy()[..., np.newaxis] * norm.ppf(levels)


@dataclass(frozen=True)
class _Levels:
    """Trained quantiles, and levels interpolated between them, from raw outputs."""

    trained: tuple[float, ...]

    def at(self, raw: Array, levels: Array) -> Array:
        quantiles = _increasing(torch.from_numpy(raw)).numpy()
        upper = np.clip(np.searchsorted(self.trained, levels), 1, max(1, len(self.trained) - 1))
        if len(self.trained) == 1:
            return np.repeat(quantiles, len(levels), axis=-1)
        low, high = np.take(self.trained, upper - 1), np.take(self.trained, upper)
        share = (levels - low) / (high - low)
        return quantiles[..., upper - 1] * (1 - share) + quantiles[..., upper] * share

    def median(self, raw: Array) -> Array:
        nearest = min(max(0.5, self.trained[0]), self.trained[-1])
        return self.at(raw, np.array([nearest]))[..., 0]
