"""Scale sequences with any scaler of scikit-learn."""

from collections.abc import Callable
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, clone
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Tags, check_array, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, has_fit_parameter, validate_data

from sklrnn._hyperparameters import HasMethods, fitted, hyper, hyperparameters, validate_parameters
from sklrnn.inputs.validation import FLOATS, check_weights

__all__ = ["SequenceScaler"]

Array = NDArray[Any]
TABLE, SEQUENCES = "(sample, time)", "(sample, time, feature)"


class _Steps(NamedTuple):
    """The steps of all sequences below each other, and the way back to the shape they came in."""

    values: Array
    lengths: NDArray[np.intp]
    restore: Callable[[Array], Any]


def _can_invert(self: "SequenceScaler") -> bool:
    return hasattr(getattr(self, "scaler_", self.scaler) or StandardScaler(), "inverse_transform")


def _reads_a_table(self: "SequenceScaler") -> bool:
    # Column names, and so set_output, have a meaning for two axes only.
    return getattr(self, "layout_", TABLE) == TABLE


@hyperparameters
class SequenceScaler(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Scale each feature of sequences with any scaler of scikit-learn.

    All steps of all training sequences are one sample of a feature: the wrapped scaler is fitted on a table of shape
    ``(step, feature)``, and the scaled steps go back to the shape, raggedness and precision they came in.

    Three forms are read. An array ``(sample, time, feature)``. A list or object array of arrays ``(time_i, feature)``,
    for sequences of several lengths. And an array or frame ``(sample, time)``, where each row is a univariate series,
    as for the estimators: all its columns share **one** scale. For a table whose columns are features of their own, use
    the scaler itself.

    See Also
    --------
    sklearn.preprocessing.StandardScaler : The scaler in use where none is given.

    Notes
    -----
    The result is a copy. Overlapping windows repeat each row, so scale the rows *before* the window step.

    NaN is treated as the wrapped scaler treats it; `StandardScaler` leaves it out of the fit and in its place.

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

    scaler: Any = hyper(
        default=None,
        constraint=[HasMethods(["fit", "transform"]), None],
        sentence="The scaler, which is cloned; it must give one column for each feature. None means StandardScaler().",
    )
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
        steps = self._read(X, reset=True)
        scaler = self._unfitted()
        options = {}
        if sample_weight is not None:
            if not has_fit_parameter(scaler, "sample_weight"):
                raise ValueError(
                    f"{type(scaler).__name__} takes no sample_weight. "
                    "Leave sample_weight out, or choose a scaler that takes it, such as StandardScaler."
                )
            weights = check_weights(sample_weight, len(steps.lengths))
            options["sample_weight"] = np.repeat(weights, steps.lengths)  # type: ignore[arg-type]
        self.scaler_ = scaler.fit(steps.values, **options)
        return self

    def transform(self, X: Any) -> Any:
        """Scale sequences.

        Parameters
        ----------
        X : array-like of shape (sample, time, feature) or (sample, time), or list of (time_i, feature) arrays
            The sequences, with the features that were fitted; their number and lengths are free.

        Returns
        -------
        ndarray or list of ndarray
            The scaled sequences, in the form of X.
        """
        check_is_fitted(self, "scaler_")
        return self._apply(self.scaler_.transform, self._read(X, reset=False))

    @available_if(_can_invert)
    def inverse_transform(self, X: Any) -> Any:
        """Bring scaled sequences back to their units.

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
        # What was scaled is mostly an array by now, so column names are not asked for on the way back.
        steps = self._read(X, reset=False, with_names=False)
        return self._apply(self.scaler_.inverse_transform, steps)

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
        # Without column names scikit-learn offers no set_output, and a pipeline that sets it for all its steps breaks.
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
        # The steps are rows of many sequences: a frame of them, as set_config may ask for, has no use here.
        return scaler.set_output(transform="default") if hasattr(scaler, "set_output") else scaler

    def _read(self, X: Any, *, reset: bool, with_names: bool = True) -> _Steps:
        is_list = _is_list_of_sequences(X)
        layout = SEQUENCES if is_list or _ndim(X) == 3 else TABLE
        if reset:
            self.layout_ = layout
        elif layout != self.layout_:
            raise ValueError(
                f"SequenceScaler was fitted on X of shape {self.layout_}, and this X has other axes. "
                "Add or drop the feature axis: X[:, :, np.newaxis] or X[:, :, 0]."
            )
        if layout == TABLE:
            return self._read_table(X, reset=reset, with_names=with_names)
        steps = _read_list(X) if is_list else _read_array(X)
        validate_data(self, steps.values, reset=reset, skip_check_array=True)
        return steps

    def _read_table(self, X: Any, *, reset: bool, with_names: bool) -> _Steps:
        if _ndim(X) > 3:
            raise ValueError(
                f"SequenceScaler reads X as {TABLE} or {SEQUENCES}, got {_ndim(X)} axes and the shape {np.shape(X)}. "
                "Merge the further axes into features."
            )
        if with_names:
            table: Array = validate_data(self, X, reset=reset, dtype=FLOATS, ensure_all_finite=False)
        else:
            table = _check_numbers(X)
            if (got := table.shape[1]) != (needed := self.n_features_in_):
                raise ValueError(f"X has {got} features, but SequenceScaler is expecting {needed} features as input.")
        # One feature: the columns are the steps of a univariate series.
        lengths = np.full(len(table), table.shape[1])
        return _Steps(table.reshape(-1, 1), lengths, lambda scaled: scaled.reshape(table.shape))

    def _apply(self, method: Callable[[Array], Any], steps: _Steps) -> Any:
        scaled = np.asarray(method(steps.values))
        if scaled.shape != steps.values.shape:
            raise ValueError(
                "SequenceScaler needs a scaler that gives one column for each feature, but "
                f"{type(self.scaler_).__name__} made {scaled.shape} of {steps.values.shape} (step, feature). "
                "Put such a transformer in front of the window step instead."
            )
        return steps.restore(scaled)


def _ndim(X: Any) -> int:
    return X.ndim if hasattr(X, "ndim") else np.asarray(X).ndim


def _is_list_of_sequences(X: Any) -> bool:
    """Tell a list or object array of ``(time_i, feature)`` arrays from a table written as a list of rows."""
    is_object = isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1
    if not (is_object or isinstance(X, list | tuple)) or not len(X):
        return False
    first = np.ndim(X[0])
    if first == 1 and not is_object:
        # Rows of one length are a table; rows of several lengths are meant as sequences, and told how to be ones.
        return len({np.shape(row) for row in X}) > 1
    return first == 2 or (first == 1 and is_object)


def _read_list(X: Any) -> _Steps:
    sequences = [np.asarray(sequence) for sequence in X]
    for number, sequence in enumerate(sequences):
        if sequence.ndim != 2:
            raise ValueError(
                f"A sequence has the shape (time, feature), but sequence {number} has the shape {sequence.shape}. "
                "Give a univariate sequence a feature axis: sequence[:, np.newaxis]."
            )
        if sequence.shape[1] != sequences[0].shape[1]:
            raise ValueError(
                f"All sequences need the same features, but sequence {number} has {sequence.shape[1]} and sequence 0 has "
                f"{sequences[0].shape[1]}."
            )
    lengths = np.array([len(sequence) for sequence in sequences])

    def restore(scaled: Array) -> Any:
        parts = np.split(scaled, np.cumsum(lengths)[:-1])
        if not isinstance(X, np.ndarray):
            return parts
        ragged = np.empty(len(parts), dtype=object)
        # Parts of one length, assigned at once, would be taken for a block of numbers.
        for number, part in enumerate(parts):
            ragged[number] = part
        return ragged

    return _Steps(_check_numbers(np.concatenate(sequences)), lengths, restore)


def _read_array(X: Any) -> _Steps:
    array = np.asarray(X)
    if 0 in array.shape:
        raise ValueError(f"SequenceScaler needs a sample, a time step and a feature, got {SEQUENCES} = {array.shape}.")
    n_samples, n_times, n_features = array.shape
    values = _check_numbers(array.reshape(-1, n_features))
    return _Steps(values, np.full(n_samples, n_times), lambda scaled: scaled.reshape(array.shape))


def _check_numbers(X: Any) -> Array:
    # The wrapped scaler decides about NaN.
    numbers: Array = check_array(X, dtype=FLOATS, ensure_all_finite=False, input_name="X")
    return numbers
