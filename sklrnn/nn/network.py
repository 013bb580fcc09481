"""Standardise → convolve → recur → answer: a network is assembled from a plain description of it.

Inside a network tensors are (time, sample, feature): every time step is then one contiguous block.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from sklrnn.nn.cells import Cell, can_mask_its_state, final_state, is_of_torch, make_cell, run_cell
from sklrnn.nn.layers import (
    CausalConvolution,
    Conv1d,
    Linear,
    SequenceDropout,
    Standardise,
    TokenEmbedding,
    newest,
    real_steps,
    reverse,
)
from sklrnn.nn.stepwise import Stepwise
from sklrnn.training.fused_step import StandingNetwork, standing_network

_GLOBAL_GENERATOR = threading.Lock()
Assembled = TypeVar("Assembled", bound=nn.Module)


@dataclass(frozen=True)
class Architecture:
    """All that is needed to build a network again: plain values, kept with the fitted estimator."""

    n_features: int
    n_outputs: int
    cell: str | Cell
    units: tuple[int, ...]
    cell_options: dict[str, Any] = field(default_factory=dict)
    bidirectional: bool = False
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    residual: bool = False
    filters: tuple[int, ...] = ()
    kernel_size: int = 3
    pool_size: int = 1
    n_direct_steps: int = 0
    stateful: bool = False
    return_sequences: bool = False
    n_tokens: int = 0
    embedding_dim: int = 0
    flag_missing: bool = False

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


class RecurrentLayer(nn.Module):
    """Dropout, then a cell that reads forwards and, if asked, another that reads backwards, and the input added."""

    def __init__(self, architecture: Architecture, position: int, n_features: int) -> None:
        super().__init__()
        a = architecture
        self.units = a.units[position]
        self.dropout = SequenceDropout(a.dropout)
        self.recurrent_dropout = SequenceDropout(a.recurrent_dropout)
        self.forwards = make_cell(a.cell, a.cell_options, n_features, self.units)
        self.backwards = make_cell(a.cell, a.cell_options, n_features, self.units) if a.bidirectional else None
        self.width = self.units * (2 if a.bidirectional else 1)
        # Features of the data are no states: only what another layer gave is passed around a layer.
        self.adds_its_input = a.residual and position > 0 and self.width == n_features
        if a.recurrent_dropout and not can_mask_its_state(self.forwards):
            raise ValueError(
                f"recurrent_dropout={a.recurrent_dropout} needs a cell that can drop parts of its state, but "
                f"{type(self.forwards).__name__}.forward takes no state_mask. Set recurrent_dropout=0.0, take a cell "
                "by its name, or give your own the argument ``state_mask``."
            )

    def forward(self, x: Tensor, first: Any = None, lengths: Tensor | None = None) -> tuple[Tensor, Tensor, Any]:
        """Give all states, the state after the whole sequence was read, and what carries on to a next segment."""
        given, x = x, self.dropout(x)
        states, carried = self._run(self.forwards, x, first)
        if self.backwards is None and not self.adds_its_input and lengths is None:
            return states, final_state(self.forwards, states, carried), carried
        if self.backwards is not None:
            backwards, _ = self._run(self.backwards, reverse(x, lengths))
            states = torch.cat([states, reverse(backwards, lengths)], dim=-1)
        if self.adds_its_input:
            states = states + given
        final = newest(states, lengths)  # (sample, unit)
        if self.backwards is not None:
            # The backward cell is done when it has read the *first* step: its last state sits there.
            final = torch.cat([final[:, : self.units], states[0, :, self.units :]], dim=-1)  # (sample, 2 * unit)
        return states, final, carried

    def has_extras(self) -> bool:
        """Whether there is more to it than dropping features and one of torch's cells that reads forwards."""
        plain = is_of_torch(self.forwards) and self.backwards is None
        return not plain or self.adds_its_input or self.recurrent_dropout.rate > 0

    def _run(self, cell: nn.Module, x: Tensor, first: Any = None) -> tuple[Tensor, Any]:
        return run_cell(cell, x, first, self.recurrent_dropout.mask(x, self.units))


