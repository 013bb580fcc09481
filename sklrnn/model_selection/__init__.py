"""Splitters that keep the future out of the training data, and a leakage check for any splitter."""
