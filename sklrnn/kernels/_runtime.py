"""A layer at work: its kernel, its weights, room to work in, and threads."""

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from sklrnn.kernels._arguments import MOST_ROWS, NUMBER, Shape

# Multiplications that keep one thread busy for the better part of a millisecond, which pays for starting it.
_WORTH_A_THREAD = 2**25
# Memory from this many bytes on goes back to the system when it is freed, and each page of it has to be fetched anew;
# NumPy asks for large pages.
_LARGE = 2**25
_GROUP = 32  # rows that are worked on together, and a rest that is less than a tile


@dataclass(frozen=True, eq=False)
class Kernel:
    """The compiled functions of a cell, and what has to be known of it."""

    forward: Callable[..., None]
    backward: Callable[..., None]
    finish: Callable[..., None]
    shape: Shape
    lanes: int

    def in_vectors(self, n: int) -> int:
        """So many numbers in whole vectors."""
        return -(-n // self.lanes) * self.lanes


class Weights(NamedTuple):
    """The parameters of a layer as torch keeps them, one block of rows a gate."""

    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor
    bias_hh: Tensor


def room_for(like: Tensor, *shape: int) -> Tensor:
    """Room for numbers, laid out so that no vector lies across two lines of the cache."""
    n_numbers = math.prod(shape)
    if n_numbers * NUMBER < _LARGE:
        return like.new_empty(shape)
    room = np.empty(n_numbers + 16, dtype=np.float32)
    start = -room.ctypes.data % 64 // NUMBER
    return torch.from_numpy(room[start : start + n_numbers]).view(shape)


def address(tensors: Sequence[Tensor | None], position: int) -> int:
    """Where a tensor begins; 0 if there is none."""
    tensor = tensors[position] if position < len(tensors) else None
    return 0 if tensor is None else tensor.data_ptr()


def rows_of_group(n_rows: int) -> int:
    """How many rows are worked on together, at most."""
    return min(n_rows, _GROUP + MOST_ROWS - 1)


def share_rows(n_rows: int, work_of_a_row: int, n_threads: int) -> list[tuple[int, int]]:
    """From which row to which, for each thread that pays; whole tiles for each."""
    most = min(n_threads, n_rows * work_of_a_row // _WORTH_A_THREAD, n_rows // MOST_ROWS)
    if most < 2:
        return [(0, n_rows)]
    cuts = [n_rows // MOST_ROWS * i // most * MOST_ROWS for i in range(most)]
    return list(zip(cuts, [*cuts[1:], n_rows], strict=True))


def in_threads(work: Callable[..., None], shares: list[tuple[Any, ...]], in_use: tuple[Any, ...]) -> None:
    """Each share in a thread of its own: threads that are kept would not survive a fork.

    ``in_use`` holds the tensors whose addresses are in the shares: an interrupt can end the waiting before the work.
    """
    others = []
    for share in shares[1:]:
        thread = threading.Thread(target=_work_on, args=(work, share, in_use))
        try:
            thread.start()
        except RuntimeError:  # there are too many already
            work(*share)
        else:
            others.append(thread)
    work(*shares[0])
    for thread in others:
        thread.join()


def _work_on(work: Callable[..., None], share: tuple[Any, ...], in_use: tuple[Any, ...]) -> None:
    work(*share)
