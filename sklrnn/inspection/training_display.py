"""A plot of the learning curves."""

from typing import Any, Self

import pandas as pd

from sklrnn._plotting import COLOURS, make_axes
from sklrnn.inspection.fitted_network import last_estimator
from sklrnn.inspection.recorded_table import check_choice
from sklrnn.inspection.training_table import training_curves

_RATE_COLOUR = "#707070"


class TrainingCurveDisplay:
    """Training loss, validation loss, best epoch and learning rate, epoch by epoch.

    Use `from_estimator` to make one. The ``LearningCurveDisplay`` of scikit-learn is something else: scores against the
    number of training samples.

    Parameters
    ----------
    curves : DataFrame
        What `training_curves` returns.
    loss : str, default=None
        The name of the loss, for the label of the axis.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the last plot.
    figure_ : matplotlib Figure
        Its figure.
    lines_ : list of matplotlib Line2D
        The lines of the losses: for each network that of training, and that of validation where there is one.
    rate_ax_ : matplotlib Axes or None
        The axes of the learning rate, on the right; None where it was not drawn.

    See Also
    --------
    training_curves : The values as a table.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import GRURegressor
    >>> from sklrnn.inspection import TrainingCurveDisplay
    >>> X = np.random.default_rng(0).normal(size=(100, 10))
    >>> model = GRURegressor(units=8, max_epochs=5, early_stopping=True, random_state=0).fit(X, X[:, -1])
    >>> display = TrainingCurveDisplay.from_estimator(model)
    >>> [line.get_label() for line in display.lines_]
    ['training', 'validation']
    >>> display.rate_ax_.get_ylabel()
    'learning rate'
    """

    __module__ = "sklrnn.inspection"

    def __init__(self, *, curves: pd.DataFrame, loss: str | None = None) -> None:
        self.curves = curves
        self.loss = loss

    @classmethod
    def from_estimator(
        cls, est: Any, *, ax: Any = None, network: int | None = None, learning_rate: bool = True
    ) -> Self:
        """Read the curves of a fitted estimator and draw them.

        Parameters
        ----------
        est : estimator
            A fitted estimator that holds a network, or a forecaster, alone, at the end of a pipeline or in a search.
        ax, network, learning_rate
            As for `plot`.

        Returns
        -------
        display : TrainingCurveDisplay
            The display, which was drawn.
        """
        curves, loss = training_curves(est), getattr(last_estimator(est)[0], "loss", None)
        display = cls(curves=curves, loss=loss if isinstance(loss, str) else None)
        return display.plot(ax, network=network, learning_rate=learning_rate)

    def plot(self, ax: Any = None, *, network: int | None = None, learning_rate: bool = True) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        network : int, default=None
            The network of a forecaster, counted from 0; None draws all of them.
        learning_rate : bool, default=True
            Whether to draw the learning rate, on an axis of its own on the right.

        Returns
        -------
        display : TrainingCurveDisplay
            This display.
        """
        tables = self._networks(network)
        self.ax_ = make_axes(ax)
        self.figure_ = self.ax_.figure
        self.lines_: list[Any] = []
        marks: list[Any] = []
        for number, table in enumerate(tables):
            marks += self._draw_losses(table, several=len(tables) > 1, labelled=not number)
        self.rate_ax_: Any = None
        if learning_rate:
            self.rate_ax_ = self.ax_.twinx()
            for table in tables:
                rates = self.rate_ax_.plot(
                    table.index, table["learning_rate"], color=_RATE_COLOUR, linestyle=":", linewidth=1.2
                )
            rates[0].set_label("learning rate")
            marks += rates
            self.rate_ax_.set(ylabel="learning rate", ylim=(0, None))
        self.ax_.xaxis.get_major_locator().set_params(integer=True)
        self.ax_.set(xlabel="epoch", ylabel="loss" if self.loss is None else f"loss ({self.loss})")
        shown = [line for line in [*self.lines_, *marks] if not line.get_label().startswith("_")]
        # Above the axes, where it hides no line of either.
        place = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0), "ncols": len(shown)}
        self.ax_.legend(handles=shown, frameon=False, **place)
        return self

    def _networks(self, network: int | None) -> list[Any]:
        """The table of each network that is to be drawn."""
        if self.curves.index.nlevels == 1:
            if network is not None:
                check_choice("network", network, [0])
            return [self.curves]
        known = list(self.curves.index.unique("network"))
        if network is not None:
            check_choice("network", network, known)
        return [self.curves.xs(number, level="network") for number in (known if network is None else [network])]

    def _draw_losses(self, table: pd.DataFrame, *, several: bool, labelled: bool) -> list[Any]:
        """Draw the losses of one network, and give the mark of its best epoch, if it has one."""
        style = {"linewidth": 1.0, "alpha": 0.7} if several else {}
        # A single epoch would be an invisible line.
        marker = "." if len(table) == 1 else None
        parts = [("training", COLOURS[0], "-"), ("validation", COLOURS[1], "--")]
        for name, colour, dashes in parts:
            losses = table[f"{name}_loss"]
            if losses.notna().any():
                label = name if labelled else f"_{name}"
                self.lines_ += self.ax_.plot(
                    table.index, losses, color=colour, linestyle=dashes, marker=marker, label=label, **style
                )
        best = table[table["is_best"] & table["validation_loss"].notna()]
        if best.empty:
            return []
        label = ("best epochs" if several else f"best epoch: {best.index[0]}") if labelled else "_best"
        if not several:
            self.ax_.axvline(best.index[0], color="black", linewidth=0.8, alpha=0.4)
        return list(self.ax_.plot(best.index, best["validation_loss"], "ko", markersize=4, label=label))
