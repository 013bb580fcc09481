"""Forecasts from every row of a test part are those of a loop of updates without training."""

import copy

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklrnn.datasets import load_air_passengers
from sklrnn.forecasting import GRUForecaster

FH = [1, 2, 3]
DAYS = pd.date_range("2024-01-01", periods=60, freq="D", name="day")


def tiny(**settings):
    return GRUForecaster(**{"units": 2, "max_epochs": 2, "random_state": 0, "window_length": 6, "sp": 1} | settings)


def table(*columns, seed=0):
    return pd.DataFrame(np.random.default_rng(seed).normal(10, 1, (60, len(columns))), DAYS, list(columns))


def in_a_loop(model, y, X=None, *, fh=FH, step=1):
    """The forecasts of ``predict``, one origin after the other."""
    model = copy.deepcopy(model)
    forecasts = []
    for known in range(0, len(y) - max(fh) + 1, step):
        forecasts.append(model.predict(fh, X=None if X is None else X.iloc[known:]))
        new = slice(known, known + step)
        model.update(y.iloc[new], None if X is None else X.iloc[new], update_params=False)
    return forecasts


@pytest.mark.parametrize(
    ("settings", "fh"),
    [
        ({}, FH),
        ({}, [2, 7]),
        ({"strategy": "recursive"}, FH),
        ({"normalize": "series", "sp": 3, "fold": 3}, FH),
        ({"baseline": "smoothing", "sp": 7}, [2, 7]),
    ],
    ids=["direct", "beyond the trained horizon", "recursive", "folded", "smoothing"],
)
@pytest.mark.parametrize("step", [1, 4])
def test_forecasts_are_those_of_updates_without_training(settings, fh, step):
    y = table("y")["y"]
    y.iloc[[30, 45, 46]] = np.nan
    model = tiny(**settings).fit(y[:40], fh=FH)
    rolling = model.predict_rolling(y[40:], fh=fh, step=step)
    expected = in_a_loop(model, y[40:], fh=fh, step=step)
    assert_allclose(rolling["y_pred"], np.concatenate(expected), rtol=1e-12)
    assert list(rolling.index.names) == ["cutoff", "step", "day"]
    assert_array_equal(rolling.index.get_level_values("day"), np.concatenate([one.index for one in expected]))
    assert_array_equal(rolling.index.unique("cutoff"), y.index[39 : 61 - max(fh) - 1 : step])
    assert_array_equal(rolling["y_true"], y.loc[rolling.index.get_level_values("day")])


@pytest.mark.parametrize("future_X", ["known", "unknown", ["b"]], ids=str)
@pytest.mark.parametrize("fh", [FH, [5]], ids=str)
def test_exogenous_columns_are_read_as_far_as_they_are_known(future_X, fh):
    y, X = table("first", "second"), table("a", "b", seed=1)
    model = tiny(future_X=future_X).fit(y[:40], X[:40], fh=FH)
    # The last forecast of step 5 reads X of six rows.
    rolling = model.predict_rolling(y[40:59], X[40:], fh=fh)
    expected = in_a_loop(model, y[40:59], X[40:], fh=fh)
    assert_allclose(rolling["y_pred"], np.concatenate(expected), rtol=1e-12)
    assert list(rolling.columns) == [(kind, name) for kind in ("y_true", "y_pred") for name in ("first", "second")]


def test_rows_of_X_that_are_missing_are_named():
    y, X = table("y")["y"], table("a")
    model = tiny().fit(y[:40], X[:40], fh=FH)
    with pytest.raises(ValueError, match=r"no row of X for 2024-03-01 00:00:00 to 2024-03-02 00:00:00 \(2 rows\)"):
        model.predict_rolling(y[40:], X[40:], fh=[1])
    with pytest.raises(ValueError, match="got no X. Pass X too"):
        model.predict_rolling(y[40:])


def test_each_series_of_a_panel_has_its_own_origins():
    rows = table("y")
    panel = pd.concat({"long": rows, "short": 2 * rows[:50]}, names=["shop"])
    model = tiny().fit(panel.groupby("shop").head(40), fh=FH)
    new = panel.groupby("shop").tail(-40)
    rolling = model.predict_rolling(new)
    assert list(rolling.index.names) == ["shop", "cutoff", "step", "day"]
    assert rolling.groupby("shop").size().to_dict() == {"long": 18 * 3, "short": 8 * 3}
    first, later = model.predict(FH), copy.deepcopy(model).update(new.groupby("shop").head(3), update_params=False)
    by_cutoff = rolling["y_pred"].droplevel("day").unstack("step")
    for shop in ("long", "short"):
        assert_allclose(by_cutoff.loc[shop].iloc[0], first.loc[shop, "y"], rtol=1e-12)
        assert_allclose(by_cutoff.loc[shop].iloc[3], later.predict(FH).loc[shop, "y"], rtol=1e-12)


def test_many_origins_are_forecast_in_several_blocks(monkeypatch):
    y = table("y")["y"]
    model = tiny().fit(y[:30], fh=FH)
    at_once = model.predict_rolling(y[30:])
    monkeypatch.setattr("sklrnn.forecasting.rolling._MOST_NUMBERS", 50)
    pd.testing.assert_frame_equal(model.predict_rolling(y[30:]), at_once, rtol=1e-12)


def test_intervals_are_those_of_the_loop():
    y = load_air_passengers()
    model = tiny().fit(y[:-24], fh=FH)
    rolling = model.predict_rolling(y[-24:], coverage=0.8)
    assert_allclose(rolling[["lower", "upper"]].iloc[:3], model.predict_interval(coverage=0.8), rtol=1e-12)
    assert (rolling["lower"] < rolling["y_pred"]).all()
    with pytest.raises(ValueError, match="coverage must lie between 0 and 1"):
        model.predict_rolling(y[-24:], coverage=90)


def test_forecaster_does_not_change():
    y = table("y")
    model = tiny().fit(y["y"][:40], fh=FH)
    before, cutoff = model.predict(), model.cutoff
    model.predict_rolling(y[40:], fh=[5])  # another horizon, and a frame
    assert model.cutoff.equals(cutoff)
    pd.testing.assert_series_equal(model.predict(), before)


def test_known_rows_are_forecast_from_the_rows_before_them():
    y = table("y")["y"]
    y.iloc[0] = np.nan
    model = tiny().fit(y, fh=FH)
    rolling = model.predict_rolling(y, fh=[1])
    assert_allclose(rolling["y_pred"], model.predict(range(-58, 1)), rtol=1e-12)
    assert rolling["y_pred"].isna().sum() == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fh": [0, 1]}, "steps ahead, the same from every origin"),
        ({"fh": [21]}, r"y has 20 row\(s\), too few for a forecast of 21 step\(s\)"),
        ({"step": 0}, "step == 0, must be >= 1"),
    ],
)
def test_error_names_the_option(options, message):
    y = table("y")["y"]
    model = tiny().fit(y[:40], fh=FH)
    with pytest.raises(ValueError, match=message):
        model.predict_rolling(y[40:], **options)


def test_rows_must_follow_the_known_ones():
    y = table("y")["y"]
    model = tiny().fit(y[:40], fh=FH)
    with pytest.raises(ValueError, match="that continue with the frequency"):
        model.predict_rolling(y[45:])
