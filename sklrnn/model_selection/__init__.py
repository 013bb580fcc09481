"""Splitters that keep the future out of training, and a check for any splitter."""
