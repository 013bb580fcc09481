"""Count the warnings of a block of code instead of showing them."""

import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from sklrnn.training.process import ScopedSetting

__all__ = ["count_warnings"]

# Addressed to the developers of a library; they are neither counted nor shown.
_FOR_DEVELOPERS = (DeprecationWarning, PendingDeprecationWarning, FutureWarning)


class _WarningCounter:
    """A context manager that counts the warnings of its thread by category and message.

    The filters of ``warnings`` belong to the whole process, so overlapping blocks change them together. A warning in a
    thread without such a block is shown as usual.
    """

    def __init__(self) -> None:
        self._here = threading.local()
        self._all_warnings = ScopedSetting(self._listen)

    @contextmanager
    def __call__(self) -> Iterator[Counter[tuple[str, str]]]:
        outer = getattr(self._here, "counts", None)
        self._here.counts = Counter()
        try:
            with self._all_warnings():
                yield self._here.counts
        finally:
            self._here.counts = outer

    @contextmanager
    def inner(self) -> Iterator[Counter[tuple[str, str]]]:
        """Count the warnings of a block for the block around it; where there is none, they are dropped."""
        outer = getattr(self._here, "counts", None)
        with self() as counts:
            try:
                yield counts
            finally:
                if outer is not None:
                    outer.update(counts)

    def _listen(self) -> Callable[[], None]:
        show = warnings.showwarning

        def take(message: Any, category: type[Warning], *place: Any, **options: Any) -> None:
            counts = getattr(self._here, "counts", None)
            if counts is None:
                show(message, category, *place, **options)
            elif not issubclass(category, _FOR_DEVELOPERS):
                counts[category.__name__, str(message)] += 1

        changes = ExitStack()
        changes.enter_context(warnings.catch_warnings())
        warnings.simplefilter("always")
        warnings.showwarning = take
        return changes.close


count_warnings = _WarningCounter()
