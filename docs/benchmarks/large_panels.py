"""Time and memory of reading, fitting, predicting and updating large panels: a process for each measurement.

Each number is printed with the size of the panel. Memory is the peak of the process above what it had after imports
and a small fit; the frame, or the loaded model, is part of it.
"""

import argparse
import importlib.util
import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from sklrnn.forecasting import GRUForecaster, compare, panel_from_long

HORIZON = 7
STEPS = ("fit", "predict", "update", "interval", "second_interval", "compare")
PEERS = ("sklrnn", "mlforecast", "neuralforecast")
# In the comparison with peers: rows that a forecast reads, and series in a batch of neuralforecast.
WINDOW_LENGTH = 21
SERIES_AT_ONCE = 1024
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class TimedForecaster(GRUForecaster):
    """Notes when reading ends and the training of networks begins."""

    def _fit_networks(self, recipes, windows):
        self.training_starts = time.perf_counter()
        super()._fit_networks(recipes, windows)
        self.training_ends = time.perf_counter()


def make_panel(n_series, n_rows, first="2024-01-01", seed=0):
    """Days of series with a weekly season and noise."""
    random = np.random.default_rng(seed)
    names = pd.Index([f"series {number:07d}" for number in range(n_series)])
    days = pd.date_range(first, periods=n_rows, freq="D")
    index = pd.MultiIndex.from_product([names, days], names=["unique_id", "ds"])
    season = np.tile(np.sin(np.arange(n_rows) * 2 * np.pi / 7), n_series)
    return pd.DataFrame({"y": 10 + season + 0.2 * random.normal(size=len(index))}, index=index)


def frame_megabytes(n_series, n_rows):
    """A float and the codes of a MultiIndex in each row, and the names of the series."""
    few = make_panel(min(n_series, 1000), n_rows)
    return few.memory_usage(index=True).sum() * n_series / min(n_series, 1000) / 2**20


