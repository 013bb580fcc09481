"""A step of training without autograd: preallocated buffers, and every gradient by its formula.

In a small network autograd's bookkeeping takes longer than the arithmetic.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sklrnn.kernels import PreallocatedLayer, preallocated_stack
from sklrnn.nn.network import Network
from sklrnn.nn.window_scale import StandardiseWindow
from sklrnn.training.batches import Batch

Array = NDArray[Any]

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


class _LastState:
    """Reads the final state in place: its gradient goes where the layer reads it."""

    def __init__(self, layer: PreallocatedLayer) -> None:
        assert layer.grad_final_state is not None
        self.output, self.grad_output = layer.final_state, layer.grad_final_state

    def forward(self) -> None:
        """Nothing to do."""

    def backward(self) -> None:
        """Nothing to do."""


class _PooledStates:
    """Pools the states of all steps, and hands the gradient on to them."""

    def __init__(self, layer: PreallocatedLayer) -> None:
        assert layer.grad_states is not None
        self._states = layer.states
        self._grad_states = layer.grad_states[:, :, : layer.states.shape[2]]  # behind them are zeros that fill a vector
        layer.grad_states.zero_()
        self.output = layer.states.new_empty(layer.states.shape[1:])
        self.grad_output = torch.empty_like(self.output)


class _MeanState(_PooledStates):
    def forward(self) -> None:
        torch.mean(self._states, dim=0, out=self.output)

    def backward(self) -> None:
        self._grad_states.copy_((self.grad_output / len(self._states)).expand_as(self._grad_states))


class _MaxState(_PooledStates):
    def forward(self) -> None:
        largest = self._states.max(dim=0, keepdim=True)
        self.output.copy_(largest.values[0])
        self._step = largest.indices

    def backward(self) -> None:
        self._grad_states.zero_().scatter_(0, self._step, self.grad_output.unsqueeze(0))


_READOUTS: dict[str, Any] = {"last": _LastState, "mean": _MeanState, "max": _MaxState}


class FusedStep:
    """Standardise, dropout, recur, apply the head to the final state, or to the mean or maximum of all states.

    It gives the loss and leaves all gradients, for batches of one shape.

    Elementwise operations are NumPy's, which is faster with small arrays; products are torch's, for its threads.
    """

    def __init__(self, network: Any, criterion: Any, batch: Tensor, layers: list[PreallocatedLayer]) -> None:
        self._criterion = criterion
        self._layers = layers
        self._dropouts = [layer.dropout for layer in network.recurrent]
        self._recurrent_dropouts = [layer.recurrent_dropout for layer in network.recurrent]
        self._window_layer = network.standardise if isinstance(network.standardise, StandardiseWindow) else None
        scale = network.standardise.mean, network.standardise.spread
        self._mean, self._spread = (part.to(batch.dtype).numpy() for part in scale)
        self._centred = np.empty(batch.shape, dtype=self._mean.dtype)
        self._first = layers[0].x.transpose(0, 1).numpy()  # (sample, time, feature), as batches come
        self._readout = _READOUTS[network.architecture.pooling](layers[-1])
        last, head = self._readout.output, network.head
        self._units = last.shape[1]
        # The input of the head: the readout and, where the architecture asks for it, the last steps of the input.
        self._n_direct = network.n_direct_steps
        self._head_input = last.new_empty(len(last), head.in_features) if self._n_direct else last
        self._raw = last.new_empty(len(last), head.out_features)
        self._grad_raw = torch.empty_like(self._raw)
        self._weight, self._bias = head.weight.detach(), head.bias.detach()
        self._grad_weight, self._grad_bias = head.weight.grad, head.bias.grad.numpy()
        self._transposed = self._weight.t(), self._grad_raw.t()
        self._weight_of_state = self._weight[:, : self._units]

    def __call__(self, net: Any, batch: Batch) -> dict[str, Any]:
        x, y = batch
        loss = self._loss_and_gradients(x["x"], y, x["weight"])
        return {"loss": loss + net.add_penalty_gradients()}

    def _loss_and_gradients(self, x: Tensor, y: Tensor, weight: Tensor) -> float:
        with np.errstate(all="ignore"):  # the monitor reports a fit that diverges, once
            if self._window_layer is not None:
                np.copyto(self._first, self._window_layer(x).numpy(), casting="same_kind")
            else:
                np.subtract(x.numpy(), self._mean, out=self._centred)
                np.divide(self._centred, self._spread, out=self._first)
            if self._n_direct:
                direct = self._first[:, -self._n_direct :].reshape(len(self._first), -1)
                self._head_input[:, self._units :] = torch.from_numpy(direct)
            masks = self._forward()
            self._readout.forward()
            if self._n_direct:
                self._head_input[:, : self._units] = self._readout.output
            weight_of_head, grad_of_raw = self._transposed
            torch.addmm(self._bias, self._head_input, weight_of_head, out=self._raw)
            loss = self._loss(y, weight.numpy() / weight.shape[0])
            torch.mm(grad_of_raw, self._head_input, out=self._grad_weight)
            np.add.reduce(self._grad_raw.numpy(), 0, out=self._grad_bias)
            torch.mm(self._grad_raw, self._weight_of_state, out=self._readout.grad_output)
            self._readout.backward()
            self._backward(masks)
        return loss

    def _forward(self) -> list[Tensor | None]:
        masks = []
        below = None
        for layer, dropout, recurrent in zip(self._layers, self._dropouts, self._recurrent_dropouts, strict=True):
            mask = dropout.mask(layer.x, layer.x.shape[2]) if dropout.rate else None
            if mask is not None:
                torch.mul(layer.x if below is None else below, mask, out=layer.x)
            if layer.state_mask is not None:
                layer.state_mask.copy_(recurrent.mask(layer.x, layer.state_mask.shape[1]))
            layer.forward()
            below = layer.states
            masks.append(mask)
        return masks

    def _backward(self, masks: list[Tensor | None]) -> None:
        for layer, mask in zip(reversed(self._layers), reversed(masks), strict=True):
            layer.backward()
            if mask is not None and layer.grad_x is not None:
                layer.grad_x[:, :, : mask.shape[1]].mul_(mask)

    def _loss(self, y: Tensor, shares: Array) -> float:
        """The loss; its gradient with respect to the raw outputs is left in the buffer that the backward pass reads."""
        known = self._criterion.loss_gradient(self._raw.numpy(), y.numpy())
        if known is not None:
            losses, gradient = known
            np.multiply(gradient, shares[:, np.newaxis], out=self._grad_raw.numpy())
            return float(losses @ shares)
        with torch.enable_grad():
            raw = self._raw.clone().requires_grad_()
            loss = torch.dot(self._criterion(raw, y), torch.from_numpy(shares))
            self._grad_raw.copy_(torch.autograd.grad(loss, raw)[0])
        return float(loss.detach())


def make_fused_step(network: Any, criterion: Any, batch: Tensor) -> FusedStep | None:
    """Make the step for batches of this shape; None for other networks and losses, and where hooks are registered."""
    if not isinstance(network, Network) or not network.is_plain() or _has_hooks(network):
        return None
    if not batch.is_floating_point() or not batch.is_cpu:
        return None
    if not hasattr(criterion, "loss_gradient") or next(criterion.parameters(), None) is not None:
        return None
    if any(weight.grad is None or not weight.requires_grad for weight in network.head.parameters()):
        return None
    x = torch.empty(batch.shape).transpose(0, 1)
    cells, dropouts = zip(*((layer.forwards, layer.dropout) for layer in network.recurrent), strict=True)
    reads_all_states = network.architecture.pooling != "last"
    own_input = [dropout.rate > 0 for dropout in dropouts]
    masks_state = [layer.recurrent_dropout.rate > 0 for layer in network.recurrent]
    stack = preallocated_stack(
        cells, x, own_input=own_input, masks_state=masks_state, reads_all_states=reads_all_states
    )
    return None if stack is None else FusedStep(network, criterion, batch, stack)


def _has_hooks(network: nn.Module) -> bool:
    """Whether hooks are registered on a module or on the gradient of a weight."""
    modules = any(getattr(module, hooks, None) for module in network.modules() for hooks in _HOOKS)
    return modules or any(
        weight._backward_hooks or weight._post_accumulate_grad_hooks for weight in network.parameters()
    )
