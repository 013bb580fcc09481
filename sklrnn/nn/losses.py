"""A loss is a name, a module, and how its raw output becomes an answer.

Modules give one loss for each output of a row, so that rows and outputs can be weighted. Regression losses see targets
``(sample, output)`` and raw network outputs ``(sample, output * width)``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import norm
from torch import Tensor, nn
from torch.nn import functional as F

Array = NDArray[Any]


@dataclass(frozen=True)
class Loss:
    """How raw outputs are judged and read.

    ``per_output(raw, target)`` gives one number for each output of a row, or one a row. ``width`` raw numbers stand for each output. ``point(raw)`` reads
    one answer an output from the array ``(sample, output, width)``; ``quantiles(raw, levels)`` reads ``(sample, output,
    level)`` where the loss knows a distribution. ``positive`` marks a loss on a log scale.
    """

    per_output: nn.Module
    width: int = 1
    point: Callable[[Array], Array] = lambda raw: raw[..., 0]
    quantiles: Callable[[Array, Array], Array] | None = None
    levels: tuple[float, ...] = ()
    positive: bool = False

    @property
    def per_row(self) -> nn.Module:
        """One number a row: the mean over its outputs."""
        return _MeanOverOutputs(self.per_output)


class _MeanOverOutputs(nn.Module):
    """One loss a row, and where it is known by a formula, its slopes."""

    def __init__(self, per_output: nn.Module) -> None:
        super().__init__()
        self.per_output = per_output

    def forward(self, raw: Tensor, target: Tensor) -> Tensor:
        losses: Tensor = self.per_output(raw, target)
        if losses.ndim == 1 or losses[0].numel() == 1:
            return losses.flatten()
        return losses.flatten(1).mean(dim=1)

    def with_slopes(self, raw: Array, target: Array) -> tuple[Array, Array] | None:
        """The losses, and what each changes by with the raw outputs; None for a loss that leaves this to autograd."""
        if not isinstance(self.per_output, _Elementwise | _CrossEntropy):
            return None
        losses, slopes = self.per_output.with_slopes(raw, target)
        if losses.ndim == 1 or losses.shape[1] == 1:
            return losses.reshape(-1), slopes
        return losses.mean(axis=1), slopes / losses.shape[1]


class _Elementwise(nn.Module):
    """A function of (raw, target), and one of their difference that gives the same losses with their slopes."""

    def __init__(self, function: Callable[..., Tensor], with_slopes: Callable[[Array], tuple[Array, Array]]) -> None:
        super().__init__()
        self.function = function
        self.of_difference = with_slopes

    def forward(self, raw: Tensor, target: Tensor) -> Tensor:
        return self.function(raw, target, reduction="none")

    def with_slopes(self, raw: Array, target: Array) -> tuple[Array, Array]:
        return self.of_difference(raw - target)


def _squared(difference: Array) -> tuple[Array, Array]:
    return difference * difference, difference + difference


def _absolute(difference: Array) -> tuple[Array, Array]:
    return np.abs(difference), np.sign(difference)


def _huber(difference: Array) -> tuple[Array, Array]:
    slope = difference.clip(-1.0, 1.0)
    return slope * (difference - 0.5 * slope), slope


class _CrossEntropy(nn.Module):
    """Minus the log-probability of the class that it was: raw (sample, class), target (sample,)."""

    def forward(self, raw: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(raw, target, reduction="none")

    def with_slopes(self, raw: Array, target: Array) -> tuple[Array, Array]:
        shifted = raw - raw.max(axis=1, keepdims=True)
        slopes = np.exp(shifted)
        total = slopes.sum(axis=1, keepdims=True)
        slopes /= total
        chosen = np.arange(len(target)), target
        slopes[chosen] -= 1.0
        return np.log(total[:, 0]) - shifted[chosen], slopes


class _Quantile(nn.Module):
    """Pinball loss of all levels at once."""

    levels: Tensor

    def __init__(self, levels: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("levels", torch.tensor(levels, dtype=torch.float32))

    def forward(self, raw: Tensor, target: Tensor) -> Tensor:
        guess = _increasing(raw.reshape(*target.shape, -1))  # (sample, output, level)
        over = target.unsqueeze(-1) - guess
        levels = self.levels.to(raw)
        return torch.maximum(levels * over, (levels - 1) * over).mean(dim=2)


class _Gaussian(nn.Module):
    """Negative log-likelihood of a normal distribution whose mean and spread are both learnt."""

    def forward(self, raw: Tensor, target: Tensor) -> Tensor:
        mean, spread = _mean_and_spread(raw.reshape(*target.shape, 2))
        return 0.5 * ((target - mean) / spread) ** 2 + spread.log()


class _Poisson(nn.Module):
    """Half the Poisson deviance of the rate exp(raw): it is zero where the rate hits the target."""

    def forward(self, raw: Tensor, target: Tensor) -> Tensor:
        return torch.xlogy(target, target) - target * raw - target + raw.exp()


class _OfTorch(nn.Module):
    """Any loss module of torch, asked for one number a row."""

    def __init__(self, kind: type[nn.Module]) -> None:
        super().__init__()
        try:
            self.module = kind(reduction="none")
        except TypeError as error:
            raise ValueError(
                f"loss={kind.__name__} can't be asked for one loss a row: it takes no argument reduction='none'. "
                "Pass the class of a torch loss such as torch.nn.SmoothL1Loss."
            ) from error

    def forward(self, raw: Tensor, target: Tensor) -> Tensor:
        try:
            losses: Tensor = self.module(raw, target)
        except (TypeError, ValueError, RuntimeError) as error:
            raise ValueError(
                f"loss={type(self.module).__name__} can't judge outputs of shape {tuple(raw.shape)} by targets of shape "
                f"{tuple(target.shape)}: {error}. Pass the class of a torch loss that takes these."
            ) from error
        return losses


def regression_loss(loss: str | type[nn.Module], quantiles: tuple[float, ...]) -> Loss:
    """Look up a regressor's loss."""
    if not isinstance(loss, str):
        return Loss(_OfTorch(loss))
    if loss == "quantile":
        levels = tuple(float(level) for level in quantiles)
        return Loss(_Quantile(levels), len(levels), _Levels(levels).median, _Levels(levels).at, levels)
    if loss == "gaussian":
        return Loss(_Gaussian(), 2, quantiles=_gaussian_quantiles)
    if loss == "poisson":
        return Loss(_Poisson(), point=lambda raw: np.exp(raw[..., 0]), positive=True)
    return Loss(_Elementwise(*_ELEMENTWISE[loss]))


