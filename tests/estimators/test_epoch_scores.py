"""Scores of scikit-learn after each epoch, by skorch's EpochScoring."""

import pickle

import numpy as np
import pytest
from sklearn.metrics import get_scorer, make_scorer, mean_absolute_error, r2_score
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from skorch.callbacks import EarlyStopping, EpochScoring

from sklrnn import (
    GRUClassifier,
    GRURegressor,
    RecurrentImputer,
    RecurrentRegressor,
    SequenceGenerator,
    SequenceScaler,
    SequenceTranslator,
)
from sklrnn.forecasting import GRUForecaster

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 5, 2))
Y = 100 + 10 * X.sum(axis=(1, 2))
LABELS = np.where(X[:, -1, 0] > 0, "up", "down")
# With one epoch its weights are those that predict.
ONE_EPOCH = {"units": 4, "max_epochs": 1, "early_stopping": True, "validation_fraction": 0.25, "random_state": 0}
HELD_OUT = slice(45, None)


def scored(model, scoring, X=X, y=Y, **options):
    """A fitted model, and the score of its only epoch."""
    model.set_params(callbacks=[EpochScoring(scoring, **options)]).fit(X, y)
    return model, model.net_.history[-1]


@pytest.mark.parametrize("scoring", ["r2", "neg_mean_squared_error", "neg_max_error"])
@pytest.mark.parametrize(
    "options",
    [{}, {"loss": "quantile"}, {"loss": "gaussian"}, {"loss": "poisson"}, {"normalize_y": "window"}, {"cell": "slstm"}],
    ids=str,
)
def test_a_score_is_that_of_predictions_for_what_was_held_out(scoring, options):
    if options.get("normalize_y") == "window":
        options = options | {"normalize_X": "window", "target_feature": 0}
    model, epoch = scored(RecurrentRegressor(**ONE_EPOCH | options), scoring)
    expected = get_scorer(scoring)(model, X[HELD_OUT], Y[HELD_OUT])
    assert epoch[scoring] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("scoring", ["accuracy", "neg_log_loss", "roc_auc", "f1_macro"])
def test_a_classifier_is_scored_by_its_labels_and_probabilities(scoring):
    y = np.where(np.arange(60) % 2, "up", "down")  # of each class the newest half is held out: the newest half of all
    model, epoch = scored(GRUClassifier(**ONE_EPOCH | {"validation_fraction": 0.5}), scoring, y=y)
    expected = get_scorer(scoring)(model, X[30:], y[30:])
    assert epoch[scoring] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("scoring", "name", "expected"),
    [
        (None, "score", r2_score),
        (r2_score, "r2_score", r2_score),
        (make_scorer(mean_absolute_error), "mean_absolute_error", mean_absolute_error),
    ],
)
def test_metrics_scorers_and_the_score_of_the_estimator_can_be_given(scoring, name, expected):
    model, epoch = scored(GRURegressor(**ONE_EPOCH), scoring)
    assert epoch[name] == pytest.approx(expected(Y[HELD_OUT], model.predict(X[HELD_OUT])), rel=1e-4)


def test_the_training_samples_are_scored_with_on_train():
    model, epoch = scored(GRURegressor(units=4, max_epochs=1, random_state=0), "r2", on_train=True, name="training")
    assert epoch["training"] == pytest.approx(model.score(X, Y), rel=1e-4)


def test_steps_are_scored_one_by_one_and_those_of_weight_zero_left_out():
    sequences = [x[: 3 + row % 3] for row, x in enumerate(X)]
    targets = [x.sum(axis=1).cumsum() for x in sequences]
    weights = [np.arange(len(x)) % 2 * 1.0 for x in sequences]
    model = GRURegressor(**ONE_EPOCH, return_sequences=True, callbacks=[EpochScoring("r2")])
    model.fit(sequences, targets, sample_weight=weights)
    expected = model.score(sequences[HELD_OUT], targets[HELD_OUT], sample_weight=weights[HELD_OUT])
    assert model.net_.history[-1]["r2"] == pytest.approx(expected, rel=1e-4)


def test_weights_of_samples_count():
    weights = np.arange(60) % 4 * 1.0
    model = GRURegressor(**ONE_EPOCH, callbacks=[EpochScoring("r2")]).fit(X, Y, sample_weight=weights)
    first = np.flatnonzero(weights)[-11]  # 45 samples count, of which a quarter is held out
    expected = model.score(X[first:], Y[first:], sample_weight=weights[first:])
    assert model.net_.history[-1]["r2"] == pytest.approx(expected, rel=1e-4)


def test_weights_of_classes_are_no_part_of_a_score():
    options = ONE_EPOCH | {"validation_fraction": 0.5, "class_weight": {"up": 5.0, "down": 1.0}}
    y = np.where(np.arange(60) % 2, "up", "down")
    model, epoch = scored(GRUClassifier(**options), "accuracy", y=y)
    assert epoch["accuracy"] == pytest.approx(model.score(X[30:], y[30:]))
    weights = np.arange(60) % 3 + 1.0
    model.fit(X, y, sample_weight=weights)
    both = weights[30:] * np.where(y[30:] == "up", 5.0, 1.0)
    assert model.net_.history[-1]["accuracy"] == pytest.approx(model.score(X[30:], y[30:], sample_weight=both))


