"""The mean loss of a batch, and its gradient with respect to the raw outputs.

::

    L = sum_i w_i loss(y_i, target_i) / n        dy_i = w_i / n dloss(y_i, target_i)

The sum runs over the n samples, or over all real steps of them. A loss without a formula is left to autograd, from the
raw outputs on.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sklrnn.kernels.program import Instruction, mean_loss
from sklrnn.nn.layers import real_steps
from sklrnn.nn.loss_modules import WeightedTargets
from sklrnn.training.operations.head import Head
from sklrnn.training.operations.signal import EpochArrays

Array = NDArray[Any]


class MeanLoss:
    def __init__(self, criterion: Any, head: Head) -> None:
        self._criterion = criterion
        self._raw, self._grad_raw = head.raw, head.grad_raw

    def __call__(self, batch: dict[str, Tensor], y: Tensor) -> float:
        """The loss; its gradient is left in the array that the head reads."""
        weight, lengths, raw = batch["weight"], batch.get("lengths"), self._raw
        real: Any = slice(None)
        shares = weight.numpy() / len(weight)
        if "target_lengths" in batch:  # targets are those of real steps only, (sample, time)
            real = _places(batch["target_lengths"], len(raw))
            raw = raw[real]
            self._grad_raw.zero_()
        elif weight.ndim == 2:  # raw outputs lie in the order of the states, (time, sample)
            y, shares = y.transpose(0, 1).flatten(0, 1), shares.T.reshape(-1)
            if lengths is not None:  # padding need not be finite
                real = real_steps(lengths, weight.shape[1]).t().flatten().numpy()
                raw, y, shares = raw[real], y[real], shares[real]
                self._grad_raw.zero_()
        loss, self._grad_raw.numpy()[real] = self._loss_gradient(raw, y, shares)
        return loss

    def instruction(self, epoch: EpochArrays) -> Instruction | None:
        """The same for a program; None for a loss without a formula."""
        per_output = self._criterion.per_output
        has_target_weights = isinstance(per_output, WeightedTargets)
        if has_target_weights:
            per_output = per_output.per_output
        if not hasattr(per_output, "kind") or not isinstance(epoch.y, np.ndarray):
            return None
        return mean_loss(
            per_output.kind,
            (self._raw, self._grad_raw),
            (epoch.y, epoch.weights, epoch.order),
            batch_size=epoch.batch_size,
            losses=epoch.losses,
            levels=getattr(per_output, "levels", None),
            has_target_weights=has_target_weights,
        )

    def _loss_gradient(self, raw: Tensor, y: Tensor, shares: Array) -> tuple[float, Array]:
        known = self._criterion.loss_gradient(raw.numpy(), y.numpy())
        if known is not None:
            losses, gradient = known
            return float(losses @ shares), gradient * shares[:, np.newaxis]
        with torch.enable_grad():
            raw = raw.clone().requires_grad_()
            loss = torch.dot(self._criterion(raw, y), torch.from_numpy(shares))
            (of_raw,) = torch.autograd.grad(loss, raw)
        return float(loss.detach()), of_raw.numpy()


def _places(lengths: Tensor, n_rows: int) -> Array:
    """Where the real steps, (sample, time), lie among all steps, (time, sample)."""
    n_samples = len(lengths)
    sample, step = real_steps(lengths, n_rows // n_samples).numpy().nonzero()
    places: Array = step * n_samples + sample
    return places
