"""The share of a batch that this process trains on, where several processes train one network."""

from collections.abc import Callable

from torch import Tensor, nn


class BatchShare:
    """Which sequences of the batch these are.

    ``is_empty`` where a batch has fewer sequences than there are processes: one sequence without weight stands in.
    ``add_up`` replaces a tensor by its sum over all processes.
    """

    def __init__(self, add_up: Callable[[Tensor], None]) -> None:
        self.add_up = add_up
        self.n_sequences, self.first, self.end, self.is_empty = 1, 0, 1, False

    def choose(self, n_sequences: int, rank: int, world_size: int) -> None:
        """Share so many sequences out as evenly as possible."""
        first, end = (n_sequences * place // world_size for place in (rank, rank + 1))
        self.n_sequences, self.is_empty = n_sequences, first == end
        self.first, self.end = (0, 1) if self.is_empty else (first, end)

    def within_batch(self, n_here: int) -> tuple[int, slice]:
        """How many rows the whole batch has, and which of them these are; a sequence may have several."""
        each = n_here // (self.end - self.first)
        return each * self.n_sequences, slice(each * self.first, each * self.end)


class BatchLayer(nn.Module):
    """A layer whose training depends on the whole batch."""

    def __init__(self) -> None:
        super().__init__()
        self.share: BatchShare | None = None

    def use_share(self, share: BatchShare | None) -> None:
        """Take this share of each batch; None ends that."""
        self.share = share
