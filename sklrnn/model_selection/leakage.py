"""A check, row by row, that no training sample sees what a test sample has to predict."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.model_selection import check_cv
from sklearn.utils import indexable

from sklrnn.inputs.validation import check_int
from sklrnn.model_selection.answers import Answers, Reach
from sklrnn.model_selection.purged_splits import PurgedKFold, PurgedTimeSeriesSplit
from sklrnn.model_selection.read_splits import read_splits
from sklrnn.timeline.panel import RowNumbers, Timeline, read_timeline

__all__ = ["LeakageError", "check_no_leakage"]


class LeakageError(ValueError):
    """A split lets a training sample see a test answer.

    Parameters
    ----------
    message : str
        What leaks, and what to change.

    split, train_row, test_row : int, default=-1
        The number of the split and the row numbers of a pair of samples that share an answer.

    See Also
    --------
    sklrnn.check_no_leakage : Raises it.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import KFold
    >>> from sklrnn import LeakageError, check_no_leakage
    >>> try:
    ...     check_no_leakage(KFold(2), np.zeros((8, 1)), window_length=3, horizon=1)
    ... except LeakageError as error:
    ...     print(error.split, error.train_row, error.test_row)
    0 4 3
    """

    __module__ = "sklrnn"

    def __init__(self, message: str, *, split: int = -1, train_row: int = -1, test_row: int = -1) -> None:
        super().__init__(message)
        self.split = split
        self.train_row = train_row
        self.test_row = test_row


class _Leak(NamedTuple):
    """The first training row that sees an answer, the test row that has to predict it, and the number of such rows."""

    train_row: int
    test_row: int
    shared_row: int | None
    through: str
    n_rows: int


def check_no_leakage(
    cv: Any,
    X: Any,
    y: Any = None,
    *,
    window_length: int,
    horizon: int,
    stride_within: int = 1,
    groups: Any = None,
) -> None:
    """Raise an error if a split lets a training sample see what a test sample has to predict.

    The window of row ``t`` holds the rows ``t, t - stride_within, ...``, and its targets are the rows
    ``t+1 ... t+horizon``. The *answers* of a split are the targets of its test samples. A training sample leaks if its
    targets or its window hold an answer. Every row of every split is checked.

    A training target may thus be the first test row itself, which is known when the first forecast is made, and a test
    window may hold training rows before it. Training rows in the future of a test row are no leak where they hold none
    of the answers: `PurgedKFold` passes.

    Parameters
    ----------
    cv : int, splitter or iterable
        Anything that scikit-learn takes as ``cv``: a number of folds, a splitter, or ``(train, test)`` pairs of row
        numbers or masks. A generator is used up.

    X : array-like of shape (row, ...)
        The rows before windowing, in the order of time within each entity. A pandas index is used in the message.

    y : array-like of shape (row, ...), default=None
        Passed to the splitter.

    window_length : int
        Number of steps in a window.

    horizon : int
        Number of steps ahead that a target reaches; for a list of steps, the largest.

    stride_within : int, default=1
        Distance in rows between the steps of a window.

    groups : array-like of shape (row,), default=None
        The entity of each row of a panel: windows and targets stay within an entity. Passed to the splitter if it takes
        groups. None means one series, or the entities of a pandas MultiIndex.

    Raises
    ------
    LeakageError
        A ``ValueError`` that names the split, a training row, a test row and the parameter to change.

    See Also
    --------
    sklrnn.PurgedTimeSeriesSplit : Forward splits that pass this check.
    sklrnn.PurgedKFold : Blocks on both sides of the test rows that pass this check.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import TimeSeriesSplit
    >>> from sklrnn import check_no_leakage
    >>> X = np.zeros((200, 1))
    >>> check_no_leakage(TimeSeriesSplit(gap=23), X, window_length=72, horizon=24)
    >>> check_no_leakage(TimeSeriesSplit(), X, window_length=72, horizon=24)  # doctest: +NORMALIZE_WHITESPACE
    Traceback (most recent call last):
        ...
    sklrnn.LeakageError: Split 0 leaks into 23 of 35 training rows. The target of training row 12 holds row 36,
    an answer of test row 35. Set gap=23 in TimeSeriesSplit (now 0),
    or use PurgedTimeSeriesSplit(window_length=72, horizon=24).
    """
    reach = Reach(window_length, horizon, stride_within)
    for name, value in reach._asdict().items():
        check_int(name, value, 1)
    indexable(X, y, groups)
    timeline = read_timeline(X, groups)
    splitter = check_cv(cv)
    labels = X.index if hasattr(X, "iloc") else None
    for number, (train, test) in enumerate(read_splits(splitter, X, y, groups, n_rows=len(timeline.position))):
        leak = _find_leak(timeline, train, test, reach)
        if leak is not None:
            advice = _advise(splitter, timeline, leak, reach)
            raise LeakageError(
                f"Split {number} leaks into {leak.n_rows} of {len(train)} training rows. "
                f"{_describe(leak, labels)} {advice}",
                split=number,
                train_row=leak.train_row,
                test_row=leak.test_row,
            )


def _find_leak(timeline: Timeline, train: RowNumbers, test: RowNumbers, reach: Reach) -> _Leak | None:
    answers = Answers.of(timeline, test, reach)
    in_target, in_window = answers.in_target(train), answers.in_window(train)
    leaking = in_target | in_window
    if not leaking.any():
        return None
    slots = answers.slots
    at = slots[train]
    first = np.flatnonzero(leaking)[np.argmin(at[leaking])]
    if in_target[first]:
        candidates, through = at[first] + 1 + np.arange(reach.horizon), "target"
    else:
        candidates, through = at[first] - reach.stride_within * np.arange(reach.window_length), "window"
    shared = candidates[answers.is_answer[candidates]][0]
    predicting = test[(slots[test] < shared) & (shared <= slots[test] + reach.horizon)]
    # A target may be after the last row given, as supervise() leaves out rows without a full future.
    given = np.flatnonzero(slots == shared)
    shared_row = int(given[0]) if len(given) else None
    return _Leak(int(train[first]), int(predicting[0]), shared_row, through, int(leaking.sum()))


def _describe(leak: _Leak, labels: Any) -> str:
    def name(row: int) -> str:
        has_label = labels is not None and not np.array_equal(labels[row], row)
        return f"row {row} ({labels[row]})" if has_label else f"row {row}"

    shared = name(leak.shared_row) if leak.shared_row is not None else "a row after the last one given"
    train, test = name(leak.train_row), name(leak.test_row)
    return f"The {leak.through} of training {train} holds {shared}, an answer of test {test}."


def _advise(cv: Any, timeline: Timeline, leak: _Leak, reach: Reach) -> str:
    name = type(cv).__name__
    needed = {key: value for key, value in reach._asdict().items() if key != "stride_within" or value != 1}
    wanted = ", ".join(f"{key}={value}" for key, value in needed.items())
    panel = ", with groups" if timeline.entity.any() else ""
    forward, blocks = f"PurgedTimeSeriesSplit({wanted})", f"PurgedKFold({wanted})"
    if isinstance(cv, PurgedTimeSeriesSplit | PurgedKFold):
        # No window of a forward split reaches a test row, so the gap depends on the horizon alone.
        decisive = ["horizon"] if isinstance(cv, PurgedTimeSeriesSplit) else list(reach._fields)
        pairs = [(key, getattr(reach, key), getattr(cv, key)) for key in decisive]
        short = [f"{key}={value} (now {now})" for key, value, now in pairs if now < value]
        if short:
            return f"Set {', '.join(short)} in {name}."
    gap = getattr(cv, "gap", None)
    if not panel and isinstance(gap, int) and leak.through == "target" and gap < reach.horizon - 1:
        return f"Set gap={reach.horizon - 1} in {name} (now {gap}), or use {forward}."
    if getattr(cv, "shuffle", False):
        return (
            f"No gap can separate shuffled rows: in place of shuffle=True in {name}, use {forward} or {blocks}{panel}."
        )
    return f"Use {forward} or {blocks}{panel}."
