"""What the cells have in common that torch has a fused layer for."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from sklrnn.kernels import run_kernel
from sklrnn.nn.stepwise import Stepwise


class TorchLayer(Stepwise):
    """A fused layer of torch: by a kernel where there is one for it; else by torch, where the state is not masked.

    The equations have one bias. torch's second one adds nothing to it, so it stays zero and untrained, except in a cell
    that ``has_two_biases``.
    """

    has_two_biases: ClassVar[bool] = False
    bias_hh_l0: Tensor

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.bias_hh_l0.requires_grad_(self.has_two_biases)

    def input_bias(self) -> Tensor:
        return self.bias_ih_l0 if self.has_two_biases else self.bias_ih_l0 + self.bias_hh_l0

    def initialise(self, generator: torch.Generator) -> None:
        super().initialise(generator)
        nn.init.zeros_(self.bias_hh_l0)

    def reset_parameters(self) -> None:
        """Left empty: torch's own initialisation would draw from the global generator."""

    def forward(self, x: Tensor, first: Any = None, state_mask: Tensor | None = None) -> tuple[Tensor, Any]:
        done = run_kernel(self, x, first, state_mask)
        if done is None and isinstance(x, Tensor) and x.is_cpu and torch.is_autocast_enabled("cpu"):
            # oneDNN has layers in bfloat16 for newer processors only, and kernels are faster than these.
            with torch.autocast("cpu", enabled=False):
                return self.forward(x.to(self.weight_hh_l0.dtype), first, state_mask)
        if done is None and state_mask is not None:
            return self.unroll(x, first, state_mask)
        states, last = super().forward(x, first) if done is None else done  # type: ignore[misc]
        return states, last
