"""An imputer under test with series that have gaps."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklrnn.testing.comparisons import assert_same
from sklrnn.testing.options import has_option, option
from sklrnn.testing.sequence_case import SequenceCase, check_count

Array = NDArray[Any]

_N_SERIES, _N_STEPS, _N_FEATURES = 16, 12, 2


@dataclass(frozen=True)
class GapCase(SequenceCase):
    """An imputer and series of one length, (sample, time, feature), in which NaN stands for a missing value."""

    @classmethod
    def of(cls, estimator: Any, X: Any = None, y: Any = None) -> "GapCase":
        """Take series that are given, or make some; an imputer has no targets."""
        X = _make_series() if X is None else np.asarray(X)
        if X.ndim != 3 or X.dtype.kind != "f" or not np.isnan(X).any():
            raise ValueError(
                "X must hold series of an imputer, (sample, time, feature), with NaN where a value is missing. Got an "
                f"array of shape {X.shape} and type {X.dtype}."
            )
        y = np.zeros(len(X))
        check_count(X, y)
        return cls(estimator, X, y)

    @property
    def predicts_numbers(self) -> bool:
        return False

    @property
    def per_step(self) -> bool:
        return True

    @property
    def reads_forward(self) -> bool:
        """Whether a parameter says that later steps are not read; an imputer may read them."""
        return option(self.estimator, "bidirectional") is False

    def answers(self, model: Any, X: Any = None) -> Any:
        """What a fitted copy makes of series."""
        return model.transform(self.X if X is None else X)

    def bad_data(self) -> Iterator[tuple[str, Any, Any]]:
        infinite = self.changed()
        infinite[-1] = np.inf
        yield "infinity in X", infinite, self.y

    def as_table(self) -> "GapCase":
        """The series one after the other, as one."""
        X = self.X.reshape(-1, self.X.shape[2])
        return replace(self, X=X, y=np.zeros(len(X)))


def is_imputer(estimator: Any) -> bool:
    """Whether an estimator fills in missing values: it has the parameter that all imputers of scikit-learn have."""
    is_transformer = hasattr(estimator, "transform") and not hasattr(estimator, "predict")
    return is_transformer and has_option(estimator, "missing_values")


def check_only_gaps_are_filled(case: GapCase) -> None:
    """Each missing value is filled in, and all others stay as they are."""
    filled = np.asarray(case.answers(case.fit()))[..., : case.X.shape[2]]
    known = ~np.isnan(case.X)
    if not np.isfinite(filled).all():
        raise AssertionError(f"{case.name} leaves {np.sum(~np.isfinite(filled))} value(s) missing.")
    assert_same(filled[known], case.X[known], f"{case.name} changes values that are not missing.")


def _make_series() -> Array:
    random = np.random.default_rng(0)
    starts = random.uniform(0, 6, size=(_N_SERIES, 1, _N_FEATURES))
    X: Array = np.sin(starts + np.arange(_N_STEPS)[:, np.newaxis] / 2)
    X += random.normal(scale=0.1, size=X.shape)
    X[random.random(X.shape) < 0.25] = np.nan
    return X
