"""Imputation of missing values in series from the rows before and after, and from other columns."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted
from torch import nn

from sklrnn._hyperparameters import fitted, hyperparameters, validate_parameters
from sklrnn.estimators.cell_options import CellOptions
from sklrnn.estimators.network_holder import NetworkHolder
from sklrnn.estimators.options import as_tuple, draw_seed, recurrent_options, warn_of_long_convolutions
from sklrnn.estimators.parameters import ConvolutionOptions
from sklrnn.imputation.features import FeatureBuilder, Scales
from sklrnn.imputation.interpolation import IncompleteSeries
from sklrnn.imputation.masking import MaskedBatches, MaskedDataset, MaskSampler, fit_features, gap_lengths
from sklrnn.imputation.network import impute, masked_loss
from sklrnn.imputation.parameters import ImputerParameters
from sklrnn.imputation.reading import GivenSeries, read_given_series
from sklrnn.inputs.magnitudes import column_powers
from sklrnn.inputs.samples import count_older
from sklrnn.inputs.sklearn_classes import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklrnn.inputs.user_warnings import warn_user
from sklrnn.nn.network import NetworkArchitecture
from sklrnn.timeline.calendar_features import choose_cycles, cyclical_features
from sklrnn.training.auto_epochs import StepBudget, resolve_epochs
from sklrnn.training.devices import choose_device

__all__ = ["RecurrentImputer"]

Array = NDArray[Any]

# A window is four times the length of gap that covers most missing values, within limits.
_ROWS_PER_GAP, _SHARE_OF_MISSING = 4, 0.9
_SHORTEST_WINDOW, _LONGEST_WINDOW = 64, 192
# Steps of the optimizer with max_epochs="auto": 600 for 128 windows, with the root of their number beyond.
_STEPS = StepBudget(600, reference_samples=128, growth=0.5)


def _reads_a_table(self: "RecurrentImputer") -> bool:
    # Column names, and so set_output, have a meaning for two axes only.
    return getattr(self, "_rank_in", 2) == 2


@hyperparameters
class RecurrentImputer(
    OneToOneFeatureMixin,
    TransformerMixin,
    NetworkHolder,
    CellOptions,
    ConvolutionOptions,
    ImputerParameters,
    BaseEstimator,
):
    """Impute missing values of series from the rows before and after, and from the other columns.

    Gaps are interpolated first (linearly, or without looking ahead with the last value), and a recurrent network
    predicts the residuals of the interpolation. Training needs no gaps and no truth: in each epoch other known values
    are masked, in gaps like those of X and others, and the network predicts them. It reads of every column the
    interpolated values, which values are known, and the distances to the nearest known ones; and the time of day, week
    and year where the index of a frame holds dates. Known values stay untouched.

    **What is read.** A Series is one series, and so is a table ``(row, feature)``, whose rows are in the order of time,
    equally far apart; with a MultiIndex whose last level is time it is a panel. In an array
    ``(sample, time, feature)``, or a list or object array of ``(time_i, feature)`` arrays, each sample is a series. No
    value is imputed from another series, and new rows are imputed from these rows alone: of the training rows only the
    weights and the scales of the columns are kept.

    **Looking ahead.** By default a value is imputed from both sides, so from later rows too. That is right for a
    complete record, and a leak where the imputed rows train or test a forecaster: use ``bidirectional=False`` there.

    See Also
    --------
    sklearn.impute.SimpleImputer : The mean of a column.
    sklearn.impute.IterativeImputer : Regression on the other columns of the same row.

    Notes
    -----
    A column that holds no value in ``fit`` is left out of the result, with a warning, unless
    ``keep_empty_features=True``. A column that holds none in ``transform`` is imputed from its training mean and from
    the other columns.

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

    __module__ = "sklrnn"

    _architecture_kind = NetworkArchitecture

    cell = "lstm"

    n_features_in_: int = fitted("Columns of a table, or features of sequences.")
    feature_names_in_: NDArray[Any] = fitted("Names of the columns in fit, if they have any.")
    window_length_: int = fitted("Rows that are read at once.")
    cycles_: tuple[str, ...] = fitted("What is read of the dates: day, week, year.")

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn from the values that are known.

        Parameters
        ----------
        X : array-like of shape (row, feature) or (sample, time, feature), list of (time_i, feature) arrays, or Series
            Series, with or without missing values.
        y : Ignored
            Present for pipelines.

        Returns
        -------
        self : RecurrentImputer
            The fitted imputer.
        """
        validate_parameters(self)
        with self._draft(continues=False) as draft:
            given = read_given_series(draft, X, reset=True, missing_values=self.missing_values)
            draft._check_columns(given)
            draft.cycles_ = choose_cycles(given.dates) if self.calendar else ()
            draft._fit(draft._series_of(given))
        return self

    def transform(self, X: Any) -> Any:
        """Impute what is missing.

        Parameters
        ----------
        X : array-like of shape (row, feature) or (sample, time, feature), list of (time_i, feature) arrays, or Series
            Series, the same as in fit or others.

        Returns
        -------
        X_filled : array, frame, Series or list
            In the form of X, or as ``set_output`` asks; the order of the rows and the values that are known stay. A
            Series keeps its name and index; with ``add_indicator=True`` it becomes a frame.
        """
        check_is_fitted(self, "model_")
        given = read_given_series(self, X, reset=False, missing_values=self.missing_values)
        missing = np.isnan(given.values)
        filled = np.where(missing, np.zeros((), given.values.dtype), given.values)
        if missing[:, self._known].any():
            ahead = bool(self.model_.architecture.bidirectional)
            features = FeatureBuilder(Scales(*self._scales), self.window_length_, ahead)
            imputed = np.empty((len(filled), len(self._known)))
            with self._threads():
                imputed[given.order] = np.ldexp(impute(self.model_, self._series_of(given), features), self._powers)
            low, high = (
                self._bound(bound, name)[self._known]
                for bound, name in ((self.min_value, "min_value"), (self.max_value, "max_value"))
            )
            imputed = np.clip(imputed, low, high)
            gaps = missing[:, self._known]
            filled[:, self._known] = np.where(gaps, imputed, filled[:, self._known])
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
        check_is_fitted(self, "model_")
        names = super().get_feature_names_out(input_features)
        indicators = [f"missingindicator_{name}" for name in names[self._indicated]] if self.add_indicator else []
        return np.asarray([*names[self._kept], *indicators], dtype=object)

    # -- training ----------------------------------------------------------------------------------------------------

    def _check_columns(self, given: GivenSeries) -> None:
        missing: Any = np.isnan(given.values)
        n_rows = len(missing)
        if n_rows < 2:
            raise ValueError(
                f"{type(self).__name__} learns from consecutive rows, so it needs at least two, got 1 sample. "
                "Pass more rows."
            )
        if missing.all():
            raise ValueError("X holds no value at all, so there is nothing to learn from. Pass rows that have values.")
        empty: Array = missing.all(axis=0)
        if empty.any() and not self.keep_empty_features:
            warn_user(
                f"Columns {np.flatnonzero(empty).tolist()} (counted from 0) hold no value and are left out of the "
                "result. Set keep_empty_features=True to keep them, filled with 0.",
            )
        self._known = np.flatnonzero(~empty)
        self._kept = np.arange(len(empty)) if self.keep_empty_features else self._known
        self._powers = column_powers(given.values[:, self._known])
        self._indicated = np.flatnonzero(missing.any(axis=0))
        low, high = self._bound(self.min_value, "min_value"), self._bound(self.max_value, "max_value")
        if not (low <= high).all():
            raise ValueError(f"min_value must not be above max_value, got {self.min_value} and {self.max_value}.")

    def _series_of(self, given: GivenSeries) -> IncompleteSeries:
        if self.cycles_ and given.dates is None:
            raise ValueError(
                f"{type(self).__name__} was fitted on rows with dates and reads the {', '.join(self.cycles_)} of each, "
                "but the index of this X holds no dates. Pass a frame with dates, or fit with calendar=False."
            )
        calendar = cyclical_features(given.dates, self.cycles_, len(given.values))
        values = np.ldexp(given.values[:, self._known][given.order], -self._powers)
        return IncompleteSeries(values, calendar[given.order], given.lengths)

    def _fit(self, series: IncompleteSeries) -> None:
        train, held_out = self._hold_out(series)
        lengths = gap_lengths(np.isnan(train.values), train)
        self.window_length_ = self._choose_window(lengths, longest=int(train.lengths.max()))
        warn_of_long_convolutions(self, self.window_length_, "the window", ", or raise window_length")
        seed = draw_seed(self.random_state)
        network_seed = draw_seed(seed)
        sampler = MaskSampler.like(lengths, longest=max(1, self.window_length_ // _ROWS_PER_GAP))
        features = fit_features(
            train,
            sampler,
            window=self.window_length_,
            ahead=bool(self.bidirectional),
            squared=self.loss == "squared_error",
            seed=seed,
        )
        dataset = MaskedDataset.with_enough_batches(train, sampler, features, self.batch_size)
        validation = None
        if held_out is not None:
            masked = MaskedDataset.with_enough_batches(held_out, sampler, features, self.batch_size)
            validation = self._batches(masked, max(self.batch_size, 512), seed=None)
        batches = self._batches(dataset, self.batch_size, seed=network_seed)
        self._fitted_loss, self._scales = self.loss, tuple(features.scales)
        self._train(
            self._architecture(dataset).build(seed=network_seed),
            batches,
            validation,
            seed=network_seed,
            max_epochs=resolve_epochs(self.max_epochs, _STEPS, n_batches=len(batches), n_samples=len(dataset)),
            patience=self.n_iter_no_change,
        )

    def _architecture(self, dataset: MaskedDataset) -> NetworkArchitecture:
        return NetworkArchitecture(
            n_features=dataset.shape[2],
            n_outputs=dataset.series.values.shape[1],
            filters=as_tuple(self.filters),
            kernel_size=int(self.kernel_size),
            return_sequences=True,
            **recurrent_options(self),
        )

    def _batches(self, dataset: MaskedDataset, batch_size: int, *, seed: int | None) -> MaskedBatches:
        return MaskedBatches(dataset, batch_size=batch_size, device=choose_device(self.device), seed=seed)

    def _criterion(self) -> nn.Module:
        return masked_loss(self._fitted_loss).per_sample

    def _hold_out(self, series: IncompleteSeries) -> tuple[IncompleteSeries, IncompleteSeries | None]:
        if not self.early_stopping:
            return series, None
        return series.split(count_older(len(series.values), self.validation_fraction, what="rows", least=2))

    def _choose_window(self, lengths: Array, *, longest: int) -> int:
        if self.window_length != "auto":
            return min(int(self.window_length), longest)
        # Long gaps are few, but hold much of what is missing.
        typical = np.quantile(np.repeat(lengths, lengths), _SHARE_OF_MISSING) if len(lengths) else 0
        return min(int(np.clip(_ROWS_PER_GAP * typical, _SHORTEST_WINDOW, _LONGEST_WINDOW)), longest)

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
