"""The parameter table and the one ``fit`` of all estimators."""

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from sklrnn._hyperparameters import POSITIVE_INT, StrOptions, fitted, hyper, hyperparameters, validate_parameters
from sklrnn.estimators.parameters import NetworkParameters
from sklrnn.inputs.ragged import Ragged, Sequences, shaped_like
from sklrnn.inputs.samples import Samples, feature_statistics, hold_out_newest, merge_identical, token_counts
from sklrnn.inputs.step_targets import check_step_targets, check_step_weights
from sklrnn.inputs.validation import check_sequences, check_tokens, check_weights
from sklrnn.nn.losses import Loss
from sklrnn.nn.network import Architecture, Network, build_network, count_parameters
from sklrnn.training._fitted import FittedNetwork
from sklrnn.training._strands import Strands
from sklrnn.training.batches import Batches
from sklrnn.training.net import SequenceNet, choose_device
from sklrnn.training.sklearn_callbacks import CallbackSupportMixin, open_hooks, with_callbacks
from sklrnn.training.trained_network import as_tuple

Array = NDArray[Any]

# Above so many samples a tenth of them can be spared to watch for overfitting.
_ENOUGH_TO_HOLD_OUT = 10_000


@hyperparameters
class RecurrentEstimator(CallbackSupportMixin, NetworkParameters, FittedNetwork):
    """What every task shares; a task adds how targets are encoded, which loss judges, and how answers are decoded."""

    # fmt: off
    normalize_X: bool = hyper(default=True, constraint="boolean", sentence="Standardise each feature with its mean and spread over all training steps, inside the network.")
    n_timesteps: int | None = hyper(default=None, constraint=[POSITIVE_INT, None], sentence="How 2-D X is read: None takes each row as a univariate series; an int as that many time-major blocks of columns.")
    max_epochs: int = hyper(default=100, constraint=POSITIVE_INT, sentence="Most passes over the training sequences.")
    shuffle: bool = hyper(default=True, constraint="boolean", sentence="Draw the training sequences in a new order in each epoch.")
    embedding_dim: int | None = hyper(default=None, constraint=[POSITIVE_INT, None], sentence="X holds integer tokens, (sample, time); each is read as a learnt vector of this width, and those that training never saw as one of their own. None: X holds numbers.")
    return_sequences: bool = hyper(default=False, constraint="boolean", sentence="Give an answer at every step: y has a time axis.")
    missing: Literal["error", "mask"] = hyper(default="error", constraint=StrOptions({"error", "mask"}), sentence='What NaN in X is: an error, or with "mask" a value that is not there: the network reads the mean, and is told where.')
    stateful: bool = hyper(default=False, constraint="boolean", sentence="Read samples as consecutive segments of one long sequence: each begins in the state in which the one before it ended, in `fit` (without shuffling) and in each call of `predict`.")
    warm_start: bool = hyper(default=False, constraint="boolean", sentence="Let `fit` go on from the weights of the previous `fit`.")
    # fmt: on

    n_features_in_: int = fitted("Columns of a 2-D X, or features of a 3-D X.")
    net_: SequenceNet = fitted("The skorch net.")
    n_outputs_: int = fitted("Outputs that y has.")
    n_iter_: int = fitted("Epochs trained.")
    loss_curve_: list[float] = fitted("Training loss of each epoch, penalties included.")
    validation_curve_: list[float] | None = fitted(
        "Loss on the held-out newest samples after each epoch; None without them."
    )
    best_validation_loss_: float | None = fitted(
        "The lowest of `validation_curve_`; the weights are those of its epoch."
    )
    n_parameters_: int = fitted("Numbers that the network learns.")

    # -- the journey of the data -------------------------------------------------------------------------------------

    @with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on sequences and their targets.

        Parameters
        ----------
        X : array-like of shape (sample, time) or (sample, time, feature), or list of (time_i, feature) arrays
            Sequences, the oldest sample first; a list or object array of them where they differ in length.
        y : array-like of shape (sample,) or (sample, output), or list of (time_i,) arrays
            What to answer; with ``return_sequences=True`` at each step, so that the second axis is time.
        sample_weight : array-like of shape (sample,), or list of (time_i,) arrays, default=None
            Weight of each sample, or with ``return_sequences=True`` of each step; a sample of weight 0 counts as absent.

        Returns
        -------
        self : estimator
            The fitted estimator.
        """
        validate_parameters(self)
        go_on = self.warm_start and hasattr(self, "net_")
        with self._all_or_nothing(), self._threads():
            self._judged_by = self._loss_parameters()
            train, held_out = self._hold_out(self._check_rows(X, y, sample_weight, reset=not go_on))
            if len(train.nonzero_weight) <= self.batch_size and not self.stateful:
                train = merge_identical(train)
            self.net_ = self._make_net(self._known_network() if go_on else self._new_network(train))
            hooks = open_hooks(self, X, y, max_epochs=self.max_epochs)
            self._run_epochs(
                *self._batches_of(train, held_out),
                epochs=self.max_epochs,
                patience=self.n_iter_no_change,
                between_epochs=hooks.between_epochs if hooks else None,
                trained_before=go_on,
            )
            self._learn_residuals(held_out)
            if hooks:
                hooks.close()
        return self

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any) -> Self:
        validate_parameters(self)
        first = not hasattr(self, "net_")
        with self._all_or_nothing():
            judged_by, self._judged_by = getattr(self, "_judged_by", None), self._loss_parameters()
            train = self._check_rows(X, y, sample_weight, reset=first)
            if first:
                self.net_ = self._make_net(self._new_network(train))
            elif judged_by != self._judged_by or self.net_.asked_for != self.optimizer:
                self.net_ = self._make_net(self._known_network())
            else:
                self._known_network()
                self.net_.follow(
                    learning_rate=self.learning_rate, l1=self.l1, l2=self.l2, max_grad_norm=self.max_grad_norm
                )
            self._run_epochs(*self._batches_of(train, None), epochs=1, patience=None)
            # What was measured on held-out rows speaks of other weights now.
            self.validation_curve_ = self.best_validation_loss_ = None
            self._learn_residuals(None)
        return self

    def _check_rows(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> Samples:
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
        X = self._check_X(X, reset=reset)
        if self.return_sequences:
            y, weights = check_step_targets(X, y), check_step_weights(sample_weight, X)
        else:
            weights = check_weights(sample_weight, len(X))
        nonzero_weight = slice(None) if weights is None else np.flatnonzero(weights)
        y = self._encode(y if self.return_sequences else X, y, nonzero_weight, reset=reset)
        weights = self._weigh(y, weights)
        if not self.return_sequences:
            return Samples(X, y, weights)
        return Samples(X, shaped_like(X, y), None if weights is None else shaped_like(X, weights), per_timestep=True)

    def _check_X(self, X: Any, *, reset: bool) -> Sequences:
        if self.embedding_dim is not None:
            checked = check_tokens(self, X, reset=reset)
        else:
            checked = check_sequences(
                self, X, reset=reset, n_timesteps=self.n_timesteps, allow_nan=self.missing == "mask"
            )
        if self.stateful and isinstance(checked, Ragged):
            raise ValueError(
                "stateful=True reads samples as segments of one sequence, which need the same number of steps, got "
                f"{checked.lengths.min()} to {checked.lengths.max()} steps. Cut the sequence evenly, or set stateful=False."
            )
        return checked

    def _hold_out(self, rows: Samples) -> tuple[Samples, Samples | None]:
        enough = len(rows.nonzero_weight) > _ENOUGH_TO_HOLD_OUT
        wanted = enough if self.early_stopping == "auto" else self.early_stopping
        return hold_out_newest(rows, self.validation_fraction) if wanted else (rows, None)

    def _new_network(self, train: Samples) -> Network:
        self._seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        self._learn_target_scale(train)
        self._forget_curves()
        self._segment_length, n_features = train.X.shape[1:]
        self._n_tokens = 0 if self.embedding_dim is None else len(token_counts(train)[0])
        self._architecture = self._describe(n_features)
        network = build_network(Architecture(**self._architecture), seed=self._seed)
        if self._n_tokens:
            network.embedding.learn(*token_counts(train))
        elif self.normalize_X:
            network.standardise.learn(*feature_statistics(train.X, train.row_weights, train.nonzero_weight))
        self.n_parameters_ = count_parameters(network)
        return network

    def _known_network(self) -> Network:
        self._check_unchanged(self._architecture, self._describe(self._architecture["n_features"]))
        return self.module_

    def _describe(self, n_features: int) -> dict[str, Any]:
        return Architecture(
            n_features=n_features,
            n_outputs=self._n_raw_outputs() * self._loss().width,
            cell=self.cell,
            units=as_tuple(self.units),
            cell_options=self._cell_options(),
            bidirectional=bool(self.bidirectional),
            dropout=float(self.dropout),
            recurrent_dropout=float(self.recurrent_dropout),
            residual=bool(self.residual),
            filters=as_tuple(self.filters),
            kernel_size=int(self.kernel_size),
            pool_size=int(self.pool_size),
            stateful=bool(self.stateful),
            return_sequences=bool(self.return_sequences),
            n_tokens=self._n_tokens,
            embedding_dim=int(self.embedding_dim or 0),
            flag_missing=self.missing == "mask",
        ).to_dict()

    def _per_row_loss(self) -> Any:
        return self._loss().per_row

    def _batches_of(self, train: Samples, held_out: Samples | None) -> tuple[Batches, Batches | None]:
        """What is trained on, and what judges."""
        seed = self._seed if self.shuffle else None
        batches = self._batches(train, self.batch_size, n_strands=self.batch_size, seed=seed)
        if held_out is None:
            return batches, None
        return batches, self._batches(held_out.by_length(), max(self.batch_size, 512), n_strands=1)

    def _batches(self, rows: Samples, batch_size: int, *, n_strands: int, seed: int | None = None) -> Batches:
        rows, device = self._scale_targets(rows), choose_device(self.device)
        if self.stateful:
            return Strands(rows, n_strands=n_strands, batch_size=batch_size, device=device)
        return Batches(rows, batch_size=batch_size, device=device, seed=seed)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = self.missing == "mask"
        return tags

    # -- what a task answers -----------------------------------------------------------------------------------------

    def _encode(self, X: Any, y: Any, nonzero_weight: Any, *, reset: bool) -> Array:
        """Check targets and turn them into numbers; ``nonzero_weight`` picks those whose weight is not zero.

        They belong to the rows of X, or to steps of rows, which lie end to end.
        """
        raise NotImplementedError

    def _loss_parameters(self) -> tuple[Any, ...]:
        """The parameters that say which loss judges; an answer is read as they were in ``fit``."""
        raise NotImplementedError

    def _loss(self) -> Loss:
        raise NotImplementedError

    def _n_raw_outputs(self) -> int:
        return self.n_outputs_

    def _decode(self, raw: Array) -> Array:
        """Turn raw outputs into answers."""
        raise NotImplementedError

    def _weigh(self, y: Array, weights: Array | None) -> Array | None:
        return weights

    def _learn_target_scale(self, train: Samples) -> None:
        """Remember what turns targets into numbers of a size that a network learns well."""

    def _scale_targets(self, rows: Samples) -> Samples:
        return rows

    def _learn_residuals(self, held_out: Samples | None) -> None:
        """Remember how far off the answers are on rows that training did not see."""
