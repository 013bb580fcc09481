"""Values that are exchanged between sequences, at the same distance from their newest steps."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklrnn.inputs.ragged import Sequences, concatenate_steps, lengths_of, restore_form

Array = NDArray[Any]


def exchange_steps(sequences: Sequences, steps_back: range, feature: int, order: Array) -> Array:
    """The concatenated steps of sequences, with the values of some steps and one feature exchanged between samples.

    ``order`` is a permutation of the samples. A sample that is too short to have a step takes no part in its exchange;
    where all have the steps, the values of a sample stay together.
    """
    flat, lengths = concatenate_steps(sequences), lengths_of(sequences)
    newest = np.cumsum(lengths) - 1
    exchanged = flat.copy()
    for step in steps_back:
        takers, givers = np.flatnonzero(lengths > step), order[lengths[order] > step]
        exchanged[newest[takers] - step, feature] = flat[newest[givers] - step, feature]
    return exchanged


def in_given_form(given: Any, sequences: Sequences, flat: Array, *, is_table: bool) -> Any:
    """Concatenated steps of the sequences in the form in which these were given: a table, an array or a list."""
    if not is_table:
        return restore_form(given, sequences, flat)
    table = flat.reshape(len(sequences), -1)
    if not hasattr(given, "columns"):
        return table
    return type(given)({name: table[:, number] for number, name in enumerate(given.columns)})
