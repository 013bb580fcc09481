"""Peak memory of a fit on a million windows that are given as a view."""

import argparse
import resource
import time

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from sklrnn import GRURegressor


def peak_megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--length", type=int, default=100)
    parser.add_argument("--features", type=int, default=1)
    parser.add_argument("--units", type=int, default=4)
    parser.add_argument("--batch-size", type=int, default=4096)
    asked = parser.parse_args()
    options = {"units": asked.units, "batch_size": asked.batch_size, "max_epochs": 1, "early_stopping": False}
    # A small fit first: what imports, kernels and the first optimizer of a process take is not what is measured.
    warm = np.zeros((64, asked.length, asked.features), dtype=np.float32)
    GRURegressor(**options).fit(warm, warm[:, 0, 0]).predict(warm)
    before = peak_megabytes()
    rng = np.random.default_rng(0)
    series = rng.normal(size=(1_000_000 + asked.length, asked.features)).astype(np.float32)
    X = sliding_window_view(series, asked.length, axis=0)[:-1].transpose(0, 2, 1)
    y = series[asked.length :, 0]
    start = time.perf_counter()
    model = GRURegressor(**options, random_state=0).fit(X, y)
    fitted = peak_megabytes()
    model.predict(X)
    predicted = peak_megabytes()
    whole = X.size * 4 / 2**20
    print(
        f"{len(X):,} windows of {asked.length} x {asked.features}: {whole:,.0f} MB if they were copied, the series "
        f"itself {series.nbytes / 2**20:,.0f} MB; {time.perf_counter() - start:.0f} s"
    )
    print(f"peak above the imports: fit {fitted - before:,.0f} MB, with predict {predicted - before:,.0f} MB")


if __name__ == "__main__":
    main()
