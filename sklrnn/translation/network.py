"""Read a sequence, then say another: an encoder, a decoder and, if asked for, attention between them."""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sklrnn.nn.layers import Linear, Standardise, TokenEmbedding, real_steps
from sklrnn.nn.network import Architecture, RecurrentLayer, with_first_weights


@dataclass(frozen=True)
class TranslationArchitecture(Architecture):
    """All that is needed to build an encoder and a decoder again.

    The decoder says tokens, of which there are ``n_outputs``, or ``n_values`` numbers a step. Tokens begin after the code
    ``start`` and end with a token; numbers end where ``learns_end`` lets them, by one more output.
    """

    n_values: int = 0
    learns_end: bool = True
    start: int = 0
    attention: bool = False


@dataclass(frozen=True)
class Reading:
    """What is known of some sequences once they are read."""

    states: Tensor  # (time, sample, unit)
    lengths: Tensor | None
    final: Tensor  # (sample, unit)

    def pick(self, rows: Tensor) -> "Reading":
        """Take these samples, each as often as it is named."""
        lengths = None if self.lengths is None else self.lengths[rows]
        return Reading(self.states[:, rows], lengths, self.final[rows])


class Attention(nn.Module):
    """Luong's attention: each state of the decoder looks for states of the encoder that are like what it asks for.

    It stands behind the recurrence, so training runs all steps of the decoder at once.
    """

    def __init__(self, width: int, width_read: int) -> None:
        super().__init__()
        self.question = Linear(width, width_read)
        self.mix = Linear(width + width_read, width)

    def forward(self, states: Tensor, reading: Reading) -> tuple[Tensor, Tensor]:
        """Give states that know what was read, (time, sample, unit), and where they looked, (sample, time, time read)."""
        read = reading.states.transpose(0, 1)  # (sample, time read, unit)
        likeness = self.question(states).transpose(0, 1) @ read.transpose(1, 2) / read.shape[2] ** 0.5
        if reading.lengths is not None:
            padding = ~real_steps(reading.lengths, read.shape[1])
            likeness = likeness.masked_fill(padding.unsqueeze(1), -torch.inf)
        weights = likeness.softmax(dim=2)  # (sample, time, time read)
        seen = (weights @ read).transpose(0, 1)
        return self.mix(torch.cat([states, seen], dim=2)).tanh(), weights


class TokenFeed(nn.Module):
    """The decoder is fed the token before the one that it is to say."""

    def __init__(self, n_tokens: int, start: int, width: int) -> None:
        super().__init__()
        self.start = start
        self.weight = nn.Parameter(torch.empty(n_tokens, width))

    def forward(self, codes: Tensor) -> Tensor:  # (time, sample)
        return F.embedding(codes, self.weight)

    def first(self, n_samples: int) -> Tensor:
        """What is fed before anything is said: (sample,)."""
        return torch.full((n_samples,), self.start, device=self.weight.device)

    def own(self, raw: Tensor) -> Tensor:
        """What is fed next when nobody knows better: the likeliest token."""
        return raw.argmax(dim=-1)


class NumberFeed(Linear):
    """The decoder is fed the numbers before those that it is to say, behind a flag that says that there are none yet."""

    def __init__(self, n_values: int, width: int) -> None:
        super().__init__(1 + n_values, width)
        self.n_values = n_values

    def first(self, n_samples: int) -> Tensor:
        """What is fed before anything is said: (sample, flag and value)."""
        return F.pad(self.weight.new_ones(n_samples, 1), (0, self.n_values))

    def own(self, raw: Tensor) -> Tensor:
        """What is fed next when nobody knows better: the numbers just said."""
        return F.pad(raw[..., : self.n_values], (1, 0))


class Truth(nn.Module):
    """Draws which steps of the decoder are fed the truth in training; the others are fed what it says itself."""

    def __init__(self) -> None:
        super().__init__()
        self.share = 1.0
        self.generator: torch.Generator | None = None  # set while training

    def forward(self, given: Tensor) -> Tensor:
        return (torch.rand(given.shape[:2], generator=self.generator) < self.share).to(given.device)


