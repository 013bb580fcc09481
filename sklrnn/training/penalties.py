"""The l1 and l2 penalties of some weights w.

::

    P = l1 sum |w| + l2 sum w^2        dw = dw + l1 sign(w) + 2 l2 w
"""

import torch
from torch import Tensor


def penalty(weights: list[Tensor], l1: float, l2: float) -> Tensor:
    """The penalty, for autograd."""
    return torch.stack([l1 * weight.abs().sum() + l2 * weight.square().sum() for weight in weights]).sum()


def add_penalty_gradients(weights: list[Tensor], l1: float, l2: float) -> float:
    """Add the gradients of the penalty to those that are there, and give the penalty."""
    if not (l1 or l2):
        return 0.0
    with torch.no_grad():
        for weight in weights:
            assert weight.grad is not None
            weight.grad += l1 * weight.sign() + 2.0 * l2 * weight if l1 else 2.0 * l2 * weight
        return float(penalty(weights, l1, l2))
