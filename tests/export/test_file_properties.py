"""An exported file says what its graph does not show."""

import json

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

import sklrnn
from sklrnn import GRUClassifier, GRURegressor, SlidingWindow
from sklrnn.export import to_onnx

FAST = {"units": 3, "max_epochs": 1, "random_state": 0}


def properties(model, **options):
    return {each.key: json.loads(each.value) for each in to_onnx(model, **options).metadata_props}


@pytest.fixture
def X(random):
    return random.normal(size=(60, 5, 2))


def test_a_regressor_is_named_with_its_version_and_quantiles(X):
    model = GRURegressor(loss="quantile", missing="mask", **FAST).fit(X, X[:, -1, 0])
    found = properties(model, quantiles=[0.1, 0.9])
    assert found == {
        "sklrnn_version": sklrnn.__version__,
        "estimator": "GRURegressor",
        "stateful": False,
        "missing": "mask",
        "quantiles": [0.1, 0.9],
    }
    assert properties(model, streaming=True).keys() == found.keys() - {"quantiles"}


def test_the_classes_of_a_classifier_are_in_the_order_of_its_probabilities(X):
    model = GRUClassifier(stateful=True, batch_size=4, **FAST).fit(X, np.where(X[:, 0, 0] > 0, "up", "down"))
    found = properties(model)
    assert (found["classes"], found["stateful"]) == (["down", "up"], True)


def test_the_rows_that_a_window_needs_are_told(random):
    rows = random.normal(size=(60, 2))
    window = SlidingWindow(window_length=4, stride_within=3, context="none")
    assert properties(make_pipeline(window, GRURegressor(**FAST)).fit(rows, rows[:, 0]))["window_span"] == 10


def test_the_steps_of_a_table_are_told(X):
    model = GRURegressor(n_timesteps=5, **FAST).fit(X.reshape(60, 10), X[:, 0, 0])
    assert properties(model)["n_timesteps"] == 5
