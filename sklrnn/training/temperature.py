"""Temperature scaling: how sure a classifier may be of its answers, by held-out samples."""

import numpy as np
import torch
from scipy.optimize import brentq
from scipy.special import logsumexp, softmax
from torch import Tensor

from sklrnn.training.process_group import OneProcess

# Logits are divided by no more, and the factor is found to within this.
_HIGHEST = 100.0
_PRECISION = 1e-4


class ValidationLogits:
    """The logits of all validation batches of an epoch, and the temperature at which their log loss is lowest.

    Long after a network classifies new samples as well as it can, it becomes surer of its answers, the wrong ones
    included, so that their log loss rises. Divided by one temperature above 1 [Guo2017]_ the logits are as sure as they
    should be, and the loss tells how well the classes are separated. A network that is not sure enough is left alone.

    .. [Guo2017] Guo, C., Pleiss, G., Sun, Y. and Weinberger, K. Q.: "On calibration of modern neural networks", ICML,
       2017.
    """

    def __init__(self) -> None:
        self._batches: list[tuple[Tensor, ...]] = []

    def add(self, logits: Tensor, codes: Tensor, weights: Tensor) -> None:
        """Add the logits, classes and weights of a batch, one row for each prediction."""
        self._batches.append((logits, codes, weights))

    def gather(self, processes: OneProcess) -> None:
        """Take in those of all processes that have shared the batches."""
        self._batches = processes.of_all([torch.cat(parts).cpu() for parts in zip(*self._batches, strict=True)])

    def soften(self, loss: float) -> tuple[float, float]:
        """Give the loss at the best temperature, and this temperature, from the loss without any."""
        logits, codes, weights = (torch.cat(parts).cpu().numpy() for parts in zip(*self._batches, strict=True))
        logits, weights = logits.astype(np.float64), weights.astype(np.float64)
        logits -= logits[np.arange(len(codes)), codes][:, np.newaxis]  # relative to the true class

        def slope(factor: float) -> float:
            expected = (softmax(factor * logits, axis=1) * logits).sum(axis=1)
            return float(weights @ expected)

        if not np.isfinite(logits).all() or slope(1.0) <= 0.0:
            return loss, 1.0
        least = 1.0 / _HIGHEST
        factor = least if slope(least) >= 0.0 else float(brentq(slope, least, 1.0, xtol=_PRECISION))
        softer, before = (float(weights @ logsumexp(each * logits, axis=1)) for each in (factor, 1.0))
        return loss * softer / before, 1.0 / factor
