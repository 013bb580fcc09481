"""Checks of the invariants that estimators of sequences, forecasters and window transformers should keep."""

from sklrnn.testing.estimators import check_recurrent_estimator, recurrent_checks_generator

__all__ = ["check_recurrent_estimator", "recurrent_checks_generator"]
