"""What tests/training/test_data_parallel.py starts in two processes, and compares with one.

``data_parallel_program.py FOLDER killed`` ends one process in the middle of a fit. ``FOLDER trained alone hung
interrupted`` fits all models, provokes errors, then fits a model in one process only, one in a process that waits too
long, and one in a process that gets Ctrl-C. Each process leaves what it found in FOLDER.
"""

import io
import os
import pickle
import re
import signal
import sys
import threading
import time
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import torch
from skorch.callbacks import Callback

from sklrnn import (
    CNNLSTMClassifier,
    CNNLSTMRegressor,
    GRUClassifier,
    GRURegressor,
    LSTMRegressor,
    RecurrentImputer,
    SequenceGenerator,
    SequenceTranslator,
    data_parallel,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(101, 8, 2))
Y = X[:, -3:, 0].sum(axis=1)
LABELS = np.where(Y > 0, "up", "down")
WEIGHTS = RNG.uniform(0, 2, size=len(X)) * (np.arange(len(X)) % 9 > 0)
LENGTHS = RNG.integers(3, 9, size=len(X))
RAGGED = [x[:n] for x, n in zip(X, LENGTHS, strict=True)]
STEPS = [x[:, 0].cumsum() for x in RAGGED]
TOKENS = RNG.integers(0, 30, size=(len(X), 6))
TABLE = np.column_stack([np.sin(np.arange(90.0)), np.cos(np.arange(90.0))])
TABLE[20:25, 0] = np.nan
SALES = RNG.normal(size=70).cumsum()
WORDS = ["cat", "dog", "elk", "ant", "bee", "cow", "eel", "horse", "tiger"]
SETTINGS = {"units": 6, "max_epochs": 4, "batch_size": 25, "random_state": 0}
PENALTIES = {"l1": 1e-4, "l2": 1e-3, "max_grad_norm": 0.5}
DROPOUT = {"dropout": 0.3, "recurrent_dropout": 0.2}


def fitted(model, *data):
    """The loss curves, the predictions, and how the steps were made."""
    model.fit(*data)
    return found(model, (model.predict_proba if hasattr(model, "classes_") else model.predict)(data[0]))


def found(model, predicted):
    curves = np.concatenate([model.loss_curve_, getattr(model, "validation_loss_curve_", None) or []])
    return curves, np.concatenate([np.ravel(part) for part in predicted]).astype(float), model.net_.path_


def fitted_on_blocks():
    blocks = [(X[start : start + 30], Y[start : start + 30]) for start in range(0, len(X), 30)]
    model = GRURegressor(**SETTINGS, early_stopping=True).fit_blocks(blocks)
    return found(model, model.predict(X))


def continued():
    model = GRURegressor(**SETTINGS).fit(X, Y)
    for _ in range(2):
        model.partial_fit(X, Y)
    return found(model, model.predict(X))


def forecast():
    from sklrnn.forecasting import GRUForecaster  # takes a second, and some processes need none

    forecaster = GRUForecaster(**SETTINGS, n_networks=2, window_length=6, early_stopping=True)
    predicted = forecaster.fit(SALES, fh=[1, 2, 3]).predict()
    return np.concatenate([network.model.curves.loss for network in forecaster.networks_]), np.ravel(predicted), ""


def imputed():
    model = RecurrentImputer(**SETTINGS, window_length=8).fit(TABLE)
    return found(model, model.transform(TABLE))


def generated():
    model = SequenceGenerator(**SETTINGS | {"batch_size": 4}).fit(WORDS)
    return found(model, [model.score(WORDS)])


def translated():
    model = SequenceTranslator(**SETTINGS | {"batch_size": 4}, analyzer="char", teacher_forcing=0.5)
    model.fit(WORDS, [word[::-1] for word in WORDS])
    return found(model, [[model.model_.net.history[-1, "train_loss"]]])


MODELS = {
    "plain": lambda: fitted(GRURegressor(**SETTINGS), X, Y),
    "weights, penalties, dropout, held-out samples": lambda: fitted(
        GRURegressor(**SETTINGS | {"units": (6, 4)}, **PENALTIES, **DROPOUT, early_stopping=True), X, Y, WEIGHTS
    ),
    "different lengths": lambda: fitted(LSTMRegressor(**SETTINGS), RAGGED, Y),
    "a target for each step": lambda: fitted(GRURegressor(**SETTINGS, return_sequences=True), RAGGED, STEPS),
    "batch normalisation and a temperature": lambda: fitted(
        CNNLSTMClassifier(**SETTINGS, early_stopping=True, validation_fraction=0.25), X, LABELS
    ),
    "batch normalisation of a batch of one": lambda: fitted(
        CNNLSTMRegressor(**SETTINGS | {"batch_size": 50}, batch_norm=True), X, Y
    ),
    "batch normalisation by autograd": lambda: fitted(
        CNNLSTMRegressor(**SETTINGS, batch_norm=True, optimizer=torch.optim.Adagrad), RAGGED, Y
    ),
    "tokens": lambda: fitted(GRUClassifier(**SETTINGS, embedding_dim=4), TOKENS, LABELS),
    "stateful": lambda: fitted(GRURegressor(**SETTINGS, stateful=True), X, Y),
    "blocks": fitted_on_blocks,
    "continued": continued,
    "forecaster": forecast,
    "imputer": imputed,
    "generator": generated,
    "translator": translated,
}


