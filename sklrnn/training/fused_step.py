"""A step of training without autograd: a list of operations on preallocated arrays, with every gradient by its formula.

In a small network autograd's bookkeeping takes longer than the arithmetic.
"""

from typing import Any

import numpy as np
from torch import Tensor, nn

from sklrnn.kernels.program import Instruction
from sklrnn.nn.network import Network
from sklrnn.training.batches import Batch, SegmentBatch
from sklrnn.training.operations.head import Head
from sklrnn.training.operations.loss import MeanLoss
from sklrnn.training.operations.of_network import network_operations
from sklrnn.training.operations.recurrent import Cell
from sklrnn.training.operations.signal import EpochArrays, LeftToAutograd, Operation

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


class FusedStep:
    """Runs the operations forwards, computes the loss and its gradient, and runs them backwards.

    It gives the loss and leaves all gradients, for batches of one shape.
    """

    def __init__(self, operations: list[Operation], loss: MeanLoss) -> None:
        self._operations = operations
        self._loss = loss
        self._cells = [operation for operation in operations if isinstance(operation, Cell)]
        outputs = (getattr(operation, "output", None) for operation in operations)
        self.n_numbers = sum(output.values.numel() for output in outputs if output is not None)

    def __call__(self, net: Any, batch: Batch) -> dict[str, Any]:
        x, y = batch
        if isinstance(x, SegmentBatch):
            states = net.state_before(x)
            for position, cell in enumerate(self._cells):
                cell.start_from(states[position] if states else None)
        with np.errstate(all="ignore"):  # the monitor reports a fit that diverges, once
            for operation in self._operations:
                operation.forward(x)
            loss = self._loss(x, y)
            for operation in reversed(self._operations):
                operation.backward()
        if isinstance(x, SegmentBatch):
            net.state = [cell.last_state() for cell in self._cells]
        return {"loss": loss + net.add_penalty_gradients()}

    def instructions(self, epoch: EpochArrays) -> list[Instruction] | None:
        """The same for a program; None if an operation or the loss has no instructions."""
        forward: list[Instruction] = []
        backward: list[Instruction] = []
        for operation in self._operations:
            make = getattr(operation, "instructions", None)
            found = None if make is None else make(epoch)
            if found is None:
                return None
            forward += found[0]
            backward[:0] = found[1]
        loss = self._loss.instruction(epoch)
        return None if loss is None else [*forward, loss, *backward]


def make_fused_step(network: Any, criterion: Any, batch: dict[str, Tensor]) -> FusedStep:
    """Make the step for batches of this shape; `LeftToAutograd` is raised where autograd has to make it."""
    if _has_hooks(network):
        raise LeftToAutograd("hooks are registered")
    if not batch["x"].is_cpu:
        raise LeftToAutograd(f"the device is {batch['x'].device}")
    if not hasattr(criterion, "loss_gradient") or next(criterion.parameters(), None) is not None:
        raise LeftToAutograd("the loss has weights of its own")
    operations, head = _operations(network, batch)
    return FusedStep(operations, MeanLoss(criterion, head))


def _operations(network: Any, batch: dict[str, Tensor]) -> tuple[list[Operation], Head]:
    """Those of the class of the network itself: a subclass may have other equations."""
    if type(network) is Network:
        return network_operations(network, batch)
    if "operations" not in vars(type(network)):
        raise LeftToAutograd(f"the network is a {type(network).__name__}")
    found: tuple[list[Operation], Head] = network.operations(batch)
    return found


def _has_hooks(network: nn.Module) -> bool:
    """Whether hooks are registered on a module or on the gradient of a weight."""
    modules = any(getattr(module, hooks, None) for module in network.modules() for hooks in _HOOKS)
    return modules or any(
        weight._backward_hooks or weight._post_accumulate_grad_hooks for weight in network.parameters()
    )
