"""skorch's net around any module and loss, fed with ready batches. It knows no cell and no estimator."""

import copy
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback
from torch import Tensor, nn

from sklrnn.training.batches import Batch, Batches, SegmentBatch, without_padding
from sklrnn.training.compiled_epoch import CompiledEpoch
from sklrnn.training.devices import on_device
from sklrnn.training.epoch_losses import EpochLosses
from sklrnn.training.interrupts import is_raised_by_code
from sklrnn.training.optimizers import OnFlatWeights, WeightAverage, clip_gradients, copy_optimizer_state, one_cycle
from sklrnn.training.penalties import add_penalty_gradients, penalty
from sklrnn.training.precision import DoubleCopy, Precision, check_precision, mixed_precision
from sklrnn.training.process_group import ONE_PROCESS, OneProcess
from sklrnn.training.train_step import OUTSIDE_AN_EPOCH, TrainSteps, reason_for_autograd, watches_batches


class SequenceNet(NeuralNet):
    """skorch's net with sample weights, penalties, gradient clipping, a learning-rate schedule and averaged weights."""

    def __init__(
        self,
        module: nn.Module,
        *,
        optimizer_name: str | type[torch.optim.Optimizer] = "adamw",
        l1: float = 0.0,
        l2: float = 0.0,
        max_grad_norm: float | None = None,
        precision: Precision = "float32",
        **kwargs: Any,
    ) -> None:
        # skorch's log would make a table of each epoch, and print nothing.
        super().__init__(module, train_split=None, callbacks__print_log=None, **kwargs)
        self.optimizer_name = optimizer_name  # as the user gave it
        self.l1 = l1
        self.l2 = l2
        self.max_grad_norm = max_grad_norm
        self.precision = precision  # of the steps of training
        self.path_ = ""  # how the steps of the newest epoch were made
        self.steps, self.is_watched, self._stopped_by_callback = OUTSIDE_AN_EPOCH, False, False
        self.processes: OneProcess = ONE_PROCESS
        self._rates: Iterator[float] | None = None
        self._segment: SegmentBatch | None = None
        self._initial_state: Any = None
        self.state: Any = None  # from which the next segments start
        self._double = DoubleCopy()
        self._before: list[Callback] = []
        self._after: list[Callback] = []
        self._interrupt: KeyboardInterrupt | None = None

    # -- ready batches -----------------------------------------------------------------------------------------------

    def get_split_datasets(self, X: Any, y: Any = None, **_: Any) -> tuple[Any, Any]:
        """Training and validation batches come ready-made."""
        return X, y

    def get_iterator(self, dataset: Any, training: bool = False) -> Any:
        return dataset

    # -- a step ------------------------------------------------------------------------------------------------------

    def infer(self, x: Any, **_: Any) -> Tensor:
        inputs = {name: tensor for name, tensor in x.items() if name != "weight"}
        with mixed_precision(self.precision, self.device):
            if not isinstance(x, SegmentBatch):
                raw: Tensor = self.module_(**inputs)
            else:
                state = self.state_before(x)
                raw, self.state = self.module_.forward_segment(**inputs, state=state, n_streams=x.n_streams)
        return raw if self.precision == "float32" else raw.float()

    def state_before(self, x: SegmentBatch) -> Any:
        """The state that these segments start from."""
        if x is not self._segment:  # an optimizer may evaluate the same batch again
            self._segment, self._initial_state = x, None if x.is_first else self.state
        return self._initial_state

    def get_loss(self, y_pred: Tensor, y_true: Tensor, X: Any = None, training: bool = False) -> Tensor:
        raw, target, weight = without_padding(y_pred, y_true, X)
        losses = self.criterion_(raw, target)
        if X["weight"].ndim == 1:
            loss: Tensor = torch.dot(losses, weight.to(losses)) * (1.0 / len(weight))
        else:
            loss = (losses * weight).sum() / len(y_true)
        if not training or not (self.l1 or self.l2):
            return loss
        return loss + penalty(self.module_.penalized_weights(), self.l1, self.l2)

    def add_penalty_gradients(self) -> float:
        """Add the gradients of the penalties to those that are there, and give the penalties."""
        weights = self.module_.penalized_weights() if self.l1 or self.l2 else []  # collecting them takes long
        return add_penalty_gradients(weights, self.l1, self.l2)

    def train_step_single(self, batch: Batch, **_: Any) -> dict[str, Any]:
        step = self.steps.step_for(self, batch)(self, batch)
        self.processes.average_step(self, step)
        clip_gradients(self.optimizer_, self.module_, self.max_grad_norm)
        return step

    def train_step(self, batch: Batch, **fit_params: Any) -> Any:
        """skorch's step, or a shorter one where nobody watches it and the optimizer evaluates once."""
        if self.is_watched or not isinstance(self.optimizer_, OnFlatWeights):
            return super().train_step(batch, **fit_params)
        step = self.train_step_single(batch)
        self.optimizer_.step()
        return step

    # -- an epoch ----------------------------------------------------------------------------------------------------

    def run_single_epoch(
        self, iterator: Batches | None, training: bool, prefix: str, step_fn: Any, **fit_params: Any
    ) -> None:
        """Record the mean loss of an epoch; the history of every batch is kept only where a callback may read it."""
        if iterator is None:
            return
        iterator = self.processes.share(iterator, training=training)
        if not training:
            self._run_epoch(iterator, training, prefix, step_fn, **fit_params)
            return

        def averaged_step(batch: Batch, **params: Any) -> Any:
            self.next_rates(1)
            step = step_fn(batch, **params)
            self.average_.update()
            return step

        self.average_.show(False)
        if isinstance(self.optimizer_, OnFlatWeights):
            self.optimizer_.weights.attach_gradients()
        if self.callbacks or self.steps is OUTSIDE_AN_EPOCH:  # a callback may have changed the network
            self.steps = TrainSteps(reason_for_autograd(self))
        try:
            compiled = self.steps.compiled_epoch(self, iterator)
            if compiled is not None:
                self._run_compiled(compiled, iterator, prefix)
            else:
                with self.steps.operators_alone(self):
                    self._run_epoch(iterator, training, prefix, averaged_step, **fit_params)
        finally:
            self.path_ = self.steps.path + self.processes.note
            self.average_.show(True)

    def _set_training(self, training: bool = True) -> None:
        """skorch's, which visits every module, and which validation calls for every batch."""
        if training or self.module_.training or self.criterion_.training:
            super()._set_training(training)

    def _run_epoch(self, iterator: Batches, training: bool, prefix: str, step_fn: Any, **fit_params: Any) -> None:
        self._set_training(training)
        self.is_watched = any(watches_batches(callback) for _, callback in self.callbacks_)
        losses = EpochLosses(self, iterator, training, prefix)
        for number, batch in enumerate(iterator):
            if self.is_watched:
                self.notify("on_batch_begin", batch=batch, training=training)
            step = step_fn(batch, **fit_params)
            losses.add(number, batch, step)
            if self.is_watched:
                self.notify("on_batch_end", batch=batch, training=training, **step)
        losses.record()

    def _run_compiled(self, compiled: CompiledEpoch, batches: Batches, prefix: str) -> None:
        """Run an epoch that nobody watches in machine code."""
        self._set_training(True)
        losses = EpochLosses(self, batches, True, prefix)
        for number, loss_and_size in enumerate(compiled.run(self)):
            losses.add_loss(number, *loss_and_size)
        losses.record()

    def evaluate(self, batches: Batches, *, most: int | None = None) -> float:
        """The mean loss over all batches, or the first ones, with the weights that predict."""
        steps = [(self.validation_step(batch)["loss"], len(batch[1])) for batch in islice(batches, most)]
        losses = torch.stack([loss for loss, _ in steps]).tolist()  # a device has to be waited for once
        total = sum(loss * size for loss, (_, size) in zip(losses, steps, strict=True))
        return float(self.processes.of_first(lambda: total / sum(size for _, size in steps)))

    def run_epochs(
        self,
        batches: Batches,
        validation: Batches | None,
        *,
        epochs: int,
        before: list[Callback],
        after: list[Callback],
    ) -> KeyboardInterrupt | None:
        """Train; some callbacks are notified before those of the user, others after them.

        Gives back the Ctrl-C that ended the training, unless it came before the first step.
        """
        self._stopped_by_callback, self._interrupt = False, None
        self._before, self._after = before, after
        n_steps = self.average_.n_steps
        try:
            self.partial_fit(batches, validation, epochs=epochs)
        except KeyboardInterrupt as error:  # before the first epoch or after the last
            self._interrupt = error
        finally:
            self._before, self._after = [], []
            self.steps = OUTSIDE_AN_EPOCH  # the arrays of the others are freed
            self._set_training(False)
        interrupt, self._interrupt = self._interrupt, None  # it holds on to all that training had in memory
        if interrupt is not None and self.average_.n_steps == n_steps:
            raise interrupt
        return interrupt

    def fit_loop(self, *args: Any, **kwargs: Any) -> Any:
        """skorch's loop; skorch takes every KeyboardInterrupt for a wish to stop, and drops it."""
        try:
            return super().fit_loop(*args, **kwargs)
        except KeyboardInterrupt as error:
            self._interrupt = None if self._stopped_by_callback else error
            raise

    def notify(self, method_name: str, **kwargs: Any) -> None:
        try:
            for callback in self._before:
                getattr(callback, method_name)(self, **kwargs)
            super().notify(method_name, **kwargs)
            for callback in self._after:
                getattr(callback, method_name)(self, **kwargs)
        except KeyboardInterrupt as error:
            self._stopped_by_callback = is_raised_by_code(error)
            raise

    # -- weights and settings ----------------------------------------------------------------------------------------

    def _initialize_module(self, reason: str | None = None) -> None:
        with self._current_init_context("module"):
            self.module_: Any = on_device(self.module, self.device)

    def initialize_optimizer(self, *args: Any, **kwargs: Any) -> Any:
        super().initialize_optimizer(*args, **kwargs)
        self._start_average()
        return self

    def load_weights(self, weights: dict[str, Tensor]) -> None:
        """Restore these weights, from which the average starts anew."""
        self.module_.load_state_dict(weights)
        self._start_average()

    def _start_average(self) -> None:
        if isinstance(self.optimizer_, OnFlatWeights):
            self.average_ = WeightAverage([self.optimizer_.weights.values])
        else:
            self.average_ = WeightAverage([weight for weight in self.module_.parameters() if weight.requires_grad])

    def in_precision(self, dtype: np.dtype[Any]) -> Any:
        """The module, or a copy for float64 on the CPU: most other devices are slow in it."""
        on_cpu = next(self.module.parameters()).device.type == "cpu"
        return self._double.of(self.module) if on_cpu and dtype != np.float32 else self.module

    def copy(self) -> "SequenceNet":
        """A net with weights, optimizer and history of its own, and the same callbacks."""
        net = object.__new__(type(self))
        has_weights = next(self.criterion.parameters(), None) is not None
        module, criterion = copy.deepcopy(self.module), copy.deepcopy(self.criterion) if has_weights else self.criterion
        net.__dict__.update(vars(self), module=module, criterion=criterion, _double=DoubleCopy())
        if self.initialized_:
            net.module_, net.criterion_, net.history_ = module, criterion, copy.copy(self.history_)
            net.initialize_optimizer()
            copy_optimizer_state(self.optimizer_, net.optimizer_)
            net.average_.take_over(self.average_)
        return net

    def update_settings(
        self, *, learning_rate: float, l1: float, l2: float, max_grad_norm: float | None, precision: Precision
    ) -> None:
        """Take over parameters that changed between two calls of ``partial_fit``."""
        check_precision(precision, self.device)
        self.l1, self.l2, self.max_grad_norm, self.precision = l1, l2, max_grad_norm, precision
        if learning_rate != self.get_params()["lr"]:
            self.lr = learning_rate
            if self.initialized_:
                self._set_rate(learning_rate)

    def plan_learning_rate(self, schedule: str, learning_rate: float, *, n_steps: int) -> None:
        """Set the learning rate of the coming steps."""
        self._rates = one_cycle(learning_rate, n_steps) if schedule == "one_cycle" else None
        self._set_rate(learning_rate)

    def next_rates(self, n: int) -> Any:
        """The learning rates of the coming steps; the last of them is set."""
        if self._rates is None or n == 0:
            return np.full(n, self.optimizer_.param_groups[0]["lr"])
        rates = np.fromiter(self._rates, dtype=np.float64, count=n)
        self._set_rate(float(rates[-1]))
        return rates

    def _set_rate(self, learning_rate: float) -> None:
        for group in self.optimizer_.param_groups:
            group["lr"] = learning_rate
