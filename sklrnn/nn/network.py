"""Embed or standardise, convolve, recur, apply the head: the network of the estimators."""

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sklrnn.nn.architecture import Architecture, initialized
from sklrnn.nn.convolution import CausalConvolution
from sklrnn.nn.layers import Linear, SequenceDropout, Standardise, TokenEmbedding, narrowed, real_steps
from sklrnn.nn.readout import MeanState, Pooling, make_readout
from sklrnn.nn.recurrent import RecurrentStack, detach_state
from sklrnn.nn.summary import Layer, convolution_layers, front_layers, readout_layers, recurrent_layers
from sklrnn.nn.window_scale import StandardiseWindow


@dataclass(frozen=True)
class NetworkArchitecture(Architecture):
    """The description of a `Network`."""

    filters: tuple[int, ...] = ()
    kernel_size: int = 3
    pool_size: int | tuple[int, ...] = 1
    batch_norm: bool = False
    convolution_skip: bool = False
    pooling: Pooling = "last"
    n_direct_steps: int = 0
    stateful: bool = False
    return_sequences: bool = False
    n_tokens: int = 0
    embedding_dim: int = 0
    flag_missing: bool = False
    normalize_X: Literal["training", "window"] = "training"

    def build(self, *, seed: int) -> "Network":
        return initialized(lambda: Network(self), cell=self.cell, seed=seed)


