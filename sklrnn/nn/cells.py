"""The recurrent layers, by name, each written as its equation.

A cell is a value: a callable ``(input_size, hidden_size)`` that gives a module with the calling convention of torch's
recurrent layers, ``states, last = cell(x, first)``, with ``x`` of shape (time, sample, feature). Options of the cells
of this file are keywords of the callable; the tables of ``estimators.parameters`` make hyperparameters of them.
"""

import inspect
from collections.abc import Callable
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sklrnn.kernels import run_kernel
from sklrnn.nn.stepwise import Stepwise, StepwiseCell

__all__ = ["CELLS", "GATES", "Cell", "CellName", "StepwiseCell"]

Cell = Callable[[int, int], nn.Module]
_Pair = tuple[Tensor, Tensor]


class _OfTorch(Stepwise):
    """A fused layer of torch: by a kernel where there is one for it, step by step where the state is masked.

    The equations have one bias. torch's second one adds nothing to it, so it stays zero and untrained, except in a cell
    that ``has_two_biases``.
    """

    has_two_biases: ClassVar[bool] = False
    bias_hh_l0: Tensor

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.bias_hh_l0.requires_grad_(self.has_two_biases)

    def input_bias(self) -> Tensor:
        return self.bias_ih_l0 if self.has_two_biases else self.bias_ih_l0 + self.bias_hh_l0

    def initialise(self, generator: torch.Generator) -> None:
        super().initialise(generator)
        nn.init.zeros_(self.bias_hh_l0)

    def reset_parameters(self) -> None:
        """Left empty: torch's own initialisation would draw from the global generator."""

    def forward(self, x: Tensor, first: Any = None, state_mask: Tensor | None = None) -> tuple[Tensor, Any]:
        if state_mask is not None:
            return self.unroll(x, first, state_mask)
        done = run_kernel(self, x, first)
        states, last = super().forward(x, first) if done is None else done  # type: ignore[misc]
        return states, last


class SimpleRNN(_OfTorch, nn.RNN):  # type: ignore[misc]  # torch declares forward for packed sequences too
    """h_t = activation(W_x x_t + W_h h_{t-1} + b)."""

    gates = ("state",)

    def __init__(self, input_size: int, hidden_size: int, *, activation: Literal["tanh", "relu"] = "tanh") -> None:
        super().__init__(input_size, hidden_size, nonlinearity=activation)

    def step(self, inputs: Tensor, seen: Tensor, recurrent: Tensor, state: Tensor) -> Tensor:
        h = torch.addmm(inputs, seen, recurrent)
        return h.tanh() if self.nonlinearity == "tanh" else h.relu()


class GRU(_OfTorch, nn.GRU):  # type: ignore[misc]
    """Gates ``reset`` and ``update``; the reset gate acts after the product, as in torch and cuDNN.

    r = σ(W_r x_t + U_r h_{t-1} + b_r), z = σ(W_z x_t + U_z h_{t-1} + b_z),
    h̃ = tanh(W_c x_t + b_c + r * (U_c h_{t-1} + d_c)), h_t = z * h_{t-1} + (1 - z) * h̃.
    """

    gates = ("reset", "update", "candidate")
    has_two_biases = True

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)

    def step(self, inputs: Tensor, seen: Tensor, recurrent: Tensor, state: Tensor) -> Tensor:
        widths = [2 * self.hidden_size, self.hidden_size]
        gates, candidate = inputs.split(widths, dim=1)
        gates_of_state, candidate_of_state = torch.addmm(self.bias_hh_l0, seen, recurrent).split(widths, dim=1)
        reset, update = (gates + gates_of_state).sigmoid().chunk(2, dim=1)
        candidate = torch.addcmul(candidate, reset, candidate_of_state).tanh()
        return torch.lerp(candidate, state, update)


