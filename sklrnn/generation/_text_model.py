"""A language network and its training, as a part of whatever learns from texts."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array, check_random_state
from torch import nn

from sklrnn.estimators.parameters import NetworkParameters
from sklrnn.generation.batches import TextBatches, Texts, as_strands
from sklrnn.generation.network import LanguageNetwork, build_language_network
from sklrnn.inputs.samples import feature_statistics
from sklrnn.nn.network import Architecture, count_parameters
from sklrnn.preprocessing.token_encoder import TokenEncoder
from sklrnn.training.net import choose_device
from sklrnn.training.trained_network import HeldNetwork, as_tuple

Array = NDArray[Any]

# Above so many texts, or tokens of a single text, a tenth can be spared to watch for overfitting.
_ENOUGH_TO_HOLD_OUT = 10_000
# A strand that is judged is long enough for its unknown beginning not to matter.
_SEGMENTS_JUDGED = 16


class TextModel(NetworkParameters, HeldNetwork):
    """Trains a network that says after each token of a text which one comes next."""

    embedding_dim: int
    segment_length: int
    max_epochs: int
    shuffle: bool

    encoder_: TokenEncoder
    n_parameters_: int
    n_context_features_: int
    _has_ends: bool

    @property
    def module_(self) -> LanguageNetwork:
        """The fitted network: a ``torch.nn.Module``."""
        network: LanguageNetwork = self.net_.module
        return network

    # -- what a user passes ------------------------------------------------------------------------------------------

    def _learn_context(self, context: Any) -> None:
        self.n_context_features_ = 0
        if context is not None:
            self.n_context_features_ = check_array(context, input_name="context", estimator=self).shape[1]

    def _as_texts(self, samples: list[Any], context: Any) -> Texts:
        codes = list(self.encoder_.transform(samples))
        for row, text in enumerate(codes):
            if len(text) == 2:  # the marks alone
                raise ValueError(
                    f"The text in row {row} is empty. Leave it out: there is no token in it to learn from."
                )
        context = self._check_context(context)
        if context is not None and len(context) != len(codes):
            raise ValueError(f"context must hold one row for each of the {len(codes)} texts, got {len(context)}.")
        return Texts(codes if self._has_ends else [text[:-1] for text in codes], context)

    def _check_context(self, context: Any) -> Array | None:
        width = self.n_context_features_
        if context is None:
            if width:
                raise ValueError(
                    f"This generator was fitted with a context of {width} feature(s). Pass context=, a vector of as many."
                )
            return None
        if not width:
            raise ValueError("This generator was fitted without context. Leave context out, or pass it to fit too.")
        checked: Array = check_array(context, dtype=np.float64, input_name="context", estimator=self)
        if checked.shape[1] != width:
            raise ValueError(f"context has {checked.shape[1]} feature(s), but had {width} in fit. Pass as many.")
        return checked

    # -- training ----------------------------------------------------------------------------------------------------

    def _train_on(self, texts: Texts) -> None:
        single = not self._has_ends
        train, held_out = self._hold_out(texts, single=single)
        if single:
            train = as_strands(self._check_long(train), most=self.batch_size, segment_length=self.segment_length)
        self.net_ = self._make_net(self._new_network(train))
        judged = None
        if held_out is not None:
            if single:
                length = _SEGMENTS_JUDGED * self.segment_length
                held_out = as_strands(held_out, most=self.batch_size, segment_length=length)
            judged = self._batches(held_out, seed=None)
        batches = self._batches(train, seed=self._seed if self.shuffle else None)
        self._run_epochs(batches, judged, epochs=self.max_epochs, patience=self.n_iter_no_change)

    def _hold_out(self, texts: Texts, *, single: bool) -> tuple[Texts, Texts | None]:
        """Split off the last texts, or the last part of a single one."""
        n = len(texts.codes[0]) - 1 if single else len(texts.codes)
        if not (n > _ENOUGH_TO_HOLD_OUT if self.early_stopping == "auto" else self.early_stopping):
            return texts, None
        n_held_out = int(self.validation_fraction * n)
        if n_held_out < 1:
            raise ValueError(
                f"validation_fraction={self.validation_fraction} of {n} {'tokens' if single else 'texts'} leaves none to "
                "validate on. Change validation_fraction, pass more text, or set early_stopping=False."
            )
        if not single:
            return texts[: n - n_held_out], texts[n - n_held_out :]
        (codes,) = texts.codes
        newest = np.concatenate([codes[:1], codes[-n_held_out:]])
        return Texts([codes[:-n_held_out]], texts.context), Texts([newest], texts.context)

    def _check_long(self, text: Texts) -> Texts:
        n_tokens = len(text.codes[0]) - 1
        if n_tokens < self.segment_length:
            raise ValueError(
                f"One long text needs at least segment_length={self.segment_length} tokens to train on, got {n_tokens}. "
                "Pass a longer text, or lower segment_length; or did you mean to pass several texts?"
            )
        return text

    def _batches(self, texts: Texts, *, seed: int | None) -> TextBatches:
        device = choose_device(self.device)
        return TextBatches(
            texts, batch_size=self.batch_size, segment_length=self.segment_length, device=device, seed=seed
        )

    def _new_network(self, train: Texts) -> LanguageNetwork:
        self._seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        self._forget_curves()
        self._architecture = Architecture(
            n_features=int(self.embedding_dim),
            n_outputs=self.encoder_.n_tokens_,
            cell=self.cell,
            units=as_tuple(self.units),
            cell_options=self._cell_options(),
            dropout=float(self.dropout),
            recurrent_dropout=float(self.recurrent_dropout),
            residual=bool(self.residual),
        ).to_dict()
        network = self._rebuild()
        if train.context is not None:
            network.standardise.learn(*feature_statistics(train.context[:, np.newaxis], None))
        self.n_parameters_ = count_parameters(network)
        return network

    def _rebuild(self) -> LanguageNetwork:
        architecture = Architecture(**self._architecture)
        return build_language_network(architecture, n_context=self.n_context_features_, seed=self._seed)

    def _per_row_loss(self) -> nn.Module:
        return nn.CrossEntropyLoss(reduction="none")
