import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklrnn.inputs.running_moments import RunningMoments
from sklrnn.inputs.samples import feature_statistics

RNG = np.random.default_rng(0)
# A mean that is large beside its spread, a constant, and gaps.
X = RNG.normal(size=(90, 4, 3)) * [1.0, 0.0, 5.0] + [1e4, 7.0, 0.0]
GAPS = np.where(RNG.random(X.shape) < 0.2, np.nan, X)
WEIGHTS = RNG.integers(1, 5, size=90).astype(float)


def moments_of(X, weights, size):
    moments = RunningMoments("X", X.shape[-1], X.dtype)
    for start in range(0, len(X), size):
        rows = slice(start, start + size)
        moments.add(X[rows], None if weights is None else weights[rows])
    return moments


@pytest.mark.parametrize("size", [1, 7, 90])
@pytest.mark.parametrize("values", [X, GAPS], ids=["complete", "with gaps"])
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
def test_blocks_have_the_statistics_of_all_rows_together(size, values, weights):
    found = moments_of(values, weights, size).scale()
    assert_allclose(found, feature_statistics(values, weights), rtol=1e-11)


def test_the_range_is_that_of_all_blocks():
    moments = moments_of(GAPS, None, 7)
    assert_array_equal(moments.lowest, np.nanmin(GAPS, axis=(0, 1)))
    assert_array_equal(moments.highest, np.nanmax(GAPS, axis=(0, 1)))
    assert moments.largest == np.nanmax(np.abs(GAPS))


def test_a_large_block_is_summed_up_in_parts(monkeypatch):
    whole = moments_of(GAPS, WEIGHTS, 90)
    monkeypatch.setattr("sklrnn.inputs.running_moments._NUMBERS_AT_ONCE", 50)
    assert_allclose(moments_of(GAPS, WEIGHTS, 90).scale(), whole.scale(), rtol=1e-11)


def test_a_feature_without_any_value_has_mean_0_and_spread_1():
    assert_array_equal(moments_of(np.full((4, 2, 1), np.nan), None, 2).scale(), [[0.0], [1.0]])


@pytest.mark.parametrize("size", [1e200, 1e-200])
def test_numbers_whose_squares_are_no_floats_are_refused(size):
    with pytest.raises(ValueError, match="Divide X by a constant"):
        moments_of(X * size, None, 30)


def test_differences_beyond_single_precision_are_refused():
    with pytest.raises(ValueError, match="too large for a float of 32 bits"):
        moments_of(np.array([-3e38, 3e38], dtype=np.float32).reshape(2, 1, 1), None, 1)
