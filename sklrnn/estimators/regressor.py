"""Numbers from a sequence."""

from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from torch import nn

from sklrnn._hyperparameters import FRACTION, IncreasingLevels, StrOptions, SubclassOf, hyper, hyperparameters
from sklrnn.estimators.base import RecurrentEstimator
from sklrnn.estimators.conformal import HeldOutErrors
from sklrnn.inputs.ragged import Ragged, concatenate_steps, for_each_step
from sklrnn.inputs.samples import Samples
from sklrnn.inputs.step_targets import StepScore
from sklrnn.inputs.validation import check_targets
from sklrnn.nn.losses import REGRESSION_LOSSES, Loss, regression_loss

Array = NDArray[Any]


@hyperparameters
class RecurrentRegressor(StepScore, RegressorMixin, RecurrentEstimator):
    """Regress on sequences with a recurrent network.

    See Also
    --------
    RecurrentClassifier : Labels instead of numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import RecurrentRegressor
    >>> X = np.random.default_rng(0).normal(size=(200, 8))
    >>> y = 1000 + 50 * X[:, -3:].sum(axis=1)
    >>> model = RecurrentRegressor(cell="lstm", units=16, max_epochs=60, random_state=0).fit(X, y)
    >>> model.predict(X).shape
    (200,)
    >>> bool(model.score(X, y) > 0.9)
    True
    """

    _metric = staticmethod(r2_score)

    # fmt: off
    loss: str | type[nn.Module] = hyper(default="squared_error", constraint=[StrOptions(REGRESSION_LOSSES), SubclassOf(nn.Module, "a torch loss module")], sentence="What is minimised: a name, or the class of a torch loss module.")
    quantiles: tuple[float, ...] = hyper(default=(0.1, 0.5, 0.9), constraint=IncreasingLevels(), sentence='Levels that ``loss="quantile"`` learns.')
    normalize_y: bool = hyper(default=True, constraint="boolean", sentence="Learn on standardised targets and answer in the user's units.")
    # fmt: on

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
        return self._answers(X, self._decode)

    def predict_quantiles(self, X: Any, quantiles: Any = None) -> Any:
        """Predict quantiles of the target of each sequence.

        They come from the network with ``loss="quantile"`` (trained levels, and levels between them) and
        ``loss="gaussian"``, otherwise from the errors on the held-out newest samples.

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
        levels = _check_levels(self.quantiles if quantiles is None else quantiles)
        return self._answers(X, partial(self._quantiles, levels=levels))

    def predict_interval(self, X: Any, coverage: float = 0.9) -> Any:
        """Predict an interval that holds the target with the given probability.

        Parameters
        ----------
        X : array-like of shape (sample, time) or (sample, time, feature), or list of (time_i, feature) arrays
            Sequences.
        coverage : float, default=0.9
            Share of targets that the interval should hold.

        Returns
        -------
        bounds : ndarray of shape (sample, 2) or (sample, output, 2)
            Lower and upper bound: from quantiles where the loss gives them, otherwise widened by the errors on the
            held-out newest samples (split conformal prediction).
        """
        if not FRACTION.is_satisfied_by(coverage):
            raise ValueError(f"coverage must be a number between 0 and 1, both excluded, got {coverage!r}.")
        return self._answers(X, partial(self._interval, coverage=coverage))

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

    def _encode(self, X: Array, y: Any, nonzero_weight: Any, *, reset: bool) -> Array:
        targets = check_targets(X, y, estimator=self)
        if reset:
            self._y_ndim = targets.ndim
            # Targets in double precision may have an offset that answers in single precision would lose.
            self._y_dtype = "float32" if getattr(y, "dtype", None) == np.float32 else "float64"
            self.n_outputs_ = 1 if targets.ndim == 1 else targets.shape[1]
        targets = targets.reshape(len(targets), -1)
        if targets.shape[1] != self.n_outputs_:
            raise ValueError(
                f"{type(self).__name__} has learnt {self.n_outputs_} output(s), got y with {targets.shape[1]}."
            )
        if self.loss == "poisson" and (targets[nonzero_weight] < 0).any():
            least = targets[nonzero_weight].min()
            raise ValueError(f'loss="poisson" needs targets that are not negative, got {least:g}.')
        return targets

    def _loss(self) -> Loss:
        return regression_loss(*self._judged_by)

    def _loss_parameters(self) -> tuple[Any, ...]:
        return self.loss, tuple(self.quantiles)

    def _learn_target_scale(self, train: Samples) -> None:
        y, weights = train.targets()
        self._y_location, self._y_spread = np.zeros(y.shape[1]), np.ones(y.shape[1])
        if not self.normalize_y:
            return
        mean = np.average(y, axis=0, weights=weights)
        spread = np.sqrt(np.average((y - mean) ** 2, axis=0, weights=weights))
        if self._loss().positive:  # a rate is learnt on a log scale, which only its size can be taken out of
            self._y_spread = np.where(mean > 0, mean, 1.0)
            return
        self._y_location = mean
        self._y_spread = np.where(spread > 10 * np.finfo(np.float64).eps * np.abs(mean), spread, 1.0)
        self._y_spread[self._y_spread == 0] = 1.0

    def _scale_targets(self, rows: Samples) -> Samples:
        def scale(y: Array) -> Array:
            scaled: Array = (y - self._y_location) / self._y_spread
            return scaled

        return replace(rows, y=for_each_step(scale, rows.y) if isinstance(rows.y, Ragged) else scale(rows.y))

    def _decode(self, raw: Array) -> Array:
        return self._shape_as_y(self._point(raw)).astype(np.result_type(raw.dtype, self._y_dtype), copy=False)

    def _point(self, raw: Array) -> Array:
        answers: Array = self._loss().point(self._split(raw)) * self._y_spread + self._y_location
        return answers

    def _quantiles_from_network(self, raw: Array, levels: Array, *, strict: bool = True) -> Array | None:
        """Quantiles that the loss knows, in the user's units; None where it knows none (or not these)."""
        loss = self._loss()
        if loss.quantiles is None:
            return None
        if loss.levels and (levels.min() < loss.levels[0] - 1e-12 or levels.max() > loss.levels[-1] + 1e-12):
            if not strict:
                return None
            raise ValueError(
                f"The network has learnt the quantiles {loss.levels} and can answer between them, "
                f"got levels from {levels.min():g} to {levels.max():g}. Fit it with these levels in `quantiles`."
            )
        values = loss.quantiles(self._split(raw), levels)
        return values * self._y_spread[:, np.newaxis] + self._y_location[:, np.newaxis]

    def _quantiles(self, raw: Array, levels: Array) -> Array:
        known = self._quantiles_from_network(raw, levels)
        if known is None:
            known = self._errors().shift(self._point(raw), levels)
        return self._shape_as_y(self._bound(known))

    def _interval(self, raw: Array, coverage: float) -> Array:
        levels = np.array([(1 - coverage) / 2, (1 + coverage) / 2])
        bounds = self._quantiles_from_network(raw, levels, strict=False)
        if bounds is None:
            margin = self._errors().margin(coverage)
            inner = self._innermost_band(raw)
            middle = inner.mean(axis=-1, keepdims=True)
            # A margin may be negative, where the band holds more than it should; its ends must not pass each other.
            bounds = inner + np.stack([-margin, margin], axis=-1)
            bounds = np.concatenate([np.minimum(bounds[..., :1], middle), np.maximum(bounds[..., 1:], middle)], axis=-1)
        return self._shape_as_y(self._bound(bounds))

    def _innermost_band(self, raw: Array) -> Array:
        """What a margin is added to: the outermost trained quantiles, or the point on both sides."""
        levels = self._loss().levels
        if levels:
            band = self._quantiles_from_network(raw, np.array([levels[0], levels[-1]]))
            assert band is not None
            return band
        return np.repeat(self._point(raw)[..., np.newaxis], 2, axis=-1)

    def _learn_residuals(self, held_out: Samples | None) -> None:
        self._held_out_errors = None
        if held_out is not None:
            # The answers are picked, not the sequences: picking windows would write them out.
            raw, (y, weights) = self._run_checked(held_out.X)[held_out.nonzero_weight], held_out.targets()
            if held_out.per_timestep:
                there = slice(None) if weights is None else weights > 0
                raw, y = concatenate_steps(raw)[there], y[there]
            self._held_out_errors = HeldOutErrors.measure(y, self._point(raw), self._innermost_band(raw)).state

    def _errors(self) -> HeldOutErrors:
        state = getattr(self, "_held_out_errors", None)
        if state is None:
            levels = self._loss().levels
            instead = (
                f" or with outer levels in `quantiles` (now {levels})"
                if levels
                else ' or with loss="quantile" or "gaussian"'
            )
            raise ValueError(
                f"loss={self._judged_by[0]!r} gives no such quantiles, and no samples were held out to measure errors on. "
                f"Fit with early_stopping=True{instead}."
            )
        return HeldOutErrors(*state)

    def _split(self, raw: Array) -> Array:
        return raw.reshape(len(raw), self.n_outputs_, -1)

    def _bound(self, values: Array) -> Array:
        return np.maximum(values, 0.0) if self._loss().positive else values

    def _shape_as_y(self, values: Array) -> Array:
        """Drop the output axis again where y had none."""
        return values[:, 0] if self._y_ndim == 1 else values

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _check_levels(quantiles: Any) -> Array:
    levels = np.asarray(quantiles, dtype=float).reshape(-1)
    if not levels.size or not ((levels > 0) & (levels < 1)).all():
        raise ValueError(f"quantiles must be numbers between 0 and 1, both excluded, got {quantiles!r}.")
    return levels


