"""`draw_network` finds the network in what a user passes, and notebooks show it below the parameters."""

import pickle

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sktime.exceptions import NotFittedError as SktimeNotFittedError
from sktime.forecasting.compose import TransformedTargetForecaster

from sklrnn import (
    CNNLSTMClassifier,
    GRUClassifier,
    LSTMRegressor,
    RecurrentImputer,
    SequenceGenerator,
    SequenceScaler,
    SequenceTranslator,
)
from sklrnn.forecasting import LSTMForecaster
from sklrnn.inspection import draw_network
from sklrnn.sktime_adapters import SktimeRegressor

TINY = {"units": 3, "max_epochs": 1, "random_state": 0}
X = np.random.default_rng(0).normal(size=(30, 6, 2))
Y = X[:, -1, 0]
FITTED = {
    "regressor": lambda: LSTMRegressor(**TINY).fit(X, Y),
    "classifier": lambda: CNNLSTMClassifier(**TINY).fit(X, Y > 0),
    "generator": lambda: SequenceGenerator(**TINY).fit(["one", "two"], context=[[0], [1]]),
    "translator": lambda: SequenceTranslator(**TINY, attention=True).fit(["one", "two"], ["1", "2"]),
    "imputer": lambda: RecurrentImputer(**TINY).fit(X[0]),
    "forecaster": lambda: LSTMForecaster(**TINY, n_networks=2).fit(Y, fh=[1, 2]),
}
every_estimator = pytest.mark.parametrize("fitted", FITTED.values(), ids=FITTED)


def total(picture):
    text = picture.svg()
    return int(text[: text.index(" trainable parameters")].rpartition(">")[2].replace(",", ""))


@every_estimator
def test_every_estimator_is_drawn_and_shown(fitted):
    model = fitted()
    name = type(model).__name__
    layers, unrolled = draw_network(model), draw_network(model, kind="unrolled")
    assert total(layers) == model.summary(show=False).n_parameters
    assert repr(unrolled).startswith(f"<{name} unrolled over time")
    html, bundle = model._repr_html_(), model._repr_mimebundle_()
    for shown in (html, bundle["text/html"]):
        assert shown.count(layers.svg(standalone=False)) == 1
        assert shown.count(unrolled.svg(standalone=False)) == 1
    assert "<svg" not in bundle["text/plain"]


@every_estimator
def test_an_estimator_that_is_not_fitted_shows_its_parameters_only(fitted):
    fresh = type(fitted())(**TINY)
    assert "max_epochs" in fresh._repr_html_()
    assert '<details class="sklrnn-network"' not in fresh._repr_html_() + fresh._repr_mimebundle_()["text/html"]


def test_pictures_follow_scikit_learns_parameters():
    model = GRUClassifier(**TINY).fit(X, Y > 0)
    html = model._repr_html_()
    assert 0 < html.index("max_epochs") < html.index("sklrnn-network")
    assert f"Layers: {model.n_parameters_:,} trainable parameters</summary>" in html


@pytest.mark.skipif(not hasattr(BaseEstimator, "_get_fitted_attr_html"), reason="scikit-learn before 1.9")
@pytest.mark.parametrize("search", [False, True])
def test_pipelines_and_searches_show_the_pictures_of_the_estimator_within(search):
    model = make_pipeline(SequenceScaler(), LSTMRegressor(**TINY))
    model = GridSearchCV(model, {"lstmregressor__units": [4]}, cv=2) if search else model
    assert "sklrnn-network" not in model._repr_html_()
    html = model.fit(X, Y)._repr_html_()
    for kind in ("layers", "unrolled"):
        assert html.count(draw_network(model, kind=kind).svg(standalone=False)) == 1


def test_a_forecaster_says_how_many_networks_it_has():
    model = FITTED["forecaster"]()
    n = model.summary(show=False).n_parameters
    assert f"Layers: {n} trainable parameters in each of 2 networks</summary>" in model._repr_html_()


def test_as_text_an_estimator_shows_no_picture():
    model = FITTED["regressor"]()
    with config_context(display="text"):
        assert {*model._repr_mimebundle_()} == {"text/plain"}
        assert not hasattr(model, "_repr_html_")


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda model: make_pipeline(SequenceScaler(), model),
        lambda model: GridSearchCV(make_pipeline(SequenceScaler(), model), {"lstmregressor__units": [4]}, cv=2),
        lambda model: TransformedTargetRegressor(model),
    ],
)
def test_the_network_within_a_pipeline_or_search_is_drawn(wrapped):
    alone = LSTMRegressor(**TINY | {"units": 4}).fit(X, Y)
    with_others = wrapped(LSTMRegressor(**TINY | {"units": 4})).fit(X[:, :, :2], Y)
    assert draw_network(with_others).svg() == draw_network(alone).svg()


def test_networks_within_sktimes_estimators_are_drawn():
    adapter = SktimeRegressor(LSTMRegressor(**TINY)).fit(X.transpose(0, 2, 1), Y)
    assert total(draw_network(adapter)) == adapter.estimator_.n_parameters_
    pipeline = TransformedTargetForecaster([("forecaster", LSTMForecaster(**TINY))]).fit(Y, fh=[1])
    assert total(draw_network(pipeline)) == pipeline.forecaster_.summary(show=False).n_parameters


def test_a_loaded_estimator_has_the_same_picture():
    model = FITTED["classifier"]()
    again = pickle.loads(pickle.dumps(model))
    assert draw_network(again).svg() == draw_network(model).svg()
    assert draw_network(again).svg(standalone=False) in again._repr_html_()


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (LSTMRegressor(), NotFittedError, "not fitted yet"),
        (LSTMForecaster(), SktimeNotFittedError, "call `fit` before calling `draw_network`"),
        (make_pipeline(SequenceScaler(), LSTMRegressor()), NotFittedError, "not fitted yet"),
        (GridSearchCV(LSTMRegressor(), {}), NotFittedError, "GridSearchCV instance is not fitted yet"),
        (SequenceScaler().fit(X), TypeError, r"networks of fitted estimators of sklrnn.*got SequenceScaler\(\)"),
        (3, TypeError, "got 3"),
    ],
)
def test_what_holds_no_network_is_refused(model, error, message):
    with pytest.raises(error, match=message):
        draw_network(model)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match='kind must be "layers" or "unrolled", got \'graph\''):
        draw_network(FITTED["regressor"](), kind="graph")
