"""A prediction at every step: targets, weights and predictions have the raggedness of X."""

import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from sklrnn import GRUClassifier, GRURegressor, LSTMRegressor, SequenceScaler
from sklrnn.inputs.ragged import Ragged, as_object_array
from sklrnn.inputs.samples import Samples

TINY = {"units": 6, "max_epochs": 4, "random_state": 0, "return_sequences": True}


@pytest.fixture(scope="module")
def data():
    """Running means of the first feature, and whether they are positive."""
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 2)) for n in rng.integers(1, 12, 40)]
    y = [np.cumsum(x[:, 0]) / np.arange(1, len(x) + 1) for x in X]
    return X, y, [np.where(steps > 0, "up", "down") for steps in y]


def block():
    X = np.random.default_rng(1).normal(size=(30, 7, 2))
    return X, X.cumsum(axis=1)[..., 0]


def test_it_learns_what_holds_at_each_step(data):
    X, y, labels = data
    options = {**TINY, "units": 24, "max_epochs": 80}
    assert LSTMRegressor(**options).fit(X, y).score(X, y) > 0.9
    assert GRUClassifier(**options).fit(X, labels).score(X, labels) > 0.9


@pytest.mark.parametrize("form", [list, as_object_array])
def test_predictions_have_the_form_of_the_sequences(data, form):
    X, y, labels = data
    X, y = form(X), form(y)
    regressor, classifier = GRURegressor(**TINY).fit(X, y), GRUClassifier(**TINY).fit(X, form(labels))
    for predictions in (regressor.predict(X), classifier.predict(X), classifier.predict_proba(X)):
        assert isinstance(predictions, type(X))
        assert [len(row) for row in predictions] == [len(x) for x in X]
    assert all(row.ndim == 1 for row in regressor.predict(X))
    assert all(row.shape[1:] == (2,) for row in classifier.predict_proba(X))
    logs = classifier.predict_log_proba(X)
    assert_allclose(np.exp(logs[3]), classifier.predict_proba(X)[3])
    assert set(np.concatenate(list(classifier.predict(X)))) <= {"up", "down"}


def test_an_array_gives_an_array():
    X, y = block()
    model = GRURegressor(**TINY).fit(X, y)
    assert model.predict(X).shape == (30, 7)
    two = GRURegressor(**TINY).fit(X, X)
    assert two.n_outputs_ == 2
    assert two.predict(X).shape == (30, 7, 2)
    assert GRURegressor(**TINY, loss="quantile").fit(X, X).predict_quantiles(X).shape == (30, 7, 2, 3)
    assert GRUClassifier(**TINY).fit(X, y > 0).predict_proba(X).shape == (30, 7, 2)
    table = GRURegressor(**TINY).fit(X[:, :, 0], y)
    assert table.predict(X[:, :, 0]).shape == (30, 7)


def test_a_list_of_equally_long_sequences_is_as_an_array():
    X, y = block()
    options = {**TINY, "batch_size": 8}
    array, listed = GRURegressor(**options).fit(X, y), GRURegressor(**options).fit(list(X), list(y))
    assert_array_equal(array.predict(X), listed.predict(X))
    assert isinstance(listed.predict(list(X)), list)


@pytest.mark.parametrize("options", [{}, {"bidirectional": True}, {"filters": 3}])
def test_a_prediction_is_that_of_the_sequence_alone(data, options):
    X, y, _ = data
    model = GRURegressor(**TINY, **options).fit(X, y)
    for x, predictions in zip(X, model.predict(X), strict=True):
        assert_allclose(predictions, model.predict(x[np.newaxis])[0], rtol=1e-9)


