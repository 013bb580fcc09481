"""How one step of training is made: by autograd, or by a list of operations."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from skorch.callbacks import Callback, EpochScoring, LRScheduler
from torch import Tensor

from sklrnn.training.batches import Batch
from sklrnn.training.compiled_epoch import CompiledEpoch, make_compiled_epoch
from sklrnn.training.fused_step import FusedStep, make_fused_step
from sklrnn.training.operations.signal import LeftToAutograd
from sklrnn.training.optimizers import OnFlatWeights
from sklrnn.training.process import torch_threads

# Each list holds the memory of its batch: lists for at least four shapes are kept, and more while their outputs are few
# megabytes, as sequences of many lengths have.
_KEPT_SHAPES = 4
_KEPT_NUMBERS = 2**20


class AutogradStep:
    """Forward pass, loss and backward pass by autograd: for any network, loss and batch."""

    n_numbers = 0  # of arrays that it keeps

    def __call__(self, net: Any, batch: Batch) -> dict[str, Any]:
        x, y = batch
        net.optimizer_.zero_grad()
        with net.steps.all_threads():
            raw = net.infer(x)
            loss: Tensor = net.get_loss(raw, y, X=x, training=True)
            loss.backward()
        return {"loss": loss, "y_pred": raw}


AUTOGRAD = AutogradStep()


class TrainSteps:
    """The steps of an epoch, made when a batch of a new shape comes, by a list of operations where there is one.

    With a ``reason`` autograd makes all of them.
    """

    def __init__(self, reason: str | None = None) -> None:
        self._reason = reason
        self._n_threads = torch.get_num_threads()
        self._steps: dict[Any, AutogradStep | FusedStep] = {}
        self._batches: Any = None
        self._compiled: CompiledEpoch | None = None
        self._reasons = dict.fromkeys([reason] if reason else [])

    def step_for(self, net: Any, batch: Batch) -> AutogradStep | FusedStep:
        """Choose how a step on this batch is made."""
        x, _ = batch
        if self._reason is not None:
            return AUTOGRAD
        # Weights may be those of real steps only, whose number differs from batch to batch.
        shapes = ((name, part.ndim if name == "weight" else part.shape) for name, part in x.items())
        key = x["x"].dtype, getattr(x, "n_streams", None), *shapes
        if key not in self._steps:
            if len(self._steps) >= _KEPT_SHAPES and sum(s.n_numbers for s in self._steps.values()) > _KEPT_NUMBERS:
                self._steps.clear()
            self._steps[key] = self._make(net, x)
        return self._steps[key]

    def operators_alone(self, net: Any) -> AbstractContextManager[None]:
        """Keep torch's operators to one thread, where kernels use several: its threads would wait busily beside them.

        Convolutions are left their threads, as most of their time is in products of matrices.
        """
        has_convolutions = getattr(getattr(net.module_, "convolution", None), "layers", ())
        return torch_threads(1 if self._reason is None and not has_convolutions else self._n_threads)

    def all_threads(self) -> AbstractContextManager[None]:
        """Give torch's operators all threads, for a step that autograd makes in such an epoch."""
        return torch_threads(self._n_threads) if self._reason is None else nullcontext()

    def _make(self, net: Any, x: dict[str, Tensor]) -> AutogradStep | FusedStep:
        try:
            with torch_threads(self._n_threads):  # the kernels share their work among these
                return make_fused_step(net.module_, net.criterion_, x)
        except LeftToAutograd as left:
            self._reasons[str(left)] = None
            return AUTOGRAD

    def compiled_epoch(self, net: Any, batches: Any) -> CompiledEpoch | None:
        """The whole epoch in machine code, where that is possible."""
        if self._reason is None and self._batches is not batches:
            self._batches = batches
            self._compiled = make_compiled_epoch(net, batches, lambda batch: self.step_for(net, batch))
        return self._compiled

    @property
    def path(self) -> str:
        """``"compiled"`` for whole epochs, ``"fused"`` for steps, or ``"autograd"`` with what made it necessary."""
        if self._compiled is not None:
            return "compiled"
        return f"autograd: {', '.join(self._reasons)}" if self._reasons else "fused"


OUTSIDE_AN_EPOCH = TrainSteps("no epoch is trained")


def reason_for_autograd(net: Any) -> str | None:
    """What rules a list of operations out for all steps: an optimizer or a callback that may watch single batches."""
    if not isinstance(net.optimizer_, OnFlatWeights):
        return f"the optimizer is {type(net.optimizer_).__name__}"
    if net.precision != "float32":
        return f"the precision is {net.precision}"
    for _, callback in net.callbacks_:
        if watches_batches(callback):
            return f"{type(callback).__name__} watches batches"
    return None


def watches_batches(callback: Callback) -> bool:
    """Whether a callback does anything between two epochs."""
    # Two of skorch's have a method for batches which does nothing with these settings.
    if type(callback) is LRScheduler and callback.step_every == "epoch":
        return False
    if type(callback) is EpochScoring and not callback.use_caching:
        return False
    return any(
        getattr(getattr(callback, name), "__func__", None) is not getattr(Callback, name)
        for name in ("on_batch_begin", "on_batch_end", "on_grad_computed")
    )
