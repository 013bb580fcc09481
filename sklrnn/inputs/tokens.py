"""Sequences of tokens that say so, and a warning where an estimator would read them as measurements."""

from typing import Any

import numpy as np

from sklrnn.inputs.ragged import is_object_array_of_sequences
from sklrnn.inputs.user_warnings import warn_user


class TokenSequences(np.ndarray[Any, Any]):
    """An object array of integer arrays that hold tokens: whatever numpy slices or picks from it stays marked.

    A class of its own, as an attribute would be lost when a pipeline or a cross-validation indexes the array.
    """


def mark_as_tokens(sequences: Any) -> TokenSequences:
    """Mark an object array of integer arrays; nothing is copied."""
    return sequences.view(TokenSequences)


def warn_of_tokens(estimator: Any, X: Any) -> None:
    """Warn that an estimator without an embedding would take the order and size of tokens for a meaning."""
    if isinstance(X, TokenSequences) and is_object_array_of_sequences(X):
        warn_user(
            f"X holds the token numbers of a TokenEncoder, but {type(estimator).__name__} has embedding_dim=None and "
            "reads them as measurements. Set embedding_dim, for example embedding_dim=16, to learn a vector for each "
            "token."
        )
