"""The networks of a forecaster as a table of layers and as pictures."""

from typing import Any

from sklrnn.estimators.shown_network import pictures_of, show_summary
from sklrnn.forecasting.network import ForecastNetwork
from sklrnn.nn.summary import NetworkSummary


class NetworksWithSummary:
    """The methods of a forecaster that show its networks; comes before the base class of sktime."""

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
        self._check_network("summary")
        return show_summary(self._fitted_networks(), name=type(self).__name__, show=show)

    def _fitted_networks(self) -> list[Any]:
        """The networks, none before ``fit``."""
        forecaster: Any = self
        return [network.module_ for network in self.networks_] if forecaster.is_fitted else []

    def _check_network(self, method: str) -> None:
        """Raise the error of a forecaster that is not fitted, for a ``method`` that needs the networks."""
        forecaster: Any = self
        forecaster.check_is_fitted(method)

    def _repr_html_inner(self) -> str:
        html: str = super()._repr_html_inner()  # type: ignore[misc]
        return html + pictures_of(self._fitted_networks(), name=type(self).__name__)

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        shown: dict[str, str] = super()._repr_mimebundle_(**kwargs)  # type: ignore[misc]
        if "text/html" in shown:
            shown["text/html"] += pictures_of(self._fitted_networks(), name=type(self).__name__)
        return shown
