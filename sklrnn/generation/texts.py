"""Texts as integer codes with their contexts: checked, split, and cut into parallel streams."""

from collections.abc import Iterable, Sized
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array

from sklrnn.inputs.numeric import read_numbers, refusing_huge_ints
from sklrnn.inputs.samples import count_older
from sklrnn.preprocessing.token_encoder import TokenEncoder

Array = NDArray[Any]


@dataclass(frozen=True)
class Texts:
    """Texts as codes, each from its start mark on, and their contexts, (text, feature)."""

    codes: list[Array]
    context: Array | None = None

    def __getitem__(self, chosen: slice) -> "Texts":
        return Texts(self.codes[chosen], None if self.context is None else self.context[chosen])

    def count(self, *, single: bool) -> int:
        """The number of texts, or of the tokens of a single one."""
        return len(self.codes[0]) - 1 if single else len(self.codes)

    def hold_out_newest(self, fraction: float, *, single: bool) -> tuple["Texts", "Texts"]:
        """Split off the last texts, or the last tokens of a single one."""
        n_older = count_older(self.count(single=single), fraction, what="tokens" if single else "texts")
        if not single:
            return self[:n_older], self[n_older:]
        (codes,) = self.codes
        older, newest = codes[: n_older + 1], np.concatenate([codes[:1], codes[n_older + 1 :]])
        return Texts([older], self.context), Texts([newest], self.context)

    def as_streams(self, *, most: int, segment_length: int) -> "Texts":
        """Cut one long text into parallel streams of equal length, each of a segment at least."""
        (codes,) = self.codes
        start, tokens = codes[:1], codes[1:]
        n_streams = max(1, min(most, len(tokens) // segment_length))
        streams = [np.concatenate([start, stream]) for stream in np.array_split(tokens, n_streams)]
        return Texts(streams, None if self.context is None else np.repeat(self.context, n_streams, axis=0))


def encode_texts(encoder: TokenEncoder, samples: list[Any], context: Array | None, *, has_ends: bool) -> Texts:
    """Turn texts into codes; with ``has_ends`` the end of a text is a token."""
    codes = list(encoder.transform(samples))
    for row, text in enumerate(codes if not has_ends else []):
        if len(text) == 2:  # the marks of start and end alone, of which the end is no token here
            raise ValueError(f"The text in row {row} is empty. Leave it out: there is no token in it to learn from.")
    if context is not None and len(context) != len(codes):
        raise ValueError(f"context must hold one row for each of the {len(codes)} texts, got {len(context)}.")
    return Texts(codes if has_ends else [text[:-1] for text in codes], context)


def check_context(context: Any, n_features: int, estimator: Any) -> Array | None:
    """Check the contexts of texts against those of ``fit``, which had so many features."""
    if context is None:
        if n_features:
            raise ValueError(
                f"This generator was fitted with a context of {n_features} feature(s). Pass context=, a vector of as "
                "many."
            )
        return None
    if not n_features:
        raise ValueError("This generator was fitted without context. Leave context out, or pass it to fit too.")
    checked = check_context_values(context, estimator)
    if checked.shape[1] != n_features:
        raise ValueError(f"context has {checked.shape[1]} feature(s), but had {n_features} in fit. Pass as many.")
    return checked


def check_one_context(context: Any, n_features: int, estimator: Any) -> Array | None:
    """Check the context of one text."""
    if context is not None and np.ndim(context) != 1:
        raise ValueError(
            f"context must be one vector of features, got {np.ndim(context)} dimensions. Only generate takes several, "
            "(text, feature)."
        )
    return check_context(None if context is None else [context], n_features, estimator)


@refusing_huge_ints("context")
def check_context_values(context: Any, estimator: Any) -> Array:
    """Check a table of numbers, one row for each text."""
    context = read_numbers(context, "context")
    checked: Array = check_array(context, input_name="context", estimator=estimator)  # names strings as such
    return checked.astype(np.float64, copy=False)


def check_long_enough(text: Texts, segment_length: int) -> None:
    """Check that one long text fills a segment."""
    n_tokens = text.count(single=True)
    if n_tokens < segment_length:
        raise ValueError(
            f"One long text needs at least segment_length={segment_length} tokens to train on, got {n_tokens}. "
            "Pass a longer text, or lower segment_length; or did you mean to pass several texts?"
        )


def read_several(encoder: TokenEncoder, prompt: Any, context: Any) -> tuple[list[Any], Any] | None:
    """The prompts and contexts of several texts, as many of both; None where one text is asked for."""
    has_prompts, has_contexts = _are_prompts(encoder, prompt), context is not None and np.ndim(context) == 2
    if not has_prompts and not has_contexts:
        return None
    n_texts = len(prompt) if has_prompts else len(context)
    if has_prompts and has_contexts and len(context) != n_texts:
        raise ValueError(
            f"Each text needs a prompt and a context, got {n_texts} prompts and {len(context)} contexts. Pass as many, "
            "or one of them for all texts."
        )
    if context is not None and not has_contexts:
        context = [context] * n_texts
    return list(prompt) if has_prompts else [prompt] * n_texts, context


def _are_prompts(encoder: TokenEncoder, prompt: Any) -> bool:
    """Whether a prompt is a list of prompts: of strings for a model of strings, else of lists of tokens."""
    if isinstance(prompt, str) or not isinstance(prompt, Iterable) or not isinstance(prompt, Sized) or not len(prompt):
        return False
    learnt_strings = isinstance(encoder.inverse_transform([[]])[0], str)
    first = next(iter(prompt))
    return learnt_strings or not (isinstance(first, str) or np.ndim(first) == 0)


def encode_prompt(encoder: TokenEncoder, prompt: Any) -> Array:
    """Turn a prompt into codes, all of which must be known."""
    unknown = sorted({repr(token) for token in encoder.split([prompt])[0] if token not in encoder.vocabulary_})
    if unknown:
        raise ValueError(
            f"The prompt holds tokens that are not known from fit: {', '.join(unknown)}. Begin with others: "
            f"{encoder.n_tokens_ - 3} are known, those of encoder_.vocabulary_."
        )
    codes: Array = encoder.transform([prompt])[0][1:-1]
    return codes
