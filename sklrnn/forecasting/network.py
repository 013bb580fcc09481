"""The network of a forecaster: windows of series are its inputs, the next steps its outputs."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from sklrnn._hyperparameters import IncreasingLevels, StrOptions, hyper, hyperparameters
from sklrnn.estimators.base import RecurrentEstimator
from sklrnn.forecasting.windows import Windows
from sklrnn.inputs.samples import Samples
from sklrnn.nn.losses import Loss, regression_loss

Array = NDArray[Any]

FORECAST_LOSSES = {"absolute_error", "squared_error", "huber", "quantile", "gaussian"}


@hyperparameters
class WindowNetwork(RecurrentEstimator):
    """Predicts the steps after a window; inputs and targets are scaled by the windows themselves."""

    # fmt: off
    loss: str = hyper(default="absolute_error", constraint=StrOptions(FORECAST_LOSSES), sentence="What is minimised.")
    quantiles: tuple[float, ...] = hyper(default=(0.05, 0.5, 0.95), constraint=IncreasingLevels(), sentence='Levels that ``loss="quantile"`` learns.')
    # fmt: on

    def fit_windows(self, windows: Windows) -> "WindowNetwork":
        """Fit to windows, the oldest first.

        Losses that give quantiles weigh all errors equally: weighted outputs would not be quantiles.
        """
        has_quantiles = regression_loss(*self._loss_parameters()).quantiles is not None
        self.fit(windows, windows.targets(equal_weights=has_quantiles))
        return self

    def predict_scaled(self, windows: Windows) -> Array:
        """Predict scaled targets: (sample, step ahead, channel)."""
        spec = windows.spec
        return self._loss().point(self._raw_outputs(windows)).reshape(len(windows), spec.horizon, spec.n_channels)

    def predict_scaled_quantiles(self, windows: Windows, levels: Array) -> Array:
        """Predict quantiles of scaled targets by the loss: (sample, step ahead, channel, level)."""
        spec, quantiles = windows.spec, self._loss().quantiles
        assert quantiles is not None
        return quantiles(self._raw_outputs(windows), levels).reshape(
            len(windows), spec.horizon, spec.n_channels, len(levels)
        )

    def _raw_outputs(self, windows: Windows) -> Array:
        return self._run_checked(windows).reshape(len(windows), self.n_outputs_, -1)

    def predicts_quantiles(self, levels: Array) -> bool:
        """Whether the loss gives quantiles; the levels must then lie between the trained ones."""
        loss = self._loss()
        if loss.levels and not (loss.levels[0] - 1e-12 <= levels.min() and levels.max() <= loss.levels[-1] + 1e-12):
            raise ValueError(
                f"The networks were trained for the quantiles {loss.levels} and those between them, got levels from "
                f"{levels.min():g} to {levels.max():g}. Fit with these levels in `quantiles`."
            )
        return loss.quantiles is not None

    def _check_X(self, X: Any, *, reset: bool) -> Any:
        self.n_features_in_, self._n_direct_steps = X.shape[2], X.spec.n_future_steps
        return X

    def _encode(self, X: Any, y: Any, nonzero_weight: Any, *, reset: bool) -> Array:
        self.n_outputs_ = y.shape[1] // 2
        return np.asarray(y)

    def _hold_out(self, samples: Samples) -> tuple[Samples, Samples | None]:
        """Hold out the newest targets, and train on none of them."""
        _, newest = super()._hold_out(samples)
        if newest is None:
            return samples, None
        ages = samples.X.ages
        oldest = ages[len(samples.X) - len(newest.X)]
        n_older = int((ages >= oldest + samples.X.spec.horizon).sum())
        if not n_older:
            return samples, None
        return samples[:n_older], newest

    def _learn_residuals(self, held_out: Samples | None) -> None:
        self.held_out_errors = None if held_out is None else forecast_errors(self, held_out.X)

    def _loss(self) -> Loss:
        loss = regression_loss(*self._judged_by)
        return replace(loss, per_output=_WeightedTargets(loss.per_output))

    def _loss_parameters(self) -> tuple[Any, ...]:
        return self.loss, tuple(self.quantiles)

    def _describe(self, n_features: int) -> dict[str, Any]:
        return super()._describe(n_features) | {"n_direct_steps": self._n_direct_steps}


class _WeightedTargets(nn.Module):
    """The loss on targets that are followed by a weight for each output."""

    def __init__(self, per_output: nn.Module) -> None:
        super().__init__()
        self.per_output = per_output

    def forward(self, raw: Tensor, target: Tensor) -> Tensor:
        y, weights = target.chunk(2, dim=1)
        losses: Tensor = self.per_output(raw, y) * weights
        return losses


def forecast_errors(network: WindowNetwork, windows: Windows) -> Array:
    """Scaled target minus prediction, (sample, step ahead, channel); NaN where no target is known."""
    spec = windows.spec
    y, weights = np.split(windows.targets(), 2, axis=1)
    errors: Array = np.where(weights > 0, y - network.predict_scaled(windows).reshape(y.shape), np.nan)
    # An output without any target belongs to a constant, which is forecast without error.
    errors[:, np.isnan(errors).all(axis=0)] = 0.0
    return errors.reshape(len(windows), spec.horizon, spec.n_channels)
