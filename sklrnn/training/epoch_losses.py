"""The losses of an epoch's batches, and what the history keeps of them."""

from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sklrnn.training.batches import Batch, Batches, without_padding
from sklrnn.training.shared_batches import SharedBatches
from sklrnn.training.temperature import ValidationLogits


class EpochLosses:
    """Collects the loss of each batch; the history of every batch is kept only where a callback may read it."""

    def __init__(self, net: Any, batches: Batches | SharedBatches, training: bool, prefix: str) -> None:
        self._net, self._batches, self._prefix, self._n = net, batches, prefix, len(batches)
        # On another device losses stay there until the epoch is over: reading one would wait for it.
        self._on_cpu = torch.device(net.device).type == "cpu"
        self._losses: Any = np.empty(self._n) if self._on_cpu else torch.empty(self._n, device=net.device)
        self._sizes = np.empty(self._n)
        has_logits = not training and getattr(net.criterion_, "is_log_loss", False)
        self._logits = ValidationLogits() if has_logits else None

    def add(self, number: int, batch: Batch, step: dict[str, Any]) -> None:
        loss = step["loss"]
        self.add_loss(number, loss.detach() if isinstance(loss, Tensor) else loss, self._batches.n_rows(batch))
        if self._logits is not None:
            self._logits.add(*without_padding(step["y_pred"], batch[1], batch[0]))

    def add_loss(self, number: int, loss: Any, size: int) -> None:
        self._losses[number], self._sizes[number] = loss, size
        if self._net.callbacks:
            if not self._net.is_watched:  # otherwise skorch has begun it
                self._net.history.new_batch()
            self._net.history.record_batch(f"{self._prefix}_loss", float(loss))
            self._net.history.record_batch(f"{self._prefix}_batch_size", size)

    def record(self) -> None:
        """Write the mean loss into the history."""
        history, prefix = self._net.history, self._prefix
        if self._net.callbacks:
            history.record(f"{prefix}_batch_count", self._n)
        losses = np.asarray(self._losses if self._on_cpu else self._losses.cpu(), dtype=np.float64)
        processes = self._net.processes
        total, n_rows = processes.sums(losses @ self._sizes, self._sizes.sum())
        loss = float(total / n_rows)
        if self._logits is not None:
            self._logits.gather(processes)
            loss, temperature = processes.of_first(partial(self._logits.soften, loss))
            history.record("temperature", temperature)
        history.record(f"{prefix}_loss", loss)
