"""Checks of estimators that generate texts: how they score them, and how they give them token by token."""

from typing import Any

import numpy as np

from sklrnn.testing.comparisons import assert_same, find_difference
from sklrnn.testing.text_case import TextCase


def check_score_is_a_mean_over_tokens(case: TextCase) -> None:
    """The score of several texts is the mean of their scores, weighted by their numbers of tokens."""
    model = case.fit()
    lengths, together = np.array([len(case.tokens(text)) for text in case.X]), float(model.score(case.X))
    alone = [float(model.score(case.alone(text))) for text in case.X]
    # The end of a text may count as a token.
    means = [np.average(alone, weights=lengths + n_ends) for n_ends in (0, 1)]
    if all(find_difference(together, mean) for mean in means):
        raise AssertionError(
            f"{case.name} scores {len(lengths)} texts with {together:.6g}, but the mean of their scores, weighted by "
            f"their numbers of tokens, is {means[0]:.6g}, or {means[1]:.6g} with an end for each. Is their padding "
            "scored?"
        )


def check_token_stream_equals_generate(case: TextCase) -> None:
    """`stream` gives the tokens, one by one, that `generate` adds to a text with the same random numbers."""
    model = case.fit()
    for row, text in enumerate(case.X[:6]):
        options: dict[str, Any] = {"length": 8, "random_state": row}
        streamed = [*model.stream(text, **options)]
        generated = case.tokens(model.generate(text, **options))[len(case.tokens(text)) :]
        assert_same(streamed, generated, f"The stream of {case.name} does not give what generate adds to text {row}.")
