"""What one operation of a training step hands on to the next."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sklrnn.kernels.program import Instruction

Array = NDArray[Any]


class Signal:
    """Values (time, sample, feature) or (sample, feature), and the gradient of the loss with respect to them.

    Both stay at their addresses, so operations hold views of them. ``gradient`` is None where nothing below learns. It
    may have more features than the values: kernels write whole vectors.
    """

    def __init__(self, values: Tensor, gradient: Tensor | None) -> None:
        self.values = values
        self.padded_gradient: Any = gradient
        self.gradient: Any = None if gradient is None else gradient[..., : values.shape[-1]]


Instructions = tuple[list[Instruction], list[Instruction]]


class EpochArrays:
    """What a program reads that belongs to no operation: all samples of an epoch, and tables with an entry a batch.

    A program runs at most ``n_entries`` batches at a time.
    """

    def __init__(self, x: Array, y: Array, weights: Array, *, order: Array, batch_size: int, n_entries: int) -> None:
        self.x, self.y, self.weights, self.order = x, y, weights, order
        self.batch_size, self.n_entries = batch_size, n_entries
        self.standardised: Array | None = None  # x, where a layer does this that no instruction can
        self.losses = np.zeros(n_entries)
        self.draws: list[Callable[[int], None]] = []  # what is drawn for the entry of a batch, in this order

    def table(self, *shape: int) -> Tensor:
        """Memory for numbers of each batch."""
        return torch.zeros(self.n_entries, *shape)


class Operation(Protocol):
    """A part of a training step.

    The list is run forwards, then backwards. So of several operations that read a signal, the last one in the list is
    the first to write its gradient: it overwrites it, and the others add to it.

    Some have ``instructions(epoch)`` too: both passes for a program, or None. A list whose operations all have them is
    run for many batches at once.
    """

    def forward(self, batch: dict[str, Tensor]) -> None:
        """Compute the output from the source, or from the batch."""

    def backward(self) -> None:
        """From the gradient of the output to those of the weights and of the source."""


class LeftToAutograd(Exception):
    """Raised while a list is built for a network that has no list; the message says what of it has none."""


def refuse_frozen(name: str, weights: Iterable[Any]) -> None:
    """Leave a network to autograd of which some weights are not to be trained."""
    if any(weight.grad is None or not weight.requires_grad for weight in weights):
        raise LeftToAutograd(f"{name} is frozen")
