"""Small fits of the forecasters, a comparison of three, and the adapters for sktime."""

import numpy as np
import pandas as pd
from skorch.callbacks import LRScheduler
from torch import nn

import sklrnn.forecasting
from sklrnn import GRUClassifier, LSTMRegressor
from sklrnn.cells import StepwiseCell
from sklrnn.datasets import load_air_passengers
from sklrnn.forecasting import GRUForecaster, RecurrentForecaster, compare
from sklrnn.sktime_adapters import SktimeClassifier, SktimeRegressor

RNG = np.random.default_rng(3)
MONTHS = pd.period_range("2015-01", periods=72, freq="M")
STEPS = np.arange(72)
PRICE = pd.DataFrame(
    {"price": RNG.normal(size=84), "rain": RNG.normal(size=84)}, pd.period_range("2015-01", periods=84, freq="M")
)
Y = pd.Series(2 * np.sin(STEPS * np.pi / 6) + STEPS / 30 + PRICE["price"].to_numpy()[:72], MONTHS, name="sales")
TWO = pd.DataFrame({"a": Y, "b": 3 - Y.cumsum() / 10}, MONTHS)
PANEL = pd.concat({"x": Y[:50], "y": 2 - Y[10:], "z": 3 * Y[:40]}, names=["shop", "month"]).to_frame("sales")
DAYS = pd.Series(
    np.where(RNG.random(60) < 0.1, np.nan, RNG.normal(size=60).cumsum()), pd.date_range("2024-01-01", periods=60)
)


class LeakyCell(StepwiseCell):
    """A cell of one's own, made from the equation of one step."""

    gates = ("candidate",)

    def step(self, inputs, seen, recurrent, state):
        return 0.7 * state + 0.3 * (inputs + seen @ recurrent).tanh()


def forecast(y, X=None, fh=(1, 2, 4), also=lambda model, X: {}):
    """Fit and forecast; of X all rows are there when it is asked for, and those of y in fit."""

    def show(model):
        known = None if X is None else X[: len(y)]
        future = None if X is None else X[len(y) :]
        model.fit(y, X=known, fh=list(fh))
        return {"forecast": model.predict(X=future)} | also(model, future)

    return show


def with_intervals(model, X):
    return {
        "interval": model.predict_interval(coverage=[0.5, 0.8], X=X),
        "quantiles": model.predict_quantiles(alpha=[0.2, 0.5, 0.9], X=X),
    }


def in_sample_and_beyond(model, X):
    return {"in sample": model.predict(fh=[-3, -1, 0]), "beyond": model.predict(fh=[1, 7])}


def updated(y):
    def show(model):
        model.fit(y[:50], fh=[1, 2, 3])
        shown = {"before": model.predict()}
        model.update(y[50:60], update_params=False)
        shown |= {"only read": model.predict()}
        model.update(y[60:], update_params=True)
        return shown | {"learnt": model.predict()} | with_intervals(model, None)

    return show


def pretrained(model):
    model.pretrain(PANEL, fh=[1, 2, 3])
    model.fit(Y[40:], fh=[1, 2, 3])
    return {"forecast": model.predict()} | with_intervals(model, None)


