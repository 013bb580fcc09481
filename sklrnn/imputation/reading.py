"""Series in the form in which a user gave them, as one table of rows, and the way back."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sklrnn.inputs.ragged import Ragged, concatenate_steps, in_the_form_of, shaped_like
from sklrnn.inputs.validation import check_sequences
from sklrnn.timeline.calendar_features import dates_of
from sklrnn.timeline.table import split_entities
from sklrnn.timeline.time_index import read_series

Array = NDArray[Any]
Rows = NDArray[np.intp]

_FORMS = {2: "a table (row, feature)", 3: "sequences (sample, time, feature)"}


class GivenSeries(NamedTuple):
    """Rows as they came, NaN where a value is missing; ``order`` brings those of a series together."""

    values: Array
    lengths: Rows
    order: Rows
    dates: Any
    restore: Callable[[Array], Any]


def read_given_series(estimator: Any, X: Any, *, reset: bool, missing_values: float = np.nan) -> GivenSeries:
    """Read a table, which is one series or a panel with a MultiIndex, or sequences, of which each is a series."""
    _refuse_other_form(estimator, X, reset=reset)
    checked = check_sequences(estimator, X, reset=reset, allow_nan=bool(np.isnan(missing_values)))
    if estimator._rank_in == 2:
        return _read_table(X, _mark(concatenate_steps(checked).reshape(len(checked), -1), missing_values))
    flat = _mark(concatenate_steps(checked), missing_values)
    lengths = checked.lengths if isinstance(checked, Ragged) else np.full(len(checked), checked.shape[1])
    are_univariate = not hasattr(X, "shape") or X.ndim == 1  # a list, or an object array
    are_univariate &= np.ndim(X[0]) == 1

    def restore(rows: Array) -> Any:
        single = are_univariate and rows.shape[1] == 1
        return in_the_form_of(X, shaped_like(checked, rows[:, 0] if single else rows))

    return GivenSeries(flat, lengths, np.arange(len(flat)), None, restore)


def _read_table(X: Any, table: Array) -> GivenSeries:
    entities = split_entities(X)
    index = X.index if hasattr(X, "iloc") else None
    if getattr(index, "nlevels", 1) > 1:
        index = index.get_level_values(-1)  # type: ignore[union-attr]
    # Rows that are not in the order of time would be neighbours of strangers.
    read_series(index, entities)
    order = np.concatenate([np.arange(len(table))[entity.rows] for entity in entities])
    lengths = np.array([len(table[entity.rows]) for entity in entities])
    return GivenSeries(table, lengths, order, dates_of(X), lambda rows: rows)


def _mark(values: Array, missing_values: float) -> Array:
    return values if np.isnan(missing_values) else np.where(values == missing_values, np.nan, values)


def _refuse_other_form(estimator: Any, X: Any, *, reset: bool) -> None:
    """A fitted imputer must not take the steps of sequences for rows of a table, or the reverse."""
    known, rank = getattr(estimator, "_rank_in", None), getattr(X, "ndim", None)
    if not reset and rank in _FORMS and known in _FORMS and rank != known:
        raise ValueError(
            f"{type(estimator).__name__} was fitted on {_FORMS[known]}, got {_FORMS[rank]}. A table is one series: pass it "
            "as X[np.newaxis], or sequences one by one."
        )
