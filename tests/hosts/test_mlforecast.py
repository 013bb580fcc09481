import numpy as np
import pytest

pytestmark = pytest.mark.hosts


def by_hand(model, series, n_steps):
    """The recursion of one-step predictions: each is read as the newest value of the next window."""
    known = list(series)
    for _ in range(n_steps):
        known.extend(model.predict(np.array([known[-12:]])))
    return np.array(known[-n_steps:])


def test_forecast_is_the_recursion_of_the_network(code_of):
    names = code_of("mlforecast")
    fitted = names["forecaster"].models_["gru"]
    assert not hasattr(fitted, "feature_names_in_")
    expected = by_hand(fitted, names["passengers"], 6)
    np.testing.assert_allclose(names["forecast"]["gru"], expected, rtol=1e-9)


def test_lags_counted_up_are_warned_of(code_of):
    names = code_of("mlforecast")
    forecaster = names["MLForecast"]({"gru": names["network"]}, freq="MS", lags=range(1, 13))
    with pytest.warns(UserWarning, match="first 12 columns of X are lags with the newest first"):
        forecaster.fit(names["frame"], as_numpy=True)


def test_date_features_are_warned_of(code_of):
    names = code_of("mlforecast")
    forecaster = names["MLForecast"](
        {"gru": names["network"]}, freq="MS", lags=range(12, 0, -1), date_features=["month"]
    )
    with pytest.warns(UserWarning, match=r"column 12 \(counted from 0\) is not the next"):
        forecaster.fit(names["frame"], as_numpy=True)


def test_transforms_intervals_and_cross_validation_work(code_of):
    from mlforecast.target_transforms import Differences
    from mlforecast.utils import PredictionIntervals

    names = code_of("mlforecast")
    forecaster = names["MLForecast"](
        {"gru": names["network"]}, freq="MS", lags=range(12, 0, -1), target_transforms=[Differences([12])]
    )
    intervals = PredictionIntervals(n_windows=4, h=6)
    bounds = forecaster.fit(names["frame"], as_numpy=True, prediction_intervals=intervals).predict(6, level=[80])
    assert (bounds["gru-lo-80"] < bounds["gru"]).all()
    assert (bounds["gru"] < bounds["gru-hi-80"]).all()

    scores = forecaster.cross_validation(names["frame"], n_windows=2, h=6, as_numpy=True)
    # The years before tell the next one to a few percent.
    assert (np.abs(scores["gru"] - scores["y"]) / scores["y"]).mean() < 0.1
