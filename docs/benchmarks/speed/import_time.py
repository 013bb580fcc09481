"""What importing a package costs: sklrnn, what it stands on, and the peers that are installed, in turns."""

import argparse
import os
import statistics
import subprocess
import sys

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
