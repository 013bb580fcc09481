"""Scores of labels of steps, for searches and cross-validation."""

from sklrnn.metrics.entities import entity_f1_score
from sklrnn.metrics.step_scorer import make_step_scorer

__all__ = ["entity_f1_score", "make_step_scorer"]
