"""Peak memory of a fit on a million windows that are given as a view."""

import resource
import time

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from sklrnn import GRURegressor

LENGTH = 100


def peak_megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main():
    # A small fit first: what imports and the first optimizer of a process take is not what is measured.
    warm = np.zeros((64, LENGTH), dtype=np.float32)
    GRURegressor(units=4, max_epochs=1, batch_size=64).fit(warm, warm[:, 0]).predict(warm)
    before = peak_megabytes()
    series = np.random.default_rng(0).normal(size=1_000_000 + LENGTH).astype(np.float32)
    X = sliding_window_view(series, LENGTH)[:-1, :, np.newaxis]
    y = series[LENGTH:]
    start = time.perf_counter()
    model = GRURegressor(units=4, max_epochs=1, batch_size=4096, random_state=0, early_stopping=False).fit(X, y)
    fitted = peak_megabytes()
    model.predict(X)
    predicted = peak_megabytes()
    whole = X.size * 4 / 2**20
    print(f"{len(X):,} windows of {LENGTH}: {whole:,.0f} MB if they were copied; {time.perf_counter() - start:.0f} s")
    print(f"peak above the imports: fit {fitted - before:,.0f} MB, with predict {predicted - before:,.0f} MB")


if __name__ == "__main__":
    main()
