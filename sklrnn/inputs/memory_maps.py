"""Arrays that lie in a file, ``numpy.memmap``: which are read in place."""

from typing import Any

import numpy as np

from sklrnn.inputs.user_warnings import warn_user

# A copy of at least this size is worth a warning: slices of such arrays are blocks, and meant to be in memory.
_MANY_BYTES = 2**28


def warn_of_copy(X: Any, name: str) -> None:
    """Warn of a large memory map whose type networks don't read: a copy of it is converted, in memory."""
    if not isinstance(X, np.memmap) or X.dtype in (np.float32, np.float64) or 8 * X.size < _MANY_BYTES:
        return
    warn_user(
        f"{name} is a numpy.memmap of {X.dtype}, which is copied to memory as a whole ({8 * X.size / 2**30:.1f} GB). "
        f"One of float32 or float64 is read in place. Store {name} as float32, or pass slices of it to fit_blocks."
    )
