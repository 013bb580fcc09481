"""Compiling a kernel once per machine.

Compiled code is linked by name. numba tells functions of one name apart by a number that begins anew in each process,
so two of them from two processes' caches can meet under the same name and number, and one is then called in the place
of the other. So a function that is made from others gets a name that says what it was made from.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any, NamedTuple

import llvmlite
import numba
from numba import types
from numba.extending import register_jitable

from sklrnn.kernels._simd import FEATURES


def specialised(function: Callable[..., Any]) -> Any:
    """Let compiled code call a function whose name says what it was made from: ints, and functions so named."""
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    function.__qualname__ += "_" + _hash_of({name: cell.cell_contents for name, cell in cells})
    return register_jitable(function)


def _hash_of(parts: dict[str, Any]) -> str:
    made_from = ", ".join(f"{name}={_name_of(part)}" for name, part in parts.items())
    return hashlib.sha256(made_from.encode()).hexdigest()[:16]


def _name_of(value: Any) -> str:
    if isinstance(value, int):
        return str(value)
    if hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    raise TypeError(f"A kernel is made from ints and functions, got {value!r}.")


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


def compiled(function: Callable[..., None], arguments: type[NamedTuple], n_numbers: int, **parts: Any) -> Any:
    """Compile a function of the values of ``arguments`` and some more ints, or load it from numba's cache.

    It runs without the GIL. ``parts`` become its globals: numba's cache would never find a function with a closure
    again, as its key holds what is in there, and that is pickled differently in each process.
    """
    parts |= {"arguments": arguments}
    function = FunctionType(function.__code__, {**function.__globals__, **parts})
    function.__qualname__ += f"_{_hash_of(parts)}_{_VERSION}"
    fields: tuple[str, ...] = arguments._fields
    # A plain tuple: numba is slow to recognise a named one in each call.
    signature = types.void(types.UniTuple(types.int64, len(fields)), *[types.int64] * n_numbers)
    try:
        return numba.njit(signature, nogil=True, error_model="numpy", cache=True)(function)
    except Exception:
        # No folder to write to, or a cache that can't be read: then this process compiles for itself.
        return numba.njit(signature, nogil=True, error_model="numpy")(function)
