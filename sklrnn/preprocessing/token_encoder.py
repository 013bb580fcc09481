"""Texts as sequences of integer tokens, and back."""

import re
from collections import Counter
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from sklrnn._hyperparameters import Doc, Ge, fitted, hyperparameters, validate_parameters
from sklrnn.inputs.containers import check_texts
from sklrnn.inputs.sklearn_classes import BaseEstimator, TransformerMixin
from sklrnn.inputs.tokens import mark_as_tokens
from sklrnn.inputs.validation import with_text_input
from sklrnn.saved_state import Saved

__all__ = ["END", "START", "UNKNOWN", "TokenEncoder"]

Array = NDArray[Any]
Token = str | int
Tokens = Sequence[Token]

UNKNOWN, START, END = "<unknown>", "<start>", "<end>"

# A word, which may have apostrophes inside, or a single mark of punctuation.
_WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")  # noqa: RUF001

# What an unknown token becomes in inverse_transform.
_SHOWN: dict[str, Token] = {
    "characters": "\N{REPLACEMENT CHARACTER}",
    "words": UNKNOWN,
    "tokens": UNKNOWN,
    "integers": -1,
}


@hyperparameters
class TokenEncoder(Saved, TransformerMixin, BaseEstimator):
    """Turn texts into sequences of integers, one for each character or word.

    A sample is a string, which ``analyzer`` splits, or a list of tokens that are split already: strings, or integers
    such as the pitches of a melody. The result is an array of integer arrays, each as long as its text, which the
    estimators read with ``embedding_dim``. A text without any token becomes the mark ``"<unknown>"``, as a network
    cannot read an empty sequence.

    **Codes** count from 0: first the marks that are in use (``"<unknown>"``, ``"<start>"``, ``"<end>"``), then the
    tokens in sorted order. They do not depend on the order of the texts. A token that is spelled like a mark is read as
    that mark.

    **Words** are runs of letters, digits and underscores, with apostrophes inside ("don't"), and each mark of
    punctuation by itself; white space only separates. So ``inverse_transform`` joins words with single spaces;
    characters and split tokens are restored exactly.

    See Also
    --------
    sklrnn.SequenceGenerator : Learns from texts to continue them; it needs no encoder in front.

    Examples
    --------
    >>> from sklrnn import TokenEncoder
    >>> encoder = TokenEncoder().fit(["banana", "cab"])
    >>> encoder.vocabulary_
    {'<unknown>': 0, 'a': 1, 'b': 2, 'c': 3, 'n': 4}
    >>> codes = encoder.transform(["ban", "can do"])
    >>> list(codes)
    [array([2, 1, 4]), array([3, 1, 4, 0, 0, 0])]
    >>> encoder.inverse_transform(codes[:1])
    ['ban']

    Words, with marks where a text begins and ends:

    >>> words = TokenEncoder(analyzer="word", lowercase=True, mark_ends=True)
    >>> list(words.fit_transform(["The end.", "In the beginning"]))
    [array([1, 7, 5, 3, 2]), array([1, 6, 7, 4, 2])]
    """

    __module__ = "sklrnn"

    analyzer: Annotated[
        Literal["char", "word"],
        Doc("What a string is split into. Samples that are lists of tokens stay as they are."),
    ] = "char"
    lowercase: Annotated[bool, Doc("Turn capitals into small letters first.")] = False
    min_count: Annotated[int, Ge(1), Doc("How often a token must occur in the texts of `fit` to be known.")] = 1
    max_tokens: Annotated[
        int | None,
        Ge(1),
        Doc(
            "Know so many tokens at most, the most frequent ones (of equally frequent ones the first in sorted order); "
            "marks are not counted."
        ),
    ] = None
    unknown: Annotated[
        Literal["mark", "drop", "error"],
        Doc(
            'What becomes of a token that is not known: the code 0 of ``"<unknown>"``, nothing, or an error that names '
            "the text. Where nothing is left of a text, one code 0 stands for it."
        ),
    ] = "mark"
    mark_ends: Annotated[bool, Doc('Put ``"<start>"`` before and ``"<end>"`` after each text.')] = False

    vocabulary_: dict[Any, int] = fitted("The code of each mark and each known token.")
    n_tokens_: int = fitted("How many codes there are, those of marks included.")

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the vocabulary.

        Parameters
        ----------
        X : list, Series or 1-D array
            Strings, or lists of tokens.
        y : Ignored
            Present for pipelines.

        Returns
        -------
        self : TokenEncoder
            The fitted encoder.
        """
        validate_parameters(self)
        kind, texts = self._read(X)
        counts = Counter(token for text in texts for token in text)
        needs_unknown = self.unknown == "mark" or not self.mark_ends  # it also stands for a text without a token
        marks = [*[UNKNOWN] * needs_unknown, *[START, END] * self.mark_ends]
        frequent = [token for token, count in counts.items() if count >= self.min_count and token not in marks]
        kept = sorted(sorted(frequent, key=lambda token: (-counts[token], token))[: self.max_tokens])
        if not kept:
            raise ValueError(
                f"There is nothing to learn from: the {len(texts)} text(s) hold {counts.total()} tokens, and none "
                f"occurs min_count={self.min_count} times. Pass texts that are not empty, or lower min_count."
            )
        self._kind = kind
        self.vocabulary_ = {token: code for code, token in enumerate([*marks, *kept])}
        self.n_tokens_ = len(self.vocabulary_)
        return self

    def split(self, X: Any) -> list[list[Any]]:
        """Split texts into tokens without coding them.

        Parameters
        ----------
        X : list, Series or 1-D array
            Strings, or lists of tokens.

        Returns
        -------
        tokens : list of list
            The characters, words or integers of each text.
        """
        return [list(text) for text in self._read(X)[1]]

    def transform(self, X: Any) -> Array:
        """Turn texts into codes.

        Parameters
        ----------
        X : list, Series or 1-D array
            Strings, or lists of tokens, as in `fit`.

        Returns
        -------
        codes : ndarray of shape (sample,)
            An array of integers for each text.
        """
        check_is_fitted(self, "vocabulary_")
        kind, texts = self._read(X)
        if kind != self._kind and any(texts):
            raise ValueError(f"This encoder was fitted on {self._kind}, got {kind}. Pass samples of the same kind.")
        coded = np.empty(len(texts), dtype=object)
        for row, text in enumerate(texts):
            coded[row] = self._encode(text, row)
        return mark_as_tokens(coded)

    def inverse_transform(self, X: Any) -> list[Any]:
        """Turn codes into texts; marks of start and end are left out.

        Parameters
        ----------
        X : sequence of integer arrays
            What `transform` gives.

        Returns
        -------
        texts : list
            Strings, lists of tokens or arrays of integers, whatever `fit` was given. The code of unknown tokens becomes
            ``"\N{REPLACEMENT CHARACTER}"`` among characters, -1 among integers, and ``"<unknown>"`` otherwise; where
            ``unknown`` is not "mark" it stands for a text without a token, and is left out.
        """
        check_is_fitted(self, "vocabulary_")
        tokens: list[Token | None] = list(self.vocabulary_)
        if UNKNOWN in self.vocabulary_:
            tokens[0] = _SHOWN[self._kind] if self.unknown == "mark" else None
        for mark in (START, END) if self.mark_ends else ():
            tokens[self.vocabulary_[mark]] = None
        return [self._join(self._decode(np.asarray(codes), tokens, row)) for row, codes in enumerate(X)]

    @property
    def _reads_strings(self) -> bool:
        """Whether samples are strings, and not lists of tokens."""
        return self._kind in ("characters", "words")

    # -- one text ----------------------------------------------------------------------------------------------------

    def _encode(self, text: Tokens, row: int) -> Array:
        known = self.vocabulary_
        if self.unknown == "mark":
            codes = [known.get(token, 0) for token in text]
        else:
            codes = [known[token] for token in text if token in known]
            if self.unknown == "error" and len(codes) < len(text):
                strange = sorted({token for token in text if token not in known})
                raise ValueError(
                    f"The text in row {row} holds tokens that were not among those of fit: {_some(strange)}. "
                    'Set unknown="mark" or "drop" to let them pass, or fit on texts that hold them.'
                )
        if self.mark_ends:
            codes = [known[START], *codes, known[END]]
        return np.array(codes or [known[UNKNOWN]], dtype=np.int64)

    def _decode(self, codes: Array, tokens: list[Token | None], row: int) -> list[Token]:
        if codes.ndim != 1 or (len(codes) and codes.dtype.kind not in "iu"):
            raise ValueError(f"Row {row} must be a 1-D array of integers, got {codes.dtype} of shape {codes.shape}.")
        if len(codes) and not 0 <= codes.min() <= codes.max() < len(tokens):
            raise ValueError(
                f"Codes go from 0 to {len(tokens) - 1} here, got {codes.min()} to {codes.max()} in row {row}."
            )
        return [token for token in (tokens[code] for code in codes) if token is not None]

    def _join(self, tokens: list[Token]) -> Any:
        if self._reads_strings:
            return ("" if self._kind == "characters" else " ").join(map(str, tokens))
        return np.array(tokens, dtype=np.int64) if self._kind == "integers" else tokens

    # -- reading what a user passes ----------------------------------------------------------------------------------

    def _read(self, X: Any) -> tuple[str, list[Tokens]]:
        """Split every text; all must be of one kind."""
        samples = check_texts(X, name=type(self).__name__)
        split = "characters" if self.analyzer == "char" else "words"
        kinds: dict[str, int] = {}
        texts = []
        for row, sample in enumerate(samples):
            text = self._split(sample) if isinstance(sample, str) else _listed(sample, row)
            texts.append(text)
            if isinstance(sample, str) or len(text):
                kind = split if isinstance(sample, str) else "tokens" if isinstance(text[0], str) else "integers"
                kinds.setdefault(kind, row)
        if len(kinds) > 1:
            (one, first), (other, second), *_ = kinds.items()
            raise ValueError(f"All samples must be of one kind, got {one} in row {first} and {other} in row {second}.")
        if self.lowercase and not any("integers" in kind for kind in kinds):
            texts = [
                text.lower() if isinstance(text, str) else [str(token).lower() for token in text] for text in texts
            ]
        return next(iter(kinds), split), texts

    def _split(self, text: str) -> Tokens:
        return text if self.analyzer == "char" else _WORD.findall(text)

    def __sklearn_tags__(self) -> Any:
        return with_text_input(super().__sklearn_tags__())


def _listed(sample: Any, row: int) -> list[Token]:
    """Check a sample that is a list of tokens."""
    if np.ma.is_masked(sample):
        raise ValueError(f"Row {row} holds masked tokens. Drop it, or give missing tokens a number of their own.")
    if sample is None or (isinstance(sample, Real) and sample != sample) or type(sample).__name__ == "NAType":
        raise ValueError(f"Row {row} is missing: got {sample} instead of a text. Drop it, or fill in an empty string.")
    if not isinstance(sample, list | tuple | np.ndarray) or getattr(sample, "ndim", 1) != 1:
        raise ValueError(
            f"Row {row} must be a string or a list of tokens, got {type(sample).__name__}: {sample!r:.60}."
        )
    tokens = list(sample)
    if all(isinstance(token, str) for token in tokens):
        return [str(token) for token in tokens]
    if all(isinstance(token, Integral) and not isinstance(token, bool) for token in tokens):
        if not all(-(2**63) <= token < 2**63 for token in tokens):
            raise ValueError(f"Row {row} holds integers of more than 64 bits. Number the tokens first.")
        return [int(token) for token in tokens]
    kinds = sorted({type(token).__name__ for token in tokens})
    raise ValueError(f"The tokens in row {row} must all be strings or all be integers, got {' and '.join(kinds)}.")


def _some(tokens: list[Token]) -> str:
    shown = ", ".join(repr(token) for token in tokens[:5])
    return shown + (f" and {len(tokens) - 5} more" if len(tokens) > 5 else "")
