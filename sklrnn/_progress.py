"""What happens between two epochs: looking at the losses, keeping the best weights, telling the user."""

import warnings
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback
from torch import nn

from sklrnn.training import Batches, SequenceNet


class StopTraining(KeyboardInterrupt):
    """What skorch's loop understands as the wish to stop."""


# A loss that grew by this factor will not come back to anything useful.
_EXPLODED = 1e4


class Watch(Callback):
    """Decides after each epoch whether to go on, and remembers the weights to return to."""

    def __init__(
        self,
        *,
        max_epochs: int,
        validated: bool,
        patience: int | None,
        tol: float,
        learning_rate: float,
        best_so_far: float = np.inf,
        between_epochs: Callable[[], bool] | None = None,
    ) -> None:
        self.max_epochs = max_epochs
        self.validated = validated
        self.patience = patience
        self.tol = tol
        self.learning_rate = learning_rate
        self.best_loss = best_so_far
        self.between_epochs = between_epochs
        self.losses: list[float] = []
        self.validation_losses: list[float] = []
        self.kept: dict[str, torch.Tensor] | None = None
        self.diverged_at: int | None = None
        self.finished = False
        self._without_gain = 0
        self._first_loss: float | None = None

    def on_epoch_begin(self, net: SequenceNet, dataset_train: Batches | None = None, **_: Any) -> None:
        if dataset_train is not None and self.losses:
            dataset_train.epoch += 1

    def on_epoch_end(self, net: SequenceNet, **_: Any) -> None:
        loss = net.history[-1, "train_loss"]
        judged = net.history[-1, "valid_loss"] if self.validated else loss
        if self._first_loss is None:
            self._first_loss = net.history[-1, "train_first_loss"]
        if not self._is_sane(loss) or not self._is_sane(judged):
            self.diverged_at = len(self.losses) + 1
            raise StopTraining
        self.losses.append(loss)
        if self.validated:
            self.validation_losses.append(judged)
        self._without_gain = 0 if judged <= self.best_loss - self.tol else self._without_gain + 1
        if not self.validated or judged < self.best_loss:
            self.kept = {name: value.clone() for name, value in net.module_.state_dict().items()}
        self.best_loss = min(self.best_loss, judged)
        self.finished = len(self.losses) == self.max_epochs
        if self.between_epochs is not None and self.between_epochs():
            self._stop()
        if self.patience is not None and self._without_gain > self.patience:
            self._stop()

    def settle(self, net: SequenceNet) -> None:
        """Give the module the weights to keep, and say what went wrong if something did."""
        module: nn.Module = net.module_
        if self.diverged_at is not None:
            self._tell_divergence()
        elif not self.finished and not getattr(net, "stopped_by_callback_", False):
            warnings.warn(
                f"Training was interrupted in epoch {len(self.losses) + 1}. "
                "The model keeps what it has learnt so far and can be used.",
                ConvergenceWarning,
                stacklevel=5,
            )
        if self.kept is not None and (self.validated or self.diverged_at is not None):
            net.load_weights(self.kept)
        module.eval()

    def _is_sane(self, loss: float) -> bool:
        assert self._first_loss is not None
        return bool(np.isfinite(loss)) and loss <= _EXPLODED * (1.0 + abs(self._first_loss))

    def _tell_divergence(self) -> None:
        advice = f"Lower learning_rate={self.learning_rate:g}, set max_grad_norm, or look for outliers in X and y."
        if not self.losses:
            raise ValueError(f"Training diverged in its first epoch: the loss exploded. {advice}")
        warnings.warn(
            f"Training diverged in epoch {self.diverged_at}: the loss exploded. "
            f"The weights of an earlier epoch were restored. {advice}",
            ConvergenceWarning,
            stacklevel=6,
        )

    def _stop(self) -> None:
        self.finished = True
        raise StopTraining


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
