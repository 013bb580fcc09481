"""What a process pays first: the import of sklrnn, of what it stands on and of the peers, in turns; and a first fit."""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile

IMPORTS = {
    "torch": "import torch",
    "torch and scikit-learn": "import torch, sklearn.base",
    "skorch": "import skorch",
    "sklrnn": "from sklrnn import GRURegressor",
    "Keras on JAX": "import keras",
    "Keras on torch": "import keras",
    "sktime, simple RNN": "from sktime.regression.deep_learning import SimpleRNNRegressor",
    "skforecast on JAX": "import skforecast.deep_learning",
    "darts": "from darts.models import RNNModel",
    "neuralforecast": "import neuralforecast",
    "pytorch-forecasting": "import pytorch_forecasting",
}

FIRST_FITS = """
import time
import numpy as np
from sklrnn import {kind}
X = np.random.default_rng(0).normal(size=(256, 12)).astype(np.float32)
y = X.sum(axis=1)
for _ in range(2):
    start = time.perf_counter(), time.process_time()
    {kind}(units=8, max_epochs=2, random_state=0).fit(X, y)
    print(time.perf_counter() - start[0], time.process_time() - start[1])
"""


def first_fits(kernels: str, cache: str) -> str:
    """Seconds of the first and the second fit of each cell, and of the processor, each cell in a process of its own."""
    environment = {**os.environ, "SKLRNN_KERNELS": kernels, "NUMBA_CACHE_DIR": cache}
    cells = []
    for kind in ("SimpleRNNRegressor", "GRURegressor", "LSTMRegressor"):
        command = [sys.executable, "-c", FIRST_FITS.format(kind=kind)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        first, of_processor, second, _ = map(float, done.stdout.split())
        cells.append(f"{first:.2f} ({of_processor:.2f}), {second:.2f}")
    return " | ".join(cells)


def seconds(name: str, statement: str) -> float | None:
    """Seconds of one import in a process of its own; None where there is no such package."""
    code = f"import time\nstart = time.perf_counter()\n{statement}\nprint(time.perf_counter() - start)"
    environment = {**os.environ, "KERAS_BACKEND": name.split()[-1].lower()}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    return float(done.stdout.split()[-1]) if done.returncode == 0 else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    print("| first fit (of the processor), second fit, s | SimpleRNN | GRU | LSTM |\n|---|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as cache:
        print(f"| compiled with the package | {first_fits('', cache)} |")
        print(f"| compiled at the first use | {first_fits('jit', cache)} |")
        print(f"| from the cache of these | {first_fits('jit', cache)} |")
    found: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for _ in range(asked.rounds + 1):  # the first fills the caches of the disk
        for name, statement in IMPORTS.items():
            if (took := seconds(name, statement)) is not None:
                found[name].append(took)
    print("| | import, s: median (least) |\n|---|--:|")
    for name, all_of_it in found.items():
        if warm := all_of_it[1:]:
            print(f"| {name} | {statistics.median(warm):.1f} ({min(warm):.1f}) |")


if __name__ == "__main__":
    main()
