"""Do networks forecast hourly demand and pollution as well as gradient boosting on lags, with the calendar and without?

    SKLRNN_DATA=<folder> python docs/benchmarks/hourly_demand.py [--sets ...] [--horizons 1 24] [--seeds 0 1 2] [--test]

The last fifth of each set is the test part. Without ``--test`` it is cut off, and the last fifth of the rest is
measured: by this, settings were chosen. All models see the last 48 hours of all columns. Boosting reads them as lags;
with a calendar it also reads the hour, the day of the week and the day of the year of the time that is predicted, and
the network those that ``SlidingWindow(calendar="auto")`` adds. Printed: RMSE, mean and standard deviation over the
seeds, and CPU seconds of a fit. The folder holds vic_electricity.csv.gz, beijing_pm25.csv.gz and valencia_air.csv.gz.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import root_mean_squared_error
from sklearn.pipeline import make_pipeline

from sklrnn import GRURegressor, SlidingWindow, supervise

LENGTH = 48


def read(name, times, columns):
    table = pd.read_csv(Path(os.environ["SKLRNN_DATA"], f"{name}.csv.gz"))
    table.index = pd.DatetimeIndex(pd.to_datetime(table[times]))
    return table[columns].astype(float)


def electricity():
    table = read("vic_electricity", "Time", ["Demand", "Temperature", "Holiday"]).resample("h").mean()
    return table.tz_convert("Australia/Melbourne"), "Demand"


def beijing():
    table = read("beijing_pm25", ["year", "month", "day", "hour"], ["pm2.5", "TEMP", "DEWP", "PRES", "Iws"])
    return table, "pm2.5"


def valencia():
    return read("valencia_air", "datetime", ["o3", "no2", "pm10"]), "o3"


SETS = {"electricity": electricity, "beijing": beijing, "valencia": valencia}


def boosted_lags(train, target, test, horizon, with_calendar, seed):
    def lags(X):
        columns = SlidingWindow(LENGTH, context="none", flatten=True).fit_transform(X)[LENGTH - 1 :]
        when = X.index[LENGTH - 1 :] + pd.Timedelta(hours=horizon)
        clock = [when.hour, when.dayofweek, when.dayofyear] if with_calendar else []
        return np.column_stack([columns, *clock])

    model = HistGradientBoostingRegressor(random_state=seed).fit(lags(train), target[LENGTH - 1 :])
    return model.predict(lags(test))


def network(train, target, test, horizon, with_calendar, seed):
    calendar = "auto" if with_calendar else None
    window = SlidingWindow(LENGTH, calendar=calendar, horizon=horizon)
    return make_pipeline(window, GRURegressor(random_state=seed)).fit(train, target).predict(test)[LENGTH - 1 :]


def measure(name, horizon, seeds, *, test):
    table, column = SETS[name]()
    X, y = supervise(table.interpolate().bfill(), column, [horizon], steps="rows")
    n_rows = len(X) if test else int(0.8 * len(X))
    X, y, cut = X[:n_rows], y.to_numpy()[:n_rows], int(0.8 * n_rows)
    later = slice(cut + horizon, None)  # the targets of the training rows before the first test row
    persistence = root_mean_squared_error(y[later][LENGTH - 1 :], X[column].to_numpy()[later][LENGTH - 1 :])
    print(f"{name}, {horizon} h ahead: last value {persistence:.2f}", flush=True)
    for model in (boosted_lags, network):
        for with_calendar in (False, True):
            start, errors = time.process_time(), []
            for seed in seeds:
                predicted = model(X[:cut], y[:cut], X[later], horizon, with_calendar, seed)
                errors.append(root_mean_squared_error(y[later][LENGTH - 1 :], predicted))
            seconds = (time.process_time() - start) / len(seeds)
            label = f"{model.__name__}{', calendar' * with_calendar}"
            print(f"  {label}: {np.mean(errors):.2f} ± {np.std(errors):.2f}, {seconds:.0f} CPU s", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS)
    parser.add_argument("--horizons", nargs="+", type=int, default=[1, 24])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--test", action="store_true")
    args = parser.parse_args()
    for name in args.sets:
        for horizon in args.horizons:
            measure(name, horizon, args.seeds, test=args.test)


if __name__ == "__main__":
    main()