class TextbookGRU(StepwiseCell):
    """The GRU whose reset gate acts before the product: h̃ = tanh(W_c x_t + U_c (r * h_{t-1}) + b_c)."""

    gates = ("reset", "update", "candidate")

    def recurrent_weights(self) -> Any:
        return super().recurrent_weights().split([2 * self.hidden_size, self.hidden_size], dim=1)

    def step(self, inputs: Tensor, seen: Tensor, recurrent: Any, state: Tensor) -> Tensor:
        to_gates, to_candidate = recurrent
        gates, candidate = inputs.split([2 * self.hidden_size, self.hidden_size], dim=1)
        reset, update = torch.addmm(gates, seen, to_gates).sigmoid().chunk(2, dim=1)
        candidate = torch.addmm(candidate, reset * seen, to_candidate).tanh()
        return torch.lerp(candidate, state, update)


class MinimalGRU(StepwiseCell):
    """One gate, whose value is the share of the candidate in the new state.

    Γ = σ(W_u x_t + U_u h_{t-1} + b_u), h̃ = tanh(W_c x_t + U_c h_{t-1} + b_c), h_t = Γ * h̃ + (1 - Γ) * h_{t-1}.
    """

    gates = ("update", "candidate")

    def step(self, inputs: Tensor, seen: Tensor, recurrent: Tensor, state: Tensor) -> Tensor:
        update, candidate = torch.addmm(inputs, seen, recurrent).chunk(2, dim=1)
        return torch.lerp(state, candidate.tanh(), update.sigmoid())


class LSTM(_OfTorch, nn.LSTM):  # type: ignore[misc]
    """Gates ``input``, ``forget`` and ``output`` around a cell state.

    c̃ = tanh(W_c x_t + U_c h_{t-1} + b_c), c_t = forget * c_{t-1} + input * c̃, h_t = output * tanh(c_t), each gate
    σ(W x_t + U h_{t-1} + b) with weights of its own.
    """

    gates = ("input", "forget", "candidate", "output")
    n_states = 2

    def __init__(self, input_size: int, hidden_size: int, *, forget_bias: float = 1.0) -> None:
        super().__init__(input_size, hidden_size)
        self.forget_bias = forget_bias

    def first_biases(self) -> dict[str, float]:
        return {"forget": self.forget_bias}

    def step(self, inputs: Tensor, seen: Tensor, recurrent: Tensor, state: _Pair) -> _Pair:
        _, c = state
        input_, forget, candidate, output = torch.addmm(inputs, seen, recurrent).chunk(4, dim=1)
        c = torch.addcmul(forget.sigmoid() * c, input_.sigmoid(), candidate.tanh())
        return output.sigmoid() * c.tanh(), c


class PeepholeLSTM(StepwiseCell):
    """The LSTM whose gates see the cell state, unit by unit.

    Input and forget gate add p * c_{t-1} to what they see, the output gate adds p * c_t. The peephole weights p start
    at zero: training decides where a gate looks.
    """

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

    def step(self, inputs: Tensor, seen: Tensor, recurrent: Any, state: _Pair) -> _Pair:
        (_, c), (weights, before, after) = state, recurrent
        n = self.hidden_size
        gates, candidate, output = torch.addmm(inputs, seen, weights).split([2 * n, n, n], dim=1)
        gates = torch.addcmul(gates.unflatten(1, (2, n)), c.unsqueeze(1), before)  # (sample, gate, unit)
        input_, forget = gates.sigmoid().unbind(1)
        c = torch.addcmul(forget * c, input_, candidate.tanh())
        return torch.addcmul(output, c, after).sigmoid() * c.tanh(), c


