"""Cells made and run, those of this package and those of users, which are tried out when they are made."""

import inspect
from typing import Any

import torch
from torch import Tensor, nn

from sklrnn.kernels import has_kernel
from sklrnn.nn.cells import CELLS, Cell, uses_kernels


def make_cell(cell: str | Cell, options: dict[str, Any], input_size: int, hidden_size: int) -> nn.Module:
    """Make one cell, and try it if it is user-defined, so that an error names the cell."""
    if isinstance(cell, str):
        return CELLS[cell](input_size, hidden_size, **options)
    if isinstance(cell, nn.Module):
        raise ValueError(
            f"cell must make a module when it is called with (input_size, hidden_size), got a module: {cell}. "
            f"Pass the class, {type(cell).__name__}, or a function that makes one."
        )
    try:
        module = cell(input_size, hidden_size)
    except Exception as error:
        raise ValueError(
            f"cell must make a module when it is called with (input_size, hidden_size), but {cell!r} failed with "
            f"{type(error).__name__}: {error}"
        ) from error
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

    The gradient of a slice of all states would be written out for all of them, so the state is taken from ``last``
    where it is known to lie there.
    """
    if not uses_kernels(cell):
        return states[-1]
    state: Tensor = (last[0] if isinstance(last, tuple) else last)[0]
    return state


def runs_by_kernel(cell: nn.Module) -> bool:
    """Whether a kernel can run a cell."""
    return uses_kernels(cell) and has_kernel(cell)


def can_mask_its_state(cell: nn.Module) -> bool:
    """Whether the cell takes a mask for the state that its recurrent products see."""
    return "state_mask" in inspect.signature(cell.forward).parameters