class AtEpoch(Callback):
    """Calls a function at the end of an epoch."""

    def __init__(self, epoch, function):
        self.epoch, self.function = epoch, function

    def on_epoch_end(self, net, **_):
        if len(net.history) == self.epoch:
            self.function()


def resumable(folder, *callbacks):
    checkpoint = None if folder is None else str(folder)
    return GRURegressor(**SETTINGS | {"max_epochs": 6}, checkpoint=checkpoint, callbacks=[*callbacks])


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def stop():
    raise KeyboardInterrupt


def fail():
    raise OSError("the disk is full")


def error_of(function, *args):
    try:
        function(*args)
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    return "no error"


def killed(rank, folder):
    callbacks = [AtEpoch(3, die)] if rank == 1 else []
    return {"error": error_of(resumable(folder, *callbacks).fit, X, Y)}


def errors(rank):
    """What is refused in all processes, after which they go on."""
    from_thread: list[str] = []
    thread = threading.Thread(target=lambda: from_thread.append(error_of(GRURegressor(**SETTINGS).fit, X, Y)))
    thread.start()
    thread.join()
    return {
        "data": error_of(GRURegressor(**SETTINGS).fit, X + rank, Y),
        "blocks": error_of(GRURegressor(**SETTINGS).fit_blocks, [(X + rank, Y)]),
        "parameters": error_of(GRURegressor(**SETTINGS, learning_rate=0.01 * (1 + rank)).fit, X, Y),
        "checkpoint": error_of(resumable("folder" if rank else None).fit, X, Y),
        "random_state": error_of(GRURegressor(**SETTINGS | {"random_state": rank}).fit, X, Y),
        "batch_size": error_of(GRURegressor(**SETTINGS | {"batch_size": 1}).fit, X, Y),
        "thread": from_thread[0],
        "block": error_of(data_parallel().__enter__),
    }


def hung(rank, folder):
    """One process does not answer in time."""
    callbacks = [AtEpoch(2, lambda: time.sleep(14))] if rank == 1 else []
    return {"error": error_of(GRURegressor(**SETTINGS, callbacks=callbacks).fit, X, Y)}


def interrupted(rank, folder):
    """Ctrl-C reaches one process."""
    callbacks = [AtEpoch(2, lambda: signal.raise_signal(signal.SIGINT))] if rank == 1 else []
    return {"error": error_of(GRURegressor(**SETTINGS, callbacks=callbacks).fit, X, Y)}


def alone(rank, folder):
    """One process fits a model that the other does not."""
    fit = GRURegressor(**SETTINGS).fit
    return {"error": error_of(fit, X, Y) if rank == 0 else "", "is_reached": True}


def trained(rank, folder):
    """Everything that two processes do together."""
    result = {"models": {name: model() for name, model in MODELS.items()}, "errors": errors(rank)}
    n_epochs = []
    counting = AtEpoch(6, lambda: None)
    counting.on_epoch_begin = lambda net, **_: n_epochs.append(1)
    result["resumed"] = fitted(resumable(folder, counting), X, Y)
    result["epochs after resuming"] = len(n_epochs)
    result["no seed"] = fitted(GRURegressor(**SETTINGS | {"random_state": None}), X, Y)
    stopped = GRURegressor(**SETTINGS, callbacks=[AtEpoch(2, stop)] if rank == 1 else [])
    result["epochs until a callback stops"] = stopped.fit(X, Y).n_iter_
    model = GRURegressor(**SETTINGS).fit(X, Y)
    before = model.predict(X)
    model.set_params(callbacks=[AtEpoch(2, fail)] if rank == 1 else [])
    result["errors"]["other process"] = error_of(model.fit, X, Y)
    result["errors"]["afterwards"] = error_of(model.fit, X, Y)
    result["keeps its model"] = bool((model.predict(X) == before).all())
    return result


def meet(phase, folder):
    """Wait for the other process, so that the time limit of a block does not count what it does before."""
    here, other = (
        folder / f"{phase.__name__}_{rank}_begins" for rank in (os.environ["RANK"], 1 - int(os.environ["RANK"]))
    )
    here.touch()
    until = time.monotonic() + 120
    while not other.exists() and time.monotonic() < until:
        time.sleep(0.01)


def in_block(phase, folder):
    """Run a phase in a block of its own."""
    meet(phase, folder)
    result = {}
    try:
        with data_parallel(timeout=10 if phase is hung else 120) as processes:
            rank, result = processes.rank, phase(processes.rank, folder)
    except RuntimeError as error:
        result["left with"] = str(error)
    return rank, result


def guide(folder):
    """Run the script of the guide, which has a block of its own."""
    page = (Path(__file__).parents[2] / "docs" / "guide" / "distributed_training.md").read_text(encoding="utf-8")
    script = re.search(r"^```py\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)[1]
    os.chdir(folder)
    with redirect_stdout(io.StringIO()) as output:
        exec(script, {})
    return int(os.environ["RANK"]), {"output": output.getvalue()}


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for name in sys.argv[2:]:
        rank, result = guide(folder) if name == "guide" else in_block(globals()[name], folder)
        (folder / f"{name}_{rank}.pickle").write_bytes(pickle.dumps(result))
