"""The samples of a source of blocks, as an estimator reads them: counted, measured, and passed on block by block."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier
from tqdm.auto import tqdm

from sklrnn.estimators.first_layer import FirstLayer
from sklrnn.estimators.options import holds_out, shallow_copy
from sklrnn.inputs.block_source import InBlock, Key
from sklrnn.inputs.class_hold_out import count_held_out, is_useful
from sklrnn.inputs.ragged import Ragged
from sklrnn.inputs.running_moments import RunningMoments
from sklrnn.inputs.samples import Samples, count_older, token_counts
from sklrnn.inputs.target_types import check_labels, read_targets
from sklrnn.inputs.training_range import TrainingRange, remember_range
from sklrnn.inputs.validation import check_weights
from sklrnn.training.checkpoint import hash_of
from sklrnn.training.data_parallel import current_processes

Array = NDArray[Any]
Block = tuple[Any, Any, Any]  # X, y, sample_weight
Read = Callable[[Iterable[int] | None], Iterable[tuple[Key, Block]]]


class Measured(NamedTuple):
    """What the training samples tell of the first layer and of targets, and the samples that are held out."""

    first: FirstLayer
    targets: RunningMoments | None
    held_out: Samples | None
    identity: str


class BlockSamples:
    """Reads blocks for an estimator: ``count`` and ``measure`` once each, in this order, then ``training_arrays``.

    Samples of weight zero are left out where they are read.
    """

    def __init__(self, estimator: Any, read: Read, *, continues: bool) -> None:
        self._estimator = self._encoder = estimator
        self._read, self._continues = read, continues
        self.n_samples = self.n_train = 0
        self.shape: tuple[int, int] = (0, 0)
        self.dtype: Any = np.dtype(np.float32)
        self._n_of_class: Array = np.zeros(1, dtype=np.intp)  # of a regressor: all samples
        self._held_out_of_block: dict[Key, Array] = {}
        self._weight_scale = 1.0

    # -- the first pass ----------------------------------------------------------------------------------------------

    def count(self) -> None:
        """Check all blocks, count the samples, and find the classes."""
        count = self._count_labels if is_classifier(self._estimator) else self._count_targets
        count(self._shown("First pass"))
        if not self.n_samples:
            raise ValueError("The source holds no samples. Pass at least one block.")

    def _count_targets(self, blocks: Iterable[tuple[Key, Block]]) -> None:
        are_single = []
        for number, (key, (X, y, weights)) in enumerate(blocks):
            with InBlock(key):
                samples = self._estimator._check_samples(X, y, weights, reset=number == 0 and not self._continues)
                self._see(samples.X, is_first=number == 0)
            are_single.append(getattr(y, "dtype", None) == np.float32)
            self._n_of_class[0] += len(samples.nonzero_weight)
        if are_single and not self._continues:
            self._estimator._y_dtype = "float32" if all(are_single) else "float64"
        self.n_samples = int(self._n_of_class.sum())

    def _count_labels(self, blocks: Iterable[tuple[Key, Block]]) -> None:
        estimator = self._estimator
        n_of_label: dict[Any, int] = {}
        mass_of_label: dict[Any, float] = {}
        for number, (key, (X, y, weights)) in enumerate(blocks):
            with InBlock(key):
                X = estimator._check_X(X, reset=number == 0 and not self._continues)
                self._see(X, is_first=number == 0)
                weights = check_weights(weights, len(X))
                mass = np.ones(len(X)) if weights is None else weights
                labels, which = np.unique(check_labels(X, y)[mass > 0], return_inverse=True)
            sums = np.bincount(which, weights=mass[mass > 0], minlength=len(labels))
            for label, n, total in zip(labels.tolist(), np.bincount(which, minlength=len(labels)), sums, strict=True):
                n_of_label[label] = n_of_label.get(label, 0) + int(n)
                mass_of_label[label] = mass_of_label.get(label, 0.0) + float(total)
        if not n_of_label:
            return
        if not self._continues:
            classes = np.unique(np.asarray(read_targets(list(n_of_label))))
            estimator._encode(classes, classes, None, reset=True)  # as if there were one sample of each class
        classes = estimator.classes_
        mass = np.array([mass_of_label.get(label, 0.0) for label in classes.tolist()])
        self._n_of_class = np.array([n_of_label.get(label, 0) for label in classes.tolist()], dtype=np.intp)
        if estimator.class_weight is not None:  # "balanced" counts all blocks, and an encoder sees one of them
            weighted = estimator._with_class_weights(np.arange(len(classes)), mass)
            of_class = np.divide(weighted, mass, out=np.zeros(len(classes)), where=mass > 0)
            self._encoder = shallow_copy(estimator, class_weight=dict(zip(classes.tolist(), of_class, strict=True)))
            self._n_of_class = np.where(of_class > 0, self._n_of_class, 0)
        self.n_samples = int(self._n_of_class.sum())

    def _see(self, X: Any, *, is_first: bool) -> None:
        if isinstance(X, Ragged):
            raise ValueError(
                f"fit_blocks reads sequences of one length, got {X.lengths.min()} to {X.lengths.max()} steps. Pad or "
                "cut them, or read them all with fit."
            )
        self.shape, self.dtype = (X.shape[1:], X.dtype) if is_first else (self.shape, self.dtype)
        if X.shape[1:] != self.shape:
            raise ValueError(
                f"Its sequences have (time, feature) = {X.shape[1:]}, and those of the first block {self.shape}. All "
                "blocks need the same."
            )
        self.dtype = np.result_type(self.dtype, X.dtype)

    # -- the second pass ---------------------------------------------------------------------------------------------

    def measure(self, *, most_held_out: int) -> Measured:
        """Hold out the newest samples, which stay in memory, and compute the statistics of the others."""
        estimator = self._estimator
        n_held_out = self._plan_held_out(most_held_out)
        features = RunningMoments("X", self.shape[1], self.dtype) if self.dtype.kind == "f" else None
        targets = None if is_classifier(estimator) else RunningMoments("y", estimator.n_outputs_, np.dtype(np.float64))
        tokens: list[tuple[Array, Array]] = []
        held_out: list[Samples] = []
        seen, total_weight = np.zeros(len(n_held_out), dtype=np.intp), 0.0
        # A checkpoint belongs to its data, and processes that train together compare theirs.
        is_identified = estimator.checkpoint is not None or current_processes().world_size > 1
        found = hashlib.blake2b(digest_size=20)
        for key, samples in self._samples(self._shown("Second pass", self.n_samples)):
            is_held_out = self._is_held_out(samples, seen, n_held_out)
            if is_held_out.any():
                self._held_out_of_block[key] = np.flatnonzero(is_held_out)
                held_out.append(samples[is_held_out])
            train = samples[~is_held_out] if is_held_out.any() else samples
            if is_identified:
                found.update(hash_of((samples.X, samples.y, samples.weights)).encode())
            if not len(train.X):
                continue
            total_weight += len(train.X) if train.weights is None else float(train.weights.sum())
            if features is not None:
                features.add(train.X, train.weights)
            else:
                tokens.append(token_counts(train))
            if targets is not None:
                targets.add(train.y, train.weights)
        if seen.sum() != self.n_samples:
            raise ValueError(
                f"The source gave {self.n_samples} samples when it was first read, and {seen.sum()} the second time. "
                "It must give the same blocks each time it is read."
            )
        self.n_train = self.n_samples - int(n_held_out.sum())
        self._weight_scale = self.n_train / total_weight
        validation = _concatenate(held_out) if held_out else None
        return Measured(self._first_layer(features, tokens), targets, validation, found.hexdigest())

    def _plan_held_out(self, most: int) -> Array:
        """How many samples of each class are held out."""
        estimator, n = self._estimator, self._n_of_class
        nothing = np.zeros_like(n)
        if not holds_out(estimator.early_stopping, self.n_samples):
            return nothing
        fraction = min(estimator.validation_fraction, most / self.n_samples)
        if not is_classifier(estimator):
            return np.array([self.n_samples - count_older(self.n_samples, fraction)])
        n_held_out = count_held_out(n, fraction)
        return n_held_out if is_useful(n - n_held_out, n_held_out, fraction, estimator.classes_) else nothing

    def _is_held_out(self, samples: Samples, seen: Array, n_held_out: Array) -> Array:
        """Which samples of a block are among the newest of their class; they are counted in ``seen``."""
        codes = samples.y if is_classifier(self._estimator) else np.zeros(len(samples.y), dtype=np.intp)
        n_of_class = np.bincount(codes, minlength=len(seen))
        order = np.argsort(codes, kind="stable")
        number = np.empty(len(codes), dtype=np.intp)
        number[order] = np.arange(len(codes)) - np.repeat(np.cumsum(n_of_class) - n_of_class, n_of_class)
        number += seen[codes]
        seen += n_of_class
        is_held_out: Array = number >= (self._n_of_class - n_held_out)[codes]
        return is_held_out

    def _first_layer(self, features: RunningMoments | None, tokens: list[tuple[Array, Array]]) -> FirstLayer:
        if features is None:
            return FirstLayer() if self._continues else FirstLayer(vocabulary=_add_counts(tokens))
        mean, spread = features.scale()
        seen = TrainingRange(features.lowest, features.highest, spread)
        remember_range(self._estimator, seen, continues=self._continues)
        return FirstLayer(None, (mean, spread), features.largest)

    # -- epochs ------------------------------------------------------------------------------------------------------

    def training_arrays(self, order: Iterable[int] | None) -> Iterator[tuple[Array, ...]]:
        """Sequences, scaled targets and weights of all training samples, block by block."""
        for key, samples in self._samples(self._read(order)):
            held_out = self._held_out_of_block.get(key)
            if held_out is not None:
                samples = samples[np.delete(np.arange(len(samples.X)), held_out)]
            if not len(samples.X):
                continue
            y = self._estimator._scale_targets(samples).y
            weights = np.ones(len(y)) if samples.weights is None else samples.weights
            weights = (weights * self._weight_scale).astype(np.float32)
            yield samples.X, y if y.dtype.kind == "i" else y.astype(np.float32), weights

    def _samples(self, blocks: Iterable[tuple[Key, Block]]) -> Iterator[tuple[Key, Samples]]:
        for key, (X, y, weights) in blocks:
            with InBlock(key):
                samples = self._encoder._check_samples(X, y, weights, reset=False)
                if samples.X.shape[1:] != self.shape:
                    raise ValueError("Its sequences have another shape than when they were first read.")
            if samples.weights is not None:
                samples = samples[samples.nonzero_weight]
            yield key, replace(samples, X=samples.X.astype(self.dtype, copy=False))

    def _shown(self, name: str, n_samples: int | None = None) -> Iterator[tuple[Key, Block]]:
        """The blocks, with a progress bar where the estimator shows one."""
        with tqdm(desc=name, total=n_samples, unit=" samples", disable=self._estimator.verbose != 1) as bar:
            for key, block in self._read(None):
                yield key, block
                bar.update(len(block[0]))


def _concatenate(parts: list[Samples]) -> Samples:
    X, y = (np.concatenate([getattr(part, name) for part in parts]) for name in ("X", "y"))
    have_weights = any(part.weights is not None for part in parts)
    ones = [np.ones(len(part.y)) if part.weights is None else part.weights for part in parts]
    return Samples(X, y, np.concatenate(ones) if have_weights else None)


def _add_counts(parts: list[tuple[Array, Array]]) -> tuple[Array, Array]:
    """The tokens of all parts, sorted, and how often each occurs in them."""
    tokens, which = np.unique(np.concatenate([tokens for tokens, _ in parts]), return_inverse=True)
    return tokens, np.bincount(which.reshape(-1), weights=np.concatenate([counts for _, counts in parts]))
