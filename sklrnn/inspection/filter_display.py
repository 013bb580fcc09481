"""A plot of the filters of a convolution, and of a series passed through them."""

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
import pandas as pd

from sklrnn._plotting import COLOURS, make_axes
from sklrnn.inspection.filter_table import Weights, filter_responses, filters, standardised_input
from sklrnn.inspection.recorded_table import check_choice, choose_sample

Kind = Literal["filters", "responses"]


class FilterDisplay:
    """Filters of a convolution as a heat map of their weights, or a series passed through them.

    Use `from_estimator` to make one.

    Parameters
    ----------
    filters : dict of DataFrame
        What `filters` returns for ``"learned"`` and for ``"initial"`` weights.
    responses : dict of DataFrame, default=None
        What `filter_responses` returns for the same.
    series : DataFrame, default=None
        The standardised features that the network reads, with the same rows.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the last plot.
    figure_ : matplotlib Figure
        Its figure.

    See Also
    --------
    filters : The weights as a table.
    filter_responses : The series passed through them as a table.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import CNNLSTMRegressor
    >>> from sklrnn.inspection import FilterDisplay
    >>> X = np.random.default_rng(0).normal(size=(100, 30))
    >>> model = CNNLSTMRegressor(filters=4, kernel_size=5, max_epochs=5, random_state=0).fit(X, X[:, -5:].sum(axis=1))
    >>> display = FilterDisplay.from_estimator(model, X[:1])
    >>> display.ax_.get_xlabel()
    'steps back from the newest one'
    >>> random = display.plot(weights="initial")  # what training began with
    >>> passed = display.plot(kind="responses", filters=[0, 2])
    >>> [line.get_label() for line in passed.ax_.lines]
    ['feature 0', 'filter 0', 'filter 2']
    """

    __module__ = "sklrnn.inspection"

    def __init__(
        self,
        *,
        filters: dict[str, pd.DataFrame],
        responses: dict[str, pd.DataFrame] | None = None,
        series: pd.DataFrame | None = None,
    ) -> None:
        self.filters = filters
        self.responses = responses
        self.series = series

    @classmethod
    def from_estimator(
        cls,
        est: Any,
        X: Any = None,
        *,
        ax: Any = None,
        layer: int = 1,
        kind: Kind = "filters",
        weights: Weights = "learned",
        filters: Sequence[int] | None = None,
        sample: Any = None,
    ) -> Self:
        """Read the filters of a network, pass sequences through them, and draw.

        Parameters
        ----------
        est : estimator
            A fitted regressor or classifier with convolutions, a pipeline that ends with one, or a search over them.
        X : array-like of shape (sample, time) or (sample, time, feature), or list of arrays, default=None
            Sequences for ``kind="responses"``, or what the pipeline takes.
        ax, kind, weights, filters, sample
            As for `plot`.
        layer : int, default=1
            The convolution, counted from 1.

        Returns
        -------
        display : FilterDisplay
            The display, which was drawn.
        """
        display = _read(cls, est, X, layer)
        return display.plot(ax, kind=kind, weights=weights, filters=filters, sample=sample)

    def plot(
        self,
        ax: Any = None,
        *,
        kind: Kind = "filters",
        weights: Weights = "learned",
        filters: Sequence[int] | None = None,
        sample: Any = None,
    ) -> Self:
        """Draw the filters, or a series passed through them.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        kind : {"filters", "responses"}, default="filters"
            A heat map of the weights, or the series and what each filter makes of it.
        weights : {"learned", "initial"}, default="learned"
            The fitted weights, or the random ones that training began with.
        filters : sequence of int, default=None
            Filters to draw; None means all, or for responses the five that vary most.
        sample : object, default=None
            The sample whose responses are drawn; None is the first.

        Returns
        -------
        display : FilterDisplay
            This display.
        """
        check_choice("kind", kind, ["filters", "responses"])
        check_choice("weights", weights, ["learned", "initial"])
        known = list(self.filters[weights].index.unique("filter"))
        for number in filters or ():
            check_choice("filters", number, known)
        if kind == "responses" and self.responses is None:
            raise ValueError('kind="responses" needs a series. Pass X to FilterDisplay.from_estimator.')
        self.ax_ = make_axes(ax)
        self.figure_ = self.ax_.figure
        if kind == "filters":
            self._draw_weights(self.filters[weights].loc[known if filters is None else list(filters)])
        else:
            self._draw_responses(weights, filters, sample)
        which = f"{'learned' if weights == 'learned' else 'random (initial)'} filters"
        self.ax_.set(title=which.capitalize() if kind == "filters" else f"A series passed through {which}")
        return self

    def _draw_weights(self, table: pd.DataFrame) -> None:
        rows = np.arange(len(table))
        largest = float(np.abs(table.to_numpy()).max()) or 1.0
        image = self.ax_.pcolormesh(
            table.columns, rows, table.to_numpy(), shading="nearest", cmap="PuOr_r", vmin=-largest, vmax=largest
        )
        self.figure_.colorbar(image, ax=self.ax_, label="weight (standardised units)")
        several = table.index.unique("feature").size > 1
        names = [f"{number}: {feature}" if several else str(number) for number, feature in table.index]
        shown = slice(None, None, -(-len(rows) // 24))  # more labels would overlap
        self.ax_.set_yticks(rows[shown], names[shown])
        self.ax_.xaxis.get_major_locator().set_params(integer=True)
        self.ax_.invert_xaxis()
        self.ax_.invert_yaxis()
        ylabel = "filter: feature" if several else "filter"
        self.ax_.set(xlabel="steps back from the newest one", ylabel=ylabel)

    def _draw_responses(self, weights: str, chosen: Sequence[int] | None, sample: Any) -> None:
        assert self.responses is not None
        assert self.series is not None
        series, sample = choose_sample(self.series, sample)
        table, _ = choose_sample(self.responses[weights], sample)
        if chosen is None:
            chosen = sorted(table.std(ddof=0).sort_values(ascending=False, kind="stable").index[: len(COLOURS) - 1])
        # Each row is a series of its own; all have the same scale, and a distance that keeps them apart.
        apart = 1.1 * max(float(np.ptp(table[list(chosen)].to_numpy(), axis=0).max()), float(np.ptp(series.iloc[:, 0])))
        name = series.columns[0]
        label = name if isinstance(name, str) else f"feature {name}"
        rows = [(label, series.iloc[:, 0], "black"), *((f"filter {n}", table[n], None) for n in chosen)]
        for number, (text, values, colour) in enumerate(rows):
            level, colour = -number * apart, colour or COLOURS[(number - 1) % len(COLOURS)]
            self.ax_.plot(values.index, values + level, color=colour, label=text)
            if number:
                above = np.maximum(values.to_numpy(), 0.0)
                self.ax_.fill_between(values.index, level, above + level, color=colour, alpha=0.2, linewidth=0)
        self.ax_.set_yticks([-number * apart for number in range(len(rows))], [text for text, _, _ in rows])
        self.ax_.set(xlabel="time step", ylabel="standardised units, each row from its zero")


def _read(kind: Any, est: Any, X: Any, layer: int) -> Any:
    """A display of learned and initial filters, with responses where there is a series."""
    each: tuple[Weights, Weights] = ("learned", "initial")
    tables = {weights: filters(est, layer=layer, weights=weights) for weights in each}
    if X is None:
        return kind(filters=tables)
    responses = {weights: filter_responses(est, X, layer=layer, weights=weights) for weights in each}
    return kind(filters=tables, responses=responses, series=standardised_input(est, X))