def test_training_is_as_fast_and_as_exact_as_without_a_score():
    plain = GRURegressor(**ONE_EPOCH | {"max_epochs": 3}).fit(X, Y)
    model = GRURegressor(**ONE_EPOCH | {"max_epochs": 3}, callbacks=[EpochScoring("r2")]).fit(X, Y)
    assert model.net_.path_ == plain.net_.path_ == "compiled"
    np.testing.assert_array_equal(model.predict(X), plain.predict(X))
    assert len(model.net_.history[:, "r2"]) == 3


def test_other_callbacks_read_the_score():
    stops = EarlyStopping(
        monitor="r2", lower_is_better=False, patience=2, threshold=10.0, threshold_mode="abs", sink=str
    )
    callbacks = [("score", EpochScoring("r2", lower_is_better=False)), ("stops", stops)]
    model = GRURegressor(**ONE_EPOCH | {"max_epochs": 9}, callbacks=callbacks).fit(X, Y)
    assert model.n_iter_ == 3
    assert model.net_.history[-1]["r2_best"] in (True, False)


def test_the_callback_of_the_user_stays_and_the_model_can_be_saved_and_trained_on():
    score = EpochScoring("r2")
    model = GRURegressor(**ONE_EPOCH, callbacks=[score], warm_start=True).fit(X, Y)
    assert model.callbacks == [score]
    assert not hasattr(score, "best_score_")
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(loaded.fit(X, Y).predict(X), model.fit(X, Y).predict(X))
    assert "r2" in loaded.net_.history[-1]


def test_a_fit_that_goes_on_from_a_checkpoint_has_the_scores_of_all_epochs(tmp_path):
    def scores(max_epochs, **options):
        model = GRURegressor(**ONE_EPOCH | {"max_epochs": max_epochs}, callbacks=[EpochScoring("r2")], **options)
        return model.fit(X, Y).net_.history[:, "r2"]

    scores(2, checkpoint=tmp_path)
    assert scores(4, checkpoint=tmp_path) == scores(4)


def test_a_search_over_a_pipeline_scores_each_fit():
    model = make_pipeline(SequenceScaler(), GRURegressor(**ONE_EPOCH, callbacks=[EpochScoring("r2")]))
    search = GridSearchCV(model, {"gruregressor__units": [2, 3]}, cv=TimeSeriesSplit(2)).fit(X, Y)
    assert np.isfinite(search.best_estimator_[-1].net_.history[-1]["r2"])


def test_a_fit_that_holds_nothing_out_warns_that_there_is_no_score():
    model = GRURegressor(units=2, max_epochs=2, callbacks=[EpochScoring("r2")])
    with pytest.warns(UserWarning, match=r"EpochScoring\('r2'\) .* holds none out.*early_stopping=True") as caught:
        model.fit(X, Y)
    assert len(caught) == 1
    assert "r2" not in model.net_.history[-1]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("r22", "'r22' is not a valid scoring value"),
        ("neg_log_loss", r"EpochScoring\('neg_log_loss'\) .* needs predict_proba, which GRURegressor does not have"),
    ],
)
def test_a_score_that_cant_be_computed_is_refused_and_the_old_model_stays(name, message):
    model = GRURegressor(**ONE_EPOCH).fit(X, Y)
    before = model.predict(X)
    with pytest.raises(ValueError, match=message):
        model.set_params(callbacks=[EpochScoring(name)]).fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), before)


def test_blocks_are_scored_on_what_is_held_out_only():
    model = GRURegressor(**ONE_EPOCH, callbacks=[EpochScoring("r2")]).fit_blocks([(X[:30], Y[:30]), (X[30:], Y[30:])])
    assert np.isfinite(model.net_.history[-1]["r2"])
    model.set_params(callbacks=[EpochScoring("r2", on_train=True)])
    with pytest.raises(ValueError, match=r"on_train=True\) can't score blocks"):
        model.fit_blocks([(X[:30], Y[:30]), (X[30:], Y[30:])])


@pytest.mark.parametrize(
    ("model", "data"),
    [
        (SequenceGenerator(units=2, max_epochs=1), (["ab", "ba"] * 4,)),
        (SequenceTranslator(units=2, max_epochs=1), (["ab", "ba"] * 4, ["x", "y"] * 4)),
        (RecurrentImputer(units=2, max_epochs=1), (X[0],)),
        (GRUForecaster(units=2, max_epochs=1, n_networks=1, window_length=4), (np.sin(np.arange(40.0)), None, [1])),
    ],
    ids=lambda value: type(value).__name__,
)
def test_others_than_regressors_and_classifiers_refuse_it_with_what_to_do_instead(model, data):
    with pytest.raises(ValueError, match=rf"EpochScoring\('r2'\) .*{type(model).__name__}.* Pass a function scoring"):
        model.set_params(callbacks=[EpochScoring("r2")]).fit(*data)