class Network(nn.Module):
    """Sequences (sample, time, feature) in, raw outputs (sample, output), or (sample, time, output), out."""

    embedding: Any
    standardise: Any
    recurrent: Any

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        a = architecture
        if a.stateful and a.bidirectional:
            raise ValueError(
                "stateful=True carries the state from each segment to the next, but bidirectional=True also reads "
                "backwards, from segments that are yet to come. Set one of them to False."
            )
        self.return_sequences = a.return_sequences
        self.embedding, self.standardise = nn.Identity(), nn.Identity()
        if a.n_tokens:
            self.embedding, width = TokenEmbedding(a.n_tokens, a.embedding_dim), a.embedding_dim
        else:
            self.standardise = Standardise(a.n_features, flag_missing=a.flag_missing)
            width = a.n_features * (2 if a.flag_missing else 1)
        self.front = CausalConvolution(width, a.filters, a.kernel_size, a.pool_size)
        width = a.filters[-1] if a.filters else width
        if a.return_sequences and self.front.pool_size > 1:
            raise ValueError(
                f"return_sequences=True answers every step, but pool_size={a.pool_size} joins steps into one. "
                "Set pool_size=1, or return_sequences=False."
            )
        layers = []
        for position in range(len(a.units)):
            layers.append(RecurrentLayer(a, position, width))
            width = layers[-1].width
        self.recurrent = nn.ModuleList(layers)
        self.n_direct_steps = a.n_direct_steps
        self.head = Linear(width + a.n_direct_steps * a.n_features, a.n_outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        states, final, _ = self.read(x, lengths=lengths)
        return self.answer(states, final)

    def answer(self, states: Tensor, final: Tensor) -> Tensor:
        """Raw outputs from what ``read`` gives."""
        raw: Tensor = self.head(states).transpose(0, 1) if self.return_sequences else self.head(final)
        return raw

    def go_on(self, x: Tensor, carried: Any, *, n_strands: int) -> tuple[Tensor, Any]:
        """Answer segments and give the state to go on from, cut off from how it came about."""
        states, final, carry_on = self.read(x, carried, n_strands=n_strands)
        return self.answer(states, final), cut_off(carry_on)

    def read(
        self,
        x: Tensor,
        carried: list[Any] | None = None,
        *,
        n_strands: int | None = None,
        lengths: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, list[Any]]:
        """Give the last layer's states (time, sample, unit), what the head reads, and what each layer carries on.

        The head reads the final state and, where the architecture says so, the last steps of the input as they are.
        With ``n_strands`` the samples are segments of so many sequences: all segments of the first, then of the second.
        With ``lengths`` the samples are padded at their ends; no real step reads padding, states of padding are noise.
        """
        x = self.standardise(self.embedding(x)).to(self.head.weight.dtype).transpose(0, 1)  # (time, sample, feature)
        if lengths is not None:
            x = x.masked_fill(~real_steps(lengths, len(x)).t().unsqueeze(2), 0.0)
        direct = x[len(x) - self.n_direct_steps :].transpose(0, 1).flatten(1) if self.n_direct_steps else None
        x, lengths = self.front(x, lengths), self.front.lengths_after(lengths)
        n_steps, n_segments = x.shape[:2]
        if n_strands is not None:
            x = x.unflatten(1, (n_strands, -1)).permute(2, 0, 1, 3).flatten(0, 1)  # (segment and time, strand, feature)
        carry_on = []
        final = x[-1]
        for position, layer in enumerate(self.recurrent):
            x, final, last = layer(x, carried[position] if carried else None, lengths)
            carry_on.append(last)
        if n_strands is not None:
            x = x.unflatten(0, (-1, n_steps)).permute(1, 2, 0, 3).reshape(n_steps, n_segments, -1)
            final = x[-1]
        return x, final if direct is None else torch.cat([final, direct], dim=1), carry_on

    def without_autograd(self, criterion: nn.Module, batch: Tensor) -> StandingNetwork | None:
        """What gives the same gradients sooner, for a stack of torch's layers that answers from its last state."""
        has_extras = (
            type(self) is not Network
            or self.return_sequences
            or self.front.layers
            or not isinstance(self.standardise, Standardise)
            or self.standardise.flag_missing
            or any(layer.has_extras() for layer in self.recurrent)
        )
        return None if has_extras else standing_network(self, criterion, batch)

    def penalised_weights(self) -> list[Tensor]:
        """The weights, not the biases, of the recurrent layers."""
        return [weight for weight in self.recurrent.parameters() if weight.ndim > 1 and weight.requires_grad]


def build_network(architecture: Architecture, *, seed: int) -> Network:
    """Assemble a network from its description and give it its first weights."""
    return with_first_weights(lambda: Network(architecture), cell=architecture.cell, seed=seed)


def with_first_weights(assemble: Callable[[], Assembled], *, cell: str | Cell, seed: int) -> Assembled:
    """Assemble a network and give it its first weights, without touching torch's global generator.

    A cell of the user's own initialises itself from that generator. It then runs under a lock, seeded, and the
    generator is put back.
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


def cut_off(state: Any) -> Any:
    """The same numbers, without the way back: gradients end where a segment begins."""
    if isinstance(state, Tensor):
        return state.detach()
    if isinstance(state, dict):
        return {name: cut_off(part) for name, part in state.items()}
    return type(state)(cut_off(part) for part in state) if isinstance(state, list | tuple) else state


def dropouts(network: nn.Module) -> Iterator[Any]:
    """Every layer of a network that draws at random in training, from a ``generator`` of its own."""
    return (module for module in network.modules() if hasattr(module, "generator"))


def count_parameters(network: nn.Module) -> int:
    """How many numbers are learnt."""
    return sum(weight.numel() for weight in network.parameters() if weight.requires_grad)
