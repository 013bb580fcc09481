"""Mutation testing: how many small changes of the source do the tests notice?

``python tests/mutate.py windows losses --sample 60 --seed 1`` changes the source in one place, runs the tests that
reach it, and tells what became of it: a mutant is killed if a test fails, timed out if the tests take much longer than
without it (which counts as killed), and survives otherwise. The survivors are printed with their change; each asks for
a test, or shows code that is not needed. ``--only 17`` tries the mutant with this number again.

All happens in a copy of the package. A process that has imported it and collected the tests is forked for each mutant,
whose functions then get the code of the mutant; only a mutant of what runs at import imports the package anew. So most
cost as much as the tests that run their lines, of which the shortest come first; ``--quick`` leaves out the others.
Processes that a test itself starts see no mutant of a function. Mutants that change nothing that could be observed are
listed with the reason in ``mutants_without_effect.toml``.
"""

import argparse
import ast
import collections
import functools
import gc
import importlib
import importlib.util
import inspect
import os
import pickle
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
import tomllib
import traceback
import types
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]


def load_mutators() -> Any:
    """Load the file beside this one, also where it is not on the path."""
    spec = importlib.util.spec_from_file_location("mutators", Path(__file__).with_name("mutators.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


mutators = load_mutators()
Mutant = mutators.Mutant


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
            "tests/inspection/test_split_table.py",
            "tests/inputs/test_class_hold_out.py",
            "tests/inputs/test_magnitudes.py",
            "tests/inputs/test_samples.py",
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
            "tests/estimators/test_conformal.py",
            "tests/estimators/test_cross_conformal.py",
            "tests/estimators/test_regressor.py",
            "tests/forecasting/test_calibration.py",
            "tests/forecasting/test_error_sizes.py",
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
            "tests/training/test_optimizer_steps.py",
            "tests/training/test_optimizers.py",
            "tests/training/test_temperature.py",
            "tests/training/test_train_step.py",
            "tests/training/test_trained_network.py",
            "tests/estimators/test_pooling.py",
            "tests/estimators/test_stateful.py",
            "tests/estimators/test_threads.py",
            "tests/translation/test_operations.py",
        ),
    ),
}
# Imported once for all mutants that import the package anew, if the tests of their topic use them.
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
# What a forked process can't do: it computes with one thread.
NOT_IN_FORKS = ("tests/training/test_net.py::test_operators_of_torch_have_threads_where_kernels_do_not_need_them",)
OPTIONS = ["-q", "-x", "--tb=no", "--no-header", "-p", "no:xdist", "-p", "no:cacheprovider", "--hypothesis-seed=0"]
OPTIONS += [f"--deselect={test}" for test in NOT_IN_FORKS]
# A mutant may take this much longer than the tests without it.
SLOWER, SECONDS = 4.0, 20.0

TIMED_OUT = "timed out"
NOT_REACHED = "no test runs it"
CRASHED = "the process ended"
NOT_IMPORTED = "the package or the tests can't be imported"


Report = Callable[[int, str], None]


class Reach(NamedTuple):
    """Which tests run which lines, and how long each takes; a line that runs at import has the test ''."""

    tests: dict[tuple[str, int], set[str]]
    seconds: dict[str, float]

    def of(self, path: Path, lines: tuple[int, int] | None) -> tuple[list[str], bool]:
        """The tests that run one of these lines, the shortest first, and whether importing the package does."""
        found = {""} if lines is None else set()
        for number in range(lines[0], lines[1] + 1) if lines else ():
            found |= self.tests.get((str(path), number), set())
        tests = self.seconds if "" in found else found
        return sorted(tests, key=lambda test: self.seconds[test]), "" in found

    def limit(self, tests: list[str]) -> float:
        """How long these tests may take with a mutant."""
        return SECONDS + SLOWER * sum(self.seconds[test] for test in tests)


