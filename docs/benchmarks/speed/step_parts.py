"""Where a step of training on the short series goes: kernels, optimizer, the rest of the gradients, batches, the loop.

The parts are those of a step that Python makes from a list of operations; the first column is a step of an epoch in
machine code, which has no parts that could be timed.

Each part is timed in fits of its own, as clocks slow down what is around them, and the least counts. They count the
time of the processor, which other work on the machine disturbs less than that on the wall.
"""

import time
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

import torch
from _tasks import small_series

from sklrnn import RecurrentRegressor
from sklrnn.kernels import PreallocatedLayer
from sklrnn.training.fused_step import FusedStep
from sklrnn.training.net import SequenceNet
from sklrnn.training.optimizers import FlatAdam, WeightAverage
from sklrnn.training.train_step import TrainSteps

TASK = small_series(epochs=2)
ROUNDS = 30


COMPILED = "a compiled step"
PARTS: dict[str, tuple[type, str]] = {
    COMPILED: (SequenceNet, "run_single_epoch"),
    "a step": (SequenceNet, "run_single_epoch"),
    "kernel, forward": (PreallocatedLayer, "forward"),
    "kernel, backward": (PreallocatedLayer, "backward"),
    "gradients": (FusedStep, "__call__"),
    "optimizer": (FlatAdam, "step"),
    "weight average": (WeightAverage, "update"),
}


def microseconds_a_step(cell: str, part: str) -> float:
    """Fit once, with a clock around one part."""
    owner, method = PARTS[part]
    function, seconds = getattr(owner, method), 0.0

    def timed(*args: Any, **kwargs: Any) -> Any:
        nonlocal seconds
        start = time.thread_time()
        try:
            return function(*args, **kwargs)
        finally:
            seconds += time.thread_time() - start

    model = RecurrentRegressor(
        cell=cell,
        max_epochs=TASK.epochs,
        optimizer="adam",
        max_grad_norm=None,
        early_stopping=False,
        random_state=0,
        n_jobs=1,
    )
    with patch.object(owner, method, timed), ExitStack() as step_by_step:
        if part != COMPILED:
            step_by_step.enter_context(patch.object(TrainSteps, "compiled_epoch", lambda *_: None))
        model.fit(TASK.X, TASK.y)
    return 1e6 * seconds / (TASK.epochs * -(-len(TASK.X) // TASK.batch_size))


def main() -> None:
    torch.set_num_threads(1)
    shown = [
        COMPILED,
        "a step",
        "kernel, forward",
        "kernel, backward",
        "head and loss",
        "optimizer",
        "weight average",
        "batches, loop",
    ]
    print("| µs | " + " | ".join(shown) + " |\n|---" + "|--:" * len(shown) + "|")
    for cell in ("gru", "lstm", "simple_rnn"):
        microseconds_a_step(cell, "a step")  # compiles
        rounds = [{part: microseconds_a_step(cell, part) for part in PARTS} for _ in range(ROUNDS)]
        of = {part: min(each[part] for each in rounds) for part in PARTS}
        of["head and loss"] = of.pop("gradients") - of["kernel, forward"] - of["kernel, backward"]
        of["batches, loop"] = 2 * of["a step"] + of[COMPILED] - sum(of.values())
        print(f"| {cell} | " + " | ".join(f"{of[part]:.0f}" for part in shown) + " |")


if __name__ == "__main__":
    main()
