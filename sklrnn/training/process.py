"""Settings of the whole process, changed for the length of a block; blocks may overlap in several threads.

A forked child computes with one thread. Torch's operators divide their work among the threads of OpenMP, and a fork
copies none of them: an operator that asks for two waits forever. The kernels start threads of their own and would not
need this, but then nearly no fit would be free of such an operator.
"""

import math
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from joblib import effective_n_jobs
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
from torch import nn

from sklrnn.kernels.fork_lock import fork_lock
from sklrnn.nn.architecture import random_layers


class ScopedSetting:
    """Changes a setting for a block: ``change`` makes the change and returns what undoes it.

    Where blocks overlap, the first remembers how to undo all changes, and the last to end does that: if each block
    saved and restored for itself, the last one would restore what another had set. With ``each`` every block makes its
    change, for a setting that each thread has a copy of: a block within another of its thread restores the setting of
    that, and the outermost undoes all changes.
    """

    def __init__(self, change: Callable[..., Callable[[], Any]], *, each: bool = False) -> None:
        self._change = change
        self._each = each
        self._lock = fork_lock()
        self._n_inside = 0
        self._of_thread = threading.local()
        self._undo: Callable[[], Any]

    @contextmanager
    def __call__(self, *value: Any) -> Iterator[None]:
        depth = getattr(self._of_thread, "depth", 0)
        with self._lock:
            undo = None
            if self._each or self._n_inside == 0:
                undo = self._change(*value)
                self._undo = self._undo if self._n_inside else undo
            self._n_inside += 1
        self._of_thread.depth = depth + 1
        try:
            yield
        finally:
            self._of_thread.depth = depth
            with self._lock:
                self._n_inside -= 1
                if depth and undo is not None:
                    undo()
                elif self._each or self._n_inside == 0:
                    self._undo()


_most_threads = math.inf


def _use_torch_threads(n_threads: int) -> None:
    torch.set_num_threads(int(min(n_threads, _most_threads)))


def _keep_to_one_thread() -> None:
    global _most_threads
    _most_threads = 1
    torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_keep_to_one_thread)


def _set_torch_threads(n_threads: int) -> Callable[[], None]:
    before = torch.get_num_threads()
    _use_torch_threads(n_threads)
    return lambda: _use_torch_threads(before)


@contextmanager
def torch_threads(n_threads: int) -> Iterator[None]:
    """Give torch's operators so many threads for a block, within the limit of a fit."""
    undo = _set_torch_threads(n_threads)
    try:
        yield
    finally:
        undo()


def _limit_blas_threads() -> Callable[[], None]:
    limits = threadpool_limits(1, user_api="blas")
    return lambda: limits.restore_original_limits()


# torch's number of threads belongs to the process and to each thread at once.
thread_limit = ScopedSetting(_set_torch_threads, each=True)
# On matrices as small as those of a Kalman filter, several threads take ten times as long as one.
one_blas_thread = ScopedSetting(_limit_blas_threads)

# A batch times the square of the widest layer: below it a second thread costs more than it gains.
_WORTH_MORE_THREADS = 2**22


def count_threads(n_jobs: int | None, *, batch_size: int, units: tuple[int, ...]) -> int:
    """How many threads a fit or a prediction may use."""
    if n_jobs is None:
        return torch.get_num_threads() if batch_size * max(units) ** 2 >= _WORTH_MORE_THREADS else 1
    return int(effective_n_jobs(n_jobs))


@contextmanager
def seeded(network: nn.Module, seed: int, epoch: int, device: torch.device) -> Iterator[torch.Generator]:
    """Let random layers draw from one generator, which follows from the seed and the first epoch; a GPU has its own."""
    generator = torch.Generator(device if device.type == "cuda" else "cpu")
    generator.manual_seed(int(np.random.SeedSequence([seed, epoch]).generate_state(1)[0]))
    layers = list(random_layers(network))
    for layer in layers:
        layer.use_generator(generator)
    try:
        yield generator
    finally:
        for layer in layers:
            layer.use_generator(None)
