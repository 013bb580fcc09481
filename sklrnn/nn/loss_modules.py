"""Losses as modules: one loss for each output of a sample, so that samples and outputs can be weighted.

Regression losses get targets ``(sample, output)`` and raw outputs ``(sample, output * width)``. ``loss_gradient`` gives
the same losses in NumPy with their gradients, and ``kind`` names them for the machine code that computes both.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import xlogy
from torch import Tensor, nn
from torch.nn import functional as F

from sklrnn.kernels._program_arguments import LEAST_DEVIATION

Array = NDArray[Any]


class MeanOverOutputs(nn.Module):
    """One loss a sample, and its gradient where there is a formula for it."""

    def __init__(self, per_output: nn.Module) -> None:
        super().__init__()
        self.per_output = per_output

    def forward(self, raw: Tensor, target: Tensor) -> Tensor:
        losses: Tensor = self.per_output(raw, target)
        return losses if losses.ndim == 1 else losses.flatten(1).mean(dim=1)

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


class Elementwise(nn.Module):
    """A loss of torch, and a function of ``raw - target`` that gives the same losses with their gradients."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.function, self.of_difference = _ELEMENTWISE[kind]

    def forward(self, raw: Tensor, target: Tensor) -> Tensor:
        losses: Tensor = self.function(raw, target, reduction="none")
        return losses

    def loss_gradient(self, raw: Array, target: Array) -> tuple[Array, Array]:
        return self.of_difference(raw - target)


def _squared(difference: Array) -> tuple[Array, Array]:
    return difference * difference, difference + difference


def _absolute(difference: Array) -> tuple[Array, Array]:
    return np.abs(difference), np.sign(difference)


def _huber(difference: Array) -> tuple[Array, Array]:
    gradient = difference.clip(-1.0, 1.0)
    return gradient * (difference - 0.5 * gradient), gradient


_ELEMENTWISE: dict[str, tuple[Callable[..., Tensor], Callable[[Array], tuple[Array, Array]]]] = {
    "squared_error": (F.mse_loss, _squared),
    "absolute_error": (F.l1_loss, _absolute),
    "huber": (F.huber_loss, _huber),
}


class CrossEntropy(nn.Module):
    """Minus the log-probability of the true class: raw (sample, class), target (sample,)."""

    kind = "log_loss"

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


class Quantile(nn.Module):
    """Pinball loss of all levels at once."""

    kind = "quantile"
    levels: Tensor

    def __init__(self, levels: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("levels", torch.tensor(levels, dtype=torch.float32))

    def forward(self, raw: Tensor, target: Tensor) -> Tensor:
        predicted = increasing(raw.reshape(*target.shape, -1))  # (sample, output, level)
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


class Gaussian(nn.Module):
    """Negative log-likelihood of a normal distribution whose mean and standard deviation are both predicted."""

    kind = "gaussian"

    def forward(self, raw: Tensor, target: Tensor) -> Tensor:
        mean, deviation = mean_and_deviation(raw.reshape(*target.shape, 2))
        return 0.5 * ((target - mean) / deviation) ** 2 + deviation.log()

    def loss_gradient(self, raw: Array, target: Array) -> tuple[Array, Array]:
        raw = raw.reshape(*target.shape, 2)
        positive = _softplus(raw[..., 1])
        deviation = positive + np.float32(LEAST_DEVIATION)
        z = (target - raw[..., 0]) / deviation
        of_deviation = (1 - z * z) / deviation * np.exp(raw[..., 1] - positive)
        gradient = np.stack([-z / deviation, of_deviation], axis=-1)
        return 0.5 * z * z + np.log(deviation), gradient.reshape(len(raw), -1)


class Poisson(nn.Module):
    """Half the Poisson deviance of the rate exp(raw): it is zero where the rate equals the target."""

    kind = "poisson"

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


def increasing(raw: Tensor) -> Tensor:
    """The lowest quantile, then each further one a positive step above the last: quantiles can't cross."""
    lowest, steps = raw[..., :1], F.softplus(raw[..., 1:])
    return torch.cat([lowest, lowest + steps.cumsum(dim=-1)], dim=-1)


def mean_and_deviation(raw: Tensor) -> tuple[Tensor, Tensor]:
    return raw[..., 0], F.softplus(raw[..., 1]) + LEAST_DEVIATION


def _softplus(raw: Array) -> Array:
    return F.softplus(torch.from_numpy(raw)).numpy()
