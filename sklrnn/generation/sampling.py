"""Sampling the next token from a network's raw outputs."""

from collections.abc import Iterator
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils import check_random_state
from torch import Tensor

from sklrnn.generation.network import LanguageNetwork
from sklrnn.generation.texts import encode_prompt
from sklrnn.preprocessing.token_encoder import END, START, UNKNOWN, TokenEncoder

Array = NDArray[Any]

# Texts that are sampled side by side: memory grows with them.
_TEXTS_AT_ONCE = 256


def check_sampling(*, length: Any, temperature: Any, top_k: Any) -> None:
    """Check the parameters of a generated text."""
    if not isinstance(temperature, Real) or not 0 < float(temperature) < np.inf:
        raise ValueError(
            f"temperature must be a positive number, got {temperature!r}. 1 samples from the predicted probabilities, "
            "less prefers likely tokens (0.001 always takes the likeliest one), more prefers unlikely ones."
        )
    for name, value, least in (("top_k", top_k, 1), ("length", length, 0)):
        if value is not None and (not isinstance(value, Integral) or int(value) < least):
            raise ValueError(f"{name} must be None or an int of at least {least}, got {value!r}.")


def sample_token(raw: Array, *, temperature: float, top_k: int | None, random: np.random.RandomState) -> int:
    """Sample a token with the probabilities of the raw outputs."""
    # Of equal outputs the first one is preferred.
    order = np.argsort(-raw, kind="stable")[:top_k]
    with np.errstate(over="ignore"):  # a temperature near zero makes all but the highest impossible
        shares = np.exp((raw[order] - raw[order[0]]) / temperature)
    bounds = np.cumsum(shares)
    place = np.searchsorted(bounds, random.random_sample() * bounds[-1], side="right")
    return int(order[min(place, len(order) - 1)])


def sample_tokens(
    network: LanguageNetwork,
    prompt: Array,
    context: Tensor | None,
    *,
    length: int | None,
    never: list[int],
    end: int | None,
    random: np.random.RandomState,
    temperature: float,
    top_k: int | None,
) -> Iterator[int]:
    """Give one token after another, each as soon as it is sampled."""
    codes, state, n_sampled = torch.from_numpy(prompt)[:, np.newaxis], None, 0  # (time, sample)
    while length is None or n_sampled < length:
        # Inference mode must be left while the caller handles a token.
        with torch.inference_mode():
            raw, state = network(codes, state, context)
        outputs = raw[-1, 0].numpy()
        outputs[never] = -np.inf
        code = sample_token(outputs, temperature=temperature, top_k=top_k, random=random)
        if code == end:
            return
        n_sampled += 1
        yield code
        codes = torch.tensor([[code]])


def start_sampling(
    network: LanguageNetwork,
    encoder: TokenEncoder,
    prompt: Any,
    context: Array | None,
    *,
    has_ends: bool,
    length: Any,
    temperature: Any,
    top_k: Any,
    random_state: Any,
) -> tuple[Array, Iterator[int]]:
    """Check the parameters, and give the codes of the prompt and an iterator over those that follow."""
    check_sampling(length=length, temperature=temperature, top_k=top_k)
    codes = encode_prompt(encoder, prompt)
    sampled = sample_tokens(
        network,
        np.array([encoder.vocabulary_[START], *codes]),
        None if context is None else torch.from_numpy(context),
        length=length,
        **_special_tokens(encoder, has_ends=has_ends),
        random=check_random_state(random_state),
        temperature=temperature,
        top_k=top_k,
    )
    return codes, sampled


def sample_several(
    network: LanguageNetwork,
    encoder: TokenEncoder,
    prompts: list[Any],
    context: Array | None,
    *,
    has_ends: bool,
    length: Any,
    temperature: Any,
    top_k: Any,
    random_state: Any,
) -> list[Array]:
    """Check the parameters, and give the codes of several texts, those of the prompts included."""
    check_sampling(length=length, temperature=temperature, top_k=top_k)
    start, codes = encoder.vocabulary_[START], []
    for number, prompt in enumerate(prompts):
        try:
            codes.append(np.array([start, *encode_prompt(encoder, prompt)]))
        except ValueError as error:
            raise ValueError(f"Prompt {number}: {error}") from None
    streams, texts = random_streams(random_state, len(codes)), []
    for first in range(0, len(codes), _TEXTS_AT_ONCE):
        block = slice(first, first + _TEXTS_AT_ONCE)
        texts += _sample_block(
            network,
            codes[block],
            None if context is None else torch.from_numpy(context[block]),
            length=length,
            **_special_tokens(encoder, has_ends=has_ends),
            streams=streams[block],
            temperature=temperature,
            top_k=top_k,
        )
    return texts


def random_streams(random_state: Any, n_texts: int) -> list[np.random.RandomState]:
    """A source of random numbers for each text, which does not depend on how many there are.

    With an int the first text is the same as alone.
    """
    if isinstance(random_state, Integral):
        seeds: list[Any] = [random_state, *([random_state, number] for number in range(1, n_texts))]
        return [np.random.RandomState(seed) for seed in seeds]
    random = check_random_state(random_state)
    return [np.random.RandomState(random.randint(2**31 - 1)) for _ in range(n_texts)]


def _sample_block(
    network: LanguageNetwork,
    prompts: list[Array],
    context: Tensor | None,
    *,
    length: int | None,
    never: list[int],
    end: int,
    streams: list[np.random.RandomState],
    temperature: float,
    top_k: int | None,
) -> list[Array]:
    """Sample the texts of a block side by side: in each step the network reads one token of every text."""
    texts = [list(prompt) for prompt in prompts]
    longest = [np.inf if length is None else len(prompt) + length for prompt in prompts]
    running = [number for number, text in enumerate(texts) if len(text) < longest[number]]
    state, step = None, 0
    while running:
        # A text that has ended is read on at its last token, and what follows is left out.
        codes = torch.tensor([[text[min(step, len(text) - 1)] for text in texts]])  # (time, sample)
        with torch.inference_mode():
            raw, state = network(codes, state, context)
        outputs, step = raw[-1].numpy(), step + 1
        outputs[:, never] = -np.inf
        for number in [number for number in running if len(texts[number]) == step]:  # others still read their prompt
            code = sample_token(outputs[number], temperature=temperature, top_k=top_k, random=streams[number])
            if code != end:
                texts[number].append(code)
            if code == end or len(texts[number]) >= longest[number]:
                running.remove(number)
    return [np.array(text[1:], dtype=np.int64) for text in texts]


def _special_tokens(encoder: TokenEncoder, *, has_ends: bool) -> dict[str, Any]:
    known = encoder.vocabulary_
    return {"never": [known[mark] for mark in (UNKNOWN, START, *[END] * (not has_ends))], "end": known[END]}
