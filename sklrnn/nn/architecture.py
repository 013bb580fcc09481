"""The plain description of a network, and how a network gets its initial weights."""

from collections.abc import Callable, Iterator
from dataclasses import MISSING, asdict, dataclass, field, fields
from typing import Any, Self, TypeVar

import numpy as np
import torch
from torch import nn

from sklrnn.kernels.fork_lock import fork_lock
from sklrnn.nn.cells import Cell
from sklrnn.nn.layers import Conv1d, Linear, RandomLayer, TokenEmbedding
from sklrnn.nn.stepwise import Stepwise
from sklrnn.saved_state import check_names, refusal

_GLOBAL_GENERATOR = fork_lock()
Assembled = TypeVar("Assembled", bound=nn.Module)


@dataclass(frozen=True)
class Architecture:
    """Everything that is needed to build a network again, as plain values: they are saved with a trained network."""

    n_features: int
    n_outputs: int
    cell: str | Cell | None  # None is a network without recurrent layers, whose units are ()
    units: tuple[int, ...]
    cell_options: dict[str, Any] = field(default_factory=dict)
    bidirectional: bool = False
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    residual: bool = False

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # networks are copied often, and nobody changes their description

    def build(self, *, seed: int) -> nn.Module:
        """Assemble the network and initialise its weights."""
        raise NotImplementedError


def initialized(assemble: Callable[[], Assembled], *, cell: str | Cell | None, seed: int) -> Assembled:
    """Assemble a network and initialise its weights, without touching torch's global generator.

    A cell of the user's own initialises itself from that generator: it is made under a lock with the generator seeded,
    and the generator is restored.
    """
    generator = torch.Generator().manual_seed(seed)
    if cell is None or isinstance(cell, str):
        network = assemble()
    else:
        with _GLOBAL_GENERATOR, torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            network = assemble()
    for module in network.modules():
        if isinstance(module, Linear | Conv1d):
            nn.init.xavier_uniform_(module.weight, generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for module in network.modules():
        if isinstance(module, Stepwise | TokenEmbedding):
            module.initialise(generator)
    return network


def rebuild(state: dict[str, Any], kind: type[Architecture]) -> nn.Module:
    """The network of a saved state; one that can't be built, or whose weights are not finite, is refused."""
    later = {one.name: one.default for one in fields(kind) if one.default is not MISSING}  # than what was saved
    architecture = later | state["architecture"]
    check_names(state, kind, architecture, [one.name for one in fields(kind)])
    network = kind(**architecture).build(seed=state["seed"])
    expected = network.state_dict()
    check_names(state, kind, state["weights"], expected)
    weights = {name: torch.from_numpy(np.array(value)) for name, value in state["weights"].items()}
    for name, weight in weights.items():
        if weight.shape != expected[name].shape:
            raise refusal(state, kind, f"{name!r} has the shape {tuple(weight.shape)}")
        if not weight.isfinite().all():
            raise refusal(state, kind, f"{name!r} holds NaN or infinity")
    network.load_state_dict(weights)
    return network


def random_layers(network: nn.Module) -> Iterator[RandomLayer]:
    """Every layer that draws random numbers in training."""
    return (module for module in network.modules() if isinstance(module, RandomLayer))


def count_parameters(network: nn.Module) -> int:
    """Count the trainable parameters."""
    return sum(weight.numel() for weight in network.parameters() if weight.requires_grad)
