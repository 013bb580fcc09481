"""The tables of hyperparameters that everything with a recurrent network in it shares."""

import inspect
import re
from dataclasses import fields
from itertools import pairwise
from numbers import Real
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import torch

from sklrnn._hyperparameters import Doc, Ge, Group, Gt, Interval, OnlyWith, Satisfies, hyperparameters
from sklrnn.nn.cells import CELLS, Cell, CellName

OptimizerName = Literal["adam", "adamw", "nadam", "rmsprop", "sgd"]

# -- what several tables declare ---------------------------------------------------------------------------------------

Bidirectional = Annotated[
    bool, Group.NETWORK, Doc("Read each sequence in both directions and answer from both final states.")
]
PoolSize = Annotated[
    int,
    Ge(1),
    Group.NETWORK,
    Doc("Time steps that max pooling after the convolutions joins into one (without `filters` there is none)."),
]
AutoEarlyStopping = bool | Literal["auto"]


def _is_device(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"cpu|auto|mps|cuda(:\d+)?", value) is not None


def _are_levels(value: Any) -> bool:
    if not isinstance(value, tuple | list) or not value or not all(isinstance(item, Real) for item in value):
        return False
    levels = [float(item) for item in value]
    return all(0.0 < level < 1.0 for level in levels) and all(low < high for low, high in pairwise(levels))


Quantiles = Annotated[
    tuple[float, ...],
    Satisfies(_are_levels, "a non-empty tuple of strictly increasing numbers between 0 and 1, both excluded"),
    Group.LOSS,
    Doc('Levels that ``loss="quantile"`` learns.'),
]


@hyperparameters
class NetworkParameters:
    """What a network is made of, and how it is trained."""

    units: Annotated[
        int | tuple[int, ...], Ge(1), Group.NETWORK, Doc("Width of the recurrent state; a tuple stacks layers.")
    ] = 32
    dropout: Annotated[
        float,
        Interval(ge=0, lt=1),
        Group.NETWORK,
        Doc(
            "Share of the inputs of each recurrent layer that is dropped in training; one mask for all steps of a "
            "sequence."
        ),
    ] = 0.0
    recurrent_dropout: Annotated[
        float,
        Interval(ge=0, lt=1),
        Group.NETWORK,
        Doc(
            "Share of the state passed from step to step that is dropped in training; one mask for all steps of a "
            "sequence."
        ),
    ] = 0.0
    residual: Annotated[
        bool,
        Group.NETWORK,
        Doc(
            "Add to the output of each recurrent layer that stands on another one the input of that layer, where both "
            "have the same width."
        ),
    ] = False
    l1: Annotated[
        float,
        Interval(ge=0),
        Group.LOSS,
        Doc("Penalty on the absolute weights (not the biases) of the recurrent layers."),
    ] = 0.0
    l2: Annotated[
        float,
        Interval(ge=0),
        Group.LOSS,
        Doc("Penalty on the squared weights (not the biases) of the recurrent layers."),
    ] = 0.0
    optimizer: Annotated[
        OptimizerName | type[torch.optim.Optimizer], Group.TRAINING, Doc("Name or class of the optimizer.")
    ] = "adamw"
    learning_rate: Annotated[float, Gt(0), Group.TRAINING, Doc("Step size of the optimizer.")] = 1e-2
    schedule: Annotated[
        Literal["constant", "one_cycle"],
        Group.TRAINING,
        Doc(
            'What becomes of `learning_rate`: "one_cycle" climbs to it and falls to almost nothing over `max_epochs`, '
            "none of which is then cut by `n_iter_no_change`."
        ),
    ] = "constant"
    batch_size: Annotated[int, Ge(1), Group.TRAINING, Doc("Sequences in each step of the optimizer.")] = 32
    max_grad_norm: Annotated[
        float | None, Gt(0), Group.TRAINING, Doc("Longer gradients are cut to this length; None leaves them.")
    ] = 1.0
    early_stopping: Annotated[
        AutoEarlyStopping,
        Group.STOPPING,
        Doc(
            "Hold out the newest samples, stop when their loss no longer falls, and keep the best weights; "
            '"auto" does so above 10,000 samples. When off, training stops when the training loss no longer falls.'
        ),
    ] = "auto"
    validation_fraction: Annotated[
        float,
        Interval(gt=0, lt=1),
        Group.STOPPING,
        Doc("Share of the samples, the newest, that early stopping holds out."),
    ] = 0.1
    n_iter_no_change: Annotated[
        int, Ge(1), Group.STOPPING, Doc("Epochs without a gain of `tol` that are put up with.")
    ] = 10
    tol: Annotated[float, Interval(ge=0), Group.STOPPING, Doc("Smallest fall of the loss that counts as a gain.")] = (
        1e-4
    )
    callbacks: Annotated[
        list[Any] | None, Group.RUNNING, Doc("Callbacks of skorch, passed on to the net as they are.")
    ] = None
    n_jobs: Annotated[
        int | Literal[-1] | None,
        Ge(1),
        Group.RUNNING,
        Doc("Threads inside fit and predict; None uses one unless the work is large enough to gain."),
    ] = None
    device: Annotated[
        str,
        Satisfies(_is_device, "'cpu', 'cuda' (or 'cuda:0', 'cuda:1', ...), 'mps' or 'auto'"),
        Group.RUNNING,
        Doc('Where to compute: "cpu", "cuda", "mps", or "auto" for CUDA where there is some.'),
    ] = "cpu"
    random_state: Annotated[
        int | np.random.RandomState | None,
        "random_state",
        Group.RUNNING,
        Doc("An int makes a run repeatable; no global generator is touched then."),
    ] = None
    verbose: Annotated[int, Interval(ge=0, le=2), Group.RUNNING, Doc("1 shows a progress bar, 2 a line an epoch.")] = 0

    if not TYPE_CHECKING:  # type checkers know which attributes there are, and would take this for a leave to set any

        def __setattr__(self, name: str, value: Any) -> None:
            if name in _TABLE_OF_OPTION and not hasattr(type(self), name):
                raise AttributeError(_refuse_option(type(self), name))
            super().__setattr__(name, value)


