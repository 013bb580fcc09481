"""Windows as samples, with or without targets, outside of a pipeline."""

from typing import Any, overload

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array, check_consistent_length

from sklrnn.inputs.numeric import read_values
from sklrnn.inputs.validation import check_int
from sklrnn.preprocessing._window_layout import strided_windows
from sklrnn.timeline.table import as_table, check_numbers, split_table

__all__ = ["make_windows"]

Array = NDArray[Any]


@overload
def make_windows(
    X: Any,
    y: None = None,
    *,
    window_length: int,
    horizon: None,
    stride: int = 1,
    stride_within: int = 1,
    groups: str | int | None = None,
) -> Array: ...


@overload
def make_windows(
    X: Any,
    y: Any = None,
    *,
    window_length: int,
    horizon: int = 1,
    stride: int = 1,
    offset: int = 1,
    stride_within: int = 1,
    return_sequences: bool = False,
    groups: str | int | None = None,
) -> tuple[Array, Array]: ...


def make_windows(
    X: Any,
    y: Any = None,
    *,
    window_length: int,
    horizon: int | None = 1,
    stride: int = 1,
    offset: int = 1,
    stride_within: int = 1,
    return_sequences: bool = False,
    groups: str | int | None = None,
) -> Any:
    """Cut a series into windows and their targets; each window is a sample.

    This is for windows outside of a pipeline; each row is one step after the row before it, whatever the index says.
    ``stride=1`` shifts by one row, ``stride=window_length`` cuts the series into pieces that share no row (the reshape
    approach). Windows that overlap share rows: don't shuffle them into training and test sets.

    Parameters
    ----------
    X : array-like of shape (row,) or (row, feature)
        Rows in the order of time. NaN is allowed.

    y : array-like of shape (row,) or (row, target), default=None
        What to predict. None means X itself: the next values of the series, of all features if it has many.

    window_length : int
        Number of rows in a window.

    horizon : int or None, default=1
        Number of values of ``y`` to predict. None makes no targets.

    stride : int, default=1
        Number of rows from the start of one window to the start of the next.

    offset : int, default=1
        Steps from the last row of a window to its first target: 1 is the next row, 0 the last row itself (only with
        a ``y`` of its own). With ``return_sequences=True`` it counts from each row of the window.

    stride_within : int, default=1
        Distance between the rows of a window.

    return_sequences : bool, default=False
        Give targets for each row of a window, not only for the last one: sequence to sequence, for an estimator with
        ``return_sequences=True``. By default these are the same rows, shifted by one step.

    groups : str or int, default=None
        Column of X that names the series of each row of a panel. No window holds rows of two series, and the windows of
        the first series come first. A MultiIndex whose last level is time needs none.

    Returns
    -------
    windows : ndarray of shape (sample, window_length, feature)
        A read-only view on the rows of X if they are one series.

    targets : ndarray of shape (sample,) or (sample, horizon * target), only with a horizon
        One-dimensional for one value of one target; otherwise all targets of the first step, then of the second. With
        ``return_sequences=True`` an axis of time comes second: ``(sample, window_length)`` or ``(sample,
        window_length, horizon * target)``.

    See Also
    --------
    sklrnn.SlidingWindow : The window as a step of a pipeline, one for each row.
    sklrnn.supervise : Targets for each row, without windows.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import make_windows
    >>> windows, targets = make_windows(np.arange(8.0), window_length=3, stride=2)
    >>> windows[:, :, 0]
    array([[0., 1., 2.],
           [2., 3., 4.],
           [4., 5., 6.]])
    >>> targets
    array([3., 5., 7.])

    Sequence to sequence, and the series in pieces without targets:

    >>> windows, targets = make_windows(np.arange(8.0), window_length=3, stride=2, return_sequences=True)
    >>> targets
    array([[1., 2., 3.],
           [3., 4., 5.],
           [5., 6., 7.]])
    >>> make_windows(np.arange(14.0), window_length=7, stride=7, horizon=None).shape
    (2, 7, 1)
    """
    least = {"window_length": 1, "horizon": 1, "stride": 1, "stride_within": 1, "offset": 1 if y is None else 0}
    for name, value in zip(least, (window_length, horizon, stride, stride_within, offset), strict=True):
        if name != "horizon" or value is not None:
            check_int(name, value, least[name])
    if horizon is None and (y is not None or return_sequences):
        what = "y" if y is not None else "return_sequences=True"
        raise ValueError(f"horizon=None makes windows without targets, but {what} asks for some. Pass a horizon.")
    table = split_table(as_table(read_values(X, "X")), groups=groups)
    values = check_numbers("make_windows", table.features)
    targets = (
        values if y is None else check_array(read_values(y, "y"), dtype=None, ensure_2d=False, ensure_all_finite=False)
    )
    check_consistent_length(values, targets)
    targets = targets.reshape(len(targets), -1)
    span = (window_length - 1) * stride_within + 1
    need = span if horizon is None else max(span, span + offset + horizon - 1)
    pieces = []
    for entity in table.entities:
        own_rows, own_targets = values[entity.rows], targets[entity.rows]
        if len(own_rows) >= need:
            n_windows = (len(own_rows) - need) // stride + 1
            chosen = slice(0, n_windows * stride, stride)
            piece = [strided_windows(own_rows, window_length, stride_within)[chosen]]
            if horizon is not None:
                ahead = strided_windows(own_targets[offset:], horizon)  # those of each row
                if return_sequences:
                    ahead = strided_windows(ahead.reshape(len(ahead), -1), window_length, stride_within)[chosen]
                else:
                    ahead = ahead[span - 1 :][chosen].reshape(n_windows, -1)
                piece.append(ahead[..., 0] if ahead.shape[-1] == 1 else ahead)
            pieces.append(piece)
    if not pieces:
        longest = max(len(values[entity.rows]) for entity in table.entities)
        asked = "" if horizon is None else f" with offset={offset} and horizon={horizon}"
        raise ValueError(
            f"A window of window_length={window_length} (stride_within={stride_within}){asked} needs at least {need} "
            f"rows, got {longest}. Shorten them or pass more history."
        )
    arrays = pieces[0] if len(pieces) == 1 else [np.concatenate(parts) for parts in zip(*pieces, strict=True)]
    return arrays[0] if horizon is None else tuple(arrays)
