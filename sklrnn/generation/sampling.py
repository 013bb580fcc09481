"""Sampling the next token from a network's raw outputs."""

from collections.abc import Iterator
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils import check_random_state
from torch import Tensor

from sklrnn.generation.network import LanguageNetwork, initial_state
from sklrnn.generation.texts import encode_prompt
from sklrnn.preprocessing.token_encoder import END, START, UNKNOWN, TokenEncoder

Array = NDArray[Any]


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
    state = initial_state(context)
    codes, n_sampled = torch.from_numpy(prompt)[:, np.newaxis], 0  # (time, sample)
    while length is None or n_sampled < length:
        # Inference mode must be left while the caller handles a token.
        with torch.inference_mode():
            raw, state = network(codes, state)
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
    known, codes = encoder.vocabulary_, encode_prompt(encoder, prompt)
    sampled = sample_tokens(
        network,
        np.array([known[START], *codes]),
        None if context is None else torch.from_numpy(context),
        length=length,
        never=[known[mark] for mark in (UNKNOWN, START, *[END] * (not has_ends))],
        end=known[END],
        random=check_random_state(random_state),
        temperature=temperature,
        top_k=top_k,
    )
    return codes, sampled
