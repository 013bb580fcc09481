"""A plot of one window, its horizon and its target on the series."""

from typing import Any, Self

import pandas as pd

from sklrnn._plotting import COLOURS, make_axes
from sklrnn.inspection.window_table import window_of_row

_WINDOW, _TARGET = COLOURS[0], COLOURS[1]


class WindowDisplay:
    """One window on its series: the rows that a sample holds, the horizon after it, and its targets.

    Use `from_estimator` to make one. Every index counts steps from the newest row of the window.

    Parameters
    ----------
    series : Series
        The series, by step.
    window : DataFrame
        The window, by step: ``value``, and whether the place has no row and ``is_filled`` by `padding`.
    target : Series
        The values to predict, by step; NaN where the series has none.
    label : str, default="one row"
        Which row the window belongs to, for the title.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the last plot.
    figure_ : matplotlib Figure
        Its figure.

    See Also
    --------
    SplitDisplay : The splits of a splitter.
    sklrnn.SlidingWindow : Cuts the windows.

    Examples
    --------
    >>> from sklrnn import SlidingWindow
    >>> from sklrnn.datasets import load_air_passengers
    >>> from sklrnn.inspection import WindowDisplay
    >>> X = load_air_passengers().to_frame()
    >>> display = WindowDisplay.from_estimator(SlidingWindow(window_length=12).fit(X), X, row=60, horizon=3)
    >>> display.window["value"].tolist() == X["passengers"][49:61].tolist()
    True
    >>> display.target.tolist() == X["passengers"][61:64].tolist()
    True
    """

    __module__ = "sklrnn.inspection"

    def __init__(self, *, series: pd.Series, window: pd.DataFrame, target: pd.Series, label: str = "one row") -> None:
        self.series = series
        self.window = window
        self.target = target
        self.label = label

    @classmethod
    def from_estimator(
        cls,
        est: Any,
        X: Any,
        *,
        row: int | None = None,
        target: Any = None,
        horizon: Any = None,
        ax: Any = None,
    ) -> Self:
        """Cut one window and draw it.

        Parameters
        ----------
        est : estimator
            A fitted `SlidingWindow`, a pipeline that has one, or a search over them.
        X : array-like of shape (row, feature)
            The rows; what the pipeline takes.
        row : int, default=None
            The number of the row at which the window ends; negative numbers count from the end. None is the last row
            with a whole future.
        target : str or int, default=None
            The column to draw, which is the one to predict. May be left out if there is only one.
        horizon : int or list of int, default=None
            The steps ahead to predict, as in `supervise`; None is the parameter `horizon` of the window.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : WindowDisplay
            The display, which was drawn.
        """
        return cls(**window_of_row(est, X, row=row, target=target, horizon=horizon)._asdict()).plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw the window on the series.

        Places of the window that have no row are hollow.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : WindowDisplay
            This display.
        """
        self.ax_ = make_axes(ax)
        self.figure_ = self.ax_.figure
        first, last = self.window.index[0], max([0, *self.target.index])
        margin = max(2, -first // 4)
        near = self.series[(self.series.index >= first - margin) & (self.series.index <= last + margin)]
        self.ax_.plot(near.index, near, color="#707070", linewidth=1, marker=".", markersize=3, label="series")
        self.ax_.axvspan(first - 0.5, 0.5, color=_WINDOW, alpha=0.12, linewidth=0)
        known, filled = (self.window[self.window["is_filled"] == is_filled]["value"] for is_filled in (False, True))
        self.ax_.plot(known.index, known, "o", color=_WINDOW, label="window")
        if len(filled):
            style = {"color": _WINDOW, "markerfacecolor": "white", "label": "filled by padding"}
            self.ax_.plot(filled.index, filled, "o", **style)
        if len(self.target):
            self.ax_.axvspan(0.5, last + 0.5, color=_TARGET, alpha=0.12, linewidth=0, label="horizon")
            self.ax_.plot(self.target.index, self.target, "s", color=_TARGET, label="target")
        self.ax_.xaxis.get_major_locator().set_params(integer=True)
        name = self.series.name if isinstance(self.series.name, str) else f"feature {self.series.name}"
        self.ax_.set(xlabel="steps from the newest row of the window", ylabel=name, title=f"Window of {self.label}")
        self.ax_.legend(frameon=False)
        return self
