"""Sliding windows as a transformer that keeps the number of rows, and therefore lives in a stock ``Pipeline``."""

from collections.abc import Hashable
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from sklrnn._hyperparameters import POSITIVE_INT, StrOptions, fitted, hyper, hyperparameters, validate_parameters
from sklrnn.preprocessing._window_layout import Memory, Plan, join, rows_before_holes, stand_alone, strided_windows
from sklrnn.timeline.table import Entity, Table, check_numbers, take_apart
from sklrnn.timeline.time_index import Times, learn_clock, read_series

__all__ = ["SlidingWindow"]

Array = NDArray[Any]


@hyperparameters
class SlidingWindow(TransformerMixin, BaseEstimator):
    """Give each row the window of rows that ends there: ``(row, feature)`` becomes ``(row, time, feature)``.

    The number of rows stays, so scikit-learn's ``Pipeline``, searches and splitters work as they are. A window holds
    its row and earlier ones, never a later one. The result is a view on one padded copy of the rows, so a window of
    100 rows takes no more memory than one of 2; where the rows are no single unbroken series (a panel, or holes
    between the rows), the windows are written out.

    **Places that have no row** are filled by ``padding``. At the start of a series ``"edge"`` repeats the first row, in
    a hole the row before it; ``"mean"`` is the mean of the training rows of the same series.

    **Context.** The first rows of a test set have their history in the training set. With ``context="auto"`` the
    transformer keeps the last training rows, and those before each hole, and puts them in front of new rows *when the
    index says that these come later*. The index is all that counts: all training rows, given again, get the windows
    that they had in training (a part of them begins with padding). Dates (with or without a frequency; month ends and business days are fine), periods,
    durations and numbers are indexes of time. Rows keep their true distance: what lies in a gap between training and
    test rows is unknown and filled. If distances follow no rule at all, rows follow each other as they come. Arrays
    have no index, so their rows always stand alone, unless ``time_column`` names a column that plays the index's part.

    Only the last training rows are kept, and those before holes. If you predict in chunks, the second chunk does not see the first: give each chunk the
    ``window_length - 1`` rows before it and drop their predictions. ``count_filled`` tells how much of each window is
    filled.

    See Also
    --------
    sklrnn.preprocessing.supervise.supervise : Make the targets that go with the rows.
    sklrnn.preprocessing.supervise.make_windows : Cut windows as samples, outside of a pipeline.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklrnn import SlidingWindow
    >>> days = pd.date_range("2024-01-01", periods=6)
    >>> X = pd.DataFrame({"temp": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}, index=days)
    >>> window = SlidingWindow(window_length=3).fit(X[:4])
    >>> window.transform(X[:4])[:, :, 0]
    array([[1., 1., 1.],
           [1., 1., 2.],
           [1., 2., 3.],
           [2., 3., 4.]])

    The rows that follow find their history among the training rows:

    >>> window.transform(X[4:])[:, :, 0]
    array([[3., 4., 5.],
           [4., 5., 6.]])

    As lag columns, for every estimator that reads tables:

    >>> SlidingWindow(window_length=3, flatten=True).set_output(transform="pandas").fit_transform(X).tail(2)
                temp_lag2  temp_lag1  temp_lag0
    2024-01-05        3.0        4.0        5.0
    2024-01-06        4.0        5.0        6.0
    """

    window_length: int = hyper(
        default=10,
        constraint=POSITIVE_INT,
        sentence="Number of rows in a window, the row itself included.",
        kw_only=False,
    )
    stride_within: int = hyper(
        default=1,
        constraint=POSITIVE_INT,
        sentence="Distance between the rows of a window: 24 reads hourly rows once a day, at the same hour.",
    )
    padding: Literal["edge", "zero", "nan", "mean"] = hyper(
        default="edge",
        constraint=StrOptions({"edge", "zero", "nan", "mean"}),
        sentence="What fills the places of a window that have no row.",
    )
    context: Literal["auto", "none"] = hyper(
        default="auto",
        constraint=StrOptions({"auto", "none"}),
        sentence="Whether later rows see the training rows before them, as their index tells. With 'none' the index is not "
        "read: the rows of each call stand alone and follow each other as they come.",
    )
    flatten: bool = hyper(
        default=False,
        constraint=["boolean"],
        sentence="Give lag columns (row, time * feature) with names like temp_lag2, oldest step first; lag0 is the row itself. "
        "'X.reshape(n, window_length, -1)' restores the windows.",
    )
    time_column: str | int | None = hyper(
        default=None,
        constraint=[str, int, None],
        sentence="Column that plays the part of the index: a name in a frame, a number in an array. It is no feature.",
    )
    groups: str | int | None = hyper(
        default=None,
        constraint=[str, int, None],
        sentence="Column that tells the series of a panel apart; each is windowed by itself. It is no feature. A MultiIndex "
        "whose last level is time needs none.",
    )

    n_features_in_: int = fitted("Number of columns seen in fit.")
    feature_names_in_: NDArray[Any] = fitted("Names of the columns seen in fit, if they have any.")
    n_context_rows_: int = fitted("Number of training rows that are kept as history for later rows.")

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn what a step of time is, and keep the rows that later windows reach back to.

        Parameters
        ----------
        X : array-like of shape (row, feature)
            Rows in the order of time. NaN is allowed.

        y : object, default=None
            Ignored.

        Returns
        -------
        SlidingWindow
            The fitted transformer.
        """
        validate_parameters(self)
        table, values = self._read(X, reset=True)
        longest = max(len(values[entity.rows]) for entity in table.entities)
        if longest < self._span:
            raise ValueError(self._too_short(longest))
        self._feature_columns = table.feature_columns or list(range(values.shape[1]))
        self._learn_context(table, values)
        self._learn_means(table, values)
        return self

    def transform(self, X: Any) -> Array:
        """Give each row the window that ends there.

        Parameters
        ----------
        X : array-like of shape (row, feature)
            Rows in the order of time, the training rows or others.

        Returns
        -------
        ndarray of shape (row, window_length, feature)
            A read-only view where the rows are one unbroken series. With ``flatten=True`` of shape
            ``(row, window_length * feature)``, or a frame as ``set_output`` asks.
        """
        check_is_fitted(self)
        table, values = self._read(X, reset=False)
        plans = self._plan_all(table, values)
        buffer = np.empty((sum(plan.n_places for plan in plans), values.shape[1]), dtype=values.dtype)
        start = 0
        for plan, entity, filler in zip(plans, table.entities, self._fillers(table.entities), strict=True):
            part = buffer[start : start + plan.n_places]
            part[plan.new_places] = values[entity.rows]
            if plan.known_rows is not None:
                part[plan.known_places] = plan.known_rows
            part[plan.missing] = part[plan.source] if filler is None else filler
            start += len(part)
        windows = self._cut(buffer, plans, table.entities, len(values))
        return windows.reshape(len(values), -1) if self.flatten else windows

    def count_filled(self, X: Any) -> Array:
        """Count the places of each row's window that have no row and are filled by ``padding``.

        Parameters
        ----------
        X : array-like of shape (row, feature)
            Rows as ``transform`` takes them.

        Returns
        -------
        ndarray of shape (row,)
            Zero where the whole window is known.

        Examples
        --------
        >>> import numpy as np
        >>> from sklrnn import SlidingWindow
        >>> X = np.arange(5.0).reshape(-1, 1)
        >>> SlidingWindow(window_length=3).fit(X).count_filled(X)
        array([2, 1, 0, 0, 0])
        """
        check_is_fitted(self)
        table, values = self._read(X, reset=False)
        plans = self._plan_all(table, values)
        filled = [np.zeros((plan.n_places, 1), dtype=bool) for plan in plans]
        for flags, plan in zip(filled, plans, strict=True):
            flags[plan.missing] = True
        windows = self._cut(np.concatenate(filled), plans, table.entities, len(values))
        return np.count_nonzero(windows, axis=(1, 2))

    # 3-D windows have no columns to name: with names, pandas output would try to make a frame of them.
    @available_if(lambda self: self.flatten)
    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Name the lag columns; only with ``flatten=True``.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns of X. None means those seen in fit, or ``x0, x1, ...``.

        Returns
        -------
        ndarray of str
            For each step, oldest first, the features with their lag: ``temp_lag2``.
        """
        check_is_fitted(self)
        seen = getattr(self, "feature_names_in_", None)
        if input_features is None:
            names = [f"x{column}" for column in range(self.n_features_in_)] if seen is None else list(seen)
        else:
            names = list(input_features)
            if len(names) != self.n_features_in_:
                raise ValueError(
                    f"input_features should have length equal to the number of columns in fit, {self.n_features_in_}, "
                    f"got {len(names)}."
                )
            if seen is not None and names != list(seen):
                raise ValueError(f"input_features is not equal to feature_names_in_: got {names}, need {list(seen)}.")
        lags = [step * self.stride_within for step in reversed(range(self.window_length))]
        return np.asarray([f"{names[i]}_lag{lag}" for lag in lags for i in self._feature_columns], dtype=object)

    def set_output(self, *, transform: Any = None) -> Self:
        """Choose the container of the lag columns; 3-D windows stay arrays, so that whole pipelines can be set.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            The container. None leaves it as it is.

        Returns
        -------
        SlidingWindow
            The transformer itself.
        """
        return super().set_output(transform=transform) if self.flatten else self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    @property
    def _span(self) -> int:
        """The number of rows from the first to the last of a window."""
        return (self.window_length - 1) * self.stride_within + 1

    def _too_short(self, n_rows: int) -> str:
        dilated = f" and stride_within={self.stride_within}" if self.stride_within > 1 else ""
        got = "1 sample" if n_rows == 1 else n_rows
        return (
            f"A window of window_length={self.window_length}{dilated} needs at least {self._span} rows, got {got}. "
            "Shorten the window or pass more history."
        )

    def _read(self, X: Any, *, reset: bool) -> tuple[Table, Array]:
        table = take_apart(X, time_column=self.time_column, groups=self.groups)
        values = check_numbers(self, table.features)
        validate_data(self, X, reset=reset, skip_check_array=True)
        return table, values

    def _read_series(self, table: Table) -> list[Times]:
        """Read the times of each series; empty if the index is not to be read, or tells no times."""
        if self.context == "none":
            return []
        series = read_series(table.labels, table.entities)
        if not series and self.time_column is not None:
            raise ValueError(
                f"time_column={self.time_column!r} holds no times: dates, periods, durations or numbers are needed. "
                "Convert it first, for example with pandas.to_datetime."
            )
        return series

    def _learn_context(self, table: Table, values: Array) -> None:
        series = self._read_series(table)
        self._clock = learn_clock(series, sure=table.labels_are_time) if series else None
        # Pairs, for the safe file formats know no dict whose keys are None.
        self._memories: list[tuple[Hashable, Memory]] = []
        if self._clock is not None:
            for entity, times in zip(table.entities, series, strict=True):
                keep = rows_before_holes(self._clock.positions(times.values), self._span)
                self._memories.append((entity.name, Memory(times.values[keep], values[entity.rows][keep])))
        self.n_context_rows_ = sum(len(memory.rows) for _, memory in self._memories)

    def _learn_means(self, table: Table, values: Array) -> None:
        if self.padding == "mean":
            self._mean_of_all = _mean_of_known(values)
            self._means = [(entity.name, _mean_of_known(values[entity.rows])) for entity in table.entities]

    def _plan_all(self, table: Table, values: Array) -> list[Plan]:
        series = self._read_series(table)
        if series and self._clock is not None and series[0].kind != self._clock.kind:
            self._refuse_other_times(series[0].kind)
        if not series or self._clock is None or series[0].kind != self._clock.kind:
            return [stand_alone(len(values[entity.rows]), self._span) for entity in table.entities]
        memories = dict(self._memories)
        return [
            join(memories.get(entity.name), times.values, self._clock.positions, self._span)
            for entity, times in zip(table.entities, series, strict=True)
        ]

    def _refuse_other_times(self, kind: str) -> None:
        """Two ways to tell the time can't be joined; plain row numbers beside times just know less."""
        known = self._clock.kind if self._clock is not None else ""
        if "numbers" not in (kind, known):
            raise ValueError(
                f"{type(self).__name__} was fitted on rows whose index holds {known}, got an index of {kind}. "
                "Convert one to the other, or set context='none' if the rows shall stand alone."
            )

    def _fillers(self, entities: list[Entity]) -> list[Any]:
        """What stands in the places that have no row, for each series; None repeats rows."""
        if self.padding == "mean":
            means = dict(self._means)
            return [means.get(entity.name, self._mean_of_all) for entity in entities]
        return [{"edge": None, "zero": 0.0, "nan": np.nan}[self.padding]] * len(entities)

    def _cut(self, buffer: Array, plans: list[Plan], entities: list[Entity], n_rows: int) -> Array:
        """View the buffer as windows, and take those that end at the rows."""
        windows = strided_windows(buffer, self.window_length, self.stride_within)
        back = self._span - 1
        if entities[0].name is None and isinstance(plans[0].new_places, slice):
            return windows[plans[0].new_places.start - back : plans[0].new_places.stop - back]
        ends = np.empty(n_rows, dtype=np.intp)
        starts = np.cumsum([0, *(plan.n_places for plan in plans)])
        for start, plan, entity in zip(starts, plans, entities, strict=False):
            ends[entity.rows] = np.arange(start, start + plan.n_places)[plan.new_places] - back
        return windows[ends]


def _mean_of_known(values: Array) -> Array:
    count = np.count_nonzero(~np.isnan(values), axis=0)
    total = np.asarray(np.nansum(values, axis=0, dtype=np.float64))
    return np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)