@hyperparameters
class ConvolutionOptions:
    """Convolutions between the input and the recurrence."""

    filters: Annotated[
        int | tuple[int, ...] | None,
        Ge(1),
        Group.NETWORK,
        Doc(
            "Filters of a causal 1-D convolution before the recurrence; a tuple stacks convolutions, None leaves them "
            "out."
        ),
    ] = None
    kernel_size: Annotated[
        int, Ge(1), Group.NETWORK, Doc("Time steps that each convolution sees (without `filters` there is none).")
    ] = 3


# -- the cell ----------------------------------------------------------------------------------------------------------


@hyperparameters
class SimpleRNNOptions:
    """The options of a simple recurrent network."""

    activation: Annotated[
        Literal["tanh", "relu"],
        OnlyWith(cell="simple_rnn"),
        Group.NETWORK,
        Doc("What the state goes through at the end of each step."),
    ] = "tanh"


@hyperparameters
class GRUOptions:
    """The options of gated recurrent units."""

    reset_after: Annotated[
        bool,
        OnlyWith(cell="gru"),
        Group.NETWORK,
        Doc(
            "Let the reset gate act after the recurrent product, as torch and cuDNN do; False is the textbook's GRU, "
            "where it acts before."
        ),
    ] = True


@hyperparameters
class LSTMOptions:
    """The options of a long short-term memory."""

    forget_bias: Annotated[
        float,
        Interval(),
        OnlyWith(cell="lstm"),
        Group.NETWORK,
        Doc("First bias of the forget gate: the higher, the longer an untrained network remembers."),
    ] = 1.0
    peephole: Annotated[bool, OnlyWith(cell="lstm"), Group.NETWORK, Doc("Let the gates see the cell state.")] = False


@hyperparameters
class CellOptions(SimpleRNNOptions, GRUOptions, LSTMOptions):
    """The cell and the options of all cells, for classes that take the cell as a parameter."""

    cell: Annotated[
        CellName | Cell,
        Group.NETWORK,
        Doc(
            f"The recurrent layer: {', '.join(map(repr, CELLS))}, or a callable ``(input_size, hidden_size)`` that "
            "returns a module with the calling convention of torch's recurrent layers."
        ),
    ] = "gru"


# The table of each option of a single cell.
_TABLE_OF_OPTION = {
    field.name: table for table in (SimpleRNNOptions, GRUOptions, LSTMOptions) for field in fields(table)
}


def _refuse_option(cls: type, option: str) -> str:
    """Say which classes have an option that a named class does not have."""
    needed = _TABLE_OF_OPTION[option]
    cell = next(field for field in fields(needed) if field.name == option).metadata["only_with"]["cell"]
    named = next(parent for parent in cls.__mro__ if "cell" in vars(parent))
    own = next(table for table in CellOptions.__bases__ if issubclass(named, table))
    task = named.__name__.partition(own.__name__.removesuffix("Options"))[2]
    return (
        f"{cls.__name__} has no parameter {option!r}, which is an option of another cell. Use "
        f"{needed.__name__.removesuffix('Options')}{task}, or Recurrent{task}(cell={cell!r})."
    )


def cell_and_options(estimator: Any) -> dict[str, Any]:
    """The cell of an estimator and the options of that cell, as an architecture takes them."""
    options = inspect.signature(CELLS[estimator.cell]).parameters if isinstance(estimator.cell, str) else {}
    return {
        "cell": estimator.cell,
        "cell_options": {
            option.name: type(option.default)(getattr(estimator, option.name))
            for option in options.values()
            if option.kind is option.KEYWORD_ONLY
        },
    }