def test_each_real_step_has_the_same_weight_in_training(data):
    X, y, _ = data
    model = GRURegressor(**TINY, batch_size=16).fit(X, y)
    checked = model._check_X(X, reset=False)
    rows = Samples(checked, Ragged.from_list([steps[:, np.newaxis] for steps in y]), per_timestep=True)
    errors = np.concatenate(y) - np.concatenate(model.predict(X))
    expected = np.mean((errors / model._y_spread) ** 2)
    net = model.net_
    assert_allclose(net.evaluate(model._batches(rows, 7, n_streams=1)), expected, rtol=1e-4)
    assert_allclose(net.evaluate(model._batches(rows, 100, n_streams=1)), expected, rtol=1e-4)


def test_the_loss_is_finite_where_padding_would_not_be(data):
    X, y, _ = data

    class PickyLoss(torch.nn.Module):
        """The logarithm of what padding does not have."""

        def __init__(self, reduction):
            super().__init__()

        def forward(self, raw, target):
            return (raw - target.log()) ** 2

    model = GRURegressor(**TINY, loss=PickyLoss, normalize_y=False).fit(X, [np.exp(steps) for steps in y])
    assert np.isfinite(model.loss_curve_).all()


def test_weights_of_sequences_and_of_steps(data):
    X, y, _ = data
    options = {**TINY, "batch_size": 100}
    rng = np.random.default_rng(0)
    weights = rng.integers(0, 3, len(X)).astype(float)
    by_row = GRURegressor(**options).fit(X, y, sample_weight=weights)
    by_step = GRURegressor(**options).fit(X, y, [np.full(len(x), w) for x, w in zip(X, weights, strict=True)])
    assert_array_equal(np.concatenate(by_row.predict(X)), np.concatenate(by_step.predict(X)))
    copies = np.repeat(np.arange(len(X)), weights.astype(int))
    repeated = GRURegressor(**options).fit([X[i] for i in copies], [y[i] for i in copies])
    assert_allclose(np.concatenate(by_row.predict(X)), np.concatenate(repeated.predict(X)), rtol=1e-4)


@pytest.mark.parametrize("ragged", [False, True])
def test_a_step_without_weight_has_no_effect(data, ragged):
    X, y = data[:2] if ragged else block()
    weights = [np.r_[np.zeros(len(x) - 1), 1.0] for x in X]
    spoiled = [np.r_[np.full(len(steps) - 1, 1e3), steps[-1]] for steps in y]
    options = {**TINY, "batch_size": 8}
    model = GRURegressor(**options).fit(X, y, weights)
    same = GRURegressor(**options).fit(X, spoiled, weights)
    assert_array_equal(np.concatenate(list(model.predict(X))), np.concatenate(list(same.predict(X))))


def test_scores_are_those_of_all_steps(data):
    X, y, labels = data
    regressor, classifier = GRURegressor(**TINY).fit(X, y), GRUClassifier(**TINY).fit(X, labels)
    flat = np.concatenate
    assert_allclose(regressor.score(X, y), r2_score(flat(y), flat(regressor.predict(X))))
    assert_allclose(classifier.score(X, labels), accuracy_score(flat(labels), flat(classifier.predict(X))))
    weights = np.random.default_rng(0).random(len(X))
    of_steps = [np.full(len(x), w) for x, w in zip(X, weights, strict=True)]
    expected = r2_score(flat(y), flat(regressor.predict(X)), sample_weight=flat(of_steps))
    assert_allclose(regressor.score(X, y, weights), expected)
    assert_allclose(regressor.score(X, y, of_steps), expected)
    with pytest.raises(ValueError, match="Row 1 of y holds 0 labels"):
        regressor.score(X, [y[0], y[1][:0], *y[2:]])


def test_class_weights_count_steps(data):
    X, _, labels = data
    share = np.mean(np.concatenate(labels) == "up")
    of_class = {"up": 0.5 / share, "down": 0.5 / (1 - share)}
    options = {**TINY, "batch_size": 8}
    balanced = GRUClassifier(**options, class_weight="balanced").fit(X, labels)
    by_hand = GRUClassifier(**options, class_weight=of_class).fit(X, labels)
    assert_allclose(np.concatenate(balanced.predict_proba(X)), np.concatenate(by_hand.predict_proba(X)), rtol=1e-5)
    plain = GRUClassifier(**options).fit(X, labels)
    assert not np.allclose(np.concatenate(balanced.predict_proba(X)), np.concatenate(plain.predict_proba(X)))


