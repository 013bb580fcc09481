"""Labels from a sequence."""

from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax
from sklearn.metrics import accuracy_score
from sklearn.utils import compute_class_weight
from torch import nn

from sklrnn._hyperparameters import Choices, Doc, Group, fitted, hyperparameters
from sklrnn.estimators.base import TypedAsEstimator
from sklrnn.inputs.sklearn_classes import ClassifierMixin
from sklrnn.inputs.step_targets import StepScore
from sklrnn.inputs.target_types import check_labels
from sklrnn.nn.losses import LOSS_MEANINGS, Loss, classification_loss

Array = NDArray[Any]


@hyperparameters
class ClassifierTask(StepScore, ClassifierMixin, TypedAsEstimator):
    """The task of a classifier: labels as targets, and their predictions."""

    _metric = staticmethod(accuracy_score)
    _loss_parameter_names = ("loss",)

    loss: Annotated[
        Literal["log_loss"] | type[nn.Module],
        Choices(LOSS_MEANINGS),
        Group.LOSS,
        Doc("What is minimised: a name, or the class of a loss module of torch that takes scores and class codes."),
    ] = "log_loss"
    class_weight: Annotated[
        dict[Any, float] | Literal["balanced"] | None,
        Group.LOSS,
        Doc('Weight of each class; "balanced" gives all classes the same total weight.'),
    ] = None

    classes_: np.ndarray = fitted("The labels, sorted.")

    def predict(self, X: Any) -> Any:
        """Predict the label of each sequence.

        Parameters
        ----------
        X : array-like of shape (sample, time) or (sample, time, feature), or list of (time_i, feature) arrays
            Sequences.

        Returns
        -------
        labels : ndarray of shape (sample,), or of the steps of X with ``return_sequences=True``
            Labels, as they were given to ``fit``; for a list of sequences a list of arrays.
        """
        return self._predictions(X, self._decode)

    def predict_proba(self, X: Any) -> Any:
        """Predict the probability of each label.

        Parameters
        ----------
        X : array-like of shape (sample, time) or (sample, time, feature), or list of (time_i, feature) arrays
            Sequences.

        Returns
        -------
        probabilities : ndarray of shape (sample, class)
            In the order of ``classes_``.
        """
        return self._predictions(X, lambda raw, _: softmax(raw, axis=1))

    def predict_log_proba(self, X: Any) -> Any:
        """Predict the logarithm of the probability of each label.

        Parameters
        ----------
        X : array-like of shape (sample, time) or (sample, time, feature), or list of (time_i, feature) arrays
            Sequences.

        Returns
        -------
        logarithms : ndarray of shape (sample, class)
            In the order of ``classes_``; finite also where a probability rounds to zero.
        """
        return self._predictions(X, lambda raw, _: log_softmax(raw, axis=1))

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train one more epoch, on these samples.

        The first call fixes the scale of X and the labels: let its samples be typical.

        Parameters
        ----------
        X : array-like of shape (sample, time) or (sample, time, feature), or list of (time_i, feature) arrays
            Sequences.
        y : array-like of shape (sample,)
            Labels.
        classes : array-like, default=None
            All labels that may ever come; None takes those of the first call.
        sample_weight : array-like of shape (sample,), default=None
            Weight of each sample.

        Returns
        -------
        self : estimator
            The fitted estimator.
        """
        if hasattr(self, "model_"):
            if classes is not None and not np.array_equal(np.unique(classes), self.classes_):
                raise ValueError(
                    f"classes={list(np.unique(classes))} differ from those of the first call, {list(self.classes_)}."
                )
            return self._partial_fit(X, y, sample_weight)
        self._announced = None if classes is None else np.unique(classes)
        try:
            return self._partial_fit(X, y, sample_weight)
        finally:
            del self._announced

    def _encode(self, X: Array, y: Any, weights: Array | None, *, reset: bool) -> tuple[Array, Array | None]:
        labels = check_labels(X, y)
        weighted = labels if weights is None else labels[weights > 0]
        if reset:
            announced = getattr(self, "_announced", None)
            self.classes_ = np.unique(weighted) if announced is None else announced
            self.n_outputs_, self._n_raw_outputs = 1, len(self.classes_)
            if len(self.classes_) < 2:
                raise ValueError(
                    f"{type(self).__name__} needs samples of at least 2 classes, got only one class: "
                    f"{self.classes_.tolist()}."
                )
        unknown = np.setdiff1d(weighted, self.classes_).tolist()
        if unknown:
            raise ValueError(
                f"y holds labels that {type(self).__name__} does not know: {unknown}. It was fitted with "
                f"{self.classes_.tolist()}. Name all labels in the first partial_fit(classes=...), or fit anew."
            )
        codes = np.clip(np.searchsorted(self.classes_, labels), 0, len(self.classes_) - 1).astype(np.int64)
        return codes, self._with_class_weights(codes, weights)

    def _with_class_weights(self, y: Array, weights: Array | None) -> Array | None:
        if self.class_weight is None:
            return weights
        if self.class_weight == "balanced":
            mass = np.bincount(y, weights=weights, minlength=len(self.classes_))
            of_class = mass.sum() / (len(mass) * np.where(mass > 0, mass, 1.0))
        else:
            of_class = compute_class_weight(self.class_weight, classes=self.classes_, y=self.classes_[y])
        if not np.isfinite(of_class).all() or (of_class < 0).any():
            raise ValueError(f"class_weight must hold finite numbers that are not negative, got {self.class_weight!r}.")
        weights = of_class[y] * (1.0 if weights is None else weights)
        if not weights.any():
            raise ValueError(f"class_weight={self.class_weight!r} leaves every sample with a weight of zero.")
        return weights

    def _make_loss(self, **parameters: Any) -> Loss:
        return classification_loss(**parameters)

    def _decode(self, raw: Array, X: Any) -> Array:
        return self.classes_[raw.argmax(axis=1)]
