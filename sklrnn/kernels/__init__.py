"""Fused kernels for the CPU: SimpleRNN, GRU and LSTM, forward and backward, compiled by numba.

They work on the parameters of torch's layers and compute the same outputs and gradients, faster. A cell is a few
equations (``_gru.py``, ``_lstm.py``, ``_simple_rnn.py``) for one vector of units; everything else is shared. numba is
imported, and a kernel compiled, only when a layer first runs.
"""

from sklrnn.kernels.autograd import has_kernel, run_kernel
from sklrnn.kernels.inference import ForwardLayer, SingleStep
from sklrnn.kernels.preallocated import PreallocatedLayer, preallocated_stack

__all__ = ["ForwardLayer", "PreallocatedLayer", "SingleStep", "has_kernel", "preallocated_stack", "run_kernel"]
