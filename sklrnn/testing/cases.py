"""The case that suits an estimator: by what it reads, and by what it answers."""

from typing import Any

from sklearn.utils import get_tags

from sklrnn.testing.gap_case import GapCase, is_imputer
from sklrnn.testing.sequence_case import SequenceCase
from sklrnn.testing.text_case import TextCase, is_text


def case_of(estimator: Any, X: Any = None, y: Any = None) -> SequenceCase:
    """An estimator with data that are given, or made for it."""
    kind = GapCase if is_imputer(estimator) else TextCase if _reads_texts(estimator, X) else SequenceCase
    return kind.of(estimator, X, y)


def _reads_texts(estimator: Any, X: Any) -> bool:
    """Whether sequences are texts: those that are given, or by its methods or tags those that are to be made."""
    if X is not None:
        return is_text(X)
    has_tags = hasattr(estimator, "__sklearn_tags__")
    return hasattr(estimator, "generate") or (has_tags and bool(get_tags(estimator).input_tags.string))
