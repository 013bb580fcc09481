"""A recurrent layer: dropout, a cell or two with opposite directions, and a residual sum.

Of cells the equations are in the kernels. The others are, with m the mask of dropout and states h::

    dropout    z = m x                  dx = m dz
    join       h_t = [f_t, b_{T-t}]     df_t = dh_t[:units],  db_{T-t} = dh_t[units:]
    residual   y = h + x                dh = dy,  dx = dx + dy
"""

from typing import Any

import torch
from torch import Tensor

from sklrnn.kernels import preallocated_layer
from sklrnn.kernels.program import move, multiply, take
from sklrnn.nn.cell_interface import runs_by_kernel
from sklrnn.nn.layers import SequenceDropout, reverse
from sklrnn.nn.recurrent import RecurrentLayer
from sklrnn.training.operations.signal import EpochArrays, Instructions, LeftToAutograd, Operation, Signal


class Dropout:
    """One mask for all steps of a sequence. Source and output share the gradient, which is multiplied in place."""

    def __init__(self, dropout: SequenceDropout, source: Signal) -> None:
        self._dropout, self._source = dropout, source
        self.output = Signal(torch.empty_like(source.values), source.padded_gradient)

    def forward(self, batch: dict[str, Tensor]) -> None:
        values = self._source.values
        mask = self._dropout.mask(values, values.shape[2])
        assert mask is not None
        self._mask = mask
        torch.mul(values, mask, out=self.output.values)

    def backward(self) -> None:
        if self.output.gradient is not None:
            self.output.gradient.mul_(self._mask)

    def instructions(self, epoch: EpochArrays) -> Instructions:
        values, output = self._source.values, self.output
        mask = torch.empty(values.shape[1:])
        table = draw_masks(epoch, self._dropout, values, mask.shape[1])
        backward = [] if output.gradient is None else [multiply(output.gradient, output.gradient, mask)]
        return [take(mask, table), multiply(output.values, values, mask)], backward


class StateMask:
    """What recurrent dropout draws: one mask of the state for all steps of a sequence, which a kernel reads."""

    def __init__(self, dropout: SequenceDropout, source: Signal, units: int) -> None:
        self._dropout, self._source = dropout, source
        self.values = torch.empty(source.values.shape[1], units)

    def forward(self, batch: dict[str, Tensor]) -> None:
        mask = self._dropout.mask(self._source.values, self.values.shape[1])
        assert mask is not None
        self.values.copy_(mask)

    def backward(self) -> None:
        """Nothing to do: the kernel applies the mask to the gradient too."""

    def instructions(self, epoch: EpochArrays) -> Instructions:
        table = draw_masks(epoch, self._dropout, self._source.values, self.values.shape[1])
        return [take(self.values, table)], []


class Cell:
    """A cell that reads its source step by step, by its kernel, and gives all states, or the final one."""

    def __init__(
        self,
        cell: Any,
        source: Signal,
        mask: StateMask | None = None,
        *,
        gives_final: bool = False,
        passes_state: bool = False,
    ) -> None:
        layer = None
        if runs_by_kernel(cell):
            layer = preallocated_layer(
                cell,
                source.values,
                grad_x=source.padded_gradient,
                state_mask=None if mask is None else mask.values,
                gives_final=gives_final,
                passes_state=passes_state,
            )
        if layer is None:
            raise LeftToAutograd(f"{type(cell).__name__} has no kernel for this")
        self._layer, self._grad_source = layer, source.gradient
        # A kernel writes whole vectors: where the gradient of the source has no room for them, the layer has its own.
        self._copies = source.padded_gradient is not layer.grad_x
        if gives_final:
            self.output = Signal(layer.final_state, layer.grad_final_state)
        else:
            self.output = Signal(layer.states, layer.grad_states)

    def forward(self, batch: dict[str, Tensor]) -> None:
        self._layer.forward()

    def backward(self) -> None:
        self._layer.backward()
        if self._copies:
            assert self._grad_source is not None
            assert self._layer.grad_x is not None
            self._grad_source.copy_(self._layer.grad_x[:, :, : self._grad_source.shape[2]])

    def instructions(self, epoch: EpochArrays) -> Instructions | None:
        found = self._layer.instructions()
        if found is not None and self._copies:
            assert self._layer.grad_x is not None
            found[1].append(move(self._grad_source, self._layer.grad_x[:, :, : self._grad_source.shape[2]]))
        return found

    def start_from(self, state: Any) -> None:
        """Start the next forward pass from a state as the cell itself gives it, None for zeros."""
        states = state if isinstance(state, tuple) else (state,) * len(self._layer.initial_states)
        for target, source in zip(self._layer.initial_states, states, strict=True):
            target.zero_() if source is None else target.copy_(source)

    def last_state(self) -> Any:
        """The state after the last step, as the cell itself gives it."""
        hidden, *cell_state = (state.clone() for state in self._layer.last_states)
        return (hidden, *cell_state) if cell_state else hidden


class Reverse:
    """The sequences of a source, each reversed within its length, for a cell that reads backwards."""

    def __init__(self, source: Signal) -> None:
        self._source = source
        gradient = None if source.padded_gradient is None else torch.zeros_like(source.padded_gradient)
        self.output = Signal(torch.empty(source.values.shape), gradient)

    def forward(self, batch: dict[str, Tensor]) -> None:
        self._lengths = batch.get("lengths")
        copy_reversed(self._source.values, self.output.values, self._lengths)

    def backward(self) -> None:
        if self._source.gradient is not None:
            self._source.gradient.add_(reverse(self.output.gradient, self._lengths))

    def instructions(self, epoch: EpochArrays) -> Instructions:
        source, output = self._source, self.output
        backward = []
        if source.gradient is not None:
            backward.append(move(source.gradient, output.gradient, adds=True, is_reversed=True))
        return [move(output.values, source.values, is_reversed=True)], backward


