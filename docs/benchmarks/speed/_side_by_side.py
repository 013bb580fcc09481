"""Peers in processes of their own, asked in turn, so that whatever else the machine does falls on all of them alike."""

import argparse
import contextlib
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from _peers import PEERS, import_it, installed
from _tasks import TASKS

HERE = Path(__file__).resolve().parent


class Worker:
    """A peer in a process of its own, which answers the questions that it is asked."""

    def __init__(self, command: list[str], n_threads: int, settings: dict[str, str] | None = None) -> None:
        threads = {f"{library}_NUM_THREADS": str(n_threads) for library in ("OMP", "MKL", "OPENBLAS", "NUMEXPR")}
        environment = {**os.environ, **threads, "TF_CPP_MIN_LOG_LEVEL": "3", **(settings or {})}
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            text=True,
        )
        self.started = self._read()

    def ask(self, what: str) -> Any:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(what + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return None
        return self._read()

    def close(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self.process.communicate("end\n", timeout=60)

    def _read(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        return json.loads(line) if line else None


def work(name: str, task_name: str) -> None:
    """Answer questions on standard input until there are no more."""
    answers, sys.stdout = sys.stdout, sys.stderr
    start = time.perf_counter()
    import_it(name)
    import_seconds = time.perf_counter() - start
    task, answer = TASKS[task_name](), None

    def tell(what: Any) -> None:
        print(json.dumps(what), file=answers, flush=True)

    tell({"import": import_seconds})
    for question in sys.stdin:
        start = time.perf_counter()
        if question == "fit\n":
            answer = PEERS[name].fit(task)
            tell(time.perf_counter() - start)
        elif question == "memory\n":
            tell(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        elif question == "error\n":
            tell(None if answer is None else _error(task, answer))
        elif question.startswith("predict"):
            n_rows = int(question.split()[1])
            tell(None if answer is None else _milliseconds(answer, task.X[:n_rows]))
        else:
            break


def _error(task: Any, answer: Any) -> float:
    rows = slice(None, None, max(1, len(task.X) // 4000))
    answers = np.ravel(answer(task.X[rows]))
    return float((answers != task.y[rows]).mean() if task.n_classes else ((answers - task.y[rows]) ** 2).mean())


def _milliseconds(answer: Any, X: Any) -> float:
    X = np.ascontiguousarray(X)
    seconds = []
    for _ in range(30 if len(X) > 1 else 200):
        start = time.perf_counter()
        answer(X)
        seconds.append(time.perf_counter() - start)
        if sum(seconds) > 5:
            break
    return 1000 * statistics.median(seconds)


def measure(
    task: str, *, n_threads: int, rounds: int, peers: list[str], settings: dict[str, str]
) -> list[dict[str, Any]]:
    """A row for each peer: warm fits in seconds, predictions in milliseconds, memory in MB, and their error."""
    command = [sys.executable, str(HERE / "_side_by_side.py"), "--task", task, "--worker"]
    workers = {name: Worker([*command, name], n_threads, settings) for name in peers}
    fits: dict[str, list[float]] = {name: [] for name in peers}
    first = {name: worker.ask("fit") for name, worker in workers.items()}  # compiles, imports, warms up
    for _ in range(rounds):
        for name, worker in workers.items():
            if first[name] is not None and (seconds := worker.ask("fit")) is not None:
                fits[name].append(seconds)
    rows = []
    for name, worker in workers.items():
        if not fits[name]:
            print(f"{name} stopped with an error and is left out", file=sys.stderr)
            continue
        rows.append(
            {
                "peer": name,
                "first fit": first[name],
                "fit": statistics.median(fits[name]),
                "best fit": min(fits[name]),
                "error": worker.ask("error"),
                "predict 1,000": worker.ask("predict 1000"),
                "predict one": worker.ask("predict 1"),
                "memory": worker.ask("memory"),
                "import": worker.started["import"],
            }
        )
        worker.close()
    ours = next(row for row in rows if row["peer"] == "sklrnn")
    for row in rows:
        row["ratio"] = statistics.median(
            theirs / mine for theirs, mine in zip(fits[row["peer"]], fits["sklrnn"], strict=False)
        )
    return [ours, *sorted((row for row in rows if row is not ours), key=lambda row: row["fit"])]


def as_table(rows: list[dict[str, Any]]) -> str:
    """The table of the documentation."""

    def number(value: float | None, digits: int = 3) -> str:
        return "-" if value is None else f"{value:.{digits}g}"

    lines = [
        "| | fit, s: median (least) | times as long | first fit, s | predict 1,000 / 1, ms | error | memory, MB | "
        "import, s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        lines.append(
            f"| {row['peer']} | {number(row['fit'])} ({number(row['best fit'])}) | {number(row['ratio'])} "
            f"| {number(row['first fit'])} | {number(row['predict 1,000'])} / {number(row['predict one'])} "
            f"| {number(row['error'])} | {row['memory']:.0f} | {number(row['import'], 2)} |"
        )
    return "\n".join(lines)


def run(task: str) -> None:
    """The command line of a workload."""
    parser = argparse.ArgumentParser(description=TASKS[task].__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", nargs="*", help="default: all that are installed")
    parser.add_argument(
        "--wait-policy",
        choices=("active", "passive"),
        help="how threads of OpenMP wait (default: as each package comes). On a busy machine torch is faster with "
        "passive ones, on a quiet one with active ones",
    )
    asked = parser.parse_args()
    peers = ["sklrnn", *(name for name in asked.peers or installed(task) if name != "sklrnn")]
    settings = {"OMP_WAIT_POLICY": asked.wait_policy} if asked.wait_policy else {}
    rows = measure(task, n_threads=asked.threads, rounds=asked.rounds, peers=peers, settings=settings)
    print(as_table(rows))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--worker", required=True)
    parser.add_argument("--task", required=True)
    asked = parser.parse_args()
    work(asked.worker, asked.task)
