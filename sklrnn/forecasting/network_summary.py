"""The layers of the networks of a forecaster as a table."""

from typing import Any

from sklrnn.forecasting.network import ForecastNetwork
from sklrnn.nn.summary import NetworkSummary


class NetworksWithSummary:
    """The method of a forecaster that shows its networks."""

    networks_: list[ForecastNetwork]

    def summary(self, *, show: bool = True) -> NetworkSummary | None:
        """Print the layers of the fitted networks as a table: output shapes, weights, and numbers of parameters.

        Parameters
        ----------
        show : bool, default=True
            Print the table, in a notebook as HTML. With False it is returned: ``str`` of it is the text.

        Returns
        -------
        summary : NetworkSummary or None
            The table with ``show=False``, otherwise None.
        """
        forecaster: Any = self
        forecaster.check_is_fitted("summary")
        first, *others = self.networks_
        summary = NetworkSummary(first.module_.layers(), title=type(self).__name__, n_networks=1 + len(others))
        if not show:
            return summary
        summary.display()
        return None
