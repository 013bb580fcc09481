"""Bad input gets an error that says what was given, what is needed and what to do."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.exceptions import DataConversionWarning

from sklrnn import GRUClassifier, GRURegressor

TINY = {"units": 3, "max_epochs": 2, "random_state": 0}
X = np.random.default_rng(0).normal(size=(20, 4, 2))
y = X[:, -1, 0]


def with_value(array, value):
    changed = array.copy()
    changed.flat[3] = value
    return changed


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (with_value(X, np.nan), r"Input X contains NaN.*The first is in feature 1 .*, sample 0, step 1"),
        (with_value(X, np.inf), "Input X contains infinity"),
        (with_value(X[:, :, 0], np.nan), r'Input X contains NaN. Set missing="mask" .* RecurrentImputer'),
        (X[:0], r"Found array with 0 sample\(s\)"),
        (X[:, :0], r"at least one time step and one feature, got X of shape .* = \(20, 0, 2\)"),
        (X[:, :, :0], r"at least one time step and one feature, got X of shape .* = \(20, 4, 0\)"),
        (X[:, 0, 0], "Expected 2D array, got 1D array instead"),
        (
            X[..., np.newaxis],
            r"reads X as \(sample, time\) or .*, got an array of 4 dimensions and shape \(20, 4, 2, 1\)",
        ),
        (X + 1j, "Complex data not supported"),
        (sparse.csr_array(X[:, 0]), "Sparse data was passed"),
        (np.full((20, 3), "word"), "could not convert string to float: .*TokenEncoder .* embedding_dim"),
        ([np.zeros((3, 1)), np.zeros((4, 2))], r"needs the same features, but sequence 1 has the shape \(4, 2\)"),
        (["one", "two"], r"X holds texts, such as 'one', .* make_pipeline\(TokenEncoder\(\), GRU.*\(embedding_dim=16"),
        (pd.Series(["one", "two"]), "X holds texts, such as 'one', .*TokenEncoder"),
        (np.array(["one", "two"]), "X holds texts, such as 'one', .*TokenEncoder"),
        ([["one", "two"], ["three"]], "sequence 0 holds strings, such as 'one'.* TokenEncoder"),
    ],
)
@pytest.mark.parametrize("kind", [GRURegressor, GRUClassifier])
def test_sequences(kind, bad, message):
    n = bad.shape[0] if hasattr(bad, "shape") else len(bad)
    with pytest.raises((ValueError, TypeError), match=message):
        kind(**TINY).fit(bad, (y[:n] > 0) if kind is GRUClassifier else y[:n])


@pytest.mark.parametrize("X", [with_value(X, np.nan), with_value(X[:, :, 0], np.nan), [*X[:-1], X[-1, 1:] * np.nan]])
@pytest.mark.parametrize("kind", [GRURegressor, GRUClassifier])
def test_an_error_about_nan_names_what_this_package_has_for_it(kind, X):
    with pytest.raises(ValueError, match=r'Input X contains NaN.*missing="mask".*RecurrentImputer') as caught:
        kind(**TINY).fit(X, y > 0)
    assert "HistGradientBoosting" not in str(caught.value)
    kind(**TINY, missing="mask").fit(X, y > 0)


@pytest.mark.parametrize("bad", [["one", "two"], pd.Series(["one", "two"]), [["one", "two"], ["one"]]])
def test_texts_with_an_embedding_need_an_encoder(bad):
    with pytest.raises(ValueError, match="holds (texts|strings), such as 'one'.*TokenEncoder"):
        GRURegressor(**TINY, embedding_dim=3).fit(bad, y[:2])
    with pytest.raises(ValueError, match="got 'one' in sample 0.*TokenEncoder"):
        GRURegressor(**TINY, embedding_dim=3).fit(np.full((2, 3), "one"), y[:2])


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (with_value(y, np.nan), "Input y contains NaN"),
        (with_value(y, np.inf), "Input y contains infinity"),
        (y[:-1], r"inconsistent numbers of samples: \[20, 19\]"),
        (y.reshape(20, 1, 1), r"y must be \(sample,\) or \(sample, output\), got shape \(20, 1, 1\)"),
        (None, "requires y to be passed"),
    ],
)
def test_targets(bad, message):
    with pytest.raises(ValueError, match=message):
        GRURegressor(**TINY).fit(X, bad)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (["a"] * 20, r"at least 2 classes, got only one class: \['a'\]"),
        (y, "Unknown label type"),
        (np.array([0, 1] * 9 + [0]), r"inconsistent numbers of samples: \[20, 19\]"),
    ],
)
def test_labels(bad, message):
    with pytest.raises(ValueError, match=message):
        GRUClassifier(**TINY).fit(X, bad)


def test_a_column_of_labels_warns_as_scikit_learn_does():
    with pytest.warns(DataConversionWarning, match="column-vector y was passed"):
        GRUClassifier(**TINY).fit(X, (y > 0)[:, np.newaxis])


def test_an_unknown_label_when_training_continues():
    model = GRUClassifier(**TINY, warm_start=True).fit(X, np.repeat([1, 2], 10))
    with pytest.raises(
        ValueError, match=r"labels that GRUClassifier does not know: \[3\]. It was fitted with \[1, 2\]"
    ):
        model.fit(X, np.repeat([1, 3], 10))


def test_a_class_with_samples_of_weight_zero_only_is_absent():
    weights = np.repeat([1.0, 0.0], 10)
    with pytest.raises(ValueError, match="only one class"):
        GRUClassifier(**TINY).fit(X, np.repeat([0, 1], 10), weights)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones(3), r"one number for each of the 20 samples, got shape \(3,\)"),
        (-np.ones(20), "must not be negative, got -1.0 in row 0"),
        (np.zeros(20), "zero for every sample"),
        (np.full(20, np.nan), "Input sample_weight contains NaN"),
        (0, "zero for every sample"),
        (-1.0, "must not be negative"),
    ],
)
def test_weights(weights, message):
    with pytest.raises(ValueError, match=message):
        GRURegressor(**TINY).fit(X, y, sample_weight=weights)


@pytest.mark.parametrize(
    ("given", "later", "message"),
    [
        (X, X[:, :, :1], "X has 1 features, but GRURegressor is expecting 2 features"),
        (X[:, :, 0], X[:, :3, 0], "X has 3 features, but GRURegressor is expecting 4 features"),
        (X, X[:, :, 0], r"was fitted on X of shape \(sample, time, feature\), got \(sample, time\)"),
        (X[:, :, 0], X, r"was fitted on X of shape \(sample, time\), got \(sample, time, feature\)"),
        (X, X[:, :0], "at least one time step"),
    ],
)
def test_shapes_at_predict(given, later, message):
    with pytest.raises(ValueError, match=message):
        GRURegressor(**TINY).fit(given, y).predict(later)


def test_number_of_outputs_when_training_continues():
    model = GRURegressor(**TINY, warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match=r"was fitted with 1 output\(s\), got y with 2"):
        model.fit(X, np.c_[y, y])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"loss": "squared"}, "The 'loss' parameter of GRURegressor must be a str among"),
        (
            {"units": 0},
            r"The 'units' parameter .* in the range \[1, inf\) or a non-empty tuple of ints.* Got 0 instead",
        ),
        ({"units": ()}, r"The 'units' parameter .* non-empty tuple of ints, each at least 1. Got \(\) instead"),
        ({"units": (4, 0)}, r"The 'units' parameter .* Got \(4, 0\) instead"),
        ({"units": 2.5}, "The 'units' parameter"),
        ({"dropout": 1.0}, r"The 'dropout' parameter .* in the range \[0.0, 1.0\). Got 1.0 instead"),
        ({"dropout": -0.1}, "The 'dropout' parameter"),
        ({"recurrent_dropout": 1.0}, "The 'recurrent_dropout' parameter"),
        ({"residual": "yes"}, "The 'residual' parameter"),
        ({"quantiles": (0.9, 0.1)}, "The 'quantiles' parameter .* strictly increasing numbers"),
        ({"learning_rate": 0}, "The 'learning_rate' parameter"),
        ({"optimizer": "adamm"}, "The 'optimizer' parameter"),
        ({"early_stopping": "yes"}, "The 'early_stopping' parameter"),
        ({"validation_fraction": 1.0}, "The 'validation_fraction' parameter"),
        ({"random_state": "seed"}, "The 'random_state' parameter"),
        ({"verbose": 3}, "The 'verbose' parameter"),
        (
            {"optimizer": dict},
            "The 'optimizer' parameter .* a subclass of torch.optim.Optimizer. Got <class 'dict'> instead",
        ),
        ({"loss": dict}, "The 'loss' parameter .* a subclass of torch.nn.Module. Got <class 'dict'> instead"),
        ({"callbacks": [3]}, r"callbacks must be instances of skorch.callbacks.Callback, or \(name, callback\), got 3"),
        ({"device": "gpu"}, "The 'device' parameter"),
        ({"n_jobs": 0}, "The 'n_jobs' parameter"),
        ({"callbacks": "progress"}, "The 'callbacks' parameter"),
    ],
)
def test_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        GRURegressor(**parameters).fit(X, y)


def test_a_mistyped_parameter_is_refused_at_once():
    with pytest.raises(TypeError, match="unit"):
        GRURegressor(unit=3)
    with pytest.raises(ValueError, match="Invalid parameter 'unit'"):
        GRURegressor().set_params(unit=3)


def test_too_few_samples_to_validate_on():
    with pytest.raises(ValueError, match="validation_fraction=0.01 of 20 samples leaves 0 to validate on"):
        GRURegressor(early_stopping=True, validation_fraction=0.01).fit(X, y)


def test_poisson_needs_counts():
    with pytest.raises(ValueError, match='loss="poisson" needs targets that are not negative, got -'):
        GRURegressor(loss="poisson").fit(X, y)
    with pytest.raises(ValueError, match="loss=PoissonNLLLoss needs targets that are not negative, got -"):
        GRURegressor(loss=torch.nn.PoissonNLLLoss).fit(X, y)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_a_device_that_is_not_there():
    with pytest.raises(ValueError, match='device="cuda" is not available on this machine. Use device="cpu"'):
        GRURegressor(device="cuda").fit(X, y)


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ({0: 0, 1: 0}, "leaves every sample with a weight of zero"),
        ({0: -1, 1: 2}, "finite numbers that are not negative"),
    ],
)
def test_weights_of_classes(class_weight, message):
    with pytest.raises(ValueError, match=message):
        GRUClassifier(**TINY, class_weight=class_weight).fit(X, (y > 0).astype(int))


def test_a_loss_for_other_outputs():
    with pytest.raises(ValueError, match=r"loss=BCEWithLogitsLoss can't compare outputs of shape \(20, 2\)"):
        GRUClassifier(**TINY, loss=torch.nn.BCEWithLogitsLoss).fit(X, y > 0)
