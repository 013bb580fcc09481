"""How far off a forecaster is on windows that its network did not see."""

import copy
import warnings
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sklrnn.forecasting.network import WindowNetwork, signed_errors
from sklrnn.forecasting.windows import Windows

Array = NDArray[Any]

# The share of the windows, the newest, that a twin network is asked to forecast, and how many they should be at least.
_SHARE, _ENOUGH = 0.2, 10
_FEWEST = 5


class Calibration:
    """Signed errors in units of each window's spread, shaped (window, step ahead, channel).

    Where early stopping held out the newest windows, these tell. Otherwise a twin of the network learns without them,
    once, when an interval is first asked for: the errors on rows that a network was fitted to would be too small.

    ``before`` is the network as it was before it learnt from these windows; None if it never did, as after pretraining on
    other series: it is then asked about all of them. ``otherwise`` tells where there are too few windows.
    """

    def __init__(
        self,
        network: WindowNetwork,
        windows: Windows,
        *,
        before: WindowNetwork | None,
        otherwise: "Calibration | None" = None,
    ) -> None:
        self.network = network
        self.windows = windows
        self.before = before
        self.otherwise = otherwise
        self._errors: Array | None = None

    def offsets(self, levels: Array) -> Array:
        """What to add to a forecast, in units of the spread, for each (step ahead, channel, level).

        An error is taken to be as likely as its opposite. Neighbouring windows share most of their targets, so that they
        count for fewer than they are: somewhere between each for one and those without a common target only.
        """
        errors = self.errors()
        n_apart = max(1.0, len(errors) / np.sqrt(self.windows.framing.horizon))
        outward = np.clip(0.5 + (levels - 0.5) * (n_apart + 1) / n_apart, 0.0, 1.0)
        both_ways = np.concatenate([errors, -errors])
        return np.moveaxis(np.nanquantile(both_ways, outward, axis=0), 0, -1)

    def errors(self) -> Array:
        """Measure, the first time."""
        if self._errors is None:
            self._errors = self._measure()
        return self._errors

    def _measure(self) -> Array:
        n = len(self.windows)
        if self.otherwise is not None and n < _ENOUGH:
            return self.otherwise.errors()
        if self.before is None:
            return signed_errors(self.network, self.windows)
        if self.network.held_out_errors is not None:
            return self.network.held_out_errors
        horizon = self.windows.framing.horizon
        newest = self.windows[n - max(1, int(_SHARE * n), min(_ENOUGH, (n - horizon) // 2)) :]
        n_older = int((self.windows.ages >= newest.ages[0] + horizon).sum())
        if min(n_older, len(newest)) < _FEWEST:
            if self.otherwise is not None:
                return self.otherwise.errors()
            warnings.warn(
                f"{n} windows are too few to hold some out, so the intervals follow from the errors on the rows that the "
                "network was fitted to, which are too small. Pass more history or shorten window_length.",
                stacklevel=6,
            )
            return signed_errors(self.network, self.windows)
        twin = copy.deepcopy(self.before).learn(self.windows[:n_older])
        return signed_errors(twin, newest)


class Pretrained(NamedTuple):
    """What pretraining leaves for each series to come."""

    networks: list[WindowNetwork]
    calibration: Calibration