class SLSTM(StepwiseCell):
    """The LSTM with exponential gates and a normalizer state n, as in xLSTM's sLSTM.

    c_t = f c_{t-1} + i tanh(W_c x_t + U_c h_{t-1} + b_c), n_t = f n_{t-1} + i, h_t = o c_t / n_t, with i = exp(ĩ), f = σ(f̃),
    o = σ(õ). A stabilizer m_t = max(log f + m_{t-1}, ĩ) keeps the exponentials finite; it cancels out of h_t.
    """

    gates = ("input", "forget", "candidate", "output")
    n_states = 4

    def first_biases(self) -> dict[str, float]:
        return {"forget": 1.0}

    def step(self, inputs: Tensor, seen: Tensor, recurrent: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        _, c, n, m = state
        input_, forget, candidate, output = torch.addmm(inputs, seen, recurrent).chunk(4, dim=1)
        kept = F.logsigmoid(forget) + m
        m = torch.maximum(kept, input_)
        i, f = (input_ - m).exp(), (kept - m).exp()
        c, n = f * c + i * candidate.tanh(), f * n + i
        return output.sigmoid() * c / n, c, n, m


def _gru(input_size: int, hidden_size: int, *, reset_after: bool = True) -> nn.Module:
    return (GRU if reset_after else TextbookGRU)(input_size, hidden_size)


def _lstm(input_size: int, hidden_size: int, *, forget_bias: float = 1.0, peephole: bool = False) -> nn.Module:
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


def make_cell(cell: str | Cell, options: dict[str, Any], input_size: int, hidden_size: int) -> nn.Module:
    """Make one cell, and try it if it is user-defined, so that an error names the cell."""
    if isinstance(cell, str):
        return CELLS[cell](input_size, hidden_size, **options)
    if isinstance(cell, nn.Module):
        raise ValueError(
            f"cell must make a module when it is called with (input_size, hidden_size), got a module: {cell}. "
            f"Pass the class, {type(cell).__name__}, or a function that makes one."
        )
    module = cell(input_size, hidden_size)
    if not isinstance(module, nn.Module):
        raise ValueError(f"cell={cell!r} must return a torch.nn.Module, got {type(module).__name__}.")
    _try_out(module, input_size, hidden_size)
    return module


def _try_out(cell: nn.Module, input_size: int, hidden_size: int) -> None:
    """Read two segments of two steps of three samples, the second from where the first ended."""
    needed = (
        f"cell={type(cell).__name__} must keep the calling convention of torch's recurrent layers: ``states, last = "
        "module(x, first)`` with x of shape (time, sample, feature), first None or an earlier last, and states of "
        f"shape (time, sample, unit), here {(2, 3, hidden_size)} for x of shape {(2, 3, input_size)}"
    )
    was_training = cell.training
    try:
        with torch.no_grad():
            _, last = run_cell(cell.eval(), torch.zeros(2, 3, input_size))
            states, _ = run_cell(cell, torch.zeros(2, 3, input_size), last)
            shape = tuple(states.shape)
    except Exception as error:
        raise ValueError(f"{needed}; trying it failed with {type(error).__name__}: {error}") from error
    if shape != (2, 3, hidden_size):
        raise ValueError(f"{needed}; its states are {shape}.")
    cell.train(was_training)


def run_cell(cell: nn.Module, x: Tensor, first: Any = None, state_mask: Tensor | None = None) -> tuple[Tensor, Any]:
    """Run any cell on ``x`` of shape (time, sample, feature), whichever axis order it was made for."""
    masked = {} if state_mask is None else {"state_mask": state_mask}
    if getattr(cell, "batch_first", False):
        states, last = cell(x.transpose(0, 1), first, **masked)
        return states.transpose(0, 1), last
    states, last = cell(x, first, **masked)
    return states, last


def final_state(cell: nn.Module, states: Tensor, last: Any) -> Tensor:
    """The state after the last step, (sample, unit).

    The gradient of a slice of all states would be written out for all of them, so the state is taken from ``last`` where
    it is known to lie there.
    """
    if not is_of_torch(cell):
        return states[-1]
    state: Tensor = (last[0] if isinstance(last, tuple) else last)[0]
    return state


def is_of_torch(cell: nn.Module) -> bool:
    """Whether the cell is one of torch's layers, which kernels can replace."""
    return isinstance(cell, _OfTorch)


def can_mask_its_state(cell: nn.Module) -> bool:
    """Whether the cell takes a mask for the state that its recurrent products see."""
    return "state_mask" in inspect.signature(cell.forward).parameters


def gates_of(cell: nn.Module) -> tuple[str, ...] | None:
    """The gates of a cell in words; None for a cell that nothing is known of."""
    if isinstance(cell, StepwiseCell):
        return cell.gates
    return next((names for kind, names in GATES.items() if isinstance(cell, kind)), None)
