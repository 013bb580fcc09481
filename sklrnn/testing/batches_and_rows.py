"""Checks that a prediction depends on its own sequence only."""

from unittest import SkipTest

import numpy as np

from sklrnn.testing.comparisons import assert_same, take_rows
from sklrnn.testing.sequence_case import SequenceCase


def check_batch_of_one_equals_batch_of_many(case: SequenceCase) -> None:
    """Each sequence alone gets the prediction that it gets among others."""
    model = case.fit()
    together = case.answers(model)
    for row in range(min(6, len(case.X))):
        assert_same(
            take_rows(case.answers(model, case.X[row : row + 1]), 0),
            take_rows(together, row),
            f"{case.name} predicts sequence {row} differently alone than in a batch of {len(case.X)}. Is the batch "
            "axis read as time, or are statistics taken over the batch?",
        )


def check_order_of_rows_does_not_matter(case: SequenceCase) -> None:
    """Predictions of shuffled sequences are the shuffled predictions."""
    model = case.fit()
    order = np.random.default_rng(1).permutation(len(case.X))
    assert_same(
        case.answers(model, case.X[order]),
        take_rows(case.answers(model), order),
        f"The predictions of {case.name} depend on the order of the sequences in a call.",
    )


def check_neighbours_do_not_matter(case: SequenceCase) -> None:
    """A sequence keeps its prediction when the others in the call become others."""
    model, row = case.fit(), len(case.X) // 2
    others = case.changed()
    others[row] = case.X[row]
    assert_same(
        take_rows(case.answers(model, others), row),
        take_rows(case.answers(model), row),
        f"The prediction of {case.name} for one sequence depends on the other sequences in the call.",
    )


def check_padding_does_not_matter(case: SequenceCase) -> None:
    """A short sequence alone gets the prediction that it gets beside longer ones."""
    model = case.fit()
    short = case.shortened(0)
    try:
        beside_longer = case.answers(model, [short, *case.X[1:4]])
    except (TypeError, ValueError) as error:
        raise SkipTest(f"{case.name} takes no sequences of several lengths: {error}") from error
    assert_same(
        take_rows(beside_longer, 0),
        take_rows(case.answers(model, case.alone(short)), 0),
        f"{case.name} predicts a sequence of {len(short)} steps differently beside sequences of {len(case.X[1])} steps."
        " Is its padding read?",
    )
