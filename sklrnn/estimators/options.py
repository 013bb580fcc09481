"""The parameters of an estimator as the options of a network and of its training."""

import os
from numbers import Integral
from typing import Any, Literal, TypeVar

from sklearn.utils import check_random_state

from sklrnn.estimators.cell_options import cell_and_options
from sklrnn.estimators.epoch_scores import with_epoch_scores
from sklrnn.estimators.parameters import NetworkParameters
from sklrnn.inputs.user_warnings import warn_user
from sklrnn.training.checkpoint import Checkpoints
from sklrnn.training.data_parallel import current_processes
from sklrnn.training.process import count_threads
from sklrnn.training.trained_network import TrainingOptions

Estimator = TypeVar("Estimator")

# Above so many samples, texts or pairs a tenth of them can be held out.
_ENOUGH_TO_HOLD_OUT = 10_000


def recurrent_options(parameters: NetworkParameters) -> dict[str, Any]:
    """The recurrent layers of every architecture."""
    p: Any = parameters
    return {
        "units": () if p.cell is None else as_tuple(p.units),
        **cell_and_options(p),
        "bidirectional": bool(getattr(p, "bidirectional", False)),
        "dropout": float(p.dropout),
        "recurrent_dropout": float(p.recurrent_dropout),
        "residual": bool(p.residual),
    }


def training_options(
    parameters: NetworkParameters, *, seed: int, max_epochs: int, patience: int | Literal["auto"] | None
) -> TrainingOptions:
    """How the network of an estimator is trained."""
    p: Any = parameters
    return TrainingOptions(
        seed=seed,
        max_epochs=max_epochs,
        patience=patience,
        optimizer=p.optimizer,
        learning_rate=p.learning_rate,
        schedule=p.schedule,
        tol=p.tol,
        l1=p.l1,
        l2=p.l2,
        max_grad_norm=p.max_grad_norm,
        callbacks=with_epoch_scores(p.callbacks, p),
        device=p.device,
        n_threads=count_threads_of(p),
        verbose=p.verbose,
        checkpoint=_checkpoints(p),
        precision=p.precision,
    )


def warn_of_long_convolutions(parameters: NetworkParameters, n_steps: int, what: str, advice: str = "") -> None:
    """Warn of a kernel or pool that was set to more steps than there are; a default may well be longer."""
    p: Any = parameters
    if not as_tuple(p.filters):
        return
    consequences = {
        "kernel_size": "the other weights of each kernel see nothing but zeros in front of it",
        "pool_size": "all its steps become one, and the recurrent layers have no sequence to read",
    }
    for name, consequence in consequences.items():
        size = getattr(p, name, 1)
        if size != "auto" and size > n_steps and size != getattr(type(p), name):
            warn_user(
                f"{name}={size} is longer than {what} of {n_steps} step(s): {consequence}. Set {name} to {n_steps} or "
                f"less{advice}."
            )


def _checkpoints(parameters: Any) -> Checkpoints | None:
    """A folder alone means a checkpoint after every epoch."""
    checkpoint = parameters.checkpoint
    if checkpoint is None:
        return None
    if not isinstance(parameters.random_state, Integral):
        raise ValueError(
            f"checkpoint={checkpoint!r} needs an int as random_state, got {parameters.random_state!r}: a fit that is "
            "started again must begin with the same weights to go on from its checkpoint."
        )
    return checkpoint if isinstance(checkpoint, Checkpoints) else Checkpoints(os.fspath(checkpoint))


def shallow_copy(estimator: Estimator, **attributes: Any) -> Estimator:
    """A copy with other attributes, which may be given more; what they hold is shared."""
    shallow = object.__new__(type(estimator))
    vars(shallow).update(vars(estimator), **attributes)
    return shallow


def draw_seed(random_state: Any) -> int:
    """The seed of a network, or of all that a fit draws, from scikit-learn's ``random_state``."""
    return int(draw_seeds(random_state, None))


def draw_seeds(random_state: Any, n: int | None) -> Any:
    """The seeds of several networks; processes that train a network together draw the same ones."""
    seeds = check_random_state(random_state).randint(2**31 - 1, size=n)
    of_first, *_ = current_processes().meet("draws the seed of a fit", seeds)
    return of_first if random_state is None else seeds


def count_threads_of(parameters: NetworkParameters) -> int:
    """How many threads a fit or a prediction of an estimator may use."""
    p: Any = parameters
    return count_threads(p.n_jobs, batch_size=p.batch_size, units=as_tuple(p.units))


def holds_out(early_stopping: bool | Literal["auto"], n_samples: int) -> bool:
    """Whether the newest of so many samples are held out for early stopping."""
    return n_samples > _ENOUGH_TO_HOLD_OUT if early_stopping == "auto" else early_stopping


def as_tuple(sizes: int | tuple[int, ...] | None) -> tuple[int, ...]:
    """Widths of layers: none, one, or several."""
    if sizes is None:
        return ()
    return tuple(int(size) for size in sizes) if isinstance(sizes, tuple | list) else (int(sizes),)
