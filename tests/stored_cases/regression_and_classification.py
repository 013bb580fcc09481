"""Small fits of the regressors and classifiers: every cell, every option of the network and of training."""

import pickle

import numpy as np
import torch
from skorch.callbacks import EpochScoring, GradientNormClipping, LRScheduler
from torch import nn

import sklrnn
from sklrnn import RecurrentClassifier, RecurrentRegressor
from sklrnn.cells import StepwiseCell

RNG = np.random.default_rng(12)
X = RNG.normal(size=(40, 7, 2))
Y = X[:, -1, 0] + 0.5 * X[:, :, 1].mean(axis=1) ** 2 - 0.3 * X[:, 2, 0]
LABELS = np.array(["low", "middle", "high"])[np.digitize(Y, [-0.5, 0.5])]
WEIGHTS = RNG.uniform(0.0, 2.0, size=40)
WEIGHTS[:4] = 0.0
BY_STEP = np.cumsum(X[:, :, 0], axis=1) / np.arange(1, 8)
LENGTHS = RNG.integers(1, 8, size=40)
TOKENS = RNG.integers(0, 6, size=(40, 7))
HOLES = np.where(RNG.random(X.shape) < 0.2, np.nan, X)
SHOWN = slice(0, 9)
TINY = {"units": 5, "max_epochs": 4, "batch_size": 16, "random_state": 0}


class LeakyCell(StepwiseCell):
    """A cell of one's own, made from the equation of one step."""

    gates = ("candidate",)

    def step(self, inputs, seen, recurrent, state):
        return 0.7 * state + 0.3 * (inputs + seen @ recurrent).tanh()


class ShortLBFGS(torch.optim.LBFGS):
    """Asks for each batch twice: with more steps a batch, the last digits of a processor grow to everything."""

    def __init__(self, params, lr):
        super().__init__(params, lr=lr, max_iter=2)


def ragged(values):
    return [value[:length] for value, length in zip(values, LENGTHS, strict=True)]


def signs(values):
    return [np.where(row > 0, "up", "down") for row in values]


def answers(model, X):
    """What a fitted regressor or classifier answers, and the curves of its training."""
    shown = {"prediction": model.predict(X), "loss_curve": model.loss_curve_}
    if hasattr(model, "predict_proba"):
        shown["probability"] = model.predict_proba(X)
    if model.validation_curve_ is not None:
        shown["validation_curve"] = model.validation_curve_
    return shown


def fitted_on(X, y=None, labels=None, also=lambda model, X: {}, shown=SHOWN, **fit_options):
    """Fit on X and the targets of the task, and answer some of X."""

    def show(model):
        targets = (labels if hasattr(model, "predict_proba") else y) if y is not None else X
        model.fit(X, targets, **fit_options)
        return answers(model, X[shown]) | also(model, X[shown])

    return show


def hidden_states(model, X):
    return {"states": model.hidden_states(X[:2])}


def streamed(model, X):
    stream = model.start_stream()
    return {"stream": [stream.step(step) for step in X[0]]}


def quantiles(model, X):
    return {
        "interval": model.predict_interval(X, coverage=0.6),
        "quantiles": model.predict_quantiles(X),
        "between": model.predict_quantiles(X, quantiles=(0.3, 0.6)),
    }


def trained_further(model):
    """Fit, and fit again from where that ended, at another rate."""
    first = answers(model.fit(X, targets_for(model)), X[SHOWN])
    second = answers(model.set_params(learning_rate=0.002).fit(X, targets_for(model)), X[SHOWN])
    return {"first": first, "second": second}


def partly_fitted(model):
    targets = targets_for(model)
    options = {"classes": np.unique(LABELS)} if hasattr(model, "predict_proba") else {}
    first = answers(model.partial_fit(X[:20], targets[:20], **options), X[SHOWN])
    model.set_params(learning_rate=0.003, l2=0.01).partial_fit(X[20:], targets[20:], sample_weight=WEIGHTS[20:])
    return {"first": first, "second": answers(model, X[SHOWN])}


def pickled(model):
    copied = pickle.loads(pickle.dumps(model.fit(X, targets_for(model))))
    first = answers(copied, X[SHOWN])
    return {"first": first, "second": answers(copied.partial_fit(X, targets_for(model)), X[SHOWN])}


def targets_for(model):
    return LABELS if hasattr(model, "predict_proba") else Y


plain = fitted_on(X, Y, LABELS)
by_step = fitted_on(X, BY_STEP, signs(BY_STEP))
ragged_last = fitted_on(ragged(X), Y, LABELS, hidden_states)
ragged_steps = fitted_on(ragged(X), ragged(BY_STEP), signs(ragged(BY_STEP)))