class Recorder:
    """A plugin of pytest that records the lines of some files that importing, and then each test, runs."""

    def __init__(self, sources: list[Path]) -> None:
        self._sources = {str(path) for path in sources}
        self._test = ""
        self.tests: dict[tuple[str, int], set[str]] = collections.defaultdict(set)
        self.seconds: dict[str, float] = collections.defaultdict(float)

    def mark(self, path: str, line: int) -> None:
        """Called by functions with marks, which cost much less than tracing."""
        self.tests[path, line].add(self._test)

    def trace(self, on: bool) -> None:
        """Record what runs without marks, as functions do that are called when a module is imported."""
        for module in (threading, sys):
            module.settrace(self._enter if on else None)

    def _enter(self, frame: Any, event: str, argument: Any) -> Any:
        return self._line if frame.f_code.co_filename in self._sources else None

    def _line(self, frame: Any, event: str, argument: Any) -> Any:
        self.mark(frame.f_code.co_filename, frame.f_lineno)
        return self._line

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._test = nodeid

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.seconds[report.nodeid] += report.duration


class Loop:
    """A plugin of pytest that does some work with the collected tests in place of running them."""

    def __init__(self, work: Callable[[list[Any]], Any]) -> None:
        self._work = work
        self.result: Any = NOT_IMPORTED

    def pytest_runtestloop(self, session: Any) -> bool:
        if not session.testsfailed:
            self.result = self._work(session.items)
        return True


class FirstFailure:
    """A plugin of pytest that knows which test failed first."""

    test = ""

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self.test = self.test or report.nodeid


def run_tests(items: list[Any], tests: list[str]) -> str:
    """Run collected tests in this order until one fails, and give its name."""
    by_name = {item.nodeid: item for item in items}
    chosen = [by_name[test] for test in tests if test in by_name]
    first_failure = FirstFailure()
    chosen[0].config.pluginmanager.register(first_failure)
    for item, following in zip(chosen, [*chosen[1:], None], strict=True):
        try:
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        except (KeyboardInterrupt, SystemExit):  # these end pytest, and a mutant may raise them
            return str(item.nodeid)
        if first_failure.test:
            break
    return first_failure.test


def in_fork(work: Callable[[], Any], folder: Path, seconds: float) -> Any:
    """What the work returns in a child process; ``TIMED_OUT`` or ``CRASHED`` if it returns nothing."""
    child = os.fork()
    result, output = (folder / f"{child or os.getpid()}.{kind}" for kind in ("pickle", "txt"))
    if child == 0:
        try:
            os.setpgid(0, 0)
            with output.open("wb") as file:
                os.dup2(file.fileno(), 1)
                os.dup2(file.fileno(), 2)
            result.write_bytes(pickle.dumps(work()))
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(0)
    end, status = time.monotonic() + seconds, None
    while status is None:
        finished, waited = os.waitpid(child, os.WNOHANG)
        if finished:
            status = waited
        elif time.monotonic() > end:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return TIMED_OUT
        else:
            time.sleep(0.01)
    if status:
        return CRASHED
    if not result.exists():
        sys.exit(output.read_text())
    return pickle.loads(result.read_bytes())


