"""Numbers that are too large or too small to be squared are learnt like any others, or refused."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklrnn import GRUClassifier, GRURegressor, SequenceGenerator, SequenceTranslator

TINY = {"units": 4, "max_epochs": 3, "random_state": 0}
X = np.random.default_rng(0).normal(size=(40, 5, 2))
y = X[:, -1, 0]
FACTORS = [1e200, 1e-165, 1e-300]


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "quantile", "gaussian"])
def test_targets_of_any_size_are_learnt(factor, loss):
    model = GRURegressor(**TINY, loss=loss, early_stopping=True, validation_fraction=0.4)
    ordinary = model.fit(X, y)
    expected, interval = ordinary.predict(X), ordinary.predict_interval(X, coverage=0.8)
    model.fit(X, y * factor)
    assert_allclose(model.predict(X) / factor, expected, rtol=1e-9)
    assert_allclose(model.predict_interval(X, coverage=0.8) / factor, interval, rtol=1e-9)


def test_counts_of_any_size_are_learnt():
    model = GRURegressor(**TINY, loss="poisson")
    expected = model.fit(X, np.abs(y)).predict(X)
    assert_allclose(model.fit(X, np.abs(y) * 1e200).predict(X) / 1e200, expected, rtol=1e-5)


@pytest.mark.parametrize("factor", [1e160, *FACTORS])
@pytest.mark.parametrize("kind", [GRURegressor, GRUClassifier])
def test_features_of_any_size_are_learnt(factor, kind):
    targets = y if kind is GRURegressor else y > 0
    expected = kind(**TINY).fit(X, targets).predict(X)
    assert_allclose(kind(**TINY).fit(X * factor, targets).predict(X * factor), expected, rtol=1e-5)


@pytest.mark.parametrize("factor", [1e200, 1e-165])
def test_a_translator_learns_numbers_of_any_size(factor):
    model = SequenceTranslator(**TINY)
    expected = model.fit(X, X[:, :3, 0]).predict(X)
    scaled = model.fit(X * factor, X[:, :3, 0] * factor).predict(X * factor)
    assert_allclose(scaled / factor, expected, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize(
    ("fit", "message"),
    [
        (lambda: GRURegressor(**TINY).fit(X, y * 4e307), r"y holds numbers of a size up to .*Divide y by a constant"),
        (
            lambda: GRURegressor(**TINY).fit(np.abs(X) * 4e307, y),
            r"X holds numbers of a size up to .*Divide X by a constant",
        ),
        (lambda: GRURegressor(**TINY, normalize_y=False).fit(X, y * 1e160), "Set normalize_y=True"),
        (lambda: GRURegressor(**TINY, normalize_y=False).fit(X, y * 1e-165), "Set normalize_y=True"),
        (lambda: GRURegressor(**TINY, normalize_X=False).fit(X * 1e160, y), "Set normalize_X=True"),
        (lambda: GRURegressor(**TINY, normalize_X=False).fit(X * 1e-165, y), "Set normalize_X=True"),
        (
            lambda: GRURegressor(**TINY).partial_fit(X, y).partial_fit(X, y * 1e200),
            "spread of the training samples of the first fit",
        ),
        (
            lambda: GRURegressor(**TINY, warm_start=True).fit(X, y).fit(X, y * 1e200),
            "spread of the training samples of the first fit",
        ),
        (lambda: SequenceTranslator(**TINY).fit(X, X * 4e307), "y holds numbers of a size up to"),
        (lambda: SequenceGenerator(**TINY).fit(["ab", "c"], context=[[1e305], [1]]), "context holds numbers of a size"),
    ],
)
def test_numbers_without_a_safe_answer_are_refused(fit, message):
    with pytest.raises(ValueError, match=message):
        fit()


def test_a_constant_is_no_spread_at_any_size():
    assert_allclose(GRURegressor(**TINY).fit(X, np.full(40, 1e200 / 3)).predict(X), 1e200 / 3)
