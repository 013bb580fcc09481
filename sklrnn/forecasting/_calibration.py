"""How far off a forecaster is on windows that its network did not see."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from sklrnn.forecasting._framing import Windows
from sklrnn.forecasting._network import WindowNetwork, signed_errors

Array = NDArray[Any]

# The share of the windows, the newest, that a twin network is asked to forecast.
_SHARE = 0.2
_FEWEST_TO_LEARN_FROM = 5


class Calibration:
    """Signed errors in units of each window's spread, shaped (window, step ahead, channel).

    Where early stopping held out the newest windows, these tell. Otherwise a twin of the network is fitted without them,
    once, when an interval is first asked for: the errors on rows that a network was fitted to would be too small. A
    network that was trained on other series is asked about all windows of this one.
    """

    def __init__(self, network: WindowNetwork, windows: Windows, *, unseen: bool) -> None:
        self.network = network
        self.windows = windows
        self.unseen = unseen
        self._errors = None if unseen else network.held_out_errors

    def offsets(self, levels: Array) -> Array:
        """What to add to a forecast, in units of the spread, for each (step ahead, channel, level).

        An error is taken to be as likely as its opposite. Neighbouring windows share most of their targets, so that they
        count for fewer than they are: somewhere between each for one and those without a common target only.
        """
        if self._errors is None:
            self._errors = self._measure()
        n_apart = max(1.0, len(self._errors) / np.sqrt(self.windows.framing.horizon))
        outward = np.clip(0.5 + (levels - 0.5) * (n_apart + 1) / n_apart, 0.0, 1.0)
        both_ways = np.concatenate([self._errors, -self._errors])
        return np.moveaxis(np.nanquantile(both_ways, outward, axis=0), 0, -1)

    def _measure(self) -> Array:
        if self.unseen and len(self.windows):
            return signed_errors(self.network, self.windows)
        ages = self.windows.ages
        newest = self.windows[len(ages) - max(1, int(_SHARE * len(ages))) :]
        n_older = int((ages >= newest.ages[0] + self.windows.framing.horizon).sum())
        if n_older < _FEWEST_TO_LEARN_FROM:
            warnings.warn(
                f"{len(ages)} windows are too few to hold some out, so the intervals follow from the errors on the rows that "
                "the network was fitted to, which are too small. Pass more history or shorten window_length.",
                stacklevel=6,
            )
            return signed_errors(self.network, self.windows)
        return signed_errors(clone(self.network).learn(self.windows[:n_older]), newest)
