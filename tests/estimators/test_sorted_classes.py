"""Early stopping of classifiers: each class is learnt and evaluated, in whatever order the samples come."""

import tracemalloc

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline

from sklrnn import GRUClassifier, SequenceScaler

TINY = {"units": 4, "max_epochs": 6, "random_state": 0, "early_stopping": True, "learning_rate": 0.05}


@pytest.fixture(scope="module")
def levels():
    """Three classes that differ in level."""
    y = np.random.default_rng(0).permutation(np.repeat(["high", "low", "middle"], 100))
    level = np.array([{"high": 3, "low": -3, "middle": 0}[label] for label in y])
    return np.random.default_rng(1).normal(size=(300, 5, 1)) + level[:, np.newaxis, np.newaxis], y


def by_label(X, y):
    order = np.argsort(y, kind="stable")
    return [X[i] for i in order] if isinstance(X, list) else X[order], y[order]


@pytest.mark.parametrize("ragged", [False, True])
def test_sorted_classes_are_all_learnt(levels, ragged):
    X, y = levels
    X = [x[: 3 + row % 3] for row, x in enumerate(X)] if ragged else X
    model = GRUClassifier(**TINY, validation_fraction=0.34)  # the newest third of the sorted samples are one class
    shuffled, ordered = clone(model).fit(X, y), clone(model).fit(*by_label(X, y))
    assert ordered.score(X, y) > shuffled.score(X, y) - 0.05 > 0.85
    assert min(ordered.validation_curve_) < 0.6


def test_sorted_classes_are_learnt_by_default_above_ten_thousand_samples():
    y = np.repeat([0, 1], 5_050)
    X = np.random.default_rng(0).normal(size=(len(y), 2)) + y[:, np.newaxis]
    model = GRUClassifier(units=2, max_epochs=2, batch_size=512, random_state=0).fit(X, y)
    assert model.validation_curve_ is not None
    assert (model.predict(X) == 1).mean() > 0.2


def test_a_rare_class_is_trained_on_and_the_fit_says_so(levels):
    X, y = levels[0], np.where(np.arange(300) == 299, "rare", levels[1])
    with pytest.warns(UserWarning, match="holds out 0 of the 1 samples of class 'rare'") as caught:
        model = GRUClassifier(**TINY).fit(X, y)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert model.validation_curve_ is None
    off = GRUClassifier(**{**TINY, "early_stopping": False}).fit(X, y)
    assert_array_equal(model.predict_proba(X), off.predict_proba(X))


def test_a_class_of_weight_zero_is_not_asked_for(levels):
    X, y = levels[0], np.where(np.arange(300) == 299, "rare", levels[1])
    weights = {"high": 1, "low": 1, "middle": 1, "rare": 0}
    assert GRUClassifier(**TINY, class_weight=weights).fit(X, y).validation_curve_ is not None


def test_too_few_held_out_samples_are_announced(levels):
    X, y = levels
    with pytest.warns(UserWarning, match="holds out 11 labels, .* Change validation_fraction"):
        model = GRUClassifier(**TINY).fit(X[:100], y[:100])
    assert model.validation_curve_ is None
    assert GRUClassifier(**TINY, validation_fraction=0.25).fit(X[:100], y[:100]).validation_curve_ is not None


def test_a_step_label_that_only_the_newest_sequences_have_is_learnt(levels):
    X, labels = levels[0], np.where(np.arange(300) < 270, "old", "new")
    y = np.repeat(labels[:, np.newaxis], 5, axis=1)
    y[:, 0] = "first"
    with pytest.warns(UserWarning, match="leaves no sample of class 'new' to train on"):
        model = GRUClassifier(**TINY, return_sequences=True).fit(X, y)
    assert model.validation_curve_ is None
    y[0, 1] = "new"
    assert GRUClassifier(**TINY, return_sequences=True).fit(X, y).validation_curve_ is not None


def test_it_holds_in_a_pipeline_and_a_search(levels):
    X, y = by_label(*levels)
    pipeline = make_pipeline(SequenceScaler(), GRUClassifier(**TINY))
    folds = KFold(2, shuffle=True, random_state=0)
    search = GridSearchCV(pipeline, {"gruclassifier__validation_fraction": [0.2, 0.3]}, cv=folds).fit(X, y)
    assert search.best_score_ > 0.8


def test_windows_of_a_view_are_not_copied():
    series = np.random.default_rng(0).normal(size=(11_000, 20)).astype(np.float32)
    X = sliding_window_view(series, 100, axis=0).transpose(0, 2, 1)
    y = (series[99:, 0] > 0).astype(int)
    options = {"units": 2, "max_epochs": 1, "batch_size": 256, "random_state": 0}
    GRUClassifier(**options).fit(X[:300], y[:300])  # what a first fit loads is not what is measured
    tracemalloc.start()
    model = GRUClassifier(**options).fit(X, y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert model.validation_curve_ is not None
    assert peak < X.nbytes / 3