class JoinDirections:
    """The states of a cell that reads forwards beside those of one that reads backwards, in the order of time."""

    def __init__(self, forwards: Signal, backwards: Signal) -> None:
        self._forwards, self._backwards = forwards, backwards
        n_steps, n_rows, units = forwards.values.shape
        self._units = units
        self.output = make_signal(n_steps, n_rows, 2 * units)

    def forward(self, batch: dict[str, Tensor]) -> None:
        self._lengths = batch.get("lengths")
        self.output.values[:, :, : self._units] = self._forwards.values
        copy_reversed(self._backwards.values, self.output.values[:, :, self._units :], self._lengths)

    def backward(self) -> None:
        gradient = self.output.gradient
        self._forwards.gradient.copy_(gradient[:, :, : self._units])
        copy_reversed(gradient[:, :, self._units :], self._backwards.gradient, self._lengths)

    def instructions(self, epoch: EpochArrays) -> Instructions:
        one, other = self._forwards, self._backwards
        values, gradient = (x.split(self._units, dim=2) for x in (self.output.values, self.output.gradient))
        return [move(values[0], one.values), move(values[1], other.values, is_reversed=True)], [
            move(one.gradient, gradient[0]),
            move(other.gradient, gradient[1], is_reversed=True),
        ]


class ResidualSum:
    """The states of a layer plus its input."""

    def __init__(self, states: Signal, layer_input: Signal) -> None:
        self._states, self._input = states, layer_input
        n_steps, n_rows, units = states.values.shape
        self.output = make_signal(n_steps, n_rows, units)

    def forward(self, batch: dict[str, Tensor]) -> None:
        torch.add(self._states.values, self._input.values, out=self.output.values)

    def backward(self) -> None:
        self._states.gradient.copy_(self.output.gradient)

    def instructions(self, epoch: EpochArrays) -> Instructions:
        values = self.output.values
        forward = [move(values, self._states.values), move(values, self._input.values, adds=True)]
        return forward, [move(self._states.gradient, self.output.gradient)]


class ResidualInput:
    """Where the input of a residual sum branches off: below all else that reads it, so that its gradient comes last."""

    def __init__(self, layer_input: Signal) -> None:
        self._input = layer_input
        self.sum: Any = None

    def forward(self, batch: dict[str, Tensor]) -> None:
        """Nothing to do."""

    def backward(self) -> None:
        if self._input.gradient is not None:
            self._input.gradient.add_(self.sum.output.gradient)

    def instructions(self, epoch: EpochArrays) -> Instructions:
        gradient = self._input.gradient
        return [], [] if gradient is None else [move(gradient, self.sum.output.gradient, adds=True)]


def make_signal(*shape: int) -> Signal:
    """Memory for values and their gradient."""
    return Signal(torch.empty(shape), torch.zeros(shape))


def draw_masks(epoch: EpochArrays, dropout: SequenceDropout, source: Tensor, width: int) -> Tensor:
    """A table of masks (row, feature), which are drawn before the batches run."""
    table = epoch.table(source.shape[1], width)

    def draw(entry: int) -> None:
        mask = dropout.mask(source, width)
        assert mask is not None
        table[entry] = mask

    epoch.draws.append(draw)
    return table


def copy_reversed(source: Tensor, target: Tensor, lengths: Tensor | None) -> None:
    """Copy sequences (time, sample, feature), each reversed within its length."""
    if lengths is None:
        target.numpy()[...] = source.numpy()[::-1]
    else:
        target.copy_(reverse(source, lengths))


def recurrent_operations(
    layer: RecurrentLayer, source: Signal, *, gives_final: bool = False, passes_state: bool = False
) -> tuple[list[Operation], Signal]:
    """The operations of a layer, and its states; with ``gives_final`` its final state, if one cell alone makes it."""
    operations: list[Operation] = []
    layer_input, read = source, source
    if layer.is_residual:
        branch = ResidualInput(layer_input)
        operations.append(branch)
    if layer.dropout.rate:
        dropout = Dropout(layer.dropout, source)
        operations.append(dropout)
        read = dropout.output
    cells = [cell for cell in (layer.forwards, layer.backwards) if cell is not None]
    masks: list[Any] = [None] * len(cells)
    if layer.recurrent_dropout.rate:
        masks = [StateMask(layer.recurrent_dropout, read, layer.units) for _ in cells]
        operations += masks  # drawn in the order in which autograd runs the cells
    gives_final = gives_final and layer.backwards is None and not layer.is_residual
    forwards = Cell(layer.forwards, read, masks[0], gives_final=gives_final, passes_state=passes_state)
    states = forwards.output
    if layer.backwards is None:
        operations.append(forwards)
    else:
        reversed_input = Reverse(read)
        backwards = Cell(layer.backwards, reversed_input.output, masks[1])
        joined = JoinDirections(states, backwards.output)
        operations += [reversed_input, backwards, forwards, joined]
        states = joined.output
    if layer.is_residual:
        branch.sum = ResidualSum(states, layer_input)
        operations.append(branch.sum)
        states = branch.sum.output
    return operations, states
