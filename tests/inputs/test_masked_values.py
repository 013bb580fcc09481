"""A masked value of numpy is NaN wherever numbers come in, and an error among tokens and labels."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklrnn import (
    GRUClassifier,
    GRURegressor,
    RecurrentImputer,
    SequenceGenerator,
    SequenceScaler,
    SequenceTranslator,
    SlidingWindow,
    TokenEncoder,
    make_windows,
    supervise,
)
from sklrnn.forecasting import GRUForecaster, compare
from sklrnn.inputs.numeric import fill_masked
from sklrnn.sktime_adapters import SktimeClassifier, SktimeRegressor

TINY = {"units": 3, "max_epochs": 2, "random_state": 0}
X = np.random.default_rng(0).normal(size=(20, 4, 2))
y = X[:, -1, 0]
labels = np.where(y > 0, "rise", "fall")
steps = X[:, :, 0]
tokens = np.random.default_rng(1).integers(0, 5, size=(20, 4))


def masked(values, position=3):
    result = np.ma.array(values, mask=np.zeros(values.shape, dtype=bool))
    result.mask.flat[position] = True
    return result


def with_nan(values):
    return masked(values).filled(np.nan)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (np.ma.array([1, 2], mask=[False, True]), [1.0, np.nan]),
        (np.ma.array([True, False], mask=[False, True]), [1.0, np.nan]),
        (np.ma.array([1.5, 2.5], mask=[True, False], dtype=np.float32), np.float32([np.nan, 2.5])),
        ([1.0, np.ma.masked], [1.0, np.nan]),
    ],
)
def test_masked_values_become_nan_whatever_their_type(given, expected):
    filled = np.asarray(fill_masked(given))
    assert filled.dtype == np.asarray(expected).dtype
    assert_array_equal(filled, expected)


def test_masked_labels_become_nan_among_objects():
    assert fill_masked(np.ma.array(["a", "b"], mask=[False, True])).tolist() == ["a", np.nan]


def test_an_array_without_a_masked_value_keeps_its_type():
    filled = fill_masked(np.ma.array([1, 2]))
    assert type(filled) is np.ndarray
    assert filled.dtype == np.int64


@pytest.mark.parametrize("form", [masked(X), masked(steps), [masked(X[0]), *X[1:]], [masked(X[0]), X[1, :2], *X[2:]]])
def test_masked_X_is_missing_to_an_estimator(form):
    with pytest.raises(ValueError, match="Input X contains NaN"):
        GRURegressor(**TINY).fit(form, y)
    GRURegressor(**TINY, missing="mask").fit(form, y).predict(form)


def test_with_missing_mask_a_mask_is_read_as_nan():
    model = GRURegressor(**TINY, missing="mask")
    by_mask, by_nan = model.fit(masked(X), y).predict(masked(X)), model.fit(with_nan(X), y).predict(with_nan(X))
    assert_array_equal(by_mask, by_nan)
    stream = model.start_stream()
    assert np.isfinite(stream.step(masked(X[0, 0], 1)))


@pytest.mark.parametrize(
    "call",
    [
        lambda: GRURegressor(**TINY).fit(X, masked(y)),
        lambda: GRURegressor(**TINY).partial_fit(X, masked(y)),
        lambda: GRURegressor(**TINY).fit(X, y, sample_weight=masked(np.ones(20))),
        lambda: GRURegressor(**TINY, return_sequences=True).fit(X, masked(steps)),
        lambda: GRURegressor(**TINY, return_sequences=True).fit(X, [masked(row) for row in steps]),
        lambda: GRURegressor(**TINY, return_sequences=True).fit(X, steps, masked(np.ones((20, 4)))),
        lambda: GRURegressor(**TINY).fit(X, y).score(X, masked(y)),
        lambda: GRUClassifier(**TINY).fit(X, masked(labels)),
        lambda: GRUClassifier(**TINY).partial_fit(X, masked(tokens[:, 0])),
        lambda: GRUClassifier(**TINY).fit(X, labels).score(X, masked(labels)),
        lambda: SktimeRegressor(GRURegressor(**TINY)).fit(masked(X), y),
        lambda: SktimeRegressor(GRURegressor(**TINY)).fit(X, masked(y)),
        lambda: SktimeRegressor(GRURegressor(**TINY)).fit(X, y).score(X, masked(y)),
        lambda: SktimeClassifier(GRUClassifier(**TINY)).fit(X, masked(labels)),
        lambda: SequenceTranslator(**TINY).fit(masked(steps), list(labels)),
        lambda: SequenceTranslator(**TINY).fit(list(labels), masked(X)),
        lambda: SequenceGenerator(**TINY).fit(["ab", "cd"], context=masked(np.ones((2, 2)))),
        lambda: SequenceScaler().fit(X, sample_weight=masked(np.ones(20))),
        lambda: compare(["naive"], masked(np.arange(40.0)), horizon=2),
    ],
)
def test_masked_values_are_an_error_where_nan_is_one(call):
    with pytest.raises(ValueError, match=r"NaN|missing values"):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: GRURegressor(**TINY, embedding_dim=2).fit(masked(tokens), y),
        lambda: GRURegressor(**TINY, embedding_dim=2).fit(tokens, y).predict([masked(row) for row in tokens]),
        lambda: TokenEncoder().fit(list(masked(tokens))),
        lambda: TokenEncoder().fit(masked(labels)),
        lambda: SequenceGenerator(**TINY).fit(masked(tokens)),
        lambda: SequenceTranslator(**TINY).fit(masked(tokens), list(labels)),
        lambda: SequenceTranslator(**TINY).fit(list(labels), masked(tokens)),
    ],
)
def test_masked_tokens_are_an_error(call):
    with pytest.raises(ValueError, match="masked tokens|tokens, whole numbers from 0, got nan"):
        call()


@pytest.mark.parametrize(
    "transform",
    [
        lambda given: SlidingWindow(window_length=2).fit_transform(given),
        lambda given: make_windows(given, window_length=2)[0],
        lambda given: make_windows(tokens, given[:, 0], window_length=2)[1],
        lambda given: supervise(given, target=0, horizon=1, dropna=True)[0],
        lambda given: supervise(given, target=3, horizon=1, dropna=True)[1],
        lambda given: SequenceScaler().fit_transform(given),
        lambda given: RecurrentImputer(**TINY).fit_transform(given),
    ],
)
def test_transformers_read_a_mask_as_nan(transform):
    assert_array_equal(transform(masked(tokens)), transform(with_nan(tokens.astype(float))))


def test_forecasters_read_a_mask_as_nan():
    series = np.sin(np.arange(40.0))
    of_mask, of_nan = (
        GRUForecaster(**TINY).fit(given, fh=[1]).predict() for given in (masked(series), with_nan(series))
    )
    assert_array_equal(of_mask, of_nan)
