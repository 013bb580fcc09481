"""The operations that a training step is a list of: each has its forward pass beside its backward pass.

They work on arrays that are allocated once. Inside the list arrays are (time, sample, feature).
"""
