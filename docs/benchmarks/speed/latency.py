"""How long one answer takes: predict on one window, one step of a stream, and float64 against float32.

Each figure is the least of many short runs, on one thread, in time of the processor, which other work disturbs less.
The peers are the same network as a module of torch and, where onnxruntime and what torch needs to export to it are
installed, in onnxruntime; both are given a ready tensor and check nothing.
"""

import importlib.util
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _tasks import small_series

from sklrnn import CNNLSTMRegressor, GRURegressor, LSTMRegressor, SimpleRNNRegressor

MODELS = (SimpleRNNRegressor, GRURegressor, LSTMRegressor, CNNLSTMRegressor)
MANY = 2000  # windows, for the cost of float64
Run = Callable[[], Any]


def seconds(runs: dict[str, Run], *, n_calls: int, rounds: int) -> dict[str, float]:
    """The least time of a call, with the rounds of all runs in turn."""
    least = dict.fromkeys(runs, np.inf)
    for _ in range(rounds):
        for name, run in runs.items():
            run()
            start = time.thread_time()
            for _ in range(n_calls):
                run()
            least[name] = min(least[name], (time.thread_time() - start) / n_calls)
    return least


def in_onnxruntime(module: Any, x: np.ndarray) -> Run | None:
    """The network in onnxruntime, if this is installed."""
    if any(importlib.util.find_spec(name) is None for name in ("onnxruntime", "onnx", "onnxscript")):
        return None
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "network.onnx")
        torch.onnx.export(module, (torch.from_numpy(x),), path, input_names=["x"], dynamo=True, verbose=False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(path, options)
    return lambda: session.run(None, {"x": x})


def measure(kind: Any) -> tuple[dict[str, float], dict[str, float]]:
    """Seconds for one answer, and for many windows."""
    task = small_series(1000)
    model = kind(units=task.units, max_epochs=1, random_state=0, n_jobs=1).fit(task.X, task.y)
    single, double = (task.X[:1].astype(dtype) for dtype in (np.float32, np.float64))
    stream = model.start_stream()

    tensor = torch.from_numpy(single)

    def in_torch() -> torch.Tensor:
        with torch.inference_mode():
            return model.module_(tensor)

    onnx = in_onnxruntime(model.module_, single)
    runs: dict[str, Run] = {
        "predict, float32": lambda: model.predict(single),
        "predict, float64": lambda: model.predict(double),
        "step of a stream": lambda: stream.step(double[0, 0]),
        "module of torch": in_torch,
        **({} if onnx is None else {"onnxruntime": onnx}),
    }
    many = np.resize(task.X, (MANY, *task.X.shape[1:]))
    of_many = {dtype: many.astype(dtype) for dtype in ("float32", "float64")}
    throughput = {dtype: lambda X=X: model.predict(X) for dtype, X in of_many.items()}
    return seconds(runs, n_calls=10, rounds=100), seconds(throughput, n_calls=1, rounds=15)


def main() -> None:
    torch.set_num_threads(1)
    for number, kind in enumerate(MODELS):
        one, many = measure(kind)
        if not number:
            print("| µs | " + " | ".join(one) + f" | {MANY} windows, float64 over float32 |")
            print("|---" + "|--:" * (len(one) + 1) + "|")
        figures = [f"{1e6 * value:.0f}" for value in one.values()] + [f"{many['float64'] / many['float32']:.2f}"]
        print(f"| `{kind.__name__}` | " + " | ".join(figures) + " |", flush=True)


if __name__ == "__main__":
    main()
