"""What makes numbers (time, sample, feature) of a batch: standardisation, or the vectors of tokens.

::

    standardise   z = (x - mean) / spread
    embed         z_t = E[token_t]               dE[k] = sum of dz_t over all t with token k
    context       z_t = z_t + W c                dW = sum of dz_t c' over all t
    padding       z_t = 0                        dz_t = 0
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sklrnn.kernels.program import move, standardise
from sklrnn.nn.layers import Standardise, TokenEmbedding
from sklrnn.nn.window_scale import StandardiseWindow
from sklrnn.training.operations.readout import padding_of
from sklrnn.training.operations.recurrent import make_signal
from sklrnn.training.operations.signal import (
    Array,
    EpochArrays,
    Instructions,
    LeftToAutograd,
    Operation,
    Signal,
    refuse_frozen,
)

# Of more of them no standardised copy is kept.
_MOST_NUMBERS = 2**24
_NUMBERS_AT_ONCE = 2**20


class StandardiseBatch:
    """Standardises in the precision of the batch."""

    def __init__(self, layer: Standardise, x: Tensor) -> None:
        if not x.is_floating_point():
            raise LeftToAutograd(f"the numbers are {x.dtype}")
        self._layer = layer
        n_rows, n_steps, n_features = x.shape
        self.output = Signal(torch.empty(n_steps, n_rows, n_features * (2 if layer.flag_missing else 1)), None)
        self._is_simple = not layer.flag_missing and not isinstance(layer, StandardiseWindow)
        if self._is_simple:
            self._mean, self._spread = (part.to(x.dtype) for part in (layer.mean, layer.spread))
            values = self.output.values
            self._centred = values if values.dtype == x.dtype else torch.empty(values.shape, dtype=x.dtype)

    def forward(self, batch: dict[str, Tensor]) -> None:
        x = batch["x"]
        if self._is_simple:
            torch.sub(x.transpose(0, 1), self._mean, out=self._centred)
            torch.div(self._centred, self._spread, out=self.output.values)
        else:
            self.output.values.copy_(self._layer(x, batch.get("lengths")).transpose(0, 1))

    def backward(self) -> None:
        """Nothing to do: nothing is learnt here."""

    def instructions(self, epoch: EpochArrays) -> Instructions | None:
        n_features = self.output.values.shape[2]
        if self._is_simple:
            x, mean, spread = epoch.x, self._mean.numpy(), self._spread.numpy()
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
    """The vectors of tokens. ``rows_of`` finds their rows, (time, sample), in the table of vectors."""

    def __init__(
        self, table: nn.Parameter, n_steps: int, n_rows: int, rows_of: Callable[[dict[str, Tensor]], Tensor]
    ) -> None:
        refuse_frozen("an embedding", [table])
        self._table, self._rows_of = table.detach(), rows_of
        self._grad_table: Any = table.grad
        self.output = make_signal(n_steps, n_rows, table.shape[1])

    def forward(self, batch: dict[str, Tensor]) -> None:
        self._rows = self._rows_of(batch).reshape(-1)
        torch.index_select(self._table, 0, self._rows, out=self.output.values.flatten(0, 1))

    def backward(self) -> None:
        self._grad_table.zero_().index_add_(0, self._rows, self.output.gradient.flatten(0, 1))


class AddContext:
    """Adds a product of the standardised context of each sequence to all its steps. In place."""

    def __init__(self, product: nn.Linear, standardise: Standardise, source: Signal) -> None:
        refuse_frozen("the product of the context", [product.weight])
        self._standardise, self._source = standardise, source
        self._weight, self._grad_weight = product.weight.detach(), product.weight.grad

    def forward(self, batch: dict[str, Tensor]) -> None:
        self._context = self._standardise(batch["context"]).to(self._weight.dtype)  # (sample, feature)
        self._source.values.add_(self._context @ self._weight.t())

    def backward(self) -> None:
        torch.mm(self._source.gradient.sum(dim=0).t(), self._context, out=self._grad_weight)


class ClearPadding:
    """Sets steps behind the end of a sequence to zero, and their gradients. In place."""

    def __init__(self, source: Signal) -> None:
        self._source = source

    def forward(self, batch: dict[str, Tensor]) -> None:
        values = self._source.values
        self._padding = padding_of(batch["lengths"], len(values))
        values.masked_fill_(self._padding, 0.0)

    def backward(self) -> None:
        if self._source.gradient is not None:
            self._source.gradient.masked_fill_(self._padding, 0.0)


def front_operations(network: Any, batch: dict[str, Tensor]) -> tuple[list[Operation], Signal]:
    """The operations that make numbers of the sequences of a batch, with whichever front layer a network has."""
    x = batch["x"]
    embedding = network.embedding
    front: Embed | StandardiseBatch
    if isinstance(embedding, TokenEmbedding):
        front = Embed(embedding.weight, x.shape[1], x.shape[0], lambda batch: embedding.rows(batch["x"]).t())
    else:
        front = StandardiseBatch(network.standardise, x)
    return [front, ClearPadding(front.output)] if "lengths" in batch else [front], front.output


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
