import numpy as np
import pytest

pytestmark = pytest.mark.hosts


def test_intervals_are_predictions_and_a_quantile_of_the_conformity_scores(code_of):
    names = code_of("MAPIE")
    reader, table, y = names["reader"].fit(names["table"][:150], names["y"][:150]), names["table"], names["y"]
    scores = np.sort(np.abs(y[150:220] - reader.predict(table[150:220])))
    half = scores[int(np.ceil(0.9 * 71)) - 1]
    expected = reader.predict(table[220:])
    np.testing.assert_allclose(names["predicted"], expected)
    np.testing.assert_allclose(names["intervals"][:, :, 0].T, [expected - half, expected + half])


def test_intervals_of_enbpi_hold_most_targets(code_of):
    names = code_of("MAPIE")
    lower, upper = names["bounds"][:, :, 0].T
    assert (lower <= names["averaged"]).all()
    assert (names["averaged"] <= upper).all()
    assert np.mean((lower <= names["y"][220:]) & (names["y"][220:] <= upper)) > 0.75


def test_cross_conformal_intervals_are_those_of_the_models_of_the_folds(code_of):
    from mapie.regression import CrossConformalRegressor
    from sklearn.model_selection import KFold

    names = code_of("MAPIE")
    X, y, network = names["X"], names["y"], names["network"]
    conformal = CrossConformalRegressor(network, confidence_level=0.9, cv=KFold(3), method="base")
    predicted, intervals = conformal.fit_conformalize(X[:210], y[:210]).predict_interval(X[210:])
    np.testing.assert_allclose(predicted, network.fit(X[:210], y[:210]).predict(X[210:]))
    scores = []
    for fold in np.split(np.arange(210), 3):
        rest = np.setdiff1d(np.arange(210), fold)
        scores.extend(np.abs(y[fold] - network.fit(X[rest], y[rest]).predict(X[fold])))
    half = np.sort(scores)[int(np.ceil(0.9 * 211)) - 1]
    np.testing.assert_allclose(intervals[:, 1, 0], predicted + half)


def test_three_quantile_networks_give_conformal_quantiles(code_of):
    from mapie.regression import ConformalizedQuantileRegressor

    names = code_of("MAPIE")
    table, y, reader = names["table"], names["y"], names["reader"]
    from sklearn.base import clone

    levels = [
        clone(reader).set_params(loss="quantile", quantiles=(level,)).fit(table[:150], y[:150])
        for level in (0.05, 0.95, 0.5)
    ]
    conformal = ConformalizedQuantileRegressor(levels, confidence_level=0.9, prefit=True)
    conformal.conformalize(table[150:220], y[150:220])
    predicted, intervals = conformal.predict_interval(table[220:])
    np.testing.assert_allclose(predicted, levels[2].predict(table[220:]))
    below = levels[0].predict(table[220:]) - intervals[:, 0, 0]
    np.testing.assert_allclose(below, below[0])  # the same correction for all


def test_windows_in_a_pipeline_pass_behind_a_target_regressor(code_of):
    from mapie.regression import SplitConformalRegressor
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.pipeline import make_pipeline

    from sklrnn import SlidingWindow, supervise

    names = code_of("MAPIE")
    series = np.sin(np.arange(300) / 5)[:, np.newaxis]
    X, y = supervise(series, horizon=1)
    pipeline = TransformedTargetRegressor(make_pipeline(SlidingWindow(8), names["network"]))
    conformal = SplitConformalRegressor(pipeline, confidence_level=0.9, prefit=False)
    conformal.fit(X[:150], y[:150]).conformalize(X[150:220], y[150:220])
    predicted, _ = conformal.predict_interval(X[220:])
    np.testing.assert_allclose(predicted, pipeline.fit(X[:150], y[:150]).predict(X[220:]))


def test_prediction_sets_hold_the_label(code_of):
    from mapie.classification import SplitConformalClassifier

    from sklrnn import GRUClassifier

    names = code_of("MAPIE")
    table, labels = names["table"], np.where(names["y"] > 0, "rise", "fall")
    classifier = GRUClassifier(units=8, max_epochs=20, n_timesteps=10, random_state=0)
    conformal = SplitConformalClassifier(classifier, confidence_level=0.9, prefit=False)
    conformal.fit(table[:150], labels[:150]).conformalize(table[150:220], labels[150:220])
    predicted, sets = conformal.predict_set(table[220:])
    assert set(predicted) == {"fall", "rise"}
    held = sets[np.arange(80), (labels[220:] == "rise").astype(int), 0]
    assert held.mean() > 0.75


def test_a_network_of_three_axes_is_refused_when_it_is_fitted(code_of):
    names = code_of("MAPIE")
    fitted = names["network"].fit(names["X"][:150], names["y"][:150])
    conformal = names["SplitConformalRegressor"](fitted, prefit=True)
    with pytest.raises(UserWarning, match=r"was fitted on X of shape \(sample, time, feature\)"):
        conformal.conformalize(names["X"][150:220], names["y"][150:220])
