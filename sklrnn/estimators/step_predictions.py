"""Predictions for every step, as scikit-learn's tools meet them."""

from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklrnn.inputs.ragged import Sequences, as_object_array, in_the_form_of
from sklrnn.inputs.user_warnings import calls_since_user, warn_user

Array = NDArray[Any]


class StepPredictions(list[Array]):
    """One array for each sequence; several of these lists are joined by numpy to one object array.

    That is how ``cross_val_predict`` joins the predictions of its folds.
    """

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """Join lists of arrays of different shapes; all else that numpy does with a list stays as it is."""
        if function is np.concatenate and not kwargs and all(isinstance(part, list) for part in args[0]):
            rows = list(chain.from_iterable(args[0]))
            if len({row.shape for row in rows}) > 1:
                return as_object_array(rows)
        return np.ndarray.__array_function__(np.empty(0), function, (), args, kwargs)


def as_step_predictions(X: Any, values: Sequences, classes: Array | None) -> Any:
    """Give the predictions for all steps of X its form, unless a metric that compares samples is to read them."""
    in_form = in_the_form_of(X, values)
    metric = _metric_that_scores()
    if metric is not None:
        _check_metric(metric, in_form, classes)
    return StepPredictions(in_form) if isinstance(in_form, list) else in_form


def _metric_that_scores() -> str | None:
    """The metric of scikit-learn whose scorer called ``predict``, if one did.

    A scorer calls ``predict`` before its metric fails with a message that does not help, or reads steps as something
    else, and nothing but the stack says so. A step scorer shows its metric the steps, which is right.
    """
    for frame in calls_since_user():
        module = frame.f_globals["__name__"]
        if module == "sklrnn.metrics.step_scorer":
            return None
        if module == "sklearn.metrics._scorer":
            metric = getattr(frame.f_locals.get("self"), "_score_func", None)
            if getattr(metric, "__module__", "").startswith("sklearn.metrics"):
                return str(getattr(metric, "__name__", metric))
    return None


def _check_metric(metric: str, predictions: Any, classes: Array | None) -> None:
    """Refuse a metric that can't read predictions for steps, and warn of one that reads them as something else."""
    is_array = isinstance(predictions, np.ndarray) and predictions.ndim > 1
    if is_array and (classes is None or predictions.shape[1] == 1):
        return  # numbers of a regressor: scikit-learn takes steps for outputs, and averages over them
    example = "neg_mean_absolute_error" if classes is None else "f1_macro"
    way = (
        f'Pass scoring=make_step_scorer("{example}") of sklrnn.metrics, which compares the steps and knows all names '
        "of scikit-learn, or leave scoring at its default."
    )
    n_classes = 0 if classes is None else len(classes)
    if is_array and predictions.ndim == 2 and predictions.dtype.kind in "biu" and n_classes == 2:
        warn_user(
            f"{metric} of scikit-learn takes two labels of (sample, time) for multilabel targets, so its value is not "
            f"over the steps: accuracy, for one, counts the samples that are right at all steps. {way}"
        )
        return
    raise ValueError(
        f"{metric} of scikit-learn compares one value for each sample, but with return_sequences=True there is one for "
        f"each step. {way}"
    )
