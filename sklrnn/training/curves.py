"""The learning curves of a trained network."""

from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Curves:
    """The loss and the learning rate (of the last step) of each epoch.

    Validation is None where nothing was held out; where only the newest epochs were validated, it is theirs. The
    weights are those of ``best_epoch``, counted from 1.
    """

    loss: tuple[float, ...] = ()
    validation: tuple[float, ...] | None = None
    best_validation: float | None = None
    learning_rate: tuple[float, ...] = ()
    best_epoch: int | None = None

    def extended(self, *, loss: list[float], learning_rate: list[float], epoch_of_weights: int) -> "Curves":
        """These and further epochs; the weights are those of one of them, or with 0 still those from before.

        They have no validation curve: that of earlier epochs belongs to other weights.
        """
        return Curves(
            loss=(*self.loss, *loss),
            learning_rate=(*self.learning_rate, *learning_rate),
            best_epoch=len(self.loss) + epoch_of_weights if epoch_of_weights else self.best_epoch,
        )

    def to_state(self) -> dict[str, Any]:
        """Plain values, which any way of saving knows."""
        return {
            "loss_curve": list(self.loss),
            "validation_curve": None if self.validation is None else list(self.validation),
            "best_validation_loss": self.best_validation,
            "learning_rate_curve": list(self.learning_rate),
            "best_epoch": self.best_epoch,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        validation = state["validation_curve"]
        return cls(
            tuple(state["loss_curve"]),
            None if validation is None else tuple(validation),
            state["best_validation_loss"],
            tuple(state["learning_rate_curve"]),
            state["best_epoch"],
        )
