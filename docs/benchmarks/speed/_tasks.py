"""The work: data from a seed, the network, how long it is trained. Made anew by every process that measures."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


@dataclass(frozen=True)
class Task:
    """Sequences (sample, time, feature) with their targets, and what all peers are told to do with them."""

    cell: str
    units: int
    batch_size: int
    epochs: int
    X: Any
    y: Any
    series: Any = None  # (row, feature): where the sequences are windows, what they are windows of
    n_classes: int = 0
    learning_rate: float = 1e-3
    filters: int = 0  # of a causal convolution over three steps, followed by max pooling of two
    bidirectional: bool = False
    recurrent_dropout: float = 0.0

    @property
    def window_length(self) -> int:
        return int(self.X.shape[1])


Answer = Callable[[Any], Any]  # of sequences
Fit = Callable[[Task], Answer | None]  # none from a package that answers about series only


def small_series(n_rows: int = 4000, *, epochs: int = 5) -> Task:
    """One series: a yearly and a weekly sine, a slow trend, autoregressive noise."""
    t = np.arange(n_rows)
    clean = np.sin(2 * np.pi * t / 365) + 0.5 * np.sin(2 * np.pi * t / 7) + t / n_rows
    series = standardise(clean[:, np.newaxis] + autoregressive(n_rows, 1, 0.7, 0.3))
    X, y = windows(series, 33)
    return Task("gru", 32, 32, epochs, X, y, series)


def weather(n_rows: int = 50_000) -> Task:
    """Fourteen features: five sines mixed at random, and slow noise."""
    rng = np.random.default_rng(0)
    t = np.arange(n_rows)[:, np.newaxis]
    sines = np.sin(2 * np.pi * t / np.array([24, 12, 24 * 365, 24 * 182, 24 * 7]))
    series = standardise(sines @ rng.normal(size=(5, 14)) + autoregressive(n_rows, 14, 0.9, 0.3))
    X, y = windows(series, 72)
    return Task("gru", 32, 256, 2, X, y, series)


def images(n_images: int = 5000) -> Task:
    """Ten classes of pictures, read row by row: smoothed random templates, shifted, with noise."""
    rng = np.random.default_rng(0)
    templates = rng.normal(size=(10, 28, 28))
    for axis in (1, 2):
        templates = sum(np.roll(templates, shift, axis) for shift in range(-2, 3)) / 5**0.5
    y = rng.integers(0, 10, n_images)
    shifts = rng.integers(-2, 3, (n_images, 2))
    X = np.stack([np.roll(templates[label], shift, (0, 1)) for label, shift in zip(y, shifts, strict=True)])
    X = (X + rng.normal(0, 0.15, X.shape)).astype(np.float32)
    return Task("lstm", 64, 128, 2, X, y, n_classes=10)


def autoregressive(n_rows: int, n_features: int, memory: float, spread: float) -> Any:
    noise = np.random.default_rng(1).normal(0, spread, (n_rows, n_features))
    for now in range(1, n_rows):
        noise[now] += memory * noise[now - 1]
    return noise


def standardise(series: Any) -> Any:
    return ((series - series.mean(axis=0)) / series.std(axis=0)).astype(np.float32)


def windows(series: Any, length: int) -> tuple[Any, Any]:
    """Every window, as a view, and the next value of the first feature."""
    X = sliding_window_view(series, length, axis=0)[:-1].transpose(0, 2, 1)
    return X, series[length:, 0]


TASKS = {"w1": small_series, "w2": weather, "w3": images}
