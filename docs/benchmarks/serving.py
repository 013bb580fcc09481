"""The service of examples/serving under load: clients on this machine that ask again as soon as they are answered.

    python docs/benchmarks/serving.py [--units 64] [--seconds 3] [--rounds 3]

For a model from skops and from ONNX, with requests joined to batches and one by one, and for 1, 8 and 32 clients:
requests per second, the time to an answer (median and 99th percentile), what the server used of the processor for a
request, and errors, which are answers other than 200 or with other numbers than those of ``predict``. Then streams, of
which each is opened, read to its end and closed.

Server and clients share the cores of this machine, and other work may disturb them. So all servers run side by side and
are asked in turn, and the best round is shown, with the errors of all rounds. The memory of a server is that after a
first load of all clients, and at the end.
"""

import argparse
import asyncio
import json
import math
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from itertools import cycle
from pathlib import Path

import numpy as np
from skops import io

from sklrnn import GRURegressor
from sklrnn.export import to_onnx

ROOT = Path(__file__).parents[2]
CLIENTS = (1, 8, 32)
N_STEPS, N_FEATURES = 96, 8


def fitted(units):
    """A model, and sequences to ask about; what it learnt is of no interest here."""
    X = np.random.default_rng(0).normal(size=(256, N_STEPS, N_FEATURES))
    return GRURegressor(units=units, max_epochs=1, random_state=0).fit(X, X[:, -1, 0]), X[:32].round(3)


@contextmanager
def server(*arguments):
    """The process of a server and its port."""
    paths = [str(ROOT / "examples"), str(ROOT)]
    command = [sys.executable, "-m", "serving", *map(str, arguments), "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        ports = (re.search(r"http://127\.0\.0\.1:(\d+)", line) for line in process.stderr)
        yield process, int(next(found[1] for found in ports if found))
    finally:
        process.terminate()
        process.communicate()


def memory(process):
    """Megabytes that a process has in memory."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def processor_seconds(process):
    """What a process has used of the processor."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Connection:
    """Asks over one connection. It does little, as the server needs the processor."""

    async def open(self, port):
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
        return self

    async def ask(self, method, path, body=b""):
        head = f"{method} {path} HTTP/1.1\r\nHost: service\r\nContent-Type: application/json\r\n"
        self._writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = re.search(r"content-length: (\d+)", head)
        return int(head.split()[1]), await self._reader.readexactly(int(length[1]) if length else 0)

    def close(self):
        self._writer.close()


async def predict(port, requests, until, times):
    """One client; counts its errors."""
    connection, n_errors = await Connection().open(port), 0
    for body, expected in cycle(requests):
        start = time.perf_counter()
        if start > until:
            break
        status, answer = await connection.ask("POST", "/predict", body)
        times.append(time.perf_counter() - start)
        n_errors += status != 200 or not math.isclose(json.loads(answer)["predictions"][0], expected, rel_tol=1e-4)
    connection.close()
    return n_errors


async def stream(port, requests, until, times):
    """One client that opens a stream, sends its steps one by one and closes it, again and again."""
    connection, n_errors = await Connection().open(port), 0
    for steps, expected in cycle(requests):
        if time.perf_counter() > until:
            break
        name = json.loads((await connection.ask("POST", "/streams"))[1])["stream"]
        for step in steps:
            start = time.perf_counter()
            status, answer = await connection.ask("POST", f"/streams/{name}/steps", step)
            times.append(time.perf_counter() - start)
            n_errors += status != 200
        n_errors += not math.isclose(json.loads(answer)["predictions"][0], expected, rel_tol=1e-4)
        n_errors += (await connection.ask("DELETE", f"/streams/{name}"))[0] != 204
    connection.close()
    return n_errors


def load(client, server, requests, n_clients, seconds):
    """Requests per second, milliseconds to an answer and of the server's processor, numbers of requests and errors."""
    process, port = server

    async def all_clients():
        until = time.perf_counter() + seconds
        clients = [client(port, requests[i:] + requests[:i], until, times) for i in range(n_clients)]
        return sum(await asyncio.gather(*clients))

    times, used, start = [], processor_seconds(process), time.perf_counter()
    n_errors = asyncio.run(all_clients())
    rate, used = len(times) / (time.perf_counter() - start), processor_seconds(process) - used
    return rate, *np.quantile(times, [0.5, 0.99]) * 1000, used / len(times) * 1000, len(times), n_errors


def best_of(rounds):
    """The round with the most requests per second; the least work for a request, and all errors."""
    *_, used, n_requests, n_errors = zip(*rounds, strict=True)
    return *max(rounds)[:3], min(used), sum(n_requests), sum(n_errors)


def measure(servers, cases, *, rounds, seconds):
    """Print a line for each case: the name of a server, a client, its requests and how many there are of it."""
    results = [[] for _ in cases]
    for _ in range(rounds):
        for (name, client, requests, n_clients), found in zip(cases, results, strict=True):
            found.append(load(client, servers[name], requests, n_clients, seconds))
    print(
        "| model | | clients | requests/s | median ms | 99 % ms | CPU ms | errors |\n|---|---|--:|--:|--:|--:|--:|--:|"
    )
    for (name, client, _, n_clients), found in zip(cases, results, strict=True):
        rate, median, late, used, n_requests, n_errors = best_of(found)
        what = f"{client.__name__} | {n_clients} | {rate:.0f} | {median:.1f} | {late:.1f} | {used:.2f}"
        print(f"| {name} | {what} | {n_errors} of {n_requests} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--units", type=int, nargs="+", default=[64], help="of each layer")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each line in each round")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    packages = ("torch", "onnxruntime", "fastapi", "uvicorn")
    print(f"{platform.machine()}, {os.cpu_count()} cores,", *(f"{name} {version(name)}" for name in packages))
    model, X = fitted(tuple(options.units))
    expected = model.predict(X).tolist()
    bodies = [json.dumps({"sequences": [x]}).encode() for x in X.tolist()]
    steps = [[json.dumps({"steps": [step]}).encode() for step in x] for x in X.tolist()]
    sequences, streams = list(zip(bodies, expected, strict=True)), list(zip(steps, expected, strict=True))
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        skops, onnx, onnx_step = (Path(folder, name) for name in ("model.skops", "model.onnx", "step.onnx"))
        io.dump(model, skops)
        to_onnx(model, onnx)
        to_onnx(model, onnx_step, streaming=True)
        commands = {
            "skops, batches": (skops,),
            "skops, one by one": (skops, "--max-samples", 1),
            "ONNX, batches": (onnx, "--stream-model", onnx_step),
            "ONNX, one by one": (onnx, "--max-samples", 1),
        }
        servers = {name: running.enter_context(server(*command)) for name, command in commands.items()}
        cases = [(name, predict, sequences, n_clients) for n_clients in CLIENTS for name in servers]
        cases += [(name, stream, streams, n_clients) for n_clients in CLIENTS for name in servers if "batches" in name]
        for name, client, requests, _ in cases:
            load(client, servers[name], requests, max(CLIENTS), 0.5)
        before = {name: memory(process) for name, (process, _) in servers.items()}
        measure(servers, cases, rounds=options.rounds, seconds=options.seconds)
        for name, (process, _) in servers.items():
            print(f"memory of {name}: {before[name]:.0f} MB, at the end {memory(process):.0f} MB")


if __name__ == "__main__":
    main()
