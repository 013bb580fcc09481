"""Targets whose weights are computed when they are indexed, and medians that are searched for block by block."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from sklrnn.forecasting import GRUForecaster, targets
from sklrnn.forecasting.history import History
from sklrnn.forecasting.targets import Targets, medians
from sklrnn.forecasting.windows import Windows, WindowSpec


@pytest.fixture
def windows():
    """Those of two series with two channels."""
    values = np.random.default_rng(0).normal(size=(52, 2))
    index = pd.MultiIndex.from_tuples([("a", row) for row in range(30)] + [("b", row) for row in range(22)])
    table = History.from_frames(pd.DataFrame(values, index=index), None).table
    spec = WindowSpec(window_length=6, horizon=3, fold=1, n_channels=2, normalize="series")
    return Windows.for_training(spec, table.stack(sp=1))


@pytest.mark.parametrize("equal_weights", [False, True])
def test_an_indexed_part_is_that_of_the_whole(windows, equal_weights):
    some = Targets.of(windows, equal_weights=equal_weights)
    whole = np.asarray(some)
    assert whole.shape == some.shape == (len(windows), 12)
    assert_array_equal(some[np.array([5, 0, 9])], whole[[5, 0, 9]])
    assert_array_equal(np.asarray(some[4:9]), whole[4:9])


def test_the_median_weight_is_about_2(windows):
    weights = np.split(np.asarray(Targets.of(windows)), 2, axis=1)[1]
    # The series have values of both signs: the error relative to the naive error counts twice.
    assert np.median(weights) == 2.0


def test_networks_do_not_depend_on_whether_the_weights_are_kept(monkeypatch):
    y = np.random.default_rng(0).normal(size=60)
    forecasts = []
    for most_numbers in (2**22, 0):
        monkeypatch.setattr(targets, "_MOST_NUMBERS", most_numbers)
        model = GRUForecaster(units=2, max_epochs=2, batch_size=8, random_state=0, window_length=6)
        forecasts.append(model.fit(y, fh=[1, 2]).predict())
    assert_array_equal(*forecasts)


@pytest.mark.parametrize("n", [1, 2, 5, 1000, 1001])
def test_medians_of_blocks_are_those_of_all_numbers(n):
    random = np.random.default_rng(n)
    columns = np.exp(5 * random.normal(size=n)), random.integers(1, 4, n).astype(float)

    def read():
        for first in range(0, n, 300):
            yield [column[first : first + 300] for column in columns]

    assert medians(read) == [np.median(column) for column in columns]


def test_the_median_of_no_numbers_is_1():
    for n_blocks in (1, 2):
        assert medians(lambda n=n_blocks: iter([[np.zeros(0), np.full(3, 2.0)]] * n)) == [1.0, 2.0]
    assert medians(lambda: iter([])) == [1.0, 1.0]
