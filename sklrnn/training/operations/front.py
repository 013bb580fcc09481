"""What makes numbers (time, sample, feature) of a batch: standardisation, or the vectors of tokens.

::

    standardise   z = (x - mean) / spread
    embed         z_t = E[token_t]               dE[k] = sum of dz_t over all t with token k
"""

import numpy as np
import torch
from torch import Tensor

from sklrnn.kernels.program import move, standardise
from sklrnn.nn.layers import Standardise, TokenEmbedding
from sklrnn.nn.window_scale import StandardiseWindow
from sklrnn.training.operations.readout import padding_of
from sklrnn.training.operations.signal import Array, EpochArrays, Instructions, LeftToAutograd, Signal

# Of more of them no standardised copy is kept.
_MOST_NUMBERS = 2**24
_NUMBERS_AT_ONCE = 2**20


class StandardiseBatch:
    """Standardises in the precision of the batch. Padding becomes zero."""

    def __init__(self, layer: Standardise, x: Tensor) -> None:
        if not x.is_floating_point():
            raise LeftToAutograd(f"the numbers are {x.dtype}")
        self._layer = layer
        n_rows, n_steps, n_features = x.shape
        self.output = Signal(torch.empty(n_steps, n_rows, n_features * (2 if layer.flag_missing else 1)), None)
        self._as_batch = self.output.values.transpose(0, 1).numpy()  # (sample, time, feature), as batches come
        self._is_simple = not layer.flag_missing and not isinstance(layer, StandardiseWindow)
        if self._is_simple:
            self._mean, self._spread = (part.to(x.dtype).numpy() for part in (layer.mean, layer.spread))
            self._centred = np.empty(x.shape, dtype=self._mean.dtype)

    def forward(self, batch: dict[str, Tensor]) -> None:
        x, lengths = batch["x"], batch.get("lengths")
        if self._is_simple:
            np.subtract(x.numpy(), self._mean, out=self._centred)
            np.divide(self._centred, self._spread, out=self._as_batch)
        else:
            np.copyto(self._as_batch, self._layer(x, lengths).numpy(), casting="same_kind")
        if lengths is not None:
            self.output.values.masked_fill_(padding_of(lengths, x.shape[1]), 0.0)

    def backward(self) -> None:
        """Nothing to do: nothing is learnt here."""

    def instructions(self, epoch: EpochArrays) -> Instructions | None:
        n_features = self.output.values.shape[2]
        if self._is_simple:
            x, mean, spread = epoch.x, self._mean, self._spread
        else:
            if epoch.x.size > _MOST_NUMBERS:
                return None
            if epoch.standardised is None:
                epoch.standardised = self._standardised(epoch.x, n_features)
            x, mean, spread = epoch.standardised, np.zeros(n_features, np.float32), np.ones(n_features, np.float32)
        samples = epoch.order, epoch.batch_size
        return [standardise(self.output.values, x, mean, spread, samples)], []

    def _standardised(self, x: Array, n_features: int) -> Array:
        """All samples, standardised some at a time."""
        standardised = np.empty((*x.shape[:2], n_features), dtype=np.float32)
        n_at_once = max(1, _NUMBERS_AT_ONCE // x[0].size)
        for start in range(0, len(x), n_at_once):
            some = slice(start, start + n_at_once)
            standardised[some] = self._layer(torch.from_numpy(np.array(x[some]))).numpy()
        return standardised


class Embed:
    """The vectors of tokens. Padding becomes zero, and gives no gradient."""

    def __init__(self, layer: TokenEmbedding, x: Tensor) -> None:
        if layer.weight.grad is None:
            raise LeftToAutograd("the embedding is frozen")
        self._layer = layer
        self._weight, self._grad_weight = layer.weight.detach(), layer.weight.grad
        shape = x.shape[1], x.shape[0], layer.weight.shape[1]
        self.output = Signal(torch.empty(shape), torch.zeros(shape))
        self._padding: Tensor | None = None

    def forward(self, batch: dict[str, Tensor]) -> None:
        lengths, values = batch.get("lengths"), self.output.values
        self._rows = self._layer.rows(batch["x"]).t().reshape(-1)
        torch.index_select(self._weight, 0, self._rows, out=values.view(-1, values.shape[2]))
        self._padding = None if lengths is None else padding_of(lengths, len(values))
        if self._padding is not None:
            values.masked_fill_(self._padding, 0.0)

    def backward(self) -> None:
        gradient = self.output.gradient
        if self._padding is not None:
            gradient.masked_fill_(self._padding, 0.0)
        self._grad_weight.zero_().index_add_(0, self._rows, gradient.flatten(0, 1))


class NewestInput:
    """The last steps of the input side by side: (sample, step and feature)."""

    def __init__(self, source: Signal, n_steps: int) -> None:
        steps = source.values[-n_steps:].transpose(0, 1)  # (sample, step, feature)
        self._steps = steps
        self.output = Signal(torch.empty(len(steps), steps[0].numel()), None)

    def forward(self, batch: dict[str, Tensor]) -> None:
        self.output.values.view(self._steps.shape).copy_(self._steps)

    def backward(self) -> None:
        """Nothing to do: nothing is learnt below."""

    def instructions(self, epoch: EpochArrays) -> Instructions:
        steps = self._steps.transpose(0, 1)
        return [move(self.output.values.view(self._steps.shape).transpose(0, 1), steps)], []
