"""How much memory do windows add to a long table?

Cuts windows of 100 rows from 1,000,000 rows of 10 float32 features, with and without history from training, and prints
the peak of what was added, as a multiple of the table itself. Written out, the windows would be 100 times the table.

Run it with ``python docs/benchmarks/window_memory.py``.
"""

import platform
import time
import tracemalloc

import numpy as np
import pandas as pd

from sklrnn.preprocessing.sliding_window import SlidingWindow

N_ROWS, N_FEATURES, WINDOW_LENGTH = 1_000_000, 10, 100


def added(action, size):
    """Give the result, the peak of newly allocated memory in multiples of ``size``, and the seconds."""
    tracemalloc.start()
    start = time.perf_counter()
    result = action()
    seconds = time.perf_counter() - start
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return result, peak / size, seconds


def main():
    rows = np.random.default_rng(0).normal(size=(2 * N_ROWS, N_FEATURES)).astype(np.float32)
    hours = pd.date_range("1800-01-01", periods=2 * N_ROWS, freq="h")
    first, second = rows[:N_ROWS], rows[N_ROWS:]
    tables = {
        "array": (first, second),
        "frame, numbered": (pd.DataFrame(first), pd.DataFrame(second, index=pd.RangeIndex(N_ROWS, 2 * N_ROWS))),
        "frame, hourly": (pd.DataFrame(first, index=hours[:N_ROWS]), pd.DataFrame(second, index=hours[N_ROWS:])),
        "frame, no freq": (
            pd.DataFrame(first, index=pd.DatetimeIndex(hours[:N_ROWS], freq=None)),
            pd.DataFrame(second, index=pd.DatetimeIndex(hours[N_ROWS:], freq=None)),
        ),
    }
    print(f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}, pandas {pd.__version__}")
    print(f"{N_ROWS:,} rows x {N_FEATURES} float32 = {first.nbytes / 1e6:.0f} MB, windows of {WINDOW_LENGTH}")
    print(f"{'table':<18}{'step':<22}{'added':>8}{'seconds':>9}")
    for name, (train, test) in tables.items():
        for flatten in (False, True):
            window = SlidingWindow(window_length=WINDOW_LENGTH, flatten=flatten)
            steps = {
                "fit_transform": lambda w=window, t=train: w.fit_transform(t),
                "transform": lambda w=window, t=test: w.transform(t),
            }
            for step, action in steps.items():
                result, multiple, seconds = added(action, first.nbytes)
                assert result.dtype == np.float32
                assert result.base is not None
                label = f"{step}{', flat' if flatten else ''}"
                print(f"{name:<18}{label:<22}{multiple:>7.2f}x{seconds:>9.2f}")


if __name__ == "__main__":
    main()
