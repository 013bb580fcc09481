"""The base classes of scikit-learn, in a form that mypy can read too.

scikit-learn ships no types, so to mypy its classes are ``Any``, and so would be everything that inherits from them: no
misspelt parameter or method of an estimator would be found. mypy alone takes ``MYPY`` for true and reads the public
methods from a stub; other type checkers, which read scikit-learn's own code, and Python get the classes themselves.
"""

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
    from sklearn.base import (
        BaseEstimator,
        ClassifierMixin,
        DensityMixin,
        OneToOneFeatureMixin,
        RegressorMixin,
        TransformerMixin,
    )

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
