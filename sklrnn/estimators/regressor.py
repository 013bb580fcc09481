"""Numbers from a sequence."""

from dataclasses import replace
from functools import partial
from numbers import Real
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import r2_score
from torch import nn

from sklrnn._hyperparameters import Choices, Doc, Group, Interval, hyperparameters
from sklrnn.estimators.base import TypedAsEstimator
from sklrnn.estimators.conformal import HeldOutErrors
from sklrnn.estimators.cross_conformal import (
    CalibrationCV,
    check_calibration,
    cross_conformal_errors,
    explain_missing,
    measure_errors,
)
from sklrnn.estimators.parameters import Quantiles
from sklrnn.estimators.window_scale import TargetFeature, WindowUnits, check_same_units
from sklrnn.inputs.magnitudes import check_scaled_targets, mean_and_spread
from sklrnn.inputs.ragged import Ragged, for_each_step
from sklrnn.inputs.samples import Samples
from sklrnn.inputs.sklearn_classes import RegressorMixin
from sklrnn.inputs.step_targets import StepScore
from sklrnn.inputs.validation import check_targets
from sklrnn.nn.losses import LOSS_MEANINGS, Loss, LossName, regression_loss

Array = NDArray[Any]


@hyperparameters
class RegressorTask(StepScore, RegressorMixin, TypedAsEstimator):
    """The task of a regressor: numbers as targets, and their predictions."""

    _metric = staticmethod(r2_score)
    _loss_parameter_names = ("loss", "quantiles")

    loss: Annotated[
        LossName | type[nn.Module],
        Choices(LOSS_MEANINGS),
        Group.LOSS,
        Doc("What is minimised: a name, or the class of a loss module of torch."),
    ] = "squared_error"
    quantiles: Quantiles = (0.1, 0.5, 0.9)
    normalize_y: Annotated[
        bool | Literal["window"],
        Group.LOSS,
        Doc(
            'Learn on standardised targets and answer in the user\'s units; with "window" y is measured from '
            "the last value of `target_feature` in each window, in standard deviations of this window."
        ),
    ] = True
    target_feature: TargetFeature = None
    calibration_cv: CalibrationCV = None

    def predict(self, X: Any) -> Any:
        """Predict the target of each sequence.

        Parameters
        ----------
        X : array-like of shape (sample, time) or (sample, time, feature), or list of (time_i, feature) arrays
            Sequences.

        Returns
        -------
        y : ndarray of shape (sample,) or (sample, output), or as X with ``return_sequences=True``
            Shaped as the targets of ``fit``; the median with ``loss="quantile"``.
        """
        return self._predictions(X, self._decode)

    def predict_quantiles(self, X: Any, quantiles: Any = None) -> Any:
        """Predict quantiles of the target of each sequence.

        They come from the network with ``loss="quantile"`` (trained levels, and levels between them) and
        ``loss="gaussian"``, otherwise from the errors on samples that training did not see (`calibration_cv`, or those
        that early stopping held out), and beyond the largest of these from the tail of Student's t.

        Parameters
        ----------
        X : array-like of shape (sample, time) or (sample, time, feature), or list of (time_i, feature) arrays
            Sequences.
        quantiles : sequence of float, default=None
            Levels between 0 and 1; None takes the parameter `quantiles`.

        Returns
        -------
        values : ndarray of shape (sample, quantile) or (sample, output, quantile)
            They never cross.
        """
        levels = check_levels(self.quantiles if quantiles is None else quantiles)
        return self._predictions(X, partial(self._quantiles, levels=levels))

    def predict_interval(self, X: Any, coverage: float = 0.9) -> Any:
        """Predict an interval that holds the target with the given probability.

        Parameters
        ----------
        X : array-like of shape (sample, time) or (sample, time, feature), or list of (time_i, feature) arrays
            Sequences.
        coverage : float, default=0.9
            Share of targets that the interval should hold. Of n errors the largest bounds n / (n + 1); more
            coverage follows the tail of Student's t.

        Returns
        -------
        bounds : ndarray of shape (sample, 2) or (sample, output, 2)
            Lower and upper bound: from quantiles where the loss gives them, otherwise widened by the errors on
            samples that training did not see (conformal prediction [1]_, of quantiles [2]_): those of
            `calibration_cv`, or those that early stopping held out.

        References
        ----------
        .. [1] Lei, J., G'Sell, M., Rinaldo, A., Tibshirani, R. J. and Wasserman, L.: "Distribution-free predictive
           inference for regression", Journal of the American Statistical Association 113(523), 2018.

        .. [2] Romano, Y., Patterson, E. and Candès, E. J.: "Conformalized quantile regression", NeurIPS, 2019.
        """
        if not Interval(gt=0, lt=1).over(Real).is_satisfied_by(coverage):
            raise ValueError(f"coverage must be a number between 0 and 1, both excluded, got {coverage!r}.")
        return self._predictions(X, partial(self._interval, coverage=coverage))

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train one more epoch, on these samples.

        The first call fixes the scales of X and y: let its samples be typical.

        Parameters
        ----------
        X : array-like of shape (sample, time) or (sample, time, feature), or list of (time_i, feature) arrays
            Sequences.
        y : array-like of shape (sample,) or (sample, output)
            Targets.
        sample_weight : array-like of shape (sample,), default=None
            Weight of each sample.

        Returns
        -------
        self : estimator
            The fitted estimator.
        """
        return self._partial_fit(X, y, sample_weight)

    def _encode(self, X: Array, y: Any, weights: Array | None, *, reset: bool) -> tuple[Array, Array | None]:
        targets = check_targets(X, y, estimator=self)
        if reset:
            self._y_ndim = targets.ndim
            # Targets in double precision may have an offset that predictions in single precision would lose.
            self._y_dtype = "float32" if getattr(y, "dtype", None) == np.float32 else "float64"
            self.n_outputs_ = self._n_raw_outputs = 1 if targets.ndim == 1 else targets.shape[1]
        else:
            check_same_units(self, X)
            check_calibration(self)
        targets = targets.reshape(len(targets), -1)
        if targets.shape[1] != self.n_outputs_:
            raise ValueError(
                f"{type(self).__name__} was fitted with {self.n_outputs_} output(s), got y with {targets.shape[1]}."
            )
        if self._loss.positive:
            lowest = targets[slice(None) if weights is None else weights > 0].min()
            if lowest < 0:
                name = f'"{self.loss}"' if isinstance(self.loss, str) else self.loss.__name__
                raise ValueError(f"loss={name} needs targets that are not negative, got {lowest:g}.")
        return targets, weights

    def _make_loss(self, **parameters: Any) -> Loss:
        return regression_loss(**parameters)

    def _scale_targets(self, samples: Samples, *, fit: bool = False) -> Samples:
        if fit:
            self._y_windows = WindowUnits.state_for(self, samples) if self.normalize_y == "window" else None
            self._fit_target_scale(self._in_window_units(samples))
        samples = self._in_window_units(samples)

        def scale(y: Array) -> Array:
            scaled: Array = (y - self._y_location) / self._y_spread
            return scaled

        y = for_each_step(scale, samples.y) if isinstance(samples.y, Ragged) else scale(samples.y)
        scaled = replace(samples, y=y)
        check_scaled_targets(scaled.targets()[0], normalized=bool(self.normalize_y))
        return scaled

    def _window_units(self) -> WindowUnits | None:
        """The units of each window that y is measured in, if it is."""
        state = getattr(self, "_y_windows", None)
        return None if state is None else WindowUnits(*state)

    def _in_window_units(self, samples: Samples) -> Samples:
        units = self._window_units()
        return samples if units is None else units.scale(samples)

    def _fit_target_scale(self, train: Samples) -> None:
        y, weights = train.targets()
        nothing = np.zeros(y.shape[1]), np.ones(y.shape[1])
        self._set_target_scale(*(mean_and_spread(y, weights) if self.normalize_y else nothing))

    def _set_target_scale(self, mean: Array, spread: Array) -> None:
        self._y_location, self._y_spread = np.zeros(len(mean)), np.ones(len(mean))
        if not self.normalize_y:
            return
        if self._loss.positive:  # a rate is predicted on a log scale, from which only its size can be taken out
            self._y_spread = np.where(mean > 0, mean, 1.0)
            return
        self._y_location = mean
        self._y_spread = np.where(spread > 10 * np.finfo(np.float64).eps * np.abs(mean), spread, 1.0)
        self._y_spread[self._y_spread == 0] = 1.0

    def _decode(self, raw: Array, X: Any) -> Array:
        points = self._in_form_of_y(self._point(raw), X)
        return points.astype(np.result_type(raw.dtype, self._y_dtype), copy=False)

    def _point(self, raw: Array) -> Array:
        points: Array = self._loss.point(self._split(raw)) * self._y_spread + self._y_location
        return points

    def _quantiles_from_network(self, raw: Array, levels: Array, *, strict: bool = True) -> Array | None:
        """Quantiles that the loss knows, in the units of ``_point``; None where it knows none (or not these)."""
        loss = self._loss
        if loss.quantiles is None:
            return None
        if not loss.covers(levels):
            if not strict:
                return None
            raise ValueError(
                f"The network was trained for the quantiles {loss.levels} and those between them, "
                f"got levels from {levels.min():g} to {levels.max():g}. Fit it with these levels in `quantiles`."
            )
        values = loss.quantiles(self._split(raw), levels)
        return values * self._y_spread[:, np.newaxis] + self._y_location[:, np.newaxis]

    def _quantiles(self, raw: Array, X: Any, levels: Array) -> Array:
        known = self._quantiles_from_network(raw, levels)
        if known is None:
            known = self._errors().shift(self._point(raw), levels)
        return self._in_form_of_y(self._bound(known), X)

    def _interval(self, raw: Array, X: Any, coverage: float) -> Array:
        levels = np.array([(1 - coverage) / 2, (1 + coverage) / 2])
        bounds = self._quantiles_from_network(raw, levels, strict=False)
        if bounds is None:
            margin = self._errors().margin(coverage)
            inner = self._innermost_band(raw)
            middle = inner.mean(axis=-1, keepdims=True)
            # A margin may be negative, where the band holds more than it should; its ends must not pass each other.
            bounds = inner + np.stack([-margin, margin], axis=-1)
            bounds = np.concatenate([np.minimum(bounds[..., :1], middle), np.maximum(bounds[..., 1:], middle)], axis=-1)
        return self._in_form_of_y(self._bound(bounds), X)

    def _innermost_band(self, raw: Array) -> Array:
        """What a margin is added to: the outermost trained quantiles, or the point on both sides."""
        levels = self._loss.levels
        if levels:
            band = self._quantiles_from_network(raw, np.array([levels[0], levels[-1]]))
            assert band is not None
            return band
        return np.repeat(self._point(raw)[..., np.newaxis], 2, axis=-1)

    def _calibrate(self, samples: Samples | None, held_out: Samples | None) -> None:
        self._held_out_errors = None
        if self.calibration_cv is not None and samples is not None:
            self._held_out_errors = cross_conformal_errors(self, samples).state
        elif held_out is not None:
            self._held_out_errors = measure_errors(self, held_out).state

    def _errors(self) -> HeldOutErrors:
        state = getattr(self, "_held_out_errors", None)
        if state is None:
            raise ValueError(explain_missing(self))
        return HeldOutErrors(*state)

    def _split(self, raw: Array) -> Array:
        return raw.reshape(len(raw), self.n_outputs_, -1)

    def _bound(self, values: Array) -> Array:
        return np.maximum(values, 0.0) if self._loss.positive else values

    def _in_form_of_y(self, values: Array, X: Any) -> Array:
        """Leave the units of the windows X, and drop the output axis again where y had none."""
        units = self._window_units()
        values = values if units is None else units.restore(values, X)
        return values[:, 0] if self._y_ndim == 1 else values

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def check_levels(quantiles: Any) -> Array:
    """Levels of quantiles as an array."""
    levels = np.asarray(quantiles, dtype=float).reshape(-1)
    if not levels.size or not ((levels > 0) & (levels < 1)).all():
        raise ValueError(f"quantiles must be numbers between 0 and 1, both excluded, got {quantiles!r}.")
    return levels
