"""The first fit of a process, and each additional epoch when all is compiled: sklrnn, a loop in torch, Keras on JAX.

Each package trains each network in a process of its own, on the cores that it may use and no others. They take turns.

* First fit: all epochs of the workload, with what the process does once (compiling, loading compiled code); without
  imports, and without cutting windows. A new process for each.
* Additional epoch: two fits of different lengths, each the least of all rounds, and their difference divided by the
  epochs between them. That leaves out what a fit costs before and after its epochs. sklrnn and torch fit a new network
  each time. Keras fits the same model again, as it would compile a new one anew; that is not counted either.

On one thread the processor's time counts (all threads of the process, which share one core), as other work on the
machine disturbs it less; on more the time on the wall. torch's threads wait in the way that is faster here: both
are measured.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
from _peers import PEERS, import_it, keras_model
from _side_by_side import Worker
from _tasks import TASKS, Task

NETWORKS: dict[str, Callable[[Task], Task]] = {
    "SimpleRNN": lambda task: replace(task, cell="simple_rnn"),
    "GRU": lambda task: replace(task, cell="gru"),
    "LSTM": lambda task: replace(task, cell="lstm"),
    "CNN-LSTM": lambda task: replace(task, cell="lstm", filters=task.units),
    "bidirectional": lambda task: replace(task, bidirectional=True),
    "recurrent dropout": lambda task: replace(task, recurrent_dropout=0.2),
}
KERAS = "Keras on JAX"
THREAD_SETTINGS: dict[str, list[dict[str, str]]] = {
    "sklrnn": [{}],
    "torch, tight loop": [{}, {"OMP_WAIT_POLICY": "passive"}],
    KERAS: [{}],
}
SHORT = 1  # epochs
Rows = Iterator[tuple[str, str, dict[str, float]]]


def network(task_name: str, name: str, n_windows: int | None = None) -> Task:
    """A workload with one of the networks, on its first windows where a number is given."""
    task = TASKS[task_name]()
    return NETWORKS[name](replace(task, X=task.X[:n_windows], y=task.y[:n_windows]))


def repeated_fit(peer: str, task: Task) -> Callable[[int], Any]:
    """A function that fits for a number of epochs, and compiles nothing from its second call on."""
    if peer != KERAS:
        return lambda epochs: PEERS[peer].fit(replace(task, epochs=epochs))
    model, X, y = keras_model(task), np.ascontiguousarray(task.X), np.ascontiguousarray(task.y)
    return lambda epochs: model.fit(X, y, batch_size=task.batch_size, epochs=epochs, verbose=0)


def work(peer: str, n_windows: int, n_threads: int) -> None:
    """Answer questions on standard input: the seconds of a first fit, or of a fit for a number of epochs."""
    answers, sys.stdout = sys.stdout, sys.stderr
    import_it(peer)
    fits: dict[tuple[str, str], Callable[[int], Any]] = {}
    print(json.dumps("ready"), file=answers, flush=True)
    for question in sys.stdin:
        if question == "end\n":
            break
        what, workload, name = json.loads(question)
        if what == "first":
            fit, epochs = PEERS[peer].fit, network(workload, name)
        else:
            if (workload, name) not in fits:
                fits[workload, name] = repeated_fit(peer, network(workload, name, n_windows))
            fit, epochs = fits[workload, name], what
        print(json.dumps(_seconds(fit, epochs, n_threads)), file=answers, flush=True)


def _seconds(fit: Callable[[Any], Any], argument: Any, n_threads: int) -> float:
    clock = time.process_time if n_threads == 1 else time.perf_counter
    start = clock()
    fit(argument)
    return clock() - start


def start(peer: str, settings: dict[str, str], asked: argparse.Namespace) -> Worker:
    python = asked.keras_python if peer == KERAS else sys.executable
    size = ["--windows", str(asked.windows), "--threads", str(asked.threads)]
    cores = ",".join(str(core) for core in sorted(os.sched_getaffinity(0))[: asked.threads])
    command = ["taskset", "--cpu-list", cores, python, __file__, *size, "--work", peer]
    return Worker(command, asked.threads, settings)


def additional_epochs(asked: argparse.Namespace) -> Rows:
    """Seconds of each peer, network by network."""
    runs = _runs(asked)
    workers = [start(*run, asked) for run in runs]
    for task, name in product(asked.tasks, asked.networks):
        for worker in workers:
            worker.ask(json.dumps([SHORT, task, name]))  # compiles
        least = [{SHORT: np.inf, asked.longer: np.inf} for _ in runs]
        for _ in range(asked.rounds):
            for worker, seconds in zip(workers, least, strict=True):
                for epochs in seconds:
                    seconds[epochs] = min(seconds[epochs], worker.ask(json.dumps([epochs, task, name])))
        found: dict[str, float] = {}
        for (peer, _), seconds in zip(runs, least, strict=True):
            epoch = (seconds[asked.longer] - seconds[SHORT]) / (asked.longer - SHORT)
            found[peer] = min(epoch, found.get(peer, np.inf))
        yield task, name, found
    for worker in workers:
        worker.close()


def first_fits(asked: argparse.Namespace) -> Rows:
    """Seconds of each peer, network by network."""
    for task, name in product(asked.tasks, asked.networks):
        found: dict[str, float] = {}
        for _ in range(asked.first_rounds):
            for peer, settings in _runs(asked):
                worker = start(peer, settings, asked)
                found[peer] = min(worker.ask(json.dumps(["first", task, name])), found.get(peer, np.inf))
                worker.close()
        yield task, name, found


def _runs(asked: argparse.Namespace) -> list[tuple[str, dict[str, str]]]:
    """Each peer with the settings of its threads that are tried; one thread waits for nobody."""
    return [(peer, each) for peer in asked.peers for each in THREAD_SETTINGS[peer][: None if asked.threads > 1 else 1]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=("additional-epoch", "first-fit"))
    parser.add_argument("--tasks", nargs="*", default=list(TASKS), choices=TASKS)
    parser.add_argument("--networks", nargs="*", default=list(NETWORKS), choices=NETWORKS)
    parser.add_argument("--peers", nargs="*", default=list(THREAD_SETTINGS))
    parser.add_argument("--keras-python", default=sys.executable, help="an interpreter that has Keras and JAX")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--windows", type=int, default=4000, help="to train on at most, for an additional epoch")
    parser.add_argument("--longer", type=int, default=3, help="epochs of the longer fit; the shorter has one")
    parser.add_argument("--rounds", type=int, default=3, help="of fits in the same processes")
    parser.add_argument("--first-rounds", type=int, default=1, help="of first fits, each in a new process")
    parser.add_argument("--work", metavar="PEER", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        work(asked.work, asked.windows, asked.threads)
        return
    print("| | | " + " | ".join(f"{peer}, s" for peer in asked.peers) + " | fastest of the others / sklrnn |")
    print("|---|---" + "|--:" * (len(asked.peers) + 1) + "|")
    for task, name, seconds in {"additional-epoch": additional_epochs, "first-fit": first_fits}[asked.what](asked):
        others = [seconds[peer] for peer in asked.peers if peer != "sklrnn"]
        ratio = f"{min(others) / seconds['sklrnn']:.2f}" if others and "sklrnn" in seconds else "-"
        row = [task.upper(), name, *(f"{seconds[peer]:.3g}" for peer in asked.peers), ratio]
        print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
