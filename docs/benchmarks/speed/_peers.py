"""The same training by each package: ``fit(task)`` gives a function of sequences that answers.

Adam, the same batches and epochs, no validation, no early stopping, progress bars and logs off. What a package needs to
be fed with its own kind of data is made inside ``fit``, as its user would have to.
"""

import functools
import importlib.util
import logging
import os
import pkgutil
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from _forecasting_peers import darts, neuralforecast, pytorch_forecasting, skforecast
from _tasks import Answer, Fit, Task


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
        bidirectional=task.bidirectional,
        recurrent_dropout=task.recurrent_dropout,
        filters=task.filters or None,
        kernel_size=3,
        pool_size=2,
    )
    return model.fit(task.X, task.y).predict


def torch_network(task: Task) -> Any:
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            n_inputs = task.filters or task.X.shape[2]
            if task.filters:
                self.convolution = nn.Conv1d(task.X.shape[2], task.filters, 3)
            if task.recurrent_dropout:
                cell = {"gru": nn.GRUCell, "lstm": nn.LSTMCell, "simple_rnn": nn.RNNCell}[task.cell]
                self.layer = cell(n_inputs, task.units)
            else:
                layer = {"gru": nn.GRU, "lstm": nn.LSTM, "simple_rnn": nn.RNN}[task.cell]
                self.layer = layer(n_inputs, task.units, batch_first=True, bidirectional=task.bidirectional)
            self.head = nn.Linear(task.units * (1 + task.bidirectional), task.n_classes or 1)

        def forward(self, X: Any) -> Any:
            if task.filters:
                X = nn.functional.pad(X.transpose(1, 2), (2, 0))
                X = nn.functional.max_pool1d(torch.relu(self.convolution(X)), 2, ceil_mode=True).transpose(1, 2)
            raw = self.head(self.last_state(X))
            return raw if task.n_classes else raw[:, 0]

        def last_state(self, X: Any) -> Any:
            """torch's layers have no dropout of the state, so that one step follows the other there."""
            if task.recurrent_dropout:
                h = c = X.new_zeros(len(X), task.units)
                mask = nn.functional.dropout(torch.ones_like(h), task.recurrent_dropout, self.training)
                for x in X.unbind(1):
                    if task.cell == "lstm":
                        h, c = self.layer(x, (h * mask, c))
                    else:
                        h = self.layer(x, h * mask)
                return h
            states = self.layer(X)[0]
            if task.bidirectional:  # each direction has read everything at its own end
                return torch.cat([states[:, -1, : task.units], states[:, 0, task.units :]], dim=1)
            return states[:, -1]

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

    network.eval()

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


def keras_model(task: Task) -> Any:
    import keras as k

    k.utils.set_random_seed(0)
    layers = [k.Input(task.X.shape[1:])]
    if task.filters:
        layers.append(k.layers.Conv1D(task.filters, 3, padding="causal", activation="relu"))
        layers.append(k.layers.MaxPooling1D(2, padding="same"))
    kind = {"gru": k.layers.GRU, "lstm": k.layers.LSTM, "simple_rnn": k.layers.SimpleRNN}[task.cell]
    layer = kind(task.units, recurrent_dropout=task.recurrent_dropout)
    layers.append(k.layers.Bidirectional(layer) if task.bidirectional else layer)
    layers.append(k.layers.Dense(task.n_classes, activation="softmax") if task.n_classes else k.layers.Dense(1))
    model = k.Sequential(layers)
    loss = "sparse_categorical_crossentropy" if task.n_classes else "mse"
    model.compile(optimizer=k.optimizers.Adam(task.learning_rate), loss=loss)
    return model


def keras(task: Task) -> Answer:
    model = keras_model(task)
    X, y = np.ascontiguousarray(task.X), np.ascontiguousarray(task.y)
    model.fit(X, y, batch_size=task.batch_size, epochs=task.epochs, verbose=0)

    def answer(X: Any) -> Any:
        raw = model.predict(np.ascontiguousarray(X), batch_size=max(1, min(len(X), 1000)), verbose=0)
        return raw.argmax(axis=1) if task.n_classes else raw[:, 0]

    return answer


def tsai(task: Task) -> Answer:
    """With the Adam of torch: that of fastai, the default, decays the weights, and is slower."""
    _let_torchvision_be_imported()
    import torch as t
    from tsai.basics import OptimWrapper, TSClassification, TSClassifier, TSRegression, TSRegressor
    from tsai.models.RNN import GRU, LSTM, RNN

    kind = TSClassifier if task.n_classes else TSRegressor
    model = kind(
        np.ascontiguousarray(np.transpose(task.X, (0, 2, 1))),  # (sample, feature, time)
        task.y,
        tfms=[None, TSClassification() if task.n_classes else TSRegression()],
        arch={"gru": GRU, "lstm": LSTM, "simple_rnn": RNN}[task.cell],
        arch_config={"hidden_size": task.units, "n_layers": 1},
        opt_func=functools.partial(OptimWrapper, opt=t.optim.Adam),
        metrics=None,
        batch_size=task.batch_size,
        drop_last=False,
        seed=0,
    )
    with model.no_bar(), model.no_logging():
        model.fit(task.epochs, lr=task.learning_rate)

    def answer(X: Any) -> Any:
        X = np.ascontiguousarray(np.transpose(X, (0, 2, 1)))
        with model.no_bar(), model.no_logging():
            raw = model.get_X_preds(X, bs=1000, with_decoded=False)[0].numpy()
        return raw.argmax(axis=1) if task.n_classes else raw[:, 0]

    return answer