def memory(name):
    """Megabytes of this process: VmRSS is now, VmHWM the peak."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


def forget_peak():
    Path("/proc/self/clear_refs").write_text("5")


def measure(step, asked, folder):
    settings = {"units": asked.units, "max_epochs": 1, "batch_size": asked.batch_size, "random_state": 0}
    TimedForecaster(**settings).fit(make_panel(20, asked.rows), fh=range(1, HORIZON + 1)).predict()
    before = memory("VmRSS")
    forget_peak()
    saved = folder / "model.pickle"
    if step == "fit":
        y = make_panel(asked.series[0], asked.rows)
        forget_peak()  # making the frame takes more than the frame
        model = TimedForecaster(**settings)
        start = time.perf_counter()
        model.fit(y, fh=range(1, HORIZON + 1))
        seconds = time.perf_counter() - start
        peak = memory("VmHWM") - before
        training = model.training_ends - model.training_starts
        print(
            f"reading {seconds - training:8.2f} s ({1 - training / seconds:5.1%} of the fit)   "
            f"fit {seconds:8.2f} s   peak {peak:7.0f} MB",
            flush=True,
        )
        saved.write_bytes(pickle.dumps(model, protocol=5))
        return
    if step == "compare":
        y = make_panel(asked.series[0], asked.rows)
        loaded = memory("VmRSS") - before
        forget_peak()
        start = time.perf_counter()
        compare({"network": GRUForecaster(**settings)}, y, horizon=HORIZON, n_splits=1, sp=7)
        print_call(step, start, before, loaded)
        return
    with saved.open("rb") as file:
        model = pickle.load(file)
    if step == "second_interval":  # the first one trains a network to know errors
        model.predict_interval(coverage=0.9)
    new = make_panel(asked.series[0], 3, pd.Timestamp("2024-01-01") + pd.Timedelta(days=asked.rows), seed=1)
    loaded = memory("VmRSS") - before
    forget_peak()
    start = time.perf_counter()
    if step == "predict":
        model.predict()
    elif step == "update":
        model.update(new, update_params=False)
    else:
        model.predict_interval(coverage=0.9)
    print_call(step, start, before, loaded)


def print_call(step, start, before, loaded):
    seconds = time.perf_counter() - start
    peak = memory("VmHWM") - before
    print(f"{step:15} {seconds:8.2f} s   peak {peak:7.0f} MB, of which {loaded:.0f} MB before the call", flush=True)


def measure_peer(name, asked):
    """Read the same long table, fit and predict a week: reading ends where a package begins to train its model."""
    table = make_panel(asked.series[0], asked.rows).reset_index()
    warm = make_panel(20, asked.rows).reset_index()
    read_and_predict(name, warm, asked)
    before = memory("VmRSS")
    forget_peak()
    start = time.perf_counter()
    training_starts, training_ends, predicting = read_and_predict(name, table, asked)
    result = {"reading": training_starts - start, "training": training_ends - training_starts, "predict": predicting}
    print(json.dumps(result | {"peak": memory("VmHWM") - before}))


def read_and_predict(name, table, asked):
    """When training starts and ends, and the seconds of predicting."""
    fit_and_predict = {"sklrnn": use_sklrnn, "mlforecast": use_mlforecast, "neuralforecast": use_neuralforecast}[name]
    training_starts, training_ends, predict = fit_and_predict(table, asked)
    start = time.perf_counter()
    predict()
    return training_starts, training_ends, time.perf_counter() - start


def use_sklrnn(table, asked):
    y, _ = panel_from_long(table)
    settings = {"units": asked.units, "window_length": WINDOW_LENGTH, "batch_size": asked.batch_size}
    model = TimedForecaster(**settings, max_epochs=1, n_networks=1, random_state=0)
    model.fit(y, fh=range(1, HORIZON + 1))
    return model.training_starts, model.training_ends, model.predict


def use_mlforecast(table, asked):
    """Lags and a linear regression."""
    from mlforecast import MLForecast
    from sklearn.linear_model import LinearRegression

    model = MLForecast(models=[LinearRegression()], freq="D", lags=range(1, WINDOW_LENGTH + 1))
    features = model.preprocess(table)
    training_starts = time.perf_counter()
    model.fit_models(features.drop(columns=["unique_id", "ds", "y"]), features["y"])
    return training_starts, time.perf_counter(), lambda: model.predict(HORIZON)


def use_neuralforecast(table, asked):
    """A GRU of as many units that reads as many rows, and as many windows in as many steps as an epoch has."""
    from neuralforecast import NeuralForecast
    from neuralforecast.models import GRU
    from pytorch_lightning import Callback

    times = {}  # the callback itself is copied

    class Clock(Callback):
        def on_train_start(self, trainer, module):
            times["start"] = time.perf_counter()

        def on_train_end(self, trainer, module):
            times["end"] = time.perf_counter()

    n_windows = table["unique_id"].nunique() * (asked.rows - WINDOW_LENGTH - HORIZON + 1)
    gru = GRU(
        h=HORIZON,
        input_size=WINDOW_LENGTH,
        encoder_n_layers=1,
        encoder_hidden_size=asked.units,
        decoder_layers=1,
        decoder_hidden_size=asked.units,
        max_steps=-(-n_windows // asked.batch_size),
        batch_size=SERIES_AT_ONCE,
        windows_batch_size=asked.batch_size,
        inference_windows_batch_size=asked.batch_size,
        accelerator="cpu",
        callbacks=[Clock()],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    model = NeuralForecast(models=[gru], freq="D")
    model.fit(df=table)
    return times["start"], times["end"], model.predict


def compare_peers(names, options):
    """Print times and memory, and how often those of the first package they are."""
    first = None
    for name in names:
        if importlib.util.find_spec(name) is None:
            print(f"{name:14} is not installed: pip install {name}")
            continue
        command = [sys.executable, __file__, "--measure", name, *options]
        output = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, env=os.environ | ONE_THREAD)
        result = json.loads(output.stdout.splitlines()[-1])
        first = first or result
        parts = [
            f"{key} {value:8.2f} {'MB' if key == 'peak' else 's'} ({value / first[key]:5.2f})"
            for key, value in result.items()
        ]
        print(f"{name:14} {'   '.join(parts)}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--rows", type=int, default=60)
    parser.add_argument("--units", type=int, default=4)
    parser.add_argument("--batch-size", type=int, default=1024)
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=list(STEPS), help="fit must have come first")
    parser.add_argument("--peers", nargs="*", choices=PEERS, help="compare time and memory with other packages")
    parser.add_argument("--measure", choices=STEPS + PEERS, help="measure one step in this process")
    parser.add_argument("--folder", type=Path, help="where the fitted model is")
    asked = parser.parse_args()
    if asked.measure in PEERS:
        measure_peer(asked.measure, asked)
        return
    if asked.measure:
        measure(asked.measure, asked, asked.folder)
        return
    common = ["--rows", asked.rows, "--units", asked.units, "--batch-size", asked.batch_size]
    for n_series in asked.series:
        frame = frame_megabytes(n_series, asked.rows)
        print(f"{n_series:,} series x {asked.rows} rows: the frame has {frame:.1f} MB", flush=True)
        if asked.peers is not None:
            compare_peers(asked.peers, list(map(str, ["--series", n_series, *common])))
            continue
        with tempfile.TemporaryDirectory() as folder:
            for step in asked.steps:
                options = ["--measure", step, "--folder", folder, "--series", n_series, *common]
                subprocess.run([sys.executable, __file__, *map(str, options)], check=True)


if __name__ == "__main__":
    main()
