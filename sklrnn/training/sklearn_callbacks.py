"""scikit-learn's callback protocol (1.9 and later): its ProgressBar and ScoringMonitor then see every epoch."""

from collections.abc import Callable
from typing import Any, TypeVar

# What scikit-learn hangs on an estimator while it is being fitted.
CALLBACK_STATE = {"_callback_fit_ctx", "_skl_callbacks_to_teardown"}

__all__ = ["CALLBACK_STATE", "CallbackSupportMixin", "EpochHooks", "open_hooks", "with_callbacks"]

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks

    SUPPORTED = True
except ImportError:  # scikit-learn before 1.9 has no such protocol
    SUPPORTED = False
    Method = TypeVar("Method", bound=Callable[..., Any])

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands in where scikit-learn has no callbacks."""

    def with_callbacks(method: Method) -> Method:
        return method


class EpochHooks:
    """One task of scikit-learn's callbacks an epoch; ``between_epochs`` closes one and opens the next."""

    def __init__(self, estimator: Any, X: Any, y: Any, *, max_epochs: int) -> None:
        self._estimator, self._X, self._y = estimator, X, y
        self._left = max_epochs
        self._root = estimator._init_callback_context(max_subtasks=max_epochs)
        self._root.call_on_fit_task_begin(estimator=estimator, X=X, y=y)
        self._open()

    def between_epochs(self) -> bool:
        stop = self._task.call_on_fit_task_end(
            # The copy that a scorer sees is complete by itself, so nothing has to be added to it.
            estimator=self._estimator,
            X=self._X,
            y=self._y,
            reconstruction_attributes=dict,
        )
        self._left -= 1
        if self._left > 0 and not stop:
            self._open()
        return bool(stop)

    def close(self) -> None:
        self._root.call_on_fit_task_end(estimator=self._estimator, X=self._X, y=self._y, reconstruction_attributes=dict)

    def _open(self) -> None:
        self._task = self._root.subcontext(task_name="epoch")
        self._task.call_on_fit_task_begin(estimator=self._estimator, X=self._X, y=self._y)


def open_hooks(estimator: Any, X: Any, y: Any, *, max_epochs: int) -> EpochHooks | None:
    """Start the protocol where scikit-learn has it and somebody listens."""
    if not SUPPORTED:
        return None
    return EpochHooks(estimator, X, y, max_epochs=max_epochs)
