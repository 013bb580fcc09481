"""The only place where what a user passes becomes checked arrays."""

from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.validation import validate_data

from sklrnn.inputs.input_errors import refuse_texts, with_advice
from sklrnn.inputs.memory_maps import warn_of_copy
from sklrnn.inputs.numeric import read_numbers, refuse_nested, refusing_huge_ints
from sklrnn.inputs.ragged import (
    Ragged,
    Sequences,
    concatenate_steps,
    is_object_array_of_sequences,
    lengths_of,
    read_rows,
    rows_of,
    shaped_like,
)
from sklrnn.inputs.target_types import read_targets

Array = NDArray[Any]
FLOATS = (np.float64, np.float32)
# scikit-learn looks for NaN in the sum of all values, in which large ones of both signs overflow.
_let_sums_overflow = np.errstate(over="ignore", invalid="ignore")


@refusing_huge_ints("X")
@_let_sums_overflow
def check_sequences(
    estimator: Any, X: Any, *, reset: bool, n_timesteps: int | None = None, allow_nan: bool = False
) -> Sequences:
    """Read ``X`` as ``(sample, time, feature)``; windows given as a view stay a view.

    Two-dimensional data is one univariate series a row, or ``n_timesteps`` time-major blocks of columns a row.
    A list or object array of sequences that differ in length becomes ``Ragged``. NaN passes where it is allowed.
    ``n_features_in_`` is the last axis of what the user gave: the columns of a table, the features of sequences.
    """
    refuse_texts(estimator, X)
    finite: Any = "allow-nan" if allow_nan else True
    X = read_numbers(X, "X")
    warn_of_copy(X, "X")
    refuse_nested(X, of=type(estimator).__name__)
    if _is_list_of_sequences(estimator, X, reset=reset):
        return _check_list(estimator, X, reset=reset, finite=finite)
    if not hasattr(X, "iloc") and not hasattr(X, "toarray"):
        X = _as_array(estimator, X)
    if getattr(X, "ndim", 2) != 3:
        return _check_table(estimator, X, reset=reset, n_timesteps=n_timesteps, finite=finite)
    name = type(estimator).__name__
    if 0 in X.shape[1:]:
        raise ValueError(
            f"{name} needs at least one time step and one feature, got X of shape (sample, time, feature) = {X.shape}."
        )
    _check_same_rank(estimator, 3, reset=reset)
    checked = _check_values(estimator, X, X, finite)
    # validate_data would take the time axis for the features, so it is shown the last step only.
    validate_data(estimator, checked[:, -1, :], reset=reset, skip_check_array=True)
    return checked


def check_tokens(estimator: Any, X: Any, *, reset: bool) -> Sequences:
    """Read ``X`` as integer tokens, (sample, time, 1): from a table, or a list or object array of sequences."""
    refuse_texts(estimator, X)
    name = type(estimator).__name__
    X = read_numbers(X, "X")
    warn_of_copy(X, "X")
    refuse_nested(X, of=name)
    is_table = (
        hasattr(X, "iloc") or hasattr(X, "columns") or (hasattr(X, "ndim") and not is_object_array_of_sequences(X))
    )
    if is_table:
        array = np.asarray(X)
        if array.ndim not in (2, 3) or 0 in array.shape:
            raise ValueError(f"{name} reads tokens (sample, time), got an array of shape {array.shape}.")
        rows: Any = array if array.ndim == 3 else array[:, :, np.newaxis]
    else:
        if not len(X):
            raise ValueError(f"{name} needs at least one sample, got an empty {type(X).__name__}.")
        rows = Ragged.from_list(read_rows(X))
    if rows.shape[2] != 1:
        raise ValueError(
            f"With embedding_dim each step of X is one token, got {rows.shape[2]} features in a step. "
            "Pass tokens as (sample, time), or set embedding_dim=None."
        )
    flat = concatenate_steps(rows)
    wrong = _first_that_is_no_token(flat[:, 0])
    if wrong is not None:
        row = int(np.searchsorted(np.cumsum(lengths_of(rows)), wrong, side="right"))
        raise ValueError(
            f"With embedding_dim X holds tokens, whole numbers from 0, got {flat[wrong].item()!r} in sample {row}. "
            "Number the tokens first, for example with TokenEncoder (they end below 2**53), or set embedding_dim=None."
        )
    flat = flat.astype(np.int64)
    validate_data(estimator, flat[:1], reset=reset, skip_check_array=True)
    return _as_array_if_even(shaped_like(rows, flat))


