"""Fused kernels for the CPU: SimpleRNN, GRU and LSTM and their variants, forward and backward, compiled by numba.

They work on the parameters of torch's layers and compute the same outputs and gradients, faster. A cell is a few
equations (``_gru.py``, ``_textbook_gru.py``, ``_minimal_gru.py``, ``_lstm.py``, ``_simple_rnn.py``) for one vector of
units; everything else is shared. numba is imported, and a kernel compiled, only when a layer first runs.
"""

from sklrnn.kernels.autograd import run_kernel
from sklrnn.kernels.preallocated import PreallocatedLayer, preallocated_stack

__all__ = ["PreallocatedLayer", "preallocated_stack", "run_kernel"]
