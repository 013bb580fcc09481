"""Windows, computed when they are indexed, against the same windows cut by hand."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklrnn.forecasting.history import History
from sklrnn.forecasting.series import SeriesTable
from sklrnn.forecasting.targets import Targets
from sklrnn.forecasting.windows import Windows, WindowSpec

DOUBLE = np.dtype(np.float64)


def frame(n, n_columns, prefix, seed):
    values = np.random.default_rng(seed).normal(size=(n, n_columns)).cumsum(axis=0)
    return pd.DataFrame(values, columns=[f"{prefix}{number}" for number in range(n_columns)])


def series_of(*lengths, n_channels=1, n_columns=0):
    y = pd.concat({key: frame(n, n_channels, "y", key) for key, n in enumerate(lengths)})
    X = pd.concat({key: frame(n, n_columns, "x", 100 + key) for key, n in enumerate(lengths)}) if n_columns else None
    table = History.from_frames(y, X).table
    return {number: table.take(np.array([number])) for number in range(len(table))}


def alone(values):
    return History.from_frames(pd.DataFrame({"y": values}), None).table


def stack(series, *, sp):
    """Stack tables of one series each."""
    first, *others = series.values()
    times = first.times
    for one in others:
        times = times.followed_by(one.times)
    columns = (np.concatenate([getattr(one, name) for one in series.values()]) for name in ("y", "X", "level", "scale"))
    return SeriesTable(pd.Index(list(series)), times, *columns).stack(sp=sp)


def training(series, *, sp=1, **settings):
    some = series[0]
    settings = {"horizon": 1, "fold": 1, "normalize": "series"} | settings
    spec = WindowSpec(n_channels=some.y.shape[1], n_exogenous=some.X.shape[1], **settings)
    windows = Windows.for_training(spec, stack(series, sp=sp))
    return Windows(spec, windows.stacked, windows.origins, windows.series_ids, DOUBLE)


def targets_of(windows, **options):
    return np.asarray(Targets.of(windows, **options))


def split_targets(windows):
    f = windows.spec
    return (part.reshape(len(windows), f.horizon, f.n_channels) for part in np.split(targets_of(windows), 2, axis=1))


# -- the samples of a series -----------------------------------------------------------------------------------------


def test_a_series_gives_every_window_whose_targets_are_known():
    windows = training(series_of(20), window_length=6, horizon=3)
    assert windows.origins.tolist() == list(range(6, 18))
    assert windows.ages.tolist() == list(range(11, -1, -1))
    assert windows.shape == (12, 6, 1)


def test_window_of_a_short_series_is_padded_with_its_first_row():
    (series,) = series_of(7).values()
    windows = training({0: series}, window_length=10, horizon=2)
    assert windows.origins.tolist() == [3, 4, 5]
    unscaled = np.asarray(windows)[..., 0] * series.scale + series.level
    assert_allclose(unscaled[0], [*[series.y[0, 0]] * 7, *series.y[:3, 0]])


def test_a_series_shorter_than_the_horizon_gives_no_window():
    windows = training(series_of(3, 12), window_length=4, horizon=3)
    assert set(windows.series_ids) == {1}
    assert len(training(series_of(3), window_length=4, horizon=3)) == 0


def test_samples_of_all_series_are_sorted_by_age():
    windows = training(series_of(9, 14, 11), window_length=4, horizon=2)
    assert (np.diff(windows.ages) <= 0).all()
    assert set(windows.series_ids[-3:]) == {0, 1, 2}
    assert windows.ages.min() == 0


def test_windows_never_reach_into_another_series():
    series = series_of(8, 9, n_columns=2)
    windows = training(series, window_length=6, horizon=3, known_future=(0,))
    own = {key: set(np.round(one.X[:, 0], 9)) for key, one in series.items()}
    for sample, series_id in zip(np.asarray(windows), windows.series_ids, strict=True):
        assert set(np.round(np.r_[sample[:6, 1], sample[6:, 1]], 9)) <= own[series_id]


# -- the values of a sample ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fold", [1, 2, 6])
def test_fold_puts_rows_side_by_side_the_oldest_first(fold):
    series = series_of(20, n_channels=2)
    plain = np.asarray(training(series, window_length=6))
    folded = np.asarray(training(series, window_length=6, fold=fold))
    assert folded.shape == (len(plain), 6 // fold, fold * 2)
    assert_array_equal(folded.reshape(plain.shape), plain)


@pytest.mark.parametrize("fold", [1, 3])
def test_known_columns_of_X_follow_as_steps_of_their_own(fold):
    (series,) = series_of(20, n_columns=2).values()
    windows = training({0: series}, window_length=6, horizon=4, fold=fold, known_future=(1,))
    n_ahead = -(-4 // fold)
    samples = np.asarray(windows)
    assert samples.shape == windows.shape == (len(windows), 6 // fold + n_ahead, 3 * fold + 1)
    origin, sample = windows.origins[2], samples[2]
    assert_array_equal(sample[: 6 // fold, fold:-1].ravel(), series.X[origin - 6 : origin].ravel())
    assert_array_equal(sample[6 // fold :, :fold], 0.0)  # y is not known
    ahead = sample[6 // fold :, fold:-1].reshape(-1, 2)
    # No forecast reads beyond its horizon: the last row fills the fold up.
    rows = np.minimum(np.arange(origin, origin + n_ahead * fold), origin + 3)
    assert_array_equal(ahead, np.stack([np.zeros(len(rows)), series.X[rows, 1]], axis=1))
    assert_array_equal(sample[:, -1], [0.0] * (6 // fold) + [1.0] * n_ahead)


def test_columns_of_X_without_known_future_add_no_steps():
    series = series_of(20, n_columns=2)
    windows = training(series, window_length=6, horizon=4)
    assert windows.shape[1:] == (6, 3)


def test_samples_are_single_precision_for_training():
    series = series_of(20)
    windows = Windows.for_training(training(series, window_length=4).spec, stack(series, sp=1))
    assert np.asarray(windows).dtype == targets_of(windows).dtype == np.float32


def test_chosen_samples_are_those_of_the_whole():
    windows = training(series_of(20, 15, n_channels=2), window_length=6, horizon=3, normalize="window", level_length=4)
    whole = np.asarray(windows)
    assert_array_equal(windows[np.array([5, 0, 7])], whole[[5, 0, 7]])
    part = windows[3:9]
    assert len(part) == 6
    assert_array_equal(np.asarray(part), whole[3:9])
    # Only the targets: weights are relative to the median of the samples at hand.
    assert_allclose(targets_of(part)[:, :6], targets_of(windows)[3:9, :6])


# -- scales ----------------------------------------------------------------------------------------------------------


def by_hand(series, origin, settings):
    if settings["normalize"] == "series":
        return series.level[0], series.scale[0]
    if settings["normalize"] is None:
        return np.array(settings["level"]), np.array(settings["scale"])
    newest = series.y[origin - settings["level_length"] : origin]
    return newest.mean(axis=0), newest.std(axis=0)


@pytest.mark.parametrize(
    "settings",
    [
        {"normalize": "window", "level_length": 4},
        {"normalize": "series"},
        {"normalize": None, "level": (3.0, -2.0), "scale": (2.0, 0.5)},
    ],
    ids=["window", "series", "none"],
)
def test_samples_and_targets_are_on_the_same_scale(settings):
    series = series_of(20, 30, n_channels=2)
    windows = training(series, window_length=8, horizon=3, **settings)
    targets, _ = split_targets(windows)
    levels, scales = windows.level_and_scale()
    for number in (0, 7, len(windows) - 1):
        one = series[windows.series_ids[number]]
        origin = windows.origins[number] - windows.stacked.starts[windows.series_ids[number]]
        level, scale = by_hand(one, origin, settings)
        assert_allclose(np.asarray(windows)[number], (one.y[origin - 8 : origin] - level) / scale)
        assert_allclose(targets[number], (one.y[origin : origin + 3] - level) / scale, rtol=1e-5, atol=1e-5)
        assert_allclose([levels[number][0], scales[number][0]], [level, scale])


def test_scales_of_many_samples_are_those_of_each(monkeypatch):
    windows = training(series_of(30), window_length=8, normalize="window", level_length=4)
    levels, scales, targets = *windows.level_and_scale(), targets_of(windows)
    monkeypatch.setattr("sklrnn.forecasting.windows._BLOCK_SIZE", 5)
    assert_array_equal(windows.level_and_scale()[0], levels)
    assert_array_equal(windows.level_and_scale()[1], scales)
    assert_array_equal(targets_of(windows), targets)


def test_sample_does_not_depend_on_location_and_scale_of_the_series():
    (series,) = series_of(30).values()
    settings = {"window_length": 8, "normalize": "window", "level_length": 4}
    moved = alone(1e6 + 1000 * series.y.ravel())
    plain = np.asarray(training({0: series}, **settings))
    assert_allclose(np.asarray(training({0: moved}, **settings)), plain, atol=1e-6)


def test_a_nearly_constant_window_is_not_blown_up():
    values = np.r_[np.random.default_rng(0).normal(size=30), np.full(10, 0.5)]
    series = alone(values)
    windows = training({0: series}, window_length=8, normalize="window", level_length=4)
    assert windows.level_and_scale()[1].min() == pytest.approx(0.02 * series.scale[0])


@pytest.mark.parametrize("value", [0.0, 7.0, 1e9 + 0.1])
@pytest.mark.parametrize("normalize", ["window", "series"])
def test_constant_series_is_all_zeros(value, normalize):
    series = alone([value] * 20)
    windows = training({0: series}, window_length=6, normalize=normalize)
    targets, weights = split_targets(windows)
    assert_array_equal(np.asarray(windows), 0.0)
    assert_array_equal(targets, 0.0)
    assert np.isfinite(weights).all()


# -- weights of targets -----------------------------------------------------------------------------------------------


def test_missing_targets_weigh_nothing():
    values = np.random.default_rng(0).normal(size=20)
    values[[8, 15]] = np.nan
    windows = training({0: alone(values)}, window_length=4, horizon=2)
    _, weights = split_targets(windows)
    rows = windows.origins[:, np.newaxis] + np.arange(2)
    assert_array_equal(weights[..., 0] == 0.0, np.isnan(values[rows]))


def test_targets_without_an_observed_value_in_the_window_weigh_nothing():
    values = np.random.default_rng(0).normal(size=20)
    values[:9] = np.nan
    windows = training({0: alone(values)}, window_length=4, horizon=2)
    _, weights = split_targets(windows)
    # The first value is in a window from origin 10 on; before, windows are filled with it and would know it.
    assert_array_equal(windows.has_observation.ravel(), windows.origins >= 10)
    assert_array_equal((weights == 0.0).all(axis=(1, 2)), windows.origins < 10)


def test_weights_are_relative_to_the_naive_error_and_the_value():
    series = series_of(40, 40)
    tenfold = alone(10 * series[0].y.ravel())
    (_, plain), (_, large) = (
        split_targets(training({0: one, 1: series[1]}, window_length=6, horizon=2, sp=3))
        for one in (series[0], tenfold)
    )
    # The weights of a series are the same in any unit.
    assert_allclose(plain, large, rtol=1e-5)
    windows = training(series, window_length=6, horizon=2, sp=3)
    by_naive = series[0].scale[0] / np.abs(series[0].y[3:] - series[0].y[:-3]).mean()
    assert windows.stacked.scale[0] / windows.stacked.naive_error[0] == pytest.approx(by_naive)


def test_all_targets_may_weigh_the_same():
    values = np.random.default_rng(0).normal(size=20)
    values[8] = np.nan
    windows = training({0: alone(values)}, window_length=4, horizon=1)
    y, weights = np.split(targets_of(windows, equal_weights=True), 2, axis=1)
    assert_array_equal(y, np.split(targets_of(windows), 2, axis=1)[0])
    assert_array_equal(weights.ravel(), windows.origins != 8)


def test_values_of_both_signs_are_weighed_by_the_naive_error_alone():
    values = np.random.default_rng(0).normal(size=40)
    shifted = training({0: alone(values - values.min() + 1)}, window_length=6, horizon=2)
    around_zero = training({0: alone(values)}, window_length=6, horizon=2)
    scale = around_zero.level_and_scale()[1][:, :, 0] / around_zero.stacked.naive_error[0]
    (_, weights), (_, of_shifted) = (split_targets(windows) for windows in (around_zero, shifted))
    expected = np.reshape(2 * scale / np.median(scale), (-1, 1, 1))
    assert_allclose(weights, np.broadcast_to(expected, weights.shape), rtol=1e-5)
    assert not np.allclose(weights, of_shifted)


def test_weights_are_bounded():
    values = np.r_[np.random.default_rng(0).normal(size=40) + 100, 1e-9]
    windows = training({0: alone(values)}, window_length=6, horizon=1)
    _, weights = split_targets(windows)
    assert weights.max() == 20.0
    assert np.median(weights) == pytest.approx(2.0, rel=0.1)
