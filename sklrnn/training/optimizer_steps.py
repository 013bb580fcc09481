"""The numbers of an optimizer's steps, for a program that makes many of them at once.

The state stays where the optimizer itself keeps it, so steps of both kinds can follow on each other.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sklrnn.kernels.program import StepConstants
from sklrnn.training.optimizers import FlatAdam, FlatAdamW, FlatNAdam, FlatRMSprop, FlatSGD, OnFlatWeights

Array = NDArray[Any]
Group = dict[str, Any]
State = dict[str, Any]

# The decay per step of NAdam's momentum, as torch has it.
_MOMENTUM_BASE = 0.96


class _Kind(NamedTuple):
    """How a program makes the steps of an optimizer."""

    mean: str | None  # in the state
    mean_of_squares: str | None
    initial: Callable[[Tensor], State]
    constants: Callable[[Group, State, Array, Array], StepConstants]  # of a group, a state, rates and numbers of steps
    needs: dict[str, Any]  # settings for which these formulas hold


def _moments(*names: str, **numbers: float) -> Callable[[Tensor], State]:
    def initial(values: Tensor) -> State:
        given = {name: torch.tensor(number) for name, number in numbers.items()}
        return {"step": torch.tensor(0.0), **given, **{name: torch.zeros_like(values) for name in names}}

    return initial


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


_OUR_ADAM: tuple[Any, ...] = ("mean", "mean_of_squares", _moments("mean", "mean_of_squares"))
_KINDS: dict[type[OnFlatWeights], _Kind] = {
    FlatAdam: _Kind(*_OUR_ADAM, _adam, {}),
    FlatAdamW: _Kind(*_OUR_ADAM, _adamw, {}),
    FlatNAdam: _Kind(
        *("exp_avg", "exp_avg_sq", _moments("exp_avg", "exp_avg_sq", mu_product=1.0), _nadam),
        {"decoupled_weight_decay": False},
    ),
    FlatRMSprop: _Kind(None, "square_avg", _moments("square_avg"), _rmsprop, {"momentum": 0, "centered": False}),
    FlatSGD: _Kind(None, None, lambda values: {}, _sgd, {"momentum": 0}),
}


class OptimizerSteps:
    """The moments of an optimizer on flat weights, and the constants of its coming steps."""

    def __init__(self, optimizer: OnFlatWeights) -> None:
        self._optimizer, self._kind = optimizer, _KINDS[type(optimizer)]
        values = optimizer.weights.values
        self._state: State = optimizer.state[values]
        for name, initial in self._kind.initial(values).items():
            self._state.setdefault(name, initial)
        names = self._kind.mean, self._kind.mean_of_squares
        self.means = tuple(None if name is None else self._state[name] for name in names)
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
        (group,), n = self._optimizer.param_groups, len(rates)
        made = int(self._state["step"]) if "step" in self._state else 0
        constants = self._kind.constants(group, self._state, rates, np.arange(made + 1.0, made + n + 1.0))
        if "step" in self._state:
            self._state["step"] += n
        return np.stack([np.broadcast_to(each, n) for each in constants], axis=1)
