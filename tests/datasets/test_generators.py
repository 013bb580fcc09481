import re
from datetime import date, datetime
from inspect import signature

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklrnn import GRUClassifier, GRURegressor
from sklrnn.datasets import (
    make_adding_problem,
    make_copy,
    make_dates,
    make_drifting_level,
    make_echo,
    make_waves,
)

GENERATORS = [make_adding_problem, make_copy, make_dates, make_drifting_level, make_echo, make_waves]
every_generator = pytest.mark.parametrize("make", GENERATORS, ids=lambda make: make.__name__)


@every_generator
def test_random_state_decides_everything(make):
    (X, y), (again, y_again), (other, _) = make(7, random_state=3), make(7, random_state=3), make(7, random_state=4)
    assert_array_equal(X, again)
    assert_array_equal(y, y_again)
    assert not np.array_equal(X, other)


@every_generator
def test_a_random_state_instance_goes_on_from_call_to_call(make):
    state = np.random.RandomState(3)
    first, second = make(7, random_state=state), make(7, random_state=state)
    assert_array_equal(first[0], make(7, random_state=3)[0])
    assert not np.array_equal(first[0], second[0])


@every_generator
@pytest.mark.parametrize("n_samples", [0, -1, 2.5, True, "many"])
def test_an_impossible_number_of_samples_is_an_error(make, n_samples):
    with pytest.raises(ValueError, match="n_samples must be an int of at least 1"):
        make(n_samples)


@every_generator
def test_sizes_have_the_least_that_the_message_says(make):
    for name in {*signature(make).parameters} - {"n_samples", "random_state", "noise", "drift"}:
        if name in ("one_hot", "return_sequences"):
            continue
        with pytest.raises(ValueError, match=f"{name} must be an int of at least"):
            make(3, **{name: -1})


def test_adding_problem_marks_one_number_in_each_half_and_adds_them():
    X, y = make_adding_problem(200, n_timesteps=11, random_state=0)
    assert X.shape == (200, 11, 2)
    numbers, marks = X[..., 0], X[..., 1]
    assert set(np.unique(marks)) == {0.0, 1.0}
    assert (marks[:, :5].sum(axis=1) == 1).all()
    assert (marks[:, 5:].sum(axis=1) == 1).all()
    np.testing.assert_allclose(y, (numbers * marks).sum(axis=1))
    assert (marks.sum(axis=0) > 0).all(), "every step is marked in some sample"


def test_echo_repeats_each_bit_after_the_delay():
    X, y = make_echo(20, n_timesteps=9, delay=4, random_state=0)
    assert X.shape == (20, 9, 1)
    assert_array_equal(y[:, 4:], X[:, :5, 0])
    assert not y[:, :4].any()
    X, y = make_echo(2, n_timesteps=4, delay=0, random_state=0)
    assert_array_equal(X[..., 0], y)
    with pytest.raises(ValueError, match="delay must be less than n_timesteps, got delay=4 and n_timesteps=4"):
        make_echo(2, n_timesteps=4, delay=4)


def test_copy_asks_for_the_symbols_after_the_signal():
    X, y = make_copy(50, length=4, delay=3, n_symbols=5, one_hot=False, random_state=0)
    assert X.shape == y.shape == (50, 11)
    assert_array_equal(y[:, 7:], X[:, :4])
    assert set(np.unique(X[:, :4])) == {1, 2, 3, 4, 5}
    assert (X[:, 4:] == [0, 0, 6, 0, 0, 0, 0]).all()
    assert not y[:, :7].any()
    one_hot, same = make_copy(50, length=4, delay=3, n_symbols=5, random_state=0)
    assert one_hot.shape == (50, 11, 7)
    assert_array_equal(one_hot.argmax(axis=2), X)
    assert (one_hot.sum(axis=2) == 1).all()
    assert_array_equal(same, y)


def test_waves_without_noise_are_two_sines():
    X, y = make_waves(3, noise=0.0, horizon=10, random_state=0)
    series = np.concatenate([X[..., 0], y], axis=1)
    assert series.shape == (3, 60)
    rng, time = np.random.RandomState(0), np.arange(60) / 50
    rng.normal(size=(3, 60))
    expected = np.zeros((3, 60))
    for amplitude, slowest in ((0.5, 10), (0.2, 20)):
        speed = rng.uniform(slowest, 2 * slowest, (3, 1))
        expected += amplitude * np.sin(speed * time + rng.uniform(0, 2 * np.pi, (3, 1)))
    np.testing.assert_allclose(series, expected)


