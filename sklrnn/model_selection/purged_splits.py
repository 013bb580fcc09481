"""Splitters whose gaps follow from the window and the horizon."""

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import indexable

from sklrnn.inputs.validation import check_int
from sklrnn.timeline.panel import RowMask, RowNumbers, Timeline, read_timeline

__all__ = ["PurgedKFold", "PurgedTimeSeriesSplit"]


class _PurgedSplitter(BaseCrossValidator):
    """The parameters of both splitters, their checks, and ``split``, which needs the masks of each split."""

    # The documented way to let scikit-learn route `groups` here by default.
    __metadata_request__split: ClassVar[dict[str, bool]] = {"groups": True}

    n_splits: int
    horizon: int
    window_length: int
    stride_within: int
    embargo: int

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Give the number of splits.

        Parameters
        ----------
        X, y, groups : object, default=None
            Ignored, here because scikit-learn passes them.

        Returns
        -------
        int
            The number of splits.
        """
        return self.n_splits

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[RowNumbers, RowNumbers]]:
        """Generate the row numbers of the training and the test set of each split.

        Parameters
        ----------
        X : array-like of shape (row, ...)
            The rows, in the order of time within each entity.

        y : object, default=None
            Ignored apart from its length.

        groups : array-like of shape (row,), default=None
            The entity of each row of a panel. None means one series, or the entities of a pandas MultiIndex.

        Yields
        ------
        train, test : ndarray of int
            Row numbers, ascending.
        """
        indexable(X, y, groups)
        timeline = read_timeline(X, groups)
        for number, (keep, test) in enumerate(self._masks(timeline)):
            train, held_out = np.flatnonzero(keep), np.flatnonzero(test)
            if not len(train):
                raise ValueError(
                    f"{type(self).__name__} with n_splits={self.n_splits}, horizon={self.horizon}, window_length="
                    f"{self.window_length}, stride_within={self.stride_within} and embargo={self.embargo} leaves no "
                    f"training row in split {number} of {len(keep)} rows. "
                    "Use other splits, a shorter window or horizon, or more rows."
                )
            yield train, held_out

    def _masks(self, timeline: Timeline) -> Iterator[tuple[RowMask, RowMask]]:
        raise NotImplementedError

    @property
    def _span(self) -> int:
        """The number of rows from the first to the last of one window."""
        return (self.window_length - 1) * self.stride_within + 1

    def _check_parameters(self, *, least_splits: int) -> None:
        least = {"n_splits": least_splits, "horizon": 1, "window_length": 1, "stride_within": 1, "embargo": 0}
        for name, minimum in least.items():
            check_int(name, getattr(self, name), minimum)

    def _ends_by(self, timeline: Timeline, start: int) -> RowMask:
        """The rows whose targets end no later than the first time of a test block."""
        reached = timeline.count_where(timeline.time <= start)
        return timeline.position + self.horizon + self.embargo <= reached - 1


class PurgedTimeSeriesSplit(_PurgedSplitter):
    """Train on the past and test on what follows, with a gap that depends on the horizon.

    The window of row ``t`` ends at ``t``, and its targets are the rows ``t+1 ... t+horizon``. The targets of the first
    test row begin one row after it, so the last training row is ``horizon`` rows before it: a gap of ``horizon - 1``
    rows, plus ``embargo``. A test window that holds training rows is no leak, as these are known when the forecast is
    made; so the gap does not depend on the window. The first training set must hold at least one whole window.

    Parameters
    ----------
    n_splits : int, default=5
        Number of splits, at least 1.

    horizon : int, default=1
        Number of steps ahead that a target reaches; for a list of steps, the largest.

    window_length : int, default=1
        Number of steps in a window.

    stride_within : int, default=1
        Distance in rows between the steps of a window.

    embargo : int, default=0
        Further rows left out between training and test set, for dependence that windows and targets don't show.

    expanding : bool, default=True
        Whether the training set grows from split to split. False keeps the length of the first one and rolls forward.

    max_train_size : int, default=None
        Most time steps in a training set, the newest ones. None sets no limit.

    test_size : int, default=None
        Number of time steps in each test set. None divides the rows without the gap by ``n_splits + 1``.

    See Also
    --------
    PurgedKFold : Tests every row once, and trains on both sides.
    sklrnn.check_no_leakage : Checks the splits of any splitter for leakage.

    Notes
    -----
    In a panel (``groups``, or a pandas MultiIndex whose last level is time) all entities are cut at the same time, and
    the gap is counted in the rows of each entity. The times come from the index where it holds dates, periods or
    durations (or from the last level of a MultiIndex). Otherwise a row's time is its rank within its entity, which is
    right where the entities begin together.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import PurgedTimeSeriesSplit
    >>> for train, test in PurgedTimeSeriesSplit(n_splits=2, horizon=3, test_size=2).split(np.zeros((10, 1))):
    ...     print(train, test)
    [0 1 2 3] [6 7]
    [0 1 2 3 4 5] [8 9]
    """

    __module__ = "sklrnn"

    def __init__(
        self,
        n_splits: int = 5,
        *,
        horizon: int = 1,
        window_length: int = 1,
        stride_within: int = 1,
        embargo: int = 0,
        expanding: bool = True,
        max_train_size: int | None = None,
        test_size: int | None = None,
    ) -> None:
        self.n_splits = n_splits
        self.horizon = horizon
        self.window_length = window_length
        self.stride_within = stride_within
        self.embargo = embargo
        self.expanding = expanding
        self.max_train_size = max_train_size
        self.test_size = test_size
        self._check_parameters(least_splits=1)
        if test_size is not None:
            check_int("test_size", test_size, 1)
        if max_train_size is not None:
            check_int("max_train_size", max_train_size, self._span)

    def _masks(self, timeline: Timeline) -> Iterator[tuple[RowMask, RowMask]]:
        n_times = timeline.time.max(initial=-1) + 1
        gap = self.horizon - 1 + self.embargo
        test_size = self.test_size or max(1, (n_times - gap) // (self.n_splits + 1))
        first = n_times - self.n_splits * test_size
        if first - gap < self._span:
            raise ValueError(
                f"Too many splits: n_splits={self.n_splits} with test_size={test_size} and gap={gap} (from horizon="
                f"{self.horizon} and embargo={self.embargo}) leave {max(0, first - gap)} of {n_times} time steps to "
                f"the first training set, and one window needs {self._span}. "
                "Use fewer splits, a smaller test_size, a shorter window or horizon, or more rows."
            )
        longest = n_times if self.expanding else first - gap
        longest = min(longest, self.max_train_size or longest)
        for start in range(first, n_times, test_size):
            recent = timeline.time >= start - gap - longest
            in_test = (timeline.time >= start) & (timeline.time < start + test_size)
            yield self._ends_by(timeline, start) & recent, in_test


class PurgedKFold(_PurgedSplitter):
    """Test each block of consecutive rows once, and train on the rows that cannot see its targets.

    The window of row ``t`` ends at ``t``, and its targets are the rows ``t+1 ... t+horizon``. Training rows before a
    test block leave a gap of ``horizon - 1`` rows, as their targets must end before those of the block begin. Training
    rows after it leave a gap of ``horizon`` rows and of the ``(window_length - 1) * stride_within`` rows that a window
    reaches back, as their windows must begin after the targets of the block end.

    Each row is in exactly one test set, so ``cross_val_predict`` and stacking work. The training sets hold the future
    of their test rows, though: where the series drifts, scores are better than those of real forecasts. Use
    `PurgedTimeSeriesSplit` then.

    Parameters
    ----------
    n_splits : int, default=5
        Number of blocks, at least 2.

    horizon : int, default=1
        Number of steps ahead that a target reaches; for a list of steps, the largest.

    window_length : int, default=1
        Number of steps in a window.

    stride_within : int, default=1
        Distance in rows between the steps of a window.

    embargo : int, default=0
        Further rows left out on each side of a test block, for dependence that windows and targets don't show.

    See Also
    --------
    PurgedTimeSeriesSplit : Trains on the past alone.
    sklrnn.check_no_leakage : Checks the splits of any splitter for leakage.

    Notes
    -----
    A panel is cut as `PurgedTimeSeriesSplit` cuts it: all entities at the same time, gaps in the rows of each entity.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import PurgedKFold
    >>> for train, test in PurgedKFold(n_splits=3, horizon=2, window_length=2).split(np.zeros((12, 1))):
    ...     print(train, test)
    [ 7  8  9 10 11] [0 1 2 3]
    [ 0  1  2 11] [4 5 6 7]
    [0 1 2 3 4 5 6] [ 8  9 10 11]
    """

    __module__ = "sklrnn"

    def __init__(
        self,
        n_splits: int = 5,
        *,
        horizon: int = 1,
        window_length: int = 1,
        stride_within: int = 1,
        embargo: int = 0,
    ) -> None:
        self.n_splits = n_splits
        self.horizon = horizon
        self.window_length = window_length
        self.stride_within = stride_within
        self.embargo = embargo
        self._check_parameters(least_splits=2)

    def _masks(self, timeline: Timeline) -> Iterator[tuple[RowMask, RowMask]]:
        n_times = timeline.time.max(initial=-1) + 1
        if n_times < self.n_splits:
            raise ValueError(
                f"n_splits={self.n_splits} blocks need at least as many time steps, got {n_times}. "
                "Use fewer splits or more rows."
            )
        sizes = np.full(self.n_splits, n_times // self.n_splits)
        sizes[: n_times % self.n_splits] += 1
        purged = self.horizon + self._span - 1 + self.embargo
        for stop, size in zip(np.cumsum(sizes), sizes, strict=True):
            start = stop - size
            in_test = (timeline.time >= start) & (timeline.time < stop)
            begins_after = timeline.position >= timeline.count_where(timeline.time < stop) + purged
            yield self._ends_by(timeline, start) | begins_after, in_test