class Network(nn.Module):
    """Sequences (sample, time, feature) in, raw outputs (sample, output), or (sample, time, output), out."""

    architecture: NetworkArchitecture
    embedding: Any
    standardise: Any
    recurrent: Any
    readout: Any

    def __init__(self, architecture: NetworkArchitecture) -> None:
        super().__init__()
        a = self.architecture = architecture
        if a.stateful and a.bidirectional:
            raise ValueError(
                "stateful=True passes the state from each segment to the next, but bidirectional=True also reads "
                "backwards, from segments that are yet to come. Set one of them to False."
            )
        self.return_sequences = a.return_sequences
        self.embedding, self.standardise = nn.Identity(), nn.Identity()
        if a.n_tokens:
            self.embedding, width = TokenEmbedding(a.n_tokens, a.embedding_dim), a.embedding_dim
        else:
            layer = StandardiseWindow if a.normalize_X == "window" else Standardise
            self.standardise = layer(a.n_features, flag_missing=a.flag_missing)
            width = a.n_features * (2 if a.flag_missing else 1)
        self.front_width = width
        self.convolution = CausalConvolution(width, a.filters, a.kernel_size, a.pool_size, batch_norm=a.batch_norm)
        width = a.filters[-1] if a.filters else width
        if a.return_sequences and self.convolution.pool_size > 1:
            raise ValueError(
                f"return_sequences=True predicts at every step, but pool_size={a.pool_size} joins steps into one. "
                "Set pool_size=1, or return_sequences=False."
            )
        self.recurrent = RecurrentStack(a, width)
        # A recurrent layer drops its own inputs.
        self.dropout = None if a.units else SequenceDropout(a.dropout)
        self.readout = make_readout(a.pooling, self.recurrent.width)
        self.skip = MeanState() if a.convolution_skip and a.filters else None
        self.n_direct_steps = a.n_direct_steps
        n_skipped = a.n_direct_steps * a.n_features + (0 if self.skip is None else width)
        self.head = Linear(self.recurrent.width + n_skipped, a.n_outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        states, final, _ = self.encode(x, lengths=lengths)
        return self.apply_head(states, final)

    def apply_head(self, states: Tensor, final: Tensor) -> Tensor:
        """Raw outputs from what ``encode`` gives, in the precision of what the head reads."""
        read = states if self.return_sequences else final
        weight, bias = self.head.weight, self.head.bias
        raw = self.head(read) if read.dtype == weight.dtype else F.linear(read, weight.to(read), bias.to(read))
        return raw.transpose(0, 1) if self.return_sequences else raw

    def forward_segment(self, x: Tensor, state: Any, *, n_streams: int) -> tuple[Tensor, Any]:
        """Raw outputs of segments, and the detached state that the next segments start from."""
        states, final, new_state = self.encode(x, state, n_streams=n_streams)
        return self.apply_head(states, final), detach_state(new_state)

    def encode(
        self,
        x: Tensor,
        state: list[Any] | None = None,
        *,
        n_streams: int | None = None,
        lengths: Tensor | None = None,
        in_double: bool = False,
    ) -> tuple[Tensor, Tensor, list[Any]]:
        """Give the last layer's hidden states (time, sample, unit), the input of the head, and the state of each layer.

        The head reads the final hidden state, or what the readout makes of all states, and, where the architecture asks
        for it, the mean of what the convolutions give and the last steps of the input. With ``n_streams`` the samples
        are segments of so many sequences: all segments of the first, then of the second. With ``lengths`` the samples
        are padded at their ends: no real step reads padding, hidden states of padding are meaningless. With
        ``in_double`` only the recurrent layers run in the precision of the weights, and all around them in float64.
        """
        x = self.embedding(x) if self.architecture.n_tokens else self.standardise(x, lengths)
        precision = self.head.weight.dtype
        x = x.to(torch.float64 if in_double else precision).transpose(0, 1)  # (time, sample, feature)
        if lengths is not None:
            x = x.masked_fill(~real_steps(lengths, len(x)).t().unsqueeze(2), 0.0)
        skipped = [x[len(x) - self.n_direct_steps :].transpose(0, 1).flatten(1)] if self.n_direct_steps else []
        x, lengths = self.convolution(x, lengths), self.convolution.lengths_after(lengths)
        if self.skip is not None:
            skipped.insert(0, self.skip(x, x[-1], lengths))
        n_steps, n_segments = x.shape[:2]
        if n_streams is not None:
            x = x.unflatten(1, (n_streams, -1)).permute(2, 0, 1, 3).flatten(0, 1)  # (segment and time, stream, feature)
        # Without recurrent layers all runs in one precision.
        x = narrowed(x, precision) if self.dropout is None else self.dropout(x)
        x, final, new_state = self.recurrent(x, state, lengths)
        if n_streams is not None:
            x = x.unflatten(0, (-1, n_steps)).permute(1, 2, 0, 3).reshape(n_steps, n_segments, -1)
            final = x[-1]
        if in_double:
            final = final.double()
            x = x.double() if self.return_sequences or self.architecture.pooling != "last" else x
        final = self.readout(x, final, lengths)
        return x, torch.cat([final, *skipped], dim=1) if skipped else final, new_state

    def runs_by_kernels(self) -> bool:
        """Whether kernels, which compute in float32, can run its recurrent layers."""
        return all(layer.runs_by_kernels() for layer in self.recurrent)

    def penalized_weights(self) -> list[Tensor]:
        """What l1 and l2 act on."""
        if self.dropout is None:
            return self.recurrent.penalized_weights()
        return [weight for weight in self.convolution.parameters() if weight.ndim > 1 and weight.requires_grad]

    def layers(self) -> list[Layer]:
        """Every layer, in the order in which a sequence passes them."""
        a, pool_size = self.architecture, self.convolution.pool_size
        time = "time" if pool_size == 1 else f"time / {pool_size}"
        gives_final = not a.return_sequences and a.pooling == "last"
        shape = ("sample", "time", a.n_outputs) if a.return_sequences else ("sample", a.n_outputs)
        front = front_layers(self.embedding, self.standardise, a.n_features, self.front_width)
        convolutions = convolution_layers(self.convolution)
        layers = [
            *front,
            *convolutions,
            *recurrent_layers(self.recurrent, name="recurrent", time=time, gives_final=gives_final),
            *([Layer("newest step", ("sample", self.recurrent.width))] if gives_final and not a.units else []),
            *readout_layers(self.readout, a.pooling, self.recurrent.width),
        ]
        beside = []
        if self.skip is not None:
            source = (convolutions[-1].name,)
            beside += [Layer("mean over time of the convolutions", ("sample", a.filters[-1]), reads=source)]
        if n := a.n_direct_steps:
            name = f"the last {n} steps" if n > 1 else "the last step"
            beside += [Layer(name, ("sample", n * a.n_features), reads=(front[-1].name,))]
        read = (layers[-1].name, *(layer.name for layer in beside))
        return [*layers, *beside, Layer("head", shape, self.head, read)]
