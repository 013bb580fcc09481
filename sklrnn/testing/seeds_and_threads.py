"""Checks that a seed decides a fit, wherever it runs, and that nothing global is used or touched."""

import random
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import joblib
import numpy as np

from sklrnn.testing.checked import Checked
from sklrnn.testing.comparisons import assert_same


def check_same_seed_gives_the_same_fit(case: Checked) -> None:
    """Two fits with one `random_state` are equal, whatever was drawn from global generators before."""
    before = _global_states()
    try:
        found = []
        for seed in (1, 2):
            _seed_global_generators(seed)
            found.append(case.answers(case.fit()))
    finally:
        _restore(before)
    assert_same(
        found[0],
        found[1],
        f"Two fits of {case.name} with the same random_state differ. Does it draw from a global generator?",
    )


def check_same_seed_gives_the_same_fit_in_threads(case: Checked) -> None:
    """Fits that run in threads at the same time equal the fit in the main thread."""
    alone = case.answers(case.fit())
    with ThreadPoolExecutor(2) as threads:
        found = [*threads.map(lambda _: case.answers(case.fit()), range(4))]
    for answers in found:
        assert_same(answers, alone, f"A fit of {case.name} in a thread differs from one with the same seed alone.")


def check_same_seed_gives_the_same_fit_in_processes(case: Checked) -> None:
    """A fit in another process equals the fit here."""
    # With n_jobs=1 joblib would run it here.
    (answers,) = joblib.Parallel(n_jobs=2, backend="loky")([joblib.delayed(_fit_and_answer)(case)])
    assert_same(
        answers,
        case.answers(case.fit()),
        f"A fit of {case.name} in another process differs from one with the same seed here.",
    )


def _fit_and_answer(case: Checked) -> Any:
    return case.answers(case.fit())


def check_global_generators_are_untouched(case: Checked) -> None:
    """`fit` and `predict` neither seed nor use the generators of random, numpy and torch."""
    before = _global_states()
    case.answers(case.fit())
    after = _global_states()
    touched = [name for name in before if not np.array_equal(after[name][0], before[name][0])]
    if touched:
        raise AssertionError(
            f"fit or predict of {case.name} drew from or seeded the global generator of {', '.join(touched)}. "
            "Use a generator of its own, made from random_state."
        )


@contextmanager
def seeded_globally() -> Iterator[None]:
    """Seed the global generators for a fit that has no seed of its own, and restore them."""
    before = _global_states()
    _seed_global_generators(0)
    try:
        yield
    finally:
        _restore(before)


def _global_states() -> dict[str, tuple[Any, Any]]:
    """The state of each global generator as numbers, and as what restores it."""
    python: Any = random.getstate()
    of_numpy: Any = np.random.get_state()  # noqa: NPY002
    states = {
        "random": (np.array(python[1]), python),
        "numpy.random": (np.append(of_numpy[1], of_numpy[2]), of_numpy),
    }
    torch = sys.modules.get("torch")
    if torch is not None:
        states["torch"] = (torch.get_rng_state().numpy(), torch.get_rng_state())
    return states


def _seed_global_generators(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)


def _restore(states: dict[str, tuple[Any, Any]]) -> None:
    random.setstate(states["random"][1])
    np.random.set_state(states["numpy.random"][1])  # noqa: NPY002
    if "torch" in states:
        sys.modules["torch"].set_rng_state(states["torch"][1])
