"""A service that answers with a fitted model over HTTP.

Copy this folder and change what you like. ``python -m serving model.skops``
starts it; docs/guide/serving.md describes it.
"""
