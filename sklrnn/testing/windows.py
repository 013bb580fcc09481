"""Checks of transformers that give each row the window of rows that ends there."""

from dataclasses import dataclass
from typing import Any
from unittest import SkipTest

import numpy as np
from numpy.typing import NDArray

from sklrnn.testing.comparisons import assert_differs, assert_same, find_difference
from sklrnn.testing.held_out import assert_noise_stays_noise, noise_folds
from sklrnn.testing.options import fresh_copy, option

Array = NDArray[Any]

_N_ROWS, _N_FEATURES = 40, 2


@dataclass(frozen=True)
class WindowCase:
    """A window transformer and rows for it."""

    transformer: Any
    X: Any
    y: Array

    @classmethod
    def of(cls, transformer: Any, X: Any = None) -> "WindowCase":
        """Take rows that are given, or make some; with a calendar they have dates."""
        if X is None:
            X = np.random.default_rng(0).normal(size=(_N_ROWS, _N_FEATURES))
            if option(transformer, "calendar") is not None or option(transformer, "time_column") is not None:
                X = _with_dates(X, option(transformer, "time_column"))
        if len(X) < 16:
            raise ValueError(f"X must have at least 16 rows, got {len(X)}.")
        return cls(transformer, X, np.zeros(len(X)))

    @property
    def name(self) -> str:
        return type(self.transformer).__name__

    @property
    def can_train_on(self) -> bool:
        return False

    def fit(self, X: Any = None, y: Any = None) -> Any:
        """A fitted copy of the transformer."""
        X, y = (self.X if X is None else X), (self.y if y is None else y)
        return fresh_copy(self.transformer).fit(X, y)

    def answers(self, model: Any, X: Any = None) -> Array:
        """The window of each row, as an array."""
        return np.asarray(model.transform(self.X if X is None else X))

    def train_on(self, model: Any) -> Any:
        """There is nothing to train on."""
        return model

    def as_table(self) -> "WindowCase":
        """Rows are a table."""
        return self

    def changed(self, rows: slice) -> Any:
        """The rows with other numbers in some of them."""
        if not hasattr(self.X, "iloc"):
            X = np.array(self.X)
            X[rows] = 1.0 - X[rows]
            return X
        X = self.X.copy()
        for number, dtype in enumerate(X.dtypes):
            if dtype.kind == "f":
                X.iloc[rows, number] = 1.0 - X.iloc[rows, number]
        return X


def _with_dates(X: Array, time_column: Any) -> Any:
    import pandas as pd

    days = pd.date_range("2024-01-01", periods=len(X), freq="D")
    frame = pd.DataFrame(X, columns=["a", "b"], index=days)
    return frame if time_column is None else frame.rename_axis(time_column).reset_index()


def check_rows_are_kept(case: WindowCase) -> None:
    """There is one window for each row, so that X and y stay aligned in a pipeline."""
    windows = case.answers(case.fit())
    if len(windows) != len(case.X):
        raise AssertionError(
            f"{case.name} gives {len(windows)} windows for {len(case.X)} rows, so X and y are no longer aligned."
        )


def check_windows_hold_no_later_row(case: WindowCase) -> None:
    """The windows up to a row stay when later rows change."""
    model = case.fit()
    windows = case.answers(model)
    for first in (1, len(case.X) // 2, len(case.X) - 1):
        assert_same(
            case.answers(model, case.changed(slice(first, None)))[:first],
            windows[:first],
            f"The windows of {case.name} for the rows before number {first} hold rows from there on. Are they centred?",
        )


def check_windows_hold_their_own_row(case: WindowCase) -> None:
    """The window of a row changes with this row; where windows have a time axis, in its last step."""
    model = case.fit()
    windows = case.answers(model)
    for row in (0, len(case.X) // 2, len(case.X) - 1):
        changed = case.answers(model, case.changed(slice(row, row + 1)))
        assert_differs(
            changed[row], windows[row], f"The window of {case.name} for row {row} does not change with this row."
        )
    if windows.ndim == 3:
        assert_same(
            changed[row, :-1],
            windows[row, :-1],
            f"The newest row is not the last step of the windows of {case.name}: earlier steps change with it too.",
        )


def check_blocks_agree_with_the_whole(case: WindowCase) -> None:
    """Rows that are transformed in a later block get the windows of the whole, once these lie within the block."""
    model, half = case.fit(), len(case.X) // 2
    windows = case.answers(model)
    changed = case.answers(model, case.changed(slice(0, half)))
    # The first window that holds no row before the block.
    inside = next((r for r in range(half, len(case.X)) if find_difference(changed[r], windows[r]) is None), None)
    if inside is None:
        raise SkipTest(f"The windows of {case.name} are longer than half of the {len(case.X)} rows.")
    block = case.X.iloc[half:] if hasattr(case.X, "iloc") else case.X[half:]
    assert_same(
        case.answers(model, block)[inside - half :],
        windows[inside:],
        f"{case.name} gives rows other windows when earlier rows are not in the call, though these are not in them.",
    )


def check_series_of_a_panel_do_not_mix(case: WindowCase) -> None:
    """The windows of a series in a panel stay when another series changes."""
    import pandas as pd

    days = pd.date_range("2024-01-01", periods=len(case.X), freq="D")
    values = np.random.default_rng(5).normal(size=(len(case.X), _N_FEATURES))
    frame = pd.DataFrame(values, columns=["a", "b"], index=days)
    panel = pd.concat({"one": frame, "two": frame[::-1].set_index(days)}, names=["series", "time"])
    other = panel.copy()
    other.iloc[: len(frame)] = 1.0 - other.iloc[: len(frame)]
    try:
        model = case.fit(panel, np.zeros(len(panel)))
        found = case.answers(model, other)
    except (TypeError, ValueError) as error:
        raise SkipTest(f"{case.name} takes no panel: {error}") from error
    assert_same(
        found[len(frame) :],
        case.answers(model, panel)[len(frame) :],
        f"The windows of {case.name} for one series of a panel hold rows of another one.",
    )


def check_transform_changes_nothing(case: WindowCase) -> None:
    """`transform` leaves X and the transformer as they were."""
    model, given = case.fit(), case.changed(slice(0, 0))
    first = case.answers(model, given).copy()
    assert_same(np.asarray(given), np.asarray(case.X), f"transform of {case.name} changed X in place.")
    case.answers(model, case.changed(slice(None)))
    assert_same(
        case.answers(model), first, f"transform of {case.name} changed the windows that it gives the next time."
    )


def check_windows_do_not_predict_white_noise(case: WindowCase) -> None:
    """A linear model on the windows can't predict white noise over any splitter of this package."""
    from sklearn.linear_model import RidgeCV

    noise = np.random.default_rng(6).normal(size=(241, _N_FEATURES))
    X, y = noise[:-1], noise[1:, 0]
    length = int(option(case.transformer, "window_length", 4))
    if hasattr(case.X, "iloc"):
        X = _with_dates(X, option(case.transformer, "time_column"))
    for splitter, folds in noise_folds(X, window_length=length):
        shares = []
        for train, test in folds:
            # Windows are cut once, as where they are made before a split.
            windows = case.answers(case.fit(X, y), X).reshape(len(X), -1)
            model = RidgeCV(np.logspace(0, 3, 7)).fit(windows[train], y[train])
            shares.append(1 - np.mean((model.predict(windows[test]) - y[test]) ** 2) / np.var(y[test]))
        assert_noise_stays_noise(np.mean(shares), f"A linear model on the windows of {case.name}", splitter)
