"""The recurrent layers, by name, each written as its equation.

A cell is a value: a callable ``(input_size, hidden_size)`` that gives a module with the calling convention of torch's
recurrent layers, ``states, last = cell(x, first)``, with ``x`` of shape (time, sample, feature). Options of the cells
of this file are keywords of the callable; the tables of ``estimators.cell_options`` make hyperparameters of them.
"""

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sklrnn.nn.stepwise import StepwiseCell
from sklrnn.nn.torch_layer import TorchLayer

__all__ = ["CELLS", "GATES", "Cell", "CellName", "StepwiseCell"]

Cell = Callable[[int, int], nn.Module]
_Pair = tuple[Tensor, Tensor]


class SimpleRNN(TorchLayer, nn.RNN):  # type: ignore[misc]  # torch declares forward for packed sequences too
    """Simple recurrent network [Elman1990]_: the state follows from the input and the state before.

    ::

        h_t = activation(W_x x_t + W_h h_{t-1} + b)

    .. [Elman1990] Elman, J. L.: "Finding structure in time", Cognitive Science 14(2), 1990.
    """

    gates = ("state",)

    def __init__(self, input_size: int, hidden_size: int, *, activation: Literal["tanh", "relu"] = "tanh") -> None:
        super().__init__(input_size, hidden_size, nonlinearity=activation)

    def gate_values(self, inputs: Tensor, seen: Tensor, recurrent: Tensor, state: Tensor) -> tuple[Tensor]:
        h = torch.addmm(inputs, seen, recurrent)
        return (h.tanh() if self.nonlinearity == "tanh" else h.relu(),)

    def step(self, inputs: Tensor, seen: Tensor, recurrent: Tensor, state: Tensor) -> Tensor:
        return self.gate_values(inputs, seen, recurrent, state)[0]


class GRU(TorchLayer, nn.GRU):  # type: ignore[misc]
    """The GRU whose reset gate acts after the product, as in torch and cuDNN: see ``_gru``."""

    gates = ("reset", "update", "candidate")
    has_two_biases = True

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)

    def gate_values(self, inputs: Tensor, seen: Tensor, recurrent: Tensor, state: Tensor) -> tuple[Tensor, ...]:
        widths = [2 * self.hidden_size, self.hidden_size]
        gates, candidate = inputs.split(widths, dim=1)
        gates_of_state, candidate_of_state = torch.addmm(self.bias_hh_l0, seen, recurrent).split(widths, dim=1)
        reset, update = (gates + gates_of_state).sigmoid().chunk(2, dim=1)
        return reset, update, torch.addcmul(candidate, reset, candidate_of_state).tanh()

    def step(self, inputs: Tensor, seen: Tensor, recurrent: Tensor, state: Tensor) -> Tensor:
        _, update, candidate = self.gate_values(inputs, seen, recurrent, state)
        return torch.lerp(candidate, state, update)


class TextbookGRU(StepwiseCell):
    """The GRU whose reset gate acts before the product, as in its paper: see ``_gru``."""

    _kernel = "textbook_gru"
    gates = ("reset", "update", "candidate")

    def recurrent_weights(self) -> Any:
        return super().recurrent_weights().split([2 * self.hidden_size, self.hidden_size], dim=1)

    def gate_values(self, inputs: Tensor, seen: Tensor, recurrent: Any, state: Tensor) -> tuple[Tensor, ...]:
        to_gates, to_candidate = recurrent
        gates, candidate = inputs.split([2 * self.hidden_size, self.hidden_size], dim=1)
        reset, update = torch.addmm(gates, seen, to_gates).sigmoid().chunk(2, dim=1)
        return reset, update, torch.addmm(candidate, reset * seen, to_candidate).tanh()

    def step(self, inputs: Tensor, seen: Tensor, recurrent: Any, state: Tensor) -> Tensor:
        _, update, candidate = self.gate_values(inputs, seen, recurrent, state)
        return torch.lerp(candidate, state, update)


class MinimalGRU(StepwiseCell):
    """Minimal gated unit, with one gate: the share of the candidate in the new state.

    ::

        u_t = σ(W_u x_t + U_u h_{t-1} + b_u)                      update gate
        c_t = tanh(W_c x_t + U_c h_{t-1} + b_c)                   candidate
        h_t = u_t * c_t + (1 - u_t) * h_{t-1}

    In the unit of the paper [Zhou2016]_ the gate also scales the state that the candidate sees.

    .. [Zhou2016] Zhou, G.-B., Wu, J., Zhang, C.-L. and Zhou, Z.-H.: "Minimal gated unit for recurrent neural networks",
       International Journal of Automation and Computing 13(3), 2016.
    """

    _kernel = "minimal_gru"
    gates = ("update", "candidate")

    def gate_values(self, inputs: Tensor, seen: Tensor, recurrent: Tensor, state: Tensor) -> tuple[Tensor, ...]:
        update, candidate = torch.addmm(inputs, seen, recurrent).chunk(2, dim=1)
        return update.sigmoid(), candidate.tanh()

    def step(self, inputs: Tensor, seen: Tensor, recurrent: Tensor, state: Tensor) -> Tensor:
        update, candidate = self.gate_values(inputs, seen, recurrent, state)
        return torch.lerp(state, candidate, update)


