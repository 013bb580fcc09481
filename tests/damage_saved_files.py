"""Damage saved models at random, and count what loading does: an error, the same answers, or (never) other answers.

::

    python tests/damage_saved_files.py --flips 1000000 --truncations 1000

Flips change one bit of a file, truncations cut it. Each format is damaged in processes with a limit of memory, which
are started again when one ends.
"""

import argparse
import io
import multiprocessing
import pickle
import resource
import time
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

import joblib
import numpy as np
import skops.io

import sklrnn

X = np.random.default_rng(0).normal(size=(30, 4, 1))
MEMORY = 4 * 2**30
Load = Callable[[bytes], Any]


def with_joblib(model: Any) -> bytes:
    file = io.BytesIO()
    joblib.dump(model, file)
    return file.getvalue()


FORMATS: dict[str, tuple[Callable[[Any], bytes], Load]] = {
    "pickle": (pickle.dumps, pickle.loads),
    "joblib": (with_joblib, lambda content: joblib.load(io.BytesIO(content))),
    "skops": (skops.io.dumps, lambda content: skops.io.loads(content, trusted=sklrnn.trusted_types())),
}


def damage(content: bytes, number: int, n_truncations: int) -> bytes:
    """The file of this number: the first ones are cut, the others have one other bit."""
    rng = np.random.default_rng(number)
    if number < n_truncations:
        return content[: rng.integers(len(content))]
    changed = bytearray(content)
    changed[rng.integers(len(content))] ^= 1 << rng.integers(8)
    return bytes(changed)


def outcome(load: Load, content: bytes, expected: Any) -> str:
    try:
        answers = load(content).predict(X)
    except Exception as error:
        return f"error: {type(error).__name__}"
    same = isinstance(answers, np.ndarray) and answers.shape == expected.shape and (answers == expected).all()
    return "the same answers" if same else "other answers"


def work(name: str, content: bytes, expected: Any, numbers: range, n_truncations: int, connection: Any) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    load = FORMATS[name][1]
    for number in numbers:
        connection.send((number, None))
        connection.send((number, outcome(load, damage(content, number, n_truncations), expected)))


def count(name: str, model: Any, n: int, n_truncations: int) -> Counter[str]:
    """How often each outcome occurred."""
    content, expected = FORMATS[name][0](model), model.predict(X)
    assert outcome(FORMATS[name][1], content, expected) == "the same answers"
    found: Counter[str] = Counter()
    first = 0
    while first < n:
        ours, theirs = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.Process(
            target=work, args=(name, content, expected, range(first, n), n_truncations, theirs)
        )
        process.start()
        theirs.close()
        try:
            while first < n:
                number, what = ours.recv()
                if what is not None:
                    found[what] += 1
                first = number + (what is not None)
        except EOFError:
            found["the process ended"] += 1
            first += 1
        process.join()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flips", type=int, default=10_000)
    parser.add_argument("--truncations", type=int, default=1_000)
    parser.add_argument("--formats", nargs="*", default=list(FORMATS), choices=FORMATS)
    asked = parser.parse_args()
    model = sklrnn.GRURegressor(units=3, max_epochs=1, random_state=0).fit(X, X.sum(axis=(1, 2)))
    for name in asked.formats:
        start = time.perf_counter()
        found = count(name, model, asked.truncations + asked.flips, asked.truncations)
        seconds = time.perf_counter() - start
        print(f"{name}, {len(FORMATS[name][0](model))} bytes, {seconds:.0f} s", flush=True)
        for what, times in found.most_common():
            print(f"    {what}: {times}", flush=True)


if __name__ == "__main__":
    main()