@pytest.mark.parametrize("form", [list, as_object_array])
def test_searches_and_pipelines(data, form):
    X, _, labels = data
    pipeline = make_pipeline(SequenceScaler(), GRUClassifier(**TINY))
    search = GridSearchCV(pipeline, {"gruclassifier__units": [2, 3]}, cv=2, error_score="raise")
    assert len(search.fit(form(X), form(labels)).predict(form(X))) == len(X)
    array, y = block()
    assert GridSearchCV(GRUClassifier(**TINY), {"units": [2, 3]}, cv=2).fit(array, y > 0).score(array, y > 0) > 0.4


@pytest.mark.parametrize("options", [{}, {"bidirectional": True}, {"filters": 3}, {"units": (3, 3)}])
def test_a_stream_predicts_like_the_newest_step(data, options):
    X, y, labels = data
    x = max(X, key=len)
    for model, target in ((GRURegressor(**{**TINY, **options}), y), (GRUClassifier(**{**TINY, **options}), labels)):
        stream = model.fit(X, target).start_stream()
        live = [stream.step(x_t) for x_t in x]
        wanted = [model.predict(x[np.newaxis, : n + 1])[0][-1] for n in range(len(x))]
        assert [np.shape(prediction) for prediction in live] == [()] * len(x)
        if target is y:
            assert_allclose(live, wanted, rtol=1e-9)
        else:
            assert_array_equal(live, wanted)


def test_segments_of_one_sequence():
    """The newest sign that was shown: mostly an earlier segment showed it."""
    rng = np.random.default_rng(0)
    steps = rng.choice([0.0, -1.0, 1.0], p=[0.8, 0.1, 0.1], size=800)
    steps[0] = 1.0
    shown = np.maximum.accumulate(np.where(steps != 0, np.arange(800), 0))
    steps, y = steps.reshape(200, 4), steps[shown].astype(int).reshape(200, 4)
    options = {**TINY, "units": 16, "max_epochs": 40, "batch_size": 10, "learning_rate": 0.02}
    model = GRUClassifier(**options, stateful=True).fit(steps, y)
    assert model.score(steps, y) > 0.97
    assert GRUClassifier(**options).fit(steps, y).score(steps, y) < 0.85
    stream = model.start_stream()
    live = [stream.step(step) for step in steps[:20].reshape(-1)]
    assert_array_equal(live, model.predict(steps[:20]).reshape(-1))
    states = model.hidden_states(steps[:10])
    assert states.shape == (10, 4, 16)


def test_weights_of_segments():
    X, y = block()
    weights = np.random.default_rng(0).random(y.shape)
    options = {**TINY, "stateful": True, "batch_size": 4}
    same = GRURegressor(**options).fit(X, y, np.ones_like(y))
    plain, weighted = GRURegressor(**options).fit(X, y), GRURegressor(**options).fit(X, y, weights)
    assert_allclose(same.predict(X), plain.predict(X), rtol=1e-6)
    assert not np.allclose(weighted.predict(X), plain.predict(X))


def test_intervals_come_from_errors_on_held_out_steps():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 1)) for n in rng.integers(2, 12, 200)]
    y = [x[:, 0] + rng.normal(size=len(x)) for x in X]
    model = GRURegressor(**{**TINY, "max_epochs": 20}, early_stopping=True, validation_fraction=0.3).fit(X, y)
    low, high = np.concatenate(model.predict_interval(X, 0.8)[-60:]).T
    truth = np.concatenate(y[-60:])
    assert 0.79 < np.mean((low <= truth) & (truth <= high)) < 0.83


