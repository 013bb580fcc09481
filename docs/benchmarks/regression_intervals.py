"""Do the prediction intervals of a regressor hold what they promise, at each step of the horizon?

    SKLRNN_DATA=<folder> python docs/benchmarks/regression_intervals.py [--sets jfk bikes ...] [--test] [--folds 3 5]

Windows of real tables, and the target at several steps ahead as outputs. Each of the last four tenths of a set is
predicted by a model that is trained on all before it. Without ``--test`` this is done within the first six tenths, by
which settings were chosen. Printed for each set and each way to calibrate: the share of targets in the 80, 90 and 95 %
intervals, mean over the steps, the least and the largest share at one step; the width of the 90 % interval in standard
deviations of the target; R2; and CPU seconds of a fit. The folder holds seattle_weather.csv.gz,
bike_sharing_daily.csv.gz, valencia_air.csv.gz, vic_electricity.csv.gz and beijing_pm25.csv.gz; the weather of JFK
comes with the package.
"""

import argparse
import os
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import r2_score

from sklrnn import GRURegressor, SlidingWindow, supervise
from sklrnn.datasets import load_jfk_weather

LEVELS = (0.8, 0.9, 0.95)
WINDOW = {"normalize_X": "window", "normalize_y": "window"}


def read(name, times, columns):
    table = pd.read_csv(Path(os.environ["SKLRNN_DATA"], f"{name}.csv.gz"))
    table.index = pd.to_datetime(table[times]).dt.tz_localize(None)
    return table[columns].astype(float)


def clock(table, period):
    """The time of day or of the year as a point on a circle."""
    angle = 2 * np.pi * (table.index.hour / 24 if period == "day" else table.index.dayofyear / 365.25)
    return table.assign(sin=np.sin(angle), cos=np.cos(angle))


def jfk():
    return clock(load_jfk_weather(), "day"), "temp", 24, range(1, 7), 1


def seattle():
    columns = ["temp_max", "temp_min", "precipitation", "wind"]
    return clock(read("seattle_weather", "date", columns), "year"), "temp_max", 14, range(1, 8), 1


def bikes():
    columns = ["cnt", "temp", "hum", "windspeed", "workingday", "weathersit"]
    return clock(read("bike_sharing_daily", "dteday", columns), "year"), "cnt", 14, range(1, 8), 1


def valencia():
    table = read("valencia_air", "datetime", ["o3", "no2", "pm10"])
    return clock(table.interpolate().bfill(), "day"), "o3", 48, range(1, 25), 3


def electricity():
    table = read("vic_electricity", "Time", ["Demand", "Temperature", "Holiday"]).resample("h").mean()
    return clock(table.interpolate(), "day"), "Demand", 48, range(1, 25), 3


def beijing():
    table = read("beijing_pm25", ["year", "month", "day", "hour"], ["pm2.5", "TEMP", "DEWP", "PRES", "Iws"])
    return (
        clock(np.log1p(table[["pm2.5"]].interpolate().bfill()).join(table.iloc[:, 1:]), "day"),
        "pm2.5",
        48,
        range(1, 25),
        3,
    )


SETS = {
    "jfk": jfk,
    "seattle": seattle,
    "bikes": bikes,
    "valencia": valencia,
    "electricity": electricity,
    "beijing": beijing,
}


def samples(name):
    """Windows and the values of the target at the steps ahead; only each ``stride``-th window."""
    table, target, length, steps, stride = SETS[name]()
    X, y = supervise(table, target, list(steps), steps="rows")
    windows = SlidingWindow(length, context="none").fit_transform(X)[length - 1 :]
    y = np.asarray(y)[length - 1 :]
    return windows[::stride], y[::stride], -(-len(steps) // stride), list(X.columns).index(target)


def measure(model, X, y):
    """Which targets are inside, and the width in units of the target: (level, sample, step)."""
    bounds = [np.moveaxis(model.predict_interval(X, level), -1, 0) for level in LEVELS]
    inside = np.array([(low <= y) & (y <= high) for low, high in bounds])
    return inside, np.array([high - low for low, high in bounds]), model.predict(X)


def backtest(X, y, overlap, options):
    """Train on all before each of the last tenths but the first six, and measure on it."""
    edges = np.linspace(0.6, 1.0, 5) * len(X)
    parts, seconds = [], []
    for first, end in pairwise(edges.astype(int)):
        start = time.process_time()
        model = GRURegressor(**options).fit(X[: first - overlap], y[: first - overlap])
        seconds.append(time.process_time() - start)
        parts.append(measure(model, X[first:end], y[first:end]))
    inside, widths, points = (np.concatenate(each, axis=-2) for each in zip(*parts, strict=True))
    y = y[len(y) - len(points) :]
    by_step = 100 * inside.mean(axis=1)
    shares = "  ".join(f"{each.mean():5.1f} ({each.min():.1f} to {each.max():.1f})" for each in by_step)
    width = (widths[1].mean(axis=0) / y.std(axis=0)).mean()
    return f"{shares}  width {width:.2f}  R2 {r2_score(y, points):.3f}  {np.mean(seconds):.0f} CPU s"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS)
    parser.add_argument("--folds", nargs="*", type=int, default=[3, 5])
    parser.add_argument("--scales", nargs="+", default=["window"], choices=["window", "training"])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--test", action="store_true")
    args = parser.parse_args()
    for name in args.sets:
        X, y, overlap, column = samples(name)
        if not args.test:
            X, y = X[: int(0.6 * len(X))], y[: int(0.6 * len(X))]
        stopped = {"early_stopping": True}
        ways = [{"calibration_cv": n_folds, **extra} for extra in ({}, stopped) for n_folds in args.folds]
        for scale in args.scales:
            scales = {**WINDOW, "target_feature": column} if scale == "window" else {}
            for way in [*ways, stopped]:
                options = {"max_epochs": args.epochs, "batch_size": 64, "early_stopping": False, **scales, **way}
                label = ", ".join(f"{key}={value}" for key, value in way.items())
                result = backtest(X, y, overlap, {**options, "random_state": args.seed})
                print(f"{name} ({len(X)}, {scale}) {label}: {result}", flush=True)


if __name__ == "__main__":
    main()
