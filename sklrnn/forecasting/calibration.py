"""Errors of a forecaster on targets that its network was not trained on, for prediction intervals."""

from typing import Any, NamedTuple

from numpy.typing import NDArray

from sklrnn.forecasting.cross_conformal import cross_conformal_errors
from sklrnn.forecasting.error_sizes import ErrorSizes
from sklrnn.forecasting.network import ForecastNetwork, NetworkRecipe, forecast_errors
from sklrnn.forecasting.windows import Windows
from sklrnn.inputs.user_warnings import warn_user

Array = NDArray[Any]

# With fewer windows than this of its own, a pretrained forecaster has the errors of the panel.
_OWN_WINDOWS = 10
# With fewer windows than this nothing is held out.
_MIN_WINDOWS = 5


class Calibration:
    """The sizes of the errors of a network, which are computed when an interval is first asked for.

    If early stopping held out the newest windows, the errors are those on them. Otherwise copies of the network are
    trained without the targets that they are then tested on: the errors on targets that a network was trained on would
    be too small.

    ``refit`` says how the network was trained on these windows. It is None if it never was, as after pretraining on
    other series: the errors are then those on all windows. ``fallback`` is used where there are too few windows.
    """

    # A class attribute, as models that an earlier version saved have none of their own.
    _sizes: ErrorSizes | None = None

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

    def offsets(self, levels: Array, windows: Windows, scale: Array, series_ids: Array) -> Array:
        """How far quantiles are from the points, for windows of these series with these scales.

        They are shaped (window, step, channel, level), in the unit of y.
        """
        known = self._with_enough_windows()
        # Series of the panel that the errors are from are numbered; other series have no size of their own.
        return known.sizes().offsets(levels, windows, scale, series_ids=series_ids if known is self else None)

    def sizes(self) -> ErrorSizes:
        """The sizes of the errors on the windows."""
        if self._sizes is None:
            self._sizes = ErrorSizes.of(*self._measure())
        return self._sizes

    def forget_fallback(self) -> None:
        """A panel with windows has errors of its own: the panels before it need not be kept."""
        if len(self.windows):
            self.fallback = None

    def _with_enough_windows(self) -> "Calibration":
        if self.fallback is None or len(self.windows) >= _OWN_WINDOWS:
            return self
        return self.fallback._with_enough_windows()

    def _measure(self) -> tuple[Windows, Array]:
        """Windows, and the signed errors on their targets in units of their scales: (window, step, channel)."""
        if self.refit is None:
            return self.windows, forecast_errors(self.network, self.windows)
        held_out = self.network.held_out_errors
        if held_out is not None:
            return self.windows[len(self.windows) - len(held_out) :], held_out
        if len(self.windows) < _MIN_WINDOWS:
            warn_user(
                f"{len(self.windows)} windows are too few to hold some out, so the intervals follow from the errors on "
                "the rows that the network was fitted to, which are too small. Pass more history or shorten "
                "window_length.",
            )
            return self.windows, forecast_errors(self.network, self.windows)
        return cross_conformal_errors(self.refit, self.windows)


class Pretrained(NamedTuple):
    """The result of pretraining, which every later fit starts from."""

    networks: list[ForecastNetwork]
    calibration: Calibration
