"""Embed → recur → answer at every step: a network that says, after each token, which one comes next."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import skip_init

from sklrnn.nn.layers import Standardise
from sklrnn.nn.network import Architecture, RecurrentLayer, cut_off, with_first_weights


class LanguageNetwork(nn.Module):
    """Tokens (time, sample) in, a raw output for each token of the vocabulary (time, sample, token) out.

    What a text is about, its context, is added to every token that is read: so it reaches any cell at any time, whatever
    its state is made of, and is never forgotten.
    """

    def __init__(self, architecture: Architecture, n_context: int) -> None:
        super().__init__()
        a = architecture
        self.embedding = skip_init(nn.Embedding, a.n_outputs, a.n_features)
        self.standardise = Standardise(n_context)
        self.about = skip_init(nn.Linear, n_context, a.n_features, bias=False) if n_context else None
        widths = [a.n_features, *a.units]
        self.recurrent = nn.ModuleList(RecurrentLayer(a, place, width) for place, width in enumerate(widths[:-1]))
        self.head = skip_init(nn.Linear, widths[-1], a.n_outputs)

    def go_on(self, x: Tensor, carried: dict[str, Any], *, n_strands: int) -> tuple[Tensor, dict[str, Any]]:
        """Answer the next steps of some texts, all texts' first step first, and give what to go on from.

        Where a text begins, ``carried`` is what `begin` gives. Gradients end where a segment begins.
        """
        raw, carried = self.read(x.unflatten(0, (-1, n_strands)), carried)
        return raw.flatten(0, 1), cut_off(carried)

    def read(self, codes: Tensor, carried: dict[str, Any]) -> tuple[Tensor, dict[str, Any]]:
        x = self.embedding(codes)  # (time, sample, feature)
        if self.about is not None:
            x = x + self.about(self.standardise(carried["context"]).to(x.dtype))
        states = carried["states"] or [None] * len(self.recurrent)
        carry_on = []
        for layer, first in zip(self.recurrent, states, strict=True):
            x, _, last = layer(x, first)  # (time, sample, unit)
            carry_on.append(last)
        return self.head(x), {"context": carried["context"], "states": carry_on}  # (time, sample, token)

    def penalised_weights(self) -> list[Tensor]:
        """The weights, not the biases, of the recurrent layers."""
        return [weight for weight in self.recurrent.parameters() if weight.ndim > 1 and weight.requires_grad]


def begin(context: Tensor | None) -> dict[str, Any]:
    """What is carried where a text begins: what it is about, (sample, feature), and no state."""
    return {"context": context, "states": None}


def build_language_network(architecture: Architecture, *, n_context: int, seed: int) -> LanguageNetwork:
    """Assemble a network and give it its first weights, without touching torch's global generator."""
    network = with_first_weights(lambda: LanguageNetwork(architecture, n_context), cell=architecture.cell, seed=seed)
    generator = torch.Generator().manual_seed(seed + 1)  # the layers between drew from the seed itself
    nn.init.normal_(network.embedding.weight, generator=generator)
    nn.init.xavier_uniform_(network.head.weight, generator=generator)
    nn.init.zeros_(network.head.bias)
    if network.about is not None:
        nn.init.xavier_uniform_(network.about.weight, generator=generator)
    return network
