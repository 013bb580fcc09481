"""The network inside a forecaster: windows of series in, the next steps of them out."""

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
    """Learns to answer windows that are cut when they are read; the windows bring their own scales."""

    # fmt: off
    loss: str = hyper(default="absolute_error", constraint=StrOptions(FORECAST_LOSSES), sentence="What is minimised.")
    quantiles: tuple[float, ...] = hyper(default=(0.05, 0.5, 0.95), constraint=IncreasingLevels(), sentence='Levels that ``loss="quantile"`` learns.')
    # fmt: on

    def learn(self, windows: Windows) -> "WindowNetwork":
        """Fit to windows, which stand in the order of their age, the oldest first.

        A loss that knows quantiles counts all errors alike: weighed by their size, no share of them would be a quantile.
        """
        knows_quantiles = regression_loss(*self._loss_parameters()).quantiles is not None
        self.fit(windows, windows.targets(alike=knows_quantiles))
        return self

    def points(self, windows: Windows) -> Array:
        """Answer on the network's own scale: (sample, step ahead, channel)."""
        f = windows.framing
        return self._loss().point(self._raw_of(windows)).reshape(len(windows), f.horizon, f.n_channels)

    def values_at(self, windows: Windows, levels: Array) -> Array:
        """The quantiles that the loss knows, on the network's own scale: (sample, step ahead, channel, level)."""
        f, quantiles = windows.framing, self._loss().quantiles
        assert quantiles is not None
        return quantiles(self._raw_of(windows), levels).reshape(len(windows), f.horizon, f.n_channels, len(levels))

    def _raw_of(self, windows: Windows) -> Array:
        return self._run_checked(windows).reshape(len(windows), self.n_outputs_, -1)

    def knows(self, levels: Array) -> bool:
        """Tell whether the loss answers quantiles itself; these then have to be within the learnt ones."""
        loss = self._loss()
        if loss.levels and not (loss.levels[0] - 1e-12 <= levels.min() and levels.max() <= loss.levels[-1] + 1e-12):
            raise ValueError(
                f"The networks have learnt the quantiles {loss.levels} and can answer between them, got levels from "
                f"{levels.min():g} to {levels.max():g}. Fit with these levels in `quantiles`."
            )
        return loss.quantiles is not None

    def _check_X(self, X: Any, *, reset: bool) -> Any:
        self.n_features_in_, self._n_direct_steps = X.shape[2], X.framing.n_known_steps
        return X

    def _encode(self, X: Any, y: Any, nonzero_weight: Any, *, reset: bool) -> Array:
        self.n_outputs_ = y.shape[1] // 2
        return np.asarray(y)

    def _hold_out(self, rows: Samples) -> tuple[Samples, Samples | None]:
        """Hold out the newest targets, and train on none of them."""
        _, newest = super()._hold_out(rows)
        if newest is None:
            return rows, None
        ages = rows.X.ages
        oldest = ages[len(rows.X) - len(newest.X)]
        n_older = int((ages >= oldest + rows.X.framing.horizon).sum())
        if not n_older:
            return rows, None
        return rows[:n_older], newest

    def _learn_residuals(self, held_out: Samples | None) -> None:
        self.held_out_errors = None if held_out is None else signed_errors(self, held_out.X)

    def _loss(self) -> Loss:
        loss = regression_loss(*self._judged_by)
        return replace(loss, per_output=_Weighed(loss.per_output))

    def _loss_parameters(self) -> tuple[Any, ...]:
        return self.loss, tuple(self.quantiles)

    def _describe(self, n_features: int) -> dict[str, Any]:
        return super()._describe(n_features) | {"n_direct_steps": self._n_direct_steps}


class _Weighed(nn.Module):
    """Reads targets that bring a weight for each output."""

    def __init__(self, per_output: nn.Module) -> None:
        super().__init__()
        self.per_output = per_output

    def forward(self, raw: Tensor, target: Tensor) -> Tensor:
        wanted, weights = target.chunk(2, dim=1)
        losses: Tensor = self.per_output(raw, wanted) * weights
        return losses


def signed_errors(network: WindowNetwork, windows: Windows) -> Array:
    """Target less answer, (sample, step ahead, channel), on the network's own scale; NaN where no target is known."""
    f = windows.framing
    wanted, weights = np.split(windows.targets(), 2, axis=1)
    errors: Array = np.where(weights > 0, wanted - network.points(windows).reshape(wanted.shape), np.nan)
    # An output without any target is that of a constant, which is forecast without error.
    errors[:, np.isnan(errors).all(axis=0)] = 0.0
    return errors.reshape(len(windows), f.horizon, f.n_channels)
