"""Where a step of training on the short series goes: the layer, the optimizer, and all the rest.

The time of the processor is counted, which other work on the machine disturbs less than that on the clock.
"""

import time
from collections.abc import Callable
from typing import Any

import torch
from _tasks import small_series

from sklrnn import RecurrentRegressor

TASK = small_series()
REPEATS = 5


def fit(cell: str, epochs: int) -> Any:
    model = RecurrentRegressor(
        cell=cell,
        max_epochs=epochs,
        optimizer="adam",
        max_grad_norm=None,
        early_stopping=False,
        random_state=0,
        n_jobs=1,
    )
    return model.fit(TASK.X, TASK.y)


def least_seconds(work: Callable[[], object]) -> float:
    seconds = []
    for _ in range(REPEATS):
        start = time.thread_time()
        work()
        seconds.append(time.thread_time() - start)
    return min(seconds)


def main() -> None:
    torch.set_num_threads(1)
    n_steps = -(-len(TASK.X) // 32)
    print("| | a step, ms | layer | optimizer | rest |\n|---|---|---|---|---|")
    for cell in ("gru", "lstm", "simple_rnn"):
        model = fit(cell, 1)
        step = (least_seconds(lambda: fit(cell, 5)) - least_seconds(lambda: fit(cell, 1))) / (4 * n_steps)  # noqa: B023
        layer = model.module_.recurrent[0].forwards
        x = torch.randn(TASK.window_length, 32, 1)

        def through_the_layer() -> None:
            for _ in range(200):
                _, last = layer(x)  # noqa: B023
                (last[0] if isinstance(last, tuple) else last).sum().backward()

        def through_the_optimizer() -> None:
            for _ in range(200):
                model.net_.optimizer_.step()  # noqa: B023

        parts = [least_seconds(through_the_layer) / 200, least_seconds(through_the_optimizer) / 200]
        shares = [part / step for part in (*parts, step - sum(parts))]
        print(f"| {cell} | {1000 * step:.2f} | " + " | ".join(f"{share:.0%}" for share in shares) + " |")


if __name__ == "__main__":
    main()
