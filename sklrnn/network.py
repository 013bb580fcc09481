"""Standardise → convolve → recur → answer: a network is assembled from a plain description of it.

Inside a network tensors are (time, sample, feature): every time step is then one contiguous block.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from sklrnn._stepwise import Stepwise
from sklrnn.cells import Cell, can_mask_its_state, make_cell, run_cell

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

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


class Standardise(nn.Module):
    """The fixed first layer: each feature less its mean, over its spread, in the precision of the data."""

    mean: Tensor
    spread: Tensor

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_features, dtype=torch.float64))
        self.register_buffer("spread", torch.ones(n_features, dtype=torch.float64))

    def learn(self, mean: NDArray[Any], spread: NDArray[Any]) -> None:
        self.mean.copy_(torch.from_numpy(mean))
        self.spread.copy_(torch.from_numpy(spread))

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean.to(x.dtype)) / self.spread.to(x.dtype)


class SequenceDropout(nn.Module):
    """Drops features: one mask for all steps of a sequence, drawn from a generator of our own."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self.generator: torch.Generator | None = None  # set while training

    def forward(self, x: Tensor) -> Tensor:
        mask = self.mask(x, x.shape[2])
        return x if mask is None else x * mask

    def mask(self, x: Tensor, width: int) -> Tensor | None:
        """Draw what each sequence's features are multiplied with, (sample, feature); None where nothing is dropped."""
        if not self.training or not self.rate:
            return None
        kept = torch.rand((x.shape[1], width), generator=self.generator) >= self.rate
        return kept.to(x) / (1.0 - self.rate)


class CausalConvolution(nn.Module):
    """Convolutions along time that see the past only, then one pooling whose blocks end at the newest step.

    Examples
    --------
    The kernel moves along the series and gives a weighted sum at each place. The first two sums reach back before the
    series, where zeros are put, so that there is one for each step; the others need no padding.

    >>> series = torch.tensor([0.4, 0.3, 1.0, 0.1, 0.3, 0.7, 0.5, 0.2])
    >>> layer = CausalConvolution(1, (1,), kernel_size=3, pool_size=1)
    >>> with torch.no_grad():
    ...     _ = layer.layers[0].weight.copy_(torch.tensor([0.2, 0.6, 0.8]))
    ...     _ = layer.layers[0].bias.zero_()
    ...     sums = layer(series.reshape(8, 1, 1)).flatten()
    >>> [round(value, 2) for value in sums[2:].tolist()]
    [1.06, 0.74, 0.5, 0.76, 0.88, 0.6]
    """

    def __init__(self, n_features: int, filters: tuple[int, ...], kernel_size: int, pool_size: int) -> None:
        super().__init__()
        widths = [n_features, *filters]
        self.layers = nn.ModuleList(
            _Conv1d(width, n_filters, kernel_size) for width, n_filters in zip(widths, filters, strict=False)
        )
        self.kernel_size = kernel_size
        self.pool_size = pool_size

    def forward(self, x: Tensor) -> Tensor:  # (time, sample, feature)
        x = x.permute(1, 2, 0)  # (sample, feature, time)
        for layer in self.layers:
            x = F.relu(layer(F.pad(x, (self.kernel_size - 1, 0))))
        if self.pool_size > 1:
            # The oldest block may be short; the newest step is always in.
            missing = -x.shape[2] % self.pool_size
            x = F.max_pool1d(F.pad(x, (missing, 0), value=-torch.inf), self.pool_size)
        return x.permute(2, 0, 1)


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

    def forward(self, x: Tensor, first: Any = None) -> tuple[Tensor, Tensor, Any]:
        """Give all states, the state after the whole sequence was read, and what carries on to a next segment."""
        given, x = x, self.dropout(x)
        states, carried = self._run(self.forwards, x, first)
        if self.backwards is not None:
            states = torch.cat([states, self._run(self.backwards, x.flip(0))[0].flip(0)], dim=-1)
        if self.adds_its_input:
            states = states + given
        if self.backwards is None:
            return states, states[-1], carried
        # The backward cell is done when it has read the *first* step: its last state sits there.
        final = torch.cat([states[-1, :, : self.units], states[0, :, self.units :]], dim=-1)  # (sample, 2 * unit)
        return states, final, carried

    def _run(self, cell: nn.Module, x: Tensor, first: Any = None) -> tuple[Tensor, Any]:
        return run_cell(cell, x, first, self.recurrent_dropout.mask(x, self.units))


