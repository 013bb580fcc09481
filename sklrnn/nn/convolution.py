"""Convolutions along time, with batch normalisation and max pooling: what stands in front of the recurrent layers.

Tensors are (sample, feature, time) between the layers, as torch's convolutions need them.
"""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sklrnn.nn.batch_norm import SharedBatchNorm, SharedMoments
from sklrnn.nn.batch_share import BatchLayer, BatchShare
from sklrnn.nn.layers import Conv1d, real_steps


class BatchNorm(BatchLayer):
    """Batch normalisation over the real steps of a batch, with a learnt scale and shift for each feature.

    Predictions use moving averages of the statistics, so a row does not depend on the rows beside it. They are averaged
    over about as many steps as the weights that predict.
    """

    DECAY = 0.99
    EPSILON = 1e-5

    mean: Tensor
    variance: Tensor
    n_batches: Tensor

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(n_features))
        self.bias = nn.Parameter(torch.zeros(n_features))
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("variance", torch.ones(n_features))
        self.register_buffer("n_batches", torch.zeros((), dtype=torch.int64))

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:  # (sample, feature, time)
        if lengths is None:
            return self._normalise(x)
        real = real_steps(lengths, x.shape[2])
        steps = x.transpose(1, 2)
        return torch.zeros_like(steps).index_put((real,), self._normalise(steps[real])).transpose(1, 2)

    def count_batch(self) -> float:
        """Count one more batch, and give its share in the moving averages."""
        self.n_batches += 1
        n_earlier = int(self.n_batches) - 1
        return 1.0 - min(self.DECAY, n_earlier / (10 + n_earlier))  # the first batch fills them

    def _normalise_on_device(self, x: Tensor) -> Tensor:
        """The same as a training step on the CPU, without waiting for the number of batches."""
        n_earlier = self.n_batches.clone()
        self.n_batches += 1
        share = 1.0 - (n_earlier / (10 + n_earlier)).clamp(max=self.DECAY)
        mean, variance = torch.zeros_like(self.mean), torch.ones_like(self.variance)
        y = F.batch_norm(x, mean, variance, self.weight, self.bias, True, 1.0, self.EPSILON)
        with torch.no_grad():
            self.mean.lerp_(mean, share)
            self.variance.lerp_(variance, share)
        return y

    def _normalise(self, x: Tensor) -> Tensor:
        """Normalise (sample, feature) or (sample, feature, time); one value has no spread, so it counts as no batch."""
        if self.training and self.share is not None:
            return self._normalise_shared(x, self.share)
        trains = self.training and x.numel() > x.shape[1]
        if trains and x.device.type != "cpu":
            return self._normalise_on_device(x)
        share = self.count_batch() if trains else 0.0
        return F.batch_norm(x, self.mean, self.variance, self.weight, self.bias, trains, share, self.EPSILON)

    def _normalise_shared(self, x: Tensor, share: BatchShare) -> Tensor:
        steps = x if x.ndim == 2 else x.transpose(1, 2)
        rows = steps.flatten(0, -2)
        moments = SharedMoments(rows.detach(), share)
        if moments.n == 1:
            return F.batch_norm(x, self.mean, self.variance, self.weight, self.bias, eps=self.EPSILON)
        moments.update(self.mean, self.variance, self.count_batch())
        y: Tensor = SharedBatchNorm.apply(rows, self.weight, self.bias, moments, self.EPSILON).view(steps.shape)
        return y if x.ndim == 2 else y.transpose(1, 2)

    def scale_and_shift(self) -> tuple[Any, Any]:
        """What predictions multiply each feature by, and add to it: arrays of float64."""
        weight, bias, mean, variance = (
            each.detach().double().cpu().numpy() for each in (self.weight, self.bias, self.mean, self.variance)
        )
        scale = weight / np.sqrt(variance + self.EPSILON)
        return scale, bias - mean * scale


