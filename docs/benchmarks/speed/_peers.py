"""The same training by each package: ``fit(task)`` gives a function of sequences that answers.

Adam, the same batches and epochs, no validation, no early stopping, progress bars and logs off. What a package needs to
be fed with its own kind of data is made inside ``fit``, as its user would have to.
"""

import importlib.util
import logging
import os
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from _tasks import Task

Answer = Callable[[Any], Any]
Fit = Callable[[Task], Answer]


def sklrnn(task: Task) -> Answer:
    from sklrnn import RecurrentClassifier, RecurrentRegressor

    kind = RecurrentClassifier if task.n_classes else RecurrentRegressor
    model = kind(
        cell=task.cell,
        units=task.units,
        batch_size=task.batch_size,
        max_epochs=task.epochs,
        optimizer="adam",
        learning_rate=task.learning_rate,
        max_grad_norm=None,
        early_stopping=False,
        random_state=0,
    )
    return model.fit(task.X, task.y).predict


def torch_network(task: Task) -> Any:
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            layer = {"gru": nn.GRU, "lstm": nn.LSTM, "simple_rnn": nn.RNN}[task.cell]
            self.layer = layer(task.X.shape[2], task.units, batch_first=True)
            self.head = nn.Linear(task.units, task.n_classes or 1)

        def forward(self, x: Any) -> Any:
            raw = self.head(self.layer(x)[0][:, -1])
            return raw if task.n_classes else raw[:, 0]

    torch.manual_seed(0)
    return Net()


def torch(task: Task) -> Answer:
    """A loop without anything that is not needed."""
    import torch as t
    from torch import nn

    network = torch_network(task)
    loss = nn.CrossEntropyLoss() if task.n_classes else nn.MSELoss()
    optimizer = t.optim.Adam(network.parameters(), lr=task.learning_rate, fused=True)
    X, y = t.from_numpy(np.ascontiguousarray(task.X)), t.from_numpy(np.ascontiguousarray(task.y))
    for _ in range(task.epochs):
        for chosen in t.randperm(len(X)).split(task.batch_size):
            optimizer.zero_grad()
            loss(network(X[chosen]), y[chosen]).backward()
            optimizer.step()

    def answer(X: Any) -> Any:
        with t.inference_mode():
            raw = network(t.from_numpy(np.ascontiguousarray(X))).numpy()
        return raw.argmax(axis=1) if task.n_classes else raw

    return answer


def skorch(task: Task) -> Answer:
    import torch as t
    from skorch import NeuralNetClassifier, NeuralNetRegressor

    class Regressor(NeuralNetRegressor):
        def get_loss(self, y_pred: Any, y_true: Any, *args: Any, **kwargs: Any) -> Any:
            return super().get_loss(y_pred, y_true.reshape(y_pred.shape), *args, **kwargs)

    options = {
        "module": torch_network(task),
        "optimizer": t.optim.Adam,
        "lr": task.learning_rate,
        "batch_size": task.batch_size,
        "max_epochs": task.epochs,
        "iterator_train__shuffle": True,
        "train_split": None,
        "verbose": 0,
    }
    model = NeuralNetClassifier(criterion=t.nn.CrossEntropyLoss, **options) if task.n_classes else Regressor(**options)
    X = np.ascontiguousarray(task.X)
    y = task.y.astype(np.int64) if task.n_classes else task.y.astype(np.float32)[:, np.newaxis]
    model.fit(X, y)
    return lambda X: np.ravel(model.predict(np.ascontiguousarray(X)))


def keras(task: Task) -> Answer:
    import keras as k

    k.utils.set_random_seed(0)
    layer = {"gru": k.layers.GRU, "lstm": k.layers.LSTM, "simple_rnn": k.layers.SimpleRNN}[task.cell]
    head = k.layers.Dense(task.n_classes, activation="softmax") if task.n_classes else k.layers.Dense(1)
    model = k.Sequential([k.Input(task.X.shape[1:]), layer(task.units), head])
    loss = "sparse_categorical_crossentropy" if task.n_classes else "mse"
    model.compile(optimizer=k.optimizers.Adam(task.learning_rate), loss=loss)
    X, y = np.ascontiguousarray(task.X), np.ascontiguousarray(task.y)
    model.fit(X, y, batch_size=task.batch_size, epochs=task.epochs, verbose=0)

    def answer(X: Any) -> Any:
        raw = model.predict(np.ascontiguousarray(X), batch_size=max(1, min(len(X), 1000)), verbose=0)
        return raw.argmax(axis=1) if task.n_classes else raw[:, 0]

    return answer


_QUIET = {"enable_progress_bar": False, "logger": False, "enable_checkpointing": False, "enable_model_summary": False}


