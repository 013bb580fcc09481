"""A plain network trained without autograd: the same arrays at each step, and every gradient by its own formula.

In a small network autograd's bookkeeping takes longer than the arithmetic.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sklrnn.kernels import PreallocatedLayer, preallocated_stack

Array = NDArray[Any]

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


class StandingNetwork:
    """Standardise, drop, recur, answer from the last state: all gradients for batches of one shape.

    What is elementwise is left to NumPy, which is sooner done with small arrays; products are torch's, for its threads.
    """

    def __init__(self, network: Any, criterion: Any, batch: Tensor, layers: list[PreallocatedLayer]) -> None:
        self._criterion = criterion
        self._layers = layers
        self._dropouts = [layer.dropout for layer in network.recurrent]
        scale = network.standardise.mean, network.standardise.spread
        self._mean, self._spread = (part.to(batch.dtype).numpy() for part in scale)
        self._centred = np.empty(batch.shape, dtype=self._mean.dtype)
        self._first = layers[0].x.transpose(0, 1).numpy()  # (sample, time, feature), as batches come
        last, head = layers[-1].final_state, network.head
        self._units = last.shape[1]
        # What the head sees: the last state and, where it is asked for, the last steps of the input as they are.
        self._n_direct = network.n_direct_steps
        self._seen = last.new_empty(len(last), head.in_features) if self._n_direct else last
        self._raw = last.new_empty(len(last), head.out_features)
        self._grad_raw = torch.empty_like(self._raw)
        self._weight, self._bias = head.weight.detach(), head.bias.detach()
        self._grad_weight, self._grad_bias = head.weight.grad, head.bias.grad.numpy()
        self._transposed = self._weight.t(), self._grad_raw.t()
        self._weight_of_state = self._weight[:, : self._units]

    def step(self, x: Tensor, y: Tensor, weight: Tensor) -> float:
        """Give the loss of a batch, and every learnt weight its gradient."""
        with np.errstate(all="ignore"):  # a fit that diverges is told of once, by whoever watches its loss
            np.subtract(x.numpy(), self._mean, out=self._centred)
            np.divide(self._centred, self._spread, out=self._first)
            if self._n_direct:
                direct = self._first[:, -self._n_direct :].reshape(len(self._first), -1)
                self._seen[:, self._units :] = torch.from_numpy(direct)
            masks = self._read()
            if self._n_direct:
                self._seen[:, : self._units] = self._layers[-1].final_state
            weight_of_head, grad_of_raw = self._transposed
            torch.addmm(self._bias, self._seen, weight_of_head, out=self._raw)
            loss = self._judge(y, weight.numpy() / weight.shape[0])
            torch.mm(grad_of_raw, self._seen, out=self._grad_weight)
            np.add.reduce(self._grad_raw.numpy(), 0, out=self._grad_bias)
            torch.mm(self._grad_raw, self._weight_of_state, out=self._layers[-1].grad_final_state)
            self._go_back(masks)
        return loss

    def _read(self) -> list[Tensor | None]:
        masks = []
        before = None
        for layer, dropout in zip(self._layers, self._dropouts, strict=True):
            mask = dropout.mask(layer.x, layer.x.shape[2]) if dropout.rate else None
            if mask is not None:
                torch.mul(layer.x if before is None else before, mask, out=layer.x)
            layer.forward()
            before = layer.states
            masks.append(mask)
        return masks

    def _go_back(self, masks: list[Tensor | None]) -> None:
        for layer, mask in zip(reversed(self._layers), reversed(masks), strict=True):
            layer.backward()
            if mask is not None and layer.grad_x is not None:
                layer.grad_x[:, :, : mask.shape[1]].mul_(mask)

    def _judge(self, y: Tensor, shares: Array) -> float:
        """The loss; its gradient for the raw outputs is left where the way back begins."""
        known = self._criterion.with_slopes(self._raw.numpy(), y.numpy())
        if known is not None:
            losses, slopes = known
            np.multiply(slopes, shares[:, np.newaxis], out=self._grad_raw.numpy())
            return float(losses @ shares)
        with torch.enable_grad():
            raw = self._raw.clone().requires_grad_()
            loss = torch.dot(self._criterion(raw, y), torch.from_numpy(shares))
            self._grad_raw.copy_(torch.autograd.grad(loss, raw)[0])
        return float(loss.detach())


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
    stack = preallocated_stack(cells, x, own_input=[dropout.rate > 0 for dropout in dropouts])
    return None if stack is None else StandingNetwork(network, criterion, batch, stack)


def _is_watched(network: nn.Module) -> bool:
    """Whether somebody wants to see what a module is given, or the gradient of a weight as it comes."""
    modules = any(getattr(module, hooks, None) for module in network.modules() for hooks in _HOOKS)
    return modules or any(
        weight._backward_hooks or weight._post_accumulate_grad_hooks for weight in network.parameters()
    )
