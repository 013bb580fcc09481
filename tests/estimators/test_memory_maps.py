"""``fit`` and ``predict`` read a numpy.memmap in place."""

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.pipeline import make_pipeline

from sklrnn import GRUClassifier, GRURegressor, SequenceScaler

RNG = np.random.default_rng(0)
SHAPE = 6000, 120, 4
OPTIONS = {"units": 2, "batch_size": 256, "max_epochs": 1, "random_state": 0}


def memory_map(path, values):
    mapped = np.memmap(path, dtype=values.dtype, mode="w+", shape=values.shape)
    mapped[:] = values
    mapped.flush()
    return np.memmap(path, dtype=values.dtype, mode="r", shape=values.shape)


@pytest.fixture(scope="module")
def mapped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("maps")
    X = memory_map(folder / "X.dat", RNG.normal(size=SHAPE).astype(np.float32))
    return X, memory_map(folder / "y.dat", X[:, -3:, 0].sum(axis=1))


def peak_of(action):
    """The most memory that numpy had at once."""
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("kind", [GRURegressor, GRUClassifier])
def test_memory_does_not_grow_with_the_map(mapped, kind, early_stopping, monkeypatch):
    monkeypatch.setattr("sklrnn.training.inference._NUMBERS_AT_ONCE", 2**18)  # blocks smaller than half of this map
    X, y = mapped
    y = y > 0 if kind is GRUClassifier else y
    model = kind(**OPTIONS, early_stopping=early_stopping)
    half = len(X) // 2
    for action in (model.fit, lambda X, y: model.predict(X)):
        action(X[:500], y[:500])  # what the first call alone needs
        grown = peak_of(lambda a=action: a(X, y)) - peak_of(lambda a=action: a(X[:half], y[:half]))
        assert grown < 0.15 * X[half:].nbytes


def test_a_map_gives_the_model_of_an_array(mapped):
    X, y = mapped[0][:300], mapped[1][:300]
    of_map, of_array = (GRURegressor(**OPTIONS).fit(*data) for data in [(X, y), (np.array(X), np.array(y))])
    assert_array_equal(of_map.predict(X), of_array.predict(np.array(X)))


def test_a_map_can_be_scaled_in_a_pipeline_and_its_slices_are_blocks(mapped):
    X, y = mapped[0][:300], mapped[1][:300]
    assert make_pipeline(SequenceScaler(), GRURegressor(**OPTIONS)).fit(X, y).predict(X).shape == (300,)
    model = GRURegressor(**OPTIONS).fit_blocks(lambda: ((X[i : i + 90], y[i : i + 90]) for i in range(0, 300, 90)))
    assert np.abs(model.predict(X) - GRURegressor(**OPTIONS).fit(X, y).predict(X)).max() < 1e-4


def test_a_large_map_of_integers_is_copied_with_a_warning(tmp_path, monkeypatch):
    X = memory_map(tmp_path / "X.dat", RNG.integers(0, 99, size=(40, 5, 2)).astype(np.int16))
    y = np.arange(40.0)
    GRURegressor(**OPTIONS).fit(X, y)
    monkeypatch.setattr("sklrnn.inputs.memory_maps._MANY_BYTES", 1000)
    with pytest.warns(UserWarning, match="X is a numpy.memmap of int16, which is copied to memory as a whole"):
        GRURegressor(**OPTIONS).fit(X, y)
    tokens = memory_map(tmp_path / "t.dat", RNG.integers(0, 9, size=(40, 5)).astype(np.int32))
    with pytest.warns(UserWarning, match="numpy.memmap of int32"):
        GRUClassifier(**OPTIONS, embedding_dim=2).fit(tokens, y > 20)
