"""Missing values, estimated from what stands before them, after them and beside them."""

import warnings
from dataclasses import fields
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sklrnn._hyperparameters import (
    POSITIVE_INT,
    Integral,
    Interval,
    Real,
    StrOptions,
    fitted,
    hyper,
    hyperparameters,
    validate_parameters,
)
from sklrnn.estimators.parameters import NetworkParameters
from sklrnn.imputation.interpolation import Hiding, Series, gap_lengths
from sklrnn.imputation.masking import Lessons, Reader, Scales, measure
from sklrnn.imputation.network import GAP_LOSSES, GapNetwork
from sklrnn.imputation.reading import GivenSeries, read_given_series
from sklrnn.timeline.calendar_features import choose_cycles, cyclical_features

__all__ = ["RecurrentImputer"]

Array = NDArray[Any]

# A window is four times as long as the gaps that most missing values are in, as far as this makes it neither blind nor slow.
_ROWS_PER_GAP, _MOST_VALUES = 4, 0.9
_SHORTEST_WINDOW, _LONGEST_WINDOW = 64, 192
# Steps of the optimizer with max_epochs="auto": 600 for 128 windows, with the root of their number beyond.
_STEPS, _FOR_WINDOWS = 600, 128


def _reads_a_table(self: "RecurrentImputer") -> bool:
    # Column names, and so set_output, have a meaning for two axes only.
    return getattr(self, "_rank_in", 2) == 2


