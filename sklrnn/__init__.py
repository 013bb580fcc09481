"""Recurrent networks as scikit-learn estimators, and windows that live in its pipelines.

Names are looked up when they are first used: ``import sklrnn`` itself loads no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sklrnn.estimators.named_classifiers import (
        CNNLSTMClassifier,
        GRUClassifier,
        LSTMClassifier,
        RecurrentClassifier,
        SimpleRNNClassifier,
    )
    from sklrnn.estimators.named_regressors import (
        CNNLSTMRegressor,
        GRURegressor,
        LSTMRegressor,
        RecurrentRegressor,
        SimpleRNNRegressor,
    )
    from sklrnn.generation.generator import SequenceGenerator
    from sklrnn.imputation.imputer import RecurrentImputer
    from sklrnn.model_selection.compare_estimators import compare_estimators
    from sklrnn.model_selection.estimator_comparison import EstimatorComparison
    from sklrnn.model_selection.leakage import LeakageError, check_no_leakage
    from sklrnn.model_selection.purged_splits import PurgedKFold, PurgedTimeSeriesSplit
    from sklrnn.preprocessing.make_windows import make_windows
    from sklrnn.preprocessing.sequence_scaler import SequenceScaler
    from sklrnn.preprocessing.sliding_window import SlidingWindow
    from sklrnn.preprocessing.supervise import supervise
    from sklrnn.preprocessing.token_encoder import TokenEncoder
    from sklrnn.saved_state import trusted_types
    from sklrnn.training.checkpoint import Checkpoints
    from sklrnn.training.data_parallel import data_parallel
    from sklrnn.translation.translator import SequenceTranslator

_HOME = {
    "sklrnn.estimators.named_classifiers": (
        "RecurrentClassifier",
        "SimpleRNNClassifier",
        "GRUClassifier",
        "LSTMClassifier",
        "CNNLSTMClassifier",
    ),
    "sklrnn.estimators.named_regressors": (
        "RecurrentRegressor",
        "SimpleRNNRegressor",
        "GRURegressor",
        "LSTMRegressor",
        "CNNLSTMRegressor",
    ),
    "sklrnn.generation.generator": ("SequenceGenerator",),
    "sklrnn.translation.translator": ("SequenceTranslator",),
    "sklrnn.imputation.imputer": ("RecurrentImputer",),
    "sklrnn.preprocessing.sliding_window": ("SlidingWindow",),
    "sklrnn.preprocessing.supervise": ("supervise",),
    "sklrnn.preprocessing.make_windows": ("make_windows",),
    "sklrnn.preprocessing.sequence_scaler": ("SequenceScaler",),
    "sklrnn.preprocessing.token_encoder": ("TokenEncoder",),
    "sklrnn.model_selection.purged_splits": ("PurgedTimeSeriesSplit", "PurgedKFold"),
    "sklrnn.model_selection.compare_estimators": ("compare_estimators",),
    "sklrnn.model_selection.estimator_comparison": ("EstimatorComparison",),
    "sklrnn.model_selection.leakage": ("check_no_leakage", "LeakageError"),
    "sklrnn.saved_state": ("trusted_types",),
    "sklrnn.training.checkpoint": ("Checkpoints",),
    "sklrnn.training.data_parallel": ("data_parallel",),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "CNNLSTMClassifier",
    "CNNLSTMRegressor",
    "Checkpoints",
    "EstimatorComparison",
    "GRUClassifier",
    "GRURegressor",
    "LSTMClassifier",
    "LSTMRegressor",
    "LeakageError",
    "PurgedKFold",
    "PurgedTimeSeriesSplit",
    "RecurrentClassifier",
    "RecurrentImputer",
    "RecurrentRegressor",
    "SequenceGenerator",
    "SequenceScaler",
    "SequenceTranslator",
    "SimpleRNNClassifier",
    "SimpleRNNRegressor",
    "SlidingWindow",
    "TokenEncoder",
    "check_no_leakage",
    "compare_estimators",
    "data_parallel",
    "make_windows",
    "supervise",
    "trusted_types",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("sklrnn")
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULE_OF[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