CELLS = {
    "simple_rnn": {"cell": "simple_rnn"},
    "relu_rnn": {"cell": "simple_rnn", "activation": "relu"},
    "gru": {"cell": "gru"},
    "textbook_gru": {"cell": "gru", "reset_after": False},
    "minimal_gru": {"cell": "minimal_gru"},
    "slstm": {"cell": "slstm"},
    "lstm": {"cell": "lstm"},
    "lstm forget_bias": {"cell": "lstm", "forget_bias": -0.5},
    "peephole_lstm": {"cell": "lstm", "peephole": True},
    "own stepwise cell": {"cell": LeakyCell},
    "torch.nn.GRU": {"cell": nn.GRU},
    "torch.nn.LSTM": {"cell": nn.LSTM},
}

# With each cell: every way to run one, in training and in prediction.
WITH_EACH_CELL = {
    "last step": (fitted_on(X, Y, LABELS, lambda model, X: hidden_states(model, X) | streamed(model, X)), {}),
    "layers": (plain, {"units": (5, 4)}),
    "bidirectional": (plain, {"bidirectional": True}),
    "callback": (plain, {"callbacks": [LRScheduler("StepLR", step_size=1, gamma=0.5)]}),
    "every step": (by_step, {"return_sequences": True}),
    "ragged": (ragged_last, {}),
    "ragged, every step": (ragged_steps, {"return_sequences": True, "bidirectional": True}),
    "stateful": (fitted_on(X, Y, LABELS, streamed), {"stateful": True, "batch_size": 5}),
}

# With the GRU: every option of the network.
OF_THE_NETWORK = {
    "residual": (plain, {"units": (5, 5), "residual": True}),
    "residual, bidirectional": (plain, {"units": (4, 4), "residual": True, "bidirectional": True}),
    "dropout": (plain, {"units": (5, 4), "dropout": 0.3}),
    "recurrent_dropout": (plain, {"recurrent_dropout": 0.3}),
    "both dropouts, lstm": (plain, {"cell": "lstm", "dropout": 0.2, "recurrent_dropout": 0.3}),
    "recurrent_dropout, simple_rnn": (plain, {"cell": "simple_rnn", "recurrent_dropout": 0.3}),
    "recurrent_dropout, own cell": (plain, {"cell": LeakyCell, "recurrent_dropout": 0.3}),
    "dropout, every step": (by_step, {"dropout": 0.3, "return_sequences": True}),
    "filters": (plain, {"filters": 4}),
    "filters, kernel_size, pool_size": (plain, {"filters": (4, 3), "kernel_size": 2, "pool_size": 3}),
    "filters, batch_norm, convolution_skip": (
        ragged_last,
        {"filters": (4, 3), "pool_size": 2, "batch_norm": True, "convolution_skip": True},
    ),
    **{
        f"pooling {pooling}": (fitted_on(X, Y, LABELS, streamed), {"pooling": pooling})
        for pooling in ("mean", "max", "attention")
    },
    "pooling mean, ragged": (ragged_last, {"pooling": "mean"}),
    "filters, ragged": (ragged_last, {"filters": 4, "pool_size": 2}),
    "filters, every step": (by_step, {"filters": 4, "return_sequences": True}),
    "filters, stateful": (fitted_on(X, Y, LABELS, streamed), {"filters": 4, "stateful": True, "batch_size": 5}),
    "stateful, every step": (by_step, {"stateful": True, "batch_size": 5, "return_sequences": True}),
    "embedding_dim": (fitted_on(TOKENS, Y, LABELS, streamed), {"embedding_dim": 3}),
    "embedding_dim, ragged": (fitted_on(ragged(TOKENS), Y, LABELS), {"embedding_dim": 3}),
    "missing": (fitted_on(HOLES, Y, LABELS), {"missing": "mask"}),
    "missing, ragged": (fitted_on(ragged(HOLES), Y, LABELS), {"missing": "mask"}),
    "normalize_X": (fitted_on(3 + 2 * X, Y, LABELS), {"normalize_X": False}),
    "normalize_X window": (fitted_on(X, Y, LABELS, streamed), {"normalize_X": "window"}),
    "float32": (fitted_on(X.astype(np.float32), Y.astype(np.float32), LABELS), {}),
    "table": (fitted_on(X[:, :, 0], Y, LABELS, streamed), {}),
    "n_timesteps": (fitted_on(X.reshape(40, 14), Y, LABELS), {"n_timesteps": 7}),
}

