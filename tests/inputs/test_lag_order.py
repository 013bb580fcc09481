import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklrnn import GRUClassifier, GRURegressor

SERIES = np.sin(np.arange(120) / 5) + 0.1 * np.random.default_rng(0).normal(size=120)
# Each row is a window, the oldest value first; y is the value that follows it.
WINDOWS, Y = np.lib.stride_tricks.sliding_window_view(SERIES[:-1], 6), SERIES[6:]


def lags_of(series, numbers):
    """Columns as pandas, mlforecast and skforecast make them."""
    frame = pd.concat({f"lag{number}": pd.Series(series).shift(number) for number in numbers}, axis=1)
    return frame.dropna()


def network(**options):
    return GRURegressor(units=4, max_epochs=1, random_state=0, **options)


def test_lags_with_the_newest_first_are_warned_of():
    lags = lags_of(SERIES, range(1, 7))
    with pytest.warns(UserWarning, match="first 6 columns of X are lags with the newest first") as found:
        network().fit(lags, SERIES[6:])
    assert len(found) == 1
    assert found[0].filename == __file__


def test_reversed_as_the_warning_says_they_are_read_in_order():
    pipeline = make_pipeline(FunctionTransformer(np.fliplr), network()).fit(WINDOWS[:, ::-1], Y)
    assert np.array_equal(pipeline.predict(WINDOWS[:, ::-1]), network().fit(WINDOWS, Y).predict(WINDOWS))


def test_series_that_stand_one_below_the_other_are_warned_of_too():
    panel = np.vstack([lags_of(SERIES[start : start + 36], range(1, 7)) for start in (0, 40, 80)])
    with pytest.warns(UserWarning, match="newest first"):
        network().fit(panel, np.arange(len(panel)))


def test_first_partial_fit_and_classifiers_warn():
    with pytest.warns(UserWarning, match="newest first"):
        network().partial_fit(WINDOWS[:, ::-1], Y)
    with pytest.warns(UserWarning, match="newest first"):
        GRUClassifier(units=4, max_epochs=1, random_state=0).fit(WINDOWS[:, ::-1], Y > 0)


@pytest.mark.parametrize("lags", [WINDOWS, WINDOWS[:, ::-1]], ids=["oldest first", "newest first"])
def test_columns_that_are_no_lags_are_warned_of(lags):
    month = np.arange(len(lags)) % 12
    with pytest.warns(UserWarning, match=r"column 6 \(counted from 0\) is not the next"):
        network(bidirectional=True).fit(np.column_stack([lags, month]), Y)


@pytest.mark.parametrize(
    "X",
    [
        WINDOWS,
        WINDOWS[:15, ::-1],
        WINDOWS[:, 1::-1],
        np.random.default_rng(0).permutation(WINDOWS[:, ::-1]),
        np.random.default_rng(0).random((200, 4)) < 0.05,
        np.ones((50, 6)),
        np.eye(6)[np.arange(100) % 6].repeat(10, axis=0),
        WINDOWS.reshape(-1, 3, 2)[:, ::-1],
    ],
    ids=[
        "windows",
        "few rows",
        "two columns",
        "shuffled",
        "rare events",
        "constant",
        "one-hot",
        "several features",
    ],
)
def test_what_may_be_chance_or_is_in_order_gives_no_warning(X):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        network().fit(X, np.arange(len(X)))


def test_a_network_that_reads_in_both_directions_may_read_them_backwards():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        network(bidirectional=True).fit(WINDOWS[:, ::-1], Y)
