"""Training of a translator: its network, its batches and its loss."""

from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from torch import nn

from sklrnn._hyperparameters import hyperparameters
from sklrnn.estimators.network_holder import NetworkHolder
from sklrnn.estimators.options import draw_seed, holds_out, recurrent_options
from sklrnn.estimators.parameters import NetworkParameters
from sklrnn.inputs.ragged import for_each_step
from sklrnn.inputs.samples import Samples, feature_statistics, hold_out_newest, token_counts
from sklrnn.nn.loss_modules import CrossEntropy
from sklrnn.preprocessing.token_encoder import START
from sklrnn.training.auto_epochs import StepBudget, resolve_epochs
from sklrnn.training.devices import choose_device
from sklrnn.training.sklearn_callbacks import epoch_hooks
from sklrnn.translation.batches import PairBatches
from sklrnn.translation.network import TranslationArchitecture, TranslationNetwork, ValuesAndEnd
from sklrnn.translation.parameters import TranslatorParameters
from sklrnn.translation.samples import PairReader

Array = NDArray[Any]

# Steps of the optimizer that are enough for most tasks, and the fewest and most epochs to make them in.
_STEPS = StepBudget(5_000, fewest_epochs=10, most_epochs=300)


@hyperparameters
class PairTrainer(PairReader, NetworkHolder, TranslatorParameters, NetworkParameters):
    """Trains the network of a translator on pairs of sequences."""

    _architecture_kind = TranslationArchitecture

    schedule = "one_cycle"

    def _fit(self, X: Any, y: Any, sample_weight: Any, *, owner: Self, continues: bool) -> None:
        samples = self._check_pairs(X, y, sample_weight, reset=not continues)
        train, held_out = samples, None
        if holds_out(self.early_stopping, len(samples.X)):
            train, held_out = hold_out_newest(samples, self.validation_fraction)
        network, seed = self._network_for(train, continues=continues)
        longest = int(samples.y.lengths.max()) - (0 if self.output_encoder_ is None else 2)
        longest = max(longest, self.max_length_) if continues else longest
        self.max_length_ = longest if self.max_length == "auto" else int(self.max_length)
        self._check_beam(self.beam_size)
        (network or self.module_).teacher_forcing.set_ratio(float(self.teacher_forcing))
        batches = self._batches(train, self.batch_size, seed=seed if self.shuffle else None)
        validation = None if held_out is None else self._batches(held_out.by_length(), max(self.batch_size, 512))
        max_epochs = resolve_epochs(self.max_epochs, _STEPS, n_batches=len(batches))
        with epoch_hooks(owner, self, X, y, max_epochs=max_epochs) as end_epoch:
            self._train(
                network,
                batches,
                validation,
                seed=seed,
                max_epochs=max_epochs,
                patience=self.n_iter_no_change,
                end_epoch=end_epoch,
            )

    def _network_for(self, train: Samples, *, continues: bool) -> tuple[TranslationNetwork | None, int]:
        """A new network and its seed; or None, and the seed of the network of the previous fit."""
        names = ("analyzer", "lowercase", "min_count", "max_tokens", "unknown")
        encoding = {name: getattr(self, name) for name in names}
        if continues:
            known = self.model_.architecture
            described = self._architecture(known.n_features, known.n_tokens).to_dict()
            self._check_unchanged({**known.to_dict(), **self._encoding}, {**described, **encoding})
            return None, self.model_.options.seed
        self._encoding = encoding
        seed = draw_seed(self.random_state)
        vocabulary = None if self.input_encoder_ is None else token_counts(train)
        n_tokens = 0 if vocabulary is None else len(vocabulary[0])
        network = self._architecture(train.X.shape[2], n_tokens).build(seed=seed)
        if vocabulary is not None:
            network.embedding.set_vocabulary(*vocabulary)
        elif self.normalize_X:
            network.standardise.set_statistics(*feature_statistics(train.X, train.weights))
        if self.output_encoder_ is None:
            self._y_location, self._y_spread = np.zeros(self._n_values), np.ones(self._n_values)
            if self.normalize_y:
                self._y_location, self._y_spread = feature_statistics(train.y, train.weights, name="y")
        return network, seed

    def _architecture(self, n_features: int, n_tokens: int) -> TranslationArchitecture:
        encoder = self.output_encoder_
        return TranslationArchitecture(
            n_features=n_features,
            n_outputs=self._n_values + self._learns_end if encoder is None else encoder.n_tokens_,
            n_tokens=n_tokens,
            embedding_dim=int(self.embedding_dim),
            attention=bool(self.attention),
            n_values=self._n_values if encoder is None else 0,
            learns_end=encoder is not None or self._learns_end,
            start=0 if encoder is None else encoder.vocabulary_[START],
            **recurrent_options(self),
        )

    def _batches(self, samples: Samples, batch_size: int, *, seed: int | None = None) -> PairBatches:
        if self.output_encoder_ is None:
            scaled = for_each_step(lambda y: (y - self._y_location) / self._y_spread, samples.y)
            samples = replace(samples, y=scaled)
        return PairBatches(
            samples,
            batch_size=batch_size,
            device=choose_device(self.device),
            seed=seed,
            learns_end=self.output_encoder_ is not None or self._learns_end,
        )

    def _criterion(self) -> nn.Module:
        return ValuesAndEnd(self._n_values) if self.output_encoder_ is None else CrossEntropy()

    def _check_beam(self, beam_size: int) -> None:
        if beam_size > 1 and self.output_encoder_ is None:
            raise ValueError(
                f"A beam search needs tokens, but this {type(self).__name__} predicts numbers, which have one best "
                "value a step. Set beam_size=1, and use predict."
            )
