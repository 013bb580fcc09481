import numpy as np
import pytest

from sklrnn import GRURegressor


class Lazy(np.ndarray):
    """As an array of Dask, it warns where numpy asks for its size."""

    def __array_function__(self, function, types, arguments, options):
        if function is np.size:
            pytest.fail("The `numpy.size` function is not implemented by Dask array.")
        return super().__array_function__(function, types, arguments, options)


def test_targets_are_asked_for_their_size_themselves():
    X = np.random.default_rng(0).normal(size=(30, 5))
    model = GRURegressor(units=2, max_epochs=1, random_state=0)
    expected = model.fit(X, X[:, -1]).predict(X)
    assert np.array_equal(model.fit(X, X[:, -1].view(Lazy)).predict(X), expected)
