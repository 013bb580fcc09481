"""X as the parameters of an estimator say that it is to be read: numbers or tokens, tables or sequences."""

from typing import Any

import numpy as np

from sklrnn.inputs.lag_order import warn_of_lag_order
from sklrnn.inputs.plain_floats import read_plain_floats
from sklrnn.inputs.ragged import Sequences
from sklrnn.inputs.validation import check_segments, check_sequences, check_tokens


def read_sequences(estimator: Any, X: Any, *, reset: bool) -> Sequences:
    """Check X; with ``reset`` the estimator remembers its features, otherwise X must have these."""
    if not reset and (plain := read_plain_floats(estimator, X)) is not None:
        return plain
    if estimator.embedding_dim is not None:
        checked = check_tokens(estimator, X, reset=reset)
    else:
        allow_nan = estimator.missing == "mask"
        checked = check_sequences(estimator, X, reset=reset, n_timesteps=estimator.n_timesteps, allow_nan=allow_nan)
        if reset and isinstance(checked, np.ndarray) and checked.shape[2] == 1:
            warn_of_lag_order(estimator, checked[:, :, 0])
    return check_segments(checked) if estimator.stateful else checked
