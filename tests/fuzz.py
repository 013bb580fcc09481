"""Random estimators, options and inputs: each try gives a finite answer of the right shape, or a documented error.

``python tests/fuzz.py --tries 5000 --seed 1`` prints how many tries had which outcome. A try is a short program, made
from the seed and its number; that of a failure is printed, and ``--only NUMBER`` runs it again with its traceback.

The programs are in `fuzz_programs.py`. A program may hold something that has to be refused, such as strings in X or a
misspelt option: then an answer is a failure too. So is any error but those of `DOCUMENTED`, a warning of a kind that
is not meant for users or that comes twice, an input that was changed, and an old model that a failed fit changed.
"""

import argparse
import collections
import importlib.util
import linecache
import sys
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import scipy.sparse
import torch
from skbase._exceptions import NotFittedError as SkbaseNotFittedError
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning, NotFittedError, UndefinedMetricWarning


def load_programs() -> Any:
    """Load the file beside this one, also where it is not on the path."""
    spec = importlib.util.spec_from_file_location("fuzz_programs", Path(__file__).with_name("fuzz_programs.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


programs = load_programs()
Program = programs.Program

DOCUMENTED = (ValueError, TypeError, NotFittedError, SkbaseNotFittedError)
# Inherits from one of them, but comes from a computation.
UNDOCUMENTED = (np.linalg.LinAlgError,)
FOR_USERS = (UserWarning, ConvergenceWarning, DataConversionWarning, UndefinedMetricWarning)
# The name of the file that a program seems to stand in.
PLACE = "<try>"
# sktime warns about a default of its own whenever one of its forecasters is made.
OF_SKTIME = "The default of config ``remember_data``"


class WrongAnswer(Exception):
    """An answer of the wrong shape or kind, or one that is not finite."""


@dataclass(frozen=True)
class Outcome:
    """What became of a try: ``kind`` is "answer" or the name of an error; ``failure`` says what is wrong with it."""

    kind: str
    failure: str = ""
    details: str = ""


def run_try(seed: int, number: int) -> tuple[Program, Outcome]:
    """Make the program of a try, and run it."""
    program = programs.draw(seed, number)
    return program, run(program)


def run(program: Program) -> Outcome:
    """Run a program, and evaluate what it does."""
    linecache.cache[PLACE] = (0, None, [f"{line}\n" for line in program.lines], PLACE)
    names = {
        "np": np,
        "pd": pd,
        "pl": pl,
        "torch": torch,
        "sparse": scipy.sparse,
        "expect": expect,
        "expect_equal": expect_equal,
        "refuse": refuse,
    }
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        exec(compile("\n".join(program.setup), PLACE, "exec"), names)
        before = {name: snapshot(names[name]) for name in program.inputs}
        caught.clear()
        # Behind the lines of the set-up, so that a traceback names the line of the program as it is printed.
        code = compile("\n" * len(program.setup) + "\n".join(program.actions), PLACE, "exec")
        outcome = evaluate(program, lambda: exec(code, names))
    if outcome.failure:
        return outcome
    changed = [name for name in program.inputs if snapshot(names[name]) != before[name]]
    if changed:
        return Outcome(outcome.kind, f"changed its input {', '.join(changed)}")
    for warning in caught:
        if not is_for_users(warning):
            kind = warning.category.__name__
            return Outcome(outcome.kind, f"{kind} from {warning.filename}:{warning.lineno}: {warning.message}")
    repeated = collections.Counter((each.filename, each.lineno, str(each.message)) for each in caught)
    for (_, line, text), times in repeated.items():
        if times > 1:
            return Outcome(outcome.kind, f"{times} times the same warning for line {line}: {text}")
    return outcome


def evaluate(program: Program, work: Callable[[], Any]) -> Outcome:
    """Run the actions of a program, and say how they end."""
    try:
        work()
    except WrongAnswer as error:
        return Outcome("answer", f"wrong answer: {error}", traceback.format_exc())
    except Exception as error:
        kind, details = type(error).__name__, traceback.format_exc()
        if not isinstance(error, DOCUMENTED) or isinstance(error, UNDOCUMENTED):
            return Outcome(kind, f"{kind}: {error}", details)
        if not was_raised_on_purpose(error):
            return Outcome(kind, f"{kind} by accident: {error}", details)
        if not str(error).strip():
            return Outcome(kind, f"{kind} without a message", details)
        return Outcome(kind, details=str(error))
    if program.refused:
        return Outcome("answer", f"took without an error: {'; '.join(program.refused)}")
    return Outcome("answer")


def was_raised_on_purpose(error: Exception) -> bool:
    """Whether an error comes from a ``raise``, from a conversion by scikit-learn or sktime, or from the call itself."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return (
        (last.line or "").lstrip().startswith("raise")
        or last.filename == PLACE
        or bool({"sklearn", "sktime"} & {*Path(last.filename).parts})
    )


def is_for_users(warning: warnings.WarningMessage) -> bool:
    """Whether a warning may be seen by users: of a kind for them, about a line of theirs, or one of sktime's own."""
    if str(warning.message).startswith(OF_SKTIME):
        return True
    place = Path(warning.filename).parts
    return warning.category in FOR_USERS and (warning.filename == PLACE or bool({"sklearn", "sktime"} & {*place}))


def snapshot(value: Any) -> Any:
    """What must not change of an input."""
    if isinstance(value, np.ndarray) and value.dtype != object:
        return value.tobytes()
    if isinstance(value, pd.DataFrame | pd.Series):
        return repr(value.index), value.to_csv()
    if isinstance(value, list | np.ndarray):
        return [snapshot(item) for item in value]
    return repr(value)


# -- what the programs say of answers ----------------------------------------------------------------------------------


def expect(
    answer: Any, shape: tuple[int | None, ...] | None = None, *, n: int | None = None, among: Any = None
) -> None:
    """An answer of a shape, None for any size, or a list of ``n`` sequences; its numbers are finite."""
    if n is not None and len(answer) != n:
        raise WrongAnswer(f"{len(answer)} instead of {n} items")
    if shape is not None:
        got = np.shape(answer)
        if len(got) != len(shape) or any(want not in (None, size) for want, size in zip(shape, got, strict=True)):
            raise WrongAnswer(f"shape {got} instead of {shape}")
    if among is not None and not {*np.ravel(answer).tolist()} <= {*np.ravel(np.asarray(among)).tolist()}:
        raise WrongAnswer(f"labels {np.unique(answer)} that are not among those of fit")
    for part in answer if isinstance(answer, list) else [answer]:
        values = np.asarray(part)
        if values.dtype.kind in "fc" and not np.isfinite(values).all():
            raise WrongAnswer(f"{(~np.isfinite(values)).sum()} of {values.size} numbers are not finite")


def refuse(reason: str) -> None:
    """Reached only if something went through that has to be refused."""
    raise WrongAnswer(f"took without an error: {reason}")


def expect_equal(answer: Any, other: Any) -> None:
    """Two answers that hold the same."""
    if snapshot(answer) != snapshot(other):
        raise WrongAnswer(f"{answer} is not {other}")


# -- many tries --------------------------------------------------------------------------------------------------------


def run_tries(seed: int, numbers: Any) -> tuple[collections.Counter[str], dict[int, tuple[Program, Outcome]]]:
    """Count the outcomes of tries, and keep the failures by number."""
    counts: collections.Counter[str] = collections.Counter()
    failures = {}
    for number in numbers:
        program, outcome = run_try(seed, number)
        counts["failure" if outcome.failure else outcome.kind] += 1
        if outcome.failure:
            failures[number] = program, outcome
    return counts, failures


def report(seed: int, number: int, program: Program, outcome: Outcome) -> str:
    """A failure in words, and what reproduces it."""
    return "\n".join(
        [
            f"# try {number} of seed {seed}: {outcome.failure}",
            f"# python tests/fuzz.py --seed {seed} --only {number} runs it again",
            *program.lines,
            "",
        ]
    )


def main() -> int:
    """Run as a script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=1000, help="how many tries (default: 1000)")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other tries (default: 0)")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="run this try alone, and print its traceback")
    given = parser.parse_args()
    counts, failures = run_tries(given.seed, range(given.tries) if given.only is None else [given.only])
    for number, (program, outcome) in failures.items():
        print(report(given.seed, number, program, outcome))
        if given.only is not None:
            print(outcome.details)
    print(f"{counts.total()} tries of seed {given.seed}:")
    for kind, count in counts.most_common():
        print(f"{count:7d} {kind}")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
