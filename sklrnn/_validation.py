"""Anything a user passes becomes checked arrays here, and nowhere else."""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.validation import validate_data

Array = NDArray[Any]
FLOATS = (np.float64, np.float32)


def check_sequences(estimator: Any, X: Any, *, reset: bool, n_timesteps: int | None = None) -> Array:
    """Read ``X`` as ``(sample, time, feature)``; windows given as a view stay a view.

    Two-dimensional data is one univariate series a row, or ``n_timesteps`` time-major blocks of columns a row.
    ``n_features_in_`` is the last axis of what the user gave: the columns of a table, the features of sequences.
    """
    if not hasattr(X, "iloc") and not hasattr(X, "toarray"):
        X = _as_array(estimator, X)
    if getattr(X, "ndim", 2) != 3:
        return _check_table(estimator, X, reset=reset, n_timesteps=n_timesteps)
    name = type(estimator).__name__
    if 0 in X.shape[1:]:
        raise ValueError(
            f"{name} needs at least one time step and one feature, got X of shape (sample, time, feature) = {X.shape}."
        )
    _check_same_rank(estimator, 3, reset=reset)
    try:
        checked = check_array(X, dtype=FLOATS, allow_nd=True, estimator=estimator, input_name="X")
    except ValueError as error:
        raise _naming_the_feature(error, X) from None
    # validate_data would take the time axis for the features, so it is shown the last step only.
    validate_data(estimator, checked[:, -1, :], reset=reset, skip_check_array=True)
    return checked


def check_single_step(estimator: Any, x: Any) -> Array:
    """Check the features of one time step of one sequence, for streaming."""
    step: Array = np.atleast_1d(np.asarray(x, dtype=None))
    n_features = estimator._n_step_features
    if step.shape != (n_features,):
        raise ValueError(
            f"A step of this stream holds {n_features} feature(s), got an array of shape {step.shape}. "
            "Pass the values of one time step at a time."
        )
    return check_array(step[np.newaxis], dtype=FLOATS, estimator=estimator, input_name="x")[0]


def check_weights(sample_weight: Any, n_samples: int) -> Array | None:
    """Check one non-negative weight a sample, not all of them zero."""
    if sample_weight is None:
        return None
    if isinstance(sample_weight, Real):
        sample_weight = np.full(n_samples, float(sample_weight))
    weights: Array = check_array(
        sample_weight, dtype=np.float64, ensure_2d=False, ensure_min_samples=0, input_name="sample_weight"
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


def check_targets(X: Array, y: Any, **check_array_options: Any) -> Array:
    """Check numeric targets ``(sample,)`` or ``(sample, output)``."""
    targets: Array = check_array(
        y, ensure_2d=False, allow_nd=True, dtype=np.float64, input_name="y", **check_array_options
    )
    if targets.ndim > 2:
        raise ValueError(f"y must be (sample,) or (sample, output), got shape {targets.shape}.")
    check_consistent_length(X, targets)
    return targets


def _as_array(estimator: Any, X: Any) -> Any:
    """Give lists and scalars the axes that the checks below look at."""
    try:
        array = X if hasattr(X, "ndim") else np.asarray(X)
    except ValueError as error:
        raise ValueError(
            f"{type(estimator).__name__} reads sequences that all have the same shape, got some that differ in the "
            "number of steps or features. Pad or cut them to one length."
        ) from error
    if array.ndim > 3:
        raise ValueError(
            f"{type(estimator).__name__} reads X as (sample, time) or (sample, time, feature), "
            f"got an array of {array.ndim} dimensions and shape {array.shape}. Merge the further axes into features."
        )
    # check_array words its errors better when it meets what the user gave.
    return array if array.ndim == 3 else X


def _naming_the_feature(error: ValueError, X: Array) -> ValueError:
    """Say where the first value lies that is not finite: sequences have no column names that could tell."""
    if X.dtype.kind == "f":
        for feature in range(X.shape[2]):
            wrong = np.argwhere(~np.isfinite(X[:, :, feature]))
            if len(wrong):
                sample, step = wrong[0]
                first, *rest = str(error).split("\n")
                place = f"{first} The first is in feature {feature} (counted from 0), sample {sample}, step {step}."
                return ValueError("\n".join([place, *rest]))
    return error


def _check_table(estimator: Any, X: Any, *, reset: bool, n_timesteps: int | None) -> Array:
    if getattr(X, "ndim", 2) == 2:
        _check_same_rank(estimator, 2, reset=reset)
    table: Array = validate_data(estimator, X, reset=reset, dtype=FLOATS)
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