@hyperparameters
class RecurrentImputer(OneToOneFeatureMixin, TransformerMixin, NetworkParameters, BaseEstimator):
    """Fill missing values of series from what stands before them, after them and in the other columns.

    The gap is bridged with a straight line first (without looking ahead: with the last value), and a recurrent network
    learns to correct the bridge. To learn, it needs no gaps and no truth: in each epoch other values that are known are
    hidden, in gaps like those of X and others, and it answers what was hidden. It reads, of every column, the bridge,
    where values are known and how far away the nearest of them are, and the place in the day, the week and the year where
    the index of a frame holds dates. What was not missing comes back untouched.

    **What is read.** A table ``(row, feature)`` is one series, whose rows are in the order of time, equally far apart; with
    a MultiIndex whose last level is time it is a panel. In an array ``(sample, time, feature)``, or a list or object array
    of ``(time_i, feature)`` arrays, each sample is a series. No value is filled from another series, and new rows are
    filled from these rows alone: of the training rows only the weights and the scales of the columns are kept.

    **Looking ahead.** By default a value is filled from both sides, so it knows what comes later. That is right for a
    record that is complete, and a leak where the filled rows train or test a forecaster: use ``bidirectional=False`` there.

    See Also
    --------
    sklearn.impute.SimpleImputer : The mean of a column, whatever its neighbours.
    sklearn.impute.IterativeImputer : Values of the same row, whatever the rows before and after.

    Notes
    -----
    A column that holds no value in ``fit`` is left out of the result, with a warning, unless ``keep_empty_features=True``.
    A column that holds none in ``transform`` is filled from the mean of training and from the other columns.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import RecurrentImputer
    >>> steps = np.arange(400)
    >>> truth = np.column_stack([np.sin(steps / 4), np.cos(steps / 4)])
    >>> X = truth.copy()
    >>> X[100:112, 0] = np.nan
    >>> filled = RecurrentImputer(units=16, max_epochs=40, random_state=0).fit_transform(X)
    >>> bool(np.abs(filled - truth).max() < 0.2)  # a straight line is off by 1
    True
    >>> bool((filled[~np.isnan(X)] == X[~np.isnan(X)]).all())
    True
    """

    pool_size: ClassVar[int] = 1  # type: ignore[misc]

    # fmt: off
    bidirectional: bool = hyper(default=True, constraint="boolean", sentence="Read what comes after a gap too; False fills each gap from the rows before it alone.")
    window_length: int | Literal["auto"] = hyper(default="auto", constraint=[Interval(Integral, 2, None, closed="left"), StrOptions({"auto"})], sentence='Rows that are read at once; "auto" takes four times as many as the gaps are long that most missing values are in, but 64 to 192.')
    calendar: bool = hyper(default=True, constraint="boolean", sentence="Where the index of a frame holds dates, read the place in the day, the week and the year, as far as training spans two of them.")
    loss: Literal["huber", "absolute_error", "squared_error"] = hyper(default="huber", constraint=StrOptions(GAP_LOSSES), sentence="What is minimised, with errors in units of those of the bridge: with the absolute or squared error, a loss below 1 is better than the bridge.")
    max_epochs: int | Literal["auto"] = hyper(default="auto", constraint=[POSITIVE_INT, StrOptions({"auto"})], sentence='Passes over the windows, in each of which other values are hidden; "auto" makes 600 steps of the optimizer, and more of them for more than 128 windows.')
    early_stopping: bool = hyper(default=False, constraint="boolean", sentence="Hold out the newest rows, stop when their loss no longer falls, and keep the best weights.")
    validation_fraction: float = hyper(default=0.1, constraint=Interval(Real, 0, 1, closed="neither"), sentence="Share of the rows, the newest, that early stopping holds out.")
    missing_values: float = hyper(default=np.nan, constraint=Real, sentence="What stands for a missing value. Where it is a number, NaN is an error.")
    min_value: Any = hyper(default=-np.inf, constraint=["array-like", Real], sentence="Least value that may be filled in; one for all columns, or one for each.")
    max_value: Any = hyper(default=np.inf, constraint=["array-like", Real], sentence="Greatest value that may be filled in; one for all columns, or one for each.")
    keep_empty_features: bool = hyper(default=False, constraint="boolean", sentence="Keep columns without any value in training, and fill them with 0.")
    add_indicator: bool = hyper(default=False, constraint="boolean", sentence="Append for each column with a gap in training another that is 1 where a value was missing.")
    # fmt: on

    units = 64
    cell = "lstm"
    optimizer = "adam"
    schedule = "one_cycle"

    n_features_in_: int = fitted("Columns of a table, or features of sequences.")
    feature_names_in_: NDArray[Any] = fitted("Names of the columns in fit, if they have any.")
    network_: GapNetwork = fitted("The fitted network.")
    window_length_: int = fitted("Rows that are read at once.")
    cycles_: tuple[str, ...] = fitted("What is read of the dates: day, week, year.")
    n_iter_: int = fitted("Epochs trained.")
    loss_curve_: list[float] = fitted("Loss of each epoch on what was hidden, penalties included.")
    validation_curve_: list[float] | None = fitted("Loss on the held-out newest rows after each epoch, or None.")
    best_validation_loss_: float | None = fitted("The lowest of `validation_curve_`.")
    n_parameters_: int = fitted("Numbers that the network learns.")

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn from the values that are known.

        Parameters
        ----------
        X : array-like of shape (row, feature) or (sample, time, feature), or list of (time_i, feature) arrays
            Series, with or without missing values.
        y : Ignored
            Present for pipelines.

        Returns
        -------
        self : RecurrentImputer
            The fitted imputer.
        """
        validate_parameters(self)
        before = dict(vars(self))
        try:
            given = read_given_series(self, X, reset=True, missing_values=self.missing_values)
            self._learn_columns(given)
            self.cycles_ = choose_cycles(given.dates) if self.calendar else ()
            self._learn(self._lay_out(given))
        except BaseException:
            # A fit that fails must not pass for a model, nor spoil the one that was there before.
            self.__dict__ = before
            raise
        return self

    def transform(self, X: Any) -> Any:
        """Fill what is missing.

        Parameters
        ----------
        X : array-like of shape (row, feature) or (sample, time, feature), or list of (time_i, feature) arrays
            Series, the same as in fit or others.

        Returns
        -------
        X_filled : array, frame or list
            In the form of X, or as ``set_output`` asks; the order of the rows and the values that are known stay.
        """
        check_is_fitted(self, "network_")
        given = read_given_series(self, X, reset=False, missing_values=self.missing_values)
        missing = np.isnan(given.values)
        filled = np.where(missing, np.zeros((), given.values.dtype), given.values)
        if missing[:, self._known].any():
            reader = Reader(Scales(*self._scales), self.window_length_, bool(self.bidirectional))
            answers = np.empty((len(filled), len(self._known)))
            answers[given.order] = self.network_.fill(self._lay_out(given), reader)
            low, high = (
                self._bound(bound, name)[self._known]
                for bound, name in ((self.min_value, "min_value"), (self.max_value, "max_value"))
            )
            answers = np.clip(answers, low, high)
            gaps = missing[:, self._known]
            filled[:, self._known] = np.where(gaps, answers, filled[:, self._known])
        parts = [filled[:, self._kept]]
        if self.add_indicator:
            parts.append(missing[:, self._indicated].astype(filled.dtype))
        return given.restore(np.concatenate(parts, axis=1))

    @available_if(_reads_a_table)
    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Name the columns of the result; only for tables.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns of X. None means those seen in fit, or ``x0, x1, ...``.

        Returns
        -------
        names : ndarray of str
            The columns that are kept, then ``missingindicator_...`` of those that ``add_indicator`` is about.
        """
        check_is_fitted(self, "network_")
        names = super().get_feature_names_out(input_features)
        indicators = [f"missingindicator_{name}" for name in names[self._indicated]] if self.add_indicator else []
        return np.asarray([*names[self._kept], *indicators], dtype=object)

    # -- learning ----------------------------------------------------------------------------------------------------

    def _learn_columns(self, given: GivenSeries) -> None:
        missing: Any = np.isnan(given.values)
        n_rows = len(missing)
        if n_rows < 2:
            raise ValueError(
                f"{type(self).__name__} learns from how rows follow on each other, so it needs at least two, got 1 sample. "
                "Pass more rows."
            )
        if missing.all():
            raise ValueError("X holds no value at all, so there is nothing to learn from. Pass rows that have values.")
        empty: Array = missing.all(axis=0)
        if empty.any() and not self.keep_empty_features:
            warnings.warn(
                f"Columns {np.flatnonzero(empty).tolist()} (counted from 0) hold no value and are left out of the result. "
                "Set keep_empty_features=True to keep them, filled with 0.",
                stacklevel=3,
            )
        self._known = np.flatnonzero(~empty)
        self._kept = np.arange(len(empty)) if self.keep_empty_features else self._known
        self._indicated = np.flatnonzero(missing.any(axis=0))
        low, high = self._bound(self.min_value, "min_value"), self._bound(self.max_value, "max_value")
        if not (low <= high).all():
            raise ValueError(f"min_value must not be above max_value, got {self.min_value} and {self.max_value}.")

    def _lay_out(self, given: GivenSeries) -> Series:
        if self.cycles_ and given.dates is None:
            raise ValueError(
                f"{type(self).__name__} was fitted on rows with dates and reads the {', '.join(self.cycles_)} of each, but "
                "the index of this X holds no dates. Pass a frame with dates, or fit with calendar=False."
            )
        calendar = cyclical_features(given.dates, self.cycles_, len(given.values))
        return Series(given.values[:, self._known][given.order], calendar[given.order], given.lengths)

    def _learn(self, series: Series) -> None:
        train, held_out = self._hold_out(series)
        lengths = gap_lengths(np.isnan(train.values), train)
        self.window_length_ = self._choose_window(lengths, longest=int(train.lengths.max()))
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        hiding = Hiding.like(lengths, longest=max(1, self.window_length_ // _ROWS_PER_GAP))
        squared = self.loss == "squared_error"
        reader = measure(
            train, hiding, window=self.window_length_, ahead=bool(self.bidirectional), squared=squared, seed=seed
        )
        lessons, exam = (
            None if part is None else Lessons.enough(part, hiding, reader, self.batch_size)
            for part in (train, held_out)
        )
        assert lessons is not None
        shared = {f.name: getattr(self, f.name) for f in fields(NetworkParameters) if f.name != "pool_size"}
        shared |= {"loss": self.loss, "max_epochs": self._n_epochs(len(lessons)), "random_state": seed}
        network = GapNetwork(**shared).learn(lessons, exam)
        self.network_, self._scales = network, tuple(reader.scales)
        for name in ("n_iter_", "loss_curve_", "validation_curve_", "best_validation_loss_", "n_parameters_"):
            setattr(self, name, getattr(network, name))

    def _hold_out(self, series: Series) -> tuple[Series, Series | None]:
        if not self.early_stopping:
            return series, None
        n_rows = len(series.values)
        n_held_out = int(self.validation_fraction * n_rows)
        if n_held_out < 2 or n_rows - n_held_out < 2:
            raise ValueError(
                f"validation_fraction={self.validation_fraction} of {n_rows} rows leaves {n_held_out} to validate on and "
                f"{n_rows - n_held_out} to train on; both need at least two. Change validation_fraction, pass more rows, "
                "or set early_stopping=False."
            )
        return series.split(n_rows - n_held_out)

    def _choose_window(self, lengths: Array, *, longest: int) -> int:
        if self.window_length != "auto":
            return min(int(self.window_length), longest)
        # Long gaps are few, but hold much of what is missing.
        typical = np.quantile(np.repeat(lengths, lengths), _MOST_VALUES) if len(lengths) else 0
        return min(int(np.clip(_ROWS_PER_GAP * typical, _SHORTEST_WINDOW, _LONGEST_WINDOW)), longest)

    def _n_epochs(self, n_windows: int) -> int:
        if self.max_epochs != "auto":
            return int(self.max_epochs)
        steps = _STEPS * max(1.0, n_windows / _FOR_WINDOWS) ** 0.5
        return max(1, round(steps / -(-n_windows // self.batch_size)))

    def _bound(self, bound: Any, name: str) -> Array:
        """One bound for each column."""
        values = np.asarray(bound, dtype=np.float64)
        if values.shape not in ((), (self.n_features_in_,)) or np.isnan(values).any():
            raise ValueError(
                f"{name} must be one number, or one for each of the {self.n_features_in_} columns of X, got {bound!r}."
            )
        return np.broadcast_to(values, (self.n_features_in_,))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = bool(np.isnan(self.missing_values))
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
