"""How one step of training is made: by autograd, or by a list of operations."""

from typing import Any

from torch import Tensor

from sklrnn.training.batches import Batch, SegmentBatch
from sklrnn.training.fused_step import FusedStep, make_fused_step
from sklrnn.training.operations.signal import LeftToAutograd

TrainStep = Any  # a callable (net, batch) that leaves gradients in the network


class AutogradStep:
    """Forward pass, loss and backward pass by autograd: for any network, loss and batch."""

    def __call__(self, net: Any, batch: Batch) -> dict[str, Any]:
        x, y = batch
        net.optimizer_.zero_grad()
        raw = net.infer(x)
        loss: Tensor = net.get_loss(raw, y, X=x, training=True)
        loss.backward()
        return {"loss": loss, "y_pred": raw}


AUTOGRAD = AutogradStep()


def train_step_for(net: Any, batch: Batch) -> AutogradStep | FusedStep:
    """Choose how a step on this batch is made.

    A plain network on a plain batch takes the fused step, unless a callback may want to see what autograd leaves: then
    the net keeps no fused steps.
    """
    x, _ = batch
    steps = net.fused_steps
    is_plain = set(x) == {"x", "weight"} and x["weight"].ndim == 1 and not isinstance(x, SegmentBatch)
    if steps is None or not is_plain:
        return AUTOGRAD
    key = x["x"].shape, x["x"].dtype
    if key not in steps:
        try:
            steps[key] = make_fused_step(net.module_, net.criterion_, x)
        except LeftToAutograd as reason:
            steps[key] = AUTOGRAD
    step: AutogradStep | FusedStep = steps[key]
    return step
