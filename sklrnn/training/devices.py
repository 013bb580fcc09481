"""Where networks and batches lie."""

import warnings

import torch
from torch import Tensor, nn


def choose_device(name: str) -> torch.device:
    """``"auto"`` is CUDA where there is a GPU, else the CPU; MPS only when asked for."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    available = torch.cuda.is_available() if name.startswith("cuda") else torch.backends.mps.is_available()
    if name != "cpu" and not available:
        raise ValueError(f'device="{name}" is not available on this machine. Use device="cpu", or "auto".')
    if name.startswith("cuda"):
        # Weights are views of one tensor, in an order of our own, and cuDNN warns that it copies them for each layer.
        warnings.filterwarnings("ignore", message="RNN module weights are not part of single contiguous chunk")
    return torch.device(name)


def on_device(network: nn.Module, device: torch.device) -> nn.Module:
    """Move a network, unless its first weight is there: asking every module takes as long as to run a small layer."""
    return network if next(network.parameters()).device == device else network.to(device)


def tensors_of(network: nn.Module) -> list[Tensor]:
    """Weights and buffers."""
    return [*network.parameters(), *network.buffers()]
