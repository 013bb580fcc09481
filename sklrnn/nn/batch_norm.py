"""Batch normalisation over a batch that several processes share.

With x_1, ..., x_n all values of a feature in the batch, and r the gradient of each output::

    m = sum x / n,  v = sum (x - m)^2 / n,  z = (x - m) / sqrt(v + eps)        y = w z + b
    db = sum r,  dw = sum r z                         dx = w / sqrt(v + eps) (r - db / n - z dw / n)

The sums run over the values of all processes. Only the gradients of w and b are those of this process: they are added
up later, with all others.
"""

from typing import Any

import torch
from torch import Tensor

from sklrnn.nn.batch_share import BatchShare

Gradients = tuple[Tensor, Tensor, Tensor]


class SharedMoments:
    """Mean and variance of each feature of x (row, feature) over all processes, and the number of values."""

    def __init__(self, x: Tensor, share: BatchShare) -> None:
        self._share = share
        n_here = 0 if share.is_empty else len(x)
        variance, mean = torch.var_mean(x.double(), dim=0, correction=0)
        sums = torch.cat([mean * n_here, (variance + mean.square()) * n_here, mean.new_tensor([n_here])])
        share.add_up(sums)
        self.n = int(sums[-1])
        mean, square = (sums[:-1] / self.n).chunk(2)
        variance = (square - mean.square()).clamp(min=0.0)
        self.mean, self.variance = mean.to(x.dtype), variance.to(x.dtype)

    def update(self, mean: Tensor, variance: Tensor, share: float) -> None:
        """Give the moments this share in the moving averages; like torch, with the unbiased variance."""
        mean.lerp_(self.mean.to(mean), share)
        variance.lerp_(self.variance.to(variance) * (self.n / (self.n - 1)), share)

    def standardise(self, x: Tensor, epsilon: float) -> tuple[Tensor, Tensor]:
        """z, and one over the deviation."""
        inverse = (self.variance + epsilon).rsqrt()
        return (x - self.mean) * inverse, inverse

    def backward(self, grad: Tensor, z: Tensor, weight: Tensor, inverse: Tensor) -> Gradients:
        """Gradients of x, of the weight and of the bias, from that of y."""
        of_bias, of_weight = grad.sum(dim=0), (grad * z).sum(dim=0)
        sums = torch.cat([of_bias, of_weight])
        self._share.add_up(sums)
        sum_bias, sum_weight = (sums / self.n).chunk(2)
        of_x = (grad - sum_bias - z * sum_weight) * (weight * inverse)
        return of_x.zero_() if self._share.is_empty else of_x, of_weight, of_bias


class SharedBatchNorm(torch.autograd.Function):
    """The same for autograd, with the moments as they are in this batch."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, moments: SharedMoments, epsilon: float) -> Tensor:
        z, inverse = moments.standardise(x, epsilon)
        ctx.save_for_backward(z, weight, inverse)
        ctx.moments = moments
        return z * weight + bias

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        return *ctx.moments.backward(*grads, *ctx.saved_tensors), None, None
