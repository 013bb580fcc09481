"""The short way for plain arrays of floats gives what the checks give, and leaves all others to them."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from sklrnn import GRURegressor
from sklrnn.inputs.plain_floats import read_plain_floats
from sklrnn.inputs.validation import check_sequences

TINY = {"units": 3, "max_epochs": 1, "random_state": 0}
TABLE = np.random.default_rng(0).normal(size=(20, 6))


def fitted(X=TABLE, **options):
    return GRURegressor(**TINY, **options).fit(X, TABLE[:, 0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("options", [{}, {"n_timesteps": 3}, {"missing": "mask"}, {"stateful": True, "batch_size": 4}])
def test_a_plain_array_is_read_as_the_checks_read_it(options, dtype):
    model, X = fitted(**options), TABLE[:7].astype(dtype)
    read = read_plain_floats(model, X)
    checked = check_sequences(model, X, reset=False, n_timesteps=model.n_timesteps)
    assert read.dtype == checked.dtype == dtype
    assert_array_equal(read, checked)


def test_sequences_are_not_copied():
    X = TABLE.reshape(20, 3, 2)
    assert read_plain_floats(fitted(X), X) is X


@pytest.mark.parametrize(
    "X",
    [
        TABLE.tolist(),
        pd.DataFrame(TABLE),
        TABLE.astype(">f8"),
        TABLE.astype(np.float16),
        TABLE.astype(int),
        TABLE.astype(object),
        np.ma.masked_array(TABLE, mask=TABLE > 1),
        np.where(TABLE > 1, np.nan, TABLE),
        np.where(TABLE > 1, np.inf, TABLE),
        TABLE[:, :5],
        TABLE[:0],
        TABLE[:, :, np.newaxis],
        np.tile(TABLE, (100, 1)),
    ],
    ids=str,
)
def test_all_else_is_left_to_the_checks(X):
    assert read_plain_floats(fitted(), X) is None


def test_an_array_after_a_fit_on_names_still_warns():
    model = fitted(pd.DataFrame(TABLE, columns=list("abcdef")))
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        model.predict(TABLE)


def test_columns_that_make_no_whole_steps_are_still_an_error():
    model = fitted(n_timesteps=3).set_params(n_timesteps=4)
    with pytest.raises(ValueError, match="n_timesteps=4 needs a number of columns that it divides"):
        model.predict(TABLE)


def test_a_prediction_from_nan_still_says_where_it_is():
    X = TABLE.reshape(20, 3, 2).copy()
    model = fitted(X)
    X[2, 1, 0] = np.nan
    with warnings.catch_warnings(), pytest.raises(ValueError, match="feature 0 .*, sample 2, step 1"):
        model.predict(X)
