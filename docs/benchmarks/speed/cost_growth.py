"""How time and memory grow with rows, window, units, features and candidates: a picture with the slopes.

A slope is the exponent: 1 means that twice as much costs twice as much. Every point is a process of its own.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

AXES: dict[str, list[int]] = {
    "rows": [5_000, 20_000, 80_000, 320_000, 1_280_000],
    "window": [12, 24, 48, 96, 192],
    "units": [16, 32, 64, 128, 256],
    "features": [1, 4, 16, 64],
    "candidates": [1, 2, 4, 8],
}
STANDARD = {"rows": 20_000, "window": 24, "units": 32, "features": 4, "candidates": 1}


def cost(sizes: dict[str, int]) -> dict[str, float]:
    """Seconds of one epoch (of all candidates), and the most memory of the process in MB, with all that it imports."""
    from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
    from sklearn.pipeline import make_pipeline

    from sklrnn import GRURegressor, SlidingWindow

    rng = np.random.default_rng(0)
    X = rng.normal(size=(sizes["rows"], sizes["features"])).astype(np.float32)
    y = np.roll(X[:, 0], 1)
    network = GRURegressor(units=sizes["units"], batch_size=256, max_epochs=1, early_stopping=False, random_state=0)
    model = make_pipeline(SlidingWindow(window_length=sizes["window"]), network)
    model.fit(X[:1000], y[:1000])  # imports and compiles
    if sizes["candidates"] > 1:
        rates = list(np.geomspace(1e-3, 1e-2, sizes["candidates"]))
        model = GridSearchCV(model, {"gruregressor__learning_rate": rates}, cv=TimeSeriesSplit(2))
    start = time.perf_counter()
    model.fit(X, y)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(cost(json.loads(asked.one))))
        return
    found: dict[tuple[str, int], list[dict[str, float]]] = {}
    for _ in range(asked.rounds):
        for axis, values in AXES.items():
            for value in values:
                command = [sys.executable, str(Path(__file__)), "--one", json.dumps({**STANDARD, axis: value})]
                output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
                found.setdefault((axis, value), []).append(json.loads(output))
    draw(found)


def draw(found: dict[tuple[str, int], list[dict[str, float]]]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.ticker import NullLocator

    figure, panels = plt.subplots(2, len(AXES), figsize=(15, 6), sharey="row", layout="constrained")
    print("| | from | to | seconds | slope | MB | slope |\n|---|---|---|---|---|---|---|")
    for column, (axis, values) in enumerate(AXES.items()):
        told: list[Any] = [axis, values[0], values[-1]]
        for row, unit in enumerate(("seconds", "MB")):
            costs = [statistics.median(each[unit] for each in found[axis, value]) for value in values]
            # The end says how it goes on; the beginning is what any fit costs.
            slope = float(np.polyfit(np.log(values[-3:]), np.log(costs[-3:]), 1)[0])
            panel = panels[row, column]
            panel.loglog(values, costs, marker="o")
            panel.set_xticks(values, [f"{value // 1000}k" if value >= 1000 else value for value in values])
            panel.xaxis.set_minor_locator(NullLocator())
            if unit == "MB":
                panel.set_yscale("linear")
                panel.set_ylim(bottom=0)
            panel.set(title=f"slope {slope:.2f}", xlabel=axis if row else "", ylabel=unit if column == 0 else "")
            digits = 2 if unit == "seconds" else 3
            told += [f"{costs[0]:.{digits}g} to {costs[-1]:.{digits}g}", f"{slope:.2f}"]
        print("| " + " | ".join(map(str, told)) + " |")
    figure.savefig(Path(__file__).parent / "cost_growth.png", dpi=80)


if __name__ == "__main__":
    main()
