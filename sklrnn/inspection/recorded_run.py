"""Run a network with its cells unrolled step by step, and keep what each step computes."""

from typing import Any

import torch
from torch import Tensor, nn

from sklrnn.nn.cells import GRU, LSTM, SimpleRNN, gates_of
from sklrnn.nn.layers import reverse
from sklrnn.nn.stepwise import Stepwise

_OF_TORCH: dict[type[nn.Module], Any] = {nn.RNN: SimpleRNN, nn.GRU: GRU, nn.LSTM: LSTM}


class RecordedCell(nn.Module):
    """A cell that is run by its equations, and keeps the states and the gates of every step in reading order."""

    def __init__(self, cell: nn.Module, *, with_gates: bool) -> None:
        super().__init__()
        self.cell = _with_equations(cell)
        self.with_gates = with_gates
        self.gates: list[tuple[Tensor, ...]] = []
        self.states: list[Any] = []
        if with_gates and not _tells_gates(self.cell):
            name = type(self.cell).__name__
            raise ValueError(
                f"The cell {name} does not tell the values of its gates. Give it a method ``gate_values`` with the "
                "arguments of ``step``, which returns the gates in the order of ``gates``."
            )

    def forward(self, x: Tensor, first: Any = None, state_mask: Tensor | None = None) -> tuple[Tensor, Any]:
        self.gates, self.states = [], []
        unrolled: tuple[Tensor, Any] = self.cell.unroll(x, first, state_mask, watch=self._keep)
        return unrolled

    def _keep(self, inputs: Tensor, seen: Tensor, recurrent: Any, before: Any, state: Any) -> None:
        self.states.append(state)
        if self.with_gates:
            self.gates.append(self.cell.gate_values(inputs, seen, recurrent, before))

    def gate_blocks(self) -> dict[str, Tensor]:
        """The values of each gate, (time, sample, unit)."""
        names = gates_of(self.cell) or ()
        return {name: torch.stack(values) for name, values in zip(names, zip(*self.gates, strict=True), strict=True)}

    def state_blocks(self) -> dict[str, Tensor]:
        """Each part of the state, (time, sample, unit)."""
        steps = [self.cell.state_values(state) for state in self.states]
        return {name: torch.stack([step[name] for step in steps]) for name in steps[0]}


def record_cells(network: Any, *, with_gates: bool = False) -> dict[tuple[int, str], RecordedCell]:
    """Replace the cells of a network by recorded ones; the keys are the number of the layer, and the direction."""
    if not len(network.recurrent):
        raise ValueError(
            "The network has no recurrent layers (cell=None), so it has no gates or states. filters and "
            'filter_responses show its convolutions, gradient_flow(..., with_respect_to="input") its gradients.'
        )
    recorded = {}
    for number, layer in enumerate(network.recurrent, start=1):
        for direction in ("forward", "backward"):
            cell = getattr(layer, f"{direction}s")
            if cell is not None:
                recorded[number, direction] = RecordedCell(cell, with_gates=with_gates)
                setattr(layer, f"{direction}s", recorded[number, direction])
    return recorded


def in_order_of_time(block: Tensor, direction: str, lengths: Tensor | None, *, n_segments: int | None = None) -> Tensor:
    """A recorded block (time, sample, unit) with the oldest step first, whatever the direction.

    ``n_segments`` is the number of samples that were read as one sequence.
    """
    if n_segments is not None:
        block = block.reshape(n_segments, -1, block.shape[2]).transpose(0, 1)
    return reverse(block, lengths) if direction == "backward" else block


def _with_equations(cell: nn.Module) -> Any:
    """The cell, or one of this package with the equations and weights of a layer of torch."""
    if isinstance(cell, Stepwise):
        return cell
    kind: Any = _OF_TORCH.get(type(cell))
    layer: Any = cell
    if kind is None or layer.num_layers > 1 or layer.bidirectional or layer.proj_size or not layer.bias:
        raise ValueError(
            f"What happens within a step of the cell {type(cell).__name__} is not known. It is for cells of sklrnn, "
            "subclasses of StepwiseCell, and torch.nn.RNN, GRU and LSTM with one layer and one direction."
        )
    options = {"activation": layer.nonlinearity} if kind is SimpleRNN else {}
    known: nn.Module = kind(layer.input_size, layer.hidden_size, **options)
    known.load_state_dict(layer.state_dict())
    return known.to(layer.weight_ih_l0)


def _tells_gates(cell: nn.Module) -> bool:
    """Whether the class whose equations these are has ``gate_values``: a subclass may have changed ``step`` only."""
    owner = next(kind for kind in type(cell).__mro__ if {"step", "gate_values"} & {*vars(kind)})
    return "gate_values" in vars(owner) and owner is not Stepwise
