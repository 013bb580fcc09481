"""Drawing the next token from a network's raw outputs."""

from collections.abc import Iterator
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sklrnn.generation.network import LanguageNetwork, begin

Array = NDArray[Any]


def check_sampling(*, length: Any, temperature: Any, top_k: Any) -> None:
    """Check what a user asks of a generated text."""
    if not isinstance(temperature, Real) or not 0 < float(temperature) < np.inf:
        raise ValueError(
            f"temperature must be a positive number, got {temperature!r}. 1 draws as was learnt, less keeps to what is "
            "likely (0.001 always takes the likeliest token), more dares more."
        )
    for name, value, least in (("top_k", top_k, 1), ("length", length, 0)):
        if value is not None and (not isinstance(value, Integral) or int(value) < least):
            raise ValueError(f"{name} must be None or an int of at least {least}, got {value!r}.")


def choose(raw: Array, *, temperature: float, top_k: int | None, random: np.random.RandomState) -> int:
    """Draw a token, each as likely as its raw output says."""
    # Of equal outputs the first counts as higher.
    order = np.argsort(-raw, kind="stable")[:top_k]
    with np.errstate(over="ignore"):  # a temperature near zero makes all but the highest impossible
        shares = np.exp((raw[order] - raw[order[0]]) / temperature)
    bounds = np.cumsum(shares)
    place = np.searchsorted(bounds, random.random_sample() * bounds[-1], side="right")
    return int(order[min(place, len(order) - 1)])


def draw_tokens(
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
    """Give one token after another, each as soon as it is drawn."""
    carried = begin(context)
    now, made = torch.from_numpy(prompt)[:, np.newaxis], 0  # (time, sample)
    while length is None or made < length:
        # The mode must not stay switched on while the caller looks at a token.
        with torch.inference_mode():
            raw, carried = network.read(now, carried)
        outputs = raw[-1, 0].numpy()
        outputs[never] = -np.inf
        code = choose(outputs, temperature=temperature, top_k=top_k, random=random)
        if code == end:
            return
        made += 1
        yield code
        now = torch.tensor([[code]])
