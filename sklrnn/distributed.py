"""Searches of scikit-learn on a Dask cluster whose workers may die."""

import pickle
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import cloudpickle
from joblib import parallel_config
from joblib.parallel import ParallelBackendBase

from sklrnn.training.process import one_blas_thread, thread_limit

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = ["DaskBackend"]

# Arguments from so many bytes on are sent to the cluster once, and not with every fit.
_LARGE_BYTES = 10_000


class DaskBackend(ParallelBackendBase):
    """Run the fits of a search on a Dask cluster; a worker that dies costs only what it was doing.

    A joblib backend for ``joblib.parallel_config``, so for everything of scikit-learn that has ``n_jobs``. It differs
    from joblib's own backend ``"dask"`` in how data reach the workers: there they are scattered, and lost with the
    worker that holds them, and the search with them. Here data are results of tasks, which Dask repeats on another
    worker, as it repeats the fits that a dead worker had not delivered. A fit whose workers die again and again (more
    often than ``distributed.scheduler.allowed-failures``, by default 3) ends the search with Dask's ``KilledWorker``.

    Each fit computes with one thread, of BLAS and of torch, unless the estimator's own ``n_jobs`` asks for more.

    Parameters
    ----------
    client : distributed.Client or None, default=None
        The client of the cluster. By default the newest that was made in this process.

    See Also
    --------
    joblib.parallel_config : Takes the backend.

    Notes
    -----
    Data pass through the scheduler, which keeps them for the length of the search. The user guide shows how workers
    load large data themselves.

    Examples
    --------
    >>> from dask.distributed import Client  # doctest: +SKIP
    >>> client = Client("scheduler:8786")  # doctest: +SKIP
    >>> with joblib.parallel_config(backend=DaskBackend(client)):  # doctest: +SKIP
    ...     search.fit(X, y)
    """

    supports_retrieve_callback = True
    default_n_jobs = -1

    def __init__(self, client: "Client | None" = None) -> None:
        super().__init__(nesting_level=0)
        self.client = _current_client() if client is None else client
        if self.client.asynchronous:
            raise ValueError(
                "client is asynchronous, but a search waits for its fits. Pass a Client without asynchronous=True."
            )
        self._sent: dict[int, tuple[Any, Future]] = {}  # by id; the argument is held, so that its id stays its own
        self._running: set[Future] = set()

    def effective_n_jobs(self, n_jobs: int | None) -> int:
        """How many fits run at a time: the threads of all workers for -1."""
        if n_jobs == 0:
            raise ValueError("n_jobs=0 has no meaning. Set n_jobs=-1 for all workers of the cluster.")
        if n_jobs is not None and n_jobs > 0:
            return n_jobs
        n_threads = sum(self.client.nthreads().values())
        return max(n_threads if n_jobs is None else n_threads + 1 + n_jobs, 1)

    def submit(self, func: Any, callback: Callable[[Any], Any] | None = None) -> "Future":
        """Send a batch of calls to the cluster; ``callback`` is called with its future when it is done."""
        calls = [
            (
                function,
                [self._sendable(one) for one in args],
                {name: self._sendable(one) for name, one in kwargs.items()},
            )
            for function, args, kwargs in func.items
        ]
        future = self.client.submit(run_calls, calls, key=f"fit-{uuid4().hex}", pure=False)
        self._running.add(future)
        future.add_done_callback(partial(self._end, callback))
        return future

    apply_async = submit  # its name before joblib 1.5

    def _end(self, callback: Callable[[Any], Any] | None, future: "Future") -> None:
        self._running.discard(future)
        if callback is not None:
            callback(future)

    def retrieve_result_callback(self, future: "Future") -> Any:
        return future.result()

    def _sendable(self, argument: Any) -> Any:
        """An argument of a fit, or if it is large the task that makes it."""
        from dask.sizeof import sizeof

        if id(argument) not in self._sent:
            if sizeof(argument) < _LARGE_BYTES:
                return argument
            task = self.client.submit(load_data, cloudpickle.dumps(argument), key=f"data-{uuid4().hex}", pure=False)
            self._sent[id(argument)] = argument, task
        return self._sent[id(argument)][1]

    def stop_call(self) -> None:
        self._sent.clear()

    def abort_everything(self, ensure_ready: bool = True) -> None:
        self.client.cancel(list(self._running))
        self._running.clear()


def load_data(pickled: bytes) -> Any:
    """An argument of many fits, on a worker."""
    return pickle.loads(pickled)


def run_calls(calls: list[tuple[Callable[..., Any], list[Any], dict[str, Any]]]) -> list[Any]:
    """Call functions one after another, on a worker: the cluster is divided among fits, not each fit among threads."""
    with ExitStack() as settings:
        for setting in (parallel_config(backend="sequential"), one_blas_thread(), thread_limit(1)):
            settings.enter_context(setting)
        return [function(*args, **kwargs) for function, args, kwargs in calls]


def _current_client() -> "Client":
    try:
        from distributed import get_client
    except ImportError as error:
        raise ImportError(f'DaskBackend needs Dask: pip install "sklrnn[dask]" ({error}).') from error
    try:
        return get_client()
    except ValueError as error:
        raise ValueError(
            "There is no client of a Dask cluster. Make one first: dask.distributed.Client('address:8786'), or Client() "
            "for a cluster on this machine."
        ) from error
