"""Several columns in y: forecast together, or each from its own rows by the same network."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklrnn.forecasting import GRUForecaster

FH = range(1, 4)
TINY = {"units": 4, "n_networks": 1, "max_epochs": 3, "random_state": 0}


def two_columns(n=90, seed=0):
    steps, noise = np.arange(n), np.random.default_rng(seed).normal(size=(n, 2))
    index = pd.period_range("2000-01", periods=n, freq="M")
    waves = {"a": 5 + np.sin(steps * np.pi / 6), "b": 300 - steps + 20 * np.cos(steps * np.pi / 6)}
    return pd.DataFrame(waves, index) + noise * [0.1, 2]


def one_column_ahead_of_the_other(n=300):
    walk = np.random.default_rng(0).normal(size=n + 3).cumsum()
    return pd.DataFrame({"late": walk[:-3], "early": walk[3:]}, pd.period_range("2000-01-01", periods=n, freq="D"))


def as_panel(y):
    return pd.concat({name: y[[name]].set_axis(["y"], axis=1) for name in y})


def test_separate_channels_are_forecast_as_a_panel_of_the_columns_is():
    y = two_columns()
    wide = GRUForecaster(**TINY, channels="separate").fit(y[:80], fh=FH)
    panel = GRUForecaster(**TINY).fit(as_panel(y[:80]), fh=FH)
    assert wide.window_spec_.n_channels == 1
    for name in y:
        assert_allclose(wide.predict()[name], panel.predict().loc[name, "y"], rtol=1e-12)
        assert_allclose(wide.predict_interval()[name], panel.predict_interval().loc[name, "y"], rtol=1e-9)
    rolling, of_panel = (model.predict_rolling(part) for model, part in ((wide, y[80:]), (panel, as_panel(y[80:]))))
    for name in y:
        assert_allclose(rolling["y_pred", name], of_panel.loc[name, "y_pred"], rtol=1e-12)


def test_columns_that_tell_of_each_other_are_forecast_together():
    y = one_column_ahead_of_the_other()
    model = GRUForecaster(**TINY).fit(y, fh=FH)
    assert (model.channels_, model.window_spec_.n_channels) == ("joint", 2)


def test_columns_that_do_not_are_forecast_one_by_one(capsys):
    walks = two_columns() * 0 + np.random.default_rng(1).normal(size=(90, 2)).cumsum(axis=0)
    model = GRUForecaster(**TINY, verbose=1).fit(walks, fh=FH)
    assert model.channels_ == "separate"
    assert "Channels: separate (joint or separate: on the newest windows linear models" in capsys.readouterr().out
    GRUForecaster(**TINY, verbose=1).fit(two_columns()[:12], fh=FH)
    assert "Channels: separate (joint or separate: too few windows for a trial)" in capsys.readouterr().out


def test_one_column_is_not_tried():
    assert GRUForecaster(**TINY).fit(two_columns()["a"], fh=FH).channels_ == "joint"


def test_common_scale_keeps_channels_together_unless_asked_for():
    y = two_columns()
    assert GRUForecaster(**TINY, normalize=None).fit(y, fh=FH).channels_ == "joint"
    apart = GRUForecaster(**TINY, normalize=None, channels="separate").fit(y, fh=FH)
    assert apart.window_spec_.level == pytest.approx([y.to_numpy().mean()])
    assert apart.window_spec_.scale == pytest.approx([y.to_numpy().std()])


def test_a_column_does_not_change_the_forecast_of_another_that_is_separate():
    y = two_columns()
    model = GRUForecaster(**TINY, channels="separate").fit(y[:60], fh=FH)
    changed = y[60:].assign(b=0.0)
    forecasts = [copy.deepcopy(model).update(new, update_params=False).predict() for new in (y[60:], changed)]
    assert_array_equal(forecasts[0]["a"], forecasts[1]["a"])
    assert not np.allclose(forecasts[0]["b"], forecasts[1]["b"])


@pytest.mark.parametrize("options", [{}, {"strategy": "recursive"}, {"loss": "quantile"}, {"dropout": 0.1}])
def test_separate_channels_work_with_other_options(options):
    y = two_columns()
    X = pd.DataFrame({"x": np.arange(93.0) % 7}, pd.period_range("2000-01", periods=93, freq="M"))
    model = GRUForecaster(**TINY, channels="separate", **options).fit(y[:80], X[:80], fh=FH)
    model.update(y[80:], X[80:90])
    loaded = pickle.loads(pickle.dumps(model))
    bounds = loaded.predict_interval(X=X[90:])
    assert_array_equal(bounds, model.predict_interval(X=X[90:]))
    assert bounds.shape == (3, 4)
    assert loaded.predict(X=X[90:]).columns.tolist() == ["a", "b"]


def test_panel_of_several_columns_and_rows_without_values():
    y = two_columns()
    y.iloc[:5, 0] = y.iloc[40:43, 1] = np.nan
    panel = pd.concat({"p": y, "q": two_columns(70, seed=1) * 3})
    model = GRUForecaster(**TINY, channels="separate").fit(panel, fh=[-1, 1, 5])
    forecast = model.predict()
    assert forecast.shape == (6, 2)
    assert np.isfinite(forecast.to_numpy()).all()
    assert (forecast["b"] > forecast["a"]).all()


def test_unknown_form_is_an_error():
    with pytest.raises(ValueError, match="channels"):
        GRUForecaster(channels="apart").fit(two_columns(), fh=FH)
