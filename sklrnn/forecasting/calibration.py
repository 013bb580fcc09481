"""Errors of a forecaster on windows that its network was not trained on, for prediction intervals."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sklrnn.estimators.conformal import beyond_known
from sklrnn.forecasting.network import ForecastNetwork, NetworkRecipe, forecast_errors
from sklrnn.forecasting.windows import Windows
from sklrnn.inputs.user_warnings import warn_user

Array = NDArray[Any]

# The share of the windows, the newest, that a refit of the network is tested on, and how many they should be at least.
_TEST_SHARE, _TEST_WINDOWS = 0.2, 10
# With fewer windows than this to train or test on there is no refit.
_MIN_WINDOWS = 5


class Calibration:
    """Signed forecast errors in units of each window's scale, shaped (window, step ahead, channel).

    If early stopping held out the newest windows, the errors are those on them. Otherwise a copy of the network is
    trained on the older windows only and tested on the newest, once, when an interval is first asked for: the errors on
    windows that a network was trained on would be too small.

    ``refit`` says how the network was trained on these windows. It is None if it never was, as after pretraining on
    other series: the errors are then those on all windows. ``fallback`` is used where there are too few windows.
    """

    def __init__(
        self,
        network: ForecastNetwork,
        windows: Windows,
        *,
        refit: NetworkRecipe | None,
        fallback: "Calibration | None" = None,
    ) -> None:
        self.network = network
        self.windows = windows
        self.refit = refit
        self.fallback = fallback
        self._errors: Array | None = None

    def error_quantiles(self, levels: Array) -> Array:
        """Quantiles of the errors, in units of the scale, for each (step ahead, channel, level).

        The distribution is made symmetric, as an error is taken to be as likely as its opposite. Neighbouring windows
        share most of their targets: the effective number of errors is taken to be the number of windows divided by the
        root of the horizon, which lies between that number and the number of windows without common targets. Levels
        beyond the one that belongs to the largest error follow the tail of a distribution.
        """
        errors = self.errors()
        n_effective = max(1.0, len(errors) / np.sqrt(self.windows.spec.horizon))
        corrected = np.clip(0.5 + (levels - 0.5) * (n_effective + 1) / n_effective, 0.0, 1.0)
        symmetric = np.concatenate([errors, -errors])
        quantiles = np.moveaxis(np.nanquantile(symmetric, corrected, axis=0), 0, -1)
        known = 0.5 + 0.5 * n_effective / (n_effective + 1)
        return quantiles + beyond_known(levels, known, errors, n_effective)

    def errors(self) -> Array:
        """The errors, which are computed at the first call."""
        if self._errors is None:
            self._errors = self._compute_errors()
        return self._errors

    def forget_fallback(self) -> None:
        """A panel with windows has errors of its own: the panels before it need not be kept."""
        if len(self.windows):
            self.fallback = None

    def _compute_errors(self) -> Array:
        n = len(self.windows)
        if self.fallback is not None and n < _TEST_WINDOWS:
            return self.fallback.errors()
        if self.refit is None:
            return forecast_errors(self.network, self.windows)
        if self.network.held_out_errors is not None:
            return self.network.held_out_errors
        horizon = self.windows.spec.horizon
        n_newest = max(1, int(_TEST_SHARE * n), min(_TEST_WINDOWS, (n - horizon) // 2))
        n_older = self.windows.count_before(n - n_newest)
        if min(n_older, n_newest) < _MIN_WINDOWS:
            if self.fallback is not None:
                return self.fallback.errors()
            warn_user(
                f"{n} windows are too few to hold some out, so the intervals follow from the errors on the rows "
                "that the network was fitted to, which are too small. Pass more history or shorten window_length.",
            )
            return forecast_errors(self.network, self.windows)
        return forecast_errors(self.refit.fit(self.windows[:n_older]), self.windows[n - n_newest :])


class Pretrained(NamedTuple):
    """The result of pretraining, which every later fit starts from."""

    networks: list[ForecastNetwork]
    calibration: Calibration
