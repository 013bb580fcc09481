"""Recurrent layers and stacks of them: what all networks of the package have in common.

Inside a network tensors are (time, sample, feature): every time step is then one contiguous block.
"""

from typing import Any

import torch
from torch import Tensor, nn

from sklrnn.nn.architecture import Architecture
from sklrnn.nn.cell_interface import can_mask_its_state, final_state, make_cell, run_cell, runs_by_kernel
from sklrnn.nn.layers import SequenceDropout, newest, reverse


class RecurrentLayer(nn.Module):
    """Dropout, a forward cell and, if asked for, a backward one, and a residual connection."""

    def __init__(self, architecture: Architecture, position: int, n_features: int) -> None:
        super().__init__()
        a = architecture
        assert a.cell is not None
        self.units = a.units[position]
        self.dropout = SequenceDropout(a.dropout)
        self.recurrent_dropout = SequenceDropout(a.recurrent_dropout)
        self.forwards = make_cell(a.cell, a.cell_options, n_features, self.units)
        self.backwards = make_cell(a.cell, a.cell_options, n_features, self.units) if a.bidirectional else None
        self.width = self.units * (2 if a.bidirectional else 1)
        # The first layer reads features, not states: residual connections begin with the second.
        self.is_residual = a.residual and position > 0 and self.width == n_features
        if a.recurrent_dropout and not can_mask_its_state(self.forwards):
            raise ValueError(
                f"recurrent_dropout={a.recurrent_dropout} needs a cell that can drop parts of its state, but "
                f"{type(self.forwards).__name__}.forward takes no state_mask. Set recurrent_dropout=0.0, take a cell "
                "by its name, or give your own the argument ``state_mask``."
            )

    def forward(
        self, x: Tensor, initial_state: Any = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Any]:
        """Give the hidden states of all steps, the final hidden state, and the initial state of a next segment."""
        layer_input, x = x, self.dropout(x)
        states, state = self._run(self.forwards, x, initial_state)
        if self.backwards is None and not self.is_residual and lengths is None:
            return states, final_state(self.forwards, states, state), state
        if self.backwards is not None:
            backwards, _ = self._run(self.backwards, reverse(x, lengths))
            states = torch.cat([states, reverse(backwards, lengths)], dim=-1)
        if self.is_residual:
            states = states + layer_input
        final = newest(states, lengths)  # (sample, unit)
        if self.backwards is not None:
            # The backward cell ends at the *first* step: its final state lies there.
            final = torch.cat([final[:, : self.units], states[0, :, self.units :]], dim=-1)  # (sample, 2 * unit)
        return states, final, state

    def is_plain(self) -> bool:
        """Whether it is a forward cell with a kernel, perhaps with dropout, and nothing else."""
        return runs_by_kernel(self.forwards) and self.backwards is None and not self.is_residual

    def runs_by_kernels(self) -> bool:
        """Whether kernels can run its cells."""
        return all(runs_by_kernel(cell) for cell in (self.forwards, self.backwards) if cell is not None)

    def _run(self, cell: nn.Module, x: Tensor, initial_state: Any = None) -> tuple[Tensor, Any]:
        return run_cell(cell, x, initial_state, self.recurrent_dropout.mask(x, self.units))


class RecurrentStack(nn.ModuleList):
    """Recurrent layers on top of each other, each reading the hidden states of the one below.

    A stack of none gives what it reads.
    """

    def __init__(self, architecture: Architecture, n_features: int) -> None:
        super().__init__()
        self.width = n_features
        for position in range(len(architecture.units)):
            layer = RecurrentLayer(architecture, position, self.width)
            self.append(layer)
            self.width = layer.width

    def forward(self, x: Tensor, state: Any = None, lengths: Tensor | None = None) -> tuple[Tensor, Tensor, list[Any]]:
        """Give the last layer's hidden states (time, sample, unit), its final one, and the new state of each layer."""
        new_state = []
        final = x[-1] if len(self) else newest(x, lengths)
        for position, layer in enumerate(self):
            x, final, last = layer(x, state[position] if state else None, lengths)
            new_state.append(last)
        return x, final, new_state

    def penalized_weights(self) -> list[Tensor]:
        """What l1 and l2 act on: the weights, not the biases."""
        return [weight for weight in self.parameters() if weight.ndim > 1 and weight.requires_grad]


def detach_state(state: Any) -> Any:
    """The same state without its graph, so that truncated backpropagation ends where a segment begins."""
    if isinstance(state, Tensor):
        return state.detach()
    if isinstance(state, dict):
        return {name: detach_state(part) for name, part in state.items()}
    return type(state)(detach_state(part) for part in state) if isinstance(state, list | tuple) else state
