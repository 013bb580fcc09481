"""New sequences: a language model over characters, words or integers."""

import copy
from collections.abc import Iterator
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import DensityMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from torch import nn

from sklrnn._hyperparameters import (
    FRACTION,
    POSITIVE_INT,
    POSITIVE_INTS,
    StrOptions,
    fitted,
    hyper,
    hyperparameters,
    validate_parameters,
)
from sklrnn.generation._text_model import TextModel
from sklrnn.generation.batches import TextBatches
from sklrnn.generation.sampling import check_sampling, draw_tokens
from sklrnn.preprocessing.token_encoder import END, START, UNKNOWN, TokenEncoder, check_texts
from sklrnn.training.net import SequenceNet

__all__ = ["SequenceGenerator"]

Array = NDArray[Any]

# Steps that are scored at a time: memory goes with them.
_STEPS_AT_ONCE = 256


@hyperparameters
class SequenceGenerator(DensityMixin, TextModel):
    """Learn from texts which token comes next, and write new ones.

    A recurrent network reads a text token by token (characters, words, or integers such as notes) and says after each how
    likely every token of the vocabulary comes next. Drawing one and reading it as the next makes a text.

    **Separate texts**, such as names or verses: each is read from an empty state, and its end is learnt too, so generated
    texts end by themselves.

    **One long text**, given as a list that holds nothing else: it is cut into ``batch_size`` strands that are read side by
    side, ``segment_length`` tokens a step of training; states are carried from segment to segment, gradients are not
    (truncated backpropagation through time). There is no end: what is generated is as long as you ask for.

    **A context**, one vector of features for each text in ``fit``, says what the text is about; ``generate`` and ``score``
    are then told it too.

    See Also
    --------
    sklrnn.TokenEncoder : How texts become tokens.

    Examples
    --------
    >>> from sklrnn import SequenceGenerator
    >>> model = SequenceGenerator(units=32, segment_length=16, random_state=0).fit(["tick tock " * 100])
    >>> model.generate("ti", length=18, temperature=0.01)
    'tick tock tick tock '
    >>> bool(model.perplexity(["tick tock " * 5]) < 1.5)
    True

    A token is there as soon as it is drawn:

    >>> for token in model.stream("tick", length=5, temperature=0.01):
    ...     print(token, end="|")
     |t|o|c|k|

    Separate texts end by themselves, here in an animal or in a tree, as the context says:

    >>> texts, context = ["cat", "dog", "oak", "elm"] * 10, [[1], [1], [0], [0]] * 10
    >>> model = SequenceGenerator(units=32, random_state=0).fit(texts, context=context)
    >>> sorted({model.generate(context=[0], random_state=seed) for seed in range(9)})
    ['elm', 'oak']
    """

    bidirectional: ClassVar[bool] = False  # type: ignore[misc]
    filters: ClassVar[None] = None  # type: ignore[misc]
    kernel_size: ClassVar[int] = 3  # type: ignore[misc]
    pool_size: ClassVar[int] = 1  # type: ignore[misc]

    # fmt: off
    units: int | tuple[int, ...] = hyper(default=128, constraint=POSITIVE_INTS, sentence="Width of the recurrent state; a tuple stacks layers.")
    embedding_dim: int = hyper(default=32, constraint=POSITIVE_INT, sentence="Numbers that stand for a token.")
    analyzer: Literal["char", "word"] = hyper(default="char", constraint=StrOptions({"char", "word"}), sentence="What a string is split into. Texts that are lists of tokens stay as they are.")
    lowercase: bool = hyper(default=False, constraint="boolean", sentence="Turn capitals into small letters first.")
    min_count: int = hyper(default=1, constraint=POSITIVE_INT, sentence="How often a token must occur to be known.")
    max_tokens: int | None = hyper(default=None, constraint=[POSITIVE_INT, None], sentence="Know so many tokens at most, the most frequent ones.")
    segment_length: int = hyper(default=64, constraint=POSITIVE_INT, sentence="Tokens of each text that a step of training reads: gradients reach no further back.")
    batch_size: int = hyper(default=32, constraint=POSITIVE_INT, sentence="Texts, or strands of one long text, that are read side by side.")
    max_epochs: int = hyper(default=100, constraint=POSITIVE_INT, sentence="Most passes over the texts.")
    shuffle: bool = hyper(default=True, constraint="boolean", sentence="Draw separate texts in a new order in each epoch.")
    early_stopping: bool | Literal["auto"] = hyper(default="auto", constraint=["boolean", StrOptions({"auto"})], sentence='Hold out the last texts, or the last part of a single one, stop when their loss no longer falls, and keep the best weights; "auto" does so above 10,000 texts, or tokens of a single one. When off, training stops when the training loss no longer falls.')
    validation_fraction: float = hyper(default=0.1, constraint=FRACTION, sentence="Share of the texts, or of a single one, that early stopping holds out.")
    # fmt: on

    encoder_: TokenEncoder = fitted("Turns texts into tokens.")
    n_context_features_: int = fitted("Features of the context; 0 without one.")
    net_: SequenceNet = fitted("The skorch net.")
    n_iter_: int = fitted("Epochs trained.")
    loss_curve_: list[float] = fitted("Training loss of each epoch in nats a token, penalties included.")
    validation_curve_: list[float] | None = fitted("Loss on what was held out after each epoch; None without it.")
    best_validation_loss_: float | None = fitted(
        "The lowest of `validation_curve_`; the weights are those of its epoch."
    )
    n_parameters_: int = fitted("Numbers that the network learns.")

    def fit(self, X: Any, y: Any = None, *, context: Any = None) -> Self:
        """Learn from texts.

        Parameters
        ----------
        X : list, Series or 1-D array
            Strings, or lists of tokens, or arrays of integers. A single one is one long text.
        y : Ignored
            Present for pipelines and searches.
        context : array-like of shape (text, feature), default=None
            What each text is about.

        Returns
        -------
        self : SequenceGenerator
            The fitted generator.
        """
        validate_parameters(self)
        samples = check_texts(X, name=type(self).__name__)
        with self._all_or_nothing(), self._threads():
            self.encoder_ = self._learn_tokens(samples)
            self._has_ends = len(samples) > 1
            self._learn_context(context)
            texts = self._as_texts(samples, context)
            self._train_on(texts)
        return self

    def generate(
        self,
        prompt: Any = "",
        *,
        length: int | None = 200,
        temperature: float = 1.0,
        top_k: int | None = None,
        context: Any = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> Any:
        """Write a text that begins with the prompt.

        Parameters
        ----------
        prompt : str, list of tokens or array of int, default=""
            How the text begins; nothing leaves that open too.
        length : int or None, default=200
            Most tokens to add. A generator of separate texts may end before; with None it ends nowhere else.
        temperature : float, default=1.0
            Below 1 likely tokens are drawn even more often, above 1 less often; near 0 always the likeliest one.
        top_k : int or None, default=None
            Draw from so many of the likeliest tokens only.
        context : array-like of shape (feature,), default=None
            What the text is about, if ``fit`` was told that.
        random_state : int, RandomState instance or None, default=None
            An int writes the same text again.

        Returns
        -------
        text : str, list of str or ndarray of int
            The prompt and what follows, of the kind of the texts in ``fit``.
        """
        if length is None and getattr(self, "_has_ends", True) is False:
            raise ValueError("One long text has no end that could be learnt: pass a length, or use stream.")
        with self._threads():
            codes, tokens = self._start(prompt, length, temperature, top_k, context, random_state)
            return self.encoder_.inverse_transform([np.array([*codes, *tokens])])[0]

    def stream(
        self,
        prompt: Any = "",
        *,
        length: int | None = None,
        temperature: float = 1.0,
        top_k: int | None = None,
        context: Any = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> Iterator[Any]:
        """Give what follows the prompt token by token, each as soon as it is drawn.

        Parameters are those of `generate`, but ``length=None`` goes on until the text ends, or without end.

        Returns
        -------
        tokens : iterator of str or int
            Characters, words or integers.
        """
        _, codes = self._start(prompt, length, temperature, top_k, context, random_state)
        tokens = list(self.encoder_.vocabulary_)
        return (tokens[code] for code in codes)

    def score(self, X: Any, y: Any = None, *, context: Any = None) -> float:
        """Mean log-likelihood of a token: how well each is foretold by those before it in its text.

        Where ``fit`` was given separate texts, their ends count as tokens. A token that is not known counts as the one unknown
        token, which training makes very unlikely.

        Parameters
        ----------
        X : list, Series or 1-D array
            Texts.
        y : Ignored
            Present for searches.
        context : array-like of shape (text, feature), default=None
            What each text is about, if ``fit`` was told that.

        Returns
        -------
        score : float
            Nats; never above 0.
        """
        check_is_fitted(self, "net_")
        texts = self._as_texts(check_texts(X, name=type(self).__name__), context)
        network = copy.deepcopy(self.net_.module)
        if network.head.weight.device.type != "mps":
            network = network.double()  # the same whatever texts stand beside
        device = network.head.weight.device
        batches = TextBatches(texts, batch_size=self.batch_size, segment_length=_STEPS_AT_ONCE, device=device)
        total, carried = 0.0, None
        with torch.inference_mode(), self._threads():
            for x, asked in batches:
                raw, carried = network.go_on(x["x"], x.begin if x.first else carried, n_strands=x.n_strands)
                losses = nn.functional.cross_entropy(raw, asked, reduction="none")
                total += float(losses[x["weight"] > 0].sum())
        return -total / int(batches.n_steps.sum())

    def perplexity(self, X: Any, *, context: Any = None) -> float:
        """Among how many equally likely tokens the choice would be as hard: ``exp(-score)``.

        Parameters are those of `score`.

        Returns
        -------
        perplexity : float
            At least 1.
        """
        return float(np.exp(-self.score(X, context=context)))

    # -- what a user passes ------------------------------------------------------------------------------------------

    def _learn_tokens(self, samples: list[Any]) -> TokenEncoder:
        encoder = TokenEncoder(
            analyzer=self.analyzer,
            lowercase=self.lowercase,
            min_count=self.min_count,
            max_tokens=self.max_tokens,
            unknown="mark",
            mark_ends=True,
        )
        return encoder.fit(samples)

    def _start(
        self, prompt: Any, length: Any, temperature: Any, top_k: Any, context: Any, random_state: Any
    ) -> tuple[Array, Iterator[int]]:
        """Check what is asked for, and give the prompt's codes and an iterator over those that follow."""
        check_is_fitted(self, "net_")
        check_sampling(length=length, temperature=temperature, top_k=top_k)
        known = self.encoder_.vocabulary_
        if context is not None and np.ndim(context) != 1:
            raise ValueError(f"context must be one vector of features, got {np.ndim(context)} dimensions.")
        about = self._check_context(None if context is None else [context])
        codes = self._check_prompt(prompt)
        never = [known[mark] for mark in (UNKNOWN, START, *[END] * (not self._has_ends))]
        drawn = draw_tokens(
            # Steps one by one are fastest on the CPU, wherever the network was trained.
            copy.deepcopy(self.module_).cpu().double(),
            np.array([known[START], *codes]),
            None if about is None else torch.from_numpy(about),
            length=length,
            never=never,
            end=known[END],
            random=check_random_state(random_state),
            temperature=temperature,
            top_k=top_k,
        )
        return codes, drawn

    def _check_prompt(self, prompt: Any) -> Array:
        tokens = self.encoder_.split([prompt])[0]
        strange = sorted({repr(token) for token in tokens if token not in self.encoder_.vocabulary_})
        if strange:
            raise ValueError(
                f"The prompt holds tokens that are not known from fit: {', '.join(strange)}. Begin with others: "
                f"{self.encoder_.n_tokens_ - 3} are known, those of encoder_.vocabulary_."
            )
        codes: Array = self.encoder_.transform([prompt])[0][1:-1]
        return codes

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        return tags
