"""Kernels, loaded when they are first needed: from a library that was compiled with the package, or through numba."""

import importlib
import importlib.util
import os
import threading
import warnings

from sklrnn.kernels._arguments import KernelSource
from sklrnn.kernels._library import Kernel, load_compiled

_MODULES = {
    "simple_rnn": "_simple_rnn",
    "relu_rnn": "_simple_rnn",
    "gru": "_gru",
    "textbook_gru": "_textbook_gru",
    "minimal_gru": "_minimal_gru",
    "lstm": "_lstm",
    "peephole_lstm": "_lstm",
}
_KERNELS: dict[str, Kernel | None] = {}
_LOCK = threading.Lock()


def all_cells() -> list[str]:
    return list(_MODULES)


def source_of(cell: str) -> KernelSource:
    """The kernel of a cell before it is compiled; this imports numba."""
    module = importlib.import_module(f"sklrnn.kernels.{_MODULES[cell]}")
    source: KernelSource = getattr(module, cell)()
    return source


def load_kernel(cell: str) -> Kernel | None:
    """The kernel of a cell, or None where it was not compiled with the package, and numba is missing or can't do it.

    ``SKLRNN_KERNELS=jit`` in the environment ignores what was compiled with the package.
    """
    with _LOCK:  # threads that begin together would each compile it
        if cell not in _KERNELS:
            compiled = None if os.environ.get("SKLRNN_KERNELS") == "jit" else load_compiled(cell)
            _KERNELS[cell] = _compile(cell) if compiled is None else compiled
    return _KERNELS[cell]


def _compile(cell: str) -> Kernel | None:
    if None in list(_KERNELS.values()) or importlib.util.find_spec("numba") is None:
        return None
    try:
        kernel: Kernel = importlib.import_module("sklrnn.kernels._jit").compile_in_memory(cell, source_of)
    except Exception as error:
        warnings.warn(
            f"The fast kernels can't be compiled here, so torch's own layers are used: {type(error).__name__}: {error}."
            " Set the environment variable SKLRNN_KERNELS=0 to do without them from the start.",
            RuntimeWarning,
            stacklevel=2,
        )
        return None
    return kernel
