"""Seconds per epoch of one fit: in one process with one and with two threads, and in two processes with one each.

``python docs/benchmarks/data_parallel.py`` starts them one after the other. The first epoch is left out.
"""

import os
import subprocess
import sys
import time
from contextlib import nullcontext

import numpy as np
import torch
import torch.distributed as dist
from skorch.callbacks import Callback

from sklrnn import GRURegressor, data_parallel

SIZES = {
    "32 units, batches of 32": {"units": 32, "batch_size": 32},
    "64 units, batches of 256": {"units": 64, "batch_size": 256},
    "128 units, batches of 256": {"units": 128, "batch_size": 256},
}
N_SAMPLES, N_STEPS, N_EPOCHS = 4096, 40, 4


class Stopwatch(Callback):
    """The time after each epoch."""

    def __init__(self):
        self.times = []

    def on_epoch_end(self, net, **_):
        self.times.append(time.perf_counter())


def measure(n_jobs):
    X = np.random.default_rng(0).normal(size=(N_SAMPLES, N_STEPS, 4)).astype(np.float32)
    y = X[:, -5:, 0].sum(axis=1)
    several = "RANK" in os.environ
    with data_parallel() if several else nullcontext():
        for name, size in SIZES.items():
            watch = Stopwatch()
            model = GRURegressor(**size, max_epochs=N_EPOCHS, random_state=0, n_jobs=n_jobs, callbacks=[watch])
            model.fit(X, y)
            if os.environ.get("RANK", "0") == "0":
                n_steps = -(-N_SAMPLES // size["batch_size"])
                seconds = np.diff(watch.times).min()
                step = 1e3 * seconds / n_steps
                print(f"  {name:26} {seconds:7.3f} s an epoch  {step:7.2f} ms a step  {model.net_.path_}")
    if several and dist.get_world_size() > 1:
        numbers = torch.zeros(5000)
        dist.barrier()
        started = time.perf_counter()
        for _ in range(200):
            dist.all_reduce(numbers)
        if dist.get_rank() == 0:
            print(f"  {5 * (time.perf_counter() - started):.2f} ms for an exchange of 5,000 numbers")


def main():
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]
    ways = {
        "one process, one thread": ([], 1),
        "one process, two threads": ([], 2),
        "one process of torchrun": ([*torchrun, "1"], 1),
        "two processes, one thread each": ([*torchrun, "2"], 1),
    }
    for name, (how, n_jobs) in ways.items():
        print(name, flush=True)
        subprocess.run([sys.executable, *how, __file__, str(n_jobs)], check=True)


if __name__ == "__main__":
    measure(int(sys.argv[1])) if len(sys.argv) > 1 else main()
