"""The likeliest answers of a network that says one token after another, and the numbers of one that says numbers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sklrnn.translation.network import Reading, TranslationNetwork

Array = NDArray[Any]


@dataclass(frozen=True)
class Ends:
    """What ends an answer: a token, or the most steps; and what is no part of one."""

    end: int
    never: tuple[int, ...]
    max_length: int


def likeliest(
    network: TranslationNetwork, reading: Reading, *, beam_size: int, ends: Ends
) -> list[list[tuple[Array, float]]]:
    """Give for each sample the codes of the likeliest answers that a beam finds, each with its log-likelihood.

    At every step the ``beam_size`` likeliest beginnings are kept. One that has ended stays as it is, so the answers of
    different lengths compete by their likelihood, ends included. After ``max_length`` tokens all have to end.
    """
    n, k = reading.final.shape[0], beam_size
    axes = sample_axes(network, reading) if k > 1 else None
    reading = reading.pick(torch.arange(n, device=reading.final.device).repeat_interleave(k))
    device, now, carried = reading.final.device, network.feed.first(n * k), None
    block = torch.arange(n, device=device).unsqueeze(1) * k
    # All beginnings are the same at first: only one of them counts.
    scores = reading.final.new_full((n, k), -torch.inf)
    scores[:, 0] = 0.0
    ended = torch.zeros((n, k), dtype=torch.bool, device=device)
    said = torch.zeros((n, k, 0), dtype=torch.int64, device=device)
    while not (ended | scores.isneginf()).all():
        raw, carried = network.step(now, reading, carried)
        following = _log_likelihoods(raw, ends, must_end=said.shape[2] == ends.max_length).unflatten(0, (n, k))
        following = torch.where(ended.unsqueeze(2), _nothing_but(ends.end, following), following)
        scores, place = (scores.unsqueeze(2) + following).flatten(1).topk(k, dim=1)
        parent, code = place // raw.shape[1], place % raw.shape[1]
        said = torch.cat([said.gather(1, parent.unsqueeze(2).expand_as(said)), code.unsqueeze(2)], dim=2)
        ended = code == ends.end
        now = code.flatten()
        if k > 1:
            carried = pick(carried, axes, (block + parent).flatten())
    lengths = (said != ends.end).sum(dim=2).cpu().numpy()
    answers = zip(said.cpu().numpy(), lengths, scores.cpu().numpy(), strict=True)
    return [
        [(codes[:length], float(score)) for codes, length, score in zip(*kept, strict=True) if np.isfinite(score)]
        for kept in answers
    ]


def speak_numbers(network: TranslationNetwork, reading: Reading, *, learns_end: bool, max_length: int) -> list[Array]:
    """Give the numbers of each answer, (time, value), until it ends or has ``max_length`` steps."""
    n = reading.final.shape[0]
    now, carried = network.feed.first(n), None
    lengths = torch.full((n,), max_length, device=reading.final.device)
    said: list[Tensor] = []
    while len(said) < int(lengths.max()):
        raw, carried = network.step(now, reading, carried)
        now = network.feed.own(raw)
        said.append(now[:, 1:])
        if learns_end:
            here = (raw[:, -1] > 0) & (lengths > len(said))
            lengths = torch.where(here, len(said), lengths)
    values = torch.stack(said, dim=1).cpu().numpy()
    return [row[:length] for row, length in zip(values, lengths.cpu().numpy(), strict=True)]


def where_it_looked(
    network: TranslationNetwork, reading: Reading, chosen: Array, *, said: list[Array], lengths: Array
) -> list[Array]:
    """Give the weights of attention (time, time read) at each step of what was said to these of all samples."""
    answers = [torch.from_numpy(said[row]).to(reading.final.device) for row in chosen]
    # Nothing has to be fed after the last step.
    after = nn.utils.rnn.pad_sequence([answer[:-1] for answer in answers])  # (time, sample)
    if after.ndim == 3:
        after = nn.functional.pad(after, (1, 0))
    first = network.feed.first(len(chosen)).unsqueeze(0)
    _, _, weights = network.decode(torch.cat([first, after.to(first.dtype)]), reading)
    assert weights is not None
    return [table[: len(said[row]), : lengths[row]] for row, table in zip(chosen, weights.cpu().numpy(), strict=True)]


def _log_likelihoods(raw: Tensor, ends: Ends, *, must_end: bool) -> Tensor:
    likelihoods = raw.index_fill(1, torch.tensor(ends.never, device=raw.device), -torch.inf).log_softmax(dim=1)
    if not must_end:
        return likelihoods
    return likelihoods + _nothing_but(ends.end, likelihoods)


def _nothing_but(code: int, likelihoods: Tensor) -> Tensor:
    """Certainty: zero for one code, minus infinity for all others."""
    certain = likelihoods.new_full(likelihoods.shape[-1:], -torch.inf)
    certain[code] = 0.0
    return certain.expand_as(likelihoods)


def sample_axes(network: TranslationNetwork, reading: Reading) -> Any:
    """Find out along which axis of each part of a carried state samples lie: cells of one's own may differ in this."""
    one, two = (
        network.step(network.feed.first(n), reading.pick(torch.zeros(n, dtype=torch.int64)), None)[1] for n in (1, 2)
    )
    return _axes(one, two)


def _axes(one: Any, two: Any) -> Any:
    if isinstance(one, Tensor):
        sizes = zip(one.shape, two.shape, strict=True)
        return next((axis for axis, (few, more) in enumerate(sizes) if few != more), None)
    if isinstance(one, dict):
        return {name: _axes(part, two[name]) for name, part in one.items()}
    return [_axes(*parts) for parts in zip(one, two, strict=True)] if isinstance(one, list | tuple) else None


def pick(carried: Any, axes: Any, samples: Tensor) -> Any:
    """Carry on from these samples' states, each as often as it is named."""
    if isinstance(carried, dict):
        return {name: pick(part, axes[name], samples) for name, part in carried.items()}
    if isinstance(carried, list | tuple):
        return type(carried)(pick(part, axis, samples) for part, axis in zip(carried, axes, strict=True))
    return carried if axes is None else carried.index_select(axes, samples)
