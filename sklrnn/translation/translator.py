"""From one sequence to another: an encoder–decoder over tokens or numbers."""

from functools import partial
from numbers import Integral
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from sklrnn._hyperparameters import (
    POSITIVE_INT,
    POSITIVE_INTS,
    Interval,
    Real,
    StrOptions,
    fitted,
    hyper,
    hyperparameters,
    validate_parameters,
)
from sklrnn.inputs.ragged import Sequences, lengths_of
from sklrnn.inputs.validation import check_weights
from sklrnn.preprocessing.token_encoder import TokenEncoder
from sklrnn.training.net import SequenceNet
from sklrnn.training.sklearn_callbacks import CallbackSupportMixin, open_hooks, with_callbacks
from sklrnn.translation._translation_model import TranslationModel
from sklrnn.translation.decoding import likeliest, speak_numbers, where_it_looked
from sklrnn.translation.input_kind import check_pair_count, in_form, r2_of_sequences
from sklrnn.translation.network import Reading, TranslationNetwork

__all__ = ["SequenceTranslator"]

Array = NDArray[Any]


@hyperparameters
class SequenceTranslator(CallbackSupportMixin, TranslationModel):
    """Learn from pairs of sequences to answer one sequence with another.

    A recurrent network, the encoder, reads a sequence to its end. A second one, the decoder, is told what was read and says
    the answer step by step, each time reading what it said before. The two sequences need not be of the same length, nor of
    the same kind.

    **Tokens**: strings (``analyzer`` says what they are split into), lists of strings, or sequences of integers. The decoder
    learns where an answer ends. ``predict`` takes the likeliest token at each step, or searches for the likeliest answer
    with ``beam_size`` beginnings side by side.

    **Numbers**: sequences of numbers with a decimal point, or with an axis of features. As targets they are learnt by
    squared errors; the decoder learns where an answer ends, unless all targets of ``fit`` have the same length: then so have
    all answers. Integers that are quantities have to be given as floats, ``X.astype(float)``.

    See Also
    --------
    sklrnn.TokenEncoder : How texts become tokens.
    sklrnn.SequenceGenerator : New sequences that answer nothing.

    Examples
    --------
    >>> from sklrnn import SequenceTranslator
    >>> X = [f"{tens}{ones}" for tens in range(1, 10) for ones in range(10)]
    >>> y = [f"{ones} and {tens}ty" for tens, ones in X]
    >>> new, known = slice(0, 90, 7), [place for place in range(90) if place % 7]
    >>> model = SequenceTranslator(units=64, max_epochs=100, random_state=0)
    >>> model = model.fit([X[place] for place in known], [y[place] for place in known])
    >>> model.predict(X[new])[:3]
    ['0 and 1ty', '7 and 1ty', '4 and 2ty']
    >>> model.score(X[new], y[new])
    1.0

    The likeliest answers to one sequence, each with its log-likelihood:

    >>> ((best, likelihood), (second, lower)), = model.predict_n_best(["17"], n_best=2)
    >>> best, likelihood > lower
    ('7 and 1ty', True)

    Numbers of any length on both sides, here the running sum of every second value:

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=2 * rng.integers(1, 4)) for _ in range(200)]
    >>> y = [x[1::2].cumsum() for x in X]
    >>> model = SequenceTranslator(units=16, max_epochs=50, random_state=0).fit(X, y)
    >>> [len(answer) for answer in model.predict([[0.5, 1.0], [0.5, 1.0, 0.5, -2.0]])]
    [1, 2]
    >>> model.score(X, y) > 0.9
    True
    """

    filters: ClassVar[None] = None  # type: ignore[misc]
    kernel_size: ClassVar[int] = 3  # type: ignore[misc]
    pool_size: ClassVar[int] = 1  # type: ignore[misc]
    schedule = "one_cycle"

    # fmt: off
    units: int | tuple[int, ...] = hyper(default=128, constraint=POSITIVE_INTS, sentence="Width of the recurrent state of encoder and decoder; a tuple stacks layers in both.")
    embedding_dim: int = hyper(default=32, constraint=POSITIVE_INT, sentence="Numbers that stand for a token, and width of what the decoder reads at each step.")
    attention: bool = hyper(default=False, constraint="boolean", sentence="Let the decoder look at all steps of the input, and learn where, instead of knowing the encoder's last state only.")
    teacher_forcing: float = hyper(default=1.0, constraint=Interval(Real, 0, 1, closed="both"), sentence="Share of the steps in which the decoder is fed the true last token or value in training; in the others it is fed what it says itself.")
    beam_size: int = hyper(default=1, constraint=POSITIVE_INT, sentence="Beginnings of an answer that the search keeps at each step: 1 always takes the likeliest token; with numbers there is no other way.")
    max_length: int | Literal["auto"] = hyper(default="auto", constraint=[POSITIVE_INT, StrOptions({"auto"})], sentence='Where an answer that does not end is cut; "auto": at the length of the longest in `fit`.')
    analyzer: Literal["char", "word"] = hyper(default="char", constraint=StrOptions({"char", "word"}), sentence="What a string is split into. Sequences that are lists of tokens stay as they are.")
    lowercase: bool = hyper(default=False, constraint="boolean", sentence="Turn capitals in X into small letters first.")
    min_count: int = hyper(default=1, constraint=POSITIVE_INT, sentence="How often a token must occur to be known.")
    max_tokens: int | None = hyper(default=None, constraint=[POSITIVE_INT, None], sentence="Know so many tokens of X, and of y, at most, the most frequent ones.")
    unknown: Literal["mark", "drop", "error"] = hyper(default="mark", constraint=StrOptions({"mark", "drop", "error"}), sentence="What becomes of a token of X that is not known: it is read as one that stands for all of these, left out, or an error that names the row.")
    normalize_X: bool = hyper(default=True, constraint="boolean", sentence="Standardise each feature of numbers in X with its mean and spread over all training steps, inside the network.")
    normalize_y: bool = hyper(default=True, constraint="boolean", sentence="Learn on standardised numbers of y, and answer in those of the user.")
    batch_size: int = hyper(default=32, constraint=POSITIVE_INT, sentence="Pairs in each step of the optimizer.")
    max_epochs: int | Literal["auto"] = hyper(default="auto", constraint=[POSITIVE_INT, StrOptions({"auto"})], sentence='Most passes over the pairs; "auto": as many as make about 5,000 steps of the optimizer, but 10 at least and 300 at most.')
    shuffle: bool = hyper(default=True, constraint="boolean", sentence="Draw the pairs in a new order in each epoch.")
    warm_start: bool = hyper(default=False, constraint="boolean", sentence="Let `fit` go on from the weights, and the known tokens, of the previous `fit`.")
    # fmt: on

    input_encoder_: TokenEncoder | None = fitted("Turns X into tokens; None where X holds numbers.")
    output_encoder_: TokenEncoder | None = fitted("Turns y into tokens; None where y holds numbers.")
    max_length_: int = fitted("Where an answer that does not end is cut.")
    n_features_in_: int = fitted("Features of a step, where X holds numbers.")
    net_: SequenceNet = fitted("The skorch net.")
    n_iter_: int = fitted("Epochs trained.")
    loss_curve_: list[float] = fitted(
        "Training loss of each epoch, the mean over steps of answers, penalties included."
    )
    validation_curve_: list[float] | None = fitted(
        "Loss on the held-out newest pairs after each epoch; None without them."
    )
    best_validation_loss_: float | None = fitted(
        "The lowest of `validation_curve_`; the weights are those of its epoch."
    )
    n_parameters_: int = fitted("Numbers that the network learns.")

    @with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from pairs of sequences.

        Parameters
        ----------
        X : list, Series or array
            Strings, lists of tokens or of integers, or sequences of numbers: (sample, time, feature), (sample, time), or a
            list of (time_i, feature) or (time_i,) arrays. The oldest come first.
        y : list, Series or array
            The answer to each, of any of these kinds.
        sample_weight : array-like of shape (sample,), default=None
            Weight of each pair; one of weight 0 counts as absent.

        Returns
        -------
        self : SequenceTranslator
            The fitted translator.
        """
        validate_parameters(self)
        go_on = self.warm_start and hasattr(self, "net_")
        with self._all_or_nothing(), self._threads():
            rows = self._check_pairs(X, y, sample_weight, reset=not go_on)
            train, held_out = self._hold_out(rows)
            self.net_ = self._make_net(self._known_network() if go_on else self._new_network(train))
            self._learn_length(rows, known=self.max_length_ if go_on else 0)
            self._check_beam(self.beam_size)
            self.module_.truth.share = float(self.teacher_forcing)
            batches, judge = self._batches_of(train, held_out)
            epochs = self._n_epochs(len(batches))
            hooks = open_hooks(self, X, y, max_epochs=epochs)
            self._run_epochs(
                batches,
                judge,
                epochs=epochs,
                patience=self.n_iter_no_change,
                between_epochs=hooks.between_epochs if hooks else None,
                trained_before=go_on,
            )
            if hooks:
                hooks.close()
        return self

    def predict(self, X: Any) -> Any:
        """Answer sequences.

        Parameters
        ----------
        X : list, Series or array
            Sequences of the kind of those in ``fit``.

        Returns
        -------
        y : list or ndarray
            An answer to each, of the kind of the targets in ``fit`` and in such a container: strings for strings, numbers
            of the same shape for numbers.
        """
        check_is_fitted(self, "net_")
        checked = self._check_X(X, reset=False)
        return in_form(self._shown(self._said(checked), checked.dtype), self._answer_form)

    def predict_n_best(self, X: Any, n_best: Any = 3) -> list[list[tuple[Any, float]]]:
        """Give the likeliest answers that the search finds, the likeliest first; only where answers are tokens.

        Parameters
        ----------
        X : list, Series or array
            Sequences of the kind of those in ``fit``.
        n_best : int, default=3
            How many answers to give at most. The search keeps as many beginnings, or ``beam_size`` if that is more.

        Returns
        -------
        answers : list of list of (answer, float)
            For each sequence answers and their log-likelihoods, ends included.
        """
        check_is_fitted(self, "net_")
        if not isinstance(n_best, Integral) or int(n_best) < 1:
            raise ValueError(f"n_best must be an int of at least 1, got {n_best!r}.")
        self._check_beam(2)
        checked = self._check_X(X, reset=False)
        kept = self._kept(checked, max(self.beam_size, int(n_best)))
        return [
            [(self._shown([codes], checked.dtype)[0], likelihood) for codes, likelihood in answers[:n_best]]
            for answers in kept
        ]

    def attention_weights(self, X: Any) -> list[Array]:
        """Where the decoder looks while it says the answers that ``predict`` gives; only with ``attention=True``.

        Parameters
        ----------
        X : list, Series or array
            Sequences of the kind of those in ``fit``.

        Returns
        -------
        weights : list of ndarray of shape (time_out, time_in)
            For each step of the answer how much each step of the input counts; rows have the sum 1.
        """
        check_is_fitted(self, "net_")
        if not self._architecture["attention"]:
            raise ValueError("This translator was fitted without attention. Fit it with attention=True.")
        checked = self._check_X(X, reset=False)
        said, lengths = self._said(checked), lengths_of(checked)
        width = self.max_length_ * (int(lengths.max()) + self._architecture["n_outputs"])
        work = partial(where_it_looked, said=said, lengths=lengths)
        return self._in_blocks(checked, work, width=width)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Share of answers that are exactly right where they are tokens, R² where they are numbers.

        R² is taken over all steps of all answers, as the mean over the values of a step. A step that only one of answer and
        truth has counts as if the other had the mean of y there: so an answer of another length than the truth costs.

        Parameters
        ----------
        X : list, Series or array
            Sequences of the kind of those in ``fit``.
        y : list, Series or array
            The right answers.
        sample_weight : array-like of shape (sample,), default=None
            Weight of each pair.

        Returns
        -------
        score : float
            At most 1.
        """
        check_is_fitted(self, "net_")
        check_pair_count(X, y, name=type(self).__name__)
        weights = check_weights(sample_weight, len(X))
        said = self._said(self._check_X(X, reset=False))
        if self.output_encoder_ is None:
            truth = self._check_y(y, reset=False)
            return r2_of_sequences(truth.split(), [self._in_units(values) for values in said], weights)
        self._check_y(y, reset=False)
        tokens = list(self.output_encoder_.vocabulary_)
        right = [
            [tokens[code] for code in codes] == wanted
            for codes, wanted in zip(said, self.output_encoder_.split(y), strict=True)
        ]
        return float(np.average(right, weights=weights))

    # -- answers -----------------------------------------------------------------------------------------------------

    def _said(self, X: Sequences) -> list[Array]:
        """Codes, or standardised numbers, of the answers."""
        if self.output_encoder_ is not None:
            return [kept[0][0] for kept in self._kept(X, self.beam_size)]

        def work(network: TranslationNetwork, reading: Reading, _: Array) -> list[Array]:
            return speak_numbers(network, reading, learns_end=self._learns_end, max_length=self.max_length_)

        return self._in_blocks(X, work, width=self.max_length_ * self._n_values)

    def _kept(self, X: Sequences, beam_size: int) -> list[list[tuple[Array, float]]]:
        """The codes of the likeliest answers, each with its log-likelihood."""

        def work(network: TranslationNetwork, reading: Reading, _: Array) -> list[Any]:
            return likeliest(network, reading, beam_size=beam_size, ends=self._ends)

        width = beam_size * (self.max_length_ + 4 * self._architecture["n_outputs"])
        return self._in_blocks(X, work, width=width, n_copies=beam_size)

    def _in_units(self, values: Array) -> Array:
        scaled: Array = values * self._y_spread + self._y_location
        return scaled

    def _shown(self, said: list[Array], read: np.dtype[Any]) -> list[Any]:
        """Answers of the kind of the targets, and as precise as these and what was read."""
        if self.output_encoder_ is not None:
            return self.output_encoder_.inverse_transform(said)
        precision = np.result_type(self._y_dtype, read if read.kind == "f" else self._y_dtype)
        values = [self._in_units(row).astype(precision, copy=False) for row in said]
        return [row[:, 0] for row in values] if self._univariate else values

    def _check_beam(self, beam_size: int) -> None:
        if beam_size > 1 and self.output_encoder_ is None:
            raise ValueError(
                f"A beam searches among tokens, but the answers of this {type(self).__name__} are numbers, of which each "
                "step has one best value. Set beam_size=1, and use predict."
            )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags
