"""A plot of the splits of a splitter."""

from typing import Any, Self

import numpy as np
import pandas as pd

from sklrnn._plotting import COLOURS, drawable_times, label_times, make_axes
from sklrnn.inspection.split_table import ROLES, split_roles

_COLOURS = {
    "training": COLOURS[0],
    "test": COLOURS[1],
    "gap": "#999999",
    "window gap": COLOURS[5],
    "embargo": COLOURS[3],
}


class SplitDisplay:
    """The splits of a splitter over the rows: training, test, and the gaps between them.

    Use `from_cv` to make one.

    Parameters
    ----------
    roles : DataFrame
        What `split_roles` returns.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the last plot.
    figure_ : matplotlib Figure
        Its figure.
    bars_ : dict of str to list of matplotlib collections
        The bars of each role, one collection for each split.

    See Also
    --------
    split_roles : The splits as a table.
    WindowDisplay : The window and the targets of one sample.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import PurgedKFold
    >>> from sklrnn.inspection import SplitDisplay
    >>> display = SplitDisplay.from_cv(PurgedKFold(3, window_length=5, horizon=2, embargo=1), np.zeros((60, 1)))
    >>> [text.get_text() for text in display.ax_.get_legend().texts]
    ['training', 'test', 'gap', 'window gap', 'embargo']
    """

    __module__ = "sklrnn.inspection"

    def __init__(self, *, roles: pd.DataFrame) -> None:
        self.roles = roles

    @classmethod
    def from_cv(cls, cv: Any, X: Any, y: Any = None, *, groups: Any = None, ax: Any = None) -> Self:
        """Split the rows and draw the splits.

        Parameters
        ----------
        cv, X, y, groups
            As for `split_roles`.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : SplitDisplay
            The display, which was drawn.
        """
        return cls(roles=split_roles(cv, X, y, groups)).plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw a line of bars for each split, the first on top.

        The horizontal axis is time where the index holds increasing dates or periods, otherwise the number of the row.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : SplitDisplay
            This display.
        """
        self.ax_ = make_axes(ax)
        self.figure_ = self.ax_.figure
        self.bars_: dict[str, list[Any]] = {}
        edges, index = _edges(self.roles.index)
        for line, split in enumerate(self.roles.columns):
            codes = self.roles[split].cat.codes.to_numpy()
            starts = np.concatenate([[0], np.flatnonzero(np.diff(codes)) + 1])
            stops = np.append(starts[1:], len(codes))
            for code, role in enumerate(ROLES[:-1]):
                of_role = codes[starts] == code
                if of_role.any():
                    left, right = edges[starts[of_role]], edges[stops[of_role]]
                    bars = self.ax_.broken_barh(
                        np.column_stack([left, right - left]), (line - 0.4, 0.8), color=_COLOURS[role], linewidth=0
                    )
                    self.bars_.setdefault(role, []).append(bars)
        for role in ROLES:
            if role in self.bars_:
                self.bars_[role][0].set_label(role)
        self.ax_.set_yticks(range(self.roles.shape[1]), [str(split) for split in self.roles.columns])
        self.ax_.set(ylabel="split", ylim=(self.roles.shape[1] - 0.5, -0.5), xlim=(edges[0], edges[-1]))
        label_times(self.ax_, index, otherwise="row")
        # Beside the axes, where it hides no bar.
        handles = [self.bars_[role][0] for role in ROLES if role in self.bars_]
        self.ax_.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0, frameon=False)
        return self


def _edges(index: pd.Index) -> tuple[Any, pd.Index]:
    """Where the bars of the rows begin, and the last one ends; and the index that the axis is labelled with."""
    is_time = isinstance(index, pd.DatetimeIndex | pd.PeriodIndex) and index.is_monotonic_increasing and len(index) > 1
    if not is_time:
        return np.arange(len(index) + 1), pd.RangeIndex(len(index), name=None)
    from matplotlib.dates import date2num

    times = drawable_times(index)
    numbers = date2num(times.tz_localize(None).to_numpy())  # local time, if there is a time zone
    return np.append(numbers, 2 * numbers[-1] - numbers[-2]), index
