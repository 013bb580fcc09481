"""Batches of segments that follow on each other: one long sequence, cut into strands that are read side by side."""

from collections.abc import Iterator

import numpy as np
import torch

from sklrnn.inputs.samples import Samples
from sklrnn.training.batches import Batch, Batches, Segments, as_tensor


class Strands(Batches):
    """Rows in their own order, shared out on strands; each batch goes on where the one before it ended.

    All strands are of the same length. Where the rows do not share out evenly, the last strand begins early: the rows
    that it shares with the one before count there, and warm up its state here.
    """

    def __init__(self, rows: Samples, *, n_strands: int, batch_size: int, device: torch.device) -> None:
        super().__init__(rows, batch_size=batch_size, device=device)
        n_rows = len(rows.X)
        length = -(-n_rows // n_strands)
        if length == 1 < n_rows:
            raise ValueError(
                f"stateful=True with batch_size={batch_size} shares {n_rows} samples out on as many strands of one segment "
                f"each, so there is no state to carry on. Set batch_size to {n_rows // 2} or less: it is the number of "
                "strands that are read side by side, and the fewer there are, the longer they get."
            )
        starts = np.minimum(np.arange(0, n_rows, length), n_rows - length)
        self.rows_of = starts[:, np.newaxis] + np.arange(length)  # (strand, segment)
        self.segments_at_once = max(1, batch_size // len(starts))
        weights = np.ones(rows.y.shape[:2] if rows.per_timestep else n_rows) if rows.weights is None else rows.weights
        counted = weights[self.rows_of]  # (strand, segment), or (strand, segment, time)
        counted[1:][self.rows_of[1:] <= self.rows_of[:-1, -1:]] = 0.0
        # Rows of weight 0 are part of the sequence; the mean over all rows read is that over the rows that count.
        counted *= self.rows_of.size / counted.sum()
        self.weights_of = torch.from_numpy(counted.astype(np.float32)).to(device)

    def __len__(self) -> int:
        return -(-self.rows_of.shape[1] // self.segments_at_once)

    def __iter__(self) -> Iterator[Batch]:
        n_strands, length = self.rows_of.shape
        for start in range(0, length, self.segments_at_once):
            now = slice(start, start + self.segments_at_once)
            chosen = self.rows_of[:, now].reshape(-1)
            x = as_tensor(self.rows.X[chosen], self.device)
            segments = Segments({"x": x, "weight": self.weights_of[:, now].flatten(0, 1)})
            segments.n_strands, segments.first = n_strands, start == 0
            yield segments, self._fetch(self.y, chosen)
