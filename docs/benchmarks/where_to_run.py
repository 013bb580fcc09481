"""From which size on a second thread, processes, Dask or Ray pay: by rows, series and candidates.

Each figure comes from a process of its own and is the least of `--rounds`; the head of its table says what it includes.
Dask and Ray are left out where they are not installed.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROWS = [1_000, 10_000, 100_000, 1_000_000]
SERIES = [100, 1_000, 10_000, 100_000, 1_000_000]
CANDIDATES = [4, 16, 64]
WINDOW, FEATURES = 24, 8
ENGINES = ["one after the other", "threads", "processes", "Dask", "Ray"]


def data(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Windows of a series of noise, as a view, and the next value of its first feature."""
    series = np.random.default_rng(0).normal(size=(rows + WINDOW, FEATURES)).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(series, WINDOW, axis=0)[:-1].transpose(0, 2, 1)
    return windows, series[WINDOW:, 0]


def fit_by_rows(rows: int, units: int, threads: int) -> dict[str, float]:
    """Seconds of an epoch, and of reading them again in `predict`."""
    import torch

    from sklrnn import GRURegressor

    torch.set_num_threads(threads)
    X, y = data(rows)
    settings = {"units": units, "batch_size": 256, "early_stopping": False, "random_state": 0}
    model = GRURegressor(max_epochs=1, **settings).fit(X[:1000], y[:1000])  # imports, kernels
    start = time.perf_counter()
    model.fit(X, y)
    fitted = time.perf_counter()
    model.predict(X)
    return {"fit": fitted - start, "predict": time.perf_counter() - fitted}


def forecast_by_series(series: int, length: int = 60, horizon: int = 4) -> dict[str, float]:
    """Seconds of one epoch on a panel, everything included, and of its forecasts."""
    import pandas as pd

    from sklrnn.forecasting import GRUForecaster

    def panel(n: int) -> pd.DataFrame:
        index = pd.MultiIndex.from_product(
            [np.arange(n), pd.period_range("2015-01", periods=length, freq="M")], names=["series", "month"]
        )
        values = np.random.default_rng(0).normal(10.0, 1.0, n * length).astype(np.float32)
        return pd.DataFrame({"y": values}, index=index)

    warnings.simplefilter("ignore")
    settings = {"units": 8, "window_length": 12, "batch_size": 1024, "early_stopping": False, "random_state": 0}
    model = GRUForecaster(max_epochs=1, **settings)
    steps = list(range(1, horizon + 1))
    model.clone().fit(panel(50), fh=steps).predict()
    y = panel(series)
    start = time.perf_counter()
    model.fit(y, fh=steps)
    fitted = time.perf_counter()
    model.predict()
    return {"fit": fitted - start, "predict": time.perf_counter() - fitted}


def search_by_candidates(candidates: int, engine: str, epochs: int, rows: int = 2000) -> dict[str, float]:
    """Seconds of starting the workers, of a first search on them, and of the same search again."""
    from joblib import parallel_config
    from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

    from sklrnn import GRURegressor

    X, y = data(rows)
    X = np.ascontiguousarray(X)
    model = GRURegressor(units=32, batch_size=32, max_epochs=epochs, early_stopping=False, random_state=0)
    rates = list(np.geomspace(1e-4, 1e-2, candidates))

    def search(n_jobs: int) -> None:
        GridSearchCV(model, {"learning_rate": rates}, cv=TimeSeriesSplit(3), n_jobs=n_jobs, refit=False).fit(X, y)

    model.fit(X[:300], y[:300])
    start = time.perf_counter()
    backend, stop = WORKERS[engine]()
    started = time.perf_counter()
    with parallel_config(backend=backend):
        search(2 if backend != "sequential" else 1)
        first = time.perf_counter()
        search(2 if backend != "sequential" else 1)
        again = time.perf_counter()
    stop()
    return {"start": started - start, "first": first - started, "again": again - first}


def nothing() -> None: ...


def start_dask() -> tuple[str, Callable[[], None]]:
    from dask.distributed import Client, LocalCluster

    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    client = Client(cluster)

    def stop() -> None:
        client.close()
        cluster.close()

    return "dask", stop


