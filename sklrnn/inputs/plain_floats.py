"""The common case of a prediction: an array of finite floats of the known shape, in which nothing has to be checked.

scikit-learn's checks take longer than the network does for a few windows. For many, their share is small.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_MOST_NUMBERS = 10_000


def read_plain_floats(estimator: Any, X: Any) -> Array | None:
    """Give X as ``check_sequences`` would; None where the checks have to decide."""
    if type(X) is not np.ndarray or X.dtype.char not in "fd" or not X.dtype.isnative or not 0 < X.size <= _MOST_NUMBERS:
        return None
    if X.ndim != getattr(estimator, "_rank_in", None) or X.shape[-1] != estimator.n_features_in_:
        return None
    if estimator.embedding_dim is not None or hasattr(estimator, "feature_names_in_") or not np.isfinite(X).all():
        return None
    if X.ndim == 3:
        return X
    if estimator.n_timesteps is None:
        return X[:, :, np.newaxis]
    n_timesteps = estimator.n_timesteps
    return None if X.shape[1] % n_timesteps else X.reshape(len(X), n_timesteps, -1)
