"""Batches of samples that come in blocks and never lie in memory together."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sklrnn.training.batches import Batch, Batches, as_tensor

Array = NDArray[Any]
Arrays = tuple[Array, ...]  # sequences, targets and weights of some samples


class BlockBatches(Batches):
    """Batches of samples that are read anew in each epoch, in an order that is shuffled within a bounded buffer.

    ``read(rng)`` gives the samples of an epoch as arrays of sequences, targets and weights; it may draw the order of
    its blocks from ``rng``. The buffer is filled first. Then each batch is drawn from it at random, and the samples
    that are read next take its place. A buffer that holds all samples gives the same epochs as ``Batches``.
    ``identity`` is a hash of the data, for checkpoints.
    """

    def __init__(
        self,
        read: Callable[[np.random.Generator | None], Iterable[Arrays]],
        *,
        n_samples: int,
        batch_size: int,
        buffer_size: int,
        device: torch.device,
        seed: int | None,
        identity: str,
    ) -> None:
        self._read = read
        self.n_samples = n_samples
        self.batch_size = batch_size
        self.buffer_size = batch_size * min(-(-buffer_size // batch_size), len(self))
        self.device = device
        self.seed = seed
        self.epoch = 0
        self.identity = f"{identity} {n_samples} {batch_size} {self.buffer_size} {seed}"
        self.report: Callable[[], object] | None = None  # called after each batch

    def __len__(self) -> int:
        return -(-self.n_samples // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        rng = self._generator()
        holds_all = self.buffer_size >= self.n_samples
        pieces = self._pieces(self._read(None if holds_all else rng))
        for x, y, weight in pieces if rng is None else self._shuffled(pieces, rng):
            yield {"x": as_tensor(x, self.device), "weight": as_tensor(weight, self.device)}, as_tensor(y, self.device)
            if self.report is not None:
                self.report()

    def _pieces(self, parts: Iterable[Arrays]) -> Iterator[Arrays]:
        """The samples in the order in which they are read, as many at a time as a batch has; the last may be fewer."""
        kept: list[Arrays] = []
        n_kept = n_read = 0
        for part in parts:
            start, n = 0, len(part[0])
            n_read += n
            while start < n:
                end = min(n, start + self.batch_size - n_kept)
                kept.append(tuple(values[start:end] for values in part))
                n_kept, start = n_kept + end - start, end
                if n_kept == self.batch_size:
                    yield _join(kept)
                    kept, n_kept = [], 0
        if n_read != self.n_samples:
            raise ValueError(
                f"The source gave {n_read} training samples in epoch {self.epoch + 1}, and {self.n_samples} when it "
                "was first read. It must give the same blocks each time it is read."
            )
        if kept:
            yield _join(kept)

    def _shuffled(self, pieces: Iterable[Arrays], rng: np.random.Generator) -> Iterator[Arrays]:
        buffer: Arrays = ()
        n = 0
        for piece in pieces:
            size = len(piece[0])
            if not buffer:
                buffer = tuple(np.empty((self.buffer_size, *values.shape[1:]), values.dtype) for values in piece)
            if n + size <= self.buffer_size:
                places: Any = slice(n, n + size)
                n += size
            else:
                places = rng.choice(n, size, replace=False)
                yield tuple(values[places] for values in buffer)
            for values, new in zip(buffer, piece, strict=True):
                values[places] = new
        order = rng.permutation(np.arange(n))
        for start in range(0, n, self.batch_size):
            yield tuple(values[order[start : start + self.batch_size]] for values in buffer)


def _join(parts: list[Arrays]) -> Arrays:
    """Copies, as windows may be a view."""
    return tuple(np.concatenate(values) for values in zip(*parts, strict=True))
