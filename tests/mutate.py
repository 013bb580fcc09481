"""Mutation testing: how many small changes of the source do the tests notice?

``python tests/mutate.py windows losses --sample 60 --seed 1`` changes the source in one place, runs the tests that
reach it, and tells what became of it: a mutant is killed if a test fails, timed out if the tests take much longer than
without it (which counts as killed), and survives otherwise. The survivors are printed with their change; each asks for
a test, or shows code that is not needed. ``--only 17`` tries the mutant with this number again.

All happens in a copy of the package. A process that has imported what the package imports is forked for each mutant,
so that a mutant costs about the time of the tests that reach its lines; the shortest of them run first. Mutants that
change nothing that could be observed are listed with the reason in ``mutants_without_effect.toml``.
"""

import argparse
import collections
import contextlib
import importlib
import os
import pickle
import py_compile
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
import tomllib
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(Path(__file__).parent))

from mutators import Mutant, find_mutants  # noqa: E402


class Topic(NamedTuple):
    """Source files of the package, and the tests that are meant to check them."""

    sources: tuple[str, ...]
    tests: tuple[str, ...]


# Left out of the training step: sklrnn/kernels, which is compiled, and checked against the equations number by number.
TOPICS = {
    "windows": Topic(
        (
            "preprocessing/sliding_window.py",
            "preprocessing/_window_layout.py",
            "preprocessing/make_windows.py",
            "preprocessing/supervise.py",
        ),
        ("tests/preprocessing", "tests/test_pipelines.py"),
    ),
    "splits": Topic(
        ("model_selection/purged_splits.py", "model_selection/read_splits.py"),
        ("tests/model_selection", "tests/inspection/test_split_table.py"),
    ),
    "leakage": Topic(
        ("model_selection/leakage.py", "model_selection/answers.py", "inputs/samples.py", "inputs/class_hold_out.py"),
        (
            "tests/model_selection/test_leakage.py",
            "tests/inputs",
            "tests/estimators/test_base.py",
            "tests/estimators/test_extreme_numbers.py",
            "tests/estimators/test_missing_values.py",
            "tests/estimators/test_ragged_sequences.py",
            "tests/estimators/test_return_sequences.py",
        ),
    ),
    "losses": Topic(
        ("nn/losses.py", "nn/loss_modules.py", "nn/losses_of_torch.py"),
        (
            "tests/nn/test_losses.py",
            "tests/training/test_fused_step.py",
            "tests/estimators/test_regressor.py",
            "tests/estimators/test_cross_conformal.py",
            "tests/estimators/test_return_sequences.py",
        ),
    ),
    "calibration": Topic(
        (
            "estimators/conformal.py",
            "estimators/cross_conformal.py",
            "forecasting/calibration.py",
            "forecasting/cross_conformal.py",
            "forecasting/error_sizes.py",
            "training/temperature.py",
        ),
        (
            "tests/estimators/test_cross_conformal.py",
            "tests/estimators/test_regressor.py",
            "tests/forecasting/test_intervals.py",
            "tests/training/test_temperature.py",
        ),
    ),
    "training step": Topic(
        (
            "training/train_step.py",
            "training/fused_step.py",
            "training/optimizers.py",
            "training/optimizer_steps.py",
            "training/compiled_epoch.py",
            "training/penalties.py",
            "training/epoch_losses.py",
            "training/operations/front.py",
            "training/operations/head.py",
            "training/operations/loss.py",
            "training/operations/of_network.py",
            "training/operations/readout.py",
            "training/operations/recurrent.py",
            "training/operations/segments.py",
            "training/operations/signal.py",
        ),
        (
            "tests/training/test_compiled_epoch.py",
            "tests/training/test_fused_step.py",
            "tests/training/test_net.py",
            "tests/training/test_optimizers.py",
            "tests/training/test_temperature.py",
            "tests/training/test_trained_network.py",
            "tests/estimators/test_pooling.py",
            "tests/estimators/test_stateful.py",
            "tests/estimators/test_threads.py",
        ),
    ),
}
# What the package and its tests import; importing it once saves most of the time.
IMPORTED_BEFORE_FORKS = (
    "matplotlib.pyplot",
    "numba",
    "pandas",
    "polars",
    "pytest",
    "scipy.stats",
    "skops.io",
    "skorch.callbacks",
    "sktime.forecasting.base",
    "sklearn.ensemble",
    "sklearn.isotonic",
    "sklearn.model_selection",
    "torch",
)
OPTIONS = ["-q", "-x", "--tb=no", "--no-header", "-p", "no:xdist", "-p", "no:cacheprovider", "--hypothesis-seed=0"]
# A mutant may take this much longer than the tests without it.
SLOWER, SECONDS = 4.0, 20.0
# The exit status where something other than a test failed.
BROKEN = 70


