"""Series in the container of the user, as one table of rows, and back."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn import get_config

from sklrnn.inputs.numeric import refuse_nested
from sklrnn.inputs.ragged import concatenate_steps, lengths_of, restore_form
from sklrnn.inputs.validation import check_sequences
from sklrnn.timeline.calendar_features import dates_of
from sklrnn.timeline.panel import RowNumbers, split_entities, times_of
from sklrnn.timeline.time_index import read_entity_times

Array = NDArray[Any]

_FORMS = {2: "a table (row, feature)", 3: "sequences (sample, time, feature)"}


class GivenSeries(NamedTuple):
    """Rows as they came, NaN where a value is missing; ``order`` brings those of a series together."""

    values: Array
    lengths: RowNumbers
    order: RowNumbers
    dates: Any
    restore: Callable[[Array], Any]


def read_given_series(estimator: Any, X: Any, *, reset: bool, missing_values: float = np.nan) -> GivenSeries:
    """Read a Series or a table, which is one series or a panel with a MultiIndex, or sequences, each a series."""
    if hasattr(X, "to_frame") and len(X.shape) == 1:
        refuse_nested(X, of=type(estimator).__name__)
        table = read_given_series(estimator, X.to_frame(), reset=reset, missing_values=missing_values)
        return table._replace(restore=lambda rows: _series_like(X, rows, estimator))
    _refuse_other_form(estimator, X, reset=reset)
    checked = check_sequences(estimator, X, reset=reset, allow_nan=bool(np.isnan(missing_values)))
    if estimator._rank_in == 2:
        return _read_table(X, _mark(concatenate_steps(checked).reshape(len(checked), -1), missing_values))
    flat = _mark(concatenate_steps(checked), missing_values)
    lengths = lengths_of(checked)
    return GivenSeries(flat, lengths, np.arange(len(flat)), None, lambda rows: restore_form(X, checked, rows))


def _read_table(X: Any, table: Array) -> GivenSeries:
    index = X.index if hasattr(X, "iloc") else None
    entities = split_entities(index)
    # Rows out of time order would be interpolated from the wrong neighbours.
    read_entity_times(times_of(index), entities)
    order = np.concatenate([entity.row_numbers(len(table)) for entity in entities])
    lengths = np.array([len(table[entity.rows]) for entity in entities])
    return GivenSeries(table, lengths, order, dates_of(X), lambda rows: rows)


def _series_like(X: Any, rows: Array, estimator: Any) -> Any:
    """A Series with the name and the index of X; a frame where an indicator stands beside it."""
    configured = getattr(estimator, "_sklearn_output_config", {}).get("transform", get_config()["transform_output"])
    if configured != "default":
        return rows  # scikit-learn puts them into the container that was asked for
    index = {"index": X.index} if hasattr(X, "iloc") else {}
    if rows.shape[1] == 1:
        return type(X)(name=X.name, **{"data" if index else "values": rows[:, 0]}, **index)
    columns = dict(zip(estimator.get_feature_names_out(), rows.T, strict=True))
    return type(X.to_frame())(columns, **index)


def _mark(values: Array, missing_values: float) -> Array:
    return values if np.isnan(missing_values) else np.where(values == missing_values, np.nan, values)


def _refuse_other_form(estimator: Any, X: Any, *, reset: bool) -> None:
    """A fitted imputer must not take the steps of sequences for rows of a table, or the reverse."""
    known, rank = getattr(estimator, "_rank_in", None), getattr(X, "ndim", None)
    if not reset and rank in _FORMS and known in _FORMS and rank != known:
        raise ValueError(
            f"{type(estimator).__name__} was fitted on {_FORMS[known]}, got {_FORMS[rank]}. A table is one series: "
            "pass it as X[np.newaxis], or sequences one by one."
        )
