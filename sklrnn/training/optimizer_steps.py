"""The numbers of an optimizer's steps, for a program that makes many of them at once.

The state stays where the optimizer itself keeps it, so steps of both kinds can follow on each other.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sklrnn.kernels._program_arguments import StepConstants
from sklrnn.training.optimizers import FlatAdam, FlatAdamW, FlatNAdam, FlatRMSprop, FlatSGD, OnFlatWeights

Array = NDArray[Any]
Group = dict[str, Any]
State = dict[str, Any]

# The decay per step of NAdam's momentum, as torch has it.
_MOMENTUM_BASE = 0.96


def _adam(group: Group, state: State, rates: Array, steps: Array) -> StepConstants:
    beta1, beta2 = group["betas"]
    return StepConstants(
        decay=group["weight_decay"],
        new_share=1.0 - beta1,
        new_square_share=1.0 - beta2,
        correction=np.sqrt(1.0 - beta2**steps),
        epsilon=group["eps"],
        mean_rate=rates / (1.0 - beta1**steps),
        gradient_rate=0.0,
    )


def _adamw(group: Group, state: State, rates: Array, steps: Array) -> StepConstants:
    return _adam(group, state, rates, steps)._replace(decay=rates * group["weight_decay"])


def _nadam(group: Group, state: State, rates: Array, steps: Array) -> StepConstants:
    beta1, decay = group["betas"][0], group["momentum_decay"]
    now, following = (beta1 * (1.0 - 0.5 * _MOMENTUM_BASE ** (n * decay)) for n in (steps, steps + 1))
    products = float(state["mu_product"]) * np.cumprod(now)
    state["mu_product"].fill_(products[-1])
    mean_rate, gradient_rate = rates * following / (1.0 - products * following), rates * (1.0 - now) / (1.0 - products)
    return _adam(group, state, rates, steps)._replace(mean_rate=mean_rate, gradient_rate=gradient_rate)


def _rmsprop(group: Group, state: State, rates: Array, steps: Array) -> StepConstants:
    return StepConstants(group["weight_decay"], 0.0, 1.0 - group["alpha"], 1.0, group["eps"], 0.0, rates)


def _sgd(group: Group, state: State, rates: Array, steps: Array) -> StepConstants:
    return StepConstants(group["weight_decay"], 0.0, 0.0, 1.0, 0.0, 0.0, rates)


class _Kind(NamedTuple):
    """How a program makes the steps of an optimizer."""

    constants: Callable[[Group, State, Array, Array], StepConstants]  # of a group, a state, rates and numbers of steps
    mean: str | None  # its name in the state
    mean_of_squares: str | None
    numbers: Mapping[str, float] = MappingProxyType({})  # what else is in an initial state
    needs: Mapping[str, Any] = MappingProxyType({})  # settings for which these formulas hold


_KINDS: dict[type[OnFlatWeights], _Kind] = {
    FlatAdam: _Kind(_adam, "mean", "mean_of_squares"),
    FlatAdamW: _Kind(_adamw, "mean", "mean_of_squares"),
    FlatNAdam: _Kind(_nadam, "exp_avg", "exp_avg_sq", {"mu_product": 1.0}, {"decoupled_weight_decay": False}),
    FlatRMSprop: _Kind(_rmsprop, None, "square_avg", needs={"momentum": 0, "centered": False}),
    FlatSGD: _Kind(_sgd, None, None, needs={"momentum": 0}),
}


class OptimizerSteps:
    """The moments of an optimizer on flat weights, and the constants of its coming steps."""

    def __init__(self, optimizer: OnFlatWeights) -> None:
        self._optimizer, self._kind = optimizer, _KINDS[type(optimizer)]
        values = optimizer.weights.values
        self._state: State = optimizer.state[values]
        names = self._kind.mean, self._kind.mean_of_squares
        if any(names) and not self._state:  # torch's own optimizers fill it at their first step
            numbers = {"step": 0.0, **self._kind.numbers}
            self._state.update({name: torch.tensor(number) for name, number in numbers.items()})
            self._state.update({name: torch.zeros_like(values) for name in names if name is not None})
        mean, mean_of_squares = (None if name is None else self._state[name] for name in names)
        self.means: tuple[Tensor | None, Tensor | None] = (mean, mean_of_squares)
        self.is_decoupled = isinstance(optimizer, FlatAdamW)

    @staticmethod
    def exist_for(optimizer: Any) -> bool:
        kind = _KINDS.get(type(optimizer))
        if kind is None or len(optimizer.param_groups) != 1:
            return False
        (group,) = optimizer.param_groups
        needs = {"maximize": False, "amsgrad": False, **kind.needs}
        return all(group.get(name, value) == value for name, value in needs.items())

    def count(self, rates: Array) -> Array:
        """The constants of so many steps, one row each; the optimizer counts them as made."""
        self._optimizer._opt_called = True  # type: ignore[attr-defined]  # schedulers of torch look whether it stepped
        (group,), n = self._optimizer.param_groups, len(rates)
        made = int(self._state["step"]) if "step" in self._state else 0
        constants = self._kind.constants(group, self._state, rates, np.arange(made + 1.0, made + n + 1.0))
        if "step" in self._state:
            self._state["step"] += n
        return np.stack([np.broadcast_to(each, n) for each in constants], axis=1)
