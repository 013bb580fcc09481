"""Kernels, loaded when they are first needed: from a library that was compiled with the package, or through numba."""

import importlib
import importlib.util
import os
import warnings
from collections.abc import Callable
from typing import Any

from sklrnn.kernels._arguments import KernelSource
from sklrnn.kernels._library import Kernel, function_from, kernel_from, load_compiled
from sklrnn.kernels.fork_lock import fork_lock

_MODULES = {
    "simple_rnn": "_simple_rnn",
    "relu_rnn": "_simple_rnn",
    "gru": "_gru",
    "textbook_gru": "_textbook_gru",
    "minimal_gru": "_minimal_gru",
    "lstm": "_lstm",
    "peephole_lstm": "_lstm",
}
_PROGRAM = "program"
_LOADED: dict[str, Any] = {}
_LOCK = fork_lock()


def all_cells() -> list[str]:
    return list(_MODULES)


def all_libraries() -> list[str]:
    return [*_MODULES, _PROGRAM]


def source_of(cell: str) -> KernelSource:
    """The kernel of a cell, or the program, before it is compiled; this imports numba."""
    if cell == _PROGRAM:
        return KernelSource({"run": importlib.import_module("sklrnn.kernels._program").run})
    module = importlib.import_module(f"sklrnn.kernels.{_MODULES[cell]}")
    source: KernelSource = getattr(module, cell)()
    return source


def load_kernel(cell: str) -> Kernel | None:
    """The kernel of a cell, or None where it was not compiled with the package, and numba is missing or can't do it.

    ``SKLRNN_KERNELS=jit`` in the environment ignores what was compiled with the package.
    """
    kernel: Kernel | None = _load(cell, kernel_from)
    return kernel


def load_program() -> Callable[..., None] | None:
    """The compiled function that runs whole batches, or None in the same cases."""
    run: Callable[..., None] | None = _load(_PROGRAM, function_from)
    return run


def _load(name: str, loaded_from: Callable[..., Any]) -> Any:
    with _LOCK:  # threads that begin together would each compile it
        if name not in _LOADED:
            compiled = None if os.environ.get("SKLRNN_KERNELS") == "jit" else load_compiled(name, loaded_from)
            _LOADED[name] = _compile(name, loaded_from) if compiled is None else compiled
    return _LOADED[name]


def _compile(name: str, loaded_from: Callable[..., Any]) -> Any:
    if None in list(_LOADED.values()) or importlib.util.find_spec("numba") is None:
        return None
    try:
        return importlib.import_module("sklrnn.kernels._jit").compile_in_memory(name, source_of, loaded_from)
    except Exception as error:
        warnings.warn(
            f"The fast kernels can't be compiled here, so torch's own layers are used: {type(error).__name__}: {error}."
            " Set the environment variable SKLRNN_KERNELS=0 to do without them from the start.",
            RuntimeWarning,
            stacklevel=2,
        )
        return None
