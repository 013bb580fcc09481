"""Scale sequences with any scaler of scikit-learn."""

from collections.abc import Callable
from copy import copy
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Tags, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from sklrnn._hyperparameters import Doc, HasMethods, fitted, hyperparameters, validate_parameters
from sklrnn.inputs.ragged import Sequences, concatenate_steps, lengths_of, restore_form
from sklrnn.inputs.sklearn_classes import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklrnn.inputs.validation import check_sequences, check_weights
from sklrnn.saved_state import Saved

__all__ = ["SequenceScaler"]

Array = NDArray[Any]
TABLE, SEQUENCES = "(sample, time)", "(sample, time, feature)"


def _can_invert(self: "SequenceScaler") -> bool:
    return hasattr(getattr(self, "scaler_", self.scaler) or StandardScaler(), "inverse_transform")


def _reads_a_table(self: "SequenceScaler") -> bool:
    # Column names, and so set_output, have a meaning for two axes only.
    return getattr(self, "layout_", TABLE) == TABLE


@hyperparameters
class SequenceScaler(Saved, OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Scale each feature of sequences with any scaler of scikit-learn.

    The wrapped scaler is fitted on the steps of all training sequences, a table of shape ``(step, feature)``. The
    scaled sequences have the form, lengths and precision of X.

    Three forms are read: an array ``(sample, time, feature)``; a list or object array of arrays ``(time_i, feature)``
    or ``(time_i,)``, for sequences of several lengths; and an array or frame ``(sample, time)``, where each row is a
    univariate sequence, as for the estimators, so that all columns share **one** scale. For a table whose columns are
    features of their own, use the scaler itself.

    See Also
    --------
    sklearn.preprocessing.StandardScaler : The scaler in use where none is given.

    Notes
    -----
    The result is a copy. Overlapping windows repeat each row, so scale the rows *before* the window step.

    NaN is passed to the wrapped scaler; `StandardScaler` leaves it out of the fit and keeps it in the result.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import MinMaxScaler
    >>> from sklrnn import SequenceScaler
    >>> X = [np.array([[0.0, 10.0], [5.0, 20.0]]), np.array([[10.0, 30.0]])]
    >>> scaler = SequenceScaler(scaler=MinMaxScaler()).fit(X)
    >>> for sequence in scaler.transform(X):
    ...     print(sequence)
    [[0.  0. ]
     [0.5 0.5]]
    [[1. 1.]]
    """

    __module__ = "sklrnn"

    scaler: Annotated[
        Any,
        HasMethods(["fit", "transform"]),
        None,
        Doc("The scaler, which is cloned; it must give one column for each feature. None means StandardScaler()."),
    ] = None
    scaler_: Any = fitted("The fitted scaler, on steps and features.")
    layout_: str = fitted("The axes that fit saw: '(sample, time)' or '(sample, time, feature)'.")
    n_features_in_: int = fitted("Number of features, or of columns where X has two axes.")

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Fit the scaler on all steps of the sequences.

        Parameters
        ----------
        X : array-like of shape (sample, time, feature) or (sample, time), or list of (time_i, feature) arrays
            The training sequences.

        y : object, default=None
            Ignored.

        sample_weight : array-like of shape (sample,), default=None
            A weight for all steps of each sequence, if the scaler takes weights.

        Returns
        -------
        SequenceScaler
            The fitted transformer.
        """
        validate_parameters(self)
        checked = self._read(X, reset=True)
        scaler = self._unfitted()
        options = {}
        if sample_weight is not None:
            if not has_fit_parameter(scaler, "sample_weight"):
                raise ValueError(
                    f"{type(scaler).__name__} takes no sample_weight. "
                    "Leave sample_weight out, or choose a scaler that takes it, such as StandardScaler."
                )
            weights: Any = check_weights(sample_weight, len(checked))
            options["sample_weight"] = np.repeat(weights, lengths_of(checked))
        try:
            with np.errstate(over="raise"):
                self.scaler_ = scaler.fit(concatenate_steps(checked), **options)
        except FloatingPointError as error:
            raise ValueError(
                f"{type(scaler).__name__} can't compute with values as large as those in X: {error}. Divide X by a "
                "constant first."
            ) from None
        return self

    def transform(self, X: Any) -> Any:
        """Scale sequences.

        Parameters
        ----------
        X : array-like of shape (sample, time, feature) or (sample, time), or list of (time_i, feature) arrays
            Sequences of any number and length, with the features that were fitted.

        Returns
        -------
        ndarray or list of ndarray
            The scaled sequences, in the form of X.
        """
        check_is_fitted(self, "scaler_")
        return self._apply(self.scaler_.transform, X, self._read(X, reset=False))

    @available_if(_can_invert)
    def inverse_transform(self, X: Any) -> Any:
        """Scale sequences back to their original units.

        Parameters
        ----------
        X : array-like of shape (sample, time, feature) or (sample, time), or list of (time_i, feature) arrays
            Scaled sequences.

        Returns
        -------
        ndarray or list of ndarray
            The sequences in the units of the training sequences, in the form of X.
        """
        check_is_fitted(self, "scaler_")
        # Scaled tables are mostly arrays: their columns are counted, but not asked for their names.
        nameless = copy(self)
        if hasattr(nameless, "feature_names_in_"):
            del nameless.feature_names_in_
        checked = nameless._read(np.asarray(X) if hasattr(X, "columns") else X, reset=False)
        return self._apply(self.scaler_.inverse_transform, X, checked)

    @available_if(_reads_a_table)
    def get_feature_names_out(self, input_features: Any = None) -> Array:
        """Give the names of the columns, which scaling keeps; only for X of shape (sample, time).

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names to use where X had none.

        Returns
        -------
        ndarray of str
            One name for each column.
        """
        names: Array = super().get_feature_names_out(input_features)
        return names

    def set_output(self, *, transform: Any = None) -> Self:
        """Choose the container of two-dimensional results; sequences of features stay arrays.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            The container, as for any transformer of scikit-learn.

        Returns
        -------
        SequenceScaler
            The transformer.
        """
        # scikit-learn has no set_output where there are no column names, and a pipeline that sets it for all steps
        # fails.
        return super().set_output(transform=transform) if _reads_a_table(self) else self

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.scaler) if hasattr(self.scaler, "__sklearn_tags__") else get_tags(StandardScaler())
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = inner.input_tags.allow_nan
        if inner.transformer_tags is not None:
            tags.transformer_tags.preserves_dtype = inner.transformer_tags.preserves_dtype
        return tags

    def _unfitted(self) -> Any:
        scaler = StandardScaler() if self.scaler is None else clone(self.scaler)
        # set_config may ask for frames, but a frame of the steps of many sequences is of no use here.
        return scaler.set_output(transform="default") if hasattr(scaler, "set_output") else scaler

    def _read(self, X: Any, *, reset: bool) -> Sequences:
        checked = check_sequences(self, X, reset=reset, allow_nan=True)
        if reset:
            self.layout_ = TABLE if vars(self)["_rank_in"] == 2 else SEQUENCES
        return checked

    def _apply(self, method: Callable[[Array], Any], X: Any, checked: Sequences) -> Any:
        steps = concatenate_steps(checked)
        scaled = np.asarray(method(steps))
        if scaled.shape != steps.shape:
            raise ValueError(
                "SequenceScaler needs a scaler that gives one column for each feature, but "
                f"{type(self.scaler_).__name__} made {scaled.shape} of {steps.shape} (step, feature). "
                "Put such a transformer in front of the window step instead."
            )
        return scaled.reshape(checked.shape[:2]) if self.layout_ == TABLE else restore_form(X, checked, scaled)
