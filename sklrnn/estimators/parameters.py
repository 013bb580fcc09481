"""The tables of hyperparameters that everything with a recurrent network in it shares."""

import os
import re
from itertools import pairwise
from numbers import Real
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import torch

from sklrnn._hyperparameters import Choices, Doc, Ge, Group, Gt, Interval, Satisfies, hyperparameters
from sklrnn.estimators.cell_options import TABLE_OF_OPTION, refuse_option
from sklrnn.training.checkpoint import Checkpoints

OptimizerName = Literal["adam", "adamw", "nadam", "rmsprop", "sgd"]

# What users read about each, as in ``nn.losses`` and ``nn.cells``.
OPTIMIZER_MEANINGS: dict[str, str] = {
    "adam": "steps scaled by running means of the gradients and of their squares [Kingma2015]_.\n\n"
    '.. [Kingma2015] Kingma, D. P. and Ba, J.: "Adam: a method for stochastic optimization", ICLR, 2015.',
    "adamw": "Adam with a weight decay of 0.15 that is decoupled from the gradients [Loshchilov2019]_.\n\n"
    '.. [Loshchilov2019] Loshchilov, I. and Hutter, F.: "Decoupled weight decay regularization", ICLR, 2019.',
    "nadam": "Adam with Nesterov momentum.",
    "rmsprop": "steps scaled by a running mean of the squared gradients.",
    "sgd": "plain steps along the gradient, without momentum.",
}
SCHEDULE_MEANINGS: dict[str, str] = {
    "constant": "`learning_rate` in all epochs.",
    "one_cycle": "the rate rises to `learning_rate`, then falls to almost zero at the end of `max_epochs` "
    "[Smith2019]_. All epochs are run: `n_iter_no_change` ends none of them.\n\n"
    '.. [Smith2019] Smith, L. N. and Topin, N.: "Super-convergence: very fast training of neural networks using large '
    'learning rates", SPIE Defense + Commercial Sensing, 2019.',
}

# -- what several tables declare ---------------------------------------------------------------------------------------

