"""Optimizers by name, on weights that lie in one tensor, the learning-rate schedule and the average of weights.

The update, the clipping and the average each take a few small operators for every tensor that they are given. With
small networks these cost as much as the arithmetic of a layer, so all weights are views of one tensor.
"""

import copy
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

# Numbers in a cache line: every tensor begins at one.
_CACHE_LINE = 16


class FlatWeights:
    """The trainable weights of a network in one tensor, and their gradients in another; the network's own are views.

    The few numbers between two weights stay zero.
    """

    def __init__(self, parameters: Iterable[nn.Parameter]) -> None:
        trainable = [weight for weight in parameters if weight.requires_grad]
        starts = [0]
        for weight in trainable:
            starts.append(starts[-1] + math.ceil(weight.numel() / _CACHE_LINE) * _CACHE_LINE)
        self.values = trainable[0].detach().new_zeros(starts[-1])
        self.gradients = torch.zeros_like(self.values)
        self._trainable = trainable
        self._gradient_of = []
        for weight, start in zip(trainable, starts[:-1], strict=True):
            here = slice(start, start + weight.numel())
            self.values[here] = weight.detach().flatten()
            weight.data = self.values[here].view(weight.shape)
            self._gradient_of.append(self.gradients[here].view(weight.shape))
        self.attach_gradients()

    def attach_gradients(self) -> None:
        """Make the gradient of each weight a view of the common tensor; it may have been removed."""
        for weight, gradient in zip(self._trainable, self._gradient_of, strict=True):
            weight.grad = gradient

    def collect_gradients(self) -> None:
        """Copy gradients that a callback replaced, or removed, into the common tensor."""
        for weight, gradient in zip(self._trainable, self._gradient_of, strict=True):
            if weight.grad is not gradient:
                gradient.copy_(torch.zeros_like(gradient) if weight.grad is None else weight.grad)
                weight.grad = gradient

    def clip(self, norm: float) -> None:
        """Scale the gradient down to a norm, if its own is larger; a device need not wait for the number."""
        self.gradients.mul_((norm / (torch.linalg.vector_norm(self.gradients) + 1e-6)).clamp_(max=1.0))


class OnFlatWeights(torch.optim.Optimizer):
    """An optimizer whose only parameter is the flat tensor of all weights, which changes each number by itself."""

    weights: FlatWeights

    def zero_grad(self, set_to_none: bool = False) -> None:
        """Set gradients to zero; they are never removed, as they are views."""
        self.weights.gradients.zero_()


def clip_gradients(optimizer: torch.optim.Optimizer, network: nn.Module, norm: float | None) -> None:
    """Scale the gradient of all weights down to a norm, if its own is larger; None leaves it."""
    if norm is None:
        return
    if isinstance(optimizer, OnFlatWeights):
        optimizer.weights.clip(norm)
    else:
        nn.utils.clip_grad_norm_(network.parameters(), norm)


class FlatAdam(OnFlatWeights):
    """Adam on flat weights, in one fused operator; with ``decoupled`` its weight decay is that of AdamW.

    The numbers are those of torch's own classes, which import torch's compiler when the first is made: a second in each
    process.
    """

    decoupled = False

    def __init__(self, groups: list[dict[str, Any]], *, lr: float, weight_decay: float = 0.0) -> None:
        self.weights = FlatWeights(weight for group in groups for weight in group["params"])
        values = self.weights.values
        values.grad = self.weights.gradients
        defaults = {"lr": lr, "weight_decay": weight_decay, "betas": (0.9, 0.999), "eps": 1e-8}
        super().__init__([values], defaults)
        self.state[values] = {
            "step": torch.zeros((), device=values.device),
            "mean": torch.zeros_like(values),
            "mean_of_squares": torch.zeros_like(values),
        }

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Overridden because torch's own method imports the compiler."""
        self.param_groups.append({**self.defaults, **param_group})

    def step(self, closure: Any = None) -> Any:
        """Update the weights, without autograd."""
        loss = None
        if closure is not None:
            loss = torch.enable_grad()(closure)()
            self.weights.collect_gradients()
        (group,) = self.param_groups
        values = self.weights.values
        state = self.state[values]
        state["step"] += 1
        update = torch._fused_adamw_ if self.decoupled else torch._fused_adam_
        update(
            [values],
            [self.weights.gradients],
            [state["mean"]],
            [state["mean_of_squares"]],
            [],
            [state["step"]],
            lr=group["lr"],
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            amsgrad=False,
            maximize=False,
        )
        return loss

    step.hooked = True  # type: ignore[attr-defined]  # else torch wraps each step for its profiler


class FlatAdamW(FlatAdam):
    """AdamW: weight decay apart from the gradients."""

    decoupled = True


class _Flat(OnFlatWeights):
    """Puts flat weights before an optimizer of torch that follows in the list of base classes."""

    def __init__(self, groups: list[dict[str, Any]], **settings: Any) -> None:
        self.weights = FlatWeights(weight for group in groups for weight in group["params"])
        self.weights.values.grad = self.weights.gradients
        super().__init__([self.weights.values], **settings)

    def step(self, closure: Any = None) -> Any:
        """Update the weights by torch's own method."""

        def evaluate() -> Any:
            loss = closure()
            self.weights.collect_gradients()
            return loss

        return super().step(None if closure is None else evaluate)