class Reach(NamedTuple):
    """Which tests run which lines, and how long each takes; a line that runs at import has the test ''."""

    tests: dict[tuple[str, int], set[str]]
    seconds: dict[str, float]

    def of(self, path: str, lines: tuple[int, int] | None) -> list[str]:
        """The tests that run one of these lines, the shortest first."""
        found = {""} if lines is None else set()
        for number in range(lines[0], lines[1] + 1) if lines else ():
            found |= self.tests.get((path, number), set())
        return sorted(self.seconds if "" in found else found, key=lambda test: self.seconds[test])


class Recorder:
    """A plugin of pytest that records the lines that each test runs in some files."""

    def __init__(self, sources: list[Path]) -> None:
        self._sources = {str(path) for path in sources}
        self._test = ""
        self.tests: dict[tuple[str, int], set[str]] = collections.defaultdict(set)
        self.seconds: dict[str, float] = collections.defaultdict(float)
        threading.settrace(self._enter)
        sys.settrace(self._enter)

    def _enter(self, frame: Any, event: str, argument: Any) -> Any:
        return self._line if frame.f_code.co_filename in self._sources else None

    def _line(self, frame: Any, event: str, argument: Any) -> Any:
        self.tests[frame.f_code.co_filename, frame.f_lineno].add(self._test)
        return self._line

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._test = nodeid

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.seconds[report.nodeid] += report.duration


class Selection:
    """A plugin of pytest that runs some tests, in this order."""

    def __init__(self, tests: list[str], failed: Path) -> None:
        self._order = {test: position for position, test in enumerate(tests)}
        self._failed = failed

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        items[:] = sorted(
            (item for item in items if item.nodeid in self._order), key=lambda item: self._order[item.nodeid]
        )

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self._failed.write_text(report.nodeid)


def run_in_fork(work: Callable[[], int], output: Path, seconds: float) -> int | None:
    """The exit status of the work in a child process; None if it took too long."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        status = BROKEN
        try:
            os.setsid()
            with output.open("wb") as file:
                os.dup2(file.fileno(), 1)
                os.dup2(file.fileno(), 2)
            status = work()
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(status)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        finished, status = os.waitpid(child, os.WNOHANG)
        if finished:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


class Copy:
    """The package and its tests in a folder of their own, where mutants are made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("sklrnn", "tests"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "conftest.py"):
            shutil.copy(ROOT / name, folder / name)
        for path in (folder / "sklrnn").rglob("*.py"):
            # By the time of a file and its size a mutant could be mistaken for the source.
            py_compile.compile(str(path), invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)

    def path(self, source: str) -> Path:
        return self.folder / "sklrnn" / source

    def _pytest(self, tests: tuple[str, ...], plugin: Any) -> int:
        import pytest

        os.chdir(self.folder)
        sys.path.insert(0, str(self.folder))
        return int(pytest.main([*OPTIONS, *tests], plugins=[plugin]))

    def record(self, topic: Topic) -> Reach:
        """Run all tests of a topic, which have to pass, on the unchanged source."""
        result, output = self.folder / "reach.pickle", self.folder / "output.txt"

        def work() -> int:
            recorder = Recorder([self.path(source) for source in topic.sources])
            status = self._pytest(topic.tests, recorder)
            result.write_bytes(pickle.dumps((dict(recorder.tests), dict(recorder.seconds))))
            return status

        if run_in_fork(work, output, 3600.0) != 0:
            sys.exit(f"the tests fail without any mutant:\n{output.read_text()}")
        tests, seconds = pickle.loads(result.read_bytes())
        return Reach(tests, seconds)

    def try_mutant(self, topic: Topic, source: str, mutant: Mutant, reach: Reach) -> tuple[str, str]:
        """What becomes of a mutant, and which test killed it."""
        path, failed, output = self.path(source), self.folder / "failed.txt", self.folder / "output.txt"
        tests = reach.of(str(path), mutant.lines)
        if not tests:
            return "survived", "no test runs it"
        files = tuple(dict.fromkeys(test.split("::")[0] for test in tests))
        failed.write_text("")
        original = path.read_bytes()
        path.write_bytes(mutant.apply(original))
        try:
            seconds = SECONDS + SLOWER * sum(reach.seconds[test] for test in tests)
            status = run_in_fork(lambda: self._pytest(files, Selection(tests, failed)), output, seconds)
        finally:
            path.write_bytes(original)
        if status is None:
            return "timed out", ""
        if status > 2:
            sys.exit(f"{mutant.diff(original)}\npytest ended with status {status}:\n{output.read_text()}")
        if status == 0:
            return "survived", f"{len(tests)} tests run it"
        return "killed", failed.read_text() or ("the tests can't be imported" if status > 0 else f"signal {-status}")


