"""Series whose squares are too large or too small for a float are imputed like any others."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklrnn import RecurrentImputer

TINY = {"units": 3, "max_epochs": 2, "random_state": 0}
steps = np.arange(120)
X = np.column_stack([np.sin(steps / 4), np.cos(steps / 4)])
X[50:56, 0] = np.nan
POWER = 2.0**600


@pytest.mark.parametrize("factor", [POWER, 1 / POWER])
@pytest.mark.parametrize("loss", ["huber", "squared_error"])
def test_imputed_values_scale_with_their_column(factor, loss):
    expected = RecurrentImputer(**TINY, loss=loss).fit_transform(X)
    filled = RecurrentImputer(**TINY, loss=loss).fit_transform(X * [factor, 1.0])
    assert_allclose(filled / [factor, 1.0], expected, rtol=1e-6)
    assert_array_equal(filled[:50], X[:50] * [factor, 1.0])


def test_values_that_leave_no_room_to_compute_are_refused():
    with pytest.raises(ValueError, match="X holds numbers of a size up to 1e\\+305"):
        RecurrentImputer(**TINY).fit(X * 1e305)
