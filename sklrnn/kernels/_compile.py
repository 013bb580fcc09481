"""Compiling a kernel once per machine."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import llvmlite
import numba
from numba import types

from sklrnn.kernels._simd import FEATURES


def version_of(folder: Path, processor: str) -> str:
    """A mark that changes with any file of a folder and with the processor.

    numba's cache looks at the file of the compiled function only, not at those that it draws on, and machines that
    share a folder would overwrite each other's code.
    """
    mark = hashlib.sha256(processor.encode())
    for path in sorted(folder.glob("*.py")):
        mark.update(path.read_bytes())
    return mark.hexdigest()[:16]


_VERSION = version_of(Path(__file__).parent, f"{numba.config.CPU_NAME} {FEATURES} {llvmlite.__version__}")


def compiled(plan: type[NamedTuple], n_numbers: int) -> Callable[[Callable[..., None]], Any]:
    """Compile a function of a plan's numbers and some more, or load it from numba's cache. It runs without the GIL."""
    fields: tuple[str, ...] = plan._fields
    # A plain tuple: numba is slow to recognise a named one in each call.
    signature = types.void(types.UniTuple(types.int64, len(fields)), *[types.int64] * n_numbers)

    def decorate(function: Callable[..., None]) -> Any:
        function.__qualname__ += f"_{_VERSION}"
        try:
            return numba.njit(signature, nogil=True, error_model="numpy", cache=True)(function)
        except Exception:
            # No folder to write to, or a cache that can't be read: then this process compiles for itself.
            return numba.njit(signature, nogil=True, error_model="numpy")(function)

    return decorate
