"""An estimator under test with sequences for it: what it can do, and what it answers."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from sklrnn.testing.options import fresh_copy, has_option, option, set_options
from sklrnn.testing.seeds_and_threads import seeded_globally

Array = NDArray[Any]

_N_SAMPLES, _N_STEPS, _N_FEATURES, _N_TOKENS = 24, 6, 2, 6


@dataclass(frozen=True)
class SequenceCase:
    """An estimator, sequences of one length and their targets."""

    estimator: Any
    X: Array
    y: Array

    @classmethod
    def of(cls, estimator: Any, X: Any = None, y: Any = None) -> "SequenceCase":
        """Take sequences and targets that are given, or make some that suit the parameters of the estimator."""
        if (X is None) != (y is None):
            raise ValueError("X and y go together: pass both, or neither to have them made.")
        if X is None:
            X, y = _make_data(estimator)
        X, y = np.asarray(X), np.asarray(y)
        if X.ndim not in (2, 3) or X.dtype.kind not in "fiu":
            raise ValueError(
                "X must hold numbers of shape (sample, time) or (sample, time, feature): sequences of one length, of "
                f"which the checks cut shorter ones. Got an array of shape {X.shape} and type {X.dtype}."
            )
        check_count(X, y)
        return cls(estimator, X, y)

    # -- what it can do ----------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        return type(self.estimator).__name__

    @cached_property
    def classifies(self) -> bool:
        try:
            return bool(is_classifier(self.estimator))
        except (AttributeError, TypeError):  # an object that knows nothing of scikit-learn's tags
            return hasattr(self.estimator, "predict_proba")

    @property
    def reads_numbers(self) -> bool:
        return bool(self.X.dtype.kind in "fiu")

    @property
    def predicts_numbers(self) -> bool:
        """Whether it predicts numbers, or classes, from numbers, so that white noise can be both."""
        return self.reads_numbers and (self.classifies or self.y.dtype.kind in "fiu")

    @property
    def per_step(self) -> bool:
        """Whether there is a prediction for each step."""
        declared = option(self.estimator, "return_sequences")
        return bool(declared) if declared is not None else self.y.ndim > 1 and self.y.shape[:2] == self.X.shape[:2]

    @property
    def stateful(self) -> bool:
        """Whether samples are segments of one sequence, so that each depends on those before it."""
        return bool(option(self.estimator, "stateful"))

    @property
    def reads_forward(self) -> bool:
        """Whether no parameter says that later steps change how earlier ones are read."""
        return not option(self.estimator, "bidirectional") and option(self.estimator, "normalize_X") != "window"

    def can(self, *methods: str) -> bool:
        return all(hasattr(self.estimator, method) for method in methods)

    @property
    def takes_weights(self) -> bool:
        return not isinstance(self.estimator, Pipeline) and has_fit_parameter(self.estimator, "sample_weight")

    @property
    def has_seed(self) -> bool:
        return has_option(self.estimator, "random_state")

    @property
    def can_train_on(self) -> bool:
        return self.can("partial_fit") or option(self.estimator, "warm_start") is not None

    # -- fitting and answers -----------------------------------------------------------------------------------------

    def new(self, **options: Any) -> Any:
        return fresh_copy(self.estimator, **options)

    def fit(self, X: Any = None, y: Any = None, *, sample_weight: Any = None, **options: Any) -> Any:
        """A fitted copy of the estimator; one that has no seed finds the global generators seeded."""
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        model = self.new(**options)
        with nullcontext() if self.has_seed else seeded_globally():
            model.fit(self.X.copy() if X is None else X, self.y.copy() if y is None else y, **weights)
        return model

    def answers(self, model: Any, X: Any = None) -> Any:
        """What a fitted copy predicts, as numbers where it can: probabilities of a classifier."""
        method = "predict_proba" if self.classifies and hasattr(model, "predict_proba") else "predict"
        return getattr(model, method)(self.X if X is None else X)

    def train_on(self, model: Any) -> Any:
        """Train a fitted copy on, with half of the samples: with all of them a linear model would stay as it is."""
        X, y = self.X[::2].copy(), self.y[::2].copy()
        return (
            model.partial_fit(X, y) if hasattr(model, "partial_fit") else set_options(model, warm_start=True).fit(X, y)
        )

    def bad_data(self) -> Iterator[tuple[str, Any, Any]]:
        """What a fit has to refuse: what is wrong with it, and X and y."""
        # Other sequences than before, so that a network is built anew before something fails.
        other = self.changed()
        yield "an X and a y of different lengths", other, self.y[:-3]
        if self.X.dtype.kind == "f":
            infinite = other.copy()
            infinite[-1] = np.inf
            yield "infinity in X", infinite, self.y

    def as_table(self) -> "SequenceCase":
        """The case with an X of two axes, which pandas can hold, where the estimator takes one."""
        return self

    # -- steps -------------------------------------------------------------------------------------------------------

    @property
    def n_steps(self) -> int:
        of_table = option(self.estimator, "n_timesteps") if self.X.ndim == 2 else None
        return int(of_table or self.X.shape[1])

    @property
    def lengths_may_vary(self) -> bool:
        """Whether a sequence can be cut; a table whose rows hold several features has a fixed number of columns."""
        return self.X.ndim == 3 or self.n_steps == self.X.shape[1]

    def shortened(self, row: int) -> Any:
        """The first half of a sequence."""
        return self.X[row, : self.n_steps // 2]

    def alone(self, sequence: Any) -> Any:
        """An X that holds one sequence."""
        return sequence[np.newaxis]

    def changed(self, steps: slice = slice(None), rows: slice = slice(None)) -> Array:
        """X with other values in some steps of some rows, of the same range."""
        changed = self.X.copy()
        by_step = changed.reshape(len(changed), self.n_steps, -1)
        # Each value becomes the one on the other side of the middle; NaN stays.
        by_step[rows, steps] = (np.nanmin(self.X) + np.nanmax(self.X) - by_step[rows, steps]).astype(self.X.dtype)
        return changed


def check_count(X: Array, y: Array) -> None:
    """Check that there are enough samples, and a target for each."""
    if len(X) < 8 or len(X) != len(y):
        raise ValueError(f"X and y must have the same number of samples, at least 8, got {len(X)} and {len(y)}.")


def _make_data(estimator: Any) -> tuple[Array, Array]:
    random = np.random.default_rng(0)
    X: Array = random.normal(size=(_N_SAMPLES, _N_STEPS, _N_FEATURES))
    if option(estimator, "embedding_dim") is not None:
        X = random.integers(_N_TOKENS, size=(_N_SAMPLES, _N_STEPS))
    elif option(estimator, "n_timesteps") is not None:
        X = random.normal(size=(_N_SAMPLES, _N_FEATURES * option(estimator, "n_timesteps")))
    by_step = X.reshape(_N_SAMPLES, -1, 1 if X.dtype.kind == "i" else _N_FEATURES)[..., 0].astype(float)
    means = np.cumsum(by_step, axis=1) / np.arange(1, by_step.shape[1] + 1)
    per_step = bool(option(estimator, "return_sequences"))
    # Not negative, as a loss of counts needs it.
    y = np.exp(means if per_step else by_step[:, -1] / 2 + means[:, -1])
    case = SequenceCase(estimator, X, y)
    if case.classifies:
        y = np.where(y > np.median(y), "high", "low")
    return X, y
