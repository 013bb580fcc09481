"""The comparison of estimators against scikit-learn's ``cross_validate`` and against hand computation."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from pandas.testing import assert_frame_equal
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.dummy import DummyRegressor
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold, TimeSeriesSplit, cross_val_score
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklrnn import GRUClassifier, GRURegressor, compare_estimators
from sklrnn.metrics import make_step_scorer

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
Y = X @ [1.0, 2.0, 0.0, -1.0] + 0.1 * RNG.normal(size=60)
TINY = {"units": 3, "max_epochs": 2, "random_state": 0}
MODELS = {"mean": DummyRegressor(), "linear": LinearRegression(), "GRU": GRURegressor(**TINY)}


class Troubled(RegressorMixin, BaseEstimator):
    """Predicts zero, and fails or warns on request."""

    def __init__(self, trouble, n_train=None):
        self.trouble = trouble
        self.n_train = n_train

    def fit(self, X, y):
        if self.n_train in (None, len(X)):
            if self.trouble == "fail":
                raise RuntimeError("no\nluck")
            if self.trouble == "interrupt":
                raise KeyboardInterrupt
            warnings.warn("not sure", ConvergenceWarning, stacklevel=1)
            warnings.warn("old", FutureWarning, stacklevel=1)
        return self

    def predict(self, X):
        return np.zeros(len(X))


def test_scores_are_those_of_cross_validate():
    cv = TimeSeriesSplit(3)
    found = compare_estimators(MODELS, X, Y, cv=cv, scoring=["neg_mean_absolute_error", "r2"]).results
    for name, model in MODELS.items():
        rows = found[found["estimator"] == name]
        for metric in ("neg_mean_absolute_error", "r2"):
            assert_allclose(rows[metric], cross_val_score(model, X, Y, cv=cv, scoring=metric))
        assert rows["n_train"].tolist() == [15, 30, 45]
    assert (found[["fit_seconds", "predict_seconds"]] > 0).all(axis=None)


def test_all_estimators_get_the_same_shuffled_splits():
    shuffled = KFold(3, shuffle=True, random_state=np.random.RandomState(0))
    found = compare_estimators({"one": Ridge(), "same": Ridge()}, X, Y, cv=shuffled).results
    one, same = (found.loc[found["estimator"] == name, "score"].to_numpy() for name in ("one", "same"))
    assert (one == same).all()


def test_summary_has_means_and_spreads_and_the_best_first():
    comparison = compare_estimators(MODELS, X, Y, cv=TimeSeriesSplit(3), scoring="neg_mean_absolute_error")
    table = comparison.summary()
    errors = -comparison.results.pivot(index="fold", columns="estimator", values="neg_mean_absolute_error")
    assert_allclose(table["mean_absolute_error"], errors.mean()[table.index])
    assert_allclose(table["mean_absolute_error, std"], errors.std()[table.index])
    assert_allclose(table["rank"], errors.rank(axis=1).mean()[table.index].round(2))
    assert table.index[0] == "linear"
    assert "warnings" not in table
    assert "failed" not in table


def test_one_split_has_no_spread():
    table = compare_estimators(MODELS, X, Y, cv=[(range(40), range(40, 60))]).summary()
    assert table["score"].notna().all()
    assert table["score, std"].isna().all()


def test_parameters_are_counted_in_networks_and_linear_models():
    search = GridSearchCV(make_pipeline(StandardScaler(), Ridge()), {"ridge__alpha": [1.0, 2.0]}, cv=2)
    models = {
        "GRU": GRURegressor(**TINY),
        "ridge": search,
        "dense": MLPRegressor(hidden_layer_sizes=(3,), max_iter=500, tol=1.0),
        "mean": DummyRegressor(),
    }
    counted = compare_estimators(models, X, Y, cv=2).summary()["parameters"]
    expected = {"GRU": GRURegressor(**TINY).fit(X, Y).n_parameters_, "ridge": 5, "dense": 4 * 3 + 3 + 3 + 1}
    assert counted.dropna().to_dict() == expected
    assert pd.isna(counted["mean"])


def test_number_of_processes_does_not_change_scores():
    linear = [DummyRegressor(), LinearRegression()]  # processes need not load torch
    one, two = (compare_estimators(linear, X, Y, cv=2, n_jobs=n_jobs).results["score"] for n_jobs in (1, 2))
    assert_allclose(one, two)


def test_sequences_of_several_lengths_and_their_labels_are_compared():
    sequences = [np.full((length, 1), float(length)) for length in RNG.integers(2, 9, 30)]
    labels = [np.where(x[:, 0] > 4, "long", "short") for x in sequences]
    model = GRUClassifier(**TINY, return_sequences=True)
    scored = compare_estimators([model], sequences, labels, cv=3, scoring=make_step_scorer("accuracy")).results
    assert scored["score"].between(0, 1).all()
    whole = compare_estimators({"GRU": GRUClassifier(**TINY)}, sequences, [len(x) > 4 for x in sequences], cv=3)
    assert whole.metrics == ("score",)


def test_scorers_may_have_names_of_their_own():
    found = compare_estimators(
        MODELS, X, Y, cv=2, scoring=lambda model, X, y: {"largest": -np.abs(model.predict(X) - y).max()}
    )
    assert found.metrics == ("largest",)
    assert list(compare_estimators(MODELS, X, Y, cv=2, scoring={"own": "r2"}).summary())[:3] == [
        "rank",
        "own",
        "own, std",
    ]


def test_weights_reach_fit():
    params = {"sample_weight": np.r_[np.ones(30), np.zeros(30)]}
    found = compare_estimators([Ridge()], X, Y, cv=[(range(60), range(30, 60))], params=params).results
    assert_allclose(found["score"], Ridge().fit(X[:30], Y[:30]).score(X[30:], Y[30:]))


def test_others_are_compared_when_one_fails():
    models = {"lucky": Ridge(), "unlucky": Troubled("fail", n_train=15)}
    with pytest.warns(FitFailedWarning, match="'unlucky' failed on 1 of 3 splits: RuntimeError: no luck"):
        comparison = compare_estimators(models, X, Y, cv=TimeSeriesSplit(3))
    table = comparison.summary()
    assert table["failed"].to_dict() == {"lucky": 0, "unlucky": 1}
    assert np.isnan(table.loc["unlucky", "score"])
    assert "RuntimeError: no luck" in repr(comparison)
    assert "RuntimeError: no luck" in comparison._repr_html_()


def test_scores_are_missing_where_all_fail():
    with pytest.warns(FitFailedWarning):
        comparison = compare_estimators([Troubled("fail")], X, Y, cv=2, scoring=["r2", "neg_max_error"])
    assert comparison.results[["r2", "neg_max_error"]].isna().all(axis=None)
    comparison.plot("r2")


def test_an_invalid_parameter_names_its_estimator():
    with pytest.warns(FitFailedWarning, match="The 'units' parameter of GRURegressor must be"):
        compare_estimators([GRURegressor(units=0)], X, Y, cv=2)


def test_warnings_of_estimators_are_counted():
    comparison = compare_estimators([Troubled("warn")], X, Y, cv=2)
    assert comparison.results["n_warnings"].tolist() == [1, 1]


def test_a_saved_comparison_is_the_same():
    with pytest.warns(FitFailedWarning):
        comparison = compare_estimators([Ridge(), Troubled("fail")], X, Y, cv=2)
    loaded = pickle.loads(pickle.dumps(comparison))
    assert_frame_equal(loaded.results, comparison.results, check_exact=True)
    assert repr(loaded) == repr(comparison)


def test_an_interrupt_ends_the_comparison():
    with pytest.raises(KeyboardInterrupt):
        compare_estimators([Troubled("interrupt")], X, Y, cv=2)


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ([], "There are no estimators to compare"),
        ([Ridge], r"Ridge is a class.*pass Ridge\(\)"),
        ([Ridge(), Ridge()], "'Ridge' is there more than once"),
        ({"line": Ridge(), "class": LogisticRegression()}, r"\['class'\] are classifiers, \['line'\] are not"),
        (["gru"], "Estimators need a method fit, got 'gru'"),
    ],
    ids=str,
)
def test_what_cannot_be_compared_is_refused(models, message):
    with pytest.raises((ValueError, TypeError), match=message):
        compare_estimators(models, X, Y)


def test_plot_has_a_dot_for_each_split_with_the_best_estimator_at_the_top():
    comparison = compare_estimators(MODELS, X, Y, cv=TimeSeriesSplit(3), scoring=["neg_mean_absolute_error", "r2"])
    ax = comparison.plot()
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == comparison.summary().index.tolist()
    dots = ax.lines[0].get_xdata()
    best = comparison.results["estimator"] == names[0]
    assert_allclose(dots, -comparison.results.loc[best, "neg_mean_absolute_error"])
    assert ax.get_xlabel() == "mean absolute error (less is better)"
    assert comparison.plot("r2", ax).get_xlabel() == "r2 (more is better)"
    with pytest.raises(ValueError, match="metric must be one of 'neg_mean_absolute_error', 'r2', got 'R2'.*'r2'"):
        comparison.plot("R2")


@pytest.mark.parametrize("scoring", ["neg_mean_absolut_error", ["r2", "neg_mean_absolut_error"], {"mae": "mae"}])
def test_an_unknown_score_is_refused_at_once(scoring):
    X = np.zeros((10, 1))
    with pytest.raises(ValueError, match=r"is not the name of a score\..*get_scorer_names\(\) lists all"):
        compare_estimators({"mean": DummyRegressor()}, X, X[:, 0], scoring=scoring)
