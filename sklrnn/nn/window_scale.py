"""The level and the spread of each window, and the layer that scales each window by its own.

Tensors are (sample, time, feature), as data come in.
"""

import torch
from numpy.typing import NDArray
from torch import Tensor

from sklrnn.nn.layers import Standardise, real_steps

# A window that is almost constant is not blown up: its spread counts as at least this share of the typical one. The
# forecasters use the same share.
LEAST_RELATIVE_SPREAD = 0.02


class StandardiseWindow(Standardise):
    """The first layer of ``normalize_X="window"``: each feature minus its last value, over its spread in the window.

    ``typical`` is the root mean square of the spreads of the training windows. Where it is 0 the feature is constant in
    every window, like a property of an entity; it then keeps the mean and the spread of all training steps, as the last
    value would leave nothing of it. With ``flag_missing`` NaN becomes the mean of the window, and as many further
    features flag where it was.
    """

    typical: Tensor

    def __init__(self, n_features: int, *, flag_missing: bool = False) -> None:
        super().__init__(n_features, flag_missing=flag_missing)
        self.register_buffer("typical", torch.ones(n_features, dtype=torch.float64))

    def set_typical(self, typical: NDArray) -> None:  # type: ignore[type-arg]
        self.typical.copy_(torch.from_numpy(typical))

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        level, mean, spread = self.measure(x, lengths)
        level = torch.where(self.typical > 0, level, self.mean.to(x.dtype))
        scaled = (x - level) / spread
        if not self.flag_missing:
            return scaled
        missing = x.isnan()
        return torch.cat([torch.where(missing, (mean - level) / spread, scaled), missing.to(x)], dim=-1)

    def measure(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Level, mean and spread of each window and feature, (sample, 1, feature), with values for empty windows."""
        level, mean, spread = measure_windows(x, lengths, with_missing=self.flag_missing)
        typical = self.typical.to(x.dtype)
        if self.flag_missing:
            level = torch.where(level.isnan(), self.mean.to(x.dtype), level)
            mean = torch.where(mean.isnan(), level, mean)
        spread = torch.where(spread.isnan(), typical, spread).maximum(LEAST_RELATIVE_SPREAD * typical)
        return level, mean, torch.where(typical > 0, spread, self.spread.to(x.dtype))


def measure_windows(
    x: Tensor, lengths: Tensor | None = None, *, with_missing: bool = False
) -> tuple[Tensor, Tensor, Tensor]:
    """Last value, mean and standard deviation of each feature in each window, (sample, 1, feature).

    Padding and missing values are left out. Mean and last value are NaN where nothing is left; the standard deviation
    is NaN where a single value is.
    """
    if lengths is None and not with_missing:
        last = x[:, -1:]
        # Changes from the last value are exactly zero in a constant window, whatever its level.
        mean, spread = _mean_and_spread(x - last, None)
        return last, last + mean, spread if x.shape[1] > 1 else torch.full_like(spread, torch.nan)
    known = ~x.isnan()
    if lengths is not None:
        known &= real_steps(lengths, x.shape[1]).unsqueeze(2)
    steps = torch.arange(x.shape[1], device=x.device).view(1, -1, 1)
    last = x.gather(1, torch.where(known, steps, 0).amax(dim=1, keepdim=True))
    mean, spread = _mean_and_spread(torch.where(known, x - last, 0.0), known)
    return last, last + mean, torch.where(known.sum(dim=1, keepdim=True) > 1, spread, torch.nan)


def _mean_and_spread(changes: Tensor, known: Tensor | None) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation along time; changes that are not known are zero."""
    size = changes.abs().amax(dim=1, keepdim=True)
    size = torch.where(size > 0, size, 1.0)  # squares of very large or small numbers would leave the range of floats
    changes = changes / size
    if known is None:
        mean = changes.mean(dim=1, keepdim=True)
        variance = (changes - mean).square().mean(dim=1, keepdim=True)
    else:
        n_known = known.sum(dim=1, keepdim=True)
        mean = changes.sum(dim=1, keepdim=True) / n_known
        variance = torch.where(known, (changes - mean).square(), 0.0).sum(dim=1, keepdim=True) / n_known
    return size * mean, size * variance.sqrt()
