"""The table of hyperparameters that everything with a recurrent network in it shares."""

from typing import Any, Literal

import numpy as np
import torch

from sklrnn._hyperparameters import (
    FRACTION,
    NON_NEGATIVE,
    POSITIVE,
    POSITIVE_INT,
    POSITIVE_INTS,
    UNIT_INTERVAL,
    DeviceName,
    Integral,
    Options,
    StrOptions,
    SubclassOf,
    hyper,
    hyperparameters,
)
from sklrnn.nn.cells import CellOptions
from sklrnn.training.net import OPTIMIZERS


@hyperparameters
class NetworkParameters(CellOptions):
    """What a network is made of, and how it is trained."""

    # fmt: off
    units: int | tuple[int, ...] = hyper(default=32, constraint=POSITIVE_INTS, sentence="Width of the recurrent state; a tuple stacks layers.")
    bidirectional: bool = hyper(default=False, constraint="boolean", sentence="Read each sequence in both directions and answer from both final states.")
    dropout: float = hyper(default=0.0, constraint=UNIT_INTERVAL, sentence="Share of the inputs of each recurrent layer that is dropped in training; one mask for all steps of a sequence.")
    recurrent_dropout: float = hyper(default=0.0, constraint=UNIT_INTERVAL, sentence="Share of the state passed from step to step that is dropped in training; one mask for all steps of a sequence.")
    residual: bool = hyper(default=False, constraint="boolean", sentence="Add to the output of each recurrent layer that stands on another one the input of that layer, where both have the same width.")
    l1: float = hyper(default=0.0, constraint=NON_NEGATIVE, sentence="Penalty on the absolute weights (not the biases) of the recurrent layers.")
    l2: float = hyper(default=0.0, constraint=NON_NEGATIVE, sentence="Penalty on the squared weights (not the biases) of the recurrent layers.")
    filters: int | tuple[int, ...] | None = hyper(default=None, constraint=[*POSITIVE_INTS, None], sentence="Filters of a causal 1-D convolution before the recurrence; a tuple stacks convolutions, None leaves them out.")
    kernel_size: int = hyper(default=3, constraint=POSITIVE_INT, sentence="Time steps that each convolution sees (without `filters` there is none).")
    pool_size: int = hyper(default=1, constraint=POSITIVE_INT, sentence="Time steps that max pooling after the convolutions joins into one (without `filters` there is none).")
    optimizer: str | type[torch.optim.Optimizer] = hyper(default="adamw", constraint=[StrOptions(set(OPTIMIZERS)), SubclassOf(torch.optim.Optimizer, "a torch optimizer")], sentence="Name or class of the optimizer.")
    learning_rate: float = hyper(default=1e-2, constraint=POSITIVE, sentence="Step size of the optimizer.")
    schedule: Literal["constant", "one_cycle"] = hyper(default="constant", constraint=StrOptions({"constant", "one_cycle"}), sentence='What becomes of `learning_rate`: "one_cycle" climbs to it and falls to almost nothing over `max_epochs`, none of which is then cut by `n_iter_no_change`.')
    batch_size: int = hyper(default=32, constraint=POSITIVE_INT, sentence="Sequences in each step of the optimizer.")
    max_grad_norm: float | None = hyper(default=1.0, constraint=[POSITIVE, None], sentence="Longer gradients are cut to this length; None leaves them.")
    early_stopping: bool | Literal["auto"] = hyper(default="auto", constraint=["boolean", StrOptions({"auto"})], sentence='Hold out the newest samples, stop when their loss no longer falls, and keep the best weights; "auto" does so above 10,000 samples. When off, training stops when the training loss no longer falls.')
    validation_fraction: float = hyper(default=0.1, constraint=FRACTION, sentence="Share of the samples, the newest, that early stopping holds out.")
    n_iter_no_change: int = hyper(default=10, constraint=POSITIVE_INT, sentence="Epochs without a gain of `tol` that are put up with.")
    tol: float = hyper(default=1e-4, constraint=NON_NEGATIVE, sentence="Smallest fall of the loss that counts as a gain.")
    callbacks: list[Any] | None = hyper(default=None, constraint=[list, None], sentence="Callbacks of skorch, passed on to the net as they are.")
    n_jobs: int | None = hyper(default=None, constraint=[POSITIVE_INT, Options(Integral, {-1}), None], sentence="Threads inside fit and predict; None uses one unless the work is large enough to gain.")
    device: str = hyper(default="cpu", constraint=DeviceName(), sentence='Where to compute: "cpu", "cuda", "mps", or "auto" for CUDA where there is some.')
    random_state: int | np.random.RandomState | None = hyper(default=None, constraint="random_state", sentence="An int makes a run repeatable; no global generator is touched then.")
    verbose: int = hyper(default=0, constraint=[Options(Integral, {0, 1, 2}), "boolean"], sentence="1 shows a progress bar, 2 a line an epoch.")
    # fmt: on
