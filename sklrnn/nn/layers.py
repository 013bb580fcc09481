"""The layers around the recurrent ones: standardisation, embedding, dropout, and layers that are initialised later.

Tensors are (time, sample, feature), except where data come in. ``lengths`` holds the number of real steps of each
sample where they differ; the steps behind them are padding.
"""

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from sklrnn.nn.batch_share import BatchLayer

# Far beyond all values of a standardised feature, and far below the largest float32.
LARGEST = 1e30


def real_steps(lengths: Tensor, n_steps: int) -> Tensor:
    """True where a step is no padding: (sample, time)."""
    return torch.arange(n_steps, device=lengths.device) < lengths.unsqueeze(1)


def reverse(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Reverse each sequence within its own length, so that its newest step comes first."""
    if lengths is None:
        return x.flip(0)
    step = torch.arange(len(x), device=x.device).unsqueeze(1)
    source = torch.where(step < lengths, lengths - 1 - step, step)  # (time, sample)
    return x[source, torch.arange(x.shape[1], device=x.device)]


def newest(x: Tensor, lengths: Tensor | None) -> Tensor:
    """The last real step of each sequence: (sample, feature)."""
    return x[-1] if lengths is None else x[lengths - 1, torch.arange(x.shape[1], device=x.device)]


def narrowed(x: Tensor, dtype: torch.dtype) -> Tensor:
    """The values in another precision; a size that float32 does not know becomes one from which sums stay finite."""
    return x if x.dtype == dtype else x.clamp(-LARGEST, LARGEST).to(dtype)


class Standardise(nn.Module):
    """The fixed first layer: each feature minus its mean, over its standard deviation, in the dtype of the data.

    With ``flag_missing`` NaN becomes the mean, and as many further features flag where it was.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, n_features: int, *, flag_missing: bool = False) -> None:
        super().__init__()
        self.flag_missing = flag_missing
        self.register_buffer("mean", torch.zeros(n_features, dtype=torch.float64))
        self.register_buffer("spread", torch.ones(n_features, dtype=torch.float64))

    def set_statistics(self, mean: NDArray, spread: NDArray) -> None:  # type: ignore[type-arg]
        self.mean.copy_(torch.from_numpy(mean))
        self.spread.copy_(torch.from_numpy(spread))

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        x = (x - self.mean.to(x.dtype)) / self.spread.to(x.dtype)
        if not self.flag_missing:
            return x
        missing = x.isnan()
        return torch.cat([x.masked_fill(missing, 0.0), missing.to(x)], dim=-1)


class RandomLayer(BatchLayer):
    """A layer that draws random numbers in training, from a generator that training lends it.

    Of a batch that several processes share, each draws the numbers of all sequences, and takes those of its own.
    """

    def __init__(self) -> None:
        super().__init__()
        self._generator: torch.Generator | None = None

    def use_generator(self, generator: torch.Generator | None) -> None:
        """Draw from this generator; None ends that."""
        self._generator = generator

    def draw(self, n_sequences: int, *shape: int) -> Tensor:
        """Uniform random numbers for each sequence of a batch."""
        if self.share is None:
            return self._rand(n_sequences, *shape)
        n_in_batch, chosen = self.share.within_batch(n_sequences)
        return self._rand(n_in_batch, *shape)[chosen]

    def _rand(self, *shape: int) -> Tensor:
        generator = self._generator
        return torch.rand(shape, generator=generator, device=None if generator is None else generator.device)


class TokenEmbedding(RandomLayer):
    """A vector for each token of the training data, and one for all unknown tokens.

    The vector of unknown tokens is trained too: in training a token is replaced by it at random, a rare token more
    often than a frequent one.
    """

    RARITY = 0.25

    known: Tensor
    rarity: Tensor

    def __init__(self, n_tokens: int, width: int) -> None:
        super().__init__()
        self.register_buffer("known", torch.arange(n_tokens))
        self.register_buffer("rarity", torch.zeros(n_tokens))
        self.weight = nn.Parameter(torch.empty(n_tokens + 1, width))

    def initialise(self, generator: torch.Generator) -> None:
        nn.init.normal_(self.weight, generator=generator)

    def set_vocabulary(self, tokens: NDArray, counts: NDArray) -> None:  # type: ignore[type-arg]
        """Set the known tokens, sorted, and how often each occurs."""
        self.known.copy_(torch.from_numpy(tokens))
        self.rarity.copy_(torch.from_numpy(self.RARITY / (self.RARITY + counts)))

    def forward(self, x: Tensor) -> Tensor:
        return F.embedding(self.rows(x), self.weight)

    def rows(self, x: Tensor) -> Tensor:
        """The row of each token in the table of vectors, (sample, time), from tokens (sample, time, 1)."""
        tokens = x.squeeze(2).contiguous()
        row = torch.searchsorted(self.known, tokens).clamp(max=len(self.known) - 1)
        unknown = self.known[row] != tokens
        if self.training and self._generator is not None:
            drawn = self.draw(*tokens.shape).to(tokens.device)
            unknown |= drawn < self.rarity[row]
        return row.masked_fill(unknown, len(self.known))


class SequenceDropout(RandomLayer):
    """Dropout of features: one mask for all steps of a sequence, drawn from a generator of its own."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        mask = self.mask(x, x.shape[2])
        return x if mask is None else x * mask

    def mask(self, x: Tensor, width: int) -> Tensor | None:
        """Draw the factor of each feature, (sample, feature); None where nothing is dropped."""
        if not self.training or not self.rate:
            return None
        kept = self.draw(x.shape[1], width) >= self.rate
        return kept.to(x) / (1.0 - self.rate)


class Linear(nn.Linear):
    """torch's layer, initialised by whoever builds the network."""

    def reset_parameters(self) -> None:
        """Left empty: torch's own initialisation would draw from the global generator."""


class Conv1d(nn.Conv1d):
    """torch's layer, initialised by whoever builds the network."""

    def reset_parameters(self) -> None:
        """Left empty: torch's own initialisation would draw from the global generator."""
