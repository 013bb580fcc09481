"""Between two epochs: watch the losses, keep the best weights, report progress."""

from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback

from sklrnn.inputs.user_warnings import warn_user
from sklrnn.training.batches import Batches
from sklrnn.training.block_batches import BlockBatches
from sklrnn.training.net import SequenceNet

Weights = dict[str, torch.Tensor]


class StopTraining(KeyboardInterrupt):
    """The exception by which a callback stops skorch's loop."""


# A fit whose loss grew by this factor has diverged.
_DIVERGENCE_FACTOR = 1e4
# Enough to see whether weights are usable.
_BATCHES_TO_CHECK = 4


class TrainingMonitor(Callback):
    """Decides after each epoch whether training continues, and keeps the weights to restore.

    It is notified before the callbacks of the user, so that an epoch is recorded even if one of them asks to stop.
    """

    def __init__(
        self,
        *,
        max_epochs: int,
        first_epoch: int,
        validated: bool,
        patience: int | None,
        tol: float,
        learning_rate: float,
        on_epoch_end: Callable[[], bool] | None = None,
    ) -> None:
        self.max_epochs = max_epochs
        self.first_epoch = first_epoch
        self._initial_loss: float | None = None
        self.validated = validated
        self.patience = patience
        self.tol = tol
        self.learning_rate = learning_rate
        self._ask = on_epoch_end
        self.best_loss = np.inf
        self.losses: list[float] = []
        self.validation_losses: list[float] = []
        self.learning_rates: list[float] = []
        # At most two, the newest or best one last, each with its epoch, counted from 1; 0 stands for those before.
        self.kept: list[tuple[int, Weights]] = []
        self.epoch_of_weights = 0
        self.diverged = False
        self.stop = False
        self._stopped_early = False
        self._n_without_improvement = 0

    def start(self, net: SequenceNet, batches: Batches, validation: Batches | None) -> None:
        """Keep the weights before training, to compare with; if they were trained, they are the best so far."""
        self._batches, self._initial_weights = batches, _copy(net)
        if validation is not None:
            self.best_loss = net.evaluate(validation)
            self.kept = [(0, self._initial_weights)]

    def on_epoch_begin(self, net: SequenceNet, dataset_train: Batches | None = None, **_: Any) -> None:
        if dataset_train is not None:
            dataset_train.set_epoch(self.first_epoch + len(self.losses))

    def on_epoch_end(self, net: SequenceNet, **_: Any) -> None:
        loss = net.history[-1, "train_loss"]
        monitored = net.history[-1, "valid_loss"] if self.validated else loss
        if not self._is_usable(loss, net) or not self._is_usable(monitored, net):
            self.diverged = self.stop = True
            return
        self.losses.append(loss)
        self.learning_rates.append(float(net.optimizer_.param_groups[0]["lr"]))
        if self.validated:
            self.validation_losses.append(monitored)
        improved = monitored <= self.best_loss - self.tol
        self._n_without_improvement = 0 if improved else self._n_without_improvement + 1
        if not self.validated or monitored < self.best_loss:
            self.epoch_of_weights = len(self.losses)
            kept = _copy(net, net.history[-1].get("temperature", 1.0))
            self.kept = [*self.kept[-1:], (self.epoch_of_weights, kept)]
        self.best_loss = min(self.best_loss, monitored)
        asked_to_stop = self._ask is not None and self._ask()
        out_of_patience = self.patience is not None and self._n_without_improvement > self.patience
        self._stopped_early = asked_to_stop or out_of_patience
        self.stop = self._stopped_early or len(self.losses) == self.max_epochs

    def to_state(self) -> dict[str, Any]:
        """What it has seen and kept, for a training that goes on later."""
        return {
            "losses": [float(loss) for loss in self.losses],
            "learning_rates": self.learning_rates,
            "epoch_of_weights": self.epoch_of_weights,
            "validation_losses": [float(loss) for loss in self.validation_losses],
            "best_loss": float(self.best_loss),
            "kept": self.kept,
            "n_without_improvement": self._n_without_improvement,
            "stopped_early": self._stopped_early,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Take up such a state; a training with more epochs goes on where it only ran out of epochs."""
        self.losses, self.validation_losses = state["losses"], state["validation_losses"]
        self.learning_rates, self.epoch_of_weights = state["learning_rates"], state["epoch_of_weights"]
        self.best_loss, self.kept = state["best_loss"], state["kept"]
        self._n_without_improvement = state["n_without_improvement"]
        self._stopped_early = state["stopped_early"]
        self.stop = self._stopped_early or len(self.losses) >= self.max_epochs

    def restore_best_weights(self, net: SequenceNet, batches: Batches) -> None:
        """Leave usable weights in the network, and say what went wrong if something did."""
        keep_newest = not self.diverged and not (self.validated and self.kept)
        usable = keep_newest and self._has_usable_weights(net, batches)
        self.keeps_newest = usable
        for epoch, weights in [] if usable else self.kept[::-1]:
            net.load_weights(weights)
            self.epoch_of_weights = epoch
            usable = self._has_usable_weights(net, batches)
            if usable:
                break
        advice = f"Lower learning_rate={self.learning_rate:g}, set max_grad_norm, or look for outliers in X and y."
        if not usable:
            raise ValueError(f"Training diverged, and no epoch left usable weights: the loss exploded. {advice}")
        if self.diverged:
            warn_user(
                f"Training diverged after {len(self.losses)} epoch(s): the loss exploded. "
                f"The weights of an earlier epoch were restored. {advice}",
                ConvergenceWarning,
            )

    def describe_interrupt(self) -> str:
        """What Ctrl-C left, once the weights to keep were restored."""
        n_epochs = len(self.losses)
        when = f"after epoch {n_epochs}" if self.stop else f"in epoch {n_epochs + 1}"
        earlier = "its best epoch" if self.validated else "an earlier epoch"
        kept = "this moment" if self.keeps_newest else earlier
        return f"Training was interrupted {when}. The model keeps the weights of {kept} and can be used."

    def _has_usable_weights(self, net: SequenceNet, batches: Batches) -> bool:
        # The loss of an epoch is computed before its steps: it does not tell about the last of them.
        usable = self._is_usable(net.evaluate(batches, most=_BATCHES_TO_CHECK), net)
        self.diverged |= not usable
        return usable

    def _is_usable(self, loss: float, net: SequenceNet) -> bool:
        if not np.isfinite(loss) or loss <= _DIVERGENCE_FACTOR:
            return bool(np.isfinite(loss))
        return loss <= _DIVERGENCE_FACTOR * (1.0 + abs(self._loss_before_training(net)))

    def _loss_before_training(self, net: SequenceNet) -> float:
        """The loss of the initial weights, which few fits ask for; the network keeps those that it has."""
        if self._initial_loss is None:
            now, epoch = _copy(net), self._batches.epoch
            net.module_.load_state_dict(self._initial_weights)
            self._batches.set_epoch(self.first_epoch)
            self._initial_loss = net.evaluate(self._batches, most=_BATCHES_TO_CHECK)
            net.module_.load_state_dict(now)
            self._batches.set_epoch(epoch)
        return self._initial_loss


class StopWhereMonitorSays(Callback):
    """Stops training after all other callbacks have seen the epoch."""

    def __init__(self, monitor: TrainingMonitor) -> None:
        self.monitor = monitor

    def on_epoch_end(self, net: SequenceNet, **_: Any) -> None:
        if self.monitor.stop:
            raise StopTraining


def _copy(net: SequenceNet, temperature: float = 1.0) -> Weights:
    """The weights that predict; a classifier's logits are divided by the temperature of its validation loss."""
    weights = {name: value.clone() for name, value in net.module_.state_dict().items()}
    if temperature != 1.0:
        for name in ("head.weight", "head.bias"):
            weights[name] /= temperature
    return weights


class ProgressReport(Callback):
    """Shows the losses: a progress bar, or one line an epoch; so many epochs were done before, in another process."""

    def __init__(self, max_epochs: int, n_done: int, *, lines: bool) -> None:
        self.max_epochs = max_epochs
        self.n_done = n_done
        self.lines = lines

    def on_train_begin(self, net: SequenceNet, X: Batches | None = None, **_: Any) -> None:
        from tqdm.auto import tqdm

        self._epoch, self._bar, self._blocks = self.n_done, None, None
        if self.lines:
            return
        if isinstance(X, BlockBatches):  # an epoch may take hours
            self._blocks = X
            self._bar = tqdm(total=self.max_epochs * len(X), initial=self.n_done * len(X), unit="batch")
            X.report = self._bar.update
        else:
            self._bar = tqdm(total=self.max_epochs, initial=self.n_done, unit="epoch")

    def on_epoch_begin(self, net: SequenceNet, **_: Any) -> None:
        self._started = perf_counter()

    def on_epoch_end(self, net: SequenceNet, **_: Any) -> None:
        self._epoch += 1
        shown = {
            label: net.history[-1, key]
            for label, key in {"loss": "train_loss", "validation loss": "valid_loss"}.items()
            if key in net.history[-1]
        }
        if self._bar is not None:
            self._bar.set_postfix({label: f"{value:.4g}" for label, value in shown.items()}, refresh=False)
            if self._blocks is None:
                self._bar.update()
            return
        losses = "  ".join(f"{label} {value:.4g}" for label, value in shown.items())
        print(f"epoch {self._epoch}/{self.max_epochs}  {losses}  {perf_counter() - self._started:.2f} s")

    def on_train_end(self, net: SequenceNet, **_: Any) -> None:
        if self._blocks is not None:
            self._blocks.report = None
        if self._bar is not None:
            self._bar.close()
