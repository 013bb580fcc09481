"""Training any network, and the trained network as an object: its weights, its loss curves, how it is run and saved."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np
import torch
from torch import nn

from sklrnn.inputs.ragged import Ragged, Sequences
from sklrnn.inputs.user_warnings import warn_user
from sklrnn.nn.architecture import Architecture, count_parameters, rebuild
from sklrnn.saved_state import Saved, refusal, with_stamp, without_stamp
from sklrnn.training.auto_epochs import resolve_patience
from sklrnn.training.batches import Batches
from sklrnn.training.checkpoint import Checkpoints, TrainingCheckpoint, fingerprint_of
from sklrnn.training.curves import Curves
from sklrnn.training.devices import choose_device
from sklrnn.training.inference import for_blocks, run_in_blocks
from sklrnn.training.interrupts import TrainingInterrupted
from sklrnn.training.monitor import ProgressReport, StopWhereMonitorSays, TrainingMonitor
from sklrnn.training.net import SequenceNet
from sklrnn.training.new_net import make_net
from sklrnn.training.precision import Precision
from sklrnn.training.prediction_plan import PredictionPlan
from sklrnn.training.process import seeded, thread_limit
from sklrnn.training.trained_together import trained_together
from sklrnn.training.training_state import from_plain, is_finite, restore_training_state, to_plain, training_state


@dataclass(frozen=True, kw_only=True)
class TrainingOptions(Saved):
    """How a network is trained. ``seed`` is that of the random layers, ``patience`` None never stops early."""

    seed: int
    max_epochs: int
    patience: int | Literal["auto"] | None
    optimizer: str | type[torch.optim.Optimizer]
    learning_rate: float
    schedule: Literal["constant", "one_cycle"]
    tol: float
    l1: float
    l2: float
    max_grad_norm: float | None
    callbacks: list[Any] | None
    device: str
    n_threads: int
    verbose: int
    checkpoint: Checkpoints | None = None
    precision: Precision = "float32"


EpochHook = Callable[["TrainedNetwork"], bool]


def train(
    network: nn.Module,
    loss: nn.Module,
    batches: Batches,
    validation: Batches | None,
    options: TrainingOptions,
    *,
    on_epoch_end: EpochHook | None = None,
) -> "TrainedNetwork":
    """Train a network from its initial weights.

    ``loss(raw, target)`` gives one number a sample. ``validation`` decides when to stop, and which epoch's weights were
    best. ``on_epoch_end`` is given the network as it is after each epoch, and returns whether to stop.
    """
    started = TrainedNetwork(make_net(network, loss, options), loss, options)
    return started._run_epochs(batches, validation, options, on_epoch_end, evaluate_first=False)


class TrainedNetwork:
    """A network with trained weights: it predicts, continues to train, and is saved as numpy arrays.

    ``architecture`` is that of the network, a dataclass of plain values. ``training`` is what a loaded one goes on with
    when it is trained: a state of its optimizer, which is made only then.
    """

    def __init__(
        self,
        net: SequenceNet,
        loss: nn.Module,
        options: TrainingOptions,
        curves: Curves | None = None,
        training: dict[str, Any] | None = None,
    ) -> None:
        self.net = net
        self.loss = loss
        self.options = options
        self.curves = curves or Curves()
        self._training = training
        self._plan: PredictionPlan | None = None

    @property
    def module(self) -> Any:
        """The network itself."""
        return self.net.module

    @property
    def architecture(self) -> Any:
        architecture: Architecture = self.module.architecture
        return architecture

    @property
    def n_parameters(self) -> int:
        return count_parameters(self.module)

    @property
    def device(self) -> torch.device:
        return next(self.module.parameters()).device

    # -- training ----------------------------------------------------------------------------------------------------

    def continue_training(
        self,
        loss: nn.Module,
        batches: Batches,
        validation: Batches | None,
        options: TrainingOptions,
        *,
        keep_optimizer: bool = False,
        on_epoch_end: EpochHook | None = None,
    ) -> "TrainedNetwork":
        """Train on, from these weights; the weights of this object change, its curves do not.

        ``keep_optimizer`` goes on with the moments of the optimizer, where this is still the same one.
        """
        options = replace(options, seed=self.options.seed)
        net, training = self.net, self._training
        if keep_optimizer and net.optimizer_name == options.optimizer:
            net.update_settings(
                learning_rate=options.learning_rate,
                l1=options.l1,
                l2=options.l2,
                max_grad_norm=options.max_grad_norm,
                precision=options.precision,
            )
        else:
            net, training = make_net(self.module, loss, options), None
        continued = TrainedNetwork(net, loss, options, self.curves, training)
        return continued._run_epochs(batches, validation, options, on_epoch_end, evaluate_first=True)

    def _run_epochs(
        self,
        batches: Batches,
        validation: Batches | None,
        options: TrainingOptions,
        on_epoch_end: EpochHook | None,
        *,
        evaluate_first: bool,
    ) -> "TrainedNetwork":
        net, first_epoch = self.net, len(self.curves.loss)
        patience = resolve_patience(options.patience, n_batches=len(batches))
        monitor = TrainingMonitor(
            max_epochs=options.max_epochs,
            first_epoch=first_epoch,
            validated=validation is not None,
            patience=patience if options.schedule == "constant" else None,
            tol=options.tol,
            learning_rate=options.learning_rate,
            on_epoch_end=None if on_epoch_end is None else lambda: on_epoch_end(self._after(monitor)),
        )
        checkpoint = None if evaluate_first else options.checkpoint
        batches.set_epoch(first_epoch)
        with (
            trained_together(net, self.loss, batches, validation, options) as stopping,
            thread_limit(options.n_threads),
            seeded(net.module, options.seed, first_epoch, net.device) as generator,
        ):
            if not net.initialized_:
                net.initialize()
                if self._training is not None:
                    restore_training_state(net, from_plain(self._training))
            n_steps = options.max_epochs * len(batches)
            net.plan_learning_rate(options.schedule, options.learning_rate, n_steps=n_steps)
            monitor.start(net, batches, validation if evaluate_first else None)
            n_done, saving = 0, []
            if checkpoint is not None:
                fingerprint = fingerprint_of(net.module, self.loss, batches, validation, options)
                saving = [TrainingCheckpoint(checkpoint, monitor, fingerprint, generator, net.processes)]
                n_done = saving[0].restore(net)
                net.next_rates(n_done * len(batches))
            report = ProgressReport(options.max_epochs, n_done, lines=options.verbose == 2)
            interrupt = net.run_epochs(
                batches,
                validation,
                epochs=0 if monitor.stop else options.max_epochs - n_done,
                before=[stopping, monitor],
                after=[*saving, *([report] if options.verbose else []), StopWhereMonitorSays(monitor)],
            )
            stopping.end(interrupt)
            try:
                monitor.restore_best_weights(net, batches)
            except ValueError:
                if interrupt is not None:
                    raise interrupt from None
                raise
        if interrupt is not None:
            raise TrainingInterrupted(self._after(monitor), monitor.describe_interrupt())
        return self._after(monitor)

    def _after(self, monitor: TrainingMonitor) -> "TrainedNetwork":
        """This network with the curves of the epochs that were just trained."""
        curves = self.curves.extended(
            loss=monitor.losses, learning_rate=monitor.learning_rates, epoch_of_weights=monitor.epoch_of_weights
        )
        if monitor.validated:
            best = monitor.best_loss if np.isfinite(monitor.best_loss) else None
            validation = (*(self.curves.validation or ()), *monitor.validation_losses)
            curves = replace(curves, validation=validation, best_validation=best)
        return TrainedNetwork(self.net, self.loss, self.options, curves)

    def copy(self) -> "TrainedNetwork":
        """A copy to train on: with weights and an optimizer of its own."""
        return TrainedNetwork(self.net.copy(), self.loss, self.options, self.curves, self._training)

    # -- running -----------------------------------------------------------------------------------------------------

    def run(self, X: Any, **options: Any) -> Any:
        """Raw outputs, or hidden states, in the precision of X, in blocks of bounded memory; see `run_in_blocks`."""
        dtype = X.dtype if X.dtype.kind == "f" else np.dtype(np.float64)
        plan = self._plan_for(X)
        if plan is None and dtype == np.float64 and not self.module.runs_by_kernels():
            return run_in_blocks(self.net.in_precision(dtype), X, dtype=dtype, **options)
        return run_in_blocks(self.module, X, plan, dtype=dtype, **options)

    def _plan_for(self, X: Sequences) -> PredictionPlan | None:
        """The prepared calls of the network for such sequences, if there are any."""
        if self._plan is None or not self._plan.is_current():
            self._plan = PredictionPlan(self.module)
        plan = self._plan  # another thread may replace it
        return None if isinstance(X, Ragged) or not plan.can_read(X.shape[1]) else plan

    def for_blocks(self, X: Sequences, work: Callable[..., list[Any]], **sizes: Any) -> list[Any]:
        """Apply a function to blocks of sequences, in double precision; see `for_blocks`."""
        return for_blocks(self.net.in_precision(np.dtype(np.float64)), X, work, **sizes)

    def double_copy(self) -> Any:
        """A copy on the CPU in double precision, for step-by-step predictions."""
        return copy.deepcopy(self.module).cpu().double()

    def streaming_copy(self) -> Any:
        """A copy on the CPU for a stream: where kernels run it in the precision of training, otherwise in double."""
        return copy.deepcopy(self.module).cpu() if self.module.runs_by_kernels() else self.double_copy()

    # -- saving ------------------------------------------------------------------------------------------------------

    def to_state(self, *, with_training: bool = False) -> dict[str, Any]:
        """Everything but loss and options as plain values and numpy arrays, which any way of saving knows.

        ``with_training`` adds the state of the optimizer, for tasks that keep it when they train on.
        """
        training = to_plain(training_state(self.net)) if self.net.initialized_ else self._training
        state = {
            "architecture": self.architecture.to_dict(),
            "weights": {name: value.detach().cpu().numpy().copy() for name, value in self.module.state_dict().items()},
            "seed": self.options.seed,
            **self.curves.to_state(),
            "training": training if with_training else None,
            "path": self.net.path_,
        }
        return with_stamp(state, type(self))

    @classmethod
    def from_state(
        cls, state: dict[str, Any], kind: type[Architecture], loss: nn.Module, options: TrainingOptions
    ) -> Self:
        """Build the network again; where its device is missing, on the CPU and with a warning."""
        without_stamp(state, cls)  # only a check: the parts of the state are checked further
        network = rebuild(state, kind)
        if not is_finite(state["training"]):
            raise refusal(state, cls, "the state of its optimizer holds NaN or infinity")
        try:
            device = choose_device(options.device)
        except ValueError:
            device = torch.device("cpu")
            warn_user(f'device="{options.device}" is not available here; the model is loaded to the CPU.')
        options = replace(options, seed=state["seed"])
        net = make_net(network.eval(), loss, replace(options, device=str(device)))
        net.path_ = state.get("path", "")  # which the first saved models don't have
        network.to(device)
        return cls(net, loss, options, Curves.from_state(state), state["training"])

    def __getstate__(self) -> dict[str, Any]:
        kind = type(self.architecture)
        return {"state": self.to_state(with_training=True), "kind": kind, "loss": self.loss, "options": self.options}

    def __setstate__(self, saved: dict[str, Any]) -> None:
        vars(self).update(vars(self.from_state(**saved)))
