"""Sliding windows as a transformer that keeps the number of rows, so that it works in scikit-learn's ``Pipeline``."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from sklrnn._hyperparameters import fitted, hyperparameters, validate_parameters
from sklrnn.inputs.numeric import read_values
from sklrnn.inputs.sklearn_classes import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklrnn.preprocessing._window_layout import Context, Plan, fill_buffer, plan_rows, take_windows
from sklrnn.preprocessing.window_parameters import WindowParameters
from sklrnn.saved_state import Saved
from sklrnn.timeline.calendar_features import Calendar
from sklrnn.timeline.panel import Entity
from sklrnn.timeline.table import Table, check_numbers, split_table
from sklrnn.timeline.time_index import Times, read_entity_times

__all__ = ["SlidingWindow"]

Array = NDArray[Any]


@hyperparameters
class SlidingWindow(WindowParameters, Saved, TransformerMixin, BaseEstimator):
    """Give each row the window of rows that ends there: ``(row, feature)`` becomes ``(row, time, feature)``.

    The number of rows stays the same, so scikit-learn's ``Pipeline``, searches and splitters work as they are. A window
    holds its row and earlier ones, never a later one. The result is a view of one padded copy of the rows, so a window
    of 100 rows takes no more memory than one of 2; in a panel, or where rows are missing in between, it is a copy.

    **Places without a row** are filled by ``padding``. At the start of a series ``"edge"`` repeats the first row, in a
    gap the row before it; ``"mean"`` is the mean of the training rows of the same series.

    **Context.** The first rows of a test set have their history in the training set. With ``context="auto"`` the
    transformer keeps the last training rows, and those before gaps, and puts them in front of new rows that come later
    *by their index*. Nothing else counts: the training rows, given again, get the same windows as in training. The
    index may hold dates (with or without a frequency; month ends and business days too), periods, durations or numbers.
    Rows keep their distance in time: a gap between training and test rows is filled. If the distances follow no rule,
    each row is one step after the row before it. Arrays have no index, so their rows get no context, unless
    ``time_column`` names a column of times.

    **Calendar.** Demand, traffic and pollution follow the clock. With ``calendar="auto"`` each row also holds its time
    of day, week and year as sines and cosines, and those of the time that is predicted, ``horizon`` steps later.

    New rows are not kept. If you predict in chunks, give each chunk the ``window_length - 1`` rows before it and drop
    their predictions. ``count_filled`` tells how much of each window is filled.

    See Also
    --------
    sklrnn.supervise : Make the targets that go with the rows.
    sklrnn.make_windows : Cut windows as samples, outside of a pipeline.

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

    The rows that follow have their history in the training rows:

    >>> window.transform(X[4:])[:, :, 0]
    array([[3., 4., 5.],
           [4., 5., 6.]])

    As lag columns, for estimators that read tables:

    >>> SlidingWindow(window_length=3, flatten=True).set_output(transform="pandas").fit_transform(X).tail(2)
                temp_lag2  temp_lag1  temp_lag0
    2024-01-05        3.0        4.0        5.0
    2024-01-06        4.0        5.0        6.0

    The calendar of the row, and of the day to be predicted:

    >>> SlidingWindow(window_length=3, calendar=["week"], horizon=2).fit_transform(X).shape
    (6, 3, 13)
    """

    __module__ = "sklrnn"

    n_features_in_: int = fitted("Number of columns seen in fit.")
    feature_names_in_: NDArray[Any] = fitted("Names of the columns seen in fit, if they have any.")
    n_context_rows_: int = fitted("Number of training rows that are kept as history for later rows.")

    def fit(self, X: Any, y: Any = None) -> Self:
        """Infer the step of time, and keep the rows that later windows reach back to.

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
            dilated = f" and stride_within={self.stride_within}" if self.stride_within > 1 else ""
            raise ValueError(
                f"A window of window_length={self.window_length}{dilated} needs at least {self._span} rows, got "
                f"{'1 sample' if longest == 1 else longest}. Shorten the window or pass more history."
            )
        self._calendar = self._learn_calendar(table)
        self._feature_columns = table.feature_columns or list(range(values.shape[1]))
        values = self._with_calendar(table, values)
        self._context = None
        if times := self._read_times(table):
            self._context = Context.of_training_rows(table, times, values, self._span)
        self.n_context_rows_ = 0 if self._context is None else len(self._context)
        if self.padding == "mean":
            self._mean_of_all = _mean_of_known(values)
            self._means = [(entity.name, _mean_of_known(values[entity.rows])) for entity in table.entities]
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
            A read-only view where the rows are one unbroken series. With ``flatten=True`` the shape is
            ``(row, window_length * feature)``, and ``set_output`` chooses the container. With a ``calendar`` its
            columns are features of each step; with ``flatten=True`` those of the row come once, last.
        """
        check_is_fitted(self)
        table, values = self._read(X, reset=False)
        plans = self._plan(table, values)
        buffer = self._fill(table, values, plans)
        windows = take_windows(buffer, plans, table.entities, len(values), self.window_length, self.stride_within)
        return self._flatten(windows) if self.flatten else windows

    def count_filled(self, X: Any) -> Array:
        """Count the places of each window that have no row and are filled by ``padding``.

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
        return np.count_nonzero(self._filled_places(X), axis=1)

    # Only a table has column names: with names, scikit-learn would try to make a frame of 3-D windows.
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
            For each step, oldest first, the features with their lag: ``temp_lag2``. Then the calendar of the row and
            of the target: ``day_sin``, ``day_sin_lead24``.
        """
        names = OneToOneFeatureMixin.get_feature_names_out(self, input_features)
        lags = [step * self.stride_within for step in reversed(range(self.window_length))]
        lagged = [f"{names[i]}_lag{lag}" for lag in lags for i in self._feature_columns]
        return np.asarray(lagged + ([] if self._calendar is None else self._calendar.names), dtype=object)

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

    def _read(self, X: Any, *, reset: bool) -> tuple[Table, Array]:
        table = split_table(read_values(X, "X"), time_column=self.time_column, groups=self.groups)
        values = check_numbers(self, table.features)
        validate_data(self, X, reset=reset, skip_check_array=True)
        return table, values

    def _learn_calendar(self, table: Table) -> Calendar | None:
        if self.calendar is None:
            return None
        steps = [0] if self.horizon is None else np.atleast_1d(self.horizon)
        return Calendar.of_training_rows(table, self.calendar, int(max(steps)))

    def _with_calendar(self, table: Table, values: Array) -> Array:
        """The features of the rows, and those of the calendar behind them."""
        if self._calendar is None:
            return values
        return np.column_stack([values, self._calendar.features(table.labels).astype(values.dtype)])

    def _fill(self, table: Table, values: Array, plans: list[Plan]) -> Array:
        """The buffer that windows are a view on, with the features of the calendar."""
        values = self._with_calendar(table, values)
        return fill_buffer(values, plans, table.entities, self._fillers(table.entities))

    def _filled_places(self, X: Any) -> Array:
        """Which places of each window have no row: (row, window_length)."""
        check_is_fitted(self)
        table, values = self._read(X, reset=False)
        plans = self._plan(table, values)
        buffer = np.concatenate([np.isin(np.arange(plan.n_places), plan.missing) for plan in plans])[:, np.newaxis]
        windows = take_windows(buffer, plans, table.entities, len(values), self.window_length, self.stride_within)
        return windows[:, :, 0]

    def _flatten(self, windows: Array) -> Array:
        """Lag columns; the calendar of earlier rows follows from that of the row itself, so it comes once."""
        n_columns = len(self._feature_columns)
        lags = windows[:, :, :n_columns].reshape(len(windows), -1)
        return lags if self._calendar is None else np.concatenate([lags, windows[:, -1, n_columns:]], axis=1)

    def _read_times(self, table: Table) -> list[Times]:
        """Read the times of each series; an empty list if the index is not to be read, or holds no times."""
        if self.context == "none":
            return []
        times = read_entity_times(table.labels, table.entities)
        if not times and self.time_column is not None:
            raise ValueError(
                f"time_column={self.time_column!r} holds no times: dates, periods, durations or numbers are needed. "
                "Convert it first, for example with pandas.to_datetime."
            )
        return times

    def _plan(self, table: Table, values: Array) -> list[Plan]:
        """Place the rows of each series, with their context where their times can be compared."""
        times, context = self._read_times(table), self._context
        if times and context is not None:
            kind, known = times[0].kind, context.grid.kind
            if kind == known:
                return context.plan(table.entities, times, self._span)
            # Where the training rows had times, numbers are taken for row numbers.
            if "numbers" not in (kind, known):
                raise ValueError(
                    f"{type(self).__name__} was fitted on rows whose index holds {known}, got an index of {kind}. "
                    "Convert one to the other, or set context='none' to window the rows of each call by themselves."
                )
        lengths = [len(values[entity.rows]) for entity in table.entities]
        return [plan_rows(np.arange(length), self._span) for length in lengths]

    def _fillers(self, entities: list[Entity]) -> list[Any]:
        """The filler of each series for places that have no row; None repeats rows."""
        if self.padding == "mean":
            means = dict(self._means)
            return [means.get(entity.name, self._mean_of_all) for entity in entities]
        return [{"edge": None, "zero": 0.0, "nan": np.nan}[self.padding]] * len(entities)


def _mean_of_known(values: Array) -> Array:
    count = np.count_nonzero(~np.isnan(values), axis=0)
    total = np.asarray(np.nansum(values, axis=0, dtype=np.float64))
    return np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)
