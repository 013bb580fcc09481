"""Scores of scikit-learn after each epoch, of predictions and targets in the user's units, for skorch's EpochScoring.

skorch's own class would ask its net for predictions: the raw outputs of standardised targets, or of classes.
"""

import inspect
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.metrics import get_scorer
from sklearn.utils.metaestimators import available_if
from skorch.callbacks import Callback, EpochScoring
from skorch.callbacks.scoring import convert_sklearn_metric_function

from sklrnn.inputs.ragged import concatenate_steps
from sklrnn.inputs.samples import Samples
from sklrnn.inputs.user_warnings import warn_user
from sklrnn.training.block_batches import BlockBatches
from sklrnn.training.inference import run_in_blocks

Array = NDArray[Any]


def with_epoch_scores(callbacks: list[Any] | None, estimator: Any) -> list[Any] | None:
    """The callbacks of an estimator, in which each score of scikit-learn reads what this estimator predicts."""
    return None if callbacks is None else [_with_epoch_score(each, estimator) for each in callbacks]


def _with_epoch_score(given: Any, estimator: Any) -> Any:
    if isinstance(given, tuple):
        return (*given[:-1], _with_epoch_score(given[-1], estimator))
    # What a subclass does is its own; a function is given the net and its batches.
    if type(given) is not EpochScoring or not _is_of_sklearn(given.scoring):
        return given
    return EstimatorScoring(
        given.scoring,
        lower_is_better=given.lower_is_better,
        on_train=given.on_train,
        name=given.name,
        estimator=estimator,
    )


def _is_of_sklearn(scoring: Any) -> bool:
    """Whether a score is a name, a metric or a scorer of scikit-learn, or the ``score`` of the estimator."""
    return scoring is None or isinstance(scoring, str) or hasattr(convert_sklearn_metric_function(scoring), "_sign")


class EstimatorScoring(EpochScoring):
    """Scores an estimator as it is after an epoch: on the samples held out, or with ``on_train`` on those trained on.

    It takes the place of the callback of the user, which stays as it is.
    """

    scoring_: Any

    # It has nothing to do between two epochs, so batches need not be watched.
    on_batch_end = Callback.on_batch_end

    def __init__(
        self,
        scoring: Any,
        lower_is_better: bool = True,
        on_train: bool = False,
        name: str | None = None,
        estimator: Any = None,
    ) -> None:
        super().__init__(scoring, lower_is_better, on_train, name, use_caching=False)
        self.estimator = estimator

    def on_train_begin(self, net: Any, X: Any, y: Any, **kwargs: Any) -> None:
        """Check that there is something to score; X are the training batches, y those of validation."""
        shown, kind = f"EpochScoring({self.scoring!r})", type(self.estimator).__name__
        if not hasattr(self.estimator, "_metric"):
            raise ValueError(
                f"{shown} in callbacks needs a regressor or a classifier, which {kind} is not: its network predicts "
                "something else than scikit-learn's metrics compare. Pass a function scoring(net, batches, y) that "
                "gives a number, or read the losses in net.history."
            )
        if isinstance(self.scoring_, str):  # its name is known by now
            self.scoring_ = get_scorer(self.scoring_)
        methods = getattr(self.scoring_, "_response_method", "predict")
        methods = [methods] if isinstance(methods, str) else methods
        if not any(hasattr(self.estimator, method) for method in methods):
            raise ValueError(f"{shown} in callbacks needs {' or '.join(methods)}, which {kind} does not have.")
        if self.on_train and isinstance(X, BlockBatches):
            raise ValueError(f"{shown[:-1]}, on_train=True) can't score blocks. Leave on_train out.")
        if not self.on_train and y is None:
            warn_user(
                f"{shown} in callbacks scores samples that are held out, and this fit holds none out, so there is no "
                "score. Set early_stopping=True, or on_train=True in EpochScoring."
            )
        super().on_train_begin(net, X, y, **kwargs)

    def get_test_data(self, dataset_train: Any, dataset_valid: Any, use_caching: bool) -> tuple[Any, Any, list[Any]]:
        """The samples to score, none where none are held out."""
        batches = dataset_train if self.on_train else dataset_valid
        return None if batches is None else batches.samples, None, []

    def _scoring(self, net: Any, X_test: Samples, y_test: Any) -> float:
        net._set_training(False)
        predicted = _PredictedSamples(self.estimator, net, X_test)
        if self.scoring_ is None:
            return predicted.score()
        takes_weights = "sample_weight" in inspect.signature(self.scoring_._score_func).parameters
        options = {"sample_weight": predicted.weights} if predicted.weights is not None and takes_weights else {}
        return float(self.scoring_(predicted, X_test.X, predicted.truth, **options))


class _PredictedSamples:
    """An estimator as scorers know one, whose network has read some samples; it predicts for these.

    Samples, or steps of samples, of weight zero are left out.
    """

    def __init__(self, estimator: Any, net: Any, samples: Samples) -> None:
        self._estimator = estimator
        precision = np.dtype(np.float32 if samples.X.dtype == np.float32 else np.float64)
        raw: Any = run_in_blocks(net.in_precision(precision), samples.X, dtype=precision)
        y, weights = samples.y, samples.weights
        if samples.per_timestep:
            raw, y = concatenate_steps(raw), concatenate_steps(y)
            weights = None if weights is None else concatenate_steps(weights)
        self._chosen: Any = slice(None) if weights is None else np.flatnonzero(weights)
        # The validation loss of a classifier chooses how sure it is.
        self._raw, self._X = raw / net.history[-1].get("temperature", 1.0), samples.X
        self.truth = self._targets(np.asarray(y))[self._chosen]
        self.weights = None if weights is None else np.asarray(weights)[self._chosen]
        if self._weighs_classes_only():
            self.weights = None

    def _weighs_classes_only(self) -> bool:
        """Whether the weights are those of ``class_weight`` alone, which are no part of a score."""
        if self.weights is None or getattr(self._estimator, "class_weight", None) is None:
            return False
        of_classes = [self.weights[self.truth == label] for label in np.unique(self.truth)]
        return all(np.ptp(weights) <= 1e-9 * weights.max() for weights in of_classes)

    def _targets(self, y: Array) -> Array:
        """Targets as the user gave them."""
        model = self._estimator
        if hasattr(model, "classes_"):
            return np.asarray(model.classes_[y])
        values: Array = model._in_form_of_y(y * model._y_spread + model._y_location, self._X)
        return values

    @property
    def classes_(self) -> Array:
        return np.asarray(self._estimator.classes_)

    def predict(self, X: Any) -> Array:
        predicted: Array = self._estimator._decode(self._raw, self._X)[self._chosen]
        return predicted

    @available_if(lambda self: hasattr(self._estimator, "classes_"))
    def predict_proba(self, X: Any) -> Array:
        return np.asarray(softmax(self._raw, axis=1))[self._chosen]

    def score(self) -> float:
        """What the ``score`` of the estimator is: R² or accuracy."""
        return float(self._estimator._metric(self.truth, self.predict(self._X), sample_weight=self.weights))

    def __sklearn_tags__(self) -> Any:
        return self._estimator.__sklearn_tags__()
