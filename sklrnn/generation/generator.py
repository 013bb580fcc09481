"""New sequences: a language model over characters, words or integers."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted
from torch import nn

from sklrnn._hyperparameters import fitted, hyperparameters, validate_parameters
from sklrnn.estimators.cell_options import CellOptions
from sklrnn.estimators.network_holder import NetworkHolder
from sklrnn.estimators.options import draw_seed, holds_out, recurrent_options
from sklrnn.generation.batches import TextBatches
from sklrnn.generation.network import LanguageArchitecture
from sklrnn.generation.parameters import GeneratorParameters
from sklrnn.generation.sampling import sample_several, start_sampling
from sklrnn.generation.texts import (
    Texts,
    check_context,
    check_context_values,
    check_long_enough,
    check_one_context,
    encode_texts,
    read_several,
)
from sklrnn.inputs.containers import check_texts
from sklrnn.inputs.samples import feature_statistics
from sklrnn.inputs.sklearn_classes import BaseEstimator, DensityMixin
from sklrnn.inputs.validation import with_text_input
from sklrnn.nn.loss_modules import CrossEntropy
from sklrnn.preprocessing.token_encoder import TokenEncoder
from sklrnn.training.devices import choose_device

__all__ = ["SequenceGenerator"]

Array = NDArray[Any]

# Steps that are scored at a time: memory grows with them.
_STEPS_AT_ONCE = 256
# Validation reads parallel streams of so many segments, so that their unknown initial state does not matter.
_VALIDATION_SEGMENTS = 16


@hyperparameters
class SequenceGenerator(DensityMixin, NetworkHolder, CellOptions, GeneratorParameters, BaseEstimator):
    """Learn a language model from texts, and generate new ones (one-to-many).

    A recurrent network reads a text token by token (characters, words, or integers such as notes) and predicts after
    each the probability of every token of the vocabulary to come next. Sampling a token and reading it as the next
    input generates a text.

    **Separate texts**, such as names or verses: each starts from a zero state, and its end is a token too, so generated
    texts end by themselves.

    **One long text**, given as a list that holds nothing else: it is cut into ``batch_size`` parallel streams, of which
    a step of training reads ``segment_length`` tokens; the hidden state is passed from segment to segment, gradients
    are not (truncated backpropagation through time). There is no end: the length of a generated text is a parameter.

    **A context**, one vector of features for each text in ``fit``, describes the text; ``generate`` and ``score`` then
    need it too.

    See Also
    --------
    sklrnn.RecurrentRegressor : Has the equations of the cells.
    sklrnn.TokenEncoder : How texts become tokens.

    Examples
    --------
    >>> from sklrnn import SequenceGenerator
    >>> model = SequenceGenerator(units=32, segment_length=16, random_state=0).fit(["tick tock " * 100])
    >>> model.generate("ti", length=18, temperature=0.01)
    'tick tock tick tock '
    >>> bool(model.perplexity(["tick tock " * 5]) < 1.5)
    True

    Tokens come as soon as they are sampled:

    >>> list(model.stream("tick", length=5, temperature=0.01))
    [' ', 't', 'o', 'c', 'k']

    Separate texts end by themselves; here the context chooses between animals and trees:

    >>> texts, context = ["cat", "dog", "oak", "elm"] * 10, [[1], [1], [0], [0]] * 10
    >>> model = SequenceGenerator(units=32, random_state=0).fit(texts, context=context)
    >>> sorted({model.generate(context=[0], random_state=seed) for seed in range(9)})
    ['elm', 'oak']
    """

    __module__ = "sklrnn"

    _architecture_kind = LanguageArchitecture

    encoder_: TokenEncoder = fitted("Turns texts into tokens.")
    n_context_features_: int = fitted("Features of the context; 0 without one.")

    def fit(self, X: Any, y: Any = None, *, context: Any = None) -> Self:
        """Learn from texts.

        Parameters
        ----------
        X : list, Series or 1-D array
            Strings, or lists of tokens, or arrays of integers. A single one is one long text.
        y : Ignored
            Present for pipelines and searches.
        context : array-like of shape (text, feature), default=None
            The context of each text.

        Returns
        -------
        self : SequenceGenerator
            The fitted generator.
        """
        validate_parameters(self)
        samples = check_texts(X, name=type(self).__name__)
        with self._draft(continues=False) as draft:
            draft._fit(samples, context)
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
        """Generate a text that begins with the prompt, or several texts.

        Parameters
        ----------
        prompt : str, list of tokens or array of int, or a list of these, default=""
            How the text begins; empty by default. A list of prompts gives a text for each.
        length : int or None, default=200
            Most tokens to add. Separate texts may end before; with None nothing else ends them.
        temperature : float, default=1.0
            Below 1 likely tokens are sampled even more often, above 1 less often; near 0 always the likeliest one.
        top_k : int or None, default=None
            Sample from so many of the likeliest tokens only.
        context : array-like of shape (feature,) or (text, feature), default=None
            The context of the text, where ``fit`` was given contexts. Several give a text for each.
        random_state : int, RandomState instance or None, default=None
            An int generates the same text again. Of several texts each has random numbers of its own: it does not
            depend on the others, and with an int the first is the same as alone.

        Returns
        -------
        text : str, list of str or ndarray of int, or a list of these
            The prompt and what follows, of the kind of the texts in ``fit``; a list of several.
        """
        if length is None and not getattr(self, "_has_ends", True):
            raise ValueError("One long text has no end that a network could learn: pass a length, or use stream.")
        with self._threads():
            check_is_fitted(self, "model_")
            options: Any = {"length": length, "temperature": temperature, "top_k": top_k, "random_state": random_state}
            if (several := read_several(self.encoder_, prompt, context)) is None:
                codes, tokens = self._start(prompt, context, **options)
                return self.encoder_.inverse_transform([np.array([*codes, *tokens])])[0]
            checked = check_context(several[1], self.n_context_features_, self)
            network, options["has_ends"] = self.model_.double_copy(), self._has_ends
            found = sample_several(network, self.encoder_, several[0], checked, **options)
            return self.encoder_.inverse_transform(found)

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
        """Generate what follows the prompt token by token, each as soon as it is sampled.

        Parameters are those of `generate` for one text; ``length=None`` goes on until it ends, or without end.

        Returns
        -------
        tokens : iterator of str or int
            Characters, words or integers.
        """
        options = {"length": length, "temperature": temperature, "top_k": top_k, "random_state": random_state}
        _, codes = self._start(prompt, context, **options)
        tokens = list(self.encoder_.vocabulary_)
        return (tokens[code] for code in codes)

    def score(self, X: Any, y: Any = None, *, context: Any = None) -> float:
        """Mean log-likelihood of a token, given those before it in its text.

        Where ``fit`` was given separate texts, their ends count as tokens. All tokens outside the vocabulary count as
        one unknown token, which is very unlikely after training.

        Parameters
        ----------
        X : list, Series or 1-D array
            Texts.
        y : Ignored
            Present for searches.
        context : array-like of shape (text, feature), default=None
            The context of each text, where ``fit`` was given contexts.

        Returns
        -------
        score : float
            Nats; never above 0.
        """
        check_is_fitted(self, "model_")
        texts = self._encode(check_texts(X, name=type(self).__name__), context)
        network = self.net_.in_precision(np.dtype(np.float64))
        device = network.head.weight.device
        batches = TextBatches(texts, batch_size=self.batch_size, segment_length=_STEPS_AT_ONCE, device=device)
        total, state = 0.0, None
        with torch.inference_mode(), self._threads():
            for x, target in batches:
                state = None if x.is_first else state
                raw, state = network.forward_segment(x["x"], state, n_streams=x.n_streams, context=x.get("context"))
                losses = nn.functional.cross_entropy(raw, target, reduction="none")
                total += float(losses[x["weight"] > 0].sum())
        return -total / int(batches.n_steps.sum())

    def perplexity(self, X: Any, *, context: Any = None) -> float:
        """Perplexity: ``exp(-score)``, the number of equally likely tokens among which the choice would be as hard.

        Parameters are those of `score`.

        Returns
        -------
        perplexity : float
            At least 1.
        """
        return float(np.exp(-self.score(X, context=context)))

    # -- training ----------------------------------------------------------------------------------------------------

    def _fit(self, samples: list[Any], context: Any) -> None:
        self.encoder_ = TokenEncoder(
            analyzer=self.analyzer,
            lowercase=self.lowercase,
            min_count=self.min_count,
            max_tokens=self.max_tokens,
            unknown="mark",
            mark_ends=True,
        ).fit(samples)
        self._has_ends = len(samples) > 1
        self.n_context_features_ = 0 if context is None else check_context_values(context, self).shape[1]
        train, held_out = self._encode(samples, context), None
        if holds_out(self.early_stopping, train.count(single=not self._has_ends)):
            train, held_out = train.hold_out_newest(self.validation_fraction, single=not self._has_ends)
        if not self._has_ends:
            check_long_enough(train, self.segment_length)
            train = train.as_streams(most=self.batch_size, segment_length=self.segment_length)
            if held_out is not None:
                length = _VALIDATION_SEGMENTS * self.segment_length
                held_out = held_out.as_streams(most=self.batch_size, segment_length=length)
        seed = draw_seed(self.random_state)
        architecture = LanguageArchitecture(
            n_features=int(self.embedding_dim),
            n_outputs=self.encoder_.n_tokens_,
            n_context=self.n_context_features_,
            **recurrent_options(self),
        )
        network = architecture.build(seed=seed)
        if train.context is not None:
            network.standardise.set_statistics(*feature_statistics(train.context[:, np.newaxis], None, name="context"))
        device = choose_device(self.device)
        batches = partial(TextBatches, batch_size=self.batch_size, segment_length=self.segment_length, device=device)
        self._train(
            network,
            batches(train, seed=seed if self.shuffle else None),
            None if held_out is None else batches(held_out),
            seed=seed,
            max_epochs=self.max_epochs,
            patience=self.n_iter_no_change,
        )

    def _encode(self, samples: list[Any], context: Any) -> Texts:
        checked = check_context(context, self.n_context_features_, self)
        return encode_texts(self.encoder_, samples, checked, has_ends=self._has_ends)

    def _criterion(self) -> nn.Module:
        return CrossEntropy()

    # -- generating --------------------------------------------------------------------------------------------------

    def _start(self, prompt: Any, context: Any, **options: Any) -> tuple[Array, Iterator[int]]:
        """Check the parameters, and give the codes of the prompt and an iterator over those that follow."""
        check_is_fitted(self, "model_")
        checked = check_one_context(context, self.n_context_features_, self)
        # Steps one by one are fastest on the CPU, wherever the network was trained.
        network = self.model_.double_copy()
        return start_sampling(network, self.encoder_, prompt, checked, has_ends=self._has_ends, **options)

    def __sklearn_tags__(self) -> Any:
        return with_text_input(super().__sklearn_tags__())
