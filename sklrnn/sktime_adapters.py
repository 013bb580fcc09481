"""Recurrent networks behind sktime's interface for the classification and regression of time series.

sktime keeps panels as ``(sample, channel, time)``, the estimators of sklrnn read ``(sample, time, feature)``. Arrays in
the wrong order train without an error, so the axes are turned here and nowhere else.

This module imports sktime, and is imported by its own name only: ``import sklrnn`` loads neither.
"""

from contextlib import suppress
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import ClassifierTags, InputTags, RegressorTags, Tags, TargetTags
from sklearn.utils.validation import check_is_fitted
from sktime.base import BaseObject
from sktime.classification.base import BaseClassifier
from sktime.regression.base import BaseRegressor

from sklrnn.estimators.classifier import ClassifierTask
from sklrnn.estimators.named_classifiers import GRUClassifier
from sklrnn.estimators.named_regressors import GRURegressor
from sklrnn.estimators.regressor import RegressorTask
from sklrnn.inputs.documentation import LinkToDocumentation
from sklrnn.inputs.numeric import fill_masked
from sklrnn.inputs.target_types import read_targets
from sklrnn.saved_state import with_plain_numbers

__all__ = ["SktimeClassifier", "SktimeRegressor"]

Array = NDArray[Any]

# Searches of scikit-learn 1.9 leave this on an estimator while they fit it, and take it away again themselves.
_HUNG_ON_BY_SEARCHES = {"_parent_callback_ctx"}


class _HoldsEstimator(LinkToDocumentation):
    """What both adapters do with the estimator that they hold; a task adds which ones it takes."""

    _tags: ClassVar[dict[str, Any]] = {
        "authors": "The sklrnn developers",
        "maintainers": "The sklrnn developers",
        "python_dependencies": ["torch", "skorch"],
        "X_inner_mtype": "numpy3D",
        "capability:multivariate": True,
        "capability:unequal_length": False,
        "capability:missing_values": False,
        "capability:categorical_in_X": False,
        "capability:random_state": True,
        "property:randomness": "derandomized",
    }

    _task: ClassVar[str]
    _takes: ClassVar[type]
    _default: ClassVar[Any]

    def __init__(self, estimator: Any = None, random_state: Any = None) -> None:
        self.estimator = estimator
        self.random_state = random_state
        super().__init__()

    def set_params(self, **params: Any) -> Self:
        """Set parameters; those of the estimator are ``estimator__<name>``.

        Parameters
        ----------
        **params : dict
            Names and values. Where no estimator was given, the default one takes what is set for the estimator.

        Returns
        -------
        self : object
            The adapter, not fitted any more.
        """
        for_the_estimator = params.keys() - {"estimator", "random_state"}
        if for_the_estimator and params.get("estimator", self.estimator) is None:
            params = {**params, "estimator": self._default()}
        adapter: Self = super().set_params(**params)  # type: ignore[misc]
        return adapter

    def reset(self) -> Self:
        """Forget the fit; sktime calls this at the start of fit and in ``set_params``.

        Returns
        -------
        self : object
            The adapter, not fitted any more.
        """
        kept = {name: value for name, value in vars(self).items() if name in _HUNG_ON_BY_SEARCHES}
        super().reset()  # type: ignore[misc]
        vars(self).update(kept)
        return self

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Give the small settings that sktime's checks run with.

        Parameters
        ----------
        parameter_set : str, default="default"
            Has no effect: there is one set.

        Returns
        -------
        settings : list of dict
            Arguments of the class.
        """
        return [
            {"estimator": cls._default(units=4, max_epochs=1), "random_state": 0},
            {"estimator": cls._default(units=(3, 2), max_epochs=1, random_state=0)},
        ]

    # sktime keeps a boolean of numpy, whose type has another name in another version: skops would not know it.
    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_X_metadata": with_plain_numbers(vars(self)["_X_metadata"])}

    # sktime reads y before it calls _fit, without its mask.
    def fit(self, X: Any, y: Any) -> Self:
        return super().fit(X, read_targets(y))  # type: ignore[misc]

    def score(self, X: Any, y: Any, *args: Any, **options: Any) -> float:
        return super().score(X, read_targets(y), *args, **options)  # type: ignore[misc]

    def _fit(self, X: Array, y: Array) -> Self:
        self.estimator_ = self._unfitted_estimator()
        try:
            self.estimator_.fit(_time_first(X), y)
        except KeyboardInterrupt:
            with suppress(NotFittedError):
                check_is_fitted(self.estimator_)  # by what it had learnt until then
                self._is_fitted = True
            raise
        return self

    def _predict(self, X: Array) -> Array:
        predictions: Array = self.estimator_.predict(_time_first(X))
        return predictions

    def _unfitted_estimator(self) -> Any:
        estimator = self._default() if self.estimator is None else clone(self._checked_estimator())
        if self.random_state is not None:
            seeds = [name for name in estimator.get_params() if name.split("__")[-1] == "random_state"]
            seed = self.random_state
            # Cut to 32 bits: sktime's ``set_random_state`` gives 256 to the parts of a pipeline.
            seed = seed % 2**32 if isinstance(seed, int) and seed >= 2**32 else seed
            estimator.set_params(**dict.fromkeys(seeds, seed))
        return estimator

    def _checked_estimator(self) -> Any:
        given = self.estimator
        if _holds(given, self._takes):
            return given
        got = f"the class {given.__name__}" if isinstance(given, type) else repr(given)
        advice = ""
        if isinstance(given, type):
            advice = f" Pass an instance: {given.__name__}(...)."
        elif _holds(given, (ClassifierTask, RegressorTask)):
            advice = f" Use {'SktimeRegressor' if self._task == 'classifier' else 'SktimeClassifier'} for it."
        raise TypeError(
            f"{type(self).__name__} needs a {self._task} of sklrnn as estimator, such as {self._default.__name__}(), "
            f"alone or in a pipeline or search of scikit-learn, got {got}.{advice}"
        )

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn's searches and scores what this is: the base classes of sktime don't."""
        return Tags(
            estimator_type=self._task,
            target_tags=TargetTags(required=True, multi_output=True),
            classifier_tags=ClassifierTags() if self._task == "classifier" else None,
            regressor_tags=RegressorTags() if self._task == "regressor" else None,
            input_tags=InputTags(three_d_array=True),
        )