class FlatSGD(_Flat, torch.optim.SGD):
    """Stochastic gradient descent."""


class FlatRMSprop(_Flat, torch.optim.RMSprop):
    """RMSprop."""


class FlatNAdam(_Flat, torch.optim.NAdam):
    """Adam with Nesterov momentum."""


OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "nadam": torch.optim.NAdam,
    "rmsprop": torch.optim.RMSprop,
    "sgd": torch.optim.SGD,
}
# With decay the weights keep moving, and their average profits from that.
_WEIGHT_DECAY = 0.15
_HAS_FUSED_STEP = (torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD, FlatSGD)
_FLAT: dict[str, type[torch.optim.Optimizer]] = {
    "adam": FlatAdam,
    "adamw": FlatAdamW,
    "nadam": FlatNAdam,
    "rmsprop": FlatRMSprop,
    "sgd": FlatSGD,
}


def optimizer_settings(
    optimizer: str | type[torch.optim.Optimizer], network: nn.Module, device: torch.device
) -> dict[str, Any]:
    """What skorch needs to make an optimizer, which is given by its name or class."""
    kind = OPTIMIZERS[optimizer] if isinstance(optimizer, str) else optimizer
    if issubclass(kind, torch.optim.SparseAdam):
        raise ValueError(
            f"optimizer={kind.__name__} needs sparse gradients, and those of these networks are dense. Use one of the "
            f"names {', '.join(map(repr, sorted(OPTIMIZERS)))}, or another class, such as torch.optim.Adam."
        )
    one_dtype = len({weight.dtype for weight in network.parameters() if weight.requires_grad}) == 1
    if isinstance(optimizer, str) and one_dtype:
        kind = _FLAT.get(optimizer, kind)
    settings: dict[str, Any] = {"optimizer": kind}
    if kind in _HAS_FUSED_STEP and device.type in ("cpu", "cuda"):
        settings["optimizer__fused"] = True  # the default is a chain of small operators
    if optimizer == "adamw":
        settings["optimizer__weight_decay"] = _WEIGHT_DECAY
    return settings


def copy_optimizer_state(source: torch.optim.Optimizer, target: torch.optim.Optimizer) -> None:
    """Give an optimizer of the copied weights the settings and moments of another."""
    if not isinstance(source, FlatAdam) or not isinstance(target, FlatAdam):
        target.load_state_dict(copy.deepcopy(source.state_dict()))
        return
    # Not by torch's method, which imports the compiler.
    (ours,), (theirs,) = target.param_groups, source.param_groups
    ours.update({name: value for name, value in theirs.items() if name != "params"})
    moments = target.state[target.weights.values]
    for name, value in source.state[source.weights.values].items():
        moments[name].copy_(value)


def one_cycle(peak: float, n_steps: int) -> Iterator[float]:
    """Learning rates that rise to the peak in the first third of the steps, then fall to almost zero (cosine)."""
    n_rising = max(1, int(0.3 * n_steps))
    for step in range(n_steps):
        rising = step < n_rising
        done = step / n_rising if rising else (step - n_rising) / max(1, n_steps - n_rising)
        low = peak / 25 if rising else peak / 1e5
        yield low + (peak - low) * (1 + np.cos(np.pi * (1 - done if rising else done))) / 2


class WeightAverage:
    """Moving average of the weights over about the last hundred steps, which predicts better than the newest weights.

    In a training epoch the network holds the newest weights, otherwise the average.
    """

    DECAY = 0.99

    def __init__(self, weights: Sequence[Tensor]) -> None:
        self._live = [weight.detach() for weight in weights]
        self._other = [weight.clone() for weight in self._live]
        self.n_steps = 0
        self._is_shown = True

    def next_shares(self, n: int) -> list[float]:
        """The shares of the coming steps; a young average forgets faster, as it began with random weights."""
        first = self.n_steps + 1
        self.n_steps += n
        return [1.0 - min(self.DECAY, (1 + step) / (10 + step)) for step in range(first, first + n)]

    def mean_of_flat(self) -> Tensor:
        """The average where all weights are one tensor."""
        (mean,) = self._other
        return mean

    def update(self) -> None:
        """Add the weights of one more step."""
        (share,) = self.next_shares(1)
        for mean, weight in zip(self._other, self._live, strict=True):
            mean.lerp_(weight, share)

    def take_over(self, other: "WeightAverage") -> None:
        """Go on from the average of another, which both networks show."""
        self.n_steps = other.n_steps
        for ours, theirs in zip(self._other, other._other, strict=True):
            ours.copy_(theirs)

    def to_state(self) -> dict[str, Any]:
        """What belongs to it beside the weights of the network, between two epochs."""
        return {"n_steps": self.n_steps, "other": self._other}

    def load_state(self, state: dict[str, Any]) -> None:
        """Take up such a state, once the network has its weights."""
        self.n_steps = state["n_steps"]
        for ours, theirs in zip(self._other, state["other"], strict=True):
            ours.copy_(theirs)

    def show(self, shown: bool) -> None:
        """Put the average into the network, or the newest weights."""
        if shown != self._is_shown:
            for other, weight in zip(self._other, self._live, strict=True):
                kept = weight.clone()
                weight.copy_(other)
                other.copy_(kept)
            self._is_shown = shown
