"""Layers that only predict: what a call of a kernel needs is looked up once."""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from sklrnn.kernels._arguments import FLOAT_BYTES
from sklrnn.kernels._forward_call import SavedForward, forward_calls, forward_layout, run_forward
from sklrnn.kernels._library import Kernel
from sklrnn.kernels._runtime import Weights, allocate
from sklrnn.kernels.autograd import contiguous_features, fewest_steps, kernel_for, n_states_of


class ForwardLayer(NamedTuple):
    """A layer and its kernel; the weights are read anew at each call."""

    kernel: Kernel
    weights: Weights
    fewest_steps: int

    @classmethod
    def of(cls, layer: Any) -> "ForwardLayer | None":
        """None where torch has to run the layer, however long sequences are."""
        n_steps = fewest_steps(layer.hidden_size)
        found = kernel_for(layer, torch.empty(1, 1, layer.input_size).expand(n_steps, 1, layer.input_size))
        return None if found is None else cls(*found[1:], n_steps)

    def can_read(self, n_steps: int) -> bool:
        """Whether the kernel is faster than torch for so many steps."""
        return n_steps >= self.fewest_steps

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """All states (time, row, unit), and the final one (row, unit), for x (time, row, feature)."""
        _, (states, final, *_) = run_forward(self.kernel, contiguous_features(x), None, (), self.weights, save=False)
        return states, final[0]


class SingleStep:
    """A layer that reads one sequence step by step, in arrays that stay the same.

    ``read`` takes ``x``, which the caller has filled, and replaces the ``states``: of an LSTM also the cell state.
    """

    def __init__(self, layer: Any, initial_states: Any = None) -> None:
        self.layer = layer
        self.x_tensor = torch.zeros(1, 1, layer.input_size)
        self.state_tensors = tuple(torch.zeros(1, 1, layer.hidden_size) for _ in range(n_states_of(layer)))
        if initial_states is not None:
            for tensor, initial in zip(self.state_tensors, initial_states, strict=True):
                tensor.copy_(initial)
        self._prepare()

    @property
    def states(self) -> tuple[Tensor, ...]:
        """The states, in arrays that change with the next step."""
        return self.state_tensors

    @staticmethod
    def can_replace(layer: Any) -> bool:
        """Whether a kernel reads single steps of this layer."""
        return kernel_for(layer, torch.zeros(1, 1, layer.input_size)) is not None

    def _prepare(self) -> None:
        found = kernel_for(self.layer, self.x_tensor)
        assert found is not None
        _, kernel, weights = found
        x, states = self.x_tensor, self.state_tensors
        layout = forward_layout(kernel, 1, 1, x.shape[2], states[0].shape[2], 1, False)
        saved = SavedForward(allocate(x, 1, 1, layout.width), allocate(x, layout.end // FLOAT_BYTES), layout)
        # The kernel copies the initial states before it writes the final ones, so both may lie in one place.
        (self._call,) = forward_calls(kernel, x, None, states, weights, saved, states, save=False)
        self._forward, self._keep_alive = kernel.forward, (weights, saved)
        self.x, self.state = x.numpy()[0, 0], states[0].numpy()[0, 0]

    def read(self) -> None:
        """Read one step."""
        self._forward(*self._call)

    def __getstate__(self) -> dict[str, Any]:
        return {"layer": self.layer, "x_tensor": self.x_tensor, "state_tensors": self.state_tensors}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._prepare()
