"""Networks of convolutions without a recurrent layer: ``cell=None``."""

import pickle
import warnings

import numpy as np
import pytest
import skops.io
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import sklrnn
from sklrnn import RecurrentClassifier, RecurrentRegressor, SequenceGenerator, SequenceScaler
from sklrnn.forecasting import RecurrentForecaster
from sklrnn.inspection import cell_states, filters, gates, gradient_flow

RNG = np.random.default_rng(3)
X = RNG.normal(size=(60, 12, 2))
# A rise anywhere in the sequence: what a filter finds.
Y = np.diff(X[:, :, 0], axis=1).max(axis=1)
LABELS = np.where(np.median(Y) < Y, "steep", "flat")
RAGGED = [x[:length] for x, length in zip(X, RNG.integers(1, 13, size=60), strict=True)]
ALONE = {"cell": None, "filters": (3, 4), "max_epochs": 3, "random_state": 0}
READOUTS = [
    {"pooling": "last", "kernel_size": 7},
    {"pooling": "mean"},
    {"pooling": "max", "pool_size": 2},
    {"pooling": "attention", "batch_norm": True},
    {"pooling": "max", "convolution_skip": True, "dropout": 0.2},
]
every_readout = pytest.mark.parametrize("options", READOUTS, ids=str)


def regressor(**options):
    return RecurrentRegressor(**ALONE | {"pooling": "max"} | options)


def test_prediction_is_that_of_the_equations():
    model = regressor(filters=3, normalize_X=False, normalize_y=False).fit(X, Y)
    convolution, head = model.module_.convolution.layers[0], model.module_.head
    weight, bias, to_output, offset = (
        value.detach().double().numpy() for value in (convolution.weight, convolution.bias, head.weight, head.bias)
    )
    padded = np.concatenate([np.zeros((60, 2, 2)), X], axis=1)
    sums = sum(padded[:, place : place + 12] @ weight[:, :, place].T for place in range(3)) + bias
    assert_allclose(model.predict(X), np.maximum(sums, 0).max(axis=1) @ to_output[0] + offset[0], rtol=1e-10)


def test_it_learns_what_filters_find():
    model = regressor(filters=16, max_epochs=150, learning_rate=0.02).fit(X, Y)
    assert model.score(X, Y) > 0.9
    assert model.net_.path_ == "fused"


@every_readout
def test_padding_has_no_effect_on_a_prediction(options):
    model = regressor(**options).fit(RAGGED, Y)
    assert_allclose(model.predict(RAGGED), [model.predict([x])[0] for x in RAGGED], rtol=1e-10)


@every_readout
def test_stream_predicts_like_predict_on_the_steps_so_far(options):
    model = regressor(**options).fit(X, Y)
    stream = model.start_stream()
    for n_steps in range(1, 13):
        assert_allclose(stream.step(X[0, n_steps - 1]), model.predict(X[:1, :n_steps])[0], rtol=1e-10)


@every_readout
@pytest.mark.parametrize("kind", [RecurrentRegressor, RecurrentClassifier])
def test_saved_models_predict_the_same(options, kind):
    model = kind(**ALONE | options).fit(X, Y if kind is RecurrentRegressor else LABELS)
    by_skops = skops.io.loads(skops.io.dumps(model), trusted=sklrnn.trusted_types())
    for copied in (pickle.loads(pickle.dumps(model)), by_skops):
        assert_array_equal(copied.predict(X), model.predict(X))


def test_each_step_may_have_a_prediction():
    model = RecurrentRegressor(**ALONE, return_sequences=True).fit(X, X[:, :, 0])
    before = model.predict(X)
    changed = X.copy()
    changed[:, 8:] += 1
    assert before.shape == (60, 12)
    assert_array_equal(model.predict(changed)[:, :8], before[:, :8])


def test_training_continues():
    model = regressor().fit(X, Y).partial_fit(X, Y)
    assert len(model.loss_curve_) == 4
    assert regressor(warm_start=True).fit(X, Y).fit(X, Y).loss_curve_[-1] < model.loss_curve_[0]


def test_search_compares_it_with_cells():
    pipeline = make_pipeline(SequenceScaler(), regressor())
    grid = {"recurrentregressor__cell": [None, "gru"], "recurrentregressor__units": [4, (4, 4)]}
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(X, Y)
    assert len(np.unique(search.cv_results_["mean_test_score"])) == 3  # units have no effect without a cell
    assert clone(search.best_estimator_).get_params().keys() == pipeline.get_params().keys()


def test_states_are_what_the_last_convolution_gives():
    model = regressor().fit(X, Y)
    network = model.model_.double_copy()
    with torch.no_grad():
        expected = network.convolution(network.standardise(torch.from_numpy(X)).transpose(0, 1))
    assert_allclose(model.hidden_states(X), expected.transpose(0, 1), rtol=1e-10)


def test_penalties_act_on_the_convolutions():
    def size(**options):
        layers = regressor(max_epochs=50, **options).fit(X, Y).module_.convolution.layers
        return sum(float(layer.weight.detach().square().sum()) for layer in layers)

    assert size(l2=0.1) < size() / 2
    assert size(l1=0.1) < size() / 2


def test_dropout_acts_in_training_only():
    model = regressor(dropout=0.5).fit(X, Y)
    assert model.loss_curve_ != regressor().fit(X, Y).loss_curve_
    assert_array_equal(model.predict(X), model.predict(X))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"filters": None}, "Set filters, such as filters=32, or a cell"),
        ({"bidirectional": True}, "Set bidirectional=False, or a cell"),
        ({"recurrent_dropout": 0.1}, "Set recurrent_dropout=0.0, or a cell"),
        ({"residual": True}, "Set residual=False, or a cell"),
        ({"stateful": True}, "Set stateful=False, or a cell"),
        ({"peephole": True}, "is an option of cell='lstm', got cell=None"),
        ({"cell": "none"}, "The 'cell' parameter of RecurrentRegressor must be"),
    ],
    ids=str,
)
def test_options_of_recurrent_layers_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        regressor(**options).fit(X, Y)


def test_classes_without_convolutions_need_a_cell():
    for model, data in ((RecurrentForecaster(cell=None), (Y,)), (SequenceGenerator(cell=None), (["ab", "ba"],))):
        with pytest.raises(ValueError, match="The 'cell' parameter of .* must be .* Got None"):
            model.fit(*data, **({"fh": [1]} if isinstance(model, RecurrentForecaster) else {}))


def test_fit_warns_of_steps_that_the_newest_output_does_not_read():
    with pytest.warns(UserWarning, match='With cell=None and pooling="last" the prediction reads the newest 5 of 12'):
        model = regressor(pooling="last").fit(X, Y)
    changed = X.copy()
    changed[:, :7] += 1
    assert_array_equal(model.predict(changed), model.predict(X))
    changed[:, 7:] += 1
    assert (model.predict(changed) != model.predict(X)).any()


@pytest.mark.parametrize("options", [{"kernel_size": 7}, {"pool_size": 8}, {"convolution_skip": True}], ids=str)
def test_fit_does_not_warn_where_all_steps_are_read(options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        regressor(pooling="last", **options).fit(X, Y)


def test_inspection_shows_filters_and_says_that_there_are_no_gates():
    model = regressor().fit(X, Y)
    for look in (gates, cell_states, gradient_flow):
        with pytest.raises(ValueError, match="no recurrent layers .*filter_responses"):
            look(model, X)
    assert filters(model).shape == (6, 3)
    assert gradient_flow(model, X, with_respect_to="input").shape == (12, 60)
