"""Every loader of bundled data gives scikit-learn's forms: a Bunch, (X, y), pandas or numpy."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.pipeline import make_pipeline
from sklearn.utils import Bunch

from sklrnn import GRUClassifier, GRURegressor, SlidingWindow, TokenEncoder, supervise
from sklrnn.datasets import (
    load_air_passengers,
    load_co2,
    load_jfk_weather,
    load_names,
    load_seattle_weather,
    load_sunspots,
)

TARGETS = {
    load_air_passengers: "passengers",
    load_co2: "co2",
    load_jfk_weather: "temp",
    load_names: "language",
    load_seattle_weather: "weather",
    load_sunspots: "sunspots",
}
every_loader = pytest.mark.parametrize("load", TARGETS, ids=lambda load: load.__name__)


@every_loader
def test_default_is_the_pandas_object_itself(load):
    assert isinstance(load(), pd.DataFrame | pd.Series)


@every_loader
def test_bunch_of_pandas_has_the_fields_of_scikit_learn(load):
    bunch = load(as_frame=True)
    assert isinstance(bunch, Bunch)
    pd.testing.assert_frame_equal(bunch.frame, pd.DataFrame(load()))
    pd.testing.assert_series_equal(bunch.target, bunch.frame[TARGETS[load]])
    assert bunch.target_names == [TARGETS[load]]
    pd.testing.assert_frame_equal(pd.DataFrame(bunch.data), bunch.frame[bunch.feature_names])


@every_loader
def test_bunch_of_arrays_holds_the_same_values(load):
    arrays, frames = load(as_frame=False), load(as_frame=True)
    assert arrays.frame is None
    assert isinstance(arrays.data, np.ndarray)
    assert_array_equal(arrays.data, frames.data)
    assert_array_equal(arrays.target, frames.target)


@pytest.mark.parametrize("load", [load_co2, load_jfk_weather], ids=lambda load: load.__name__)
def test_times_come_beside_arrays(load):
    assert load(as_frame=False).index.equals(load().index)


@every_loader
def test_X_and_y_are_those_of_the_bunch(load):
    X, y = load(return_X_y=True)
    assert X.equals(load(as_frame=True).data)
    assert y.equals(load(as_frame=True).target)
    X, y = load(return_X_y=True, as_frame=False)
    assert_array_equal(X, load(as_frame=False).data)
    assert_array_equal(y, load(as_frame=False).target)


@every_loader
def test_description_names_source_and_licence_and_no_parameter(load):
    description = load(as_frame=True).DESCR
    assert "Source: " in description
    assert "Licence: " in description
    assert "return_X_y :" not in description
    assert ">>>" not in description


def test_filling_reaches_the_bunch():
    assert load_co2(fill=False, as_frame=True).target.isna().sum() == 59
    assert load_co2(as_frame=True).target.isna().sum() == 0


def test_target_of_seattle_is_not_among_its_features():
    assert load_seattle_weather(as_frame=True).feature_names == ["precipitation", "temp_max", "temp_min", "wind"]


def test_forms_train_estimators():
    X, y = supervise(load_air_passengers(as_frame=True).target)
    make_pipeline(SlidingWindow(12), GRURegressor(units=2, max_epochs=1, random_state=0)).fit(X, y)
    for as_frame in (True, False):
        X, y = load_names(return_X_y=True, as_frame=as_frame)
        network = GRUClassifier(embedding_dim=2, units=2, max_epochs=1, random_state=0)
        model = make_pipeline(TokenEncoder(), network).fit(X[::400], y[::400])
        assert model.predict(X[:2]).shape == (2,)