def _first_that_is_no_token(values: Array) -> int | None:
    """The position of the first value that is no token."""
    if values.dtype.kind == "b":
        return None
    if values.dtype.kind in "iuf":
        wrong = np.flatnonzero(~((values >= 0) & (values == np.floor(values)) & (np.abs(values) < 2**53)))
        return int(wrong[0]) if len(wrong) else None
    return next((i for i, v in enumerate(values.tolist()) if isinstance(v, str) or not _is_whole(v)), None)


def _is_whole(value: Any) -> bool:
    try:
        return bool(value == int(value) and 0 <= value < 2**53)
    except (TypeError, ValueError, OverflowError):
        return False


def check_single_step(estimator: Any, architecture: Any, x: Any) -> Array:
    """Check the features of one time step of one sequence, for streaming."""
    if type(x) is np.ndarray and x.dtype in FLOATS and x.shape == (architecture.n_features,) and np.isfinite(x).all():
        return x  # the checks below would take longer than the network
    x = read_numbers(x, "x")
    if architecture.n_tokens:
        token: Any = check_tokens(estimator, np.reshape(x, (1, 1, -1)), reset=False)
        return np.asarray(token[0, 0])
    step: Array = np.atleast_1d(np.asarray(x, dtype=None))
    n_features = architecture.n_features
    if step.shape != (n_features,):
        raise ValueError(
            f"A step of this stream holds {n_features} feature(s), got an array of shape {step.shape}. "
            "Pass the values of one time step at a time."
        )
    if step.dtype in FLOATS and np.isfinite(step).all():
        return step
    finite = "allow-nan" if architecture.flag_missing else True
    return check_array(step[np.newaxis], dtype=FLOATS, estimator=estimator, input_name="x", ensure_all_finite=finite)[0]


def check_segments(X: Sequences) -> Sequences:
    """Check that samples are segments of the same number of steps, which a stateful network reads one after another."""
    if isinstance(X, Ragged):
        raise ValueError(
            "stateful=True reads samples as segments of one sequence, which need the same number of steps, got "
            f"{X.lengths.min()} to {X.lengths.max()} steps. Cut the sequence evenly, or set stateful=False."
        )
    return X


@refusing_huge_ints("sample_weight")
def check_weights(sample_weight: Any, n_samples: int) -> Array | None:
    """Check one non-negative weight a sample, not all of them zero."""
    if sample_weight is None:
        return None
    if isinstance(sample_weight, Real):
        sample_weight = np.full(n_samples, float(sample_weight))
    weights: Array = check_array(
        read_numbers(sample_weight, "sample_weight"),
        dtype=np.float64,
        ensure_2d=False,
        ensure_min_samples=0,
        input_name="sample_weight",
    )
    if weights.shape != (n_samples,):
        raise ValueError(
            f"sample_weight must hold one number for each of the {n_samples} samples, got shape {weights.shape}."
        )
    if (weights < 0).any():
        raise ValueError(f"sample_weight must not be negative, got {weights.min()} in row {weights.argmin()}.")
    if not weights.any():
        raise ValueError("sample_weight is zero for every sample: give at least one sample a positive weight.")
    return weights


