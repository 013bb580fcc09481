"""Forecasters in sktime's pipelines, searches, evaluations and ensembles."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sktime.forecasting.compose import EnsembleForecaster, ForecastingPipeline, TransformedTargetForecaster
from sktime.forecasting.model_evaluation import evaluate
from sktime.forecasting.model_selection import ForecastingGridSearchCV
from sktime.performance_metrics.forecasting import MeanAbsoluteError
from sktime.performance_metrics.forecasting.probabilistic import EmpiricalCoverage
from sktime.split import ExpandingWindowSplitter, SlidingWindowSplitter
from sktime.transformations.series.boxcox import LogTransformer
from sktime.transformations.series.detrend import Deseasonalizer
from sktime.transformations.series.impute import Imputer

from sklrnn.datasets import load_air_passengers
from sklrnn.forecasting import GRUForecaster

# sktime 1.2 announces a change of its own whenever one of its forecasters is made.
pytestmark = pytest.mark.filterwarnings("ignore:The default of config ``remember_data``:FutureWarning")

FH = [1, 2, 3]


def tiny(**settings):
    return GRUForecaster(**{"units": 2, "n_networks": 1, "max_epochs": 2, "random_state": 0} | settings)


@pytest.fixture(scope="module")
def y():
    return load_air_passengers()[:72]


@pytest.fixture(scope="module")
def X(y):
    index = pd.period_range(y.index[0], periods=84, freq="M")
    return pd.DataFrame({"x": np.random.default_rng(0).normal(size=84)}, index=index)


def test_target_may_be_transformed(y):
    model = TransformedTargetForecaster([("log", LogTransformer()), ("network", tiny())]).fit(y, fh=FH)
    assert_allclose(model.predict(), np.exp(tiny().fit(np.log(y), fh=FH).predict()))
    alone = tiny().fit(np.log(y), fh=FH).predict_interval()
    assert_allclose(model.predict_interval(), np.exp(alone))
    assert_allclose(model.predict(fh=[-3, 0]), np.exp(tiny().fit(np.log(y), fh=FH).predict(fh=[-3, 0])))


def test_several_transformers(y):
    model = LogTransformer() * Deseasonalizer(sp=12) * tiny()
    assert model.fit(y, fh=FH).predict().index.equals(pd.period_range(y.index[-1] + 1, periods=3, freq="M"))
    model.update(load_air_passengers()[72:74])
    assert model.predict().index[0] == y.index[-1] + 3


def test_X_may_be_transformed(y, X):
    gappy = X.copy()
    gappy.iloc[[5, 75]] = np.nan
    model = ForecastingPipeline([("fill", Imputer(method="ffill")), ("network", tiny())]).fit(y, X=gappy[:72], fh=FH)
    assert np.isfinite(model.predict(X=gappy[72:])).all()


@pytest.mark.parametrize("wrapped", [False, True])
def test_search_over_settings(y, wrapped):
    model, prefix = (
        (TransformedTargetForecaster([("log", LogTransformer()), ("net", tiny())]), "net__")
        if wrapped
        else (tiny(), "")
    )
    grid = {f"{prefix}units": [2, 3], f"{prefix}dropout": [0.0, 0.3], f"{prefix}window_length": [12, "auto"]}
    cv = ExpandingWindowSplitter(initial_window=48, step_length=12, fh=FH)
    # sktime 1.2 overrules the filters of warnings here.
    with warnings.catch_warnings(record=True):
        search = ForecastingGridSearchCV(model, cv=cv, param_grid=grid, backend=None).fit(y, fh=FH)
    assert set(search.best_params_) == set(grid)
    assert len(search.cv_results_) == 8
    assert np.isfinite(search.predict()).all()


@pytest.mark.parametrize("strategy", ["refit", "update", "no-update_params"])
def test_evaluation(y, X, strategy):
    cv = ExpandingWindowSplitter(initial_window=48, step_length=8, fh=FH)
    scores = evaluate(
        tiny(),
        cv,
        y,
        X,
        strategy=strategy,
        scoring=[MeanAbsoluteError(), EmpiricalCoverage(coverage=0.8)],
        error_score="raise",
        return_data=True,
    )
    assert len(scores) == 3
    assert np.isfinite(scores[["test_MeanAbsoluteError", "test_EmpiricalCoverage"]]).all(axis=None)
    for forecast, truth in zip(scores["y_pred"], scores["y_test"], strict=True):
        assert forecast.index.equals(truth.index)
    # The first cutoff is the same for all: later rows are not seen.
    assert_array_equal(scores["y_pred"][0], tiny().fit(y[:48], X[:48], fh=FH).predict(X=X[48:51]))


def test_rolling_update_reads_X_as_far_as_it_forecasts(y, X):
    cv = ExpandingWindowSplitter(initial_window=4, step_length=4, fh=FH)
    rolling = tiny().fit(y[:48], X[:48], fh=FH).update_predict(y[48:60], cv, X=X[48:], update_params=False)
    model = tiny().fit(y[:48], X[:48], fh=FH)
    for cutoff in (52, 56):
        expected = model.update(y[48:cutoff], X[48:cutoff], update_params=False).predict(X=X[cutoff:])
        assert_array_equal(rolling[y.index[cutoff - 1]].dropna().to_numpy().ravel(), expected)


def test_evaluation_of_sliding_windows_and_panels(y):
    panel = pd.concat({"a": y.to_frame(), "b": 3 * y.to_frame()})
    cv = SlidingWindowSplitter(window_length=36, step_length=16, fh=FH)
    assert len(evaluate(tiny(), cv, y, error_score="raise")) == 3
    assert np.isfinite(evaluate(tiny(), cv, panel, error_score="raise").iloc[:, 0]).all()


def test_ensemble_is_the_mean(y):
    members = [("one", tiny()), ("other", tiny(random_state=1, window_length=12))]
    model = EnsembleForecaster(members).fit(y, fh=FH)
    expected = np.mean([member.fit(y, fh=FH).predict() for _, member in members], axis=0)
    assert_allclose(model.predict(), expected)


def test_data_may_be_remembered_by_sktime_too(y):
    model = tiny().set_config(remember_data=True).fit(y[:60], fh=FH)
    plain = tiny().fit(y[:60], fh=FH)
    for each in (model, plain):
        each.update(y[60:])
    assert_array_equal(model.predict(), plain.predict())
    assert len(model._y) == 72