class SktimeClassifier(_HoldsEstimator, BaseClassifier):
    """A classifier of sklrnn as a time series classifier of sktime.

    X is a panel in any form that sktime knows; as an array it is ``(sample, channel, time)``. The estimator inside gets
    it as ``(sample, time, feature)``.

    Missing values and series of different lengths are refused, as the estimators don't read them. Where y has several
    columns, each has a network of its own.

    Parameters
    ----------
    estimator : estimator, default=None
        A classifier of sklrnn, alone or in a pipeline or search of scikit-learn; it is cloned. None means
        ``GRUClassifier()``.

    random_state : int, RandomState instance or None, default=None
        Takes the place of the `random_state` of the estimator; None leaves that as it is.

    Attributes
    ----------
    estimator_ : estimator
        The fitted estimator. There is none where fit saw a single label, or a y of several columns.

    classes_ : ndarray
        The labels, sorted.

    n_classes_ : int
        How many labels there are.

    fit_time_ : int
        Milliseconds that the last fit took.

    See Also
    --------
    SktimeRegressor : Numbers instead of labels.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import LSTMClassifier
    >>> from sklrnn.sktime_adapters import SktimeClassifier
    >>> X = np.random.default_rng(0).normal(size=(200, 2, 6))  # (sample, channel, time)
    >>> y = np.where(X[:, 1, -1] > 0, "up", "down")  # the newest value of the second channel
    >>> model = SktimeClassifier(LSTMClassifier(units=8, max_epochs=10), random_state=0).fit(X[:150], y[:150])
    >>> bool(model.score(X[150:], y[150:]) > 0.8)
    True
    >>> model.estimator_.n_features_in_
    2
    """

    _tags: ClassVar[dict[str, Any]] = {"capability:predict_proba": True, "capability:class_weight": True}
    _task = "classifier"
    _takes = ClassifierTask
    _default = GRUClassifier

    def _predict_proba(self, X: Array) -> Array:
        probabilities: Array = self.estimator_.predict_proba(_time_first(X))
        return probabilities


class SktimeRegressor(_HoldsEstimator, BaseRegressor):
    """A regressor of sklrnn as a time series regressor of sktime.

    X is a panel in any form that sktime knows; as an array it is ``(sample, channel, time)``. The estimator inside gets
    it as ``(sample, time, feature)``.

    Missing values and series of different lengths are refused, as the estimators don't read them. Where y has several
    columns, they share one network.

    Parameters
    ----------
    estimator : estimator, default=None
        A regressor of sklrnn, alone or in a pipeline or search of scikit-learn; it is cloned. None means
        ``GRURegressor()``.

    random_state : int, RandomState instance or None, default=None
        Takes the place of the `random_state` of the estimator; None leaves that as it is.

    Attributes
    ----------
    estimator_ : estimator
        The fitted estimator.

    fit_time_ : int
        Milliseconds that the last fit took.

    See Also
    --------
    SktimeClassifier : Labels instead of numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import GRURegressor
    >>> from sklrnn.sktime_adapters import SktimeRegressor
    >>> X = np.random.default_rng(0).normal(size=(200, 2, 6))  # (sample, channel, time)
    >>> y = 100 + 10 * X[:, 1, -1]  # the newest value of the second channel
    >>> model = SktimeRegressor(GRURegressor(units=8, max_epochs=10), random_state=0).fit(X[:150], y[:150])
    >>> bool(model.score(X[150:], y[150:]) > 0.9)
    True
    """

    _tags: ClassVar[dict[str, Any]] = {"y_inner_mtype": "numpy2D", "capability:multioutput": True}
    _task = "regressor"
    _takes = RegressorTask
    _default = GRURegressor

    def _fit(self, X: Array, y: Array) -> Self:
        return super()._fit(X, y[:, 0] if y.shape[1] == 1 else y)


def _time_first(panel: Array) -> Array:
    """Turn ``(sample, channel, time)`` into ``(sample, time, feature)``."""
    # In contiguous memory, so that predictions are those of the estimator alone to the last bit.
    return np.ascontiguousarray(fill_masked(panel).transpose(0, 2, 1))


def _holds(given: Any, kinds: Any) -> bool:
    """Whether an estimator is of these kinds, or has one of them among its parts."""
    if isinstance(given, type) or not hasattr(given, "get_params"):
        return False
    parts = [given, *given.get_params().values()]
    # Parts of sktime's own want the axes as they were.
    return any(isinstance(part, kinds) for part in parts) and not any(isinstance(part, BaseObject) for part in parts)