def load_without_effect() -> dict[tuple[str, str, str], str]:
    """Mutants that no test can kill, with the reason: by file, and by the line before and after."""
    listed = tomllib.loads(Path(__file__).with_name("mutants_without_effect.toml").read_text(encoding="utf-8"))
    return {(entry["file"], entry["line"], entry["mutant"]): entry["reason"] for entry in listed.get("mutants", [])}


def key(source: str, mutant: Mutant, text: bytes) -> tuple[str, str, str]:
    """How a mutant is listed."""
    removed, added = mutant.changed_lines(text)
    return source, "\n".join(removed), "\n".join(added)


def candidates(topic: Topic, package: Path) -> list[tuple[str, Mutant]]:
    """All mutants of a topic, but those without effect."""
    listed = load_without_effect()
    found = []
    for source in topic.sources:
        text = (package / source).read_bytes()
        found += [(source, mutant) for mutant in find_mutants(text) if key(source, mutant, text) not in listed]
    return found


def run_topic(name: str, copy: Copy, args: argparse.Namespace) -> str:
    """Try the mutants of a topic, print what became of them, and give the row of the table."""
    topic = TOPICS[name]
    found = candidates(topic, copy.folder / "sklrnn")
    numbers = range(len(found))
    drawn = args.only or sorted(random.Random(args.seed).sample(numbers, min(args.sample, len(found))))
    print(f"{name}: {len(drawn)} of {len(found)} mutants", flush=True)
    reach = copy.record(topic)
    outcomes: collections.Counter[str] = collections.Counter()
    for number in drawn:
        source, mutant = found[number]
        outcome, why = copy.try_mutant(topic, source, mutant, reach)
        outcomes[outcome] += 1
        text = copy.path(source).read_bytes()
        if args.verbose or outcome != "killed":
            print(f"{number}: {outcome} ({why}) {source}:{mutant.line_number(text)}\n{mutant.diff(text)}", flush=True)
    detected = outcomes["killed"] + outcomes["timed out"]
    counts = f"{outcomes['killed']} | {outcomes['timed out']} | {outcomes['survived']}"
    return f"| {name} | {len(found)} | {len(drawn)} | {counts} | {100 * detected / len(drawn):.0f} % |"


def main() -> None:
    """Read the command line, and try the mutants of each topic."""
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0], epilog=f"Topics: {', '.join(TOPICS)}. Without any, all are tried."
    )
    parser.add_argument("topics", nargs="*", choices=[[], *TOPICS], metavar="topic")
    parser.add_argument("--sample", type=int, default=60, help="mutants of each topic (default: 60)")
    parser.add_argument("--seed", type=int, default=1, help="of the sample (default: 1)")
    parser.add_argument("--only", type=int, nargs="+", help="numbers of the mutants of one topic")
    parser.add_argument("--verbose", action="store_true", help="print the mutants that are killed, and by which test")
    args = parser.parse_args()
    os.environ |= {"SCIPY_ARRAY_API": "1", "MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    sys.dont_write_bytecode = True
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(Path(folder).resolve())
        os.environ["PYTHONPATH"] = folder
        sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != ROOT]
        for name in IMPORTED_BEFORE_FORKS:
            importlib.import_module(name)
        assert "sklrnn" not in sys.modules
        rows = [run_topic(name, copy, args) for name in args.topics or TOPICS]
    print("\n| topic | mutants | tried | killed | timed out | survived | score |\n|---|--:|--:|--:|--:|--:|--:|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