class LSTM(TorchLayer, nn.LSTM):  # type: ignore[misc]
    """The LSTM without peepholes: see ``_lstm``."""

    gates = ("input", "forget", "candidate", "output")
    n_states = 2

    def __init__(self, input_size: int, hidden_size: int, *, forget_bias: float = 1.0) -> None:
        super().__init__(input_size, hidden_size)
        self.forget_bias = forget_bias

    def first_biases(self) -> dict[str, float]:
        return {"forget": self.forget_bias}

    def gate_values(self, inputs: Tensor, seen: Tensor, recurrent: Tensor, state: _Pair) -> tuple[Tensor, ...]:
        input_, forget, candidate, output = torch.addmm(inputs, seen, recurrent).chunk(4, dim=1)
        return input_.sigmoid(), forget.sigmoid(), candidate.tanh(), output.sigmoid()

    def step(self, inputs: Tensor, seen: Tensor, recurrent: Tensor, state: _Pair) -> _Pair:
        _, c = state
        input_, forget, candidate, output = self.gate_values(inputs, seen, recurrent, state)
        c = torch.addcmul(forget * c, input_, candidate)
        return output * c.tanh(), c


class PeepholeLSTM(StepwiseCell):
    """The LSTM with peepholes, whose weights start at zero: training decides where a gate sees the cell state."""

    _kernel = "peephole_lstm"
    gates = ("input", "forget", "candidate", "output")
    n_states = 2

    def __init__(self, input_size: int, hidden_size: int, *, forget_bias: float = 1.0) -> None:
        super().__init__(input_size, hidden_size)
        self.forget_bias = forget_bias
        self.peephole_l0 = nn.Parameter(torch.zeros(3, hidden_size))  # input, forget, output

    def first_biases(self) -> dict[str, float]:
        return {"forget": self.forget_bias}

    def recurrent_weights(self) -> Any:
        return super().recurrent_weights(), *self.peephole_l0.split([2, 1])

    def gate_values(self, inputs: Tensor, seen: Tensor, recurrent: Any, state: _Pair) -> tuple[Tensor, ...]:
        return self._gates_and_cell(inputs, seen, recurrent, state)[0]

    def step(self, inputs: Tensor, seen: Tensor, recurrent: Any, state: _Pair) -> _Pair:
        (*_, output), c = self._gates_and_cell(inputs, seen, recurrent, state)
        return output * c.tanh(), c

    def _gates_and_cell(
        self, inputs: Tensor, seen: Tensor, recurrent: Any, state: _Pair
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        """The gates and the next cell state, which the output gate sees."""
        (_, c), (weights, before, after) = state, recurrent
        n = self.hidden_size
        gates, candidate, output = torch.addmm(inputs, seen, weights).split([2 * n, n, n], dim=1)
        gates = torch.addcmul(gates.unflatten(1, (2, n)), c.unsqueeze(1), before)  # (sample, gate, unit)
        input_, forget = gates.sigmoid().unbind(1)
        candidate = candidate.tanh()
        c = torch.addcmul(forget * c, input_, candidate)
        return (input_, forget, candidate, torch.addcmul(output, c, after).sigmoid()), c


class SLSTM(StepwiseCell):
    """The sLSTM of xLSTM [Beck2024]_: an LSTM with exponential input gates and a normalizer.

    ::

        i_t = exp(W_i x_t + U_i h_{t-1} + b_i)                    input gate
        f_t = σ(W_f x_t + U_f h_{t-1} + b_f)                      forget gate
        o_t = σ(W_o x_t + U_o h_{t-1} + b_o)                      output gate
        c_t = f_t * c_{t-1} + i_t * tanh(W_c x_t + U_c h_{t-1} + b_c)
        n_t = f_t * n_{t-1} + i_t                                 normalizer
        h_t = o_t * c_t / n_t

    The exponentials are computed relative to their running maximum, which cancels out of the hidden state.

    .. [Beck2024] Beck, M. et al.: "xLSTM: extended long short-term memory", NeurIPS, 2024.
    """

    gates = ("input", "forget", "candidate", "output")
    n_states = 4

    def first_biases(self) -> dict[str, float]:
        return {"forget": 1.0}

    def gate_values(self, inputs: Tensor, seen: Tensor, recurrent: Tensor, state: Any) -> tuple[Tensor, ...]:
        input_, forget, candidate, output = torch.addmm(inputs, seen, recurrent).chunk(4, dim=1)
        return input_.exp(), forget.sigmoid(), candidate.tanh(), output.sigmoid()

    def state_values(self, state: tuple[Tensor, ...]) -> dict[str, Tensor]:
        h, c, n, m = state
        return {"hidden": h, "cell": c * m.exp(), "normalizer": n * m.exp()}

    def step(self, inputs: Tensor, seen: Tensor, recurrent: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        _, c, n, m = state
        input_, forget, candidate, output = torch.addmm(inputs, seen, recurrent).chunk(4, dim=1)
        kept = F.logsigmoid(forget) + m
        m = torch.maximum(kept, input_)
        i, f = (input_ - m).exp(), (kept - m).exp()
        c, n = f * c + i * candidate.tanh(), f * n + i
        return output.sigmoid() * c / n, c, n, m


def _gru(input_size: int, hidden_size: int, *, reset_after: bool = True) -> nn.Module:
    """Gated recurrent units [Cho2014]_: gates decide how much of the state is kept.

    ::

        r_t = σ(W_r x_t + U_r h_{t-1} + b_r)                      reset gate
        z_t = σ(W_z x_t + U_z h_{t-1} + b_z)                      update gate
        c_t = tanh(W_c x_t + b_c + r_t * (U_c h_{t-1} + d_c))     candidate
        h_t = z_t * h_{t-1} + (1 - z_t) * c_t

    With ``reset_after=False`` the reset gate acts before the product, as in the paper::

        c_t = tanh(W_c x_t + U_c (r_t * h_{t-1}) + b_c)

    .. [Cho2014] Cho, K. et al.: "Learning phrase representations using RNN encoder-decoder for statistical machine
       translation", EMNLP, 2014.
    """
    return (GRU if reset_after else TextbookGRU)(input_size, hidden_size)


def _lstm(input_size: int, hidden_size: int, *, forget_bias: float = 1.0, peephole: bool = False) -> nn.Module:
    """Long short-term memory [Hochreiter1997]_ with a forget gate [Gers2000]_: a cell state beside the hidden state.

    ::

        i_t = σ(W_i x_t + U_i h_{t-1} + b_i)                      input gate
        f_t = σ(W_f x_t + U_f h_{t-1} + b_f)                      forget gate
        o_t = σ(W_o x_t + U_o h_{t-1} + b_o)                      output gate
        c_t = f_t * c_{t-1} + i_t * tanh(W_c x_t + U_c h_{t-1} + b_c)
        h_t = o_t * tanh(c_t)

    With ``peephole=True`` the gates see the cell state too, unit by unit [Timing2000]_: the sums inside the input and
    the forget gate get ``p_i * c_{t-1}`` and ``p_f * c_{t-1}``, that inside the output gate gets ``p_o * c_t``.

    .. [Hochreiter1997] Hochreiter, S. and Schmidhuber, J.: "Long short-term memory", Neural Computation 9(8), 1997.

    .. [Gers2000] Gers, F. A., Schmidhuber, J. and Cummins, F.: "Learning to forget: continual prediction with LSTM",
       Neural Computation 12(10), 2000.

    .. [Timing2000] Gers, F. A. and Schmidhuber, J.: "Recurrent nets that time and count", IJCNN, 2000.
    """
    return (PeepholeLSTM if peephole else LSTM)(input_size, hidden_size, forget_bias=forget_bias)


CellName = Literal["simple_rnn", "gru", "minimal_gru", "lstm", "slstm"]

CELLS: dict[str, Callable[..., nn.Module]] = {
    "simple_rnn": SimpleRNN,
    "gru": _gru,
    "minimal_gru": MinimalGRU,
    "lstm": _lstm,
    "slstm": SLSTM,
}

# The gates in the order in which they are stacked along the first axis of each weight.
GATES: dict[type[nn.Module], tuple[str, ...]] = {
    nn.RNN: SimpleRNN.gates,
    nn.GRU: GRU.gates,
    nn.LSTM: LSTM.gates,
    **{kind: kind.gates for kind in (TextbookGRU, MinimalGRU, PeepholeLSTM, SLSTM)},
}


def uses_kernels(cell: nn.Module) -> bool:
    """Whether the cell lets a kernel run it, where there is one."""
    return isinstance(cell, TorchLayer) or "_kernel" in vars(type(cell))


def gates_of(cell: nn.Module) -> tuple[str, ...] | None:
    """The gates of a cell in words; None for a cell that nothing is known of."""
    if isinstance(cell, StepwiseCell):
        return cell.gates
    return next((names for kind, names in GATES.items() if isinstance(cell, kind)), None)
