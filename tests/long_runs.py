"""Fit, forecast and stream many times in one process: memory must not grow, and no thread or handle may be left.

::

    python tests/long_runs.py --fits 1000 --forecasters 200 --steps 100000

Memory is what the process holds after a collection of garbage, compared with what it held after the warm-up: a tenth of
the run, and at least once each kind of work. Needs ``/proc``, so Linux.
"""

import argparse
import gc
import os
import pickle
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sklrnn import (
    CNNLSTMClassifier,
    GRUClassifier,
    GRURegressor,
    LSTMRegressor,
    RecurrentRegressor,
    SimpleRNNRegressor,
    SlidingWindow,
)
from sklrnn.forecasting import GRUForecaster, LSTMForecaster

MOST_MEGABYTES = 20
N_KINDS = 10
SERIES = np.sin(np.arange(160) / 5.0)
X = np.random.default_rng(0).normal(size=(96, 12, 2))
Y = X[:, -1, 0]


class Held(NamedTuple):
    """What the process holds."""

    megabytes: float
    python_threads: int
    threads: int
    handles: int


def held() -> Held:
    gc.collect()
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return Held(
        megabytes=int(status["VmRSS"].split()[0]) / 1024,
        python_threads=threading.active_count(),
        threads=len(os.listdir("/proc/self/task")),
        handles=len(os.listdir("/proc/self/fd")),
    )


def fit(number: int) -> None:
    """A fit, each way of training in turn, with what a user does next."""
    with tempfile.TemporaryDirectory() as folder:
        common: dict[str, Any] = {"units": 8, "max_epochs": 2, "random_state": number}
        regressors = [
            GRURegressor(**common),
            LSTMRegressor(**common, early_stopping=True, max_grad_norm=1.0),
            SimpleRNNRegressor(**common, loss="quantile", quantiles=[0.1, 0.5, 0.9]),
            GRURegressor(**{**common, "units": (64, 64)}, n_jobs=2),
            GRURegressor(**common, checkpoint=folder, optimizer="adam"),
            RecurrentRegressor(cell="slstm", **common),
            GRURegressor(**common, bidirectional=True, dropout=0.1, schedule="one_cycle"),
        ]
        which = number % N_KINDS
        if which < len(regressors):
            model = regressors[which].fit(X, Y)
            pickle.loads(pickle.dumps(model)).partial_fit(X, Y).predict(X)
            model.predict(X.astype(np.float32))
        elif which == 7:
            CNNLSTMClassifier(filters=4, **common).fit(X, Y > 0).predict_proba(X)
        elif which == 8:
            GRUClassifier(**common).fit(list(X), Y > 0).predict([X[0, :5], X[1]])
        else:
            windows = SlidingWindow(window_length=8).fit_transform(SERIES[:, np.newaxis])
            GRURegressor(**common).fit(windows, SERIES[-len(windows) :]).predict(windows)


def forecast(number: int) -> None:
    kind = (GRUForecaster, LSTMForecaster)[number % 2]
    forecaster = kind(units=8, max_epochs=2, random_state=number).fit(SERIES[:120], fh=[1, 2, 3])
    forecaster.predict()
    forecaster.predict_interval(coverage=0.9)
    forecaster.update(SERIES[120:130], update_params=False)
    pickle.loads(pickle.dumps(forecaster)).predict()


@cache
def endless_streams() -> list[Any]:
    """Streams that go on through the whole run: kernels, convolutions, torch."""
    models = [
        LSTMRegressor(units=8, max_epochs=1, random_state=0, pooling="mean"),
        GRURegressor(units=8, max_epochs=1, random_state=0, filters=4),
        RecurrentRegressor(cell="slstm", units=8, max_epochs=1, random_state=0),
    ]
    return [model.fit(X, Y).start_stream() for model in models]


def step(number: int) -> None:
    streams = endless_streams()
    streams[number % len(streams)].step(X[number % len(X), 0])


WORK: dict[str, Callable[[int], None]] = {"fits": fit, "forecasters": forecast, "steps": step}


def measurements(work: Callable[[int], None], n: int) -> Iterator[tuple[int, Held]]:
    """What is held after the warm-up and then nine times more: how much was done, and what was held."""
    warm_up = max(n // 10, N_KINDS)
    for number in range(warm_up):
        work(number)
    yield warm_up, held()
    cuts = np.linspace(warm_up, n, 10).astype(int)
    for first, end in pairwise(cuts):
        for number in range(first, end):
            work(number)
        yield int(end), held()


def complaints(name: str, work: Callable[[int], None], n: int) -> list[str]:
    """What grew more than it may, in words."""
    found = []
    held_after = measurements(work, n)
    _, before = next(held_after)
    for done, now in held_after:
        print(f"{name} {done}: {now.megabytes - before.megabytes:+.1f} MB, {now}", flush=True)
    grown = now.megabytes - before.megabytes
    if grown >= MOST_MEGABYTES:
        found.append(f"{n} {name}: memory grew by {grown:.1f} MB, at most {MOST_MEGABYTES} MB is allowed")
    for what in ("python_threads", "threads", "handles"):
        left = getattr(now, what) - getattr(before, what)
        if left > 0:
            found.append(f"{n} {name}: {left} {what} are left")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, n in (("fits", 1_000), ("forecasters", 200), ("steps", 100_000)):
        parser.add_argument(f"--{name}", type=int, default=n)
    asked = vars(parser.parse_args())
    found = [
        complaint for name, work in WORK.items() if asked[name] for complaint in complaints(name, work, asked[name])
    ]
    sys.exit("\n".join(found) or 0)


if __name__ == "__main__":
    main()
