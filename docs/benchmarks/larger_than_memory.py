"""Fits on data of which a process may hold an eighth: a numpy.memmap, and blocks of it.

Writes samples of 8 GB to a file, and fits one epoch on them in processes of which none may allocate more than 1 GB,
everything that they import included. Then fits eight epochs on 40,000 of them, in memory and in blocks with a buffer of
a tenth, with three seeds, and compares the errors on 10,000 newer ones.

The limit is RLIMIT_DATA, which counts all that a process allocates and can write to. RLIMIT_AS would count the address
space too, of which torch's libraries and the mapped file take more than 8 GB without using memory. Pages of the mapped
file are no allocation: the system drops them when it needs the memory. So the memory shown is RssAnon, that of
allocations, and not VmHWM.

    python docs/benchmarks/larger_than_memory.py --folder larger

With ``--parquet`` it also fits windows on a folder of Parquet files (needs pyarrow). All files are deleted at the end.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np

LIMIT = 2**30
LENGTH, FEATURES = 200, 10
PER_BLOCK = 4000
N_SMALL, N_TEST = 40_000, 10_000  # for the comparison with a fit in memory
BYTES_PER_SAMPLE = 4 * LENGTH * FEATURES
OPTIONS = {"units": 4, "batch_size": 512, "max_epochs": 1, "random_state": 0, "early_stopping": True}


def open_samples(folder, mode="r", n=None):
    path = folder / "X.dat"
    n = path.stat().st_size // BYTES_PER_SAMPLE if n is None else n
    X = np.memmap(path, dtype=np.float32, mode=mode, shape=(n, LENGTH, FEATURES))
    return X, np.memmap(folder / "y.dat", dtype=np.float32, mode=mode, shape=n)


def generate(folder, n_bytes):
    rng = np.random.default_rng(0)
    n = -(-n_bytes // BYTES_PER_SAMPLE)
    X, y = open_samples(folder, "w+", n)
    for start in range(0, n, PER_BLOCK):
        rows = slice(start, start + PER_BLOCK)
        size = len(y[rows])
        part = rng.standard_normal((size, LENGTH, FEATURES), dtype=np.float32)
        X[rows] = part
        y[rows] = part[:, -5:, 0].sum(axis=1) + part[:, -1, 1] + rng.normal(size=size)
    X.flush()
    y.flush()


def generate_parquet(folder, n_rows, per_file=100_000):
    import pandas as pd

    folder.mkdir()
    rng = np.random.default_rng(0)
    for number, start in enumerate(range(0, n_rows, per_file)):
        load = np.sin(np.arange(start, start + per_file) / 20) + 0.1 * rng.normal(size=per_file)
        frame = pd.DataFrame(rng.normal(size=(per_file, 9)), columns=[f"x{i}" for i in range(9)])
        frame.assign(load=load).to_parquet(folder / f"part-{number:04d}.parquet")


def memory(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))


class Sampler(threading.Thread):
    """Looks at the memory of allocations ten times a second."""

    def __init__(self):
        super().__init__(daemon=True)
        self.seen = []

    def run(self):
        while True:
            self.seen.append(memory("RssAnon"))
            time.sleep(0.1)


def blocks_of(X, y):
    def blocks():
        for start in range(0, len(X), PER_BLOCK):
            yield X[start : start + PER_BLOCK], y[start : start + PER_BLOCK]

    return blocks


def fit(folder, how, n, buffer_size, seed):
    from sklrnn import GRURegressor, SlidingWindow

    model = GRURegressor(**OPTIONS | {"random_state": seed, "max_epochs": 1 if n is None else 8})
    warm = np.zeros((2000, LENGTH, FEATURES), dtype=np.float32)
    GRURegressor(**OPTIONS | {"early_stopping": False}).fit(warm, warm[:, -1, 0])
    resource.setrlimit(resource.RLIMIT_DATA, (LIMIT, LIMIT))
    before, sampler = memory("RssAnon"), Sampler()
    sampler.start()
    started = time.perf_counter()
    if how == "parquet":
        model.fit_blocks(str(folder / "rows"), target="load", window=SlidingWindow(8))
        n_bytes = sum(path.stat().st_size for path in (folder / "rows").iterdir())
    else:
        all_X, all_y = open_samples(folder)
        X, y = all_X[:n], all_y[:n]
        n_bytes = X.nbytes
        if how == "memmap":
            model.fit(X, y)
        elif how == "in memory":
            model.fit(np.array(X), np.array(y))
        else:
            model.fit_blocks(blocks_of(X, y), buffer_size=buffer_size)
    seconds = time.perf_counter() - started
    half = len(sampler.seen) // 2
    result = {
        "how": how,
        "bytes": n_bytes,
        "seconds": seconds,
        "imports": before,
        "first half": max(sampler.seen[:half]),
        "second half": max(sampler.seen[half:]),
        "loss": model.loss_curve_[-1],
        "test": None,
    }
    if n is not None:
        newer = slice(n, n + N_TEST)
        result["test"] = float(np.mean((model.predict(all_X[newer]) - all_y[newer]) ** 2))
    print(json.dumps(result))


def run(folder, how, n="all", buffer_size="auto", seed=0):
    command = [sys.executable, __file__, "--folder", str(folder), "--fit", how, "--n", str(n), "--seed", str(seed)]
    done = subprocess.run([*command, "--buffer-size", str(buffer_size)], capture_output=True, text=True)
    if done.returncode:
        print(f"{how}: {done.stderr.strip().splitlines()[-1]}")
        return
    r = json.loads(done.stdout.splitlines()[-1])
    size = f"{r['bytes'] / 2**30:.2f} GB"
    print(
        f"{how:<10}{size:>9}{r['seconds']:>8.0f} s   MB at the start {r['imports']:.0f}, most in the first half "
        f"{r['first half']:.0f}, in the second {r['second half']:.0f}   loss {r['loss']:.4f}"
        + ("" if r["test"] is None else f"   squared error on newer samples {r['test']:.4f}"),
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="where the data are written; it must not exist")
    parser.add_argument("--gigabytes", type=float, default=8.0)
    parser.add_argument("--parquet", action="store_true")
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--fit", help=argparse.SUPPRESS)
    parser.add_argument("--n", default="all", help=argparse.SUPPRESS)
    parser.add_argument("--buffer-size", default="auto", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.fit:
        n = None if asked.n == "all" else int(asked.n)
        buffer_size = asked.buffer_size if asked.buffer_size == "auto" else int(asked.buffer_size)
        fit(asked.folder, asked.fit, n, buffer_size, asked.seed)
        return
    asked.folder.mkdir()
    try:
        generate(asked.folder, int(asked.gigabytes * 2**30))
        run(asked.folder, "in memory")
        run(asked.folder, "memmap")
        run(asked.folder, "blocks")
        for seed in range(3):
            run(asked.folder, "in memory", n=N_SMALL, seed=seed)
            run(asked.folder, "blocks", n=N_SMALL, buffer_size=N_SMALL // 10, seed=seed)
        if asked.parquet:
            generate_parquet(asked.folder / "rows", 2_000_000)
            run(asked.folder, "parquet")
    finally:
        shutil.rmtree(asked.folder)


if __name__ == "__main__":
    main()