class CausalConvolution(nn.Module):
    """Causal convolutions along time, then one max pooling whose blocks end at the newest step.

    A tuple as ``pool_size`` pools behind each convolution.

    Examples
    --------
    The kernel moves along the series and gives a weighted sum at each step. The first two sums read zeros in front of
    the series, so that there is one for each step.

    >>> series = torch.tensor([0.4, 0.3, 1.0, 0.1, 0.3, 0.7, 0.5, 0.2])
    >>> layer = CausalConvolution(1, (1,), kernel_size=3, pool_size=1)
    >>> with torch.no_grad():
    ...     _ = layer.layers[0].weight.copy_(torch.tensor([0.2, 0.6, 0.8]))
    ...     _ = layer.layers[0].bias.zero_()
    ...     sums = layer(series.reshape(8, 1, 1)).flatten()
    >>> [round(value, 2) for value in sums[2:].tolist()]
    [1.06, 0.74, 0.5, 0.76, 0.88, 0.6]
    """

    def __init__(
        self,
        n_features: int,
        filters: tuple[int, ...],
        kernel_size: int,
        pool_size: int | tuple[int, ...],
        *,
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        widths = [n_features, *filters]
        # In front of a normalisation a bias has no effect, and its gradient would be rounding alone.
        self.layers = nn.ModuleList(
            Conv1d(width, n_filters, kernel_size, bias=not batch_norm)
            for width, n_filters in zip(widths, filters, strict=False)
        )
        self.norms = nn.ModuleList(BatchNorm(n_filters) if batch_norm else nn.Identity() for n_filters in filters)
        self.kernel_size = kernel_size
        if isinstance(pool_size, int):
            self.pool_sizes = (*(1 for _ in filters[1:]), pool_size) if filters else ()
        else:
            self.pool_sizes = tuple(pool_size)
        self.pool_size = math.prod(self.pool_sizes)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:  # (time, sample, feature)
        if not self.layers:
            return x
        if x.dtype != self.layers[0].weight.dtype:
            return self._predict_in_double(x, lengths)
        x = x.permute(1, 2, 0)  # (sample, feature, time)
        for layer, norm, pool_size in zip(self.layers, self.norms, self.pool_sizes, strict=True):
            x = layer(F.pad(x, (self.kernel_size - 1, 0)))
            x = F.relu(norm(x, lengths) if isinstance(norm, BatchNorm) else x)
            if pool_size > 1:
                x = F.max_pool1d(_end_blocks_at_the_newest_step(x, lengths, pool_size), pool_size)
                lengths = _pooled(lengths, pool_size)
        return x.permute(2, 0, 1)

    def _predict_in_double(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """The same in float64 for weights of float32, as one product of matrices for each convolution."""
        layers: Any = self.layers
        for layer, norm, pool_size in zip(layers, self.norms, self.pool_sizes, strict=True):
            n_steps, n_samples, _ = x.shape
            weight = layer.weight.double()
            if isinstance(norm, BatchNorm):
                scale, bias = (torch.from_numpy(each).to(x.device) for each in norm.scale_and_shift())
                weight = weight * scale.view(-1, 1, 1)
            else:
                bias = layer.bias.double()
            padded = F.pad(x, (0, 0, 0, 0, self.kernel_size - 1, 0))
            read = padded.unfold(0, self.kernel_size, 1).reshape(n_steps * n_samples, -1)  # (..., feature and place)
            x = torch.addmm(bias, read, weight.flatten(1).t()).relu_().view(n_steps, n_samples, -1)
            if pool_size > 1 and lengths is None:
                x = F.pad(x, (0, 0, 0, 0, -n_steps % pool_size, 0)).unflatten(0, (-1, pool_size)).amax(dim=1)
            elif pool_size > 1:
                blocks = _end_blocks_at_the_newest_step(x.permute(1, 2, 0), lengths, pool_size)
                x = F.max_pool1d(blocks, pool_size).permute(2, 0, 1)
                lengths = _pooled(lengths, pool_size)
        return x

    def n_steps_read(self) -> int:
        """How many of the newest steps the newest output depends on."""
        n_read, spacing = 1, 1
        for pool_size in self.pool_sizes:
            n_read += (self.kernel_size + pool_size - 2) * spacing
            spacing *= pool_size
        return n_read

    def lengths_after(self, lengths: Tensor | None) -> Tensor | None:
        """The numbers of steps after pooling."""
        return _pooled(lengths, self.pool_size)


def _pooled(lengths: Tensor | None, pool_size: int) -> Tensor | None:
    return None if lengths is None else (lengths + pool_size - 1) // pool_size


def _end_blocks_at_the_newest_step(x: Tensor, lengths: Tensor | None, pool_size: int) -> Tensor:
    """The oldest block may be short; the newest step is always in."""
    if lengths is None:
        return F.pad(x, (-x.shape[2] % pool_size, 0), value=-torch.inf)
    # Padding on both sides is zero, which is no larger than any output of relu.
    x = x * real_steps(lengths, x.shape[2]).unsqueeze(1)
    n_padded = pool_size - 1
    n_steps = x.shape[2] + n_padded - (x.shape[2] + n_padded) % pool_size
    source = torch.arange(n_steps, device=x.device) + (n_padded - -lengths % pool_size).unsqueeze(1)
    padded = F.pad(x, (n_padded, pool_size))
    return padded.gather(2, source.unsqueeze(1).expand(-1, x.shape[1], -1))