class Copy:
    """The package and its tests in a folder of their own, where mutants are made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("sklrnn", "tests"):
            shutil.copytree(ROOT / name, folder / name)  # with bytecode, as copies keep their time
        for name in ("pyproject.toml", "conftest.py"):
            shutil.copy(ROOT / name, folder / name)

    def path(self, source: str) -> Path:
        return self.folder / "sklrnn" / source

    def with_collected(self, tests: Iterable[str], work: Callable[[list[Any]], Any], *plugins: Any) -> Any:
        """Import the package, collect tests and do some work with these; ``NOT_IMPORTED`` if that is not possible."""
        import pytest

        os.chdir(self.folder)
        sys.path.insert(0, str(self.folder))
        loop = Loop(work)
        pytest.main([*OPTIONS, f"--basetemp={self.folder / 'temporary'}", *tests], plugins=[loop, *plugins])
        return loop.result

    def in_new_process(self, path: Path, text: bytes, tests: list[str], seconds: float) -> str:
        """The first test that fails when the package is imported with another text of a file."""
        original = path.read_bytes()
        path.write_bytes(text)
        files = dict.fromkeys(test.split("::")[0] for test in tests)
        try:
            return str(
                in_fork(lambda: self.with_collected(files, lambda items: run_tests(items, tests)), self.folder, seconds)
            )
        finally:
            path.write_bytes(original)


class Trial:
    """The mutants of functions, tried in a process that has imported the package and collected the tests of a topic."""

    def __init__(self, copy: Copy, items: list[Any], recorder: Recorder, paths: list[Path]) -> None:
        recorder.trace(False)
        self._copy, self._items = copy, items
        self._functions: dict[str, list[types.FunctionType]] = collections.defaultdict(list)
        for each in gc.get_objects():
            if type(each) is types.FunctionType:  # isinstance would ask proxies for their class
                self._functions[each.__code__.co_filename].append(each)
        gc.freeze()  # children need no copies of what is only looked at

        def work() -> tuple[str, Any, Any]:
            for path in paths:
                for function, code in self._new_codes(path, mutators.with_marks(path.read_bytes())):
                    function.__globals__["__mark__"] = functools.partial(recorder.mark, str(path))
                    function.__code__ = code
            failed = run_tests(items, [item.nodeid for item in items])
            return failed, dict(recorder.tests), dict(recorder.seconds)

        failed, tests, seconds = in_fork(work, copy.folder, 3600.0)
        if failed:
            sys.exit(f"{failed} fails without any mutant")
        self.reach = Reach(tests, seconds)

    def first_failure(self, path: Path, mutant: Mutant) -> str | None:
        """The first test that fails; None if the package must be imported anew."""
        tests, is_import = self.reach.of(path, mutant.lines)
        if not tests:
            return NOT_REACHED
        if is_import:
            return None
        functions = list(self._new_codes(path, mutant.apply(path.read_bytes())))
        if not functions or any(len(old.__code__.co_freevars) != len(new.co_freevars) for old, new in functions):
            return None

        def work() -> str:
            for function, code in functions:
                function.__code__ = code
            return run_tests(self._items, tests)

        return str(in_fork(work, self._copy.folder, self.reach.limit(tests)))

    def _new_codes(self, path: Path, source: bytes | ast.Module) -> Iterator[tuple[types.FunctionType, types.CodeType]]:
        """The functions of a file that differ, and their code in the mutant."""
        before, after = (list(_functions_of(compile(each, str(path), "exec"))) for each in (path.read_bytes(), source))
        codes = {(old.co_qualname, old.co_firstlineno): new for old, new in zip(before, after, strict=True)}
        for function in self._functions[str(path)]:
            old = function.__code__
            new = codes.get((old.co_qualname, old.co_firstlineno))
            if new is not None and new != old:
                yield function, new


def _functions_of(code: types.CodeType) -> Iterator[types.CodeType]:
    """The functions of a module, or of a class, without those in them."""
    for each in code.co_consts:
        if isinstance(each, types.CodeType):
            yield from [each] if each.co_flags & inspect.CO_NEWLOCALS else _functions_of(each)


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
        found += [(source, mutant) for mutant in mutators.find_mutants(text) if key(source, mutant, text) not in listed]
    return found


def try_mutants(copy: Copy, topic: Topic, mutants: dict[int, tuple[str, Mutant]], report: Report, quick: bool) -> None:
    """Try the mutants of a topic, those first for which the package need not be imported anew; ``quick`` only those."""
    left: list[int] = []

    def work(items: list[Any]) -> Reach:
        trial = Trial(copy, items, recorder, paths)
        for number, (source, mutant) in mutants.items():
            found = trial.first_failure(copy.path(source), mutant)
            left.append(number) if found is None else report(number, found)
        return trial.reach

    paths = [copy.path(source) for source in topic.sources]
    recorder = Recorder(paths)

    def collect_and_work() -> tuple[Any, list[int], list[str]]:
        recorder.trace(True)
        reach = copy.with_collected(topic.tests, work, recorder)
        return reach, left, [name for name in IMPORTED_BEFORE_FORKS if name in sys.modules]

    reach, left, imported = in_fork(collect_and_work, copy.folder, 24 * 3600.0)
    if not isinstance(reach, Reach):
        sys.exit("".join(path.read_text() for path in copy.folder.glob("*.txt")))
    for name in () if quick else imported:
        importlib.import_module(name)
    for number in () if quick else left:
        source, mutant = mutants[number]
        path = copy.path(source)
        tests, _ = reach.of(path, mutant.lines)
        text = mutant.apply(path.read_bytes())
        report(number, copy.in_new_process(path, text, tests, 2 * SECONDS + reach.limit(tests)))


def run_topic(name: str, copy: Copy, args: argparse.Namespace) -> str:
    """Try some mutants of a topic, print what became of them, and give the row of the table."""
    topic = TOPICS[name]
    if args.tests:
        topic = topic._replace(tests=tuple(args.tests))
    found = candidates(topic, copy.folder / "sklrnn")
    drawn = args.only or sorted(random.Random(args.seed).sample(range(len(found)), min(args.sample, len(found))))
    log = (copy.folder / "outcomes.txt").open("w+")  # a child process writes to it too
    printed = os.fdopen(os.dup(1), "w")
    print(f"{name}: {len(drawn)} of {len(found)} mutants", file=printed, flush=True)

    def report(number: int, failed: str) -> None:
        source, mutant = found[number]
        outcome = {TIMED_OUT: TIMED_OUT, "": "survived", NOT_REACHED: "survived"}.get(failed, "killed")
        print(outcome, file=log, flush=True)
        if args.verbose or outcome != "killed":
            text = copy.path(source).read_bytes()
            mutant_text = f"{source}:{mutant.line_number(text)}\n{mutant.diff(text)}"
            print(f"{number}: {outcome} ({failed or 'all tests pass'}) {mutant_text}", file=printed, flush=True)

    try_mutants(copy, topic, {number: found[number] for number in drawn}, report, args.quick)
    log.seek(0)
    outcomes = collections.Counter(log.read().splitlines())
    detected, n_tried = outcomes["killed"] + outcomes[TIMED_OUT], outcomes.total()
    counts = f"{outcomes['killed']} | {outcomes[TIMED_OUT]} | {outcomes['survived']}"
    row = f"| {name} | {len(found)} | {n_tried} | {counts} | {100 * detected / max(n_tried, 1):.0f} % |"
    print(row, file=printed, flush=True)
    return row


def main() -> None:
    """Read the command line, and try the mutants of each topic."""
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0], epilog=f"Topics: {', '.join(TOPICS)}. Without any, all are tried."
    )
    parser.add_argument("topics", nargs="*", choices=[[], *TOPICS], metavar="topic")
    parser.add_argument("--sample", type=int, default=60, help="mutants of each topic (default: 60)")
    parser.add_argument("--seed", type=int, default=1, help="of the sample (default: 1)")
    parser.add_argument("--only", type=int, nargs="+", help="numbers of the mutants of one topic")
    parser.add_argument("--tests", nargs="+", help="files or folders of tests, in place of those of the topic")
    parser.add_argument("--quick", action="store_true", help="leave out mutants for which the package is imported anew")
    parser.add_argument("--verbose", action="store_true", help="print the mutants that are killed, and by which test")
    args = parser.parse_args()
    os.environ |= {"SCIPY_ARRAY_API": "1", "MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    sys.dont_write_bytecode = True  # else that of a mutant could be taken for that of the source
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(Path(folder).resolve())
        os.environ["PYTHONPATH"] = folder
        sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != ROOT]
        rows = [run_topic(name, copy, args) for name in args.topics or TOPICS]
    print("\n| topic | mutants | tried | killed | timed out | survived | score |\n|---|--:|--:|--:|--:|--:|--:|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