class Network(nn.Module):
    """Sequences (sample, time, feature) in, raw outputs (sample, output) out."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        a = architecture
        if a.stateful and a.bidirectional:
            raise ValueError(
                "stateful=True carries the state from each segment to the next, but bidirectional=True also reads "
                "backwards, from segments that are yet to come. Set one of them to False."
            )
        self.standardise = Standardise(a.n_features)
        width = a.n_features
        self.front: nn.Module = nn.Identity()
        if a.filters:
            self.front = CausalConvolution(width, a.filters, a.kernel_size, a.pool_size)
            width = a.filters[-1]
        layers = []
        for position in range(len(a.units)):
            layers.append(RecurrentLayer(a, position, width))
            width = layers[-1].width
        self.recurrent = nn.ModuleList(layers)
        self.n_direct_steps = a.n_direct_steps
        self.head = _Linear(width + a.n_direct_steps * a.n_features, a.n_outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.read(x)[1])

    def go_on(self, x: Tensor, carried: Any, *, n_strands: int) -> tuple[Tensor, Any]:
        """Answer segments and give the state to go on from, cut off from how it came about."""
        _, final, carry_on = self.read(x, carried, n_strands=n_strands)
        return self.head(final), cut_off(carry_on)

    def read(
        self, x: Tensor, carried: list[Any] | None = None, *, n_strands: int | None = None
    ) -> tuple[Tensor, Tensor, list[Any]]:
        """Give the last layer's states (time, sample, unit), what the head reads, and what each layer carries on.

        The head reads the final state and, where the architecture says so, the last steps of the input as they are.
        With ``n_strands`` the samples are segments of so many sequences: all segments of the first, then of the second.
        """
        x = self.standardise(x).to(self.head.weight.dtype).transpose(0, 1)  # (time, sample, feature)
        direct = x[len(x) - self.n_direct_steps :].transpose(0, 1).flatten(1)  # (sample, step and feature)
        x = self.front(x)
        n_steps, n_segments = x.shape[:2]
        if n_strands is not None:
            x = x.unflatten(1, (n_strands, -1)).permute(2, 0, 1, 3).flatten(0, 1)  # (segment and time, strand, feature)
        carry_on = []
        final = x[-1]
        for position, layer in enumerate(self.recurrent):
            x, final, last = layer(x, carried[position] if carried else None)
            carry_on.append(last)
        if n_strands is not None:
            x = x.unflatten(0, (-1, n_steps)).permute(1, 2, 0, 3).reshape(n_steps, n_segments, -1)
            final = x[-1]
        return x, torch.cat([final, direct], dim=1), carry_on

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
        if isinstance(module, _Linear | _Conv1d):
            nn.init.xavier_uniform_(module.weight, generator=generator)
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]
    for module in network.modules():
        if isinstance(module, Stepwise):
            module.initialise(generator)
    return network


def cut_off(state: Any) -> Any:
    """The same numbers, without the way back: gradients end where a segment begins."""
    if isinstance(state, Tensor):
        return state.detach()
    if isinstance(state, dict):
        return {name: cut_off(part) for name, part in state.items()}
    return type(state)(cut_off(part) for part in state) if isinstance(state, list | tuple) else state


def dropouts(network: nn.Module) -> Iterator[SequenceDropout]:
    """Every layer of a network that draws masks."""
    return (module for module in network.modules() if isinstance(module, SequenceDropout))


def count_parameters(network: nn.Module) -> int:
    """How many numbers are learnt."""
    return sum(weight.numel() for weight in network.parameters() if weight.requires_grad)


def feature_statistics(
    X: NDArray[Any], weights: NDArray[Any] | None, present: NDArray[Any] | None = None
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Weighted mean and spread of each feature over all steps, in float64 and by blocks: windows may be a view.

    Only rows that are ``present`` are read, so that the result is to the last bit that of these rows alone.
    """
    n_samples, n_steps, n_features = X.shape
    present = np.arange(n_samples) if present is None else present
    weights = np.ones(len(present)) if weights is None else weights[present]
    rows_at_once = max(1, 2**20 // (n_steps * n_features))
    blocks = [slice(start, start + rows_at_once) for start in range(0, len(present), rows_at_once)]
    total = weights.sum() * n_steps
    mean = sum(np.einsum("s,stf->f", weights[rows], X[present[rows]].astype(np.float64)) for rows in blocks) / total
    variance = sum(np.einsum("s,stf->f", weights[rows], (X[present[rows]] - mean) ** 2) for rows in blocks) / total
    spread = np.sqrt(variance)
    # What rounding leaves of a constant feature is no spread.
    spread[spread <= 10 * np.finfo(X.dtype).eps * np.maximum(np.abs(mean), np.finfo(np.float64).tiny)] = 1.0
    return mean, spread


class _Linear(nn.Linear):
    def reset_parameters(self) -> None:
        """Left empty: build_network fills it."""


class _Conv1d(nn.Conv1d):
    def reset_parameters(self) -> None:
        """Left empty: build_network fills it."""
