import numpy as np
import pytest

pytestmark = pytest.mark.hosts


def test_forecast_is_the_recursion_of_the_network(code_of):
    names = code_of("skforecast")
    fitted = names["forecaster"].estimator[-1]
    known = list(names["passengers"])
    for _ in range(6):
        known.extend(fitted.predict(np.array([known[-12:]])))
    np.testing.assert_allclose(names["forecast"], known[-6:], rtol=1e-9)


def test_intervals_hold_the_forecast(code_of):
    intervals = code_of("skforecast")["intervals"]
    assert (intervals["lower_bound"] < intervals["pred"]).all()
    assert (intervals["pred"] < intervals["upper_bound"]).all()


def test_lags_that_are_not_reversed_are_warned_of(code_of):
    names = code_of("skforecast")
    forecaster = names["ForecasterRecursive"](names["network"], lags=12)
    with pytest.warns(UserWarning, match="first 12 columns of X are lags with the newest first"):
        forecaster.fit(names["passengers"])
