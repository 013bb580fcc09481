"""Labels from a sequence."""

from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils import assert_all_finite, check_consistent_length, column_or_1d, compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from torch import nn

from sklrnn._hyperparameters import StrOptions, SubclassOf, fitted, hyper, hyperparameters
from sklrnn.estimators.base import RecurrentEstimator
from sklrnn.inputs.step_targets import StepScore
from sklrnn.nn.losses import Loss, classification_loss

Array = NDArray[Any]


@hyperparameters
class RecurrentClassifier(StepScore, ClassifierMixin, RecurrentEstimator):
    """Assign a label to each sequence with a recurrent network.

    See Also
    --------
    RecurrentRegressor : Numbers instead of labels.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import RecurrentClassifier
    >>> X = np.random.default_rng(0).normal(size=(200, 8))
    >>> y = np.where(X.sum(axis=1) > 0, "rise", "fall")
    >>> model = RecurrentClassifier(cell="gru", units=16, max_epochs=30, random_state=0).fit(X, y)
    >>> model.predict(X[:2]).tolist() == y[:2].tolist()
    True
    >>> model.predict_proba(X).shape
    (200, 2)
    """

    _metric = staticmethod(accuracy_score)

    # fmt: off
    loss: str | type[nn.Module] = hyper(default="log_loss", constraint=[StrOptions({"log_loss"}), SubclassOf(nn.Module, "a torch loss module")], sentence="What is minimised: a name, or the class of a torch loss module that takes scores and class codes.")
    class_weight: dict[Any, float] | str | None = hyper(default=None, constraint=[dict, StrOptions({"balanced"}), None], sentence='Weight of each class; "balanced" makes all classes weigh the same.')
    # fmt: on

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
        return self._answers(X, self._decode)

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
        return self._answers(X, partial(softmax, axis=1))

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
        return self._answers(X, partial(log_softmax, axis=1))

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
        if hasattr(self, "net_"):
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

    def _encode(self, X: Array, y: Any, nonzero_weight: Any, *, reset: bool) -> Array:
        labels = column_or_1d(y, warn=True)
        assert_all_finite(labels, input_name="y")
        check_consistent_length(X, labels)
        check_classification_targets(labels)
        if reset:
            announced = getattr(self, "_announced", None)
            self.classes_ = np.unique(labels[nonzero_weight]) if announced is None else announced
            self.n_outputs_ = 1
            if len(self.classes_) < 2:
                raise ValueError(
                    f"{type(self).__name__} needs samples of at least 2 classes, got only one class: "
                    f"{self.classes_.tolist()}."
                )
        codes = np.clip(np.searchsorted(self.classes_, labels), 0, len(self.classes_) - 1)
        unknown = (self.classes_[codes] != labels)[nonzero_weight]
        if unknown.any():
            strangers = np.unique(labels[nonzero_weight][unknown]).tolist()
            raise ValueError(
                f"y holds labels that {type(self).__name__} does not know: {strangers}. "
                f"It has learnt {self.classes_.tolist()}. Name all labels in the first partial_fit(classes=...), "
                "or fit anew."
            )
        return codes.astype(np.int64)

    def _weigh(self, y: Array, weights: Array | None) -> Array | None:
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

    def _loss(self) -> Loss:
        return classification_loss(*self._judged_by)

    def _loss_parameters(self) -> tuple[Any, ...]:
        return (self.loss,)

    def _n_raw_outputs(self) -> int:
        return len(self.classes_)

    def _decode(self, raw: Array) -> Array:
        return self.classes_[raw.argmax(axis=1)]


@hyperparameters
class SimpleRNNClassifier(RecurrentClassifier):
    """Classify sequences with a simple recurrent network: h_t = activation(W_x x_t + W_h h_{t-1} + b).

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import SimpleRNNClassifier
    >>> X = np.random.default_rng(0).normal(size=(100, 6))
    >>> SimpleRNNClassifier(units=8, max_epochs=5, random_state=0).fit(X, X[:, -1] > 0).classes_
    array([False,  True])
    """

    cell: ClassVar[str] = "simple_rnn"  # type: ignore[misc]


@hyperparameters
class GRUClassifier(RecurrentClassifier):
    """Classify sequences with gated recurrent units.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import GRUClassifier
    >>> X = np.random.default_rng(0).normal(size=(100, 6))
    >>> y = np.where(X[:, 0] > 0, "up", "down")
    >>> GRUClassifier(units=8, max_epochs=5, random_state=0).fit(X, y).predict(X).shape
    (100,)
    """

    cell: ClassVar[str] = "gru"  # type: ignore[misc]


@hyperparameters
class LSTMClassifier(RecurrentClassifier):
    """Classify sequences with a long short-term memory.

    Examples
    --------
    Rows of pixels are the time steps of a digit.

    >>> from sklearn.datasets import load_digits
    >>> from sklrnn import LSTMClassifier
    >>> digits = load_digits()
    >>> model = LSTMClassifier(max_epochs=10, random_state=0).fit(digits.images[:500], digits.target[:500])
    >>> bool(model.score(digits.images[500:1000], digits.target[500:1000]) > 0.8)
    True
    """

    cell: ClassVar[str] = "lstm"  # type: ignore[misc]


@hyperparameters
class CNNLSTMClassifier(RecurrentClassifier):
    """Classify sequences with 1-D convolutions in front of a long short-term memory.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import CNNLSTMClassifier
    >>> X = np.random.default_rng(0).normal(size=(100, 12, 2))
    >>> y = (X[:, 4:8, 0].mean(axis=1) > 0).astype(int)
    >>> CNNLSTMClassifier(filters=(8, 8), max_epochs=5, random_state=0).fit(X, y).predict_proba(X).shape
    (100, 2)
    """

    cell: ClassVar[str] = "lstm"  # type: ignore[misc]
    filters = 32
