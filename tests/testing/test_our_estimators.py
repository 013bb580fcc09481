"""All estimators of the package keep all invariants, with every option of the network and of training."""

import pytest
import torch
from sklearn.pipeline import make_pipeline
from torch import nn

import sklrnn
from sklrnn import GRUClassifier, GRURegressor, RecurrentClassifier, RecurrentRegressor, SequenceScaler
from sklrnn.cells import StepwiseCell
from sklrnn.testing import formats, parametrize_with_recurrent_checks, recurrent_checks_generator, seeds_and_threads
from sklrnn.testing.kit import name_of

TINY = {"units": 3, "max_epochs": 2, "batch_size": 8}
NAMED = [name for name in sklrnn.__all__ if name.endswith(("Regressor", "Classifier"))]


class LeakyCell(StepwiseCell):
    """A cell of one's own."""

    gates = ("candidate",)

    def step(self, inputs, seen, recurrent, state):
        return 0.7 * state + 0.3 * (inputs + seen @ recurrent).tanh()


OF_BOTH_TASKS = [
    {"return_sequences": True},
    {"return_sequences": True, "bidirectional": True},
    {"stateful": True, "batch_size": 4},
    {"stateful": True, "batch_size": 4, "return_sequences": True},
    {"embedding_dim": 2},
    {"n_timesteps": 4},
    {"pooling": "attention"},
]
# Of the targets these options know nothing, so one task stands for both.
OF_NETWORKS = [
    *({"cell": cell} for cell in ("simple_rnn", "minimal_gru", "slstm", LeakyCell, nn.GRU, nn.LSTM)),
    {"cell": "simple_rnn", "activation": "relu"},
    {"cell": "gru", "reset_after": False},
    {"cell": "lstm", "peephole": True},
    {"units": (3, 3), "residual": True, "dropout": 0.3},
    {"recurrent_dropout": 0.3},
    {"bidirectional": True},
    {"filters": (3, 2), "kernel_size": 2, "pool_size": 2},
    {"filters": 3, "batch_norm": True, "convolution_skip": True},
    {"filters": 3, "return_sequences": True},
    {"pooling": "mean"},
    {"pooling": "max"},
    {"normalize_X": False, "normalize_y": False},
    {"normalize_X": "window"},
    {"normalize_X": "window", "normalize_y": "window", "target_feature": 0},
    {"missing": "mask"},
]
OF_TRAINING = [
    *({"optimizer": name} for name in ("adam", "nadam", "rmsprop", "sgd", torch.optim.Adagrad)),
    {"schedule": "one_cycle"},
    {"l1": 0.01, "l2": 0.01, "max_grad_norm": None},
    {"shuffle": False, "warm_start": True},
    {"early_stopping": True},
    {"calibration_cv": 2},
    {"precision": "bf16"},
    *({"loss": loss} for loss in ("absolute_error", "huber", "quantile", "gaussian", "poisson", nn.SmoothL1Loss)),
]
OURS = [
    *(getattr(sklrnn, name)(**TINY) for name in NAMED),
    *(RecurrentRegressor(**TINY | options) for options in OF_BOTH_TASKS),
    *(RecurrentClassifier(**TINY | options) for options in OF_BOTH_TASKS[:3]),
    make_pipeline(SequenceScaler(), GRURegressor(**TINY)),
]
WITH_OPTIONS = [
    *(RecurrentRegressor(**TINY | options) for options in OF_NETWORKS + OF_TRAINING),
    GRUClassifier(**TINY, class_weight="balanced"),
    GRUClassifier(**TINY, loss=nn.MultiMarginLoss),
]
# How X and y are read, and where a fit runs, does not depend on the other options.
WITHOUT_OPTIONS = {*vars(formats), *vars(seeds_and_threads)} - {"check_same_seed_gives_the_same_fit"} | {
    "check_joblib_round_trip",
    "check_skops_round_trip",
    "check_white_noise_is_not_predicted",
}


def refits_steps(estimator):
    """scikit-learn's Pipeline fits its first steps in place, before a later one can fail."""
    reason = {"check_failed_fit_keeps_the_old_model": "a Pipeline has fitted the scaler anew before the network fails"}
    return reason if hasattr(estimator, "steps") else {}


@parametrize_with_recurrent_checks(OURS, expected_failed_checks=refits_steps)
def test_our_estimators_keep_the_invariants(estimator, check):
    check(estimator)


@pytest.mark.parametrize("estimator", WITH_OPTIONS, ids=repr)
def test_no_option_breaks_an_invariant(estimator):
    names = [name_of(check) for _, check in recurrent_checks_generator(estimator)]
    assert len({*names} - WITHOUT_OPTIONS) >= 12
    for _, check in recurrent_checks_generator(estimator):
        if name_of(check) not in WITHOUT_OPTIONS:
            check(estimator)