def test_continuing_and_saving(data):
    X, y, labels = data
    model = GRUClassifier(**TINY, warm_start=True).fit(X, labels).fit(X, labels)
    assert model.n_iter_ == 8
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(np.concatenate(again.predict(X)), np.concatenate(model.predict(X)))
    growing = GRURegressor(**TINY)
    assert growing.partial_fit(X[:20], y[:20]).partial_fit(X[20:], y[20:]).n_iter_ == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y: [*y[:3], y[3][:-1], *y[4:]], r"Row 3 of y holds \d+ labels, but sequence 3 has \d+ steps"),
        (lambda y: y[:-1], "y must hold the labels of each of the 40 sequences, got 39 of them"),
        (lambda y: np.zeros(40), r"needs labels for every step.*row 0 of y is 0\.0\."),
        (lambda y: ["up"] * 40, "needs labels for every step.*row 0 of y is 'up'"),
        (lambda y: [*y[:3], np.full(len(y[3]), np.nan), *y[4:]], "Input y contains NaN"),
        (lambda y: None, "requires y to be passed"),
        (lambda y: 3, "got a single value"),
    ],
)
@pytest.mark.parametrize("kind", [GRURegressor, GRUClassifier])
def test_bad_targets(data, kind, change, message):
    X, y, _ = data
    if kind is GRUClassifier:
        y = [np.sign(steps) for steps in y]
    y = [np.append(steps, 0.0) if len(steps) == 1 and i == 3 else steps for i, steps in enumerate(y)]
    X = [np.zeros((2, 2)) if len(x) == 1 and i == 3 else x for i, x in enumerate(X)]
    with pytest.raises(ValueError, match=message):
        kind(**TINY).fit(X, change(y))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X: [np.ones(len(x) + 1) for x in X], "Row 0 of sample_weight holds"),
        (lambda X: np.ones(3), "one number for each of the 40 samples"),
        (lambda X: [-np.ones(len(x)) for x in X], "must not be negative"),
        (lambda X: [np.zeros(len(x)) for x in X], "zero for every"),
    ],
)
def test_bad_weights(data, change, message):
    X, y, _ = data
    with pytest.raises(ValueError, match=message):
        GRURegressor(**TINY).fit(X, y, change(X))


def test_pooling_leaves_no_step_to_predict():
    X, y = block()
    with pytest.raises(ValueError, match="predicts at every step, but pool_size=2 joins steps"):
        GRURegressor(**TINY, filters=3, pool_size=2).fit(X, y)


@pytest.mark.parametrize("lengths", [(3, 4, 5, 6), (4, 4, 5, 5), (4, 4, 4, 4)])
def test_cross_val_predict_takes_lists_of_sequences(lengths):
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(length, 2)) for length in lengths]
    y = [np.where(x[:, 0] > 0, "up", "down") for x in X]
    y[0][:2], y[3][:2] = ["up", "down"], ["up", "down"]
    model = GRUClassifier(**TINY)
    predicted = cross_val_predict(model, X, y, cv=KFold(2))
    expected = [*model.fit(X[2:], y[2:]).predict(X[:2]), *model.fit(X[:2], y[:2]).predict(X[2:])]
    assert len(predicted) == 4
    for row, alone in zip(predicted, expected, strict=True):
        assert_array_equal(row, alone)


def test_predictions_of_a_list_are_a_list_to_numpy_and_pickle():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(length, 2)) for length in (3, 5, 4)]
    predicted = GRURegressor(**TINY).fit(X, [x[:, 0] for x in X]).predict(X)
    assert isinstance(predicted, list)
    assert np.concatenate(predicted).shape == (12,)
    assert np.unique(predicted[:1]).shape == (3,)
    even = type(predicted)(predicted[:1] * 2)
    assert np.concatenate([even, even]).shape == (4, 3)
    assert np.mean(even) == pytest.approx(predicted[0].mean())
    assert [len(row) for row in pickle.loads(pickle.dumps(predicted))] == [3, 5, 4]
