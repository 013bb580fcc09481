"""Answers as what JSON knows, which has no NaN."""

from typing import Any

import numpy as np

from .errors import RefusedRequest


def as_json_values(answers: dict[str, Any]) -> dict[str, list[Any]]:
    """Answers by name, each with an entry for each sample."""
    return {name: [_plain(v) for v in vs] for name, vs in answers.items()}


def _plain(value: Any) -> Any:
    array = np.asarray(value)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise RefusedRequest(
            "The model gives no finite number for these values. Send "
            "values of the size that it was trained on."
        )
    return array.tolist()
