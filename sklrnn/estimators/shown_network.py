"""How an estimator shows its fitted networks, which all have the same layers: as a table, and as pictures."""

from collections.abc import Sequence
from typing import Any

from sklrnn.drawing.picture import pictures_as_html
from sklrnn.nn.summary import NetworkSummary


def show_summary(networks: Sequence[Any], *, name: str, show: bool) -> NetworkSummary | None:
    """Print the table of layers, or give it."""
    summary = NetworkSummary(networks[0].layers(), title=name, n_networks=len(networks))
    if not show:
        return summary
    summary.display()
    return None


def pictures_of(networks: Sequence[Any], *, name: str) -> str:
    """The pictures that a notebook shows below the parameters; none before ``fit``."""
    return pictures_as_html(networks[0].layers(), name=name, n_networks=len(networks)) if networks else ""


def followed_by(html: str, pictures: str) -> str:
    """The HTML of an estimator with its pictures, unless they stand behind its fitted attributes already."""
    return html if pictures in html else html + pictures


def with_pictures(attributes: Any, pictures: str) -> Any:
    """The table of fitted attributes that scikit-learn's diagrams hold, followed by pictures."""
    as_html = attributes._repr_html_inner
    attributes._repr_html_inner = lambda: as_html() + pictures
    return attributes
