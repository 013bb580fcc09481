"""A price that leaves the range of its training: the next day's bitcoin price against repeating today's.

    SKLRNN_DATA=<folder> python docs/benchmarks/drifting_levels.py [--seeds 3]

The folder holds bitcoin.csv.gz, daily prices from 2013 to 2022 with a column ``close``. Windows of 30 days, the first
four fifths for training, all settings but the scale at their defaults.
"""

import argparse
import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from sklrnn import CNNLSTMRegressor, GRURegressor, LSTMRegressor, SimpleRNNRegressor, make_windows

WINDOW = {"normalize_X": "window", "normalize_y": "window"}


def errors(kind, options, train, test, seeds):
    X, y = test
    predictions = (kind(random_state=seed, **options).fit(*train).predict(X) for seed in range(seeds))
    return np.array([np.abs(prediction - y).mean() for prediction in predictions])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    seeds = parser.parse_args().seeds
    price = pd.read_csv(Path(os.environ["SKLRNN_DATA"]) / "bitcoin.csv.gz")["close"].to_numpy()
    X, y = make_windows(price, window_length=30)
    n_train = int(0.8 * len(X))
    train, test = (X[:n_train], y[:n_train]), (X[n_train:], y[n_train:])
    naive = np.abs(X[n_train:, -1, 0] - y[n_train:]).mean()
    print(f"training targets end at {train[1].max():,.0f}, test targets average {test[1].mean():,.0f}")
    print(f"repeating the last price: {naive:,.0f}")
    warnings.simplefilter("ignore", UserWarning)  # without window scales: X lies far outside of what training saw
    for kind in (SimpleRNNRegressor, GRURegressor, LSTMRegressor, CNNLSTMRegressor):
        for name, options in (("window scales", WINDOW), ("defaults", {})):
            of_seeds = errors(kind, options, train, test, seeds)
            ratios = ", ".join(f"{ratio:.3f}" for ratio in of_seeds / naive)
            print(f"{kind.__name__:20} {name:14} MAE {of_seeds.mean():8,.0f}, of the naive one: {ratios}", flush=True)


if __name__ == "__main__":
    main()
