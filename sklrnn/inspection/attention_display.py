"""A plot of the attention weights of a translator."""

from typing import Any, Self

import numpy as np
import pandas as pd

from sklrnn._plotting import make_axes
from sklrnn.inspection.attention_table import attention

_MOST_LABELS = 40  # more would overlap
_VISIBLE = {" ": "␣", "\n": "↵", "\t": "→"}


class AttentionDisplay:
    """Attention weights of a translator as a heat map, with the tokens of the input and of the prediction on its axes.

    Use `from_estimator` to make one.

    Parameters
    ----------
    weights : DataFrame
        What `attention` returns.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the last plot.
    figure_ : matplotlib Figure
        Its figure.
    image_ : matplotlib QuadMesh
        The heat map of the last plot.

    See Also
    --------
    attention : The values as a table.

    Examples
    --------
    >>> from sklrnn import SequenceTranslator
    >>> from sklrnn.inspection import AttentionDisplay
    >>> texts = [a + b for a in "abcd" for b in "abcd"]
    >>> model = SequenceTranslator(units=16, attention=True, max_epochs=60, random_state=0)
    >>> display = AttentionDisplay.from_estimator(model.fit(texts, [text[::-1] for text in texts]), "ab")
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['b', 'a']
    """

    __module__ = "sklrnn.inspection"

    def __init__(self, *, weights: pd.DataFrame) -> None:
        self.weights = weights

    @classmethod
    def from_estimator(cls, est: Any, text: Any, *, ax: Any = None) -> Self:
        """Predict one sequence and draw what the decoder looked at.

        Parameters
        ----------
        est : estimator
            A fitted `SequenceTranslator` with ``attention=True``, a pipeline that ends with one, or a search over them.
        text : str, or sequence of tokens, integers or numbers
            One sequence of the kind of those in ``fit``.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : AttentionDisplay
            The display, which was drawn.
        """
        return cls(weights=attention(est, text)).plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw the weights: a row for each step of the prediction, a column for each step of the input.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : AttentionDisplay
            This display.
        """
        if not len(self.weights):
            raise ValueError("The prediction is empty, so there are no weights to draw. Pass another sequence.")
        self.ax_ = make_axes(ax)
        self.figure_ = self.ax_.figure
        values = self.weights.to_numpy()
        self.image_ = self.ax_.pcolormesh(values, cmap="cividis", vmin=0, vmax=1)
        self.figure_.colorbar(self.image_, ax=self.ax_, label="attention weight (a row sums to 1)")
        for axis, labels, what in (
            (self.ax_.xaxis, self.weights.columns, "input"),
            (self.ax_.yaxis, self.weights.index, "prediction"),
        ):
            places = np.arange(0, len(labels), -(-len(labels) // _MOST_LABELS))
            tokens = [str(token) for token in labels.get_level_values(-1)[places]]
            axis.set_ticks(places + 0.5, ["".join(_VISIBLE.get(char, char) for char in token) for token in tokens])
            axis.set_label_text(f"{what} ({'token' if labels.nlevels > 1 else 'step'})")
        if max(map(len, map(str, self.weights.columns.get_level_values(-1)))) > 2:
            self.ax_.tick_params(axis="x", rotation=90)
        self.ax_.invert_yaxis()
        self.ax_.set(title="What the decoder looks at")
        return self
