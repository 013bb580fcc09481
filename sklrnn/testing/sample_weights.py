"""Checks that a weight is a number of copies: 0 is absent, and k is there k times."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklrnn.testing.comparisons import assert_same
from sklrnn.testing.sequence_case import SequenceCase


def check_weight_zero_is_absence(case: SequenceCase) -> None:
    """A fit with samples of weight 0 equals a fit without these samples."""
    weights = np.ones(len(case.X))
    weights[1::4] = 0.0
    y = case.y.copy()
    y[1::4] = np.roll(y, len(y) // 3, axis=0)[1::4]  # what an absent sample says must not matter
    _compare(case, y, weights, "a sample of weight 0 counts as absent")


def check_weight_k_is_k_copies(case: SequenceCase) -> None:
    """A fit with samples of weight k equals a fit with k copies of these samples."""
    _compare(case, case.y, 1.0 + np.arange(len(case.X)) % 3, "a sample of weight k counts as k copies")


def _compare(case: SequenceCase, y: NDArray[Any], weights: NDArray[Any], claim: str) -> None:
    copies = weights.astype(int)
    # In one batch, as batches of other samples lead to other steps, and without a share that is held out.
    options = {"batch_size": 4 * len(case.X), "early_stopping": False}
    of_steps = np.repeat(weights[:, np.newaxis], case.n_steps, axis=1) if case.per_step else weights
    weighted = case.fit(case.X, y, sample_weight=of_steps, **options)
    copied = case.fit(np.repeat(case.X, copies, axis=0), np.repeat(y, copies, axis=0), **options)
    assert_same(
        case.answers(weighted),
        case.answers(copied),
        f"In {case.name}, it does not hold that {claim}: the two fits predict differently.",
    )
