"""Series whose squares are too large or too small for a float are forecast like any others."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from sklrnn.forecasting import GRUForecaster, compare
from sklrnn.forecasting.auto_settings import resolve_sp
from sklrnn.forecasting.history import History

TINY = {"units": 3, "max_epochs": 2, "random_state": 0}
steps = np.arange(72)
y = pd.Series(
    5 + np.sin(2 * np.pi * steps / 12) + 0.1 * np.random.default_rng(0).normal(size=72),
    index=pd.period_range("2020-01", periods=72, freq="M"),
)


def panel(factor):
    frames = [pd.DataFrame({"y": y.to_numpy() * size}, index=y.index) for size in (factor, 1.0)]
    return pd.concat(frames, keys=["scaled", "ordinary"])


def forecast(series, **options):
    model = GRUForecaster(**TINY, **options).fit(series, fh=[1, 2])
    return np.column_stack([model.predict(), model.predict_interval(coverage=0.8)])


@pytest.mark.parametrize("factor", [1e200, 1e-50, 1e-165])
@pytest.mark.parametrize("options", [{}, {"normalize": "series"}, {"normalize": None}, {"strategy": "recursive"}])
def test_forecasts_and_intervals_scale_with_the_series(factor, options):
    assert_allclose(forecast(y * factor, **options) / factor, forecast(y, **options), rtol=1e-6)


def test_a_series_of_another_size_does_not_change_the_others_of_its_panel():
    of_both, expected = forecast(panel(1e200)), forecast(panel(1.0))
    assert_allclose(of_both / np.repeat([[1e200], [1.0]], 2, axis=0), expected, rtol=1e-6)


@pytest.mark.parametrize("factor", [1e200, 1.0, 1e-8, 1e-165])
def test_the_season_does_not_depend_on_the_size(factor):
    one = History.from_frames(pd.DataFrame({"y": y.to_numpy() * factor}), None).table
    assert resolve_sp("auto", one) == 12


def test_models_are_compared_on_a_series_of_any_size():
    of_large, expected = (
        compare(["naive", "drift"], y * factor, horizon=2, n_splits=2, metrics=["MASE", "RMSE"]).summary()
        for factor in (1e200, 1.0)
    )
    assert_allclose(of_large["MASE"], expected["MASE"])
    assert_allclose(of_large["RMSE"] / 1e200, expected["RMSE"], rtol=1e-3)  # the table is rounded


@pytest.mark.parametrize("factor", [1e160, 1e-165])
def test_exogenous_columns_that_single_precision_does_not_know_are_refused(factor):
    X = pd.DataFrame({"price": y.to_numpy() * factor}, index=y.index)
    with pytest.raises(ValueError, match="column 'price' of X (of y )?reach .*Multiply or divide it by a constant"):
        GRUForecaster(**TINY).fit(y, X=X, fh=[1])


def test_future_rows_may_fade_out_but_not_explode():
    X = pd.DataFrame({"decay": np.exp(-steps / 10.0)}, index=y.index)
    model, ahead = GRUForecaster(**TINY).fit(y, X=X, fh=[1]), y.index[-1:] + 1
    assert np.isfinite(model.predict(X=pd.DataFrame({"decay": [1e-60]}, index=ahead))).all()
    with pytest.raises(ValueError, match="column 'decay' of X of y reach 1e\\+60"):
        model.predict(X=pd.DataFrame({"decay": [1e60]}, index=ahead))


def test_a_series_that_leaves_no_room_to_compute_is_refused():
    with pytest.raises(ValueError, match="y holds numbers of a size up to .*Divide y by a constant"):
        GRUForecaster(**TINY).fit(y * 1e303, fh=[1])
