"""What a kernel needs to run: weights, memory and threads."""

import math
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from sklrnn.kernels._arguments import FLOAT_BYTES, MAX_TILE_ROWS

# So many multiplications take a thread most of a millisecond, which is worth starting it.
_MIN_WORK_PER_THREAD = 2**25
# Arrays from this size on return to the system when they are freed, and each page of a new one has to be fetched;
# NumPy asks for large pages.
_LARGE_BYTES = 2**25
_GROUP_ROWS = 32  # rows that are processed together; a remainder smaller than a tile joins the last group


class Weights(NamedTuple):
    """The parameters of a layer as torch keeps them, one block of rows for each gate."""

    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor
    bias_hh: Tensor | None = None
    peephole: Tensor | None = None


def allocate(like: Tensor, *shape: int) -> Tensor:
    """An uninitialised tensor, aligned so that no vector crosses a cache line."""
    size = math.prod(shape)
    if size * FLOAT_BYTES < _LARGE_BYTES:
        return like.new_empty(shape)
    array = np.empty(size + 16, dtype=np.float32)
    start = -array.ctypes.data % 64 // FLOAT_BYTES
    return torch.from_numpy(array[start : start + size]).view(shape)


def address_of(tensors: Sequence[Tensor | None], position: int) -> int:
    """The address of one of some tensors; 0 if it is absent."""
    tensor = tensors[position] if position < len(tensors) else None
    return 0 if tensor is None else tensor.data_ptr()


def group_size_of(n_rows: int) -> int:
    """How many rows are processed together, at most."""
    return min(n_rows, _GROUP_ROWS + MAX_TILE_ROWS - 1)


def split_rows(n_rows: int, work_per_row: int, n_threads: int) -> list[tuple[int, int]]:
    """First and end row of each thread that is worth starting; whole tiles for each."""
    n = min(n_threads, n_rows * work_per_row // _MIN_WORK_PER_THREAD, n_rows // MAX_TILE_ROWS)
    if n < 2:
        return [(0, n_rows)]
    cuts = [n_rows // MAX_TILE_ROWS * i // n * MAX_TILE_ROWS for i in range(n)]
    return list(zip(cuts, [*cuts[1:], n_rows], strict=True))


def run_in_threads(function: Callable[..., None], calls: list[tuple[Any, ...]], keep_alive: tuple[Any, ...]) -> None:
    """Call a function with each tuple of arguments, in a new thread each: threads of a pool would not survive a fork.

    ``keep_alive`` holds the tensors whose addresses are in the arguments: an interrupt can end the wait too early.
    """
    threads = []
    for arguments in calls[1:]:
        thread = threading.Thread(target=_run, args=(function, arguments, keep_alive))
        try:
            thread.start()
        except RuntimeError:  # the system allows no more threads
            function(*arguments)
        else:
            threads.append(thread)
    function(*calls[0])
    for thread in threads:
        thread.join()


def _run(function: Callable[..., None], arguments: tuple[Any, ...], keep_alive: tuple[Any, ...]) -> None:
    function(*arguments)
