"""The number of epochs for ``max_epochs="auto"``, and the patience for ``n_iter_no_change="auto"``."""

import math
from typing import Literal, NamedTuple

_FEWEST_EPOCHS_OF_PATIENCE = 10
_FEWEST_STEPS_OF_PATIENCE = 100


class StepBudget(NamedTuple):
    """Steps of the optimizer that the data of a task can bear, and the epochs to make them in.

    ``steps`` is their number for up to ``reference_samples`` samples; beyond these, it grows with the power ``growth``
    of the number of samples, up to ``most_steps``.
    """

    steps: float
    reference_samples: int = 1
    growth: float = 0.0
    most_steps: float = math.inf
    fewest_epochs: int = 1
    most_epochs: float = math.inf


def resolve_epochs(max_epochs: int | Literal["auto"], budget: StepBudget, *, n_batches: int, n_samples: int = 1) -> int:
    """Return ``max_epochs``, or for "auto" as many epochs of ``n_batches`` steps each as the budget allows.

    Few samples need many epochs and many need few: what matters is how often the weights change.
    """
    if max_epochs != "auto":
        return int(max_epochs)
    growth = max(1.0, n_samples / budget.reference_samples) ** budget.growth
    n_steps = min(budget.steps * growth, budget.most_steps)
    return int(max(budget.fewest_epochs, min(round(n_steps / n_batches), budget.most_epochs)))


def resolve_patience(patience: int | Literal["auto"] | None, *, n_batches: int) -> int | None:
    """Epochs without improvement after which training stops; "auto" waits for a number of steps too.

    An epoch of a small set is a single step or a few: ten of them are soon over while the loss still stands on a
    plateau.
    """
    if patience != "auto":
        return patience
    return max(_FEWEST_EPOCHS_OF_PATIENCE, math.ceil(_FEWEST_STEPS_OF_PATIENCE / n_batches))
