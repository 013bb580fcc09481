"""A plot of gates over time."""

from typing import Any, Self

import pandas as pd

from sklrnn._plotting import COLOURS, make_axes
from sklrnn.inspection.gate_table import gates
from sklrnn.inspection.recorded_table import check_choice, choose_cell, choose_sample, columns_of

_DASHES = ("-", "--", "-.", ":")


class GateDisplay:
    """Gates over time: their means over the units, or one gate unit by unit.

    Use `from_estimator` to make one.

    Parameters
    ----------
    gates : DataFrame
        What `gates` returns.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the last plot.
    figure_ : matplotlib Figure
        Its figure.
    lines_ : list of matplotlib Line2D
        The lines of the last plot, one for each gate; empty if a single gate was drawn.

    See Also
    --------
    gates : The values as a table.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import LSTMRegressor
    >>> from sklrnn.inspection import GateDisplay
    >>> X = np.random.default_rng(0).normal(size=(100, 20))
    >>> model = LSTMRegressor(units=8, max_epochs=5, random_state=0).fit(X, X.sum(axis=1))
    >>> display = GateDisplay.from_estimator(model, X[:2])
    >>> [line.get_label() for line in display.lines_]
    ['input', 'forget', 'candidate', 'output']
    >>> display.plot(gate="forget").ax_.get_ylabel()
    'unit'
    """

    __module__ = "sklrnn.inspection"

    def __init__(self, *, gates: pd.DataFrame) -> None:
        self.gates = gates

    @classmethod
    def from_estimator(
        cls,
        est: Any,
        X: Any,
        *,
        ax: Any = None,
        sample: Any = None,
        layer: int | None = None,
        direction: str = "forward",
        gate: str | None = None,
    ) -> Self:
        """Compute the gates and draw them.

        Parameters
        ----------
        est : estimator
            A fitted regressor or classifier, a pipeline that ends with one, or a search over them.
        X : array-like of shape (sample, time) or (sample, time, feature), or list of (time_i, feature) arrays
            Sequences, or what the pipeline takes.
        ax, sample, layer, direction, gate
            As for `plot`.

        Returns
        -------
        display : GateDisplay
            The display, which was drawn.
        """
        return cls(gates=gates(est, X)).plot(ax, sample=sample, layer=layer, direction=direction, gate=gate)

    def plot(
        self,
        ax: Any = None,
        *,
        sample: Any = None,
        layer: int | None = None,
        direction: str = "forward",
        gate: str | None = None,
    ) -> Self:
        """Draw the gates of one sample.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        sample : object, default=None
            The sample, as the rows of the table name it; None is the first.
        layer : int, default=None
            The layer, counted from 1; None is the last.
        direction : {"forward", "backward"}, default="forward"
            The direction that is read in.
        gate : str, default=None
            A gate that is drawn as a heat map with a row for each unit. None draws the mean over the units of each
            gate, in a band from the lowest to the highest tenth of them.

        Returns
        -------
        display : GateDisplay
            This display.
        """
        table, place = choose_cell(self.gates, layer, direction)
        table, sample = choose_sample(table, sample)
        names = list(dict.fromkeys(table.columns.get_level_values(0)))
        if gate is not None:
            check_choice("gate", gate, names)
        self.ax_ = make_axes(ax)
        self.figure_ = self.ax_.figure
        self.lines_: list[Any] = []
        if gate is None:
            for number, name in enumerate(names):
                style = {"color": COLOURS[number % len(COLOURS)], "linestyle": _DASHES[number % len(_DASHES)]}
                self._draw_mean(columns_of(table, name), name, style)
            self.ax_.set(ylabel="value: mean over units" if names != ["state"] else "hidden state: mean over units")
            self.ax_.legend(frameon=False)
        else:
            self._draw_units(columns_of(table, gate), gate)
        what = "Gates" if gate is None else _word(gate).capitalize()
        self.ax_.set(xlabel="time step", title=", ".join(filter(None, [f"{what} of sample {sample}", place])))
        return self

    def _draw_mean(self, values: pd.DataFrame, name: str, style: dict[str, Any]) -> None:
        low, high = values.quantile(0.1, axis=1), values.quantile(0.9, axis=1)
        self.ax_.fill_between(values.index, low, high, color=style["color"], alpha=0.12, linewidth=0)
        self.lines_ += self.ax_.plot(values.index, values.mean(axis=1), label=name, **style)

    def _draw_units(self, values: pd.DataFrame, name: str) -> None:
        signed = float(values.to_numpy().min()) < 0  # a candidate or a state; gates are never negative
        limits = {"cmap": "PuOr_r", "vmin": -1, "vmax": 1} if signed else {"cmap": "cividis", "vmin": 0, "vmax": 1}
        image = self.ax_.pcolormesh(values.index, values.columns, values.to_numpy().T, shading="nearest", **limits)
        scale = "value" if signed else "0 shut, 1 open"
        self.figure_.colorbar(image, ax=self.ax_, label=f"{_word(name)}: {scale}")
        self.ax_.set(ylabel="unit")


def _word(name: str) -> str:
    """A gate as a title names it; a candidate and a state are no gates."""
    return {"candidate": "candidate", "state": "hidden state"}.get(name, f"{name} gate")
