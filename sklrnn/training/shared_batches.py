"""What one process reads of the batches that several processes share."""

from collections.abc import Iterator

from sklrnn.nn.batch_share import BatchShare
from sklrnn.training.batches import Batch, Batches


class SharedBatches:
    """The same number of consecutive sequences of each batch for every process, or one more for some.

    In ``training`` weights are scaled so that the mean over the processes of the losses of their shares is the loss of
    the batch: a process with fewer sequences than the others has a share of less weight.
    """

    def __init__(self, batches: Batches, share: BatchShare, rank: int, world_size: int, *, training: bool) -> None:
        self._batches, self._share = batches, share
        self._rank, self._world_size = rank, world_size
        self._training = training

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[Batch]:
        share = self._share
        for whole in self._batches:
            share.choose(self._batches.count_sequences(whole), self._rank, self._world_size)
            x, y = self._batches.take_sequences(whole, share.first, share.end)
            n, n_in_batch = len(x["weight"]), len(whole[0]["weight"])
            if share.is_empty:
                x["weight"] = x["weight"] * 0.0
            elif self._training and n * self._world_size != n_in_batch:
                x["weight"] = x["weight"] * (n * self._world_size / n_in_batch)
            yield x, y

    def n_rows(self, batch: Batch) -> int:
        """How many rows of a batch count: none of a sequence that only stands in."""
        return 0 if self._share.is_empty else batch[1].shape[0]
