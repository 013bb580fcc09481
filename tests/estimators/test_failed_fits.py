"""A fit that fails leaves the fitted model as it was, to its last attribute."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from skorch.callbacks import Callback

from sklrnn import (
    GRUClassifier,
    GRURegressor,
    RecurrentClassifier,
    RecurrentImputer,
    RecurrentRegressor,
    SequenceGenerator,
    SequenceTranslator,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(48, 5, 2))
Y = 100 + X[:, -1, 0]
LABELS = np.where(Y > 100, "high", "low")
TABLE = np.column_stack([np.sin(np.arange(80.0)), np.cos(np.arange(80.0))])
TABLE[20:25, 0] = np.nan
TEXTS = ["cat", "dog", "elk", "ant", "bee", "cow"]
BACK = [text[::-1] for text in TEXTS]
TINY = {"units": 4, "max_epochs": 3, "batch_size": 16, "random_state": 0}


class FailOnDemand(Callback):
    """Raises an error at the end of an epoch, once it is told which."""

    def __init__(self, epoch=None):
        self.epoch = epoch

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == self.epoch:
            raise RuntimeError("on purpose")


class FailInAnyStep(FailOnDemand):
    def on_batch_end(self, net, **kwargs):
        if self.epoch is not None:
            raise RuntimeError("on purpose")

    on_epoch_end = Callback.on_epoch_end


# A model, the data of its first fit, those of a fit that fails, and a function that gives predictions.
CASES = {
    "regressor": (GRURegressor(**TINY), (X, Y), (X, 3 * Y), lambda model: model.predict(X)),
    "dropout": (RecurrentRegressor(dropout=0.5, **TINY), (X, Y), (X, 3 * Y), lambda model: model.predict(X)),
    "held out": (
        GRURegressor(early_stopping=True, **TINY),
        (X, Y),
        (X, 3 * Y),
        lambda model: model.predict_interval(X, coverage=0.5),
    ),
    "classifier": (GRUClassifier(**TINY), (X, LABELS), (X, LABELS[::-1]), lambda model: model.predict_proba(X)),
    "lstm": (RecurrentClassifier(cell="lstm", **TINY), (X, LABELS), (X, LABELS[::-1]), lambda model: model.predict(X)),
    "generator": (SequenceGenerator(**TINY), (TEXTS,), (["xy", "zz"],), lambda model: model.score(TEXTS)),
    "translator": (SequenceTranslator(**TINY), (TEXTS, BACK), (TEXTS[:4], BACK[:4]), lambda m: m.predict_n_best(TEXTS)),
    "numbers": (
        SequenceTranslator(**TINY),
        (list(X), list(X[:, :3, 0])),
        (list(X), list(3 * X[:, :3, 0])),
        lambda model: model.predict(list(X)),
    ),
    "imputer": (RecurrentImputer(**TINY), (TABLE,), (TABLE[::-1] + 5,), lambda model: model.transform(TABLE)),
}


def learnt(model):
    """All that a fit set, as plain values."""
    settings = {*model.get_params(), "sklrnn_format"}  # whose digest depends on the parameters
    state = {name: value for name, value in model.__getstate__().items() if name not in settings}
    assert "model_" in state
    return state | {name: getattr(model, name) for name in ("loss_curve_", "validation_curve_", "n_iter_")}


def assert_same(one, other):
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for name in one:
            assert_same(one[name], other[name])
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for left, right in zip(one, other, strict=True):
            assert_same(left, right)
    elif type(one).__module__.startswith("sklrnn"):
        assert_same(vars(one), vars(other))
    else:
        assert_array_equal(one, other)


def refit(model, data, how):
    if how == "partial_fit":
        return model.partial_fit(*data)
    return model.set_params(**{"warm_start": True} if how == "warm" else {}).fit(*data)


HOW = [
    pytest.param(case, how, id=f"{case}-{how}")
    for case, (model, *_) in CASES.items()
    for how in ("fit", "warm", "partial_fit")
    if how == "fit" or hasattr(model, {"warm": "warm_start"}.get(how, how))
]
every_way = pytest.mark.parametrize(("case", "how"), HOW)


@pytest.mark.parametrize("callback", [FailOnDemand, FailInAnyStep])
@every_way
def test_a_callback_that_raises(case, how, callback):
    model, data, other_data, show = CASES[case]
    fail = callback()
    model = clone(model).set_params(callbacks=[fail]).fit(*data)
    fitted, before, shown = model.model_, learnt(model), show(model)
    fail.epoch = len(model.net_.history) + 1 if how == "partial_fit" else 2
    with pytest.raises(RuntimeError, match="on purpose"):
        refit(model, other_data, how)
    assert model.model_ is fitted
    assert_same(learnt(model), before)
    assert_same(show(model), shown)
    assert not model.module_.training
    fail.epoch = None
    again = refit(model, other_data, how).loss_curve_
    fresh = [] if how == "fit" else before["loss_curve_"]
    assert again[: len(fresh)] == fresh
    if how == "fit":
        assert again == clone(model).fit(*other_data).loss_curve_


# With held-out samples a warm start does not fail: the weights of the fit before are the best ones.
@pytest.mark.parametrize(("case", "how"), [way for way in HOW if way.id != "held out-warm"])
def test_training_that_diverges(case, how):
    model, data, other_data, show = CASES[case]
    model = clone(model).fit(*data)
    before, shown = learnt(model), show(model)
    model.set_params(learning_rate=1e30, optimizer="sgd", max_grad_norm=None)
    with pytest.raises(ValueError, match="Training diverged, and no epoch left usable weights"):
        refit(model, other_data, how)
    assert_same(learnt(model), before)
    assert_same(show(model), shown)
    model.set_params(learning_rate=0.01, optimizer="adamw", max_grad_norm=1.0)
    assert np.isfinite(refit(model, other_data, how).loss_curve_).all()


WIDE = RNG.normal(size=(48, 5, 3))
BAD = [
    ("regressor", (WIDE, Y[:-1]), "inconsistent numbers of samples"),
    ("regressor", (WIDE, np.where(Y > 100, np.nan, Y)), "NaN"),
    ("regressor", (np.where(WIDE > 2, np.nan, WIDE), Y), "NaN"),
    ("held out", (WIDE[:3], np.c_[Y, Y, Y][:3]), "validation_fraction"),
    ("classifier", (WIDE, np.full(48, "other")), "only one class"),
    ("classifier", (WIDE, Y), "Unknown label type"),
    ("generator", (["xyz", None],), "Row 1 is missing"),
    ("translator", (list(X[:6]), [*BACK[:5], None]), "y: Row 5 is missing"),
    ("translator", (["xyz", None, "z"], BACK[:3]), "X: Row 1 is missing"),
    ("numbers", (TEXTS, [[0.5], [np.inf]] * 3), "NaN or infinity"),
    ("imputer", (np.full((9, 5), np.nan),), "no value at all"),
    ("imputer", (np.zeros((1, 7)),), "at least two"),
]


@pytest.mark.parametrize(("case", "bad", "message"), BAD)
def test_bad_input_of_another_shape(case, bad, message):
    model, data, _, show = CASES[case]
    model = clone(model).fit(*data)
    before, shown = learnt(model), show(model)
    with pytest.raises(ValueError, match=message):
        model.fit(*bad)
    assert_same(learnt(model), before)
    assert_same(show(model), shown)


@pytest.mark.parametrize("how", ["warm", "partial_fit"])
@pytest.mark.parametrize(
    ("case", "bad", "message"),
    [
        ("regressor", (WIDE, Y), "X has 3 features, but GRURegressor is expecting 2"),
        ("regressor", (X, np.c_[Y, Y]), r"fitted with 1 output\(s\), got y with 2"),
        ("regressor", (X, np.full(48, np.inf)), "infinity"),
        ("classifier", (WIDE, LABELS), "X has 3 features, but GRUClassifier is expecting 2"),
        ("classifier", (X, np.full(48, "other")), "does not know"),
    ],
)
def test_bad_input_when_training_continues(case, bad, message, how):
    model, data, other_data, show = CASES[case]
    model = clone(model).fit(*data)
    before, shown = learnt(model), show(model)
    with pytest.raises(ValueError, match=message):
        refit(model, bad, how)
    with pytest.raises(ValueError, match="units changed"):
        refit(model.set_params(units=7), other_data, how)
    assert_same(learnt(model), before)
    assert_same(show(model), shown)
    assert len(refit(model.set_params(units=4), other_data, how).loss_curve_) > 3


@pytest.mark.parametrize("case", CASES)
def test_a_first_fit_that_fails_leaves_nothing(case):
    model, data, _, show = CASES[case]
    model = clone(model).set_params(learning_rate=1e30, optimizer="sgd", max_grad_norm=None)
    with pytest.raises(ValueError, match="Training diverged"):
        model.fit(*data)
    assert vars(model).keys() <= model.get_params().keys()
    with pytest.raises(NotFittedError):
        show(model)
