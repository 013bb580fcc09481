"""A network that reads one sequence step by step: each step costs the same, however many came before.

A convolution needs the last few steps in front of it, and a recurrent layer its state. Pooling cuts the steps into
blocks that end at the newest one, so the blocks of two successive steps differ: with blocks of 2 those of step 5 are 1,
2-3 and 4-5, and those of step 6 are 1-2, 3-4 and 5-6. The blocks of step 7 are those of step 5 and one more, though.
So whatever follows on pooling exists once for each place in a block, and each step is read by one of them.
"""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from sklrnn.kernels import SingleStep
from sklrnn.nn.convolution import BatchNorm
from sklrnn.nn.layers import LARGEST, Standardise, narrowed

Array = NDArray[Any]


class StepReader:
    """Raw outputs of a network for one sequence, of which each call reads one more step.

    The last layers may start from the ``state`` that another reader ends in.
    """

    def __init__(self, network: Any, state: Any = None) -> None:
        self._network = network
        front = network.standardise
        plain = not network.architecture.n_tokens and type(front) is Standardise and not front.flag_missing
        self._scale = (front.mean.double().numpy(), front.spread.double().numpy()) if plain else None
        weight, bias = network.head.weight.detach(), network.head.bias.detach()
        self._weight, self._bias = weight.double().numpy(), bias.double().numpy()
        convolution = network.convolution
        make: Callable[[], _Part] = partial(_Recurrence, network, state)
        parts = list(zip(convolution.layers, convolution.norms, convolution.pool_sizes, strict=True))
        for layer, norm, pool_size in reversed(parts):
            make = partial(_Convolution, layer, norm, pool_size, make)
        self._first = make()
        self._newest: _Recurrence | None = None

    def read(self, x: Array) -> Array:
        """Raw outputs (1, output), after reading the features (feature,) of one more step."""
        if self._scale is not None:
            row: Array = (x - self._scale[0]) / self._scale[1]
        else:
            layer = self._network.embedding if self._network.architecture.n_tokens else self._network.standardise
            with torch.inference_mode():
                row = layer(torch.from_numpy(x)[None, None]).double().numpy()[0, 0]
        row = np.minimum(np.maximum(row, -LARGEST), LARGEST)
        self._newest = self._first.read(row)
        raw: Array = self._weight.dot(self._newest.output) + self._bias
        return raw[np.newaxis]

    @property
    def state(self) -> Any:
        """The state of each recurrent layer after the newest step."""
        assert self._newest is not None
        return self._newest.state


class _Part(Protocol):
    """A layer, and the layers behind it."""

    def read(self, row: Array) -> "_Recurrence":
        """Read one more step, and give the recurrent layers that have read it."""


class _Convolution:
    """A convolution with pooling, and what follows on it, once for each place of the newest step in its block."""

    def __init__(self, layer: Any, norm: Any, pool_size: int, make_next: Callable[[], _Part]) -> None:
        weight = layer.weight.detach().double().numpy()
        normalises = isinstance(norm, BatchNorm)
        scale, self._bias = norm.scale_and_shift() if normalises else (1.0, layer.bias.detach().double().numpy())
        n_filters, self._n_features, kernel_size = weight.shape
        by_step = weight.transpose(2, 1, 0).reshape(-1, n_filters)  # (step and feature, filter)
        self._weight = np.ascontiguousarray((by_step * scale).T)
        self._window = np.zeros(kernel_size * self._n_features)  # in front of the sequence are zeros
        self._block: deque[Array] = deque(maxlen=pool_size)
        self._make_next = make_next
        self._next: list[_Part | None] = [None] * pool_size
        self._n_steps = 0

    def read(self, row: Array) -> "_Recurrence":
        self._window[: -self._n_features] = self._window[self._n_features :]
        self._window[-self._n_features :] = row
        self._block.append(np.maximum(self._weight.dot(self._window) + self._bias, 0.0))
        place = self._n_steps % len(self._next)
        self._n_steps += 1
        following = self._next[place]
        if following is None:
            following = self._next[place] = self._make_next()
        return following.read(self._block[0] if len(self._next) == 1 else np.maximum.reduce(self._block))


class _Recurrence:
    """The recurrent layers, and what the head reads of their states."""

    def __init__(self, network: Any, state: Any) -> None:
        self._network = network
        self._state = state
        layers = list(network.recurrent)
        self._steps: list[SingleStep] = []
        if network.runs_by_kernels() and all(SingleStep.can_replace(layer.forwards) for layer in layers):
            initial = [None] * len(layers) if state is None else state
            self._steps = [SingleStep(layer.forwards, of) for layer, of in zip(layers, initial, strict=True)]
        self._is_residual = [layer.is_residual for layer in layers]
        self._readout = None if network.return_sequences or network.architecture.pooling == "last" else network.readout
        self._read_so_far: Any = None
        self._sum_of_skipped: Any = 0.0
        self._n_steps = 0
        self.output: Array = np.empty(0)

    @property
    def state(self) -> Any:
        """The state of each layer."""
        return [step.states for step in self._steps] or self._state

    def read(self, row: Array) -> "_Recurrence":
        final = self._last_layer(row)
        self._n_steps += 1
        if self._readout is not None:
            with torch.inference_mode():
                self._read_so_far = self._readout.extend(self._read_so_far, torch.from_numpy(final)[None, None])
                final = self._readout.read(self._read_so_far)[0].numpy()
        if self._network.skip is not None:
            self._sum_of_skipped = self._sum_of_skipped + row
            final = np.concatenate([final, self._sum_of_skipped / self._n_steps])
        self.output = final
        return self

    def _last_layer(self, row: Array) -> Array:
        """The hidden state of the last layer after one more step; what a network without any reads is its own."""
        if not len(self._network.recurrent):
            return row
        if not self._steps:
            with torch.inference_mode():
                x = narrowed(torch.from_numpy(row), self._network.head.weight.dtype)[None, None]
                states, _, self._state = self._network.recurrent(x, self._state)
                return states[0, 0].double().numpy()
        for step, is_residual in zip(self._steps, self._is_residual, strict=True):
            step.x[:] = row
            step.read()
            row = step.state + step.x if is_residual else step.state
        return row.astype(np.float64)
