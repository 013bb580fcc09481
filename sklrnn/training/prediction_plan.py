"""The forward pass of a trained network without what torch's modules do around it: more than one window takes."""

from typing import Any

import torch
from torch import Tensor, nn

from sklrnn.kernels import ForwardLayer
from sklrnn.nn.layers import Standardise, narrowed
from sklrnn.nn.network import Network


class PredictionPlan:
    """Finds once what a forward pass looks up in every module: layers, weights, kernels.

    It holds the weights themselves and computes nothing from them in advance, so it follows when they change in place.
    ``is_current`` tells whether they were replaced. Threads may share it: each call has arrays of its own.
    """

    def __init__(self, network: Any) -> None:
        self._network = network
        self._modules = [module for module in network.modules() if isinstance(module, nn.Module)]
        self._children = [
            (module._modules, name, child) for module in self._modules for name, child in module._modules.items()
        ]
        self._tensors = [
            (held, name, tensor, _place(tensor))
            for module in self._modules
            for held in (module._parameters, module._buffers)
            for name, tensor in held.items()
            if tensor is not None
        ]
        self._layers = self._find_layers()
        front = network.standardise
        self._scale = (front.mean, front.spread) if type(front) is Standardise and not front.flag_missing else None
        self._convolution = network.convolution if network.convolution.layers else None
        self._pools = network.architecture.pooling != "last"

    def _find_layers(self) -> list[ForwardLayer]:
        """The kernels of the recurrent layers; none where modules have to run."""
        network, a = self._network, self._network.architecture
        if type(network) is not Network or a.stateful or a.n_tokens or a.return_sequences or a.n_direct_steps:
            return []
        if network.skip is not None or not all(layer.is_plain() for layer in network.recurrent):
            return []
        layers = [ForwardLayer.of(layer.forwards) for layer in network.recurrent]
        return [] if None in layers else layers  # type: ignore[return-value]

    def is_current(self) -> bool:
        """Whether modules and weights are still the same objects at the same place."""
        return all(held.get(name) is child for held, name, child in self._children) and all(
            held.get(name) is tensor and _place(tensor) == place for held, name, tensor, place in self._tensors
        )

    def can_read(self, n_steps: int) -> bool:
        """Whether it replaces the modules for sequences of so many steps; hooks of a module must run."""
        n_steps = -(-n_steps // self._network.convolution.pool_size)
        return (
            bool(self._layers)
            and not any(one.training or one._forward_hooks or one._forward_pre_hooks for one in self._modules)
            and all(layer.can_read(n_steps) for layer in self._layers)
        )

    def encode(self, x: Tensor, *, in_double: bool) -> tuple[Tensor, Tensor, None]:
        """What the network's ``encode`` gives, but for the states that a next segment would start from."""
        if self._scale is None:
            x = self._network.standardise(x)
        else:
            mean, spread = self._scale
            x = (x - mean.to(x.dtype)) / spread.to(x.dtype)
        x = x.to(torch.float64 if in_double else torch.float32).transpose(0, 1)  # (time, sample, feature)
        if self._convolution is not None:
            x = self._convolution(x)
        x = narrowed(x, torch.float32)
        for layer in self._layers:
            x, final = layer(x)
        if in_double:
            final = final.double()
        if self._pools:
            final = self._network.readout(x.double() if in_double else x, final)
        return x, final, None


def _place(tensor: Tensor) -> tuple[int, torch.dtype]:
    return tensor.data_ptr(), tensor.dtype
