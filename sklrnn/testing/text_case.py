"""An estimator that reads texts: a translator or another one that predicts from them, or a generator."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_regressor

from sklrnn.inputs.ragged import as_object_array
from sklrnn.testing.options import option
from sklrnn.testing.sequence_case import SequenceCase, check_count

Array = NDArray[Any]

_N_TEXTS, _ALPHABET = 24, "abcdef"
# Tokens that are generated after each text.
_N_NEW = 6


@dataclass(frozen=True)
class TextCase(SequenceCase):
    """An estimator, texts of several lengths, and their targets, of which a generator has none.

    Texts are strings or lists of tokens, in an object array.
    """

    @classmethod
    def of(cls, estimator: Any, X: Any = None, y: Any = None) -> "TextCase":
        """Take texts and targets that are given, or make some."""
        case = cls(estimator, np.empty(0, dtype=object), np.empty(0))
        if case.has_targets and (X is None) != (y is None):
            raise ValueError("X and y go together: pass both, or neither to have them made.")
        if X is None:
            X, y = _make_texts(case)
        X = as_object_array(X)
        y = np.zeros(len(X)) if not case.has_targets else as_object_array(y) if is_text(y) else np.asarray(y)
        check_count(X, y)
        if min(map(len, X)) < 2:
            raise ValueError("Each text of X must have two tokens at least, as the checks cut some shorter.")
        return cls(estimator, X, y)

    @property
    def has_targets(self) -> bool:
        """Whether it learns from pairs of X and y."""
        return self.can("predict")

    @property
    def per_step(self) -> bool:
        return False

    @property
    def lengths_may_vary(self) -> bool:
        return True

    def answers(self, model: Any, X: Any = None) -> Any:
        """What a fitted copy predicts, of texts the likelihoods too; of a generator how it goes on with each text."""
        X = self.X if X is None else X
        if not self.has_targets:
            # The likeliest token each time: what is drawn at random belongs to the place of a text in the call.
            generated = model.generate(X, length=_N_NEW, top_k=1, random_state=0)
            return {"text": as_object_array(generated), "log-likelihood": np.array([model.score([x]) for x in X])}
        predicted = super().answers(model, X)
        if not is_text(self.y):
            return predicted
        answers = {"text": as_object_array(predicted)}
        if hasattr(model, "predict_n_best"):
            hypotheses = [[*texts, ("", np.nan)][:2] for texts in model.predict_n_best(X, n_best=2)]
            answers["log-likelihood"] = np.array([[likelihood for _, likelihood in texts] for texts in hypotheses])
        if option(model, "attention"):
            answers["attention"] = np.array([np.sum(weights**2) for weights in model.attention_weights(X)])
        return answers

    def bad_data(self) -> Iterator[tuple[str, Any, Any]]:
        other = self.changed()
        if self.has_targets:
            yield "an X and a y of different lengths", other, self.y[:-3]
        missing = other.copy()
        missing[-1] = None
        yield "a text that is None", missing, self.y

    # -- tokens ------------------------------------------------------------------------------------------------------

    def shortened(self, row: int) -> Any:
        tokens = self.tokens(self.X[row])
        return self._join(tokens[: len(tokens) // 2])

    def alone(self, sequence: Any) -> Any:
        return as_object_array([sequence])

    def changed(self, steps: slice = slice(None), rows: slice = slice(None)) -> Array:
        """X with the next token of its vocabulary in some places of some texts."""
        known = sorted({*chain.from_iterable(map(self.tokens, self.X))})
        following = dict(zip(known, [*known[1:], *known[:1]], strict=True))
        changed = self.X.copy()
        for row in range(len(changed))[rows]:
            tokens = self.tokens(changed[row])
            tokens[steps] = [following[token] for token in tokens[steps]]
            changed[row] = self._join(tokens)
        return changed

    @property
    def separator(self) -> str:
        return " " if option(self.estimator, "analyzer") == "word" else ""

    def tokens(self, text: Any) -> list[Any]:
        """The characters, words or tokens of a text."""
        return text.split(" ") if self.separator and isinstance(text, str) else list(text)

    def _join(self, tokens: list[Any]) -> Any:
        # Of lists of strings the first text tells that they are no characters.
        return self.separator.join(tokens) if isinstance(self.X[0], str) else tokens


def is_text(values: Any) -> bool:
    """Whether these are strings or lists of them."""
    first = next(iter(values), None)
    return isinstance(first, str) or (isinstance(first, list | tuple) and bool(first) and isinstance(first[0], str))


def _make_texts(case: TextCase) -> tuple[Any, Any]:
    random = np.random.default_rng(0)
    lengths = random.integers(3, 7, size=_N_TEXTS)
    texts = [random.choice(list(_ALPHABET), size=length) for length in lengths]
    X = [case.separator.join(text) for text in texts]
    if not case.has_targets:
        return X, None
    counts = np.array([np.sum(text < "d") for text in texts])
    if case.classifies:
        return X, np.where(counts > np.median(counts), "high", "low")
    if is_regressor(case.estimator):
        return X, counts.astype(float)
    return X, [case.separator.join(np.char.upper(text[::-1])) for text in texts]
