"""What happens between two epochs: looking at the losses, keeping the best weights, telling the user."""

import warnings
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback

from sklrnn.training.batches import Batches
from sklrnn.training.net import SequenceNet

Weights = dict[str, torch.Tensor]


class StopTraining(KeyboardInterrupt):
    """What skorch's loop understands as the wish to stop."""


# A loss that grew by this factor will not come back to anything useful.
_EXPLODED = 1e4
# Enough to see whether weights are sane.
_BATCHES_TO_LOOK_AT = 4


class Watch(Callback):
    """Decides after each epoch whether to go on, and remembers the weights to return to.

    It stands before all other callbacks, so that an epoch counts even if one of them asks to stop.
    """

    def __init__(
        self,
        *,
        max_epochs: int,
        validated: bool,
        patience: int | None,
        tol: float,
        learning_rate: float,
        between_epochs: Callable[[], bool] | None = None,
    ) -> None:
        self.max_epochs = max_epochs
        self.validated = validated
        self.patience = patience
        self.tol = tol
        self.learning_rate = learning_rate
        self.between_epochs = between_epochs
        self.best_loss = np.inf
        self.losses: list[float] = []
        self.validation_losses: list[float] = []
        self.kept: list[Weights] = []  # the newest or best last, and the one before
        self.diverged = False
        self.stop = False
        self._without_gain = 0

    def start_from(self, net: SequenceNet, batches: Batches, held_out: Batches | None) -> None:
        """Look at the weights before training: the loss to compare with, and the best so far if they were trained."""
        self._first_loss = net.judge(batches, most=_BATCHES_TO_LOOK_AT)
        if held_out is not None:
            self.best_loss = net.judge(held_out)
            self.kept = [_copy(net)]

    def on_epoch_begin(self, net: SequenceNet, dataset_train: Batches | None = None, **_: Any) -> None:
        if dataset_train is not None and self.losses:
            dataset_train.epoch += 1

    def on_epoch_end(self, net: SequenceNet, **_: Any) -> None:
        loss = net.history[-1, "train_loss"]
        judged = net.history[-1, "valid_loss"] if self.validated else loss
        if not self._is_sane(loss) or not self._is_sane(judged):
            self.diverged = self.stop = True
            return
        self.losses.append(loss)
        if self.validated:
            self.validation_losses.append(judged)
        self._without_gain = 0 if judged <= self.best_loss - self.tol else self._without_gain + 1
        if not self.validated or judged < self.best_loss:
            self.kept = [*self.kept[-1:], _copy(net)]
        self.best_loss = min(self.best_loss, judged)
        wanted = self.between_epochs is not None and self.between_epochs()
        patient = self.patience is None or self._without_gain <= self.patience
        self.stop = wanted or not patient or len(self.losses) == self.max_epochs

    def settle(self, net: SequenceNet, batches: Batches) -> None:
        """Give the module weights that are sane, and say what went wrong if something did."""
        interrupted = not self.stop and not net.stopped_by_callback_
        as_it_stands = not self.diverged and not (self.validated and self.kept)
        settled = as_it_stands and self._looks_sane(net, batches)
        for weights in [] if settled else self.kept[::-1]:
            net.load_weights(weights)
            settled = self._looks_sane(net, batches)
            if settled:
                break
        advice = f"Lower learning_rate={self.learning_rate:g}, set max_grad_norm, or look for outliers in X and y."
        if not settled:
            raise ValueError(f"Training diverged, and no epoch left weights to return to: the loss exploded. {advice}")
        if self.diverged:
            warnings.warn(
                f"Training diverged after {len(self.losses)} epoch(s): the loss exploded. "
                f"The weights of an earlier epoch were restored. {advice}",
                ConvergenceWarning,
                stacklevel=5,
            )
        elif interrupted:
            warnings.warn(
                f"Training was interrupted in epoch {len(self.losses) + 1}. "
                "The model keeps what it has learnt so far and can be used.",
                ConvergenceWarning,
                stacklevel=5,
            )

    def _looks_sane(self, net: SequenceNet, batches: Batches) -> bool:
        # The loss of an epoch is taken before its steps: it says nothing about the last of them.
        sane = self._is_sane(net.judge(batches, most=_BATCHES_TO_LOOK_AT))
        self.diverged |= not sane
        return sane

    def _is_sane(self, loss: float) -> bool:
        return bool(np.isfinite(loss)) and loss <= _EXPLODED * (1.0 + abs(self._first_loss))


class Stop(Callback):
    """Ends training where the watch says so; stands last, so that all other callbacks have seen the epoch."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch

    def on_epoch_end(self, net: SequenceNet, **_: Any) -> None:
        if self.watch.stop:
            raise StopTraining


def _copy(net: SequenceNet) -> Weights:
    return {name: value.clone() for name, value in net.module_.state_dict().items()}


class Report(Callback):
    """Shows the losses: a progress bar, or a line an epoch."""

    def __init__(self, *, max_epochs: int, lines: bool) -> None:
        self.max_epochs = max_epochs
        self.lines = lines

    def on_train_begin(self, net: SequenceNet, **_: Any) -> None:
        from tqdm.auto import tqdm

        self._epoch = 0
        self._bar = None if self.lines else tqdm(total=self.max_epochs, unit="epoch")

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
            self._bar.update()
            return
        losses = "  ".join(f"{label} {value:.4g}" for label, value in shown.items())
        print(f"epoch {self._epoch}/{self.max_epochs}  {losses}  {perf_counter() - self._started:.2f} s")

    def on_train_end(self, net: SequenceNet, **_: Any) -> None:
        if self._bar is not None:
            self._bar.close()
