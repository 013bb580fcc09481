"""Fused kernels for the CPU: SimpleRNN, GRU and LSTM, forwards and backwards, compiled by numba.

They work on the parameters of torch's layers and give what these give, faster. A cell is a few equations
(``_gru.py``, ``_lstm.py``, ``_simple_rnn.py``) for one vector of units; everything else is shared. Nothing here is
compiled, and numba is not imported, before a layer first runs.
"""

from sklrnn.kernels.autograd import run_kernel
from sklrnn.kernels.preallocated import StandingLayer, standing_stack

__all__ = ["StandingLayer", "run_kernel", "standing_stack"]
