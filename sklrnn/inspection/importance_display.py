"""A plot of the importance of steps and features."""

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
import pandas as pd

from sklrnn._plotting import COLOURS, make_axes
from sklrnn.inspection.importance_table import sequence_importance
from sklrnn.inspection.recorded_table import check_choice

Kind = Literal["heatmap", "lines"]


class SequenceImportanceDisplay:
    """Permutation importance of each step and feature, as a heat map or as lines with their spread.

    Use `from_estimator` to make one.

    Parameters
    ----------
    importances_mean, importances_std : DataFrame
        As `sequence_importance` returns them.
    n_steps : int
        The number of steps of the longest sequence, where the block of the oldest steps ends.
    scoring : str, default="score"
        The name of the score, for the label.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the last plot.
    figure_ : matplotlib Figure
        Its figure.
    lines_ : list of matplotlib Line2D
        The lines of the last plot, one for each feature; empty after a heat map.

    See Also
    --------
    sequence_importance : The values as a table.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import GRURegressor
    >>> from sklrnn.inspection import SequenceImportanceDisplay
    >>> X = np.random.default_rng(0).normal(size=(300, 6, 2))
    >>> y = X[:, -1, 0] + X[:, -3, 1]
    >>> model = GRURegressor(units=8, max_epochs=50, random_state=0).fit(X[:200], y[:200])
    >>> display = SequenceImportanceDisplay.from_estimator(model, X[200:], y[200:], random_state=0)
    >>> display.ax_.get_xlabel()
    'steps back from the newest one'
    >>> [line.get_label() for line in display.plot(kind="lines").lines_]
    ['feature 0', 'feature 1']
    """

    __module__ = "sklrnn.inspection"

    def __init__(
        self, *, importances_mean: pd.DataFrame, importances_std: pd.DataFrame, n_steps: int, scoring: str = "score"
    ) -> None:
        self.importances_mean = importances_mean
        self.importances_std = importances_std
        self.n_steps = n_steps
        self.scoring = scoring

    @classmethod
    def from_estimator(
        cls,
        est: Any,
        X: Any,
        y: Any,
        *,
        scoring: Any = None,
        n_repeats: int = 5,
        random_state: Any = None,
        steps_per_block: int = 1,
        features: Sequence[Any] | None = None,
        sample_weight: Any = None,
        ax: Any = None,
        kind: Kind = "heatmap",
    ) -> Self:
        """Compute the importances and draw them.

        Parameters
        ----------
        est, X, y, scoring, n_repeats, random_state, steps_per_block, features, sample_weight
            As for `sequence_importance`.
        ax, kind
            As for `plot`.

        Returns
        -------
        display : SequenceImportanceDisplay
            The display, which was drawn.
        """
        result = sequence_importance(
            est,
            X,
            y,
            scoring=scoring,
            n_repeats=n_repeats,
            random_state=random_state,
            steps_per_block=steps_per_block,
            features=features,
            sample_weight=sample_weight,
        )
        name = scoring if isinstance(scoring, str) else "score"
        stored = {key: result[key] for key in ("importances_mean", "importances_std", "n_steps")}
        return cls(**stored, scoring=name).plot(ax, kind=kind)

    def plot(self, ax: Any = None, *, kind: Kind = "heatmap", features: Sequence[Any] | None = None) -> Self:
        """Draw the importances.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        kind : {"heatmap", "lines"}, default="heatmap"
            A heat map of the means with a row for each feature, or for each feature a line of its means, in a band of
            one standard deviation over the repeats on both sides.
        features : sequence of str or int, default=None
            The features to draw; None means all.

        Returns
        -------
        display : SequenceImportanceDisplay
            This display.
        """
        check_choice("kind", kind, ["heatmap", "lines"])
        known = list(self.importances_mean.columns)
        chosen = known if features is None else list(features)
        for name in chosen:
            check_choice("features", name, known)
        self.ax_ = make_axes(ax)
        self.figure_ = self.ax_.figure
        self.lines_: list[Any] = []
        (self._draw_heat_map if kind == "heatmap" else self._draw_lines)(chosen)
        self.ax_.xaxis.get_major_locator().set_params(integer=True)
        self.ax_.invert_xaxis()
        self.ax_.set(xlabel="steps back from the newest one", title="Importance of steps and features")
        return self

    def _draw_heat_map(self, features: list[Any]) -> None:
        means = self.importances_mean[features]
        largest = float(np.abs(means.to_numpy()).max()) or 1.0
        rows, limits = np.arange(len(features) + 1) - 0.5, {"vmin": -largest, "vmax": largest}
        image = self.ax_.pcolormesh(self._edges(), rows, means.to_numpy().T, cmap="PuOr_r", **limits)
        self.figure_.colorbar(image, ax=self.ax_, label=f"decrease of the {self._score()}")
        shown = np.arange(0, len(features), -(-len(features) // 24))  # more labels would overlap
        self.ax_.set_yticks(shown, [str(features[number]) for number in shown])
        self.ax_.invert_yaxis()
        self.ax_.set(ylabel="feature")

    def _draw_lines(self, features: list[Any]) -> None:
        edges = self._edges()
        middles = (edges[:-1] + edges[1:]) / 2
        for number, name in enumerate(features):
            mean, spread = self.importances_mean[name], self.importances_std[name]
            colour, dashes = COLOURS[number % len(COLOURS)], ("-", "--", ":")[number // len(COLOURS) % 3]
            label = name if isinstance(name, str) else f"feature {name}"
            style = {"color": colour, "linestyle": dashes, "marker": "."}
            self.lines_ += self.ax_.plot(middles, mean, label=label, **style)
            self.ax_.fill_between(middles, mean - spread, mean + spread, color=colour, alpha=0.2, linewidth=0)
        self.ax_.axhline(0, color="black", linewidth=0.8, alpha=0.4)
        self.ax_.set(ylabel=f"decrease of the {self._score()}")
        self.ax_.legend(frameon=False)

    def _edges(self) -> Any:
        """The edges of the blocks, in steps back; the rows are named by the newest step of each."""
        return np.append(self.n_steps, self.importances_mean.index.to_numpy()) - 0.5

    def _score(self) -> str:
        return self.scoring if self.scoring == "score" else f"score ({self.scoring})"
