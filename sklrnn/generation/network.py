"""Embed, recur, apply the head at every step: a network that predicts, after each token, which one comes next."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import skip_init

from sklrnn.nn.architecture import Architecture, initialized
from sklrnn.nn.layers import Standardise
from sklrnn.nn.recurrent import RecurrentStack, detach_state
from sklrnn.nn.summary import Input, Layer, reading, recurrent_layers
from sklrnn.training.batches import SegmentBatch
from sklrnn.training.operations.front import AddContext, Embed
from sklrnn.training.operations.head import Head
from sklrnn.training.operations.recurrent import recurrent_operations
from sklrnn.training.operations.signal import Operation


@dataclass(frozen=True)
class LanguageArchitecture(Architecture):
    """The description of a `LanguageNetwork`: ``n_outputs`` tokens, embedded in ``n_features`` numbers."""

    n_context: int = 0

    def build(self, *, seed: int) -> "LanguageNetwork":
        network = initialized(lambda: LanguageNetwork(self), cell=self.cell, seed=seed)
        generator = torch.Generator().manual_seed(seed + 1)  # the recurrent layers drew from the seed itself
        nn.init.normal_(network.embedding.weight, generator=generator)
        nn.init.xavier_uniform_(network.head.weight, generator=generator)
        nn.init.zeros_(network.head.bias)
        if network.context is not None:
            nn.init.xavier_uniform_(network.context.weight, generator=generator)
        return network


class LanguageNetwork(nn.Module):
    """Tokens (time, sample) in, a raw output for each token of the vocabulary (time, sample, token) out.

    The context of a text is added to the embedding of each of its tokens: so it reaches any cell at any time, whatever
    its state is made of, and is never forgotten.
    """

    context: Any
    recurrent: Any

    def __init__(self, architecture: LanguageArchitecture) -> None:
        super().__init__()
        a = self.architecture = architecture
        self.embedding = skip_init(nn.Embedding, a.n_outputs, a.n_features)
        self.standardise = Standardise(a.n_context)
        self.context = skip_init(nn.Linear, a.n_context, a.n_features, bias=False) if a.n_context else None
        self.recurrent = RecurrentStack(a, a.n_features)
        self.head = skip_init(nn.Linear, self.recurrent.width, a.n_outputs)

    def forward_segment(
        self, x: Tensor, state: list[Any] | None, *, n_streams: int, context: Tensor | None = None
    ) -> tuple[Tensor, list[Any]]:
        """Raw outputs of the next steps of some texts, all texts' first step first, and the detached new state."""
        raw, state = self(x.unflatten(0, (-1, n_streams)), state, context)
        return raw.flatten(0, 1), detach_state(state)

    def forward(
        self, codes: Tensor, state: list[Any] | None = None, context: Tensor | None = None
    ) -> tuple[Tensor, list[Any]]:
        """Raw outputs of the next steps, and the new state; texts begin with None."""
        x = self.embedding(codes)  # (time, sample, feature)
        if context is not None:
            x = x + self.context(self.standardise(context).to(x.dtype))
        x, _, state = self.recurrent(x, state)  # (time, sample, unit)
        return self.head(x), state  # (time, sample, token)

    def operations(self, batch: SegmentBatch) -> tuple[list[Operation], Head]:
        """What `forward_segment` computes as operations of a training step, the last of which is the head."""
        n_streams = batch.n_streams
        n_steps = len(batch["x"]) // n_streams
        embed = Embed(self.embedding.weight, n_steps, n_streams, lambda batch: batch["x"])
        operations: list[Operation] = [embed]
        source = embed.output
        if self.context is not None:
            operations.append(AddContext(self.context, self.standardise, source))
        for layer in self.recurrent:
            of_layer, source = recurrent_operations(layer, source, passes_state=True)
            operations += of_layer
        head = Head(self.head, [source])
        return [*operations, head], head

    def penalized_weights(self) -> list[Tensor]:
        """What l1 and l2 act on."""
        return self.recurrent.penalized_weights()

    def layers(self) -> list[Layer]:
        """Every layer, in the order in which a text passes them."""
        a = self.architecture
        note = "Generating: the token that is sampled at a step is the input of the next step."
        tokens = Input("X", ("sample", "time"), note=note)
        context, read = [], ["embedding"]
        if self.context is not None:
            read.append("context")
            source = Input("context of the text", ("sample", a.n_context), symbol="context")
            context = [
                Layer("standardise context", ("sample", a.n_context), self.standardise, (source,)),
                Layer("context", ("sample", a.n_features), self.context),
            ]
        return [
            Layer("embedding", ("sample", "time", a.n_features), self.embedding, (tokens,)),
            *context,
            *reading(recurrent_layers(self.recurrent, name="recurrent"), *read),
            Layer("head", ("sample", "time", a.n_outputs), self.head),
        ]
