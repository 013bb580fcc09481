"""scikit-learn's callback protocol (1.9 and later): its ProgressBar and ScoringMonitor then see every epoch."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sklrnn.inputs.sklearn_classes import CallbackSupportMixin

# What scikit-learn hangs on an estimator while it is being fitted.
CALLBACK_STATE = {"_callback_fit_ctx", "_skl_callbacks_to_teardown"}

__all__ = ["CALLBACK_STATE", "CallbackSupportMixin", "EpochHooks", "epoch_hooks", "with_callbacks"]

try:
    from sklearn.callback import with_callbacks as _with_callbacks
except ImportError:  # scikit-learn before 1.9 has no such protocol
    _with_callbacks = None

SUPPORTED = _with_callbacks is not None
Method = TypeVar("Method", bound=Callable[..., Any])


def with_callbacks(method: Method) -> Method:
    """scikit-learn's decorator of this name, which to type checkers would give anything."""
    return method if _with_callbacks is None else _with_callbacks(method)


class EpochHooks:
    """One task of scikit-learn's callbacks an epoch; ``end_epoch`` closes one and opens the next.

    The tasks belong to ``estimator``, whose ``fit`` was called; what is scored is the ``draft`` that is being trained.
    """

    def __init__(self, estimator: Any, draft: Any, X: Any, y: Any, *, max_epochs: int) -> None:
        self._draft = draft
        self._task_of = {"estimator": estimator, "X": X, "y": y}
        self._n_left = max_epochs
        self._root = estimator._init_callback_context(max_subtasks=max_epochs)
        self._root.call_on_fit_task_begin(**self._task_of)
        self._open()

    def end_epoch(self) -> bool:
        """Tell that an epoch is over; true where a callback wants to stop."""
        stop = self._close(self._task)
        self._n_left -= 1
        if self._n_left > 0 and not stop:
            self._open()
        return stop

    def close(self) -> None:
        """Tell that training is over."""
        self._close(self._root)

    def _open(self) -> None:
        self._task = self._root.subcontext(task_name="epoch")
        self._task.call_on_fit_task_begin(**self._task_of)

    def _close(self, task: Any) -> bool:
        # A copy has weights of its own, which further training leaves alone. It is made only if a callback asks for it.
        return bool(
            task.call_on_fit_task_end(**self._task_of, reconstruction_attributes=lambda: vars(copy.copy(self._draft)))
        )


@contextmanager
def epoch_hooks(estimator: Any, draft: Any, X: Any, y: Any, *, max_epochs: int) -> Iterator[Callable[[], bool] | None]:
    """Tell callbacks of the training in this block; gives what to call after each epoch, which says whether to stop.

    It is None where scikit-learn has no such protocol. Callbacks are not told of the end of a block that fails.
    """
    if not SUPPORTED:
        yield None
        return
    hooks = EpochHooks(estimator, draft, X, y, max_epochs=max_epochs)
    yield hooks.end_epoch
    hooks.close()
