"""The plain description of a network, and how a network gets its initial weights."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

import torch
from torch import nn

from sklrnn.nn.cells import Cell
from sklrnn.nn.layers import Conv1d, Linear, RandomLayer, TokenEmbedding
from sklrnn.nn.stepwise import Stepwise

_GLOBAL_GENERATOR = threading.Lock()
Assembled = TypeVar("Assembled", bound=nn.Module)


@dataclass(frozen=True)
class Architecture:
    """Everything that is needed to build a network again, as plain values: they are saved with a trained network."""

    n_features: int
    n_outputs: int
    cell: str | Cell
    units: tuple[int, ...]
    cell_options: dict[str, Any] = field(default_factory=dict)
    bidirectional: bool = False
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    residual: bool = False

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def build(self, *, seed: int) -> nn.Module:
        """Assemble the network and initialise its weights."""
        raise NotImplementedError


def initialized(assemble: Callable[[], Assembled], *, cell: str | Cell, seed: int) -> Assembled:
    """Assemble a network and initialise its weights, without touching torch's global generator.

    A cell of the user's own initialises itself from that generator: it is made under a lock with the generator seeded,
    and the generator is restored.
    """
    generator = torch.Generator().manual_seed(seed)
    if isinstance(cell, str):
        network = assemble()
    else:
        with _GLOBAL_GENERATOR, torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            network = assemble()
    for module in network.modules():
        if isinstance(module, Linear | Conv1d):
            nn.init.xavier_uniform_(module.weight, generator=generator)
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]
    for module in network.modules():
        if isinstance(module, Stepwise | TokenEmbedding):
            module.initialise(generator)
    return network


def random_layers(network: nn.Module) -> Iterator[RandomLayer]:
    """Every layer that draws random numbers in training."""
    return (module for module in network.modules() if isinstance(module, RandomLayer))


def count_parameters(network: nn.Module) -> int:
    """Count the trainable parameters."""
    return sum(weight.numel() for weight in network.parameters() if weight.requires_grad)
