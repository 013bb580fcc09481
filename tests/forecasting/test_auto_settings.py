"""What "auto" means, and what is done where the series are too short for what was asked."""

import numpy as np
import pandas as pd
import pytest

from sklrnn.forecasting.auto_settings import choose_epochs, choose_framing, choose_known, choose_season
from sklrnn.forecasting.series import begin, take_apart


def series_of(*lengths, seed=0):
    rng = np.random.default_rng(seed)
    frames = [pd.DataFrame({"y": rng.normal(size=n)}, index=pd.RangeIndex(n)) for n in lengths]
    return begin(take_apart(pd.concat(dict(enumerate(frames))), None), ("y",))


def framing(*lengths, window_length="auto", horizon=1, fold="auto", sp=1, normalize="window"):
    return choose_framing(
        series_of(*lengths),
        window_length=window_length,
        horizon=horizon,
        fold=fold,
        sp=sp,
        normalize=normalize,
        known=(),
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
    assert choose_season(5, series_of(100)) == 5


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


def test_fold_longer_than_the_series_is_given_up():
    with pytest.warns(UserWarning, match="fold=48 needs windows of at least 48 rows, but the series leave room for 28"):
        assert window_and_fold(30, fold=48, horizon=2)[1] == 1


def test_horizon_longer_than_the_series_is_shortened():
    with pytest.warns(UserWarning, match="A horizon of 12 steps leaves nothing of a series of 9 rows .* learns 3 step"):
        assert framing(9, horizon=12).horizon == 3


@pytest.mark.parametrize("n_rows", [1, 2])
def test_hardly_any_row_is_an_error(n_rows):
    with pytest.raises(ValueError, match=f"at least 3 rows to learn from, got {n_rows}"):
        framing(n_rows)


def test_level_of_all_series_together():
    chosen = framing(50, 80)
    together = [one.y.ravel() for one in series_of(50, 80).values()]
    assert chosen.level == (pytest.approx(np.mean([values.mean() for values in together])),)
    # Series of one size and far apart: what lies between them is part of the spread.
    apart = begin(
        take_apart(
            pd.concat({0: pd.DataFrame({"y": [0.0, 2.0, 0.0, 2.0]}), 1: pd.DataFrame({"y": [98.0, 100, 98, 100]})}),
            None,
        ),
        ("y",),
    )
    far = choose_framing(apart, window_length=1, horizon=1, fold=1, sp=1, normalize=None, known=())
    assert far.level == (50.0,)
    assert far.spread == (pytest.approx(np.std([0, 2, 0, 2, 98, 100, 98, 100])),)


@pytest.mark.parametrize(
    ("n_windows", "batch_size", "n_steps"), [(84, 64, 200), (200_000, 64, 20_000), (10_000_000, 64, 20_000)]
)
def test_number_of_windows_sets_the_number_of_steps(n_windows, batch_size, n_steps):
    epochs = choose_epochs("auto", n_windows, batch_size)
    assert epochs * -(-n_windows // batch_size) == pytest.approx(n_steps, rel=0.1) or epochs == 1
    assert choose_epochs(7, n_windows, batch_size) == 7


def test_known_columns_are_found_by_name():
    assert choose_known("known", ("a", "b")) == (0, 1)
    assert choose_known("unknown", ("a", "b")) == ()
    assert choose_known(["b"], ("a", "b")) == (1,)
    with pytest.raises(ValueError, match=r"names \['c'\], but X has the columns \['a', 'b'\]"):
        choose_known(["c", "a"], ("a", "b"))
