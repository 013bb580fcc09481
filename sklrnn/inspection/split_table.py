"""What each row is in each split of a splitter, as a table."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import check_cv
from sklearn.utils import indexable

from sklrnn.model_selection.answers import Answers, Reach
from sklrnn.model_selection.purged_splits import PurgedKFold, PurgedTimeSeriesSplit
from sklrnn.model_selection.read_splits import read_splits
from sklrnn.timeline.panel import RowMask, RowNumbers, Timeline, read_timeline

ROLES = ("training", "test", "gap", "window gap", "embargo", "unused")
_TRAINING, _TEST, _GAP, _WINDOW_GAP, _EMBARGO, _UNUSED = range(len(ROLES))


def split_roles(cv: Any, X: Any, y: Any = None, groups: Any = None) -> pd.DataFrame:
    """Tell what each row is in each split of any splitter: training, test, or why it is left out.

    Parameters
    ----------
    cv : int, splitter or iterable
        Anything that scikit-learn takes as ``cv``: a number of folds, a splitter of scikit-learn or of this package, or
        ``(train, test)`` pairs of row numbers or masks.
    X : array-like of shape (row, ...)
        The rows, in the order of time within each entity.
    y : array-like of shape (row, ...), default=None
        Passed to the splitter.
    groups : array-like of shape (row,), default=None
        The entity of each row of a panel, or what else the splitter takes as groups.

    Returns
    -------
    roles : DataFrame of categories
        A row for each row of X, with its index, and a column for each split. "training" and "test" speak for
        themselves. Rows between training and test rows that are in neither are a "gap". `PurgedTimeSeriesSplit` and
        `PurgedKFold` tell the reason: in a "gap" are rows that share targets with the test rows, in a "window gap" rows
        whose window reaches back to such targets; the "embargo" is left out beyond both. All other rows are "unused",
        such as those after the test rows of a forward split.

    See Also
    --------
    SplitDisplay : A plot of the splits.
    sklrnn.check_no_leakage : Checks the splits for leakage.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import TimeSeriesSplit
    >>> from sklrnn.inspection import split_roles
    >>> roles = split_roles(TimeSeriesSplit(2, gap=1, test_size=2), np.zeros((8, 1)))
    >>> roles[0].tolist()
    ['training', 'training', 'training', 'gap', 'test', 'test', 'unused', 'unused']
    """
    X, y, groups = indexable(X, y, groups)
    splitter = check_cv(cv)
    timeline = read_timeline(X, groups if isinstance(splitter, PurgedTimeSeriesSplit | PurgedKFold) else None)
    n_rows = len(timeline.position)
    columns = {
        number: pd.Categorical.from_codes(
            _roles(splitter, timeline, train, test), dtype=pd.CategoricalDtype(list(ROLES))
        )
        for number, (train, test) in enumerate(read_splits(splitter, X, y, groups, n_rows=n_rows))
    }
    index = X.index if hasattr(X, "iloc") else pd.RangeIndex(n_rows, name="row")
    return pd.DataFrame(columns, index=index).rename_axis(columns="split")


def _roles(splitter: Any, timeline: Timeline, train: RowNumbers, test: RowNumbers) -> NDArray[np.int8]:
    roles = np.full(len(timeline.position), _UNUSED, dtype=np.int8)
    roles[train] = _TRAINING
    roles[test] = _TEST
    left_out = np.flatnonzero(_is_between(roles, timeline))
    roles[left_out] = _GAP
    if isinstance(splitter, PurgedTimeSeriesSplit | PurgedKFold):
        answers = Answers.of(timeline, test, Reach(splitter._span, splitter.horizon, 1))
        shares = answers.in_target(left_out) | answers.at(left_out)
        beyond = np.where(answers.in_window(left_out), _WINDOW_GAP, _EMBARGO if splitter.embargo else _GAP)
        roles[left_out] = np.where(shares, _GAP, beyond)
    return roles


def _is_between(roles: NDArray[np.int8], timeline: Timeline) -> RowMask:
    """Which unused rows have training rows of their entity on one side and test rows on the other."""
    order = np.lexsort((timeline.position, timeline.entity))
    entity, places = timeline.entity[order], np.arange(len(order))
    used = roles[order] != _UNUSED
    before = np.maximum.accumulate(np.where(used, places, -1))
    after = np.minimum.accumulate(np.where(used, places, len(places))[::-1])[::-1]
    inside = ~used & (before >= 0) & (after < len(places))
    left, right = before[inside], after[inside]
    same_entity = entity[left] == entity[right]
    between = np.zeros(len(order), dtype=bool)
    between[order[inside]] = same_entity & (roles[order[left]] != roles[order[right]])
    return between
