"""Batches as slices of arrays: the input of the training loop."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sklrnn.inputs.ragged import Ragged, Sequences, concatenate_steps, for_each_step
from sklrnn.inputs.samples import Samples
from sklrnn.nn.layers import real_steps
from sklrnn.training.device_rows import DeviceRows

Array = NDArray[Any]
Batch = tuple[dict[str, Tensor], Tensor]

# So many numbers are gathered at once, and stay in a cache until their batch comes. For batches of a few kilobytes the
# calls would take longer than the copies.
_GATHERED_NUMBERS = 2**17


def as_tensor(X: Array, device: torch.device) -> Tensor:
    """Move sequences to a device, in single precision where it has no other."""
    tensor = torch.from_numpy(X)
    if device.type == "cuda":  # from pinned memory the copy runs beside what the GPU computes
        return tensor.pin_memory().to(device, non_blocking=True)
    return (tensor.float() if device.type == "mps" and tensor.is_floating_point() else tensor).to(device)


def padded_tensors(X: Sequences, device: torch.device) -> tuple[Tensor, Tensor | None]:
    """Sequences as one tensor, and their lengths where these differ."""
    if not isinstance(X, Ragged):
        return as_tensor(X, device), None
    lengths = None if (X.lengths == X.lengths[0]).all() else torch.from_numpy(X.lengths).to(device)
    return as_tensor(X.padded(), device), lengths


def without_padding(raw: Tensor, target: Tensor, x: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Raw outputs, targets and weights of a batch, one row for each prediction; padding need not be finite."""
    weight = x["weight"]
    if weight.ndim == 1:
        return raw, target, weight
    lengths = x.get("lengths")
    if lengths is None:
        return raw.flatten(0, 1), target.flatten(0, 1), weight.flatten(0, 1)
    real = real_steps(lengths, weight.shape[1])
    return raw[real], target[real], weight[real]


