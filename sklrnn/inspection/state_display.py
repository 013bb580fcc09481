"""A plot of the state over time."""

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
import pandas as pd

from sklrnn._plotting import COLOURS, make_axes
from sklrnn.inspection.gate_table import cell_states
from sklrnn.inspection.recorded_table import check_choice, choose_cell, choose_sample, columns_of

Kind = Literal["units", "components"]


class StateDisplay:
    """The trajectory of a state: of chosen units over time, or of its first two principal components in the plane.

    Use `from_estimator` to make one.

    Parameters
    ----------
    states : DataFrame
        What `cell_states` returns.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the last plot.
    figure_ : matplotlib Figure
        Its figure.
    lines_ : list of matplotlib Line2D
        The lines of the last plot: one for each unit, or for each sample.

    See Also
    --------
    cell_states : The values as a table.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import LSTMRegressor
    >>> from sklrnn.inspection import StateDisplay
    >>> X = np.random.default_rng(0).normal(size=(100, 20))
    >>> model = LSTMRegressor(units=8, max_epochs=5, random_state=0).fit(X, X.sum(axis=1))
    >>> display = StateDisplay.from_estimator(model, X[:3], state="cell", units=[0, 5])
    >>> [line.get_label() for line in display.lines_]
    ['unit 0', 'unit 5']
    >>> len(display.plot(kind="components").lines_)  # one trajectory for each sample
    3
    """

    __module__ = "sklrnn.inspection"

    def __init__(self, *, states: pd.DataFrame) -> None:
        self.states = states

    @classmethod
    def from_estimator(
        cls,
        est: Any,
        X: Any,
        *,
        ax: Any = None,
        kind: Kind = "units",
        state: str = "hidden",
        units: Sequence[int] | None = None,
        sample: Any = None,
        layer: int | None = None,
        direction: str = "forward",
    ) -> Self:
        """Compute the states and draw them.

        Parameters
        ----------
        est : estimator
            A fitted regressor or classifier, a pipeline that ends with one, or a search over them.
        X : array-like of shape (sample, time) or (sample, time, feature), or list of (time_i, feature) arrays
            Sequences, or what the pipeline takes.
        ax, kind, state, units, sample, layer, direction
            As for `plot`.

        Returns
        -------
        display : StateDisplay
            The display, which was drawn.
        """
        display = cls(states=cell_states(est, X))
        return display.plot(ax, kind=kind, state=state, units=units, sample=sample, layer=layer, direction=direction)

    def plot(
        self,
        ax: Any = None,
        *,
        kind: Kind = "units",
        state: str = "hidden",
        units: Sequence[int] | None = None,
        sample: Any = None,
        layer: int | None = None,
        direction: str = "forward",
    ) -> Self:
        """Draw the trajectories.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        kind : {"units", "components"}, default="units"
            Units of one sample over time, or all units, reduced to their first two principal components.
        state : {"hidden", "cell", "normalizer"}, default="hidden"
            The part of the state.
        units : sequence of int, default=None
            Units to draw; None means the six that change most in this sample. Components are those of all units.
        sample : object, default=None
            The sample, as the rows of the table name it. None is the first; components are then drawn for all samples.
        layer : int, default=None
            The layer, counted from 1; None is the last.
        direction : {"forward", "backward"}, default="forward"
            The direction that is read in.

        Returns
        -------
        display : StateDisplay
            This display.
        """
        check_choice("kind", kind, ["units", "components"])
        table, place = choose_cell(self.states, layer, direction)
        check_choice("state", state, list(dict.fromkeys(table.columns.get_level_values(0))))
        table = columns_of(table, state)
        rows, first = choose_sample(table, sample)
        if units is not None:
            for unit in units:
                check_choice("units", unit, list(table.columns))
        self.ax_ = make_axes(ax)
        self.figure_ = self.ax_.figure
        self.lines_: list[Any] = []
        if kind == "units":
            self._draw_units(rows, units, f"{state} state")
            title = f"{state.capitalize()} state of sample {first}"
        else:
            self._draw_components(table, table.index.unique("sample") if sample is None else [sample])
            which = f"{len(self.lines_)} samples" if sample is None else f"sample {sample}"
            title = f"{state.capitalize()} state of {which}"
        self.ax_.set(title=", ".join(filter(None, [title, place])))
        return self

    def _draw_units(self, rows: pd.DataFrame, units: Sequence[int] | None, label: str) -> None:
        if units is None:
            units = sorted(rows.std(ddof=0).sort_values(ascending=False, kind="stable").index[: len(COLOURS)])
        for number, unit in enumerate(units):
            style = {"color": COLOURS[number % len(COLOURS)], "linestyle": ("-", "--", ":")[number // len(COLOURS) % 3]}
            self.lines_ += self.ax_.plot(rows.index, rows[unit], label=f"unit {unit}", **style)
        self.ax_.set(xlabel="time step", ylabel=label)
        self.ax_.legend(frameon=False)

    def _draw_components(self, table: pd.DataFrame, samples: Any) -> None:
        scores, shares = principal_components(table)
        for number, sample in enumerate(samples):
            path = scores.xs(sample, level="sample").to_numpy()
            colour = COLOURS[number % len(COLOURS)]
            self.lines_ += self.ax_.plot(*path.T, color=colour, linewidth=1, marker=".", markersize=3)
            self.ax_.plot(*path[0], marker="o", color=colour, markerfacecolor="white", linestyle="none")
            self.ax_.plot(*path[-1], marker="s", color=colour, linestyle="none")
        self.ax_.set(
            xlabel=f"first principal component ({shares[0]:.0%} of variance)",
            ylabel=f"second principal component ({shares[1]:.0%} of variance)",
        )
        for marker, face, label in (("o", "white", "first step"), ("s", "black", "last step")):
            self.ax_.plot([], [], marker=marker, color="black", markerfacecolor=face, linestyle="none", label=label)
        self.ax_.legend(frameon=False)


def principal_components(table: pd.DataFrame) -> tuple[pd.DataFrame, Any]:
    """The first two principal components of the units, over all rows, and their shares of the variance.

    The largest loading of each is positive, so that a plot does not depend on the sign that the decomposition chose.
    """
    if table.shape[1] < 2:
        raise ValueError('kind="components" needs a state of at least two units, got one. Set kind="units".')
    centred = table.to_numpy() - table.to_numpy().mean(axis=0)
    _, singular, axes = np.linalg.svd(centred, full_matrices=False)
    if len(axes) < 2:
        raise ValueError('kind="components" needs at least two time steps, got one. Set kind="units".')
    axes = axes[:2] * np.sign(axes[np.arange(2), np.abs(axes[:2]).argmax(axis=1)])[:, np.newaxis]
    variances = singular**2
    shares = variances[:2] / max(variances.sum(), np.finfo(float).tiny)
    return pd.DataFrame(centred @ axes.T, index=table.index, columns=["first", "second"]), shares
