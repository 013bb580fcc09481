"""Transformers and functions that turn rows, texts and sequences into what a network reads."""
