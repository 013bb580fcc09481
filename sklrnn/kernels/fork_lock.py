"""A lock that a forked child can take: a fork copies a lock that is held, but not the thread that would release it."""

import os
import threading
from typing import Any


def fork_lock() -> Any:
    """A lock for which a fork waits; the thread that holds it may take it again."""
    lock = threading.RLock()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)
    return lock
