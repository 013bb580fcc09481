"""Exported models answer like ``predict``, in the user's units."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV

from sklrnn import GRUClassifier, GRURegressor, LSTMClassifier, RecurrentClassifier, RecurrentRegressor
from sklrnn.cells import StepwiseCell
from sklrnn.export import to_onnx

pytest.importorskip("onnxruntime")

OFFSET = 1000.0
FAST = {"max_epochs": 1, "random_state": 0}
CELLS = [
    {"cell": "simple_rnn"},
    {"cell": "simple_rnn", "activation": "relu"},
    {"cell": "gru"},
    {"cell": "gru", "reset_after": False},
    {"cell": "minimal_gru"},
    {"cell": "lstm"},
    {"cell": "lstm", "peephole": True},
    {"cell": "slstm"},
]


def close(actual, expected):
    """To 1e-5 of the spread of the predictions, whatever their offset."""
    spread = np.std(np.asarray(expected, dtype=float))
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=1e-7, atol=1e-5 * spread)


def sequences(n_samples=24, n_steps=9, missing=False):
    X = np.random.default_rng(1).normal(size=(n_samples, n_steps, 2)) * [1.0, 3.0] + [0.0, 5.0]
    if missing:
        X[np.random.default_rng(2).random(X.shape) < 0.2] = np.nan
    return X


@st.composite
def networks(draw):
    """Options that any regressor and classifier has, in combinations that are allowed."""
    choose = lambda *values: draw(st.sampled_from(values))  # noqa: E731
    options = {**FAST, **choose(*CELLS), "units": choose(3, (4, 4)), "residual": choose(False, True)}
    options |= {"bidirectional": choose(False, True), "missing": choose("error", "mask")}
    if choose(False, True):
        options |= {"filters": choose(3, (3, 2)), "kernel_size": choose(1, 3), "batch_norm": choose(False, True)}
    options["return_sequences"] = choose(False, True)
    if not options["return_sequences"]:
        options |= {"pooling": choose("last", "mean", "max", "attention"), "normalize_X": choose(True, False, "window")}
        options |= {"pool_size": choose(1, 2), "convolution_skip": choose(False, True)} if "filters" in options else {}
    return options


losses = st.sampled_from(["squared_error", "quantile", "gaussian", "poisson"])
precisions = st.sampled_from(["float32", "float64"])


@settings(deadline=None, max_examples=40, derandomize=True)
@given(networks(), losses, precisions, st.booleans(), st.booleans())
def test_random_regressors_answer_like_predict_for_any_number_of_samples_and_steps(
    run_onnx, options, loss, dtype, two_outputs, by_window
):
    missing = options["missing"] == "mask"
    if by_window and not options["return_sequences"]:
        options |= {"normalize_y": "window", "target_feature": 1}
    X = sequences(missing=missing)
    known = np.nan_to_num(X) + OFFSET
    y = known if two_outputs else known[:, :, 0]
    y = y if options["return_sequences"] else y[:, -1]
    model = RecurrentRegressor(**options, loss=loss).fit(X, y)
    exported = to_onnx(model, dtype=dtype, quantiles=[0.2, 0.5] if loss in ("quantile", "gaussian") else None)
    for n_samples, n_steps in [(24, 9), (5, 21), (1, 4)]:
        new = sequences(n_samples, n_steps, missing).astype(dtype)
        answers = run_onnx(exported, X=new)
        expected = model.predict(new)
        scale = np.ptp(y)
        np.testing.assert_allclose(answers["prediction"], expected, rtol=1e-5, atol=1e-5 * scale)
        assert answers["prediction"].dtype == expected.dtype
        if "quantiles" in answers:
            of_network = model.predict_quantiles(new, [0.2, 0.5])
            np.testing.assert_allclose(answers["quantiles"], of_network, rtol=1e-5, atol=1e-5 * scale)


@settings(deadline=None, max_examples=20, derandomize=True)
@given(networks(), precisions, st.sampled_from([["a", "bc", "d"], [3, 5, 9], [False, True], [1.0, 2.0]]))
def test_random_classifiers_give_the_labels_and_probabilities(run_onnx, options, dtype, labels):
    missing = options["missing"] == "mask"
    X = sequences(missing=missing).astype(dtype)
    n_labels = X.shape[:2] if options["return_sequences"] else len(X)
    y = np.array(labels)[np.random.default_rng(3).permutation(np.arange(np.prod(n_labels)) % len(labels))]
    model = RecurrentClassifier(**options).fit(X, y.reshape(n_labels))
    answers = run_onnx(to_onnx(model, dtype=dtype), X=X)
    expected = model.predict_proba(X)
    np.testing.assert_allclose(answers["probabilities"], expected, rtol=1e-5, atol=1e-6)
    highest = np.sort(expected, axis=-1)
    sure = highest[..., -1] - highest[..., -2] > 1e-5
    assert sure.any()
    assert np.array_equal(answers["label"][sure], np.array(model.predict(X))[sure])


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: "-".join(map(str, cell.values())))
def test_every_cell_agrees_where_nothing_else_is_in_the_way(run_onnx, cell):
    X = sequences()
    model = RecurrentRegressor(units=5, max_epochs=5, random_state=0, **cell).fit(X, X[:, -1, 0] + OFFSET)
    close(run_onnx(to_onnx(model), X=X)["prediction"], model.predict(X))


def test_a_small_change_of_the_weights_is_seen(run_onnx):
    X = sequences()
    model = GRURegressor(units=4, **FAST).fit(X, X[:, -1, 0])
    exported = to_onnx(model)
    model.module_.head.bias.data += 1e-3
    with pytest.raises(AssertionError):
        close(run_onnx(exported, X=X)["prediction"], model.predict(X))


def test_quantiles_of_held_out_errors_are_exported(run_onnx):
    X = sequences(60)
    model = GRURegressor(units=4, early_stopping=True, validation_fraction=0.3, **FAST).fit(X, X[:, -1, 0])
    answers = run_onnx(to_onnx(model, quantiles=[0.05, 0.5, 0.999]), X=X)
    close(answers["quantiles"], model.predict_quantiles(X, [0.05, 0.5, 0.999]))


def test_tables_keep_the_form_of_fit(run_onnx):
    table = np.random.default_rng(0).normal(size=(30, 12))
    series = GRURegressor(units=4, **FAST).fit(table, table[:, -1])
    close(run_onnx(to_onnx(series), X=table)["prediction"], series.predict(table))
    blocks = GRURegressor(units=4, n_timesteps=4, **FAST).fit(table, table[:, -1])
    close(run_onnx(to_onnx(blocks), X=table)["prediction"], blocks.predict(table))


def test_tokens_known_and_unknown_are_embedded(run_onnx):
    random = np.random.default_rng(0)
    tokens = random.integers(0, 20, size=(40, 6)) * 7
    model = LSTMClassifier(units=4, embedding_dim=3, **FAST).fit(tokens, tokens[:, -1] > 60)
    new = random.integers(0, 200, size=(10, 15))
    np.testing.assert_allclose(
        run_onnx(to_onnx(model), X=new)["probabilities"], model.predict_proba(new), rtol=1e-5, atol=1e-6
    )


def test_segments_of_a_stateful_estimator_are_one_stream(run_onnx):
    X = sequences()
    model = GRURegressor(units=4, stateful=True, batch_size=4, max_epochs=5, random_state=0).fit(X, X[:, 0, 0])
    close(run_onnx(to_onnx(model), X=X)["prediction"], model.predict(X))


def test_a_path_gets_the_model(run_onnx, tmp_path):
    onnx = pytest.importorskip("onnx")
    X = sequences()
    model = GRURegressor(units=4, **FAST).fit(X, X[:, -1, 0])
    returned = to_onnx(model, tmp_path / "model.onnx")
    stored = onnx.load(tmp_path / "model.onnx")
    onnx.checker.check_model(stored, full_check=True)
    assert stored == returned


class Leaky(StepwiseCell):
    gates = ("candidate",)

    def step(self, inputs, seen, recurrent, state):
        return 0.9 * state + 0.1 * (inputs + seen @ recurrent).tanh()


def test_what_cannot_be_exported_is_refused_with_advice():
    X = sequences()
    y = X[:, -1, 0]
    own = RecurrentRegressor(cell=Leaky, units=3, **FAST).fit(X, y)
    with pytest.raises(ValueError, match='got cell=Leaky.*cell="gru".*torch.export'):
        to_onnx(own)
    with pytest.raises(TypeError, match="got Ridge"):
        to_onnx(Ridge())
    model = GRURegressor(units=3, **FAST).fit(X, y)
    search = GridSearchCV(GRURegressor(**FAST), {"units": [3]}, cv=2).fit(X, y)
    with pytest.raises(TypeError, match="got GridSearchCV. Pass its best_estimator_"):
        to_onnx(search)
    with pytest.raises(ValueError, match="dtype must be"):
        to_onnx(model, dtype="float16")
    with pytest.raises(ValueError, match="quantiles must be numbers between 0 and 1"):
        to_onnx(model, quantiles=[1.5])
    with pytest.raises(ValueError, match="no samples were held out"):
        to_onnx(model, quantiles=[0.5])
    with pytest.raises(ValueError, match="quantiles are an output of regressors"):
        to_onnx(GRUClassifier(units=3, **FAST).fit(X, y > 0), quantiles=[0.5])
    between = GRURegressor(units=3, loss="quantile", **FAST).fit(X, y)
    with pytest.raises(ValueError, match="was trained for the quantiles"):
        to_onnx(between, quantiles=[0.01])


def test_a_pickled_estimator_is_exported_as_the_same_model():
    X = sequences()
    model = GRURegressor(units=3, **FAST).fit(X, X[:, -1, 0])
    assert to_onnx(pickle.loads(pickle.dumps(model))) == to_onnx(model)


def test_an_estimator_that_is_not_fitted_is_refused():
    with pytest.raises(NotFittedError):
        to_onnx(GRURegressor())
