"""Kernels, loaded when they are first needed: numba takes a moment to import, and longer to compile."""

import importlib
import importlib.util
import warnings

from sklrnn.kernels._runtime import Kernel

_KERNELS: dict[str, Kernel | None] = {}


def load_kernel(cell: str) -> Kernel | None:
    """The kernel of a cell, or None where there is no numba or it can't compile."""
    if cell not in _KERNELS:
        _KERNELS[cell] = _load(cell)
    return _KERNELS[cell]


def _load(cell: str) -> Kernel | None:
    if None in list(_KERNELS.values()) or importlib.util.find_spec("numba") is None:
        return None
    try:
        module = importlib.import_module(f"sklrnn.kernels._{cell}")
        lanes = importlib.import_module("sklrnn.kernels._simd").LANES
        return Kernel(module.forward, module.backward, module.finish, module.SHAPE, lanes)
    except Exception as error:
        warnings.warn(
            f"The fast kernels can't be compiled here, so torch's own layers are used: {type(error).__name__}: {error}. "
            "Set the environment variable SKLRNN_KERNELS=0 to do without them from the start.",
            RuntimeWarning,
            stacklevel=2,
        )
        return None