def check_int(name: str, value: Any, least: int) -> None:
    """Check a number that is counted."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise ValueError(f"{name} must be an int of at least {least}, got {value!r}.")


@refusing_huge_ints("y")
@_let_sums_overflow
def check_targets(X: Array, y: Any, **check_array_options: Any) -> Array:
    """Check numeric targets ``(sample,)`` or ``(sample, output)``."""
    targets: Array = check_array(
        read_numbers(read_targets(y), "y"),
        ensure_2d=False,
        allow_nd=True,
        dtype=np.float64,
        input_name="y",
        **check_array_options,
    )
    if targets.ndim > 2:
        raise ValueError(f"y must be (sample,) or (sample, output), got shape {targets.shape}.")
    check_consistent_length(X, targets)
    return targets


def _is_list_of_sequences(estimator: Any, X: Any, *, reset: bool) -> bool:
    """Whether X is a list of sequences, and not a table or a 3-D array written as nested lists."""
    if is_object_array_of_sequences(X):
        return True
    if not isinstance(X, list | tuple) or not X or any(isinstance(row, str | bytes) for row in X):
        return False
    try:
        shapes = {np.shape(row) for row in X}
    except ValueError:  # the steps of a row differ in their features: read_rows will name the row
        return True
    if () in shapes:
        return False
    # After a fit on sequences, arrays of one axis are univariate sequences, even if all are equally long.
    reads_sequences = not reset and getattr(estimator, "_rank_in", None) == 3
    return len(shapes) > 1 or (reads_sequences and {len(shape) for shape in shapes} == {1})


def _check_list(estimator: Any, X: Any, *, reset: bool, finite: Any) -> Sequences:
    rows = Ragged.from_list(read_rows(X))
    _check_same_rank(estimator, 3, reset=reset)
    steps = _check_values(estimator, rows.steps, rows_of(rows), finite)
    validate_data(estimator, steps, reset=reset, skip_check_array=True)
    return _as_array_if_even(Ragged.from_lengths(steps, rows.lengths))


def _check_values(estimator: Any, values: Array, sequences: Iterable[Array], finite: Any) -> Array:
    """Check that values are numbers; an error about NaN or infinity names the place of the first in the sequences."""
    try:
        checked: Array = check_array(
            values, dtype=FLOATS, allow_nd=True, estimator=estimator, input_name="X", ensure_all_finite=finite
        )
    except ValueError as error:
        is_wrong = np.isnan if "NaN" in str(error) else np.isinf
        for sample, sequence in enumerate(sequences if values.dtype.kind == "f" else []):
            for step, feature in np.argwhere(is_wrong(sequence))[:1]:
                place = f" The first is in feature {feature} (counted from 0), sample {sample}, step {step}."
                raise with_advice(error, estimator, place) from None
        raise with_advice(error, estimator) from None
    return checked


def _as_array_if_even(X: Sequences) -> Sequences:
    """Sequences that are equally long become an array, however they were given."""
    is_even = isinstance(X, Ragged) and (X.lengths == X.lengths[0]).all()
    return concatenate_steps(X).reshape(X.shape) if is_even else X


def _as_array(estimator: Any, X: Any) -> Any:
    """Turn nested lists of three axes into an array, and refuse more axes."""
    array = X if hasattr(X, "ndim") else np.asarray(X)
    if array.ndim > 3:
        raise ValueError(
            f"{type(estimator).__name__} reads X as (sample, time) or (sample, time, feature), "
            f"got an array of {array.ndim} dimensions and shape {array.shape}. Merge the further axes into features."
        )
    # check_array words its errors better when it meets what the user gave.
    return array if array.ndim == 3 else X


def _check_table(estimator: Any, X: Any, *, reset: bool, n_timesteps: int | None, finite: Any) -> Array:
    if getattr(X, "ndim", 2) == 2:
        _check_same_rank(estimator, 2, reset=reset)
    try:
        table: Array = validate_data(estimator, X, reset=reset, dtype=FLOATS, ensure_all_finite=finite)
    except ValueError as error:
        raise with_advice(error, estimator) from None
    if n_timesteps is None:
        return table[:, :, np.newaxis]
    n_columns = table.shape[1]
    if n_columns % n_timesteps:
        raise ValueError(
            f"n_timesteps={n_timesteps} needs a number of columns that it divides, got {n_columns} columns. "
            "The columns must hold all features of the first time step, then all of the second, and so on."
        )
    return table.reshape(len(table), n_timesteps, n_columns // n_timesteps)


def _check_same_rank(estimator: Any, rank: int, *, reset: bool) -> None:
    """A fitted estimator must not take the time steps of a table for features, or the reverse."""
    if reset:
        estimator._rank_in = rank
    elif getattr(estimator, "_rank_in", rank) != rank:
        seen = {2: "(sample, time)", 3: "(sample, time, feature)"}
        raise ValueError(
            f"{type(estimator).__name__} was fitted on X of shape {seen[estimator._rank_in]}, got {seen[rank]}. "
            "Add or drop the feature axis: X[:, :, np.newaxis] or X[:, :, 0]."
        )


def with_text_input(tags: Any) -> Any:
    """Set the tags of an estimator that reads texts, and no tables."""
    tags.input_tags.string = True
    tags.input_tags.one_d_array = True
    tags.input_tags.two_d_array = False
    return tags
