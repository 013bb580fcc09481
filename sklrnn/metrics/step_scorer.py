"""Scorers that take the steps of all sequences for samples."""

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import get_scorer, make_scorer
from sklearn.utils import get_tags

from sklrnn.inputs.step_targets import concatenate_values, is_single, read_step_labels, repeat_for_steps
from sklrnn.metrics.entities import entity_f1_score

Array = NDArray[Any]


def make_step_scorer(metric: str | Callable[..., Any] = "accuracy", **options: Any) -> Any:
    """Make a scorer for estimators with ``return_sequences=True``, for ``scoring`` in scikit-learn.

    scikit-learn's own scorers compare one label for each sample. This one compares the steps of all sequences, each
    with the same weight, also where sequences differ in length.

    Parameters
    ----------
    metric : str or callable, default="accuracy"
        The name of any scorer of scikit-learn, such as "f1_macro", "balanced_accuracy" or "neg_mean_absolute_error";
        a metric ``metric(y_true, y_pred)`` such as ``sklearn.metrics.fbeta_score``; or a scorer that ``make_scorer``
        made. "entity_f1" is `entity_f1_score`, which compares the entities of BIO tags.
    **options
        With a metric, what scikit-learn's ``make_scorer`` takes: ``greater_is_better``, ``response_method``, and the
        arguments of the metric.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y, sample_weight=None)`` gives a float, larger if better. ``sample_weight`` is a number
        for each sequence, or for each step; with "entity_f1" for each sequence.

    See Also
    --------
    entity_f1_score : The F1 of entities.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import cross_val_score
    >>> from sklrnn import GRUClassifier
    >>> from sklrnn.metrics import make_step_scorer
    >>> random = np.random.default_rng(0)
    >>> X = [random.normal(size=(length, 1)) for length in random.integers(3, 9, size=60)]
    >>> y = [np.where(x[:, 0] > 0, "up", "down") for x in X]
    >>> tagger = GRUClassifier(units=4, return_sequences=True, max_epochs=40, random_state=0)
    >>> scores = cross_val_score(tagger, X, y, cv=3, scoring=make_step_scorer("f1_macro"))
    >>> bool(scores.min() > 0.9)
    True
    """
    if metric == "entity_f1" or metric is entity_f1_score:
        return make_scorer(entity_f1_score, **options)
    if isinstance(metric, str) or hasattr(metric, "set_score_request"):
        if options:
            raise TypeError(
                f"make_step_scorer({metric!r}) takes no options, got {', '.join(options)}. Pass the metric itself, "
                'such as make_step_scorer(sklearn.metrics.f1_score, average="macro").'
            )
        return StepScorer(get_scorer(metric))
    return StepScorer(make_scorer(metric, **options))


class StepScorer:
    """A scorer of scikit-learn that is shown all steps as samples."""

    def __init__(self, scorer: Any) -> None:
        self.scorer = scorer

    def __call__(self, estimator: Any, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Score the predictions of a fitted estimator for X."""
        labels, lengths = read_step_labels(y)
        weights = repeat_for_steps(sample_weight, lengths)
        given = {} if weights is None else {"sample_weight": weights}
        return float(self.scorer(_StepsAsSamples(estimator, y), X, labels, **given))

    def __repr__(self) -> str:
        return f"StepScorer({self.scorer!r})"

    def set_score_request(self, *, sample_weight: bool | str | None) -> Self:
        """Set whether scikit-learn's metadata routing passes ``sample_weight``."""
        self.scorer.set_score_request(sample_weight=sample_weight)
        return self

    def get_metadata_routing(self) -> Any:
        """Tell scikit-learn's metadata routing what is asked for."""
        return self.scorer.get_metadata_routing()


class _StepsAsSamples:
    """A fitted estimator whose predictions for all steps are concatenated."""

    def __init__(self, estimator: Any, y: Any) -> None:
        self.estimator = estimator
        self.y = y

    @property
    def classes_(self) -> Array:
        classes: Array = self.estimator.classes_
        return classes

    def __sklearn_tags__(self) -> Any:
        return get_tags(self.estimator)

    def predict(self, X: Any) -> Array:
        return self._concatenate(self.estimator.predict(X))

    def predict_proba(self, X: Any) -> Array:
        return self._concatenate(self.estimator.predict_proba(X))

    def _concatenate(self, predictions: Any) -> Array:
        if is_single(predictions[0]):
            raise ValueError(
                "A step scorer compares a prediction for each step, but the estimator gives one for each sample. Set "
                "its return_sequences=True, or leave make_step_scorer out."
            )
        lengths = np.array([len(row) for row in predictions], dtype=np.intp)
        concatenate_values(self.y, lengths, "y", "labels")  # checks that each step has a label
        return np.concatenate([np.asarray(row) for row in predictions])
