"""Predictions of small fits with fixed seeds, stored: whatever is rebuilt must not change them.

``python tests/stored_predictions.py`` runs every case and compares it with the stored file, bit for bit. Bits hold on
one processor with one version of torch, numpy and numba; ``tests/test_stored_predictions.py`` compares with a
tolerance that holds elsewhere too. To compare two states of the code bit for bit on any machine, write a file with the
one and compare the other with it::

    python tests/stored_predictions.py --to before.npz
    python tests/stored_predictions.py --against before.npz

A case is ``(what, show, options)``: a class that is made with the options, or a function that is given them, and what
is shown of it. The files of ``tests/stored_cases`` hold them, each on its own: none imports another.
"""

import argparse
import fnmatch
import importlib.util
import inspect
import json
import sys
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import threadpoolctl
import torch

HERE = Path(__file__).parent
STORED = HERE / "stored_predictions.npz"
Parts = dict[str, np.ndarray]


def load_cases() -> dict[str, tuple[Any, Any, dict[str, Any]]]:
    """Read the cases of all files, by name."""
    cases: dict[str, Any] = {}
    for path in sorted((HERE / "stored_cases").glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"stored_cases_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # a class that is defined there can then be pickled
        spec.loader.exec_module(module)
        assert not cases.keys() & module.CASES.keys(), "two cases have one name"
        cases |= module.CASES
    return cases


def run(case: tuple[Any, Any, dict[str, Any]]) -> Parts:
    """Run a case, on one thread."""
    what, show, options = case
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpoolctl.threadpool_limits(1):
            made = what(**options) if inspect.isclass(what) else partial(what, **options)
            return dict(as_parts(show(made)))
    finally:
        torch.set_num_threads(before)


def run_or_say(case: tuple[Any, Any, dict[str, Any]]) -> Parts:
    """Run a case; an error that it raises is its result, so that the other cases are still compared."""
    try:
        return run(case)
    except Exception as error:
        return {"error": np.asarray(f"{type(error).__name__}: {error}")}


def as_parts(answer: Any, name: str = "answer") -> Iterator[tuple[str, np.ndarray]]:
    """Turn an answer of any kind into named arrays of numbers, booleans or strings."""
    if isinstance(answer, dict):
        for key, value in answer.items():
            yield from as_parts(value, f"{name}.{key}")
    elif hasattr(answer, "index") and hasattr(answer, "to_numpy"):
        yield f"{name}.index", np.asarray(answer.index.map(str), dtype=str)
        yield f"{name}.columns", np.asarray([str(column) for column in getattr(answer, "columns", [])], dtype=str)
        columns = [answer[column] for column in answer] if hasattr(answer, "columns") else [answer]
        if len({column.dtype for column in columns}) == 1:
            yield from as_parts(answer.to_numpy(), name)
        else:
            for place, column in enumerate(columns):
                yield from as_parts(column.to_numpy(), f"{name}.{place}")
    else:
        yield from _sequence_as_parts(answer, name)


def _sequence_as_parts(answer: Any, name: str) -> Iterator[tuple[str, np.ndarray]]:
    items = list(answer) if isinstance(answer, list | tuple) or getattr(answer, "dtype", None) == "O" else []
    if any(isinstance(item, tuple) for item in items):
        for place, item in enumerate(items):
            yield from as_parts(list(item), f"{name}.{place}")
    elif any(isinstance(item, np.ndarray | list) and np.ndim(item) for item in items):
        # Sequences that differ in length: together, so that a short one is measured as the others are.
        yield f"{name}.shapes", np.asarray([str(np.shape(item)) for item in items], dtype=str)
        yield from as_parts(np.concatenate([np.ravel(item) for item in items]), name)
    elif any(isinstance(item, dict) for item in items):
        for place, item in enumerate(items):
            yield from as_parts(item, f"{name}.{place}")
    else:
        array = np.asarray(answer)
        yield name, np.asarray(array.tolist(), dtype=str) if array.dtype == object else array


# -- one file for all: a table of names, types and shapes, and the bytes of all arrays, one after the other ------------


def write(path: Path, results: dict[str, Parts]) -> None:
    table = [[case, part, a.dtype.str, a.shape] for case, parts in results.items() for part, a in parts.items()]
    values = b"".join(np.ascontiguousarray(a).tobytes() for parts in results.values() for a in parts.values())
    about = {"table": table, "made_with": made_with()}
    np.savez_compressed(
        path, about=np.frombuffer(json.dumps(about).encode(), np.uint8), values=np.frombuffer(values, np.uint8)
    )


def read(path: Path) -> tuple[dict[str, Parts], str]:
    """Read the results of all cases, and what they were made with."""
    with np.load(path) as stored:
        about, values = json.loads(stored["about"].tobytes()), stored["values"].tobytes()
    results: dict[str, Parts] = {}
    start = 0
    for case, part, kind, shape in about["table"]:
        count = int(np.prod(shape, dtype=int))
        array = np.frombuffer(values, np.dtype(kind), count, start) if count else np.empty(0, np.dtype(kind))
        results.setdefault(case, {})[part] = array.reshape(shape)
        start += array.nbytes
    return results, about["made_with"]


def made_with() -> str:
    versions = ", ".join(f"{library.__name__} {library.__version__}" for library in (torch, np))
    return f"{versions}, {torch.backends.cpu.get_cpu_capability()}"


# -- comparing ---------------------------------------------------------------------------------------------------------


def are_bit_equal(now: Parts, stored: Parts) -> bool:
    def bits(parts: Parts) -> list[Any]:
        return [(name, a.dtype, a.shape, a.tobytes()) for name, a in parts.items()]

    return bits(now) == bits(stored)


def largest_difference(now: Parts, stored: Parts) -> tuple[float, float]:
    """The largest absolute difference, and the largest relative to the largest number of the same array.

    Infinite where anything but a floating-point number differs.
    """
    absolute = relative = 0.0
    if now.keys() != stored.keys():
        return np.inf, np.inf
    for name, before in stored.items():
        after = now[name]
        if after.dtype.kind != before.dtype.kind or after.shape != before.shape:
            return np.inf, np.inf
        if after.dtype.kind != "f":
            if (after != before).any():
                return np.inf, np.inf
            continue
        finite = np.isfinite(before) & np.isfinite(after)
        if after.dtype != before.dtype or not np.array_equal(after[~finite], before[~finite], equal_nan=True):
            return np.inf, np.inf
        if finite.any():
            difference = float(np.abs(after - before)[finite].max())
            absolute = max(absolute, difference)
            relative = max(relative, difference / (float(np.abs(before[finite]).max()) or 1.0))
    return absolute, relative


def how_they_differ(now: Parts, stored: Parts) -> str:
    if "error" in now:
        return str(now["error"])
    if not stored:
        return "not stored"
    absolute, relative = largest_difference(now, stored)
    if absolute < np.inf:
        return f"{absolute:.3g} absolute, {relative:.3g} relative"
    names = [
        name
        for name in {**stored, **now}
        if largest_difference(*({name: one.get(name, np.empty(0))} for one in (now, stored)))[0] == np.inf
    ]
    return f"the kind, shape, strings, integers or missing values of {', '.join(names[:4])} differ"


def read_command_line() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--only", metavar="PATTERN", default="*", help="run the cases whose names match, such as '*lstm*'"
    )
    parser.add_argument(
        "--write", action="store_true", help="store the results of these cases, and forget cases that are gone"
    )
    parser.add_argument("--to", metavar="FILE", type=Path, help="write this file instead of comparing")
    parser.add_argument("--against", metavar="FILE", type=Path, default=STORED, help="compare with this file")
    options = parser.parse_args()
    if options.write and options.to:
        parser.error("--write writes the stored file: leave --to out")
    return options


