"""Decoding: beam search over tokens, numbers step by step, and the attention weights of what was predicted."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sklrnn.translation.network import EncoderOutput, TranslationNetwork

Array = NDArray[Any]


@dataclass(frozen=True)
class StopRule:
    """What ends a sequence: a token, or its greatest length; and the tokens that are never predicted."""

    end: int
    never: tuple[int, ...]
    max_length: int


def beam_search(
    network: TranslationNetwork, encoded: EncoderOutput, *, beam_size: int, rule: StopRule
) -> list[list[tuple[Array, float]]]:
    """Give for each sample the codes of the likeliest sequences that a beam finds, each with its log-likelihood.

    At every step the ``beam_size`` likeliest hypotheses are kept. One that has ended stays as it is, so hypotheses of
    different lengths compete by their likelihood, ends included. After ``max_length`` tokens all have to end.
    """
    n, k = encoded.final.shape[0], beam_size
    axes = sample_axes(network, encoded) if k > 1 else None
    encoded = encoded.pick(torch.arange(n, device=encoded.final.device).repeat_interleave(k))
    device, now, state = encoded.final.device, network.feed.first(n * k), None
    block = torch.arange(n, device=device).unsqueeze(1) * k
    # All hypotheses are the same at first, so only one of them is extended.
    scores = encoded.final.new_full((n, k), -torch.inf)
    scores[:, 0] = 0.0
    ended = torch.zeros((n, k), dtype=torch.bool, device=device)
    predicted = torch.zeros((n, k, 0), dtype=torch.int64, device=device)
    while not (ended | scores.isneginf()).all():
        raw, state = network.step(now, encoded, state)
        following = _log_likelihoods(raw, rule, must_end=predicted.shape[2] == rule.max_length).unflatten(0, (n, k))
        following = torch.where(ended.unsqueeze(2), _only(rule.end, following), following)
        scores, place = (scores.unsqueeze(2) + following).flatten(1).topk(k, dim=1)
        parent, code = place // raw.shape[1], place % raw.shape[1]
        predicted = torch.cat([predicted.gather(1, parent.unsqueeze(2).expand_as(predicted)), code.unsqueeze(2)], dim=2)
        ended = code == rule.end
        now = code.flatten()
        if k > 1:
            state = pick_samples(state, axes, (block + parent).flatten())
    lengths = (predicted != rule.end).sum(dim=2).cpu().numpy()
    sequences = zip(predicted.cpu().numpy(), lengths, scores.cpu().numpy(), strict=True)
    return [
        [(codes[:length], float(score)) for codes, length, score in zip(*kept, strict=True) if np.isfinite(score)]
        for kept in sequences
    ]


def decode_autoregressively(
    network: TranslationNetwork, encoded: EncoderOutput, *, learns_end: bool, max_length: int
) -> list[Array]:
    """Predict the numbers of each sequence, (time, value), each step from the one before, until it ends."""
    n = encoded.final.shape[0]
    now, state = network.feed.first(n), None
    lengths = torch.full((n,), max_length, device=encoded.final.device)
    predicted: list[Tensor] = []
    while len(predicted) < int(lengths.max()):
        raw, state = network.step(now, encoded, state)
        now = network.feed.predicted(raw)
        predicted.append(now[:, 1:])
        if learns_end:
            here = (raw[:, -1] > 0) & (lengths > len(predicted))
            lengths = torch.where(here, len(predicted), lengths)
    values = torch.stack(predicted, dim=1).cpu().numpy()
    return [row[:length] for row, length in zip(values, lengths.cpu().numpy(), strict=True)]


def attention_weights(
    network: TranslationNetwork, encoded: EncoderOutput, chosen: Array, *, predicted: list[Array], lengths: Array
) -> list[Array]:
    """The attention weights (time, time of the encoder) at each predicted step of the chosen samples."""
    sequences = [torch.from_numpy(predicted[row]).to(encoded.final.device) for row in chosen]
    # The last prediction is no input.
    after = nn.utils.rnn.pad_sequence([sequence[:-1] for sequence in sequences])  # (time, sample)
    if after.ndim == 3:
        after = nn.functional.pad(after, (1, 0))
    first = network.feed.first(len(chosen)).unsqueeze(0)
    _, _, weights = network.decode(torch.cat([first, after.to(first.dtype)]), encoded)
    assert weights is not None
    return [
        table[: len(predicted[row]), : lengths[row]] for row, table in zip(chosen, weights.cpu().numpy(), strict=True)
    ]


def _log_likelihoods(raw: Tensor, rule: StopRule, *, must_end: bool) -> Tensor:
    likelihoods = raw.index_fill(1, torch.tensor(rule.never, device=raw.device), -torch.inf).log_softmax(dim=1)
    if not must_end:
        return likelihoods
    return likelihoods + _only(rule.end, likelihoods)


def _only(code: int, likelihoods: Tensor) -> Tensor:
    """Log-probabilities of certainty: zero for one code, minus infinity for all others."""
    certain = likelihoods.new_full(likelihoods.shape[-1:], -torch.inf)
    certain[code] = 0.0
    return certain.expand_as(likelihoods)


def sample_axes(network: TranslationNetwork, encoded: EncoderOutput) -> Any:
    """Find out along which axis of each part of a state the samples lie: user-defined cells may differ in this."""
    one, two = (
        network.step(network.feed.first(n), encoded.pick(torch.zeros(n, dtype=torch.int64)), None)[1] for n in (1, 2)
    )
    return _axes(one, two)


def _axes(one: Any, two: Any) -> Any:
    if isinstance(one, Tensor):
        sizes = zip(one.shape, two.shape, strict=True)
        return next((axis for axis, (few, more) in enumerate(sizes) if few != more), None)
    if isinstance(one, dict):
        return {name: _axes(part, two[name]) for name, part in one.items()}
    return [_axes(*parts) for parts in zip(one, two, strict=True)] if isinstance(one, list | tuple) else None


def pick_samples(state: Any, axes: Any, samples: Tensor) -> Any:
    """Take the states of these samples, each as often as it is named."""
    if isinstance(state, dict):
        return {name: pick_samples(part, axes[name], samples) for name, part in state.items()}
    if isinstance(state, list | tuple):
        return type(state)(pick_samples(part, axis, samples) for part, axis in zip(state, axes, strict=True))
    return state if axes is None else state.index_select(axes, samples)
