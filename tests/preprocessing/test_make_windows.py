"""Windows and their targets agree with what a loop over the rows finds."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from sklrnn import GRURegressor, make_windows


def hourly(n_rows=30, seed=0):
    data = np.random.default_rng(seed).normal(size=(n_rows, 3))
    hours = pd.date_range("2024-01-01", periods=n_rows, freq="h", name="when")
    return pd.DataFrame(data, columns=["temp", "wind", "rain"], index=hours)


@given(st.integers(1, 5), st.integers(1, 4), st.integers(1, 6), st.integers(1, 4), st.integers(1, 3),
       st.integers(0, 12), st.booleans(), st.booleans())  # fmt: skip
@settings(max_examples=120, deadline=None)
def test_windows_agree_with_a_loop(length, horizon, stride, offset, step, extra, own_targets, as_panel):
    need = (length - 1) * step + offset + horizon
    data = hourly(need + extra)
    y = data[["rain"]] * 2 if own_targets else None
    truth = [
        (
            data.iloc[start : start + (length - 1) * step + 1 : step].to_numpy(),
            (data if y is None else y).iloc[start + (length - 1) * step + offset :][:horizon].to_numpy().ravel(),
        )
        for start in range(0, extra + 1, stride)
    ]
    options = {"window_length": length, "horizon": horizon, "stride": stride, "offset": offset, "stride_within": step}
    if as_panel:
        X = pd.concat({"a": data, "b": data + 1.0, "c": data[: need - 1]})
        windows, targets = make_windows(X, None if y is None else pd.concat([y, y + 1.0, y[: need - 1]]), **options)
        assert_array_equal(windows[len(truth) :], windows[: len(truth)] + 1.0)
        windows, targets = windows[: len(truth)], targets[: len(truth)]
    else:
        windows, targets = make_windows(data, y, **options)
    assert_array_equal(windows, [window for window, _ in truth])
    assert_array_equal(targets.reshape(len(truth), -1), [target for _, target in truth])


def test_the_reshape_approach_shares_no_row():
    windows, targets = make_windows(np.arange(13.0), window_length=4, stride=4)
    assert_array_equal(windows[:, :, 0], np.arange(12.0).reshape(3, 4))
    assert_array_equal(targets, [4.0, 8.0, 12.0])


def test_windows_of_one_series_are_a_view():
    rows = np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32)
    windows, targets = make_windows(rows, np.arange(100), window_length=10, stride=3)
    assert np.shares_memory(windows, rows)
    assert not windows.flags.writeable
    assert windows.dtype == np.float32
    assert targets.dtype == np.arange(100).dtype


def test_pieces_without_targets_use_every_row():
    windows = make_windows(np.arange(14.0), window_length=7, stride=7, horizon=None)
    assert_array_equal(windows, np.arange(14.0).reshape(2, 7, 1))
    assert_array_equal(make_windows(np.arange(5.0), window_length=5, horizon=None), np.arange(5.0).reshape(1, 5, 1))
    data = hourly(10)
    of_panel = make_windows(pd.concat({"a": data, "b": data + 1.0}), window_length=3, stride_within=2, horizon=None)
    assert_array_equal(of_panel[6:], of_panel[:6] + 1.0)
    assert_array_equal(of_panel[5], data[5::2])


@given(st.integers(1, 5), st.integers(1, 3), st.integers(1, 4), st.integers(0, 3), st.integers(1, 3),
       st.integers(0, 8), st.booleans())  # fmt: skip
@settings(max_examples=80, deadline=None)
def test_targets_of_sequences_agree_with_a_loop(length, horizon, stride, offset, step, extra, own_targets):
    span = (length - 1) * step + 1
    offset = offset if own_targets else offset + 1
    data = hourly(max(span, span + offset + horizon - 1) + extra)
    y = data[["rain"]] * 2 if own_targets else data
    options = {"window_length": length, "horizon": horizon, "stride": stride, "offset": offset, "stride_within": step}
    windows, targets = make_windows(data, y if own_targets else None, **options, return_sequences=True)
    truth = [
        [y.iloc[start + place * step + offset :][:horizon].to_numpy().ravel() for place in range(length)]
        for start in range(0, extra + 1, stride)
    ]
    assert_array_equal(windows, make_windows(data, y if own_targets else None, **options)[0])
    assert_array_equal(targets.reshape(len(truth), length, -1), truth)
    assert targets.ndim == (2 if own_targets and horizon == 1 else 3)


def test_sequence_targets_are_the_window_shifted_by_a_step_and_train_an_estimator():
    x = np.sin(np.arange(200) / 5)
    windows, targets = make_windows(x, window_length=10, return_sequences=True)
    assert_array_equal(targets[:, :-1], windows[:, 1:, 0])
    assert_array_equal(targets[:, -1], make_windows(x, window_length=10)[1])
    model = GRURegressor(units=8, return_sequences=True, max_epochs=2, random_state=0).fit(windows, targets)
    assert model.predict(windows).shape == targets.shape
    labels = np.where(x > 0, "up", "down")
    assert_array_equal(make_windows(x, labels, window_length=3, offset=0, return_sequences=True)[1][0], labels[:3])


def test_labels_of_the_last_row_are_targets_too():
    labels = np.array(["calm", "storm"] * 5)
    windows, targets = make_windows(np.arange(10.0), labels, window_length=3, offset=0)
    assert windows.shape == (8, 3, 1)
    assert_array_equal(targets, labels[2:])


def test_a_series_goes_in_as_it_is():
    assert make_windows(hourly()["temp"], window_length=3)[0].shape == (27, 3, 1)
    data = hourly(21).assign(town=np.repeat([1, 2], [12, 9]))
    windows, targets = make_windows(data, data["temp"], window_length=3, groups="town")
    assert windows.shape == (9 + 6, 3, 3)
    assert_array_equal(targets[9:], data["temp"][15:])


def test_a_missing_value_is_a_target_like_any_other():
    _, targets = make_windows(np.arange(4.0), [0.0, np.nan, 2.0, np.nan], window_length=1)
    assert_array_equal(targets, [np.nan, 2.0, np.nan])


@pytest.mark.parametrize(
    ("X", "options", "message"),
    [
        (np.arange(5.0), {"window_length": 5}, r"needs at least 6 rows, got 5"),
        (np.arange(9.0), {"window_length": 0}, "window_length must be an int of at least 1, got 0"),
        (np.arange(9.0), {"window_length": 3, "offset": 0}, "offset must be an int of at least 1, got 0"),
        (np.arange(9.0), {"window_length": 3, "stride": True}, "stride must be an int"),
        (np.arange(9.0), {"window_length": 3, "stride": 0}, "stride must be an int of at least 1, got 0"),
        (np.arange(9.0), {"window_length": 3, "stride_within": 0}, "stride_within must be an int of at least 1, got 0"),
        (np.arange(9.0), {"window_length": 3, "offset": -1, "y": np.arange(9)}, "offset must be an int of at least 0"),
        (np.array(["a"] * 9, dtype=object), {"window_length": 3}, "Column 0 holds no numbers"),
        (np.arange(9.0), {"window_length": 3, "y": [1, 2]}, "inconsistent numbers of samples"),
        (np.arange(5.0), {"window_length": 6, "horizon": None}, r"\(stride_within=1\) needs at least 6 rows, got 5"),
        (np.arange(9.0), {"window_length": 3, "horizon": 0}, "horizon must be an int of at least 1, got 0"),
        (np.arange(9.0), {"window_length": 3, "horizon": None, "y": np.arange(9)}, "without targets, but y asks"),
        (np.arange(9.0), {"window_length": 3, "horizon": None, "return_sequences": True}, "return_sequences=True asks"),
    ],
)
def test_bad_windows_are_refused_with_advice(X, options, message):
    with pytest.raises(ValueError, match=message):
        make_windows(X, **options)
