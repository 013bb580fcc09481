"""A network, and what its first layer is given from the training samples: a vocabulary, or statistics of features."""

from typing import Any, NamedTuple

from numpy.typing import NDArray

from sklrnn.estimators.architecture import warn_of_unread_steps
from sklrnn.estimators.options import draw_seed, warn_of_long_convolutions
from sklrnn.estimators.window_scale import typical_window_spread
from sklrnn.inputs.magnitudes import check_single_precision
from sklrnn.inputs.samples import Samples, feature_statistics, largest_value, token_counts
from sklrnn.inputs.training_range import TrainingRange, keeps_range, remember_range
from sklrnn.nn.network import Network

Array = NDArray[Any]


class FirstLayer(NamedTuple):
    """The tokens that occur and their counts, or means and standard deviations; the other pair is None.

    ``largest`` is the largest absolute value where X is not scaled, and ``typical`` the spread within windows where
    each has a scale of its own.
    """

    vocabulary: tuple[Array, Array] | None = None
    statistics: tuple[Array, Array] | None = None
    largest: float = 0.0
    typical: Array | None = None

    @classmethod
    def of(cls, estimator: Any, train: Samples, *, continues: bool) -> "FirstLayer":
        """Learn from samples; an estimator without an embedding remembers the range of X.

        Where training continues, the vocabulary and the scale stay as they are.
        """
        if estimator.embedding_dim is not None:
            return cls() if continues else cls(vocabulary=token_counts(train))
        statistics = feature_statistics(train.X, train.row_weights, train.nonzero_weight)
        seen = TrainingRange.of(train.X, train.nonzero_weight, statistics[1]) if keeps_range(estimator) else None
        remember_range(estimator, seen, continues=continues)
        if continues:
            return cls()
        largest = 0.0 if estimator.normalize_X else largest_value(train)
        typical = None
        if estimator.normalize_X == "window":
            typical = typical_window_spread(train, with_missing=estimator.missing == "mask")
        return cls(None, statistics, largest, typical)

    @property
    def n_tokens(self) -> int:
        return 0 if self.vocabulary is None else len(self.vocabulary[0])

    def build_network(self, estimator: Any, shape: tuple[int, ...], *, continues: bool) -> tuple[Network | None, int]:
        """A new network for samples of this shape, (time, feature), and its seed.

        Where training continues: None, and the seed of the network of the previous fit.
        """
        if continues:
            known = estimator.model_.architecture
            now = estimator._architecture(known.n_features, known.n_tokens)
            estimator._check_unchanged(known.to_dict(), now.to_dict())
            return None, estimator.model_.options.seed
        seed = draw_seed(estimator.random_state)
        n_steps, n_features = shape
        warn_of_long_convolutions(estimator, n_steps, "the longest sequence")
        network = estimator._architecture(n_features, self.n_tokens).build(seed=seed)
        warn_of_unread_steps(network, n_steps)
        self._set_in(network, estimator)
        return network, seed

    def _set_in(self, network: Network, estimator: Any) -> None:
        """Give the network what was learnt."""
        if self.vocabulary is not None:
            network.embedding.set_vocabulary(*self.vocabulary)
        elif self.statistics is not None and estimator.normalize_X:
            network.standardise.set_statistics(*self.statistics)
        else:
            check_single_precision("X", self.largest, "Set normalize_X=True, or divide X by a constant.")
        if self.typical is not None:
            network.standardise.set_typical(self.typical)