# With the GRU: every option of training.
OF_TRAINING = {
    **{f"optimizer {name}": (plain, {"optimizer": name}) for name in ("adam", "adamw", "nadam", "rmsprop", "sgd")},
    "optimizer torch.optim.Adagrad": (plain, {"optimizer": torch.optim.Adagrad}),
    "optimizer torch.optim.LBFGS": (plain, {"optimizer": ShortLBFGS, "learning_rate": 0.01, "max_epochs": 2}),
    "optimizer torch.optim.LBFGS, stateful": (
        plain,
        {"optimizer": ShortLBFGS, "learning_rate": 0.01, "max_epochs": 2, "stateful": True, "batch_size": 5},
    ),
    "optimizer adam, layers": (plain, {"optimizer": "adam", "bidirectional": True, "filters": 3}),
    "learning_rate": (plain, {"learning_rate": 0.03}),
    "one_cycle": (plain, {"schedule": "one_cycle"}),
    "one_cycle, sgd": (plain, {"schedule": "one_cycle", "optimizer": "sgd", "learning_rate": 0.1}),
    "l1": (plain, {"l1": 0.01}),
    "l2": (plain, {"l2": 0.01}),
    "l1 and l2, lstm, layers": (plain, {"cell": "lstm", "units": (5, 4), "l1": 0.003, "l2": 0.01}),
    "l2, sgd": (plain, {"l2": 0.01, "optimizer": "sgd"}),
    "max_grad_norm": (plain, {"max_grad_norm": 0.05}),
    "max_grad_norm=None": (plain, {"max_grad_norm": None}),
    "max_grad_norm, rmsprop": (plain, {"max_grad_norm": 0.05, "optimizer": "rmsprop"}),
    "batch_size small": (plain, {"batch_size": 3, "max_epochs": 2}),
    "batch_size large": (fitted_on(X.repeat(2, axis=0), Y.repeat(2), LABELS.repeat(2)), {"batch_size": 100}),
    "shuffle": (plain, {"shuffle": False}),
    "early_stopping": (plain, {"early_stopping": True, "validation_fraction": 0.3}),
    "early_stopping, every step": (by_step, {"early_stopping": True, "return_sequences": True}),
    "early_stopping, ragged": (ragged_last, {"early_stopping": True, "validation_fraction": 0.25}),
    "patience": (plain, {"n_iter_no_change": 1, "tol": 0.5, "max_epochs": 6}),
    "warm_start": (trained_further, {"warm_start": True}),
    "warm_start, early_stopping": (trained_further, {"warm_start": True, "early_stopping": True, "optimizer": "adam"}),
    "partial_fit": (partly_fitted, {}),
    "partial_fit, sgd": (partly_fitted, {"optimizer": "sgd", "cell": "lstm"}),
    "pickled": (pickled, {}),
    "sample_weight": (fitted_on(X, Y, LABELS, sample_weight=WEIGHTS), {}),
    "sample_weight, ragged": (fitted_on(ragged(X), Y, LABELS, sample_weight=WEIGHTS), {}),
    "sample_weight, every step": (
        fitted_on(X, BY_STEP, signs(BY_STEP), sample_weight=np.abs(X[:, :, 1])),
        {"return_sequences": True},
    ),
    "sample_weight, stateful": (
        fitted_on(X, Y, LABELS, sample_weight=WEIGHTS),
        {"stateful": True, "batch_size": 5, "early_stopping": True},
    ),
    "callback that clips, sgd": (plain, {"optimizer": "sgd", "callbacks": [GradientNormClipping(0.1)]}),
    "callback, ragged": (ragged_last, {"callbacks": [LRScheduler("StepLR", step_size=1, gamma=0.5)]}),
    "callback, stateful": (
        plain,
        {"callbacks": [LRScheduler("StepLR", step_size=1, gamma=0.5)], "stateful": True, "batch_size": 5},
    ),
    "named callback": (plain, {"callbacks": [("rate", LRScheduler("ExponentialLR", gamma=0.7))], "optimizer": "adam"}),
    "callback that scores": (
        plain,
        {"callbacks": [EpochScoring(lambda net, X, y=None: 0.0, name="nothing")], "early_stopping": True},
    ),
    "n_jobs": (plain, {"n_jobs": 1}),
}

