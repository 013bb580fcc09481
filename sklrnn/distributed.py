"""Searches of scikit-learn on a Dask cluster whose workers may die. It needs the optional package dask."""

import pickle
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from joblib import parallel_config
from joblib.parallel import ParallelBackendBase

from sklrnn.inputs.user_warnings import warn_user
from sklrnn.training.process import one_blas_thread, thread_limit

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = ["DaskBackend"]

# Arguments from so many bytes on are sent to the cluster once, and not with every fit.
_SENT_ONCE = 10_000
# From so many bytes on, the workers should load the data themselves.
_TOO_MUCH_TO_SEND = 2**28


class DaskBackend(ParallelBackendBase):
    """Run the fits of a search on a Dask cluster; a worker that dies costs only what it was doing.

    A joblib backend for ``joblib.parallel_config``, so it serves all of scikit-learn that has `n_jobs`. It differs from
    joblib's own ``"dask"`` in how data reach the workers: there they are scattered, and if a worker dies that alone
    holds them, the search ends with an error. Here they are results of tasks, which Dask repeats on another worker, as
    it repeats fits that were not delivered. A fit that takes several workers with it (more than Dask's setting
    ``distributed.scheduler.allowed-failures``, 3 by default) ends the search with ``KilledWorker``.

    Each fit computes with one thread of torch and of BLAS, unless `n_jobs` of the estimator asks for more.

    Parameters
    ----------
    client : distributed.Client or None, default=None
        The client of the cluster; by default the one that was made last in this process.

    See Also
    --------
    sklrnn.Checkpoints : Lets a search that is started again skip the fits that it has done.

    Notes
    -----
    Data pass through Dask's scheduler, which keeps them for the length of the search. The user guide shows how workers
    load large data themselves.

    Examples
    --------
    >>> import joblib
    >>> import numpy as np
    >>> from dask.distributed import Client
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklrnn import GRURegressor
    >>> from sklrnn.distributed import DaskBackend
    >>> X = np.random.default_rng(0).normal(size=(100, 6))
    >>> y = X[:, -1]
    >>> search = GridSearchCV(GRURegressor(max_epochs=5, random_state=0), {"units": [2, 16]}, cv=2)
    >>> with Client(n_workers=2, processes=False, dashboard_address=None) as client:  # or its scheduler's address
    ...     with joblib.parallel_config(backend=DaskBackend(client)):
    ...         search = search.fit(X, y)
    >>> search.best_params_
    {'units': 16}
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
            if sizeof(argument) < _SENT_ONCE:
                return argument
            self._sent[id(argument)] = argument, self._send(argument)
        return self._sent[id(argument)][1]

    def _send(self, argument: Any) -> "Future":
        import cloudpickle  # which Dask depends on
        import dask

        pickled = cloudpickle.dumps(argument)
        if len(pickled) > _TOO_MUCH_TO_SEND:
            warn_user(
                f"{type(argument).__name__} of {len(pickled) / 2**20:.0f} MiB is sent through Dask's scheduler, which "
                "keeps it for the length of the search. Pass the numbers of rows as X, and load the rows in the first "
                "step of a Pipeline, so that each worker reads them itself."
            )
        # Dask's own warning comes from 10 MiB on and proposes what a search can't do.
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": len(pickled) + 2**20}):
            return self.client.submit(load_data, pickled, key=f"data-{uuid4().hex}", pure=False)

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
    with parallel_config(backend="sequential"), one_blas_thread(), thread_limit(1):
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
            "There is no client of a Dask cluster. Make one first: dask.distributed.Client('scheduler:8786'), or "
            "Client() for a cluster on this machine."
        ) from error
