"""Sequence to sequence: an encoder-decoder over tokens or numbers."""

from collections.abc import Callable
from functools import partial
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from sklrnn._hyperparameters import fitted, hyperparameters, validate_parameters
from sklrnn.estimators.cell_options import CellOptions
from sklrnn.inputs.containers import read_container
from sklrnn.inputs.ragged import Sequences, lengths_of
from sklrnn.inputs.sklearn_classes import BaseEstimator
from sklrnn.inputs.validation import check_weights, with_text_input
from sklrnn.preprocessing.token_encoder import END, START, UNKNOWN, TokenEncoder
from sklrnn.training.sklearn_callbacks import CallbackSupportMixin, with_callbacks
from sklrnn.translation.decoding import StopRule, attention_weights, beam_search, decode_autoregressively
from sklrnn.translation.input_kind import check_pair_count, in_form, r2_of_sequences
from sklrnn.translation.network import EncoderOutput, TranslationNetwork
from sklrnn.translation.trainer import PairTrainer

__all__ = ["SequenceTranslator"]

Array = NDArray[Any]


@hyperparameters
class SequenceTranslator(CallbackSupportMixin, CellOptions, PairTrainer, BaseEstimator):
    """Learn from pairs of sequences to turn one into the other (encoder-decoder, seq2seq).

    A recurrent network, the encoder, reads a sequence to its end. A second one, the decoder, gets the encoder's final
    state and predicts the target sequence step by step, each time from its previous step. The two sequences need not
    have the same length, nor be of the same kind.

    **Tokens**: strings (``analyzer`` splits them), lists of strings, or sequences of integers. The
    decoder learns where a sequence ends. ``predict`` takes the likeliest token at each step, or runs a beam search with
    ``beam_size`` hypotheses.

    **Numbers**: sequences of numbers with a decimal point, or with an axis of features. As targets they are learnt with
    the squared error; the decoder learns where a sequence ends, unless all targets of ``fit`` have the same length:
    then all predictions have it too. Integers that are quantities have to be given as floats, ``X.astype(float)``.

    See Also
    --------
    sklrnn.RecurrentRegressor : Has the equations of the cells.
    sklrnn.TokenEncoder : How texts become tokens.
    sklrnn.SequenceGenerator : New sequences without an input sequence.

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

    The likeliest predictions for one sequence, each with its log-likelihood:

    >>> ((best, likelihood), (second, lower)), = model.predict_n_best(["17"], n_best=2)
    >>> best, likelihood > lower
    ('7 and 1ty', True)

    Numbers of any length on both sides, here the running sum of every second value:

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=2 * rng.integers(1, 4)) for _ in range(200)]
    >>> y = [x[1::2].cumsum() for x in X]
    >>> model = SequenceTranslator(units=16, max_epochs=50, random_state=0).fit(X, y)
    >>> [len(row) for row in model.predict([[0.5, 1.0], [0.5, 1.0, 0.5, -2.0]])]
    [1, 2]
    >>> model.score(X, y) > 0.9
    True
    """

    __module__ = "sklrnn"

    input_encoder_: TokenEncoder | None = fitted("Turns X into tokens; None where X holds numbers.")
    output_encoder_: TokenEncoder | None = fitted("Turns y into tokens; None where y holds numbers.")
    max_length_: int = fitted("The greatest length of a prediction.")
    n_features_in_: int = fitted("Features of a step, where X holds numbers.")

    @with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from pairs of sequences.

        Parameters
        ----------
        X : list, Series or array
            Strings, lists of tokens or of integers, or sequences of numbers: (sample, time, feature), (sample, time),
            or a list of (time_i, feature) or (time_i,) arrays. The oldest come first.
        y : list, Series or array
            The target sequence of each, of any of these kinds.
        sample_weight : array-like of shape (sample,), default=None
            Weight of each pair; one of weight 0 counts as absent.

        Returns
        -------
        self : SequenceTranslator
            The fitted translator.
        """
        validate_parameters(self)
        continues = self.warm_start and hasattr(self, "model_")
        with self._draft(continues=continues) as draft:
            draft._fit(X, y, sample_weight, owner=self, continues=continues)
        return self

    def predict(self, X: Any) -> Any:
        """Predict the target sequence of each sequence.

        Parameters
        ----------
        X : list, Series or array
            Sequences of the kind of those in ``fit``.

        Returns
        -------
        y : list or ndarray
            Sequences of the kind of the targets in ``fit`` and in such a container: strings for strings, numbers of the
            same shape for numbers.
        """
        check_is_fitted(self, "model_")
        checked = self._check_X(X, reset=False)
        return in_form(self._decoded(self._predicted(checked), checked.dtype), self._target_form)

    def predict_n_best(self, X: Any, n_best: Any = 3) -> list[list[tuple[Any, float]]]:
        """Give the likeliest sequences that a beam search finds, the likeliest first; only for tokens.

        Parameters
        ----------
        X : list, Series or array
            Sequences of the kind of those in ``fit``.
        n_best : int, default=3
            How many sequences to give at most. The search keeps as many hypotheses, or ``beam_size`` if that is more.

        Returns
        -------
        predictions : list of list of (sequence, float)
            For each sequence the predictions and their log-likelihoods, ends included.
        """
        check_is_fitted(self, "model_")
        if not isinstance(n_best, Integral) or int(n_best) < 1:
            raise ValueError(f"n_best must be an int of at least 1, got {n_best!r}.")
        self._check_beam(2)
        checked = self._check_X(X, reset=False)
        found = self._beam_search(checked, max(self.beam_size, int(n_best)))
        return [
            [(self._decoded([codes], checked.dtype)[0], likelihood) for codes, likelihood in hypotheses[:n_best]]
            for hypotheses in found
        ]

    def attention_weights(self, X: Any) -> list[Array]:
        """The attention weights of the decoder for what ``predict`` gives; only with ``attention=True``.

        Parameters
        ----------
        X : list, Series or array
            Sequences of the kind of those in ``fit``.

        Returns
        -------
        weights : list of ndarray of shape (time_out, time_in)
            For each step of the prediction the weight of each step of the input; rows sum to 1.
        """
        check_is_fitted(self, "model_")
        if not self.model_.architecture.attention:
            raise ValueError("This translator was fitted without attention. Fit it with attention=True.")
        checked = self._check_X(X, reset=False)
        predicted, lengths = self._predicted(checked), lengths_of(checked)
        work = partial(attention_weights, predicted=predicted, lengths=lengths)
        n_weights = self.max_length_ * (int(lengths.max()) + self.model_.architecture.n_outputs)
        return self._for_blocks(checked, work, per_sample=n_weights)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Share of sequences that are predicted exactly where they are tokens, R² where they are numbers.

        R² is computed over all steps of all sequences, as the mean over the values of a step. Where prediction and
        truth have different lengths, the mean of y is taken for the missing steps: so a wrong length lowers the score.

        Parameters
        ----------
        X : list, Series or array
            Sequences of the kind of those in ``fit``.
        y : list, Series or array
            The true sequences.
        sample_weight : array-like of shape (sample,), default=None
            Weight of each pair.

        Returns
        -------
        score : float
            At most 1.
        """
        check_is_fitted(self, "model_")
        X, y = read_container(X, "X"), read_container(y, "y")
        check_pair_count(X, y, name=type(self).__name__)
        weights = check_weights(sample_weight, len(X))
        predicted = self._predicted(self._check_X(X, reset=False))
        if self.output_encoder_ is None:
            truth = self._check_y(y, reset=False)
            return r2_of_sequences(truth.split(), [self._unscaled(values) for values in predicted], weights)
        self._check_y(y, reset=False)
        tokens = list(self.output_encoder_.vocabulary_)
        correct = [
            [tokens[code] for code in codes] == wanted
            for codes, wanted in zip(predicted, self.output_encoder_.split(y), strict=True)
        ]
        return float(np.average(correct, weights=weights))

    # -- predictions -------------------------------------------------------------------------------------------------

    def _predicted(self, X: Sequences) -> list[Array]:
        """Codes, or standardised numbers, of the predicted sequences."""
        if self.output_encoder_ is not None:
            return [hypotheses[0][0] for hypotheses in self._beam_search(X, self.beam_size)]

        def work(network: TranslationNetwork, encoded: EncoderOutput, _: Array) -> list[Array]:
            return decode_autoregressively(network, encoded, learns_end=self._learns_end, max_length=self.max_length_)

        return self._for_blocks(X, work, per_sample=self.max_length_ * self._n_values)

    def _beam_search(self, X: Sequences, beam_size: int) -> list[list[tuple[Array, float]]]:
        """The codes of the likeliest sequences, each with its log-likelihood."""
        assert self.output_encoder_ is not None
        known = self.output_encoder_.vocabulary_
        rule = StopRule(known[END], (known[UNKNOWN], known[START]), self.max_length_)

        def work(network: TranslationNetwork, encoded: EncoderOutput, _: Array) -> list[Any]:
            return beam_search(network, encoded, beam_size=beam_size, rule=rule)

        per_sample = beam_size * (self.max_length_ + 4 * self.model_.architecture.n_outputs)
        return self._for_blocks(X, work, per_sample=per_sample, n_copies=beam_size)

    def _for_blocks(
        self, X: Sequences, work: Callable[..., list[Any]], *, per_sample: int, n_copies: int = 1
    ) -> list[Any]:
        """Encode sequences in blocks and work on each; the encoder output is copied ``n_copies`` times."""
        a = self.model_.architecture
        width = max(a.n_features, a.embedding_dim, *(4 * (1 + a.bidirectional) * n for n in a.units)) * n_copies
        with self._threads():
            return self.model_.for_blocks(X, work, width=width, per_sample=per_sample)

    def _unscaled(self, values: Array) -> Array:
        unscaled: Array = values * self._y_spread + self._y_location
        return unscaled

    def _decoded(self, predicted: list[Array], dtype: np.dtype[Any]) -> list[Any]:
        """Sequences of the kind of the targets, and as precise as these and the input."""
        if self.output_encoder_ is not None:
            return self.output_encoder_.inverse_transform(predicted)
        precision = np.result_type(self._y_dtype, dtype if dtype.kind == "f" else self._y_dtype)
        values = [self._unscaled(row).astype(precision, copy=False) for row in predicted]
        return [row[:, 0] for row in values] if self._univariate else values

    def __sklearn_tags__(self) -> Any:
        tags = with_text_input(super().__sklearn_tags__())
        tags.target_tags.required = True
        tags.input_tags.three_d_array = True
        return tags