def _let_torchvision_be_imported() -> None:
    """tsai imports fastai, and that torchvision, of which nothing is used for sequences.

    Beside a torch for the CPU a torchvision for CUDA does not find its operators, and stops while it describes two of
    them. They are declared here, without anything behind them.
    """
    import torch as t

    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        for operator in ("nms", "qnms"):
            arguments = "(Tensor boxes, Tensor scores, float iou_threshold) -> Tensor"
            t.library.define(f"torchvision::{operator}", arguments)


def sktime(task: Task) -> Answer:
    """The nearest that sktime has: a simple RNN to predict numbers, and a GRU, not an LSTM, to classify."""
    from sktime.classification.deep_learning import GRUClassifier
    from sktime.regression.deep_learning import SimpleRNNRegressorTorch

    options = {"hidden_dim": task.units, "n_layers": 1, **_sktime_training(task)}
    if task.n_classes:
        model = GRUClassifier(batch_first=True, **options)
    else:
        model = SimpleRNNRegressorTorch(activation_hidden="Tanh", callbacks=None, **options)
    return _sktime_answer(model, task)


def sktime_with_network(task: Task) -> Answer:
    """The network of the others, put into the base class from which sktime's own deep learning inherits."""
    from sktime.classification.deep_learning.base import BaseDeepClassifierPytorch
    from sktime.regression.deep_learning.base import BaseDeepRegressorTorch

    class Classifier(BaseDeepClassifierPytorch):
        def _build_network(self, X: Any, y: Any) -> Any:
            return torch_network(task)

    class Regressor(BaseDeepRegressorTorch):
        def _build_network(self, X: Any) -> Any:
            return torch_network(task)

    return _sktime_answer((Classifier if task.n_classes else Regressor)(**_sktime_training(task)), task)


def _sktime_training(task: Task) -> dict[str, Any]:
    return {
        "num_epochs": task.epochs,
        "batch_size": task.batch_size,
        "optimizer": "Adam",
        "lr": task.learning_rate,
        "verbose": False,
        "random_state": 0,
    }


def _sktime_answer(model: Any, task: Task) -> Answer:
    """Fit, on samples that are shuffled once: in its epochs sktime takes them as they come."""
    order = np.random.default_rng(0).permutation(len(task.X))
    model.fit(np.transpose(task.X[order], (0, 2, 1)), task.y[order])  # (sample, feature, time)
    return lambda X: model.predict(np.ascontiguousarray(np.transpose(X, (0, 2, 1))))


def _on(backend: str, fit: Fit) -> Fit:
    """Keras, or what is built on it, on a backend."""

    def fit_there(task: Task) -> Answer | None:
        os.environ["KERAS_BACKEND"] = backend
        return fit(task)

    return fit_there


@dataclass(frozen=True)
class Peer:
    """What must be there, what its user imports, how it fits, on which tasks it can work."""

    needs: tuple[str, ...]
    imported: str
    fit: Fit
    tasks: tuple[str, ...] = ("w1", "w2", "w3")


_SERIES = ("w1", "w2")  # the tasks for forecasters
_SKFORECAST = "skforecast.deep_learning:ForecasterRnn"

PEERS = {
    "sklrnn": Peer(("sklrnn",), "sklrnn:RecurrentRegressor", sklrnn),
    "torch, tight loop": Peer(("torch",), "torch", torch),
    "skorch": Peer(("skorch",), "skorch", skorch),
    "Keras on JAX": Peer(("keras", "jax"), "keras", _on("jax", keras)),
    "Keras on torch": Peer(("keras", "torch"), "keras", _on("torch", keras)),
    "Keras on TensorFlow": Peer(("keras", "tensorflow"), "keras", _on("tensorflow", keras)),
    "darts": Peer(("darts", "pytorch_lightning"), "darts.models:BlockRNNModel", darts, _SERIES),
    "neuralforecast": Peer(("neuralforecast",), "neuralforecast", neuralforecast, _SERIES),
    "pytorch-forecasting": Peer(("pytorch_forecasting",), "pytorch_forecasting", pytorch_forecasting, _SERIES),
    "skforecast on JAX": Peer(("skforecast", "keras", "jax"), _SKFORECAST, _on("jax", skforecast), _SERIES),
    "skforecast on torch": Peer(("skforecast", "keras", "torch"), _SKFORECAST, _on("torch", skforecast), _SERIES),
    "sktime, simple RNN": Peer(
        ("sktime", "torch"), "sktime.regression.deep_learning:SimpleRNNRegressorTorch", sktime, _SERIES
    ),
    "sktime, GRU": Peer(("sktime", "torch"), "sktime.classification.deep_learning:GRUClassifier", sktime, ("w3",)),
    "sktime, network added": Peer(
        ("sktime", "torch"), "sktime.regression.deep_learning.base:BaseDeepRegressorTorch", sktime_with_network
    ),
    "tsai": Peer(("tsai",), "tsai.basics:TSRegressor", tsai),
}


def installed(task: str) -> list[str]:
    """The peers that are here and can do a task."""
    return [
        name
        for name, peer in PEERS.items()
        if task in peer.tasks and all(importlib.util.find_spec(module) for module in peer.needs)
    ]


def import_it(name: str) -> None:
    """Import what a user of a peer imports."""
    if " on " in name:
        os.environ["KERAS_BACKEND"] = name.rsplit(" ", 1)[-1].lower()
    if name == "tsai":
        _let_torchvision_be_imported()
    pkgutil.resolve_name(PEERS[name].imported)
    warnings.simplefilter("ignore")
    for noisy in ("pytorch_lightning", "lightning", "lightning.pytorch", "lightning_fabric", "darts"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
