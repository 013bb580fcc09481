"""Values removed in blocks, filled again: mean absolute error beside that of forward fill, straight lines and others.

    python docs/benchmarks/imputation.py [co2|temperature|pressure ...]

A tenth of the known values of one column is removed, in blocks of 1 to 30 rows; what else is missing stays missing.
Each seed removes other blocks. The imputers of scikit-learn see one row at a time.
"""

import sys
import time

import numpy as np
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer

from sklrnn import RecurrentImputer
from sklrnn.datasets import load_co2, load_jfk_weather

SEEDS = range(3)
LONGEST_BLOCK = 30


def remove_blocks(truth, column, seed):
    """The table with a tenth of what is known in a column removed in blocks, and where."""
    random = np.random.default_rng(seed)
    table, known = truth.copy(), truth[column].notna().to_numpy()
    removed = np.zeros(len(table), dtype=bool)
    while removed.sum() < 0.1 * known.sum():
        length = random.integers(1, LONGEST_BLOCK + 1)
        start = random.integers(1, len(table) - length)
        removed[start : start + length] |= known[start : start + length]
    table.loc[removed, column] = np.nan
    return table, removed


def transformed(imputer):
    return lambda table: imputer.set_output(transform="pandas").fit_transform(table)


def methods(seed):
    """Each takes a table and gives it without gaps."""
    return {
        "RecurrentImputer": transformed(RecurrentImputer(random_state=seed)),
        "straight line": lambda table: table.interpolate().ffill().bfill(),
        "cubic spline": lambda table: table.interpolate("cubic").ffill().bfill(),
        "KNNImputer": transformed(KNNImputer()),
        "IterativeImputer": transformed(IterativeImputer(max_iter=30, random_state=seed)),
        "RecurrentImputer(bidirectional=False)": transformed(RecurrentImputer(bidirectional=False, random_state=seed)),
        "forward fill": lambda table: table.ffill(),
    }


TASKS = {
    "co2": (lambda: load_co2(fill=False).to_frame(), "co2"),
    "temperature": (lambda: load_jfk_weather(fill=False), "temp"),
    "pressure": (lambda: load_jfk_weather(fill=False), "pressure"),
}


def main(names):
    for task in names or TASKS:
        load, column = TASKS[task]
        truth = load()
        errors, seconds = {}, {}
        for seed in SEEDS:
            table, removed = remove_blocks(truth, column, seed)
            for name, fill in methods(seed).items():
                start = time.perf_counter()
                error = (fill(table)[column] - truth[column])[removed].abs().mean()
                seconds.setdefault(name, []).append(time.perf_counter() - start)
                errors.setdefault(name, []).append(error)
        print(f"{task}, {len(truth)} rows, {truth.shape[1]} column(s), mean absolute error over {len(SEEDS)} seeds")
        for name, found in errors.items():
            each = " ".join(f"{error:.3f}" for error in found)
            print(f"  {name:38} {np.mean(found):.3f}  ({each}), {np.mean(seconds[name]):.1f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
