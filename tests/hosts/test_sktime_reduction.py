import numpy as np
import pytest

pytestmark = pytest.mark.hosts


def test_forecast_is_the_recursion_of_the_network(code_of):
    names = code_of("sktime")
    known = list(names["passengers"])
    for _ in range(6):
        known.extend(names["forecaster"].estimator_.predict(np.array([known[-12:]])))
    np.testing.assert_allclose(names["forecast"], known[-6:], rtol=1e-9)


@pytest.mark.parametrize("strategy", ["direct", "multioutput", "dirrec"])
def test_first_step_of_each_strategy_is_a_prediction_from_the_last_window(code_of, strategy):
    names = code_of("sktime")
    forecaster = names["make_reduction"](names["network"], window_length=12, strategy=strategy)
    forecast = forecaster.fit(names["passengers"], fh=[1, 2, 3]).predict()
    model = forecaster.estimator_ if strategy == "multioutput" else forecaster.estimators_[0]
    first = np.ravel(model.predict(names["passengers"].to_numpy()[np.newaxis, -12:]))[0]
    assert forecast.shape == (3,)
    assert forecast.iloc[0] == pytest.approx(first)


def test_lags_of_global_pooling_are_warned_of(code_of):
    names = code_of("sktime")
    forecaster = names["make_reduction"](names["network"], window_length=12, strategy="recursive", pooling="global")
    with pytest.warns(UserWarning, match="columns of X are lags with the newest first"):
        forecaster.fit(names["passengers"], fh=[1])