@hyperparameters
class SimpleRNNRegressor(RecurrentRegressor):
    """Regress on sequences with a simple recurrent network: h_t = activation(W_x x_t + W_h h_{t-1} + b).

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import SimpleRNNRegressor
    >>> X = np.random.default_rng(0).normal(size=(100, 6))
    >>> SimpleRNNRegressor(units=8, max_epochs=5, random_state=0).fit(X, X.sum(axis=1)).predict(X).shape
    (100,)
    """

    cell: ClassVar[str] = "simple_rnn"  # type: ignore[misc]


@hyperparameters
class GRURegressor(RecurrentRegressor):
    """Regress on sequences with gated recurrent units.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import GRURegressor
    >>> series = 500 + 100 * np.sin(np.arange(300) / 5)
    >>> windows = np.lib.stride_tricks.sliding_window_view(series, 12)
    >>> X, y = windows[:-1], series[12:]
    >>> model = GRURegressor(units=16, max_epochs=30, random_state=0).fit(X[:200], y[:200])
    >>> bool(model.score(X[200:], y[200:]) > 0.95)
    True
    """

    cell: ClassVar[str] = "gru"  # type: ignore[misc]


@hyperparameters
class LSTMRegressor(RecurrentRegressor):
    """Regress on sequences with a long short-term memory.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import LSTMRegressor
    >>> X = np.random.default_rng(0).normal(size=(100, 6, 2))
    >>> y = np.stack([X[:, -1, 0], X[:, 0, 1]], axis=1)
    >>> LSTMRegressor(units=(8, 8), max_epochs=5, random_state=0).fit(X, y).predict(X).shape
    (100, 2)
    """

    cell: ClassVar[str] = "lstm"  # type: ignore[misc]


@hyperparameters
class CNNLSTMRegressor(RecurrentRegressor):
    """Regress on sequences with 1-D convolutions in front of a long short-term memory.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import CNNLSTMRegressor
    >>> X = np.random.default_rng(0).normal(size=(100, 12))
    >>> model = CNNLSTMRegressor(filters=8, kernel_size=3, pool_size=2, max_epochs=5, random_state=0)
    >>> model.fit(X, X[:, -1]).hidden_states(X).shape
    (100, 6, 32)
    """

    cell: ClassVar[str] = "lstm"  # type: ignore[misc]
    filters = 32