class Batches:
    """Tensors batch by batch; windows that are a view are gathered a few batches at a time.

    Where sequences differ in length, those of about the same length share a batch.
    """

    def __init__(self, samples: Samples, *, batch_size: int, device: torch.device, seed: int | None = None) -> None:
        self.samples = samples
        self.batch_size = batch_size
        self.device = device
        self.seed = seed
        self.epoch = 0
        self.order = samples.nonzero_weight
        self.lengths = samples.X.lengths if isinstance(samples.X, Ragged) else None
        self.y = self._prepare(samples.y)
        self.weights = self._prepare(self._scaled_weights())
        self._on_device = DeviceRows()

    def set_epoch(self, epoch: int) -> None:
        """Choose the order in which an epoch draws its samples."""
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-len(self.order) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        resident = self._on_device.of([self.samples.X, self.weights, self.y], self.device)
        if resident is not None:
            yield from self._gather_there(resident)
            return
        n_at_once = 1
        if self.lengths is None:
            n_at_once = max(1, _GATHERED_NUMBERS // (self.batch_size * math.prod(self.samples.X.shape[1:])))
        for chosen in self._chosen_samples(n_at_once):
            x, lengths = padded_tensors(self.samples.X[chosen], self.device)
            weight, y = self._fetch(self.weights, chosen), self._fetch(self.y, chosen)
            if lengths is not None:
                yield {"x": x, "weight": weight, "lengths": lengths}, y
                continue
            for part, its_weight, its_y in zip(*(one.split(self.batch_size) for one in (x, weight, y)), strict=True):
                yield {"x": part, "weight": its_weight}, its_y

    def _gather_there(self, resident: list[Tensor]) -> Iterator[Batch]:
        for chosen in torch.from_numpy(self.epoch_order()).to(self.device).split(self.batch_size):
            x, weight, y = (rows.index_select(0, chosen) for rows in resident)
            yield {"x": x, "weight": weight}, y

    def count_sequences(self, batch: Batch) -> int:
        """How many sequences a batch has that do not depend on each other."""
        x = batch[0]
        return x.n_streams if isinstance(x, SegmentBatch) else len(x["x"])

    def take_sequences(self, batch: Batch, first: int, end: int) -> Batch:
        """Some of its consecutive sequences."""
        x, y = batch
        return {name: part[first:end] for name, part in x.items()}, y[first:end]

    def n_rows(self, batch: Batch) -> int:
        """Its number of rows, which the mean over several batches weighs it by."""
        return batch[1].shape[0]

    def _chosen_samples(self, n_batches: int = 1) -> Iterator[Array]:
        """The samples of each batch, or of so many batches at once."""
        rng, n = self._generator(), n_batches * self.batch_size
        order, starts = self.epoch_order(rng), np.arange(0, len(self.order), n)
        if rng is not None and self.lengths is not None:
            lengths = self.lengths[order]
            # Not exactly by length: the same sequences should not share a batch in every epoch.
            order = order[np.argsort(lengths * rng.uniform(0.9, 1.1, len(order)), kind="stable")]
            starts = rng.permutation(starts)
        return (order[start : start + n] for start in starts)

    def epoch_order(self, rng: np.random.Generator | None = None) -> Array:
        """The samples in the order in which this epoch draws them, if their lengths don't matter."""
        rng = rng or self._generator()
        return self.order if rng is None else rng.permutation(self.order)

    def _generator(self) -> np.random.Generator | None:
        """One of its own for each epoch, so that training can be continued from its seed and epoch."""
        return np.random.default_rng([self.seed, self.epoch]) if self.seed is not None and len(self) > 1 else None

    def _scaled_weights(self) -> Sequences:
        """Weights of samples or steps, with a mean of one over the samples of nonzero weight."""
        weights: Any = self.samples.weights
        if not self.samples.per_timestep:
            if weights is None:
                return np.ones(len(self.samples.X), dtype=np.float32)
            scaled: Array = weights * (len(self.order) / weights[self.order].sum())
            return scaled
        if weights is None:
            weights = for_each_step(lambda y: np.ones(len(y)), self.samples.y)
        scale = len(self.order) / concatenate_steps(weights[self.order]).sum()
        return for_each_step(lambda steps: steps * scale, weights)

    def _prepare(self, values: Sequences) -> Sequences:
        """Integers, and what is computed when it is indexed, as they are; other numbers in single precision."""
        if values.dtype.kind == "i" or not isinstance(values, np.ndarray | Ragged):
            return values
        if isinstance(values, Ragged):
            return Ragged.from_lengths(values.flat().astype(np.float32), values.lengths)
        return np.ascontiguousarray(values, dtype=np.float32)

    def _fetch(self, values: Sequences, chosen: Array) -> Tensor:
        part: Any = values[chosen]
        return as_tensor(part.padded() if isinstance(part, Ragged) else part, self.device)


class SegmentBatch(dict[str, Tensor]):
    """The tensors of a batch of segments, each of which follows on a segment of the batch before it.

    The segments belong to ``n_streams`` sequences. ``is_first`` marks the segments that sequences begin with, from a
    state of zeros.
    """

    def __init__(self, *, n_streams: int, is_first: bool, **tensors: Tensor) -> None:
        super().__init__(tensors)
        self.n_streams = n_streams
        self.is_first = is_first


class StatefulBatches(Batches):
    """Samples as consecutive segments of one sequence, which is cut into parallel streams of equal length.

    Each batch holds the next segments of all streams. Where the samples can't be shared out evenly, the last stream
    begins earlier: samples that it has in common with the one before have no weight in it, and only warm up its state.
    """

    def __init__(self, samples: Samples, *, n_streams: int, batch_size: int, device: torch.device) -> None:
        super().__init__(samples, batch_size=batch_size, device=device)
        n_samples = len(samples.X)
        length = -(-n_samples // n_streams)
        if length == 1 < n_samples:
            raise ValueError(
                f"stateful=True with batch_size={batch_size} cuts {n_samples} samples into as many streams of one "
                f"segment each, so there is no state to pass on. Set batch_size to {n_samples // 2} or less: it is the "
                "number of parallel streams, and the fewer there are, the longer they get."
            )
        starts = np.minimum(np.arange(0, n_samples, length), n_samples - length)
        self.samples_of = starts[:, np.newaxis] + np.arange(length)  # (stream, segment)
        self.segments_at_once = max(1, batch_size // len(starts))
        weights = samples.weights
        if weights is None:
            weights = np.ones(samples.y.shape[:2] if samples.per_timestep else n_samples)
        used = weights[self.samples_of]  # (stream, segment), or (stream, segment, time)
        used[1:][self.samples_of[1:] <= self.samples_of[:-1, -1:]] = 0.0
        # Samples of weight 0 are part of the sequence: the mean over all of them is to be that over the others.
        used *= self.samples_of.size / used.sum()
        self.weights_of = torch.from_numpy(used.astype(np.float32)).to(device)

    def __len__(self) -> int:
        return -(-self.samples_of.shape[1] // self.segments_at_once)

    def __iter__(self) -> Iterator[Batch]:
        n_streams, length = self.samples_of.shape
        for start in range(0, length, self.segments_at_once):
            now = slice(start, start + self.segments_at_once)
            chosen = self.samples_of[:, now].reshape(-1)
            segments = SegmentBatch(
                n_streams=n_streams,
                is_first=start == 0,
                x=as_tensor(self.samples.X[chosen], self.device),
                weight=self.weights_of[:, now].flatten(0, 1),
            )
            yield segments, self._fetch(self.y, chosen)

    def take_sequences(self, batch: Any, first: int, end: int) -> Batch:
        """All segments of some streams, which lie one behind the other."""
        x, y = batch
        each = len(y) // x.n_streams
        chosen = slice(each * first, each * end)
        parts = {name: part[chosen] for name, part in x.items()}
        return SegmentBatch(n_streams=end - first, is_first=x.is_first, **parts), y[chosen]
