"""What "auto" stands for, and what is used if the series are too short for the settings."""

import numpy as np
import pandas as pd
import pytest

from sklrnn.forecasting.auto_settings import (
    AUTO_STEPS,
    resolve_future_X,
    resolve_learning_rate,
    resolve_n_networks,
    resolve_sp,
    resolve_units,
    resolve_window_spec,
)
from sklrnn.forecasting.history import History
from sklrnn.training.auto_epochs import resolve_epochs


def series_of(*lengths, seed=0):
    rng = np.random.default_rng(seed)
    frames = [pd.DataFrame({"y": rng.normal(size=n)}, index=pd.RangeIndex(n)) for n in lengths]
    return History.from_frames(pd.concat(dict(enumerate(frames))), None).table


def framing(*lengths, window_length="auto", horizon=1, fold="auto", sp=1, normalize="window"):
    return resolve_window_spec(
        series_of(*lengths),
        window_length=window_length,
        horizon=horizon,
        fold=fold,
        sp=sp,
        normalize=normalize,
        known_future=(),
    )


def window_and_fold(*lengths, **options):
    chosen = framing(*lengths, **options)
    return chosen.window_length, chosen.fold


@pytest.mark.parametrize(
    ("lengths", "sp", "horizon", "expected"),
    [
        ((2000,), 24, 24, (14 * 24, 24)),
        ((144,), 12, 12, (48, 12)),
        ((60,), 12, 12, (12, 1)),  # one season is no row of seasons
        ((1000,), 1, 6, (24, 1)),
        ((1000,), 1, 60, (60, 1)),
        ((30,), 1, 6, (9, 1)),
        ((100, 100, 2000), 24, 12, (24, 1)),  # most series count
    ],
)
def test_window_is_as_long_as_the_series_allow(lengths, sp, horizon, expected):
    assert window_and_fold(*lengths, sp=sp, horizon=horizon) == expected


def test_what_is_given_is_taken():
    assert window_and_fold(200, window_length=30, sp=12) == (30, 1)
    assert window_and_fold(200, window_length=36, sp=12) == (36, 12)
    assert window_and_fold(200, window_length=36, fold=4, sp=12) == (36, 4)
    assert resolve_sp(5, series_of(100)) == 5


def test_window_follows_the_fold():
    window, fold = window_and_fold(200, fold=7, sp=12)
    assert fold == 7
    assert window % 7 == 0
    assert window > 7


def test_fold_must_divide_a_given_window():
    with pytest.raises(ValueError, match="fold=5 must divide window_length=12.* Take window_length=10 or fold=1"):
        framing(200, window_length=12, fold=5)
    with pytest.raises(ValueError, match="Take window_length=24 or fold=1"):
        framing(200, window_length=12, fold=24)


def test_window_longer_than_the_series_is_shortened():
    message = "window_length=100 and a horizon of 3 need a series of at least 103 rows, got 60. A window of 28 is used"
    with pytest.warns(UserWarning, match=message):
        assert window_and_fold(60, window_length=100, horizon=3) == (28, 1)
    with pytest.warns(UserWarning, match=message):
        assert window_and_fold(60, window_length=100, horizon=3, fold=10) == (20, 10)


def test_fold_longer_than_the_series_is_replaced_by_one():
    with pytest.warns(UserWarning, match="fold=48 needs windows of at least 48 rows, but the series leave room for 28"):
        assert window_and_fold(30, fold=48, horizon=2)[1] == 1


def test_horizon_longer_than_the_series_is_shortened():
    with pytest.warns(UserWarning, match="A horizon of 12 steps leaves nothing of a series of 9 rows .* learns 3 step"):
        assert framing(9, horizon=12).horizon == 3


@pytest.mark.parametrize("n_rows", [1, 2])
def test_too_few_rows_are_an_error(n_rows):
    with pytest.raises(ValueError, match=f"at least 3 rows to learn from, got {n_rows}"):
        framing(n_rows)


def test_pooled_level_and_scale():
    chosen = framing(50, 80)
    together = np.split(series_of(50, 80).y.ravel(), [50])
    assert chosen.level == (pytest.approx(np.mean([values.mean() for values in together])),)
    # Series of the same scale and far apart: the distance of their levels is part of the pooled scale.
    apart = History.from_frames(
        pd.concat({0: pd.DataFrame({"y": [0.0, 2.0, 0.0, 2.0]}), 1: pd.DataFrame({"y": [98.0, 100, 98, 100]})}), None
    ).table
    far = resolve_window_spec(apart, window_length=1, horizon=1, fold=1, sp=1, normalize=None, known_future=())
    assert far.level == (50.0,)
    assert far.scale == (pytest.approx(np.std([0, 2, 0, 2, 98, 100, 98, 100])),)


@pytest.mark.parametrize(
    ("n_windows", "batch_size", "n_steps"), [(84, 64, 200), (200_000, 64, 20_000), (10_000_000, 64, 20_000)]
)
def test_number_of_windows_sets_the_number_of_steps(n_windows, batch_size, n_steps):
    n_batches = -(-n_windows // batch_size)
    epochs = resolve_epochs("auto", AUTO_STEPS, n_batches=n_batches, n_samples=n_windows)
    assert epochs * n_batches == pytest.approx(n_steps, rel=0.1) or epochs == 1


def test_known_columns_are_found_by_name():
    assert resolve_future_X("known", ("a", "b")) == (0, 1)
    assert resolve_future_X("unknown", ("a", "b")) == ()
    assert resolve_future_X(["b"], ("a", "b")) == (1,)
    with pytest.raises(ValueError, match=r"names \['c'\], but X has the columns \['a', 'b'\]"):
        resolve_future_X(["c", "a"], ("a", "b"))


def test_many_windows_have_more_units_and_a_higher_learning_rate():
    assert [(resolve_units("auto", n), resolve_learning_rate("auto", n)) for n in (99_999, 100_000)] == [
        (64, 0.005),
        (128, 0.01),
    ]
    assert (resolve_units((8, 4), 10**6), resolve_learning_rate(0.3, 10**6)) == ((8, 4), 0.3)


def test_few_windows_have_three_networks():
    assert [resolve_n_networks("auto", n) for n in (500, 501)] == [3, 1]
    assert resolve_n_networks(2, 10) == 2
