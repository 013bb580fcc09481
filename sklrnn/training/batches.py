"""Batches as slices of arrays: what the training loop is fed with."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sklrnn.inputs.ragged import Ragged, Sequences, concatenate_steps, for_each_step
from sklrnn.inputs.samples import Samples

Array = NDArray[Any]
Batch = tuple[dict[str, Tensor], Tensor]


def as_tensor(X: Array, device: torch.device) -> Tensor:
    """Put sequences on a device, in single precision where it knows no other."""
    tensor = torch.from_numpy(X)
    return (tensor.float() if device.type == "mps" and tensor.is_floating_point() else tensor).to(device)


def padded_tensors(X: Sequences, device: torch.device) -> tuple[Tensor, Tensor | None]:
    """Sequences as one tensor, and their lengths where these differ."""
    if not isinstance(X, Ragged):
        return as_tensor(X, device), None
    lengths = None if (X.lengths == X.lengths[0]).all() else torch.from_numpy(X.lengths).to(device)
    return as_tensor(X.padded(), device), lengths


class Batches:
    """Gives tensors batch by batch; sequences given as a window view are gathered a batch at a time.

    Where sequences differ in length, those of about the same length share a batch.
    """

    def __init__(self, rows: Samples, *, batch_size: int, device: torch.device, seed: int | None = None) -> None:
        self.rows = rows
        self.batch_size = batch_size
        self.device = device
        self.seed = seed
        self.epoch = 0
        self.order = rows.nonzero_weight
        self.lengths = rows.X.lengths if isinstance(rows.X, Ragged) else None
        self.y = self._prepare(rows.y)
        self.weights = self._prepare(self._shares())

    def __len__(self) -> int:
        return -(-len(self.order) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        for chosen in self._choices():
            x, lengths = padded_tensors(self.rows.X[chosen], self.device)
            batch = {"x": x, "weight": self._fetch(self.weights, chosen)}
            if lengths is not None:
                batch["lengths"] = lengths
            yield batch, self._fetch(self.y, chosen)

    def _choices(self) -> Iterator[Array]:
        order = self.order
        starts = np.arange(0, len(order), self.batch_size)
        if self.seed is not None and len(self) > 1:
            # A generator of its own for each epoch: training can be continued from nothing but numbers.
            rng = np.random.default_rng([self.seed, self.epoch])
            order = rng.permutation(order)
            if self.lengths is not None:
                lengths = self.lengths[order]
                # Inexactly: the same sequences should not meet in every epoch.
                order = order[np.argsort(lengths * rng.uniform(0.9, 1.1, len(order)), kind="stable")]
                starts = rng.permutation(starts)
        return (order[start : start + self.batch_size] for start in starts)

    def _shares(self) -> Sequences:
        """What each row, or each step, counts: one for a row, in the mean over the rows that count."""
        weights: Any = self.rows.weights
        if not self.rows.per_timestep:
            weights = np.ones(len(self.rows.X)) if weights is None else weights
            scaled: Array = weights * (len(self.order) / weights[self.order].sum())
            return scaled
        if weights is None:
            weights = for_each_step(lambda y: np.ones(len(y)), self.rows.y)
        scale = len(self.order) / concatenate_steps(weights[self.order]).sum()
        return for_each_step(lambda steps: steps * scale, weights)

    def _prepare(self, values: Sequences) -> Sequences:
        """Whole numbers as they are, all others in single precision."""
        if values.dtype.kind == "i":
            return values
        if isinstance(values, Ragged):
            return Ragged.from_lengths(values.flat().astype(np.float32), values.lengths)
        return np.ascontiguousarray(values, dtype=np.float32)

    def _fetch(self, values: Sequences, chosen: Array) -> Tensor:
        part: Any = values[chosen]
        return torch.from_numpy(part.padded() if isinstance(part, Ragged) else part).to(self.device)


class Segments(dict[str, Tensor]):
    """The tensors of a batch that follows on the one before it: each strand is a sequence, some segments of it are here."""

    n_strands: int
    first: bool
    begin: Any = None
