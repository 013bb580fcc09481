"""A plot of the size of the gradient against the distance back."""

from typing import Any, Literal, Self

import numpy as np
import pandas as pd

from sklrnn._plotting import COLOURS, make_axes
from sklrnn.inspection.fitted_network import find_estimator
from sklrnn.inspection.gradient_table import Source, gradient_flow


class GradientFlowDisplay:
    """The size of the gradient against the number of steps back, on a logarithmic scale.

    Use `from_estimator` to make one. Further networks are drawn into the same axes with ``ax=display.ax_``.

    Parameters
    ----------
    sizes : DataFrame
        What `gradient_flow` returns.
    name : str, default=None
        The name of the network in the legend.
    label : str, default="size of the gradient"
        The label of the vertical axis.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the last plot.
    figure_ : matplotlib Figure
        Its figure.
    line_ : matplotlib Line2D
        The line of the last plot: the median over the samples.

    See Also
    --------
    gradient_flow : The values as a table.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import LSTMRegressor, SimpleRNNRegressor
    >>> from sklrnn.inspection import GradientFlowDisplay
    >>> X = np.random.default_rng(0).normal(size=(100, 40))
    >>> y = X[:, -3:].sum(axis=1)
    >>> simple = SimpleRNNRegressor(units=8, max_epochs=5, random_state=0).fit(X, y)
    >>> display = GradientFlowDisplay.from_estimator(simple, X[:10])
    >>> lstm = LSTMRegressor(units=8, max_epochs=5, random_state=0).fit(X, y)
    >>> both = GradientFlowDisplay.from_estimator(lstm, X[:10], ax=display.ax_)
    >>> [line.get_label() for line in both.ax_.lines]
    ['SimpleRNNRegressor', 'LSTMRegressor']
    """

    __module__ = "sklrnn.inspection"

    def __init__(self, *, sizes: pd.DataFrame, name: str | None = None, label: str = "size of the gradient") -> None:
        self.sizes = sizes
        self.name = name
        self.label = label

    @classmethod
    def from_estimator(
        cls,
        est: Any,
        X: Any,
        y: Any = None,
        *,
        with_respect_to: Source = "hidden",
        layer: int | None = None,
        direction: Literal["forward", "backward"] = "forward",
        name: str | None = None,
        ax: Any = None,
    ) -> Self:
        """Compute the gradients and draw their sizes.

        Parameters
        ----------
        est : estimator
            A fitted regressor or classifier, a pipeline that ends with one, or a search over them.
        X : array-like of shape (sample, time) or (sample, time, feature), or list of (time_i, feature) arrays
            Sequences, or what the pipeline takes.
        y : array-like, default=None
            Targets, for the gradient of the loss; without them it is that of the last output.
        with_respect_to, layer, direction
            As for `gradient_flow`.
        name : str, default=None
            The name in the legend; None is the class of the regressor or classifier.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : GradientFlowDisplay
            The display, which was drawn.
        """
        sizes = gradient_flow(est, X, y, with_respect_to=with_respect_to, layer=layer, direction=direction)
        source = "input" if with_respect_to == "input" else f"{with_respect_to} state"
        label = (
            f"size of the gradient of the {'last output' if y is None else 'loss'}\n"
            f"with respect to the {source} (standardised units)"
        )
        return cls(sizes=sizes, name=name or type(find_estimator(est)).__name__, label=label).plot(ax)

    def plot(self, ax: Any = None, *, name: str | None = None) -> Self:
        """Draw the median over the samples, in a band from the lowest to the highest tenth of them.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        name : str, default=None
            The name in the legend; None is that of the display.

        Returns
        -------
        display : GradientFlowDisplay
            This display.
        """
        self.ax_ = make_axes(ax)
        self.figure_ = self.ax_.figure
        n_drawn = len(self.ax_.lines)
        style = {"color": COLOURS[n_drawn % len(COLOURS)], "linestyle": ("-", "--", ":", "-.")[n_drawn % 4]}
        # A gradient of exactly zero has no place on a logarithmic scale.
        low, middle, high = (self.sizes.quantile(q, axis=1).replace(0.0, np.nan) for q in (0.1, 0.5, 0.9))
        (self.line_,) = self.ax_.plot(middle.index, middle, label=name or self.name, **style)
        self.ax_.fill_between(middle.index, low, high, color=style["color"], alpha=0.12, linewidth=0)
        self.ax_.set(yscale="log", xlabel="steps back from the last one", ylabel=self.label)
        if name or self.name:
            self.ax_.legend(frameon=False)
        return self
