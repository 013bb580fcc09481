"""Learning curves are those that training recorded, in whatever estimator."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sktime.forecasting.compose import TransformedTargetForecaster
from sktime.transformations.series.detrend import Detrender

from sklrnn import (
    GRUClassifier,
    GRURegressor,
    RecurrentImputer,
    SequenceGenerator,
    SequenceScaler,
    SequenceTranslator,
)
from sklrnn.datasets import load_air_passengers
from sklrnn.forecasting import GRUForecaster
from sklrnn.inspection import training_curves

X = np.random.default_rng(0).normal(size=(60, 8, 1))
Y = X[:, -2:].sum(axis=(1, 2))
SHORT = {"units": 4, "max_epochs": 3, "random_state": 0}
GAPS = np.where(np.random.default_rng(1).random((40, 2)) < 0.1, np.nan, 1.0)


def test_curves_are_those_of_the_estimator_and_the_best_epoch_has_the_lowest_validation_loss():
    noise = np.random.default_rng(1).normal(size=60)  # nothing can be learnt: training soon makes it worse
    model = GRURegressor(early_stopping=True, **{**SHORT, "max_epochs": 30}, learning_rate=0.1).fit(X, noise)
    curves = training_curves(model)
    assert_array_equal(curves.index, np.arange(1, model.n_iter_ + 1))
    assert_array_equal(curves["training_loss"], model.loss_curve_)
    assert_array_equal(curves["validation_loss"], model.validation_curve_)
    assert_array_equal(curves["learning_rate"], 0.1)
    assert curves["is_best"].sum() == 1
    best = curves.loc[curves["is_best"], "validation_loss"].item()
    assert best == curves["validation_loss"].min() == model.best_validation_loss_
    assert not curves["is_best"].iloc[-1]


def test_without_validation_the_weights_are_those_of_the_last_epoch():
    curves = training_curves(GRUClassifier(**SHORT).fit(X, Y > 0))
    assert curves["validation_loss"].isna().all()
    assert curves["is_best"].tolist() == [False, False, True]


def test_validation_that_began_later_belongs_to_the_newest_epochs():
    model = GRURegressor(warm_start=True, **SHORT).fit(X, Y).set_params(early_stopping=True).fit(X, Y)
    curves = training_curves(model)
    assert curves["validation_loss"].notna().tolist() == [False] * 3 + [True] * 3
    model.set_params(early_stopping=False).fit(X, Y)
    assert training_curves(model)["validation_loss"].isna().all()
    assert model.validation_curve_ is None


@pytest.mark.parametrize(
    ("model", "data"),
    [
        (SequenceGenerator(**SHORT), (["abc", "abd"],)),
        (SequenceTranslator(**SHORT), (["abc", "abd"], ["cba", "dba"])),
        (RecurrentImputer(**SHORT), (GAPS,)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_task_has_curves(model, data):
    curves = training_curves(model.fit(*data))
    assert_array_equal(curves["training_loss"], model.loss_curve_)
    assert (curves["learning_rate"] > 0).all()


def test_a_forecaster_has_curves_of_each_network():
    forecaster = GRUForecaster(n_networks=2, **SHORT)
    y = load_air_passengers()
    curves = training_curves(forecaster.fit(y, fh=[1, 2]))
    assert curves.index.names == ["network", "epoch"]
    for number, network in enumerate(forecaster.networks_):
        assert_array_equal(curves.loc[number, "training_loss"], network.loss_curve_)
    pipeline = TransformedTargetForecaster([("detrend", Detrender()), ("gru", forecaster.clone())])
    assert_array_equal(training_curves(pipeline.fit(y, fh=[1, 2])).shape, curves.shape)


def test_curves_survive_saving_and_are_found_in_pipelines_and_searches():
    pipeline = make_pipeline(SequenceScaler(), GRURegressor(early_stopping=True, **SHORT)).fit(X, Y)
    curves = training_curves(pipeline)
    assert_frame_equal(curves, training_curves(pipeline[-1]))
    assert_frame_equal(curves, training_curves(pickle.loads(pickle.dumps(pipeline))))
    search = GridSearchCV(pipeline, {"gruregressor__units": [2, 3]}, cv=2).fit(X, Y)
    assert_frame_equal(training_curves(search), training_curves(search.best_estimator_))


def test_what_has_no_curves_is_refused():
    with pytest.raises(NotFittedError):
        training_curves(GRURegressor())
    with pytest.raises(Exception, match="has not been fitted yet"):
        training_curves(GRUForecaster())
    with pytest.raises(TypeError, match="have learning curves, alone, .* got LinearRegression()"):
        training_curves(LinearRegression().fit(X[:, :, 0], Y))
