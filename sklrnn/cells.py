"""The recurrent layers, by name.

A cell is a value: a callable ``(input_size, hidden_size)`` that gives a module with the calling convention of torch's
recurrent layers, ``states, last = cell(x, first)``, with ``x`` of shape (time, sample, feature).
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

Cell = Callable[[int, int], nn.Module]


class _InitialisedByNetwork:
    """Leaves the weights empty: torch's own initialisation would draw from the global generator."""

    def reset_parameters(self) -> None:
        pass


class SimpleRNN(_InitialisedByNetwork, nn.RNN):
    """h_t = tanh(W_x x_t + W_h h_{t-1} + b)."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        _keep_one_bias(self)


class GRU(_InitialisedByNetwork, nn.GRU):
    """Gates ``reset`` and ``update``; the reset gate acts after the product, as in torch and cuDNN."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)


class LSTM(_InitialisedByNetwork, nn.LSTM):
    """Gates ``input``, ``forget`` and ``output`` around a cell state."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        _keep_one_bias(self)


CELLS: dict[str, Cell] = {"simple_rnn": SimpleRNN, "gru": GRU, "lstm": LSTM}

# The gates in the order in which torch stacks them along the first axis of each weight.
GATES: dict[type[nn.Module], tuple[str, ...]] = {
    nn.RNN: ("state",),
    nn.GRU: ("reset", "update", "candidate"),
    nn.LSTM: ("input", "forget", "candidate", "output"),
}

FORGET_BIAS = 1.0


def initialise_cell(cell: nn.Module, generator: torch.Generator) -> None:
    """Fill a cell made of torch's layers; one that is somebody's own knows how to start.

    Glorot for what comes in, orthogonal gate by gate for what is passed on, zero biases, and a forget gate that starts
    open, so that an LSTM remembers before it has learnt to.
    """
    gates = next((names for kind, names in GATES.items() if isinstance(cell, kind)), None)
    if gates is None or not isinstance(cell, _InitialisedByNetwork):
        return
    with torch.no_grad():
        for name, weight in cell.named_parameters():
            if name.startswith("bias"):
                nn.init.zeros_(weight)
                continue
            for block in weight.chunk(len(gates)):
                if name.startswith("weight_hh"):
                    nn.init.orthogonal_(block, generator=generator)
                else:
                    nn.init.xavier_uniform_(block, generator=generator)
        if "forget" in gates:
            cell.get_parameter("bias_ih_l0").chunk(len(gates))[gates.index("forget")].fill_(FORGET_BIAS)


def _keep_one_bias(cell: nn.Module) -> None:
    """One bias, as the equations have it: torch's second one adds nothing here, so it stays zero and untrained."""
    cell.get_parameter("bias_hh_l0").requires_grad_(False)


def run_cell(cell: nn.Module, x: Tensor, first: Any = None) -> tuple[Tensor, Any]:
    """Run any cell on ``x`` of shape (time, sample, feature), whichever axis order it was made for."""
    if getattr(cell, "batch_first", False):
        states, last = cell(x.transpose(0, 1), first)
        return states.transpose(0, 1), last
    states, last = cell(x, first)
    return states, last