def start_ray() -> tuple[str, Callable[[], None]]:
    import ray
    from ray.util.joblib import register_ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    register_ray()
    return "ray", ray.shutdown


WORKERS: dict[str, Callable[[], tuple[str, Callable[[], None]]]] = {
    "one after the other": lambda: ("sequential", nothing),
    "threads": lambda: ("threading", nothing),
    "processes": lambda: ("loky", nothing),
    "Dask": start_dask,
    "Ray": start_ray,
}


def available(engine: str) -> bool:
    return engine not in ("Dask", "Ray") or importlib.util.find_spec(engine.lower()) is not None


def measured(rounds: int, what: str, *arguments: Any) -> dict[str, float]:
    """The least of several processes of their own."""
    command = [sys.executable, str(Path(__file__)), "--one", json.dumps([what, *arguments])]
    threads = {"OMP_NUM_THREADS": "2" if what == "rows" and arguments[-1] == 2 else "1"}
    found = []
    for _ in range(rounds):
        output = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ | threads
        ).stdout
        found.append(json.loads(output.splitlines()[-1]))
    return {name: min(each[name] for each in found) for name in found[0]}


def row(*cells: Any) -> None:
    print(
        "| " + " | ".join(f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in cells) + " |", flush=True
    )


def head(*cells: str) -> None:
    row(*cells)
    row("--", *["--:"] * (len(cells) - 1))


def by_rows(rounds: int, largest: int) -> None:
    print(f"\nSeconds of one epoch; windows of {WINDOW} x {FEATURES}, batches of 256\n")
    head("windows", "units", "one thread", "two threads", "ratio", "predict", "seconds for a million windows")
    slopes = {}
    for units in (32, 128):
        for rows in [each for each in ROWS if each <= largest]:
            one, two = measured(rounds, "rows", rows, units, 1), measured(rounds, "rows", rows, units, 2)
            slopes[units] = one["fit"] / rows
            row(
                f"{rows:,}", units, one["fit"], two["fit"], one["fit"] / two["fit"], one["predict"], slopes[units] * 1e6
            )
    for units, slope in slopes.items():
        hours = slope * 1e9 / 3600
        print(
            f"\nA billion windows, {units} units: {hours:.1f} hours an epoch in one thread, computed from the last row."
        )


def by_series(rounds: int, largest: int) -> None:
    print("\nSeconds of a panel, 60 months in each series; one epoch, 8 units, one thread\n")
    head("series", "fit", "predict", "fit, milliseconds a series")
    for series in [each for each in SERIES if each <= largest]:
        found = measured(rounds, "series", series)
        row(f"{series:,}", found["fit"], found["predict"], 1000 * found["fit"] / series)


def by_candidates(rounds: int, epochs: list[int]) -> None:
    print("\nSeconds of a search: 2,000 windows, three folds, 32 units, two workers of one thread each\n")
    head("engine", "epochs", "candidates", "start of the workers", "first search", "the same again")
    for n_epochs in epochs:
        for candidates in CANDIDATES:
            for engine in filter(available, ENGINES):
                found = measured(rounds, "candidates", candidates, engine, n_epochs)
                row(engine, n_epochs, candidates, found["start"], found["first"], found["again"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--rows", type=int, default=ROWS[-1], help="the most windows; 0 leaves this part out")
    parser.add_argument("--series", type=int, default=SERIES[-2], help="the most series; 0 leaves this part out")
    parser.add_argument("--epochs", type=int, nargs="*", default=[2, 20], help="of a candidate")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        what, *arguments = json.loads(asked.one)
        measure = {"rows": fit_by_rows, "series": forecast_by_series, "candidates": search_by_candidates}[what]
        print(json.dumps(measure(*arguments)))
        return
    if asked.rows:
        by_rows(asked.rounds, asked.rows)
    if asked.series:
        by_series(asked.rounds, asked.series)
    if asked.epochs:
        by_candidates(asked.rounds, asked.epochs)


if __name__ == "__main__":
    main()
