"""Kernels, loaded when they are first needed: numba takes a moment to import, and longer to compile."""

import importlib
import importlib.util
import threading
import warnings

from sklrnn.kernels._runtime import Kernel

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


def load_kernel(cell: str) -> Kernel | None:
    """The kernel of a cell, or None where there is no numba or it can't compile."""
    with _LOCK:  # threads that begin together would each compile it
        if cell not in _KERNELS:
            _KERNELS[cell] = _load(cell)
    return _KERNELS[cell]


def _load(cell: str) -> Kernel | None:
    if None in list(_KERNELS.values()) or importlib.util.find_spec("numba") is None:
        return None
    try:
        module = importlib.import_module(f"sklrnn.kernels.{_MODULES[cell]}")
        kernel: Kernel = getattr(module, cell)()
    except Exception as error:
        warnings.warn(
            f"The fast kernels can't be compiled here, so torch's own layers are used: {type(error).__name__}: {error}."
            " Set the environment variable SKLRNN_KERNELS=0 to do without them from the start.",
            RuntimeWarning,
            stacklevel=2,
        )
        return None
    return kernel