def darts(task: Task) -> Answer | None:
    """All of it by darts' own windows; its answers come from a series, not from windows."""
    from darts import TimeSeries
    from darts.models import BlockRNNModel

    model = BlockRNNModel(
        input_chunk_length=task.window_length,
        output_chunk_length=1,
        model=task.cell.upper(),
        hidden_dim=task.units,
        n_rnn_layers=1,
        batch_size=task.batch_size,
        n_epochs=task.epochs,
        optimizer_kwargs={"lr": task.learning_rate},
        random_state=0,
        pl_trainer_kwargs={"accelerator": "cpu", **_QUIET},
    )
    target = TimeSeries.from_values(task.series[:, :1])
    covariates = {} if task.X.shape[2] == 1 else {"past_covariates": TimeSeries.from_values(task.series[:, 1:])}
    model.fit(target, **covariates)
    return None


def neuralforecast(task: Task) -> Answer | None:
    import pandas as pd
    from neuralforecast import NeuralForecast
    from neuralforecast.models import GRU

    names = [f"x{i}" for i in range(1, task.X.shape[2])]
    table = pd.DataFrame(task.series, columns=["y", *names])
    table["ds"], table["unique_id"] = np.arange(len(table)), "a"
    n_steps = task.epochs * -(-len(task.X) // task.batch_size)
    model = GRU(
        h=1,
        input_size=task.window_length,
        encoder_n_layers=1,
        encoder_hidden_size=task.units,
        decoder_layers=1,
        max_steps=n_steps,
        learning_rate=task.learning_rate,
        batch_size=1,
        windows_batch_size=task.batch_size,
        hist_exog_list=names or None,
        scaler_type="identity",
        num_lr_decays=0,
        accelerator="cpu",
        **_QUIET,
    )
    NeuralForecast(models=[model], freq=1).fit(table, val_size=0)
    return None


def tsai(task: Task) -> Answer:
    from tsai.all import TSClassifier, TSRegressor
    from tsai.models.RNN import GRU, LSTM

    architecture = {"gru": GRU, "lstm": LSTM}[task.cell]
    kind = TSClassifier if task.n_classes else TSRegressor
    X = np.ascontiguousarray(np.transpose(task.X, (0, 2, 1)))  # (sample, feature, time)
    model = kind(
        X,
        task.y,
        splits=None,
        arch=architecture,
        arch_config={"hidden_size": task.units, "n_layers": 1, "fc_dropout": 0.0},
        bs=task.batch_size,
        verbose=False,
    )
    with model.no_bar(), model.no_logging():
        model.fit(task.epochs, lr=task.learning_rate)
    return lambda X: np.ravel(model.get_X_preds(np.ascontiguousarray(np.transpose(X, (0, 2, 1))))[2])


def _with_keras(backend: str) -> Fit:
    def fit(task: Task) -> Answer:
        os.environ["KERAS_BACKEND"] = backend
        return keras(task)

    return fit


# name: what must be there to import, how it fits, on which tasks it can work
PEERS: dict[str, tuple[tuple[str, ...], Fit, tuple[str, ...]]] = {
    "sklrnn": (("sklrnn",), sklrnn, ("w1", "w2", "w3")),
    "torch, tight loop": (("torch",), torch, ("w1", "w2", "w3")),
    "skorch": (("skorch",), skorch, ("w1", "w2", "w3")),
    "Keras on JAX": (("keras", "jax"), _with_keras("jax"), ("w1", "w2", "w3")),
    "Keras on torch": (("keras", "torch"), _with_keras("torch"), ("w1", "w2", "w3")),
    "Keras on TensorFlow": (("keras", "tensorflow"), _with_keras("tensorflow"), ("w1", "w2", "w3")),
    "darts": (("darts", "pytorch_lightning"), darts, ("w1", "w2")),  # type: ignore[dict-item]
    "neuralforecast": (("neuralforecast",), neuralforecast, ("w1", "w2")),  # type: ignore[dict-item]
    "tsai": (("tsai",), tsai, ("w1", "w2", "w3")),
}


def installed(task: str) -> list[str]:
    """The peers that are here and can do a task."""
    return [
        name
        for name, (modules, _, tasks) in PEERS.items()
        if task in tasks and all(importlib.util.find_spec(module) for module in modules)
    ]


def import_it(name: str) -> None:
    """Import what a user of a peer imports."""
    if name.startswith("Keras"):
        os.environ["KERAS_BACKEND"] = name.rsplit(" ", 1)[-1].lower()
    if name == "sklrnn":
        from sklrnn import RecurrentRegressor  # noqa: F401 - the top level alone loads nothing
    elif name == "darts":
        from darts.models import BlockRNNModel  # noqa: F401
    elif name == "tsai":
        from tsai.all import TSRegressor  # noqa: F401
    else:
        importlib.import_module(PEERS[name][0][0])
    warnings.simplefilter("ignore")
    for noisy in ("pytorch_lightning", "lightning", "lightning.pytorch", "lightning_fabric", "darts"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
