"""scikit-learn's own checks over every estimator, with nothing excused."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

import sklrnn

# Tiny sizes only: everything else is as users get it.
TINY = {"units": 16, "max_epochs": 40}
ESTIMATORS = [name for name in sklrnn.__all__ if name.endswith(("Regressor", "Classifier"))]
IMPUTER = sklrnn.RecurrentImputer(units=4, max_epochs=2)

# Defined by scikit-learn, but not among those that it yields for these estimators.
UNYIELDED = [
    "check_dataframe_column_names_consistency",
    "check_param_validation",
    "check_inplace_ensure_writeable",
]
UNYIELDED_OF_TRANSFORMERS = [
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_global_output_transform_pandas",
    "check_set_output_transform_polars",
    "check_global_set_output_transform_polars",
]
# Classes that read no table, and those of scikit-learn's checks that feed none.
TEXT_CLASSES = ["SequenceGenerator", "SequenceTranslator", "TokenEncoder"]
WITHOUT_TABLES = [
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimator_tags_renamed",
    "check_get_params_invariance",
    "check_mixin_order",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_set_params",
    "check_valid_tag_types",
]


def tiny(name):
    return getattr(sklrnn, name)(**TINY)


def in_three_dimensions(name):
    """The same estimator, whose tables become (sample, 3, feature) before its core sees them."""
    parent = getattr(sklrnn, name)

    class InThreeDimensions(parent):
        def _check_X(self, X, *, reset):
            return super()._check_X(_repeat_in_time(X), reset=reset)

        def __reduce__(self):  # a class made in a function can't be found by its name
            return _remake, (name, self.__getstate__())

    InThreeDimensions.__name__ = InThreeDimensions.__qualname__ = f"{name}In3D"
    return InThreeDimensions


def _remake(name, state):
    estimator = object.__new__(in_three_dimensions(name))
    estimator.__setstate__(state)
    return estimator


def _repeat_in_time(X):
    if hasattr(X, "toarray") or (hasattr(X, "dtype") and getattr(X, "ndim", 2) != 2):
        return X
    table = np.asarray(X)
    if table.ndim != 2 or table.dtype.kind == "c" or 0 in table.shape:
        return X
    return np.repeat(table[:, np.newaxis, :], 3, axis=1)


@parametrize_with_checks([tiny(name) for name in ESTIMATORS])
def test_estimator_keeps_the_contract(estimator, check):
    check(estimator)


@parametrize_with_checks([in_three_dimensions(name)(**TINY) for name in ("GRURegressor", "LSTMClassifier")])
def test_sequences_of_vectors_keep_the_contract(estimator, check):
    check(estimator)


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("check", UNYIELDED)
def test_estimator_keeps_what_is_not_yielded(name, check):
    getattr(estimator_checks, check)(name, tiny(name))


@parametrize_with_checks([IMPUTER])
def test_imputer_keeps_the_contract(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore:X (has|does not have valid) feature names")  # they fit frames and transform arrays
@pytest.mark.parametrize("check", [*UNYIELDED, *UNYIELDED_OF_TRANSFORMERS])
def test_imputer_keeps_what_is_not_yielded(check):
    getattr(estimator_checks, check)("RecurrentImputer", clone(IMPUTER))


@pytest.mark.parametrize("name", [name for name in ESTIMATORS if name.endswith("Classifier")])
def test_classifier_balances_classes_as_scikit_learn_asks(name):
    X, y = make_classification(600, n_features=4, class_sep=0.5, random_state=0)
    # Rare in training and as frequent as the other afterwards: who ignores the weights misses it.
    train = np.r_[np.flatnonzero(y == 0)[:120], np.flatnonzero(y == 1)[:12]]
    check = estimator_checks.check_class_weight_balanced_classifiers
    check(name, tiny(name), X[train], y[train], X[400:], y[400:], [0.9, 0.1])


@pytest.mark.filterwarnings("ignore:Can't test estimator:sklearn.exceptions.SkipTestWarning")
@pytest.mark.parametrize("name", TEXT_CLASSES)
def test_text_class_keeps_what_is_yielded(name):
    estimator_checks.check_estimator(getattr(sklrnn, name)())


@pytest.mark.parametrize("name", TEXT_CLASSES)
@pytest.mark.parametrize("check", WITHOUT_TABLES)
def test_text_class_keeps_what_needs_no_table(name, check):
    getattr(estimator_checks, check)(name, getattr(sklrnn, name)())


def test_all_ten_are_checked():
    assert len(ESTIMATORS) == 10
