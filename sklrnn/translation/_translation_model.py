"""An encoder–decoder network and its training, as a part of whatever learns pairs of sequences."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils import check_random_state
from torch import nn

from sklrnn.estimators.parameters import NetworkParameters
from sklrnn.inputs.ragged import Ragged, Sequences, for_each_step, lengths_of
from sklrnn.inputs.samples import Samples, feature_statistics, hold_out_newest, token_counts
from sklrnn.inputs.validation import check_sequences, check_weights
from sklrnn.nn.network import count_parameters
from sklrnn.preprocessing.token_encoder import END, START, UNKNOWN, TokenEncoder
from sklrnn.training.batches import padded_tensors
from sklrnn.training.net import choose_device
from sklrnn.training.trained_network import HeldNetwork, as_tuple
from sklrnn.translation.batches import PairBatches
from sklrnn.translation.decoding import Ends
from sklrnn.translation.input_kind import (
    are_numbers,
    check_number_targets,
    check_pair_count,
    form_of,
    naming,
    refuse_text,
    with_feature_axis,
)
from sklrnn.translation.network import (
    Reading,
    TranslationArchitecture,
    TranslationNetwork,
    ValuesAndEnd,
    build_translation_network,
)

Array = NDArray[Any]

# Above so many pairs a tenth of them can be spared to watch for overfitting.
_ENOUGH_TO_HOLD_OUT = 10_000
# Steps of the optimizer that are enough for most tasks, and the fewest and most epochs to make them in.
_STEPS, _EPOCHS = 5_000, (10, 300)
# Numbers that a prediction holds in memory at a time, for each layer.
_NUMBERS_AT_ONCE = 2**22


class TranslationModel(NetworkParameters, HeldNetwork):
    """Trains a network that reads one sequence and then says another."""

    embedding_dim: int
    attention: bool
    teacher_forcing: float
    max_length: int | str
    analyzer: str
    lowercase: bool
    min_count: int
    max_tokens: int | None
    unknown: str
    normalize_X: bool
    normalize_y: bool
    max_epochs: int | Literal["auto"]
    shuffle: bool
    warm_start: bool

    input_encoder_: TokenEncoder | None
    output_encoder_: TokenEncoder | None
    max_length_: int
    n_parameters_: int
    n_features_in_: int

    @property
    def module_(self) -> TranslationNetwork:
        """The fitted network: a ``torch.nn.Module``."""
        network: TranslationNetwork = self.net_.module
        return network

    # -- what a user passes ------------------------------------------------------------------------------------------

    def _check_pairs(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> Samples:
        check_pair_count(X, y, name=type(self).__name__)
        n_pairs, weights = len(X), check_weights(sample_weight, len(X))
        if weights is not None:
            # A pair of weight zero is not there: nothing of it may be learnt, not even which tokens it holds.
            present = np.flatnonzero(weights)
            X, y, weights = _rows_of(X, present), _rows_of(y, present), weights[present]
        try:
            rows = Samples(self._check_X(X, reset=reset), self._check_y(y, reset=reset), weights)
        except ValueError as error:
            if weights is None or len(weights) == n_pairs:
                raise
            raise ValueError(f"{error} (Rows are counted without those of weight zero.)") from error
        if not reset:
            self._check_lengths(rows.y.lengths)
        return rows

    def _check_lengths(self, lengths: Array) -> None:
        if self.output_encoder_ is None and not self._learns_end and (lengths != self._first_length).any():
            raise ValueError(
                f"warm_start=True goes on with a network that has learnt no ends, as all targets of the previous fit had "
                f"{self._first_length} steps, got targets of {lengths.min()} to {lengths.max()} steps. Pass targets of that "
                "length, or set warm_start=False and fit anew."
            )

    def _check_X(self, X: Any, *, reset: bool) -> Sequences:
        numeric = are_numbers(X, name="X")
        if reset:
            self.__dict__.pop("n_features_in_", None)  # of an earlier fit: tokens have no features
            self.input_encoder_ = None if numeric else self._learn_tokens(X, "X", unknown=self.unknown)
        encoder = self.input_encoder_
        if encoder is None:
            refuse_text(X, name="X")
            return check_sequences(self, with_feature_axis(X), reset=reset)
        if numeric:
            raise ValueError(
                "X: this translator was fitted on sequences of tokens, got numbers. Pass sequences of the same kind."
            )
        with naming("X"):
            codes = list(encoder.transform(X))
        for row, sequence in enumerate(codes):
            if not len(sequence):
                raise ValueError(
                    f"The sequence in row {row} of X is empty, or holds unknown tokens only. Leave it out."
                )
        return Ragged.from_list([sequence[:, np.newaxis] for sequence in codes])

    def _check_y(self, y: Any, *, reset: bool) -> Ragged:
        numeric = are_numbers(y, name="y")
        if reset:
            self._answer_form = form_of(y)
            self.output_encoder_ = None if numeric else self._learn_tokens(y, "y", unknown="mark", mark_ends=True)
        encoder = self.output_encoder_
        if encoder is None:
            refuse_text(y, name="y")
            return self._check_numbers(y, reset=reset)
        if numeric:
            raise ValueError("y: this translator answers with tokens, got numbers. Pass answers of the same kind.")
        with naming("y"):
            return Ragged.from_list(list(encoder.transform(y)))

    def _check_numbers(self, y: Any, *, reset: bool) -> Ragged:
        targets, univariate = check_number_targets(y)
        if reset:
            self._univariate, self._n_values = univariate, targets.shape[2]
            self._y_dtype = targets.dtype.name
            self._learns_end = bool((targets.lengths != targets.lengths[0]).any())
            self._first_length = int(targets.lengths[0])
        elif targets.shape[2] != self._n_values:
            raise ValueError(
                f"This translator has learnt {self._n_values} value(s) a step, got y with {targets.shape[2]}."
            )
        return targets

    def _learn_tokens(self, texts: Any, name: str, *, unknown: Any, mark_ends: bool = False) -> TokenEncoder:
        encoder = TokenEncoder(
            analyzer=self.analyzer,  # type: ignore[arg-type]
            lowercase=self.lowercase and not mark_ends,
            min_count=self.min_count,
            max_tokens=self.max_tokens,
            unknown=unknown,
            mark_ends=mark_ends,
        )
        with naming(name):
            return encoder.fit(texts)

    # -- training ----------------------------------------------------------------------------------------------------

    def _hold_out(self, rows: Samples) -> tuple[Samples, Samples | None]:
        wanted = len(rows.X) > _ENOUGH_TO_HOLD_OUT if self.early_stopping == "auto" else self.early_stopping
        return hold_out_newest(rows, self.validation_fraction) if wanted else (rows, None)

    def _batches_of(self, train: Samples, held_out: Samples | None) -> tuple[PairBatches, PairBatches | None]:
        """What is trained on, and what judges."""
        batches = self._batches(train, self.batch_size, seed=self._seed if self.shuffle else None)
        if held_out is None:
            return batches, None
        return batches, self._batches(held_out.by_length(), max(self.batch_size, 512))

    def _batches(self, rows: Samples, batch_size: int, *, seed: int | None = None) -> PairBatches:
        scaled = rows
        if self.output_encoder_ is None:
            scaled = replace(rows, y=for_each_step(lambda y: (y - self._y_location) / self._y_spread, rows.y))
        return PairBatches(
            scaled,
            batch_size=batch_size,
            device=choose_device(self.device),
            seed=seed,
            learns_end=self.output_encoder_ is not None or self._learns_end,
        )

    def _n_epochs(self, n_batches: int) -> int:
        """Few pairs need many passes, many need few: what counts is how often the weights change."""
        if self.max_epochs == "auto":
            return int(np.clip(round(_STEPS / n_batches), *_EPOCHS))
        return int(self.max_epochs)

    def _learn_length(self, rows: Samples, *, known: int) -> None:
        longest = int(rows.y.lengths.max()) - (0 if self.output_encoder_ is None else 2)
        self.max_length_ = max(longest, known) if self.max_length == "auto" else int(self.max_length)

    def _new_network(self, train: Samples) -> TranslationNetwork:
        self._seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        self._forget_curves()
        reads_tokens, says_numbers = self.input_encoder_ is not None, self.output_encoder_ is None
        self._n_tokens = len(token_counts(train)[0]) if reads_tokens else 0
        self._architecture = self._describe(train.X.shape[2])
        self._encoding = self._encoding_parameters()
        network = self._rebuild()
        if reads_tokens:
            network.embedding.learn(*token_counts(train))
        elif self.normalize_X:
            network.standardise.learn(*feature_statistics(train.X, train.weights))
        if says_numbers:
            self._y_location, self._y_spread = np.zeros(self._n_values), np.ones(self._n_values)
            if self.normalize_y:
                self._y_location, self._y_spread = feature_statistics(train.y, train.weights)
        self.n_parameters_ = count_parameters(network)
        return network

    def _known_network(self) -> TranslationNetwork:
        described = self._describe(self._architecture["n_features"])
        self._check_unchanged({**self._architecture, **self._encoding}, {**described, **self._encoding_parameters()})
        return self.module_

    def _describe(self, n_features: int) -> dict[str, Any]:
        encoder = self.output_encoder_
        return TranslationArchitecture(
            n_features=n_features,
            n_outputs=self._n_values + self._learns_end if encoder is None else encoder.n_tokens_,
            cell=self.cell,
            units=as_tuple(self.units),
            cell_options=self._cell_options(),
            bidirectional=bool(self.bidirectional),
            dropout=float(self.dropout),
            recurrent_dropout=float(self.recurrent_dropout),
            residual=bool(self.residual),
            n_tokens=self._n_tokens,
            embedding_dim=int(self.embedding_dim),
            attention=bool(self.attention),
            n_values=self._n_values if encoder is None else 0,
            learns_end=encoder is not None or self._learns_end,
            start=0 if encoder is None else encoder.vocabulary_[START],
        ).to_dict()

    def _encoding_parameters(self) -> dict[str, Any]:
        names = ("analyzer", "lowercase", "min_count", "max_tokens", "unknown")
        return {name: getattr(self, name) for name in names}

    def _rebuild(self) -> TranslationNetwork:
        return build_translation_network(TranslationArchitecture(**self._architecture), seed=self._seed)

    def _per_row_loss(self) -> nn.Module:
        if self.output_encoder_ is None:
            return ValuesAndEnd(self._n_values)
        return nn.CrossEntropyLoss(reduction="none")

    # -- the fitted network at work ----------------------------------------------------------------------------------

    @property
    def _ends(self) -> Ends:
        assert self.output_encoder_ is not None
        known = self.output_encoder_.vocabulary_
        return Ends(known[END], (known[UNKNOWN], known[START]), self.max_length_)

    def _in_blocks(
        self,
        X: Sequences,
        work: Callable[[TranslationNetwork, Reading, Array], list[Any]],
        *,
        width: int,
        n_copies: int = 1,
    ) -> list[Any]:
        """Read sequences beside others of about their length, and do something with what was read of each block.

        ``width`` is how many numbers a sequence takes beside those of its own steps, which are copied ``n_copies`` times.
        """
        answers: list[Any] = [None] * len(X)
        with torch.inference_mode(), self._threads():
            network = copy.deepcopy(self.module_)
            device = network.head.weight.device
            if device.type != "mps":
                network = network.double()  # the same whatever sequences stand beside
            for chosen in self._blocks(lengths_of(X), width, n_copies):
                x, lengths = padded_tensors(X[chosen], device)
                for row, answer in zip(chosen, work(network, network.read(x, lengths), chosen), strict=True):
                    answers[row] = answer
        return answers

    def _blocks(self, lengths: Array, width: int, n_copies: int) -> Iterator[Array]:
        """Rows that are read at once, the longest first."""
        order = np.argsort(-lengths, kind="stable")
        a = self._architecture
        widest = (
            max(a["n_features"], a["embedding_dim"], *(4 * (1 + a["bidirectional"]) * n for n in a["units"])) * n_copies
        )
        start = 0
        while start < len(order):
            at_once = max(1, _NUMBERS_AT_ONCE // (int(lengths[order[start]]) * widest + width))
            yield order[start : start + at_once]
            start += at_once


def _rows_of(values: Any, chosen: Array) -> Any:
    """Some rows of whatever holds sequences, in the same container."""
    if hasattr(values, "iloc"):
        return values.iloc[chosen]
    return values[chosen] if hasattr(values, "dtype") else [values[row] for row in chosen]