TWO_TARGETS = np.column_stack([Y, X[:, 0, 1]])
with_errors = fitted_on(X, Y, LABELS, quantiles)
with_errors_of_two = fitted_on(X, TWO_TARGETS, None, quantiles)
OF_REGRESSORS = {
    "loss squared_error": (with_errors, {"loss": "squared_error", "early_stopping": True}),
    "loss absolute_error": (plain, {"loss": "absolute_error"}),
    "loss huber": (plain, {"loss": "huber"}),
    "loss quantile": (with_errors, {"loss": "quantile", "quantiles": (0.1, 0.4, 0.8), "early_stopping": True}),
    "loss quantile, without errors": (with_errors, {"loss": "quantile"}),
    "loss gaussian": (with_errors, {"loss": "gaussian"}),
    "loss poisson": (fitted_on(X, np.exp(Y).round(), LABELS), {"loss": "poisson"}),
    "loss poisson, normalize_y": (fitted_on(X, np.exp(Y).round(), LABELS), {"loss": "poisson", "normalize_y": False}),
    "loss torch.nn.SmoothL1Loss": (plain, {"loss": nn.SmoothL1Loss}),
    "normalize_y": (plain, {"normalize_y": False}),
    "normalize_y window": (
        with_errors,
        {"normalize_X": "window", "normalize_y": "window", "target_feature": 1, "loss": "quantile"},
    ),
    "calibration_cv": (with_errors, {"calibration_cv": 2}),
    "two targets": (with_errors_of_two, {"early_stopping": True}),
    "two targets, quantile": (with_errors_of_two, {"loss": "quantile"}),
    "two targets, gaussian, lstm": (with_errors_of_two, {"loss": "gaussian", "cell": "lstm"}),
    "two targets, huber, adam": (fitted_on(X, TWO_TARGETS), {"loss": "huber", "optimizer": "adam"}),
    "two targets, every step": (fitted_on(X), {"return_sequences": True}),
    "quantile, every step": (
        fitted_on(ragged(X), ragged(BY_STEP), None, quantiles),
        {"return_sequences": True, "loss": "quantile"},
    ),
}


def log_probability(model, X):
    return {"log": model.predict_log_proba(X)}


TWO_LABELS = Y > 0
OF_CLASSIFIERS = {
    "two labels": (fitted_on(X, Y, TWO_LABELS, log_probability), {}),
    "class_weight balanced": (plain, {"class_weight": "balanced"}),
    "class_weight dict": (plain, {"class_weight": {"low": 0.2, "middle": 3.0, "high": 1.0}}),
    "class_weight, sample_weight": (fitted_on(X, Y, LABELS, sample_weight=WEIGHTS), {"class_weight": "balanced"}),
    "class_weight, every step": (by_step, {"class_weight": "balanced", "return_sequences": True}),
    "loss torch.nn.MultiMarginLoss": (plain, {"loss": nn.MultiMarginLoss}),
}

# Classes that have a cell of their own: its options, and the defaults that the class sets.
NAMED = {
    "SimpleRNN": {"activation": "relu", "dropout": 0.1},
    "GRU": {"reset_after": False, "units": (4, 4)},
    "LSTM": {"peephole": True, "forget_bias": 2.0},
    "CNNLSTM": {"filters": (4, 4), "kernel_size": 4, "pool_size": 2},
}

CASES = {}
for task, shared_class, own in [
    ("Regressor", RecurrentRegressor, OF_REGRESSORS),
    ("Classifier", RecurrentClassifier, OF_CLASSIFIERS),
]:
    for cell, of_cell in CELLS.items():
        # Of targets a cell knows nothing: the other cells are run in every way by the regressors only.
        every_way = task == "Regressor" or cell in ("simple_rnn", "relu_rnn", "gru", "lstm")
        for how, (show, options) in WITH_EACH_CELL.items() if every_way else [*WITH_EACH_CELL.items()][:1]:
            CASES[f"{task}, {cell}, {how}"] = (shared_class, show, TINY | of_cell | options)
    for option, (show, options) in (OF_THE_NETWORK | OF_TRAINING | own).items():
        # One label for each of 40 sequences: a smaller part of them is too little for a classifier to hold out.
        holds_out = options.get("early_stopping") and not options.get("return_sequences")
        enough = {"validation_fraction": 0.6} if task == "Classifier" and holds_out else {}
        CASES[f"{task}, {option}"] = (shared_class, show, TINY | options | enough)
    for prefix, options in NAMED.items():
        kind = getattr(sklrnn, prefix + task)
        # What a class switches on is switched off.
        options = options | {name: False for name in ("batch_norm", "convolution_skip") if getattr(kind, name)}
        CASES[kind.__name__] = (kind, plain, {"max_epochs": 2, "random_state": 0})
        CASES[f"{kind.__name__}, options"] = (kind, plain, TINY | options)
