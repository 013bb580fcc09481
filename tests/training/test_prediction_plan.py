"""Predictions by prepared calls: the modules' own results, after every change of the network."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from sklrnn import CNNLSTMRegressor, GRUClassifier, GRURegressor, RecurrentRegressor
from sklrnn.training.prediction_plan import PredictionPlan

TINY = {"units": 5, "max_epochs": 2, "random_state": 0}
X = np.random.default_rng(0).normal(size=(60, 7, 2))
Y = X[:, -3:, 0].sum(axis=1)
NETWORKS = {
    "textbook gru": {"reset_after": False},
    "minimal gru": {"cell": "minimal_gru"},
    "peepholes": {"cell": "lstm", "peephole": True},
    "plain": {},
    "two layers": {"units": (5, 4)},
    "lstm": {"cell": "lstm"},
    "mean": {"pooling": "mean"},
    "attention": {"pooling": "attention"},
    "convolution": {"filters": 4},
    "two convolutions": {"filters": (4, 3), "kernel_size": 2, "pool_size": 3, "batch_norm": True},
    "window": {"normalize_X": "window"},
    "missing": {"missing": "mask"},
}
every_network = pytest.mark.parametrize("options", NETWORKS.values(), ids=NETWORKS)


def fitted(**options):
    return RecurrentRegressor(**{"cell": "gru", **TINY, **options}).fit(X, Y)


def plan_of(model):
    """The plan that the model predicts with."""
    plan = model.model_._plan_for(X)
    assert plan is not None
    return plan


@every_network
@pytest.mark.parametrize("in_double", [False, True])
@pytest.mark.parametrize("n_samples", [1, 60])
def test_a_plan_gives_the_bits_of_the_modules(options, in_double, n_samples):
    model = fitted(**options)
    x = torch.from_numpy(X[:n_samples] if in_double else X[:n_samples].astype(np.float32))
    with torch.inference_mode():
        states, final, _ = plan_of(model).encode(x, in_double=in_double)
        expected_states, expected_final, _ = model.module_.encode(x, in_double=in_double)
    assert torch.equal(states, expected_states)
    assert torch.equal(final, expected_final)


@every_network
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_predictions_from_doubles_are_those_of_a_network_in_double(options, offset):
    model = RecurrentRegressor(**{"cell": "gru", **TINY, **options}).fit(X + offset, Y)
    with torch.no_grad():
        raw = model.model_.double_copy()(torch.from_numpy(X + offset)).numpy()
    assert_allclose(model.predict(X + offset), model._decode(raw, X + offset), rtol=0, atol=1e-6 * Y.std())
    assert np.ptp(model.predict(X + offset)) > 0.01 * Y.std()


@every_network
def test_a_prediction_does_not_depend_on_its_company(options):
    model = fitted(**options)
    assert_allclose(np.concatenate([model.predict(x[np.newaxis]) for x in X]), model.predict(X), rtol=0, atol=1e-7)


def test_weights_that_change_are_seen():
    model = fitted(units=(5, 4))
    head, layer = model.module_.head, model.module_.recurrent[0].forwards

    def add_in_numpy():
        head.bias.detach().numpy()[:] += 1.0

    def add_to_data():
        layer.weight_hh_l0.data.add_(0.3)

    def replace_data():
        layer.bias_ih_l0.data = layer.bias_ih_l0.data + 0.3

    def replace_parameter():
        layer.weight_ih_l0 = torch.nn.Parameter(layer.weight_ih_l0.detach() * 2)

    def replace_module():
        model.module_.head = torch.nn.Linear(4, 1)

    def load():
        model.module_.load_state_dict({name: w * 0.9 for name, w in model.module_.state_dict().items()})

    for change in (add_in_numpy, add_to_data, replace_data, replace_parameter, replace_module, load):
        before = model.predict(X)
        change()
        raw = model.model_.double_copy()(torch.from_numpy(X)).detach().numpy()
        assert_allclose(model.predict(X), model._decode(raw, X), rtol=0, atol=1e-5)
        assert not np.allclose(model.predict(X), before, atol=1e-3)


def test_training_on_is_seen():
    model = GRURegressor(**TINY, warm_start=True).fit(X, Y)
    for train_on in (model.partial_fit, model.fit):
        before = model.predict(X)
        train_on(X, Y)
        assert not np.allclose(model.predict(X), before, atol=1e-4)
        assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))


def test_hooks_of_modules_run():
    model, seen = fitted(), []
    model.predict(X[:1])
    hook = model.module_.recurrent[0].register_forward_hook(lambda *_: seen.append(1))
    model.predict(X[:1])
    assert seen == [1]
    hook.remove()
    model.predict(X[:1])
    assert seen == [1]


def test_a_plan_is_not_saved():
    model = fitted()
    before = pickle.dumps(model)
    model.predict(X)
    assert pickle.dumps(model) == before


@pytest.mark.parametrize("kind", [GRURegressor, CNNLSTMRegressor])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_threads_may_predict_with_one_model_at_once(kind, dtype):
    model = kind(**TINY).fit(X, Y)
    rows = [X[place : place + 1 + place % 4].astype(dtype) for place in range(50)] * 4
    expected = [model.predict(x) for x in rows]
    model = pickle.loads(pickle.dumps(model))  # whose plan is still to be made
    with ThreadPoolExecutor(8) as threads:
        for found, wanted in zip(threads.map(model.predict, rows), expected, strict=True):
            assert_array_equal(found, wanted)


def test_values_beyond_float32_saturate_gates():
    model = fitted()
    with pytest.warns(UserWarning, match="X lies far outside"):
        far = model.predict(np.full((1, 7, 2), 1e200))
    with pytest.warns(UserWarning, match="X lies far outside"):
        assert_allclose(far, model.predict(np.full((1, 7, 2), 1e25)))


@pytest.mark.parametrize("options", [{"cell": "slstm"}, {"bidirectional": True}, {"stateful": True}])
def test_other_networks_run_as_modules(options):
    assert fitted(**options, batch_size=5).model_._plan_for(X) is None


def test_probabilities_from_doubles_are_those_of_a_network_in_double():
    model = GRUClassifier(**TINY).fit(X, Y > 0)
    with torch.no_grad():
        expected = model.model_.double_copy()(torch.from_numpy(X)).softmax(dim=1).numpy()
    assert_allclose(model.predict_proba(X), expected, rtol=0, atol=1e-6)


def test_a_layer_that_was_put_in_double_is_run_in_double():
    model = fitted()
    expected = model.predict(X)
    model.module_.recurrent.double()
    assert_allclose(model.predict(X), expected, rtol=0, atol=1e-6)


def test_a_plan_of_a_network_without_kernels_reads_nothing(monkeypatch):
    model = fitted()
    monkeypatch.setenv("SKLRNN_KERNELS", "0")
    assert not PredictionPlan(model.module_).can_read(7)
