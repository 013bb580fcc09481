"""All weights of a network in one block, so that a step over all of them is a step over one tensor.

The update, the clipping and the running mean each take a few small operators for every tensor that they are given. With
small networks these cost as much as the arithmetic of a layer.
"""

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

# Numbers to a line of the cache: no tensor begins in the middle of one.
_LINE = 16


class FlatWeights:
    """The weights that a network learns, and their gradients, end to end; the network's own tensors are views of these.

    Between two tensors a few numbers stay zero.
    """

    def __init__(self, parameters: Iterable[nn.Parameter]) -> None:
        learnt = [weight for weight in parameters if weight.requires_grad]
        places = [0]
        for weight in learnt:
            places.append(places[-1] + math.ceil(weight.numel() / _LINE) * _LINE)
        self.values = learnt[0].detach().new_zeros(places[-1])
        self.gradients = torch.zeros_like(self.values)
        self._learnt = learnt
        self._gradient_of = []
        for weight, place in zip(learnt, places[:-1], strict=True):
            here = slice(place, place + weight.numel())
            self.values[here] = weight.detach().flatten()
            weight.data = self.values[here].view(weight.shape)
            self._gradient_of.append(self.gradients[here].view(weight.shape))
        self.hold_gradients()

    def hold_gradients(self) -> None:
        """Make the gradient of each tensor the one in the block; somebody may have taken it away."""
        for weight, gradient in zip(self._learnt, self._gradient_of, strict=True):
            weight.grad = gradient

    def clip(self, length: float) -> None:
        """Cut the gradient to a length, if it is longer. Nothing waits for the number."""
        self.gradients.mul_((length / (torch.linalg.vector_norm(self.gradients) + 1e-6)).clamp_(max=1.0))


class FlatAdam(torch.optim.Optimizer):
    """Adam on flat weights, in one fused step; with ``decoupled`` its weight decay is that of AdamW.

    The numbers are those of torch's own classes, which import torch's compiler when the first is made: a second of each
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
        """torch's own method of this name is what imports the compiler."""
        self.param_groups.append({**self.defaults, **param_group})

    def zero_grad(self, set_to_none: bool = False) -> None:
        """Begin anew; gradients are never taken away, as they belong to the block."""
        self.weights.gradients.zero_()

    def step(self, closure: Any = None) -> Any:
        """Move the weights: plain numbers, which autograd does not look at."""
        loss = None if closure is None else torch.enable_grad()(closure)()
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
    """AdamW: the weights decay by a share of their own, whatever the gradients are."""

    decoupled = True
