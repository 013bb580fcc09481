"""What the kernels change in whole fits and predictions, and what their first call costs.

The fit is that of a univariate series of 4,000 values in windows of 33, two epochs on one thread; with and without the
kernels run in turn, and the least time of the processor counts. First calls are made in processes of their own, with an
empty cache and with a full one.
"""

import os
import subprocess
import sys
import tempfile
import time

from numpy.lib.stride_tricks import sliding_window_view
from training_loop import small_series

from sklrnn import GRURegressor, LSTMRegressor, SimpleRNNRegressor

WINDOW, ROUNDS = 33, 5
FIRST_CALL = """
import time
from pathlib import Path
import sklearn, torch
from sklrnn.nn.cells import {cell}

def memory():  # of Linux
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

layer, x = {cell}(1, 32), torch.zeros(33, 32, 1)
layer.initialise(torch.Generator())
before, start = memory(), time.process_time()
layer(x)
print(f"{{time.process_time() - start:.2f}} s, {{memory() - before:.0f}} MB")
"""


def least(work, rounds=ROUNDS):
    def seconds():
        start = time.thread_time()
        work()
        return time.thread_time() - start

    return min(seconds() for _ in range(rounds))


def fits_and_predictions():
    series = small_series()
    X, y = sliding_window_view(series, WINDOW)[:-1, :, None].copy(), series[WINDOW:]
    for kind in (GRURegressor, LSTMRegressor, SimpleRNNRegressor):
        model = kind(max_epochs=2, random_state=0, n_jobs=1)
        found = {"fit": [], "predict 1,000": [], "predict 1": []}
        for _ in range(ROUNDS):
            for switch in ("1", "0"):
                os.environ["SKLRNN_KERNELS"] = switch
                found["fit"].append(least(lambda: model.fit(X, y), rounds=1))  # noqa: B023
                found["predict 1,000"].append(least(lambda: model.predict(X[:1000])))  # noqa: B023
                found["predict 1"].append(least(lambda: model.predict(X[:1])))  # noqa: B023
        for what, times in found.items():
            with_kernels, without = min(times[::2]), min(times[1::2])
            print(f"{kind.__name__}, {what}: {1e3 * with_kernels:.2f} and {1e3 * without:.2f} ms", flush=True)
    os.environ.pop("SKLRNN_KERNELS")


def first_calls():
    with tempfile.TemporaryDirectory() as cache:
        for state in ("empty", "full"):
            for cell in ("GRU", "LSTM", "SimpleRNN"):
                command = [sys.executable, "-c", FIRST_CALL.format(cell=cell)]
                environment = {**os.environ, "SKLRNN_KERNELS": "jit", "NUMBA_CACHE_DIR": cache}
                done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
                print(f"{cell}, first call, {state} cache: {done.stdout.strip()}", flush=True)


if __name__ == "__main__":
    fits_and_predictions()
    first_calls()
