"""Precisions other than float32: bfloat16 for the steps of training, float64 for predictions from float64 input."""

import copy
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

import torch
from torch import Tensor, nn

from sklrnn.training.devices import tensors_of

Precision = Literal["float32", "bf16"]


def check_precision(precision: Precision, device: torch.device) -> None:
    """Refuse bfloat16 where the device does not compute in it."""
    if precision == "float32" or device.type == "cpu":
        return
    if device.type != "cuda" or not torch.cuda.is_bf16_supported(including_emulation=False):
        raise ValueError(
            f'precision="bf16" needs a device that computes in bfloat16: a GPU of NVIDIA of compute capability 8.0 or '
            f'more (from the year 2020), or the CPU. Got device="{device}". Set precision="float32".'
        )


def mixed_precision(precision: Precision, device: torch.device) -> AbstractContextManager[Any]:
    """Let torch compute products of matrices and convolutions in bfloat16; weights and all else stay in float32."""
    return nullcontext() if precision == "float32" else torch.autocast(device.type, dtype=torch.bfloat16)


class DoubleCopy:
    """A copy of a network in float64, made once, as that takes longer than to run it: later its weights are renewed."""

    def __init__(self) -> None:
        self._made: tuple[nn.Module, list[Tensor], list[Tensor]] | None = None

    def of(self, network: nn.Module) -> nn.Module:
        """The copy, with the weights that the network has now."""
        if self._made is None:
            double = copy.deepcopy(network).double().eval()
            self._made = double, tensors_of(double), tensors_of(network)
        double, targets, sources = self._made
        with torch.no_grad():
            torch._foreach_copy_(targets, sources)
        return double
