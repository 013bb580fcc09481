"""The head: one product, of the vector of a sequence or of the states of all steps.

::

    y = v W' + b        dW = dy' v,  db = sum dy,  dv = dy W
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sklrnn.kernels.program import head_part
from sklrnn.training.operations.signal import EpochArrays, Instructions, Signal, refuse_frozen

# Of more of them, torch's product of matrices is faster than one row after the other.
_MOST_OUTPUTS = 64


class Head:
    """Raw outputs (row, output) from parts beside each other; rows are samples, or all steps of all samples."""

    def __init__(self, head: Any, parts: Sequence[Signal]) -> None:
        refuse_frozen("the head", head.parameters())
        self._parts = [part.values.flatten(0, -2) for part in parts]
        first = self._parts[0]
        n_rows = len(first)
        self._input = first if len(parts) == 1 else first.new_empty(n_rows, head.in_features)
        self.raw = first.new_empty(n_rows, head.out_features)
        self.grad_raw = torch.zeros_like(self.raw)
        self._weight, self._bias = head.weight.detach(), head.bias.detach()
        self._grad_weight, self._grad_bias = head.weight.grad, head.bias.grad.numpy()
        self._transposed = self._weight.t(), self.grad_raw.t()
        ends = np.cumsum([part.shape[1] for part in self._parts])
        self._columns = [slice(end - part.shape[1], end) for part, end in zip(self._parts, ends, strict=True)]
        self._gradients = [None if part.gradient is None else part.gradient.flatten(0, -2) for part in parts]
        self._to_parts = [
            (self._weight[:, columns], gradient)
            for gradient, columns in zip(self._gradients, self._columns, strict=True)
            if gradient is not None
        ]

    def forward(self, batch: dict[str, Tensor]) -> None:
        if len(self._parts) > 1:
            for part, columns in zip(self._parts, self._columns, strict=True):
                self._input[:, columns] = part
        torch.addmm(self._bias, self._input, self._transposed[0], out=self.raw)

    def backward(self) -> None:
        torch.mm(self._transposed[1], self._input, out=self._grad_weight)
        np.add.reduce(self.grad_raw.numpy(), 0, out=self._grad_bias)
        for weight, gradient in self._to_parts:
            torch.mm(self.grad_raw, weight, out=gradient)

    def instructions(self, epoch: EpochArrays) -> Instructions | None:
        if self.raw.shape[1] > _MOST_OUTPUTS:
            return None
        pairs = [
            head_part(
                (self._weight[:, columns], self._grad_weight[:, columns]),
                (self._bias, torch.from_numpy(self._grad_bias)),
                (values, gradient),
                (self.raw, self.grad_raw),
                is_first=columns.start == 0,
            )
            for values, gradient, columns in zip(self._parts, self._gradients, self._columns, strict=True)
        ]
        return [forward for forward, _ in pairs], [backward for _, backward in pairs]
