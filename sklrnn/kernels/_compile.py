"""Compilation of a kernel, once on each machine.

Compiled code is linked by name. numba distinguishes functions of the same name by a number that starts anew in each
process, so two functions from the caches of two processes can have the same name and number, and then one is called
instead of the other. Therefore a function that is made from others has a name that says what it was made from.
"""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FunctionType
from typing import Any, NamedTuple

import llvmlite
import numba
from numba import types
from numba.core.caching import FunctionCache
from numba.extending import register_jitable

from sklrnn.kernels._simd import FEATURES


def specialised(function: Callable[..., Any]) -> Any:
    """Let compiled code call a closure, and add a hash of what it holds to its name: ints, and functions so named."""
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    function.__qualname__ += "_" + _hash_of({name: cell.cell_contents for name, cell in cells})
    return register_jitable(function)


def _hash_of(parts: dict[str, Any]) -> str:
    made_from = ", ".join(f"{name}={_name_of(part)}" for name, part in parts.items())
    return hashlib.sha256(made_from.encode()).hexdigest()[:16]


def _name_of(part: Any) -> str:
    if isinstance(part, int):
        return str(part)
    if hasattr(part, "__qualname__"):
        return f"{part.__module__}.{part.__qualname__}"
    raise TypeError(f"A kernel is made from ints and functions, got {part!r}.")


def version_of(folder: Path, processor: str) -> str:
    """A hash of all source files of a folder and of the processor.

    numba's cache checks only the file of the compiled function, not the files that it imports, and machines that share
    a folder would overwrite each other's code.
    """
    version = hashlib.sha256(processor.encode())
    for path in sorted(folder.glob("*.py")):
        version.update(path.read_bytes())
    return version.hexdigest()[:16]


_VERSION = version_of(Path(__file__).parent, f"{numba.config.CPU_NAME} {FEATURES} {llvmlite.__version__}")


def compiled(function: Callable[..., None], loop: Any, arguments: type[NamedTuple], n_ints: int) -> Any:
    """Compile a function of the values of ``arguments``, as a tuple, and of ``n_ints`` ints, or load it from the cache.

    It runs without the GIL. ``loop`` and ``arguments`` become its globals. As closure variables they would be part of
    the key of numba's cache, and they are pickled differently in each process.
    """
    parts = {"loop": loop, "arguments": arguments}
    function = FunctionType(function.__code__, {**function.__globals__, **parts})
    function.__qualname__ += f"_{_hash_of(parts)}_{_VERSION}"
    # A plain tuple: numba takes longer to recognise the type of a named one at each call.
    signature = types.void(types.UniTuple(types.int64, len(arguments._fields)), *[types.int64] * n_ints)
    dispatcher = numba.njit(nogil=True, error_model="numpy")(function)
    # Without a folder that can be written to, each process compiles for itself.
    with suppress(Exception):
        dispatcher._cache = _RepairedCache(function)
    dispatcher.compile(signature)
    dispatcher.disable_compile()
    return dispatcher


class _RepairedCache(FunctionCache):
    """numba's cache, where files that can't be read are written anew and a failure is no error.

    numba itself raises an error for a truncated file, in this process and in every later one. It replaces files at
    once, so processes that repair together see whole files only.
    """

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except Exception:
            with suppress(Exception):
                self.flush()  # an index without entries, so that the data are overwritten too
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        with suppress(Exception):  # a full disk, say: what was compiled serves this process
            super().save_overload(sig, data)