def classification_loss(loss: str | type[nn.Module]) -> Loss:
    """Look up a classifier's loss: targets are class codes ``(sample,)``."""
    return Loss(_CrossEntropy() if isinstance(loss, str) else _OfTorch(loss))


_ELEMENTWISE: dict[str, tuple[Callable[..., Tensor], Callable[[Array], tuple[Array, Array]]]] = {
    "squared_error": (F.mse_loss, _squared),
    "absolute_error": (F.l1_loss, _absolute),
    "huber": (F.huber_loss, _huber),
}

REGRESSION_LOSSES = {*_ELEMENTWISE, "quantile", "gaussian", "poisson"}


def _increasing(raw: Tensor) -> Tensor:
    """The lowest quantile as it is, each further one a positive step above: quantiles can't cross."""
    lowest, steps = raw[..., :1], F.softplus(raw[..., 1:])
    return torch.cat([lowest, lowest + steps.cumsum(dim=-1)], dim=-1)


def _mean_and_spread(raw: Tensor) -> tuple[Tensor, Tensor]:
    # The floor keeps the likelihood of an exactly met target finite.
    return raw[..., 0], F.softplus(raw[..., 1]) + 1e-3


def _gaussian_quantiles(raw: Array, levels: Array) -> Array:
    mean, spread = _mean_and_spread(torch.from_numpy(raw))
    return mean.numpy()[..., np.newaxis] + spread.numpy()[..., np.newaxis] * norm.ppf(levels)


@dataclass(frozen=True)
class _Levels:
    """Reads trained quantiles, and levels between them, out of raw outputs."""

    trained: tuple[float, ...]

    def at(self, raw: Array, levels: Array) -> Array:
        guess = _increasing(torch.from_numpy(raw)).numpy()
        upper = np.clip(np.searchsorted(self.trained, levels), 1, max(1, len(self.trained) - 1))
        if len(self.trained) == 1:
            return np.repeat(guess, len(levels), axis=-1)
        low, high = np.take(self.trained, upper - 1), np.take(self.trained, upper)
        share = (levels - low) / (high - low)
        return guess[..., upper - 1] * (1 - share) + guess[..., upper] * share

    def median(self, raw: Array) -> Array:
        nearest = min(max(0.5, self.trained[0]), self.trained[-1])
        return self.at(raw, np.array([nearest]))[..., 0]
