"""Settings of the whole process, changed for the length of a block, where blocks may overlap in several threads."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

__all__ = ["Overlapping", "one_blas_thread"]


class Overlapping:
    """A context manager for blocks that overlap: the first to begin changes the setting, the last to end restores it.

    Where each block saved and restored for itself, the last to leave would put back what another had set.
    """

    def __init__(self, change: Callable[[], AbstractContextManager[Any]]) -> None:
        self._change = change
        self._lock = threading.Lock()
        self._inside = 0
        self._changed: AbstractContextManager[Any]

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with self._lock:
            if self._inside == 0:
                self._changed = self._change()
                self._changed.__enter__()
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if self._inside == 0:
                    self._changed.__exit__(None, None, None)


# On matrices as small as those of a Kalman filter, several threads take ten times as long as one.
one_blas_thread = Overlapping(lambda: threadpool_limits(1, user_api="blas"))