def main() -> int:
    options = read_command_line()
    warnings.filterwarnings("ignore", "The default of config ``remember_data``", FutureWarning)
    all_cases = load_cases()
    cases = {name: case for name, case in all_cases.items() if fnmatch.fnmatchcase(name, options.only)}
    results = {name: run_or_say(case) for name, case in cases.items()}
    if options.to:
        write(options.to, results)
        print(f"{len(results)} cases written to {options.to}")
        return 0
    if options.write:
        failed = [f"{name}: {parts['error']}" for name, parts in results.items() if "error" in parts]
        if failed:
            print("Nothing is written, as cases fail:", *failed, sep="\n")
            return 1
        known = read(STORED)[0] | results
        write(STORED, {name: known[name] for name in all_cases if name in known})
        print(f"{len(results)} cases stored, {STORED.stat().st_size / 1000:.0f} kB")
        return 0
    stored, with_what = read(options.against)
    if with_what != made_with():
        print(f"Bits may differ for this: stored with {with_what}; here are {made_with()}.")
    different = [name for name in results if not are_bit_equal(results[name], stored.get(name, {}))]
    for name in different:
        print(f"{name}: {how_they_differ(results[name], stored.get(name, {}))}")
    gone = [name for name in stored if fnmatch.fnmatchcase(name, options.only) and name not in results]
    for name in gone:
        print(f"{name}: stored, but no case any more")
    print(f"{len(results)} cases, {len(results) - len(different)} bit-equal, {len(different)} differ")
    return 1 if different or gone else 0


if __name__ == "__main__":
    sys.exit(main())
