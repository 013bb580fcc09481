"""skorch's loop around any module and loss, fed with ready batches.

Nothing here knows what a cell is.
"""

import copy
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNet
from skorch.callbacks import Callback
from torch import Tensor, nn

from sklrnn.nn.layers import real_steps
from sklrnn.training._running_average import RunningAverage
from sklrnn.training.batches import Batch, Batches, Segments
from sklrnn.training.optimizers import FlatAdam, FlatAdamW

Array = NDArray[Any]

OPTIMIZERS = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "nadam": torch.optim.NAdam,
    "rmsprop": torch.optim.RMSprop,
    "sgd": torch.optim.SGD,
}
# Decoupled from the learning rate's square, this keeps weights moving, which is what averaging them lives on.
WEIGHT_DECAY = 0.15
_WITH_FUSED_STEP = (torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD)
# The same steps, with less around them.
_LEAN = {"adam": FlatAdam, "adamw": FlatAdamW}


class SequenceNet(NeuralNet):
    """skorch's net, fed with ready batches, with row weights, penalties, gradient clipping and averaged weights."""

    asked_for: str | type[torch.optim.Optimizer]  # the optimizer, as the user named it

    def __init__(
        self, module: nn.Module, *, l1: float = 0.0, l2: float = 0.0, max_grad_norm: float | None = None, **kwargs: Any
    ) -> None:
        super().__init__(module, train_split=None, **kwargs)
        self.l1 = l1
        self.l2 = l2
        self.max_grad_norm = max_grad_norm
        self._rates: Iterator[float] | None = None
        self._carried: Any = None
        self._standing: dict[Any, Any] | None = None  # by the shape of a batch, in a training epoch
        self._double: tuple[nn.Module, list[Tensor], list[Tensor]] | None = None

    def get_split_datasets(self, X: Any, y: Any = None, **_: Any) -> tuple[Any, Any]:
        """Training and validation batches come ready-made."""
        return X, y

    def get_iterator(self, dataset: Any, training: bool = False) -> Any:
        return dataset

    def infer(self, x: Any, **_: Any) -> Tensor:
        raw: Tensor
        if not isinstance(x, Segments):
            raw = self.module_(**{name: tensor for name, tensor in x.items() if name != "weight"})
            return raw
        if not x.first and x.begin is None:
            x.begin = self._carried  # kept there, as an optimizer may ask for the same batch again
        raw, self._carried = self.module_.go_on(x["x"], x.begin, n_strands=x.n_strands)
        return raw

    def get_loss(self, y_pred: Tensor, y_true: Tensor, X: Any = None, training: bool = False) -> Tensor:
        weight = X["weight"]
        if weight.ndim == 1:
            losses = self.criterion_(y_pred, y_true)
            loss: Tensor = torch.dot(losses, weight.to(losses)) * (1.0 / len(weight))
        else:
            # Padding is left out before the loss is taken: no loss has to be finite there.
            lengths = X.get("lengths")
            real = None if lengths is None else real_steps(lengths, weight.shape[1])
            raw, target, weight = (
                part.flatten(0, 1) if real is None else part[real] for part in (y_pred, y_true, weight)
            )
            loss = (self.criterion_(raw, target) * weight).sum() / len(y_true)
        return loss + self._penalty() if training and (self.l1 or self.l2) else loss

    def _penalty(self) -> Tensor:
        parts = [
            self.l1 * weight.abs().sum() + self.l2 * weight.square().sum()
            for weight in self.module_.penalised_weights()
        ]
        return torch.stack(parts).sum()

    def train_step_single(self, batch: Batch, **fit_params: Any) -> dict[str, Tensor]:
        x, y = batch
        y_pred = self.infer(x)
        loss = self.get_loss(y_pred, y, X=x, training=True)
        loss.backward()
        if self.max_grad_norm is not None and isinstance(self.optimizer_, FlatAdam):
            self.optimizer_.weights.clip(self.max_grad_norm)
        elif self.max_grad_norm is not None:
            nn.utils.clip_grad_norm_(self.module_.parameters(), self.max_grad_norm)
        return {"loss": loss, "y_pred": y_pred}

    def train_step(self, batch: Batch, **fit_params: Any) -> Any:
        if not isinstance(self.optimizer_, FlatAdam):
            return super().train_step(batch, **fit_params)
        x, y = batch
        if (standing := self._standing_for(x)) is None:
            self.optimizer_.zero_grad()
            step = self.train_step_single(batch)
        else:
            step = {"loss": standing.step(x["x"], y, x["weight"])}
            if self.l1 or self.l2:
                penalty = self._penalty()
                penalty.backward()  # adds to the gradients
                step["loss"] += float(penalty.detach())
            if self.max_grad_norm is not None:
                self.optimizer_.weights.clip(self.max_grad_norm)
        self.optimizer_.step()
        return step

    def _standing_for(self, x: dict[str, Tensor]) -> Any:
        """What trains on batches of this shape without autograd, where the module has such a thing."""
        plain = set(x) == {"x", "weight"} and x["weight"].ndim == 1 and not isinstance(x, Segments)
        make = getattr(self.module_, "without_autograd", None)
        if self._standing is None or make is None or not plain:
            return None
        kind = (x["x"].shape, x["x"].dtype)
        if kind not in self._standing:
            self._standing[kind] = make(self.criterion_, x["x"])
        return self._standing[kind]

    def run_single_epoch(
        self, iterator: Batches | None, training: bool, prefix: str, step_fn: Any, **fit_params: Any
    ) -> None:
        """Record the mean loss of an epoch; the history of every batch is kept only where a callback may read it."""
        if iterator is None:
            return
        if not training:
            self._run_epoch(iterator, training, prefix, step_fn, **fit_params)
            return

        def averaged_step(batch: Batch, **params: Any) -> Any:
            if self._rates is not None:
                self._set_rate(next(self._rates))
            step = step_fn(batch, **params)
            self.average_.update()
            return step

        self.average_.show(False)
        if isinstance(self.optimizer_, FlatAdam):
            self.optimizer_.weights.hold_gradients()
        self._standing = None if self.callbacks else {}
        try:
            self._run_epoch(iterator, training, prefix, averaged_step, **fit_params)
        finally:
            self._standing = None
            self.average_.show(True)

    def _run_epoch(self, iterator: Batches, training: bool, prefix: str, step_fn: Any, **fit_params: Any) -> None:
        self._set_training(training)
        if self.callbacks:
            super().run_single_epoch(iterator, training, prefix, step_fn, **fit_params)
            past = self.history[-1, "batches", :, (f"{prefix}_loss", f"{prefix}_batch_size")]
            losses, sizes = np.array(past).T
        else:
            # Those of another device stay there until the epoch is over: reading one would wait for it.
            on_cpu = torch.device(self.device).type == "cpu"
            one_by_one: Any = np.empty(len(iterator)) if on_cpu else torch.empty(len(iterator), device=self.device)
            sizes = np.empty(len(iterator))
            for place, batch in enumerate(iterator):
                loss = step_fn(batch)["loss"]
                one_by_one[place] = loss.detach() if isinstance(loss, Tensor) else loss
                sizes[place] = batch[1].shape[0]
            losses = np.asarray(one_by_one if on_cpu else one_by_one.cpu(), dtype=np.float64)
        self.history.record(f"{prefix}_loss", float(losses @ sizes / sizes.sum()))

    def judge(self, batches: Batches, *, most: int | None = None) -> float:
        """The mean loss over (the first) batches of the weights that answer."""
        total, n = 0.0, 0
        for batch in islice(batches, most):
            total += float(self.validation_step(batch)["loss"]) * len(batch[1])
            n += len(batch[1])
        return total / n

    def in_double_precision(self) -> Any:
        """The network as it stands, in double precision.

        To copy its structure takes longer than to run it, so that is kept; the numbers are copied at each call.
        """
        if self._double is None:
            double = copy.deepcopy(self.module).double().eval()
            self._double = (double, _numbers(double), _numbers(self.module))
        network, ours, theirs = self._double
        with torch.no_grad():
            torch._foreach_copy_(ours, theirs)
        return network

    def initialize_optimizer(self, *args: Any, **kwargs: Any) -> Any:
        super().initialize_optimizer(*args, **kwargs)
        self._begin_average()
        return self

    def load_weights(self, weights: dict[str, Tensor]) -> None:
        """Go back to these weights, and let the mean begin anew from them."""
        self.module_.load_state_dict(weights)
        self._begin_average()

    def _begin_average(self) -> None:
        if isinstance(self.optimizer_, FlatAdam):
            self.average_ = RunningAverage([self.optimizer_.weights.values])
        else:
            self.average_ = RunningAverage([weight for weight in self.module_.parameters() if weight.requires_grad])

    def follow(self, *, learning_rate: float, l1: float, l2: float, max_grad_norm: float | None) -> None:
        """Take over parameters that changed between two calls of ``partial_fit``."""
        self.l1, self.l2, self.max_grad_norm = l1, l2, max_grad_norm
        if learning_rate != self.get_params()["lr"]:
            self.lr = learning_rate
            if self.initialized_:
                self._set_rate(learning_rate)

    def plan(self, schedule: str, learning_rate: float, *, n_steps: int) -> None:
        """Say how the learning rate runs over the coming steps."""
        self._rates = one_cycle(learning_rate, n_steps) if schedule == "one_cycle" else None
        self._set_rate(learning_rate)

    def _set_rate(self, learning_rate: float) -> None:
        for group in self.optimizer_.param_groups:
            group["lr"] = learning_rate

    def notify(self, method_name: str, **kwargs: Any) -> None:
        try:
            super().notify(method_name, **kwargs)
        except KeyboardInterrupt:  # how a skorch callback asks to stop
            self.stopped_by_callback_ = True
            raise


