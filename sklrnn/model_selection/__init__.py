"""Splitters that keep the future out of the training data, a leakage check, and a comparison of estimators."""
