"""Scorers of steps, in scikit-learn's tools and by definition."""

import pickle

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose
from sklearn.metrics import accuracy_score, f1_score, get_scorer, log_loss, make_scorer, mean_absolute_error
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline

from sklrnn import GRUClassifier, GRURegressor, SequenceScaler
from sklrnn.inputs.ragged import as_object_array
from sklrnn.metrics import entity_f1_score, make_step_scorer

TINY = {"units": 4, "max_epochs": 2, "random_state": 0, "return_sequences": True}
TAGS = np.array(["O", "B-X", "I-X"])


@pytest.fixture(scope="module")
def ragged():
    random = np.random.default_rng(0)
    X = [random.normal(size=(length, 2)) for length in random.integers(3, 9, 60)]
    return X, [TAGS[np.digitize(x[:, 0], [-0.3, 0.6])] for x in X]


@pytest.fixture(scope="module")
def tagger(ragged):
    return GRUClassifier(**TINY).fit(*ragged)


def test_a_step_scorer_is_the_metric_over_all_steps(ragged, tagger):
    X, y = ragged
    flat, predicted = np.concatenate(y), np.concatenate(tagger.predict(X))
    assert make_step_scorer()(tagger, X, y) == tagger.score(X, y) == accuracy_score(flat, predicted)
    assert make_step_scorer("f1_macro")(tagger, X, y) == f1_score(flat, predicted, average="macro")
    # Scorers of older versions of scikit-learn look for the positive label among the classes with every average.
    micro, macro = ({"average": average, "pos_label": None} for average in ("micro", "macro"))
    assert make_step_scorer(f1_score, **micro)(tagger, X, y) == f1_score(flat, predicted, **micro)
    scorer = make_step_scorer(make_scorer(f1_score, **macro))
    assert scorer(tagger, X, as_object_array(y)) == f1_score(flat, predicted, **macro)


def test_a_step_scorer_reads_probabilities(ragged, tagger):
    X, y = ragged
    expected = -log_loss(np.concatenate(y), np.concatenate(tagger.predict_proba(X)))
    assert_allclose(make_step_scorer("neg_log_loss")(tagger, X, y), expected)


def test_a_step_scorer_of_a_regressor():
    random = np.random.default_rng(0)
    for lengths in (random.integers(3, 9, 40), np.full(40, 5)):
        X = [random.normal(size=(length, 2)) for length in lengths]
        y = [x[:, 0] for x in X]
        model = GRURegressor(**TINY).fit(X, y)
        expected = mean_absolute_error(np.concatenate(y), np.concatenate(model.predict(X)))
        assert_allclose(make_step_scorer("neg_mean_absolute_error")(model, X, y), -expected)
        scorer = make_step_scorer(mean_absolute_error, greater_is_better=False)
        assert_allclose(cross_val_score(model, X, y, cv=2, scoring=scorer) < 0, True)


def test_weights_of_sequences_and_of_steps(ragged, tagger):
    X, y = ragged
    of_steps = [np.where(labels == "O", 0.0, 2.0) for labels in y]
    assert make_step_scorer()(tagger, X, y, sample_weight=of_steps) == tagger.score(X, y, of_steps)
    first = np.arange(len(X)) < 10
    for scoring in ("f1_macro", "entity_f1"):
        scorer = make_step_scorer(scoring)
        assert_allclose(scorer(tagger, X, y, sample_weight=first), scorer(tagger, X[:10], y[:10]))


@pytest.mark.parametrize("form", [list, as_object_array])
def test_searches_and_cross_validation_take_it(ragged, form):
    X, y = ragged
    pipeline = make_pipeline(SequenceScaler(), GRUClassifier(**TINY))
    scoring = {"f1": make_step_scorer("f1_macro"), "entities": make_step_scorer("entity_f1")}
    grid = {"gruclassifier__units": [2, 4]}
    search = GridSearchCV(pipeline, grid, cv=2, scoring=scoring, refit="entities", error_score="raise")
    search.fit(form(X), form(y))
    best = search.best_estimator_
    assert search.score(X, y) == entity_f1_score(y, best.predict(X))
    assert np.isfinite(search.cv_results_["mean_test_f1"]).all()


def test_three_axes(ragged):
    X = np.random.default_rng(0).normal(size=(40, 5, 1))
    y = (X[:, :, 0] > 0).astype(int)
    model = GRUClassifier(**TINY)
    assert_allclose(cross_val_score(model, X, y, cv=2, scoring=make_step_scorer()), cross_val_score(model, X, y, cv=2))