def _numbers(network: nn.Module) -> list[Tensor]:
    return [*network.parameters(), *network.buffers()]


def one_cycle(peak: float, n_steps: int) -> Iterator[float]:
    """Climb to the peak over the first third of the steps, then fall to almost nothing, both along a cosine."""
    n_climbing = max(1, int(0.3 * n_steps))
    for step in range(n_steps):
        climbing = step < n_climbing
        done = step / n_climbing if climbing else (step - n_climbing) / max(1, n_steps - n_climbing)
        low = peak / 25 if climbing else peak / 1e5
        yield low + (peak - low) * (1 + np.cos(np.pi * (1 - done if climbing else done))) / 2


def _optimizer_class(optimizer: str | type[torch.optim.Optimizer], *, lean: bool) -> type[torch.optim.Optimizer]:
    """Look up an optimizer by its name."""
    if not isinstance(optimizer, str):
        return optimizer
    return _LEAN[optimizer] if lean and optimizer in _LEAN else OPTIMIZERS[optimizer]


def make_net(
    module: nn.Module,
    per_row_loss: Any,
    *,
    optimizer: str | type[torch.optim.Optimizer],
    learning_rate: float,
    device: torch.device,
    callbacks: Any,
    **penalties: Any,
) -> SequenceNet:
    """Put a module and a loss into a skorch net; nothing is initialised yet."""
    if device.type == "mps":
        module = module.float()
    one_kind = len({weight.dtype for weight in module.parameters() if weight.requires_grad}) == 1
    kind = _optimizer_class(optimizer, lean=one_kind)
    # One fused update of all weights: the default is a chain of small operators.
    extras: dict[str, Any] = (
        {"optimizer__fused": True} if kind in _WITH_FUSED_STEP and device.type in ("cpu", "cuda") else {}
    )
    if optimizer == "adamw":
        extras["optimizer__weight_decay"] = WEIGHT_DECAY
    for callback in callbacks or []:
        if not isinstance(callback[-1] if isinstance(callback, tuple) else callback, Callback):
            raise ValueError(
                f"callbacks must be instances of skorch.callbacks.Callback, or (name, callback), got {callback!r}."
            )
    net = SequenceNet(
        module,
        criterion=per_row_loss,
        optimizer=kind,
        lr=learning_rate,
        device=device,
        callbacks=list(callbacks or []),
        verbose=0,
        **penalties,
        **extras,
    )
    net.asked_for = optimizer
    return net


def choose_device(name: str) -> torch.device:
    """``"auto"`` is CUDA where there is some, else the CPU; MPS only when asked for."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    here = torch.cuda.is_available() if name.startswith("cuda") else torch.backends.mps.is_available()
    if name != "cpu" and not here:
        raise ValueError(f'device="{name}" is not to be had on this machine. Use device="cpu", or "auto".')
    return torch.device(name)
