"""One network trained by several processes: the block in which that is so."""

import atexit
import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import timedelta

import torch.distributed as dist

from sklrnn.training.process_group import ONE_PROCESS, OneProcess, ProcessGroup

_group: ProcessGroup | None = None


def current_processes() -> OneProcess:
    """Those of the ``data_parallel`` block that is running in this thread, or this process alone."""
    if _group is None or _group.owner[0] != os.getpid():
        return ONE_PROCESS
    if _group.owner[1] != threading.get_ident():
        raise RuntimeError(
            "In data_parallel() a model was fitted in a thread of its own. Which of several threads exchanges its "
            "gradients first is a matter of chance, so processes would mix up models. Set n_jobs=1 where n_jobs starts "
            "threads, and fit in the thread of the with block."
        )
    return _group


def data_parallel(*, timeout: float = 300.0) -> AbstractContextManager[OneProcess]:
    """Train each model that is fitted in a ``with`` block by several processes together.

    All processes run the same script on the same data, and `fit` gives each of them the same model: that which one
    process would have trained, but for rounding. Of every batch each process computes a share, and the gradients are
    averaged before the step, with ``torch.distributed``. See :doc:`/guide/distributed_training`.

    Parameters
    ----------
    timeout : float, default=300.0
        Seconds after which a process that does not answer counts as lost, and so the most by which one may be behind
        the others. A process that ends is noticed at once.

    Returns
    -------
    block : context manager
        Gives an object with the number of this process, `rank`, from 0, and the number of processes, `world_size`.

    Raises
    ------
    ConnectionError
        By a fit, where another process ended or did not answer.
    RuntimeError
        Where there is no process group; by a fit in another thread, or in some of the processes only.
    ValueError
        By a fit, where the processes have different data or parameters, or a batch has fewer samples than there are
        processes.

    See Also
    --------
    Checkpoints : Lets a fit go on after its processes have ended.

    Examples
    --------
    ``torchrun --nproc-per-node 2 script.py`` starts a script twice, and tells each process of the other. Here a group
    of one is made by hand.

    >>> import numpy as np
    >>> import torch.distributed as dist
    >>> from sklrnn import GRURegressor, data_parallel
    >>> dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    >>> X = np.random.default_rng(0).normal(size=(40, 5, 1))
    >>> with data_parallel() as processes:
    ...     model = GRURegressor(units=4, max_epochs=2, random_state=0).fit(X, X.sum(axis=(1, 2)))
    >>> processes.rank, processes.world_size
    (0, 1)
    >>> dist.destroy_process_group()
    """
    return _block(timeout)


@contextmanager
def _block(timeout: float) -> Iterator[OneProcess]:
    global _group
    if _group is not None and _group.owner[0] == os.getpid():
        raise RuntimeError("data_parallel() runs already: leave out the inner with block.")
    _need_torch_group(timeout)
    if dist.get_world_size() == 1:
        yield ONE_PROCESS
        return
    _group = group = ProcessGroup(timeout)
    try:
        yield group
        group.wait()
    finally:
        _group = None
        group.close()


def _need_torch_group(timeout: float) -> None:
    """Use that of the user, or make one from what torchrun has put into the environment.

    It stays until the process ends: with the same addresses torch can't make another.
    """
    if not dist.is_available():
        raise RuntimeError("data_parallel() needs torch.distributed, and this build of torch is without.")
    if dist.is_initialized():
        return
    if "RANK" not in os.environ or "WORLD_SIZE" not in os.environ:
        raise RuntimeError(
            "data_parallel() found no other processes. Start the script with torchrun, such as `torchrun "
            "--nproc-per-node 2 script.py`, or call torch.distributed.init_process_group before it."
        )
    dist.init_process_group("gloo", timeout=timedelta(seconds=timeout))
    atexit.register(_end_torch_group)


def _end_torch_group() -> None:
    """Without this, a process ends with an abort where another is lost."""
    if dist.is_initialized():
        with suppress(RuntimeError):
            dist.destroy_process_group()
