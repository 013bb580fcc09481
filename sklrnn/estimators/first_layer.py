"""What the first layer of a network is given from the training samples: a vocabulary, or statistics of the features."""

from typing import Any, NamedTuple

from numpy.typing import NDArray

from sklrnn.estimators.window_scale import typical_window_spread
from sklrnn.inputs.magnitudes import check_single_precision
from sklrnn.inputs.samples import Samples, feature_statistics, largest_value, token_counts
from sklrnn.inputs.training_range import remember_range
from sklrnn.nn.network import Network

Array = NDArray[Any]


class FirstLayer(NamedTuple):
    """The tokens that occur and their counts, or means and standard deviations; the other pair is None."""

    vocabulary: tuple[Array, Array] | None
    statistics: tuple[Array, Array] | None

    @classmethod
    def of(cls, estimator: Any, train: Samples, *, continues: bool) -> "FirstLayer":
        """Learn from samples; an estimator without an embedding remembers the range of X.

        Where training continues, the vocabulary stays as it is.
        """
        if estimator.embedding_dim is not None:
            return cls(None if continues else token_counts(train), None)
        statistics = feature_statistics(train.X, train.row_weights, train.nonzero_weight)
        remember_range(estimator, train.X, train.nonzero_weight, statistics[1], continues=continues)
        return cls(None, statistics)

    @property
    def n_tokens(self) -> int:
        return 0 if self.vocabulary is None else len(self.vocabulary[0])

    def set_in(self, network: Network, estimator: Any, train: Samples) -> None:
        """Give the network what was learnt."""
        if self.vocabulary is not None:
            network.embedding.set_vocabulary(*self.vocabulary)
        elif self.statistics is not None and estimator.normalize_X:
            network.standardise.set_statistics(*self.statistics)
        else:
            check_single_precision("X", largest_value(train), "Set normalize_X=True, or divide X by a constant.")
        if estimator.normalize_X == "window":
            typical = typical_window_spread(train, with_missing=estimator.missing == "mask")
            network.standardise.set_typical(typical)
