"""The fitted network in what a user passes, the sequences that it reads, and how results are labelled."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from sklrnn.estimators.base import RecurrentEstimator
from sklrnn.estimators.network_holder import NetworkHolder
from sklrnn.inputs.ragged import Ragged, Sequences, lengths_of
from sklrnn.training.batches import padded_tensors

# Where searches, and the pipelines of sktime, keep what predicts.
_INNER = ("best_estimator_", "best_forecaster_", "forecaster_")


def find_estimator(est: Any) -> RecurrentEstimator:
    """The fitted estimator that holds the network: ``est``, the best of a search, or the last step of a pipeline."""
    return _unwrap(est, None)[0]


def _unwrap(est: Any, X: Any) -> tuple[RecurrentEstimator, Any]:
    """The estimator that holds the network, and X as it is passed to it (None stays None)."""
    last, X = last_estimator(est, X)
    if not isinstance(last, RecurrentEstimator):
        raise TypeError(
            "Networks of regressors and classifiers of sklrnn can be looked into, alone, as the last step of a "
            f"Pipeline, or as the best estimator of a search; got {last!r}."
        )
    return last, X


def last_estimator(est: Any, X: Any = None) -> tuple[Any, Any]:
    """What predicts in a fitted estimator, and X as it is passed to it (None stays None).

    It is ``est`` itself, the best estimator of a search, or the last step of a pipeline, of scikit-learn or of sktime.
    """
    while True:
        if isinstance(est, BaseEstimator):
            check_is_fitted(est, "model_" if isinstance(est, NetworkHolder) else None)
        elif hasattr(est, "check_is_fitted"):  # that of sktime
            est.check_is_fitted()
        if isinstance(est, Pipeline):
            X = est[:-1].transform(X) if len(est) > 1 and X is not None else X
            est = est[-1]
            continue
        inner = next(
            (name for name in ("best_estimator_", "best_forecaster_", "forecaster_") if hasattr(est, name)), None
        )
        if inner is None:
            return est, X
        est = getattr(est, inner)


@dataclass(frozen=True)
class FittedNetwork:
    """A fitted estimator, and sequences as its network reads them; ``labels`` name the samples."""

    estimator: RecurrentEstimator
    X: Any
    sequences: Sequences
    labels: pd.Index

    @classmethod
    def of(cls, est: Any, X: Any) -> "FittedNetwork":
        """Find the estimator, transform X by the steps of a pipeline in front of it, and check X."""
        estimator, transformed = _unwrap(est, X)
        sequences = estimator._check_X(transformed, reset=False)
        index = X.index if isinstance(X, pd.DataFrame | pd.Series) else None
        if index is None or len(index) != len(sequences) or index.nlevels > 1:
            index = pd.RangeIndex(len(sequences))
        return cls(estimator, transformed, sequences, index.rename("sample"))

    def network(self) -> Any:
        """A copy of the network on the CPU in double precision, for predictions."""
        return self.estimator.model_.double_copy().eval()

    def tensors(self) -> tuple[Tensor, Tensor | None]:
        """The sequences as one tensor (sample, time, feature), and their lengths where these differ."""
        X = self.sequences if isinstance(self.sequences, Ragged) else np.array(self.sequences)
        return padded_tensors(X, torch.device("cpu"))

    def n_steps(self, pool_size: int) -> np.ndarray[Any, np.dtype[np.intp]]:
        """The number of steps of each sequence that pooling leaves."""
        return -(-lengths_of(self.sequences) // pool_size)

    def table(self, blocks: dict[tuple[Any, ...], Tensor], names: list[str], pool_size: int) -> pd.DataFrame:
        """Blocks (time, sample, unit) side by side, with a row for each sample and step.

        A pooled step is labelled with the newest step in it.
        """
        lengths, pooled = lengths_of(self.sequences), self.n_steps(pool_size)
        steps = np.arange(pooled.max())
        is_real = steps < pooled[:, np.newaxis]  # (sample, time)
        times = (lengths - 1)[:, np.newaxis] - pool_size * (pooled[:, np.newaxis] - 1 - steps)
        rows = pd.MultiIndex.from_arrays([self.labels.repeat(pooled), times[is_real]], names=[self.labels.name, "time"])
        keys = [(*key, unit) for key, block in blocks.items() for unit in range(block.shape[2])]
        # In the order of their levels, which are left as they come: pandas warns where columns are not sorted.
        codes, levels = zip(*(pd.Index(level).factorize() for level in zip(*keys, strict=True)), strict=True)
        columns = pd.MultiIndex(levels=levels, codes=codes, names=names)
        values = [block.detach().cpu().transpose(0, 1).numpy()[is_real] for block in blocks.values()]
        return pd.DataFrame(np.concatenate(values, axis=1), index=rows, columns=columns)