def test_folds_stratified_by_a_label_of_each_sequence(ragged):
    X, y = ragged
    folds = list(StratifiedKFold(2).split(X, ["B-X" in labels for labels in y]))
    scores = cross_val_score(GRUClassifier(**TINY), X, y, cv=folds, scoring=make_step_scorer("entity_f1"))
    assert np.isfinite(scores).all()


def test_lists_of_lists_of_tags(ragged):
    X, y = ragged[0], [labels.tolist() for labels in ragged[1]]
    scorer = make_step_scorer("entity_f1")
    assert np.isfinite(cross_val_score(GRUClassifier(**TINY), X, y, cv=KFold(2), scoring=scorer)).all()


def test_the_entity_scorer_is_the_f1_of_entities(ragged, tagger):
    X, y = ragged
    for metric in ("entity_f1", entity_f1_score):
        assert make_step_scorer(metric)(tagger, X, y) == entity_f1_score(y, tagger.predict(X))
    expected = entity_f1_score(y, tagger.predict(X), average="macro")
    assert make_step_scorer("entity_f1", average="macro")(tagger, X, y) == expected


def test_a_step_scorer_is_pickled(ragged, tagger):
    scorer = make_step_scorer("f1_macro")
    assert pickle.loads(pickle.dumps(scorer))(tagger, *ragged) == scorer(tagger, *ragged)
    assert "f1_score" in repr(scorer)


def test_metadata_routing_passes_weights(ragged):
    X, y = ragged
    weights = np.arange(len(X)) % 2
    with sklearn.config_context(enable_metadata_routing=True):
        model = GRUClassifier(**TINY).set_fit_request(sample_weight=False)
        scorer = make_step_scorer().set_score_request(sample_weight=True)
        routed = cross_validate(model, X, y, cv=2, scoring=scorer, params={"sample_weight": weights})["test_score"]
    plain = cross_val_score(model, X, y, cv=2)
    assert (routed != plain).all()


@pytest.mark.parametrize("scoring", ["accuracy", "f1_macro"])
@pytest.mark.parametrize("form", [list, as_object_array])
def test_a_scorer_of_samples_names_the_step_scorer(ragged, scoring, form):
    X, y = ragged
    pipeline = make_pipeline(SequenceScaler(), GRUClassifier(**TINY))
    with pytest.raises(ValueError, match=r'_score of scikit-learn .* one value for each sample.*make_step_scorer\("f1'):
        cross_val_score(pipeline, X, form(y), cv=2, scoring=scoring, error_score="raise")
    X = np.zeros((4, 3, 1))
    y = TAGS[np.arange(12).reshape(4, 3) % 3]
    with pytest.raises(ValueError, match="there is one for each step"):
        get_scorer(scoring)(GRUClassifier(**TINY).fit(X, y), X, y)


def test_a_scorer_of_samples_names_the_step_scorer_for_regressors(ragged):
    X = ragged[0]
    y = [x[:, 0] for x in X]
    with pytest.raises(ValueError, match=r'make_step_scorer\("neg_mean_absolute_error"\)'):
        get_scorer("r2")(GRURegressor(**TINY).fit(X, y), X, y)


def test_a_multilabel_reading_of_steps_is_announced():
    X = np.random.default_rng(0).normal(size=(40, 5, 1))
    y = (X[:, :, 0] > 0).astype(int)
    model = GRUClassifier(**TINY).fit(X, y)
    with pytest.warns(UserWarning, match="not over the steps: .*make_step_scorer") as caught:
        score = get_scorer("accuracy")(model, X, y)
    assert caught[0].filename == __file__
    assert score == (model.predict(X) == y).all(axis=1).mean()
    assert make_scorer(lambda true, predicted: (true == predicted).mean())(model, X, y) == model.score(X, y)


def test_errors_name_what_to_change(ragged, tagger):
    X, y = ragged
    with pytest.raises(TypeError, match=r"takes no options, got average. Pass the metric itself"):
        make_step_scorer("f1_macro", average="micro")
    with pytest.raises(ValueError, match="'f1_makro' is not a valid scoring value"):
        make_step_scorer("f1_makro")
    with pytest.raises(ValueError, match=f"Row 0 of y holds {len(X[0]) - 1} labels, but sequence 0 has {len(X[0])}"):
        make_step_scorer()(tagger, X, [y[0][1:], *y[1:]])
    with pytest.raises(ValueError, match="row 0 of y is 'a'"):
        make_step_scorer()(tagger, X, ["a"] * len(X))
    last = GRUClassifier(**{**TINY, "return_sequences": False}).fit(X, [labels[-1] for labels in y])
    with pytest.raises(ValueError, match="gives one for each sample. Set its return_sequences=True"):
        make_step_scorer()(last, X, y)
