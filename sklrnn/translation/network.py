"""Encoder-decoder: an encoder reads a sequence, a decoder predicts another, with attention if target for."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit
from torch import Tensor, nn
from torch.nn import functional as F

from sklrnn.nn.architecture import Architecture, initialized
from sklrnn.nn.layers import Linear, RandomLayer, Standardise, TokenEmbedding, real_steps
from sklrnn.nn.recurrent import RecurrentStack
from sklrnn.nn.summary import Input, Layer, front_layers, reading, recurrent_layers
from sklrnn.training.operations.head import Head
from sklrnn.training.operations.signal import Operation
from sklrnn.translation.operations import translation_operations

Array = NDArray[Any]


@dataclass(frozen=True)
class TranslationArchitecture(Architecture):
    """The description of a `TranslationNetwork`.

    The decoder predicts one of ``n_outputs`` tokens a step, or ``n_values`` numbers. The first token follows on the
    code ``start``, the last is an end mark; with ``learns_end`` one more output tells where numbers end.
    """

    n_tokens: int = 0
    embedding_dim: int = 0
    n_values: int = 0
    learns_end: bool = True
    start: int = 0
    attention: bool = False

    def build(self, *, seed: int) -> "TranslationNetwork":
        network = initialized(lambda: TranslationNetwork(self), cell=self.cell, seed=seed)
        if isinstance(network.feed, TokenFeed):
            generator = torch.Generator().manual_seed(seed + 1)  # the other layers drew from the seed itself
            nn.init.normal_(network.feed.weight, generator=generator)
        return network


@dataclass(frozen=True)
class EncoderOutput:
    """What the decoder knows of some sequences."""

    states: Tensor  # (time, sample, unit)
    lengths: Tensor | None
    final: Tensor  # (sample, unit)

    def pick(self, rows: Tensor) -> "EncoderOutput":
        """Take these samples, each as often as it is named."""
        lengths = None if self.lengths is None else self.lengths[rows]
        return EncoderOutput(self.states[:, rows], lengths, self.final[rows])


class Attention(nn.Module):
    """Luong's attention (general score) over the hidden states of the encoder.

    It follows the recurrent layers, so training runs all steps of the decoder at once.
    """

    def __init__(self, width: int, encoder_width: int) -> None:
        super().__init__()
        self.query = Linear(width, encoder_width)
        self.combine = Linear(width + encoder_width, width)

    def forward(self, states: Tensor, encoded: EncoderOutput) -> tuple[Tensor, Tensor]:
        """Give attentional states (time, sample, unit), and attention weights (sample, time, time of the encoder)."""
        keys = encoded.states.transpose(0, 1)  # (sample, time of the encoder, unit)
        scores = self.query(states).transpose(0, 1) @ keys.transpose(1, 2) / keys.shape[2] ** 0.5
        if encoded.lengths is not None:
            padding = ~real_steps(encoded.lengths, keys.shape[1])
            scores = scores.masked_fill(padding.unsqueeze(1), -torch.inf)
        weights = scores.softmax(dim=2)  # (sample, time, time of the encoder)
        context = (weights @ keys).transpose(0, 1)
        return self.combine(torch.cat([states, context], dim=2)).tanh(), weights


class TokenFeed(nn.Module):
    """The input of the decoder: the token before the one that it predicts."""

    def __init__(self, n_tokens: int, start: int, width: int) -> None:
        super().__init__()
        self.start = start
        self.weight = nn.Parameter(torch.empty(n_tokens, width))

    def forward(self, codes: Tensor) -> Tensor:  # (time, sample)
        return F.embedding(codes, self.weight)

    def first(self, n_samples: int) -> Tensor:
        """The input of the first step: (sample,)."""
        return torch.full((n_samples,), self.start, device=self.weight.device)

    def predicted(self, raw: Tensor) -> Tensor:
        """The input that follows on a prediction: the likeliest token."""
        return raw.argmax(dim=-1)


class NumberFeed(Linear):
    """The input of the decoder: the numbers before those that it predicts, behind a flag that marks the first step."""

    def __init__(self, n_values: int, width: int) -> None:
        super().__init__(1 + n_values, width)
        self.n_values = n_values

    def first(self, n_samples: int) -> Tensor:
        """The input of the first step: (sample, flag and value)."""
        return F.pad(self.weight.new_ones(n_samples, 1), (0, self.n_values))

    def predicted(self, raw: Tensor) -> Tensor:
        """The input that follows on a prediction: its numbers."""
        return F.pad(raw[..., : self.n_values], (1, 0))


class TeacherForcing(RandomLayer):
    """Draws at which steps the decoder is fed the true target in training; at the others it is fed its prediction."""

    def __init__(self) -> None:
        super().__init__()
        self.ratio = 1.0

    def set_ratio(self, ratio: float) -> None:
        """Set the share of the steps that are fed the true target."""
        self.ratio = ratio

    def forward(self, targets: Tensor) -> Tensor:
        return (self.draw(*targets.shape[:2]) < self.ratio).to(targets.device)


class TranslationNetwork(nn.Module):
    """Sequences (sample, time, feature) and the decoder's inputs in, raw outputs of the steps of the decoder out."""

    embedding: Any
    standardise: Any

    def __init__(self, architecture: TranslationArchitecture) -> None:
        super().__init__()
        a = self.architecture = architecture
        self.embedding, self.standardise, width = nn.Identity(), nn.Identity(), a.n_features
        if a.n_tokens:
            self.embedding, width = TokenEmbedding(a.n_tokens, a.embedding_dim), a.embedding_dim
        else:
            self.standardise = Standardise(a.n_features)
        self.encoder = RecurrentStack(a, width)
        self.decoder = RecurrentStack(replace(a, bidirectional=False), a.embedding_dim + self.encoder.width)
        width = self.decoder.width
        self.feed = (
            NumberFeed(a.n_values, a.embedding_dim) if a.n_values else TokenFeed(a.n_outputs, a.start, a.embedding_dim)
        )
        self.attention = Attention(width, self.encoder.width) if a.attention else None
        self.head = Linear(width, a.n_outputs)
        self.teacher_forcing = TeacherForcing()

    def forward(self, x: Tensor, fed: Tensor, target_lengths: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Raw outputs of the concatenated steps of the targets, (step, output).

        ``fed`` holds the true inputs of the decoder: tokens (sample, time), or numbers (sample, time, flag and value).
        """
        fed = self.fed_in_training(x, fed, lengths) if self.training else fed
        states, _, _ = self.decode(fed.transpose(0, 1), self.encode(x, lengths))
        raw: Tensor = self.head(states.transpose(0, 1)[real_steps(target_lengths, len(states))])
        return raw

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> EncoderOutput:
        """Read whole sequences; no real step reads padding."""
        x = self.standardise(self.embedding(x)).to(self.head.weight.dtype).transpose(0, 1)  # (time, sample, feature)
        if lengths is not None:
            x = x.masked_fill(~real_steps(lengths, len(x)).t().unsqueeze(2), 0.0)
        states, final, _ = self.encoder(x, None, lengths)
        return EncoderOutput(states, lengths, final)

    def decode(self, fed: Tensor, encoded: EncoderOutput, state: Any = None) -> tuple[Tensor, list[Any], Tensor | None]:
        """Give what the head reads (time, sample, unit), the new state of each layer, and the attention weights.

        The encoder's final state is an input of every step: so it reaches any cell, whatever that one's own state is.
        """
        inputs = self.feed(fed if fed.dtype == torch.int64 else fed.to(encoded.final))
        x = torch.cat([inputs, encoded.final.expand(len(inputs), -1, -1)], dim=2)  # (time, sample, feature)
        x, _, new_state = self.decoder(x, state)
        if self.attention is None:
            return x, new_state, None
        x, weights = self.attention(x, encoded)
        return x, new_state, weights

    def step(self, fed: Tensor, encoded: EncoderOutput, state: Any = None) -> tuple[Tensor, list[Any]]:
        """One more step of the decoder: raw outputs (sample, output), and the new state of each layer."""
        states, state, _ = self.decode(fed.unsqueeze(0), encoded, state)
        return self.head(states[0]), state

    def operations(self, batch: dict[str, Tensor]) -> tuple[list[Operation], Head]:
        """What ``forward`` computes in training as operations, the last of which is the head."""
        return translation_operations(self, batch)

    def fed_in_training(self, x: Tensor, fed: Tensor, lengths: Tensor | None) -> Tensor:
        """Replace some of the true inputs of the decoder by what it predicts itself, without dropout.

        With full teacher forcing they stay the true ones. No gradient flows through these predictions, so that a second
        pass over all steps at once learns the same as a pass step by step.
        """
        if self.teacher_forcing.ratio == 1.0:
            return fed
        is_true = self.teacher_forcing(fed)
        now = fed[:, 0]
        inputs, state = [now], None
        self.eval()
        try:
            with torch.no_grad():
                encoded = self.encode(x, lengths)
                for step in range(1, fed.shape[1]):
                    raw, state = self.step(now, encoded, state)
                    predicted = self.feed.predicted(raw)
                    chosen = is_true[:, step].view(-1, *[1] * (predicted.ndim - 1))
                    now = torch.where(chosen, fed[:, step], predicted)
                    inputs.append(now)
        finally:
            self.train()
        return torch.stack(inputs, dim=1)

    def penalized_weights(self) -> list[Tensor]:
        """What l1 and l2 act on."""
        return [*self.encoder.penalized_weights(), *self.decoder.penalized_weights()]

    def layers(self) -> list[Layer]:
        """Every layer, in the order in which a pair of sequences passes them."""
        a, time = self.architecture, "time of y"
        width = a.embedding_dim if a.n_tokens else a.n_features
        encoder = recurrent_layers(self.encoder, name="encoder", gives_final=not a.attention)
        decoder = recurrent_layers(self.decoder, name="decoder", time=time)
        shape = ("sample", time, 1 + a.n_values) if a.n_values else ("sample", time)
        note = "Predicting: the output of each step of the decoder is the input of its next step."
        before = Input("y of the step before", shape, symbol="y", first=0, note=note)
        attention = Layer("attention", ("sample", time, self.decoder.width), self.attention)
        return [
            *front_layers(self.embedding, self.standardise, a.n_features, width),
            *encoder,
            Layer("input of the decoder", ("sample", time, a.embedding_dim), self.feed, (before,)),
            *reading(decoder, "input of the decoder", encoder[-1].name),
            *(reading([attention], decoder[-1].name, encoder[-1].name) if a.attention else []),
            Layer("head", ("sample", time, a.n_outputs), self.head),
        ]


class ValuesAndEnd(nn.Module):
    """The loss of each step of numbers: squared error, and cross-entropy of whether the sequence ends here."""

    def __init__(self, n_values: int) -> None:
        super().__init__()
        self.n_values = n_values

    def forward(self, raw: Tensor, target: Tensor) -> Tensor:  # (step, value and end)
        n = self.n_values
        loss = (raw[:, :n] - target[:, :n]).square().mean(dim=1)
        if raw.shape[1] == n:
            return loss
        return loss + F.binary_cross_entropy_with_logits(raw[:, n], target[:, n], reduction="none")

    def loss_gradient(self, raw: Array, target: Array) -> tuple[Array, Array]:
        """The losses, and their gradients with respect to the raw outputs."""
        n = self.n_values
        difference = raw - target
        loss = np.square(difference[:, :n]).mean(axis=1)
        gradient = difference * np.float32(2.0 / n)
        if raw.shape[1] > n:
            logits, ends = raw[:, n], target[:, n]
            loss += np.logaddexp(0.0, logits) - ends * logits
            gradient[:, n] = expit(logits) - ends
        return loss, gradient
