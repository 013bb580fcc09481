"""Pairs of sequences, checked and turned into codes or numbers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklrnn.inputs.containers import read_container
from sklrnn.inputs.ragged import Ragged, Sequences
from sklrnn.inputs.samples import Samples
from sklrnn.inputs.validation import check_sequences, check_weights
from sklrnn.preprocessing.token_encoder import TokenEncoder
from sklrnn.translation.input_kind import (
    Form,
    are_numbers,
    check_number_targets,
    check_pair_count,
    form_of,
    naming,
    refuse_text,
    with_feature_axis,
)

Array = NDArray[Any]


class PairReader:
    """Reads X and y of a translator; the first reading fixes whether they hold tokens or numbers."""

    analyzer: Any
    lowercase: bool
    min_count: int
    max_tokens: int | None
    unknown: Any

    input_encoder_: TokenEncoder | None
    output_encoder_: TokenEncoder | None
    _target_form: Form  # the container of the targets, which predictions come in
    _univariate: bool
    _n_values: int
    _y_dtype: str
    _learns_end: bool
    _first_length: int
    max_length_: int
    _encoding: dict[str, Any]  # the parameters that the vocabularies were made with

    def _check_pairs(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> Samples:
        X, y = read_container(X, "X"), read_container(y, "y")
        check_pair_count(X, y, name=type(self).__name__)
        n_pairs, weights = len(X), check_weights(sample_weight, len(X))
        if weights is not None:
            # Nothing may be learnt from a pair of weight zero, not even its tokens.
            nonzero = np.flatnonzero(weights)
            X, y, weights = _rows_of(X, nonzero), _rows_of(y, nonzero), weights[nonzero]
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
                "warm_start=True continues with a network that was not trained to end targets, as all targets of "
                f"the previous fit had {self._first_length} steps, got targets of {lengths.min()} to {lengths.max()} "
                "steps. Pass targets of that length, or set warm_start=False and fit anew."
            )

    def _check_X(self, X: Any, *, reset: bool) -> Sequences:
        X = read_container(X, "X")
        numeric = are_numbers(X, name="X")
        if reset:
            vars(self).pop("n_features_in_", None)  # of an earlier fit: tokens have no features
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
        return Ragged.from_list([sequence[:, np.newaxis] for sequence in codes])

    def _check_y(self, y: Any, *, reset: bool) -> Ragged:
        y = read_container(y, "y")
        numeric = are_numbers(y, name="y")
        if reset:
            self._target_form = form_of(y)
            self.output_encoder_ = None if numeric else self._learn_tokens(y, "y", unknown="mark", mark_ends=True)
        encoder = self.output_encoder_
        if encoder is None:
            refuse_text(y, name="y")
            return self._check_numbers(y, reset=reset)
        if numeric:
            raise ValueError("y: this translator predicts tokens, got numbers. Pass targets of the same kind.")
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
                f"This translator was fitted with {self._n_values} value(s) a step, got y with {targets.shape[2]}."
            )
        return targets

    def _learn_tokens(self, texts: Any, name: str, *, unknown: Any, mark_ends: bool = False) -> TokenEncoder:
        encoder = TokenEncoder(
            analyzer=self.analyzer,
            lowercase=self.lowercase and not mark_ends,
            min_count=self.min_count,
            max_tokens=self.max_tokens,
            unknown=unknown,
            mark_ends=mark_ends,
        )
        with naming(name):
            return encoder.fit(texts)


def _rows_of(values: Any, chosen: Array) -> Any:
    """Some rows of whatever holds sequences, in the same container."""
    if hasattr(values, "iloc"):
        return values.iloc[chosen]
    return values[chosen] if hasattr(values, "dtype") else [values[row] for row in chosen]
