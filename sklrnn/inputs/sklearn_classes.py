"""The base classes of scikit-learn, in a form that mypy can read too.

scikit-learn ships no types, so to mypy its classes are ``Any``, and so would be everything that inherits from them: no
misspelt parameter or method of an estimator would be found. mypy alone takes ``MYPY`` for true and reads the public
methods from a stub; other type checkers, which read scikit-learn's own code, and Python get the classes themselves, of
which ``BaseEstimator`` gets links to our documentation.
"""

from sklrnn.inputs.documentation import PAGE_TEMPLATE

MYPY = False

if MYPY:
    from sklrnn.inputs._sklearn_stub import (
        BaseEstimator,
        CallbackSupportMixin,
        ClassifierMixin,
        DensityMixin,
        OneToOneFeatureMixin,
        RegressorMixin,
        TransformerMixin,
    )
else:
    import sklearn.base
    from sklearn.base import ClassifierMixin, DensityMixin, OneToOneFeatureMixin, RegressorMixin, TransformerMixin

    class BaseEstimator(sklearn.base.BaseEstimator):
        """scikit-learn's base class, whose HTML representation links to the documentation of this package."""

        _doc_link_module = "sklrnn"
        _doc_link_template = PAGE_TEMPLATE

    try:
        from sklearn.callback import CallbackSupportMixin
    except ImportError:  # scikit-learn before 1.9

        class CallbackSupportMixin:
            """Stands in where scikit-learn has no callbacks."""


__all__ = [
    "BaseEstimator",
    "CallbackSupportMixin",
    "ClassifierMixin",
    "DensityMixin",
    "OneToOneFeatureMixin",
    "RegressorMixin",
    "TransformerMixin",
]
