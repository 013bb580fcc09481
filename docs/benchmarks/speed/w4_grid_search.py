"""A grid search: 12 candidates, three folds, one worker and two; each in a fresh process, three times."""

import argparse
import importlib
import json
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from _tasks import small_series, windows
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

UNITS, DROPOUT, RATES = [16, 32, 64], [0.0, 0.2], [1e-3, 1e-2]


class BareTorch(RegressorMixin, BaseEstimator):
    """The least that scikit-learn can search over."""

    def __init__(
        self,
        units: int = 32,
        dropout: float = 0.0,
        learning_rate: float = 1e-3,
        batch_size: int = 32,
        epochs: int = 3,
    ) -> None:
        self.units = units
        self.dropout = dropout
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.epochs = epochs

    def fit(self, X: Any, y: Any) -> "BareTorch":
        import torch
        from torch import nn

        torch.set_num_threads(1)
        torch.manual_seed(0)
        self.layer_, self.head_ = nn.GRU(1, self.units, batch_first=True), nn.Linear(self.units, 1)
        weights = [*self.layer_.parameters(), *self.head_.parameters()]
        optimizer = torch.optim.Adam(weights, lr=self.learning_rate, fused=True)
        X, y = torch.from_numpy(np.ascontiguousarray(X)), torch.from_numpy(np.ascontiguousarray(y))
        for _ in range(self.epochs):
            for chosen in torch.randperm(len(X)).split(self.batch_size):
                last = self.layer_(X[chosen])[0][:, -1]
                raw = self.head_(nn.functional.dropout(last, self.dropout))[:, 0]
                optimizer.zero_grad()
                nn.functional.mse_loss(raw, y[chosen]).backward()
                optimizer.step()
        return self

    def predict(self, X: Any) -> Any:
        import torch

        with torch.inference_mode():
            return self.head_(self.layer_(torch.from_numpy(np.ascontiguousarray(X)))[0][:, -1])[:, 0].numpy()


def candidate(name: str, **training: int) -> tuple[Any, dict[str, list[Any]]]:
    """What is searched, and how it names what is searched over."""
    if name == "sklrnn":
        from sklrnn import GRURegressor

        model = GRURegressor(
            max_epochs=training["epochs"],
            batch_size=training["batch_size"],
            optimizer="adam",
            max_grad_norm=None,
            early_stopping=False,
            random_state=0,
        )
        return model, {"units": UNITS, "dropout": DROPOUT, "learning_rate": RATES}
    importlib.import_module("torch")  # before the clock starts, as sklrnn is
    return BareTorch(**training), {"units": UNITS, "dropout": DROPOUT, "learning_rate": RATES}


def search(name: str, n_jobs: int, backend: str, **training: int) -> dict[str, float]:
    """Seconds of a search, with the start of its workers and all that they import, of the same again, and of an epoch.

    The epoch is one more in each of the 36 fits and in the refit: what a search with twice the epochs takes longer.
    """
    from joblib import parallel_config

    warnings.simplefilter("ignore")
    X, y = windows(small_series(1500).series, 33)
    seconds, errors = [], []
    for longer in (1, 1, 2):
        model, grid = candidate(name, **{**training, "epochs": longer * training["epochs"]})
        asked = GridSearchCV(model, grid, cv=TimeSeriesSplit(3), n_jobs=n_jobs, scoring="neg_mean_squared_error")
        start = time.perf_counter()
        with parallel_config(backend=backend):
            asked.fit(X, y)
        seconds.append(time.perf_counter() - start)
        errors.append(-float(asked.best_score_))
    epoch = (seconds[2] - seconds[1]) / training["epochs"]
    return {"first": seconds[0], "again": seconds[1], "an additional epoch": epoch, "error": errors[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=3, help="more of them show what workers gain in longer fits")
    parser.add_argument("--batch-size", type=int, default=32, help="larger ones show what threads gain in larger steps")
    parser.add_argument("--names", nargs="*", default=["sklrnn", "bare torch"])
    parser.add_argument("--one", nargs=3, metavar=("NAME", "N_JOBS", "BACKEND"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        name, n_jobs, backend = asked.one
        done = search(name, int(n_jobs), backend, epochs=asked.epochs, batch_size=asked.batch_size)
        print(json.dumps(done))
        return
    size = ["--epochs", str(asked.epochs), "--batch-size", str(asked.batch_size)]
    ways = [("1", "loky"), ("2", "loky"), ("2", "threading")]
    runs = [(name, *way) for name in asked.names for way in ways]
    found: dict[tuple[str, ...], list[dict[str, float]]] = {run: [] for run in runs}
    for _ in range(asked.rounds):
        for run in runs:
            command = [sys.executable, str(Path(__file__)), *size, "--one", *run]
            output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            found[run].append(json.loads(output))
    print("| | error of the best | | one process, s | two processes, s | gain | two threads, s | gain |")
    print("|---|--:|---|--:|--:|--:|--:|--:|")
    for name in asked.names:
        error = found[name, *ways[0]][0]["error"]
        for what in ("first", "again", "an additional epoch"):
            one, two, threads = ([each[what] for each in found[name, *way]] for way in ways)
            gains = [statistics.median(a / b for a, b in zip(one, other, strict=True)) for other in (two, threads)]
            seconds = [statistics.median(each) for each in (one, two, threads)]
            print(
                f"| {name} | {error:.3f} | {what} | {seconds[0]:.2f} | {seconds[1]:.2f} | {gains[0]:.2f} "
                f"| {seconds[2]:.2f} | {gains[1]:.2f} |"
            )


if __name__ == "__main__":
    main()