Bidirectional = Annotated[
    bool,
    Group.NETWORK,
    Doc(
        "Read each sequence in both directions and predict from both final states [Schuster1997]_.\n\n"
        '.. [Schuster1997] Schuster, M. and Paliwal, K. K.: "Bidirectional recurrent neural networks", IEEE '
        "Transactions on Signal Processing 45(11), 1997."
    ),
]
PoolSize = Annotated[
    int,
    Ge(1),
    Group.NETWORK,
    Doc("Time steps in each block of the max pooling after the convolutions; without `filters` there is none."),
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
    Doc('Levels for ``loss="quantile"``.'),
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
            "Share of the inputs of each recurrent layer that is dropped in training, one mask for all steps of a "
            "sequence [Gal2016]_."
        ),
    ] = 0.0
    recurrent_dropout: Annotated[
        float,
        Interval(ge=0, lt=1),
        Group.NETWORK,
        Doc(
            "Share of the recurrent state that is dropped in training, one mask for all steps of a sequence "
            "[Gal2016]_.\n\n"
            '.. [Gal2016] Gal, Y. and Ghahramani, Z.: "A theoretically grounded application of dropout in recurrent '
            'neural networks", NeurIPS, 2016.'
        ),
    ] = 0.0
    residual: Annotated[
        bool,
        Group.NETWORK,
        Doc(
            "Add the input of each recurrent layer to its output, from the second layer on and where both have the "
            "same width."
        ),
    ] = False
    l1: Annotated[
        float,
        Interval(ge=0),
        Group.LOSS,
        Doc("Penalty on the absolute weights, not the biases, of the recurrent layers."),
    ] = 0.0
    l2: Annotated[
        float,
        Interval(ge=0),
        Group.LOSS,
        Doc("Penalty on the squared weights, not the biases, of the recurrent layers."),
    ] = 0.0
    optimizer: Annotated[
        OptimizerName | type[torch.optim.Optimizer],
        Choices(OPTIMIZER_MEANINGS),
        Group.TRAINING,
        Doc("Name or class of the optimizer."),
    ] = "adamw"
    learning_rate: Annotated[float, Gt(0), Group.TRAINING, Doc("Learning rate of the optimizer.")] = 1e-2
    schedule: Annotated[
        Literal["constant", "one_cycle"],
        Choices(SCHEDULE_MEANINGS),
        Group.TRAINING,
        Doc("How the learning rate changes during training."),
    ] = "constant"
    batch_size: Annotated[int, Ge(1), Group.TRAINING, Doc("Sequences in each batch.")] = 32
    max_grad_norm: Annotated[
        float | None,
        Gt(0),
        Group.TRAINING,
        Doc(
            "Gradients are clipped to this norm [Pascanu2013]_; None turns clipping off.\n\n"
            '.. [Pascanu2013] Pascanu, R., Mikolov, T. and Bengio, Y.: "On the difficulty of training recurrent neural '
            'networks", ICML, 2013.'
        ),
    ] = 1.0
    early_stopping: Annotated[
        AutoEarlyStopping,
        Group.STOPPING,
        Doc(
            "Hold out the newest samples (a classifier: of each class), stop when their loss no longer decreases, and "
            'keep the best weights; "auto" does so above 10,000 samples. If off, training stops when the training '
            "loss no longer decreases."
        ),
    ] = "auto"
    validation_fraction: Annotated[
        float,
        Interval(gt=0, lt=1),
        Group.STOPPING,
        Doc("Share of the samples, or of those of each class, that early stopping holds out: the newest."),
    ] = 0.1
    n_iter_no_change: Annotated[
        int | Literal["auto"],
        Ge(1),
        Group.STOPPING,
        Doc(
            'Patience: epochs without an improvement by `tol` after which training stops; "auto" means 10, and with '
            "few batches as many as make 100 updates."
        ),
    ] = 10
    tol: Annotated[
        float, Interval(ge=0), Group.STOPPING, Doc("Least decrease of the loss that counts as an improvement.")
    ] = 1e-4
    callbacks: Annotated[list[Any] | None, Group.RUNNING, Doc("Callbacks of skorch.")] = None
    checkpoint: Annotated[
        str | os.PathLike[str] | Checkpoints | None,
        Group.RUNNING,
        Doc(
            "Folder for the state of the training after each epoch: a fit that was ended from outside goes on from "
            "there when it is started again, and a finished one is read from it. Needs an int as `random_state`."
        ),
    ] = None
    n_jobs: Annotated[
        int | Literal[-1] | None,
        Ge(1),
        Group.RUNNING,
        Doc("Threads in fit and predict; -1 uses all, None one unless the work is large enough to gain from more."),
    ] = None
    device: Annotated[
        str,
        Satisfies(_is_device, "'cpu', 'cuda' (or 'cuda:0', 'cuda:1', ...), 'mps' or 'auto'"),
        Group.RUNNING,
        Doc('Device to compute on: "cpu", "cuda" (GPU), "mps", or "auto" for CUDA where there is a GPU.'),
    ] = "cpu"
    precision: Annotated[
        Literal["float32", "bf16"],
        Group.RUNNING,
        Doc(
            'Of the steps of training: "bf16" computes products of matrices and convolutions in bfloat16, which GPUs '
            "do faster. Weights and predictions stay in float32."
        ),
    ] = "float32"
    random_state: Annotated[
        int | np.random.RandomState | None,
        "random_state",
        Group.RUNNING,
        Doc("An int makes a fit repeatable; global random generators are not touched."),
    ] = None
    verbose: Annotated[
        int, Interval(ge=0, le=2), Group.RUNNING, Doc("1 shows a progress bar, 2 prints one line an epoch.")
    ] = 0

    if not TYPE_CHECKING:  # type checkers know which attributes there are, and would take this for a leave to set any

        def __setattr__(self, name: str, value: Any) -> None:
            if name in TABLE_OF_OPTION and not hasattr(type(self), name):
                raise AttributeError(refuse_option(type(self), name))
            super().__setattr__(name, value)


@hyperparameters
class ConvolutionOptions:
    """Convolutions between the input and the recurrence."""

    filters: Annotated[
        int | tuple[int, ...] | None,
        Ge(1),
        Group.NETWORK,
        Doc(
            "Filters of a causal 1-D convolution before the recurrent layers; a tuple stacks convolutions, None leaves "
            "them out."
        ),
    ] = None
    kernel_size: Annotated[
        int, Ge(1), Group.NETWORK, Doc("Time steps that each convolution reads; without `filters` there is none.")
    ] = 3