class TranslationNetwork(nn.Module):
    """Sequences (sample, time, feature) and what precedes each step of their answers in, raw outputs of the steps out."""

    embedding: Any
    standardise: Any

    def __init__(self, architecture: TranslationArchitecture) -> None:
        super().__init__()
        a = architecture
        self.embedding, self.standardise, width = nn.Identity(), nn.Identity(), a.n_features
        if a.n_tokens:
            self.embedding, width = TokenEmbedding(a.n_tokens, a.embedding_dim), a.embedding_dim
        else:
            self.standardise = Standardise(a.n_features)
        self.encoder, width_read = _stacked(a, width)
        self.decoder, width = _stacked(replace(a, bidirectional=False), a.embedding_dim + width_read)
        self.feed = (
            NumberFeed(a.n_values, a.embedding_dim) if a.n_values else TokenFeed(a.n_outputs, a.start, a.embedding_dim)
        )
        self.attention = Attention(width, width_read) if a.attention else None
        self.head = Linear(width, a.n_outputs)
        self.truth = Truth()

    def forward(self, x: Tensor, given: Tensor, answer_lengths: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Raw outputs of all steps of the answers, end to end, (step, output); ``given`` is (sample, time) or with values."""
        if self.training and self.truth.share < 1.0:
            given = self._fed_back(x, given, lengths)
        states, _, _ = self.decode(given.transpose(0, 1), self.read(x, lengths))
        raw: Tensor = self.head(states.transpose(0, 1)[real_steps(answer_lengths, len(states))])
        return raw

    def read(self, x: Tensor, lengths: Tensor | None = None) -> Reading:
        """Read whole sequences; no real step reads padding."""
        x = self.standardise(self.embedding(x)).to(self.head.weight.dtype).transpose(0, 1)  # (time, sample, feature)
        if lengths is not None:
            x = x.masked_fill(~real_steps(lengths, len(x)).t().unsqueeze(2), 0.0)
        final = x[-1]
        for layer in self.encoder:
            x, final, _ = layer(x, None, lengths)
        return Reading(x, lengths, final)

    def decode(self, given: Tensor, reading: Reading, carried: Any = None) -> tuple[Tensor, Any, Tensor | None]:
        """Give states that the head reads (time, sample, unit), what each layer carries on, and what was looked at.

        The encoder's last state is read at every step: so it reaches any cell, whatever that one's own state is made of.
        """
        fed = self.feed(given if given.dtype == torch.int64 else given.to(reading.final))
        x = torch.cat([fed, reading.final.expand(len(fed), -1, -1)], dim=2)  # (time, sample, feature)
        carry_on = []
        for place, layer in enumerate(self.decoder):
            x, _, last = layer(x, carried[place] if carried else None)
            carry_on.append(last)
        looked_at = None
        if self.attention is not None:
            x, looked_at = self.attention(x, reading)
        return x, carry_on, looked_at

    def step(self, given: Tensor, reading: Reading, carried: Any = None) -> tuple[Tensor, Any]:
        """Say one more token or value of each answer: raw outputs (sample, output), and what is carried on."""
        states, carried, _ = self.decode(given.unsqueeze(0), reading, carried)
        return self.head(states[0]), carried

    def _fed_back(self, x: Tensor, given: Tensor, lengths: Tensor | None) -> Tensor:
        """Put what the network says itself, without dropout, in the place of some of the truth.

        No gradient flows through what is said, so learning from it in a second pass over all steps at once is the same.
        """
        told = self.truth(given)
        now = given[:, 0]
        fed, carried = [now], None
        self.eval()
        try:
            with torch.no_grad():
                reading = self.read(x, lengths)
                for step in range(1, given.shape[1]):
                    raw, carried = self.step(now, reading, carried)
                    own = self.feed.own(raw)
                    now = torch.where(told[:, step].view(-1, *[1] * (own.ndim - 1)), given[:, step], own)
                    fed.append(now)
        finally:
            self.train()
        return torch.stack(fed, dim=1)

    def penalised_weights(self) -> list[Tensor]:
        """The weights, not the biases, of the recurrent layers."""
        weights = [*self.encoder.parameters(), *self.decoder.parameters()]
        return [weight for weight in weights if weight.ndim > 1 and weight.requires_grad]


class ValuesAndEnd(nn.Module):
    """The loss of each step of numbers: squared errors, and how surprising it is that the answer ends or goes on here."""

    def __init__(self, n_values: int) -> None:
        super().__init__()
        self.n_values = n_values

    def forward(self, raw: Tensor, asked: Tensor) -> Tensor:  # (step, value and end)
        n = self.n_values
        loss = (raw[:, :n] - asked[:, :n]).square().mean(dim=1)
        if raw.shape[1] == n:
            return loss
        return loss + F.binary_cross_entropy_with_logits(raw[:, n], asked[:, n], reduction="none")


def _stacked(architecture: Architecture, width: int) -> tuple[nn.ModuleList, int]:
    layers = []
    for place in range(len(architecture.units)):
        layers.append(RecurrentLayer(architecture, place, width))
        width = layers[-1].width
    return nn.ModuleList(layers), width


def build_translation_network(architecture: TranslationArchitecture, *, seed: int) -> TranslationNetwork:
    """Assemble a network and give it its first weights, without touching torch's global generator."""
    network = with_first_weights(lambda: TranslationNetwork(architecture), cell=architecture.cell, seed=seed)
    if isinstance(network.feed, TokenFeed):
        generator = torch.Generator().manual_seed(seed + 1)  # the other layers drew from the seed itself
        nn.init.normal_(network.feed.weight, generator=generator)
    return network
