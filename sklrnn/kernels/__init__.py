"""Fused kernels for the CPU: SimpleRNN, GRU and LSTM and their variants, forward and backward.

They work on the parameters of torch's layers and compute the same outputs and gradients, faster. A cell is a few
equations (``_gru.py``, ``_textbook_gru.py``, ``_minimal_gru.py``, ``_lstm.py``, ``_simple_rnn.py``) for one vector of
units; everything else is shared. numba compiles them when the package is built (``ahead_of_time.py``), or else when a
layer first runs (``_jit.py``).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sklrnn.kernels.autograd import has_kernel, run_kernel
    from sklrnn.kernels.inference import ForwardLayer, SingleStep
    from sklrnn.kernels.preallocated import PreallocatedLayer, preallocated_layer

# Looked up when they are used: the build of the package compiles kernels where there is no torch.
_MODULE_OF = {
    "has_kernel": "autograd",
    "run_kernel": "autograd",
    "ForwardLayer": "inference",
    "SingleStep": "inference",
    "PreallocatedLayer": "preallocated",
    "preallocated_layer": "preallocated",
}

__all__ = ["ForwardLayer", "PreallocatedLayer", "SingleStep", "has_kernel", "preallocated_layer", "run_kernel"]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
