"""A plain network trained without autograd: the same arrays at each step, and every gradient by its own formula.

In a small network autograd's bookkeeping takes longer than the arithmetic.
"""

from typing import Any

import torch
from torch import Tensor, nn

from sklrnn.kernels import StandingLayer, standing_stack

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


class StandingNetwork:
    """Standardise, drop, recur, answer from the last state: all gradients for batches of one shape."""

    def __init__(self, network: Any, criterion: Any, batch: Tensor, layers: list[StandingLayer]) -> None:
        self._criterion = criterion
        self._layers = layers
        self._dropouts = [layer.dropout for layer in network.recurrent]
        self._mean, self._spread = (
            part.to(batch.dtype) for part in (network.standardise.mean, network.standardise.spread)
        )
        self._centred = torch.empty_like(batch)
        self._first = layers[0].x.transpose(0, 1)  # (sample, time, feature), as batches come
        self._weight, self._bias = network.head.weight, network.head.bias
        self._n_direct = network.n_direct_steps
        last = layers[-1].last
        self._units = last.shape[1]
        # What the head sees: the last state and, where it is asked for, the last steps of the input as they are.
        self._seen = last.new_empty(len(last), network.head.in_features) if self._n_direct else last

    @torch.no_grad()
    def step(self, x: Tensor, y: Tensor, weight: Tensor) -> Tensor:
        """Give the loss of a batch, and every learnt weight its gradient."""
        torch.sub(x, self._mean, out=self._centred)
        torch.div(self._centred, self._spread, out=self._first)
        if self._n_direct:
            self._seen[:, self._units :] = self._first[:, -self._n_direct :].flatten(1)
        masks = self._read()
        if self._n_direct:
            self._seen[:, : self._units] = self._layers[-1].last
        raw = torch.addmm(self._bias, self._seen, self._weight.t())
        loss, grad = self._judge(raw, y, weight)
        torch.mm(grad.t(), self._seen, out=self._weight.grad)
        torch.sum(grad, 0, out=self._bias.grad)
        torch.mm(grad, self._weight[:, : self._units], out=self._layers[-1].grad_last)
        self._go_back(masks)
        return loss

    def _read(self) -> list[Tensor | None]:
        masks = []
        before = None
        for layer, dropout in zip(self._layers, self._dropouts, strict=True):
            mask = dropout.mask(layer.x, layer.x.shape[2])
            if mask is not None:
                torch.mul(layer.x if before is None else before, mask, out=layer.x)
            layer.read()
            before = layer.states
            masks.append(mask)
        return masks

    def _go_back(self, masks: list[Tensor | None]) -> None:
        for layer, mask in zip(reversed(self._layers), reversed(masks), strict=True):
            layer.go_back()
            if mask is not None and layer.grad_x is not None:
                layer.grad_x[:, :, : mask.shape[1]].mul_(mask)

    def _judge(self, raw: Tensor, y: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """The loss, and its gradient for the raw outputs."""
        shares = weight * (1.0 / len(weight))
        known = self._criterion.with_slopes(raw, y)
        if known is not None:
            losses, slopes = known
            return torch.dot(losses, shares), slopes.mul_(shares.unsqueeze(1))
        with torch.enable_grad():
            loss = torch.dot(self._criterion(raw.requires_grad_(), y), shares)
            (grad,) = torch.autograd.grad(loss, raw)
        return loss.detach(), grad


def standing_network(network: Any, criterion: Any, batch: Tensor) -> StandingNetwork | None:
    """Make one for a plain network and batches of this shape; None where that can't be, or where somebody looks on."""
    if _is_watched(network) or not batch.is_floating_point() or not batch.is_cpu:
        return None
    if not hasattr(criterion, "with_slopes") or next(criterion.parameters(), None) is not None:
        return None
    if any(weight.grad is None or not weight.requires_grad for weight in network.head.parameters()):
        return None
    x = torch.empty(batch.shape).transpose(0, 1)
    cells, dropouts = zip(*((layer.forwards, layer.dropout) for layer in network.recurrent), strict=True)
    stack = standing_stack(cells, x, apart=[dropout.rate > 0 for dropout in dropouts])
    return None if stack is None else StandingNetwork(network, criterion, batch, stack)


def _is_watched(network: nn.Module) -> bool:
    """Whether somebody wants to see what a module is given, or the gradient of a weight as it comes."""
    modules = any(getattr(module, hooks, None) for module in network.modules() for hooks in _HOOKS)
    return modules or any(
        weight._backward_hooks or weight._post_accumulate_grad_hooks for weight in network.parameters()
    )
