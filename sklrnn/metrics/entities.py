"""F1 of the entities that BIO tags mark."""

import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal, cast, get_args

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning

from sklrnn.inputs.step_targets import is_single
from sklrnn.inputs.validation import check_weights

Entity = tuple[str, int, int]  # type, first step, step after the last
Average = Literal["micro", "macro", "weighted"] | None

_TAGS = "A tag is 'O', or 'B-' (begin) or 'I-' (inside) and the type of the entity, such as 'B-PER'"


def entity_f1_score(
    y_true: Any, y_pred: Any, *, average: Average = "micro", sample_weight: Any = None
) -> float | dict[str, float]:
    """Compute the F1 of the entities that tags B-type (begin), I-type (inside) and O (outside) mark.

    A predicted entity is right if its type, its first step and its last step are all those of a true one. The accuracy
    over steps says little, as most steps are outside of all entities.

    Entities are read as by CoNLL's ``conlleval`` (and seqeval): one begins at a B- tag, and at an I- tag that no tag of
    its type comes before, such as one after O or after another type. It ends before the next B- tag, O, another type,
    or the end of the sequence.

    Parameters
    ----------
    y_true : array-like of shape (sample, time), or list of (time_i,) arrays or lists of tags
        The true tags.
    y_pred : array-like of shape (sample, time), or list of (time_i,) arrays or lists of tags
        The predicted tags.
    average : {"micro", "macro", "weighted"} or None, default="micro"
        "micro" counts the entities of all types together; "macro" is the mean over types, "weighted" the mean weighted
        with the true entities of a type. None gives the F1 of each type.
    sample_weight : array-like of shape (sample,), default=None
        Weight of each sequence.

    Returns
    -------
    score : float or dict of str to float
        1.0 if all entities are found and no others. It is 0.0, with a warning, if there are none at all. With
        ``average=None`` a dict of the F1 of each type.

    See Also
    --------
    make_step_scorer : ``make_step_scorer("entity_f1")`` is a scorer for searches and cross-validation.

    Examples
    --------
    >>> from sklrnn.metrics import entity_f1_score
    >>> y_true = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-PER"]]
    >>> y_pred = [["B-PER", "O", "O", "B-LOC"], ["O", "B-PER"]]
    >>> round(entity_f1_score(y_true, y_pred), 2)
    0.67
    >>> entity_f1_score(y_true, y_pred, average=None)
    {'LOC': 1.0, 'PER': 0.5}
    """
    choices = get_args(get_args(Average)[0])
    if average is not None and average not in choices:
        raise ValueError(f"average must be one of {', '.join(map(repr, choices))} or None, got {average!r}.")
    true, predicted = _read(y_true, "y_true"), _read(y_pred, "y_pred")
    _check_same_steps(true, predicted)
    weights = check_weights(sample_weight, len(true))
    n_right, n_true, n_predicted = _count(true, predicted, [1] * len(true) if weights is None else weights.tolist())
    types = sorted(n_true | n_predicted)
    if average is None:
        return {kind: _f1(n_right[kind], n_true[kind], n_predicted[kind]) for kind in types}
    if not types:
        warnings.warn(
            "Neither y_true nor y_pred holds an entity, so the F1 is not defined. It is set to 0.0.",
            UndefinedMetricWarning,
            stacklevel=2,
        )
        return 0.0
    if average == "micro":
        return _f1(*(sum(counts.values()) for counts in (n_right, n_true, n_predicted)))
    of_types = [_f1(n_right[kind], n_true[kind], n_predicted[kind]) for kind in types]
    shares = [n_true[kind] for kind in types] if average == "weighted" and n_true else None
    return float(np.average(of_types, weights=shares))


def entities(tags: list[str]) -> Iterator[Entity]:
    """The entities of one sequence of tags."""
    start, kind = 0, None
    for step, tag in enumerate([*tags, "O"]):
        mark, _, of_type = tag.partition("-")
        continues = mark == "I" and of_type == kind
        if kind is not None and not continues:
            yield kind, start, step
        if not continues:
            start, kind = step, None if mark == "O" else of_type


def _count(true: list[list[str]], predicted: list[list[str]], weights: list[float]) -> tuple[Counter[str], ...]:
    """The weighted entities of each type that are right, true, and predicted."""
    counts: tuple[Counter[str], ...] = Counter(), Counter(), Counter()
    for tags, predicted_tags, weight in zip(true, predicted, weights, strict=True):
        if weight > 0:
            expected, found = set(entities(tags)), set(entities(predicted_tags))
            for counter, marked in zip(counts, (expected & found, expected, found), strict=True):
                for kind, _, _ in marked:
                    counter[kind] += cast(int, weight)  # a Counter of floats works, but has no type
    return counts


def _f1(n_right: float, n_true: float, n_predicted: float) -> float:
    return 2.0 * n_right / (n_true + n_predicted)


def _read(values: Any, name: str) -> list[list[str]]:
    """The tags of each sequence, as lists of strings."""
    rows = [row.tolist() if hasattr(row, "tolist") else row for row in _rows(values)]
    for number, row in enumerate(rows):
        if is_single(row):
            raise ValueError(
                f"{name} must hold the tags of each sequence, (sample, time) or a list of arrays, but row {number} is "
                f"{row!r}. Write the tags of a single sequence as [tags]."
            )
        for step, tag in enumerate(row):
            if not isinstance(tag, str) or not (tag in {"O", "B", "I"} or tag.startswith(("B-", "I-"))):
                raise ValueError(
                    f"{_TAGS}, but {name} holds {tag!r} in sequence {number}, step {step}. Turn labels of another form "
                    "into BIO tags."
                )
    return [list(row) for row in rows]


def _rows(values: Any) -> Any:
    if is_single(values):
        raise ValueError(f"The tags of several sequences are needed, got {values!r}.")
    return values.to_numpy() if hasattr(values, "iloc") else values


def _check_same_steps(true: list[list[str]], predicted: list[list[str]]) -> None:
    if len(true) != len(predicted):
        raise ValueError(f"y_true holds {len(true)} sequences, but y_pred holds {len(predicted)}.")
    for number, (tags, predicted_tags) in enumerate(zip(true, predicted, strict=True)):
        if len(tags) != len(predicted_tags):
            raise ValueError(
                f"Sequence {number} has {len(tags)} tags in y_true, but {len(predicted_tags)} in y_pred: each step "
                "needs one."
            )
