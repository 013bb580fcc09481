"""How many threads torch may use, for the length of a call."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from joblib import effective_n_jobs


class _ThreadLimit:
    """Sets torch's number of threads for a while.

    Fits may overlap in several threads: the first to come remembers the number, and each puts it back on leaving.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._before = 1

    @contextmanager
    def __call__(self, n_threads: int) -> Iterator[None]:
        with self._lock:
            if self._inside == 0:
                self._before = torch.get_num_threads()
            self._inside += 1
            torch.set_num_threads(n_threads)
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                torch.set_num_threads(self._before)


thread_limit = _ThreadLimit()

# A batch times the squares of the widths: below it a second thread costs more than it gives.
_WORTH_MORE_THREADS = 2**22


def count_threads(n_jobs: int | None, *, batch_size: int, units: tuple[int, ...]) -> int:
    """How many threads a fit or a prediction may use."""
    if n_jobs is None:
        return torch.get_num_threads() if batch_size * max(units) ** 2 >= _WORTH_MORE_THREADS else 1
    return int(effective_n_jobs(n_jobs))
