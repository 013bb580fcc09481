"""Checks of the invariants that estimators of sequences, forecasters and window transformers should keep."""

from sklrnn.testing.estimators import check_recurrent_estimator, recurrent_checks_generator
from sklrnn.testing.forecasters import check_recurrent_forecaster, forecaster_checks_generator
from sklrnn.testing.parametrize import parametrize_with_recurrent_checks
from sklrnn.testing.window_transformers import check_window_transformer, window_checks_generator

__all__ = [
    "check_recurrent_estimator",
    "check_recurrent_forecaster",
    "check_window_transformer",
    "forecaster_checks_generator",
    "parametrize_with_recurrent_checks",
    "recurrent_checks_generator",
    "window_checks_generator",
]