of_one = forecast(Y)
CASES_OF_FORECASTERS = {
    "series": (forecast(Y, also=with_intervals), {}),
    "no season": (forecast(DAYS, also=in_sample_and_beyond), {"sp": 1}),
    "all chosen": (
        forecast(load_air_passengers()[-72:], fh=(1, 12)),
        {"window_length": "auto", "units": 4, "max_epochs": "auto", "early_stopping": False, "batch_size": 64},
    ),
    "in sample and beyond": (forecast(Y, also=in_sample_and_beyond), {}),
    "two channels": (forecast(TWO, also=with_intervals), {}),
    "X": (forecast(Y, PRICE, also=with_intervals), {}),
    "X, some known": (forecast(Y, PRICE), {"future_X": ["price"]}),
    "X, not known": (forecast(TWO, PRICE), {"future_X": "unknown"}),
    "panel": (forecast(PANEL, also=with_intervals), {}),
    "recursive": (forecast(Y, also=with_intervals), {"strategy": "recursive"}),
    "recursive, X, two channels": (forecast(TWO, PRICE), {"strategy": "recursive"}),
    "normalize series": (forecast(PANEL, also=with_intervals), {"normalize": "series"}),
    "normalize None": (forecast(PANEL, also=with_intervals), {"normalize": None}),
    "sp": (of_one, {"sp": 6}),
    "two channels, joint": (forecast(TWO, also=with_intervals), {"channels": "joint"}),
    "two channels, separate": (forecast(TWO, also=with_intervals), {"channels": "separate"}),
    "level": (forecast(Y, also=with_intervals), {"baseline": "level"}),
    "smoothing, panel": (forecast(PANEL, also=with_intervals), {"baseline": "smoothing"}),
    "fold": (of_one, {"fold": 3}),
    "fold, two channels, X": (forecast(TWO, PRICE), {"fold": 6}),
    "n_networks": (forecast(Y, also=with_intervals), {"n_networks": 2}),
    "n_networks, panel": (forecast(PANEL), {"n_networks": 3, "strategy": "recursive"}),
    "loss squared_error": (of_one, {"loss": "squared_error"}),
    "loss huber": (of_one, {"loss": "huber"}),
    "loss gaussian": (forecast(Y, also=with_intervals), {"loss": "gaussian"}),
    "loss quantile": (forecast(Y, also=with_intervals), {"loss": "quantile", "quantiles": (0.1, 0.5, 0.95)}),
    "loss quantile, two channels": (forecast(TWO, also=with_intervals), {"loss": "quantile"}),
    "updated": (updated(Y), {}),
    "updated, two channels, lstm": (updated(TWO), {"cell": "lstm"}),
    "pretrained": (pretrained, {}),
    "pretrained, fine_tune": (pretrained, {"fine_tune": True}),
    "simple_rnn": (of_one, {"cell": "simple_rnn"}),
    "relu_rnn": (of_one, {"cell": "simple_rnn", "activation": "relu"}),
    "textbook_gru": (of_one, {"reset_after": False}),
    "minimal_gru": (of_one, {"cell": "minimal_gru"}),
    "slstm": (of_one, {"cell": "slstm"}),
    "lstm": (of_one, {"cell": "lstm", "forget_bias": 0.5}),
    "peephole_lstm": (of_one, {"cell": "lstm", "peephole": True}),
    "own stepwise cell": (of_one, {"cell": LeakyCell}),
    "torch.nn.GRU": (of_one, {"cell": nn.GRU}),
    "units": (of_one, {"units": (5, 4)}),
    "bidirectional": (of_one, {"bidirectional": True}),
    "dropout": (of_one, {"units": (5, 4), "dropout": 0.3}),
    "recurrent_dropout": (of_one, {"recurrent_dropout": 0.3}),
    "residual": (of_one, {"units": (5, 5), "residual": True}),
    "filters": (of_one, {"filters": 4, "kernel_size": 2, "pool_size": 2}),
    "optimizer sgd": (of_one, {"optimizer": "sgd"}),
    "optimizer adamw": (of_one, {"optimizer": "adamw"}),
    "constant rate": (of_one, {"schedule": "constant"}),
    "l1": (of_one, {"l1": 0.01}),
    "l2": (of_one, {"l2": 0.01}),
    "learning_rate": (of_one, {"learning_rate": 0.02}),
    "max_grad_norm": (of_one, {"max_grad_norm": 0.1}),
    "early_stopping": (of_one, {"early_stopping": True, "validation_fraction": 0.3, "schedule": "constant"}),
    "patience": (of_one, {"n_iter_no_change": 1, "tol": 0.5, "schedule": "constant", "max_epochs": 5}),
    "callbacks": (of_one, {"callbacks": [LRScheduler("StepLR", step_size=1, gamma=0.5)]}),
    "n_jobs": (of_one, {"n_jobs": 1}),
}
TINY = {"units": 5, "n_networks": 1, "window_length": 12, "batch_size": 16, "max_epochs": 3, "random_state": 0}

CASES = {
    f"Forecaster, {name}": (RecurrentForecaster, show, TINY | options)
    for name, (show, options) in CASES_OF_FORECASTERS.items()
}
for prefix, options in {
    "SimpleRNN": {"activation": "relu"},
    "GRU": {"reset_after": False},
    "LSTM": {"peephole": True, "forget_bias": 2.0},
    "CNNLSTM": {"filters": (4, 4), "pool_size": 2},
}.items():
    kind = getattr(sklrnn.forecasting, f"{prefix}Forecaster")
    options |= {"baseline": "level", "channels": "joint"}
    CASES[kind.__name__] = (kind, of_one, {"max_epochs": 2, "random_state": 0})
    CASES[f"{kind.__name__}, options"] = (kind, of_one, TINY | options)


def compared(*data):
    def show(run):
        found = run({"naive": "naive", "drift": "drift", "gru": GRUForecaster(**TINY)}, *data)
        scores = found.results.drop(columns=["fit_seconds", "predict_seconds", "n_warnings", "error"])
        return {
            "results": scores,
            "forecasts": found.forecasts,
            "skill": found.skill(),
            "ranks": found.summary()["rank"],
            "failures": np.asarray(found.failures, dtype=str),
        }

    return show


CASES["compare"] = (compare, compared(Y), {"horizon": 2, "n_splits": 2})
CASES["compare, options"] = (
    compare,
    compared(Y),
    {
        "horizon": 3,
        "n_splits": None,
        "initial_window": 60,
        "step": 5,
        "refit": False,
        "sp": 6,
        "coverage": 0.7,
        "metrics": ("RMSE", "MAE"),
        "n_jobs": 1,
    },
)
CASES["compare, panel"] = (compare, compared(PANEL), {"horizon": 2, "n_splits": 2, "coverage": None})
CASES["compare, X"] = (compare, compared(Y, PRICE[:72]), {"horizon": 2, "n_splits": 2})

# (sample, channel, time), as sktime has it
CHANNELS = RNG.normal(size=(24, 2, 6))
TARGET = CHANNELS[:, 1, -1] + CHANNELS[:, 0, 2]


def adapted(y):
    def show(model):
        model.fit(CHANNELS, y)
        shown = {"prediction": model.predict(CHANNELS[:6])}
        return shown | ({"probability": model.predict_proba(CHANNELS[:6])} if hasattr(model, "predict_proba") else {})

    return show


SMALL = {"units": 4, "max_epochs": 2}
CASES["SktimeClassifier"] = (
    SktimeClassifier,
    adapted(np.where(TARGET > 0, "up", "down")),
    {"estimator": GRUClassifier(**SMALL), "random_state": 3},
)
CASES["SktimeRegressor"] = (SktimeRegressor, adapted(TARGET), {"estimator": LSTMRegressor(**SMALL), "random_state": 3})
CASES["SktimeRegressor, two targets"] = (
    SktimeRegressor,
    adapted(np.column_stack([TARGET, -TARGET])),
    {"estimator": LSTMRegressor(**SMALL), "random_state": 4},
)
