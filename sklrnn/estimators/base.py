"""The ``fit`` of all estimators."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Self

from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted
from torch import nn

from sklrnn._hyperparameters import fitted, hyperparameters, validate_parameters
from sklrnn.estimators.architecture import architecture_of
from sklrnn.estimators.block_fit import BlockFitting
from sklrnn.estimators.estimator_parameters import UPDATES, EstimatorParameters
from sklrnn.estimators.first_layer import FirstLayer
from sklrnn.estimators.network_holder import NetworkHolder
from sklrnn.estimators.options import holds_out
from sklrnn.estimators.parameters import ConvolutionOptions, NetworkParameters
from sklrnn.estimators.sequence_input import read_sequences
from sklrnn.estimators.step_predictions import as_step_predictions
from sklrnn.estimators.window_scale import check_window_parameters
from sklrnn.inputs.class_hold_out import hold_out_classes
from sklrnn.inputs.ragged import Sequences, for_each_step, in_the_form_of, shaped_like
from sklrnn.inputs.samples import Samples, hold_out_newest, merge_identical
from sklrnn.inputs.sklearn_classes import BaseEstimator
from sklrnn.inputs.step_targets import check_step_targets, check_step_weights
from sklrnn.inputs.tokens import warn_of_tokens
from sklrnn.inputs.training_range import training_range, warn_if_far
from sklrnn.inputs.user_warnings import each_warning_once
from sklrnn.inputs.validation import check_single_step, check_weights
from sklrnn.nn.losses import Loss
from sklrnn.nn.network import Network, NetworkArchitecture
from sklrnn.training.auto_epochs import resolve_epochs
from sklrnn.training.batches import Batches, StatefulBatches
from sklrnn.training.devices import choose_device
from sklrnn.training.inference import all_states
from sklrnn.training.interrupts import TrainingInterrupted
from sklrnn.training.sklearn_callbacks import CallbackSupportMixin, epoch_hooks, with_callbacks
from sklrnn.training.streaming import Stream

Array = NDArray[Any]


@hyperparameters
class RecurrentEstimator(
    CallbackSupportMixin,
    BlockFitting,
    NetworkHolder,
    EstimatorParameters,
    ConvolutionOptions,
    NetworkParameters,
    BaseEstimator,
):
    """Recurrent networks for sequences: all that is the same for regression and classification."""

    _architecture_kind = NetworkArchitecture

    _n_raw_outputs = 1  # set by the task

    n_features_in_: int = fitted("Columns of a 2-D X, or features of a 3-D X.")
    n_outputs_: int = fitted("Outputs that y has.")

    # -- fit ---------------------------------------------------------------------------------------------------------

    @with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on sequences and their targets.

        Parameters
        ----------
        X : array-like of shape (sample, time) or (sample, time, feature), or list of (time_i, feature) arrays
            Sequences, the oldest sample first; a list or object array of them where they differ in length.
        y : array-like of shape (sample,) or (sample, output), or list of (time_i,) arrays
            Targets; with ``return_sequences=True`` one for each step, so that the second axis is time.
        sample_weight : array-like of shape (sample,), or list of (time_i,) arrays, default=None
            Weight of each sample, or with ``return_sequences=True`` of each step; a sample of weight 0 counts as
            absent.

        Returns
        -------
        self : estimator
            The fitted estimator.
        """
        validate_parameters(self)
        continues = self.warm_start and hasattr(self, "model_")
        with self._draft(continues=continues) as draft, each_warning_once():
            draft._fit(X, y, sample_weight, owner=self, continues=continues)
        return self

    def _fit(self, X: Any, y: Any, sample_weight: Any, *, owner: Self, continues: bool) -> None:
        self._loss_parameters = self._current_loss_parameters()
        samples = self._check_samples(X, y, sample_weight, reset=not continues)
        train, held_out = self._plan(samples, continues=continues)
        with epoch_hooks(owner, self, X, y, max_epochs=train.keywords["max_epochs"]) as end_epoch:
            train(end_epoch=end_epoch)
            self._calibrate_after_training(samples, held_out)

    def _calibrate_after_training(self, samples: Samples | None, held_out: Samples | None) -> None:
        try:
            self._calibrate(None if hasattr(self, "_interrupt") else samples, held_out)
        except KeyboardInterrupt:
            message = "Fit was interrupted after training. The model can be used, but gives no intervals."
            self._interrupt = TrainingInterrupted(self.model_, message)

    def _plan(self, samples: Samples, *, continues: bool) -> tuple[partial[None], Samples | None]:
        """What trains a network on samples, and those that are held out."""
        train, held_out = self._hold_out(samples)
        if len(train.nonzero_weight) <= self.batch_size and not self.stateful:
            train = merge_identical(train)
        network, seed = self._network_for(train, continues=continues)
        batches, validation = self._batches_of(train, held_out, seed)
        options: dict[str, Any] = {
            "seed": seed,
            "max_epochs": resolve_epochs(self.max_epochs, UPDATES, n_batches=len(batches)),
            "patience": self.n_iter_no_change,
        }
        return partial(self._train, network, batches, validation, **options), held_out

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any) -> Self:
        validate_parameters(self)
        continues = hasattr(self, "model_")
        with self._draft(continues=continues) as draft:
            before, draft._loss_parameters = getattr(self, "_loss_parameters", None), self._current_loss_parameters()
            train = draft._check_samples(X, y, sample_weight, reset=not continues)
            network, seed = draft._network_for(train, continues=continues)
            draft._train(
                network,
                *draft._batches_of(train, None, seed),
                seed=seed,
                max_epochs=1,
                patience=None,
                keep_optimizer=before == draft._loss_parameters,
            )
            draft._calibrate(None, None)
        return self

    def _check_samples(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> Samples:
        check_window_parameters(self)
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
        if self.embedding_dim is None:
            warn_of_tokens(self, X)
        X = self._check_X(X, reset=reset)
        if not self.return_sequences:
            return Samples(X, *self._encode(X, y, check_weights(sample_weight, len(X)), reset=reset))
        targets, weights = check_step_targets(X, y), check_step_weights(sample_weight, X)
        y, weights = self._encode(targets, targets, weights, reset=reset)
        of_steps = None if weights is None else shaped_like(X, weights)
        return Samples(X, shaped_like(X, y), of_steps, per_timestep=True)

    def _check_X(self, X: Any, *, reset: bool) -> Sequences:
        return read_sequences(self, X, reset=reset)

    def _hold_out(self, samples: Samples) -> tuple[Samples, Samples | None]:
        if not holds_out(self.early_stopping, len(samples.nonzero_weight)):
            return samples, None
        classes = getattr(self, "classes_", None)
        if classes is None:
            return hold_out_newest(samples, self.validation_fraction)
        in_order = self.stateful or self.return_sequences
        return hold_out_classes(samples, self.validation_fraction, classes, in_order=in_order)

    def _network_for(self, train: Samples, *, continues: bool) -> tuple[Network | None, int]:
        """A new network and its seed; or None, and the seed of the network of the previous fit."""
        first = FirstLayer.of(self, train, continues=continues)
        if not continues:
            self._scale_targets(train, fit=True)
            self._segment_length = int(train.X.shape[1])
        return first.build_network(self, train.X.shape[1:], continues=continues)

    def _architecture(self, n_features: int, n_tokens: int) -> NetworkArchitecture:
        return architecture_of(
            self,
            n_features=n_features,
            n_tokens=n_tokens,
            n_outputs=self._n_raw_outputs * self._loss.width,
            n_steps=self._segment_length,
        )

    def _batches_of(self, train: Samples, held_out: Samples | None, seed: int) -> tuple[Batches, Batches | None]:
        """Training batches, and validation batches."""
        batches = self._batches(train, self.batch_size, n_streams=self.batch_size, seed=seed if self.shuffle else None)
        if held_out is None:
            return batches, None
        return batches, self._batches(held_out.by_length(), max(self.batch_size, 512), n_streams=1)

    def _batches(self, samples: Samples, batch_size: int, *, n_streams: int, seed: int | None = None) -> Batches:
        samples, device = self._scale_targets(samples), choose_device(self.device)
        if self.stateful:
            return StatefulBatches(samples, n_streams=n_streams, batch_size=batch_size, device=device)
        return Batches(samples, batch_size=batch_size, device=device, seed=seed)

    # -- the trained network -----------------------------------------------------------------------------------------

    def hidden_states(self, X: Any) -> Any:
        """Read sequences and give the hidden state of the last recurrent layer after each step.

        Parameters
        ----------
        X : array-like of shape (sample, time) or (sample, time, feature), or list of (time_i, feature) arrays
            Sequences.

        Returns
        -------
        states : ndarray of shape (sample, time, unit), or list of ndarray of shape (time_i, unit)
            With ``bidirectional=True`` forward units come first, then backward ones. `pool_size` shortens the time
            axis. With ``cell=None`` it is what the last convolution gives.
        """
        check_is_fitted(self, "model_")
        with self._threads():
            states = self.model_.run(self._check_X(X, reset=False), read=all_states, per_timestep=True)
        return in_the_form_of(X, states)

    def start_stream(self) -> Stream:
        """Begin to read one sequence step by step.

        Returns
        -------
        stream : Stream
            Its ``step(x)`` takes the features of one time step and predicts like ``predict`` on the sequence so far.
        """
        check_is_fitted(self, "model_")
        # Steps one by one are fastest on the CPU, wherever the network was trained.
        network = self.model_.streaming_copy()
        check = partial(check_single_step, self, network.architecture)
        return Stream(
            network,
            check,
            self._decode,
            segment_length=self._segment_length,
            keeps_steps=getattr(self, "_y_windows", None) is not None,
            warn=partial(warn_if_far, training_range(self), estimator=self),
        )

    def _predictions(self, X: Any, decode: Callable[[Array, Any], Array]) -> Any:
        """Run the network on X and decode its raw outputs: one prediction a sample, or one a step in the form of X."""
        if not hasattr(self, "model_"):
            check_is_fitted(self, "model_")  # which takes longer than to see that it is
        sequences = self._check_X(X, reset=False)
        warn_if_far(training_range(self), sequences, self)
        with self._threads():
            raw = self.model_.run(sequences)
            if not self.model_.architecture.return_sequences:
                return decode(raw, sequences)
        predictions = for_each_step(lambda steps: decode(steps, sequences), raw)
        return as_step_predictions(X, predictions, getattr(self, "classes_", None))

    @property
    def _loss(self) -> Loss:
        """The loss of the fit, whatever became of the parameters since."""
        return self._make_loss(**self._loss_parameters)

    def _current_loss_parameters(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self._loss_parameter_names}

    def _criterion(self) -> nn.Module:
        return self._loss.per_sample

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = self.missing == "mask"
        return tags

    # -- what a task defines -----------------------------------------------------------------------------------------

    _loss_parameter_names: ClassVar[tuple[str, ...]]

    def _encode(self, X: Any, y: Any, weights: Array | None, *, reset: bool) -> tuple[Array, Array | None]:
        """Check targets and turn them into numbers; samples of weight zero may hold anything.

        They belong to the samples of X, or to the concatenated steps of samples. Sets ``n_outputs_`` and
        ``_n_raw_outputs``.
        """
        raise NotImplementedError

    def _make_loss(self, **parameters: Any) -> Loss:
        """The loss for the parameters in ``_loss_parameter_names``."""
        raise NotImplementedError

    def _decode(self, raw: Array, X: Any) -> Array:
        """Turn raw outputs for the sequences X, or for their steps, into predictions."""
        raise NotImplementedError

    def _scale_targets(self, samples: Samples, *, fit: bool = False) -> Samples:
        """Scale targets to a size that a network learns well; with ``fit`` learn the scale first."""
        return samples

    def _calibrate(self, samples: Samples | None, held_out: Samples | None) -> None:
        """Measure errors on samples that training did not see: held-out ones, or all, by refits on the others."""


# A task is a mixin, but uses methods of the estimator that it is mixed into, which type checkers have to know.
if TYPE_CHECKING:
    TypedAsEstimator = RecurrentEstimator
else:
    TypedAsEstimator = object