def test_noise_of_waves_has_the_given_standard_deviation():
    clean, noisy = (make_waves(500, noise=noise, random_state=0)[0] for noise in (0.0, 0.1))
    assert (noisy - clean).std() == pytest.approx(0.1, rel=0.02)


@pytest.mark.parametrize("horizon", [1, 3])
def test_shifted_sequence_of_waves_holds_what_comes_after_each_step(horizon):
    X, last = make_waves(4, 8, horizon=horizon, random_state=0)
    same, y = make_waves(4, 8, horizon=horizon, return_sequences=True, random_state=0)
    assert_array_equal(X, same)
    y = y.reshape(4, 8, horizon)
    assert_array_equal(y[:, -1], last.reshape(4, horizon))
    for step in range(8 - horizon):
        assert_array_equal(y[:, step], X[:, step + 1 : step + 1 + horizon, 0])


def test_drifting_level_gives_windows_of_one_series_in_order():
    X, y = make_drifting_level(40, 6, random_state=0)
    assert X.shape == (40, 6, 1)
    assert_array_equal(X[1:, -1, 0], y[:-1])
    assert_array_equal(X[1:, :-1], X[:-1, 1:])
    X[0] = 0.0  # a copy of one's own


def test_drifting_level_leaves_the_range_of_its_first_part():
    for seed in range(5):
        _, y = make_drifting_level(random_state=seed)
        assert y[900:].min() > y[:500].max()


def test_drifting_level_without_noise_is_a_line_and_a_season():
    X, _ = make_drifting_level(1, 20, drift=0.5, noise=0.0, season_length=4, random_state=0)
    np.testing.assert_allclose(X[0, :, 0], 0.5 * np.arange(1, 21) + np.tile([0, 1, 0, -1], 5), atol=1e-12)


@pytest.mark.parametrize("make", [make_waves, make_drifting_level], ids=lambda make: make.__name__)
@pytest.mark.parametrize("noise", [-0.1, np.nan, np.inf, "loud", None])
def test_impossible_noise_is_an_error(make, noise):
    with pytest.raises(ValueError, match="noise must be a finite number of at least 0"):
        make(3, noise=noise)


def read(written):
    formats = ("%d %B %Y", "%B %d, %Y", "%b %d %Y", "%d.%m.%Y", "%m/%d/%Y")
    for which, format_ in enumerate(formats):
        try:
            return which, datetime.strptime(written, format_).date()
        except ValueError:
            continue
    raise AssertionError(written)


def test_dates_say_the_same_day_in_five_formats():
    X, y = make_dates(500, random_state=0)
    assert all(re.fullmatch(r"\d{4}-\d{2}-\d{2}", iso) for iso in y)
    parsed = [read(written) for written in X]
    assert [day.isoformat() for _, day in parsed] == y
    assert {which for which, _ in parsed} == {0, 1, 2, 3, 4}
    assert len(set(y)) == 500, "each day at most once"


def test_all_dates_can_be_had_and_no_more():
    _, y = make_dates(36_525, random_state=0)
    assert min(y) == date(1950, 1, 1).isoformat()
    assert max(y) == date(2049, 12, 31).isoformat()
    with pytest.raises(ValueError, match="n_samples must be at most 36,525"):
        make_dates(36_526)


def test_tasks_train_estimators():
    options = {"units": 2, "max_epochs": 1, "random_state": 0}
    GRURegressor(**options).fit(*make_adding_problem(20, 6, random_state=0))
    GRURegressor(**options).fit(*make_waves(20, 6, horizon=2, random_state=0))
    GRURegressor(**options, return_sequences=True).fit(*make_waves(20, 6, return_sequences=True, random_state=0))
    GRURegressor(**options, normalize_X="window", normalize_y="window").fit(*make_drifting_level(20, 6, random_state=0))
    GRUClassifier(**options, return_sequences=True).fit(*make_echo(20, 6, random_state=0))
    GRUClassifier(**options, return_sequences=True).fit(*make_copy(20, length=2, delay=2, random_state=0))
    tokens = make_copy(20, length=2, delay=2, one_hot=False, random_state=0)
    GRUClassifier(**options, embedding_dim=2, return_sequences=True).fit(*tokens)
