"""X and y on the scale of each window: ``normalize_X="window"`` and ``normalize_y="window"``."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from sklrnn._hyperparameters import Doc, Group, Satisfies
from sklrnn.inputs.feature_names import feature_names
from sklrnn.inputs.ragged import Ragged, Sequences
from sklrnn.inputs.samples import Samples, feature_statistics
from sklrnn.nn.window_scale import StandardiseWindow, measure_windows
from sklrnn.training.inference import measure_in_blocks

Array = NDArray[Any]

# Parameters that can't be combined with it, what they are without, and why.
_EXCLUDED = {
    "return_sequences": (False, "the level of a window is its last value, which earlier steps must not know"),
    "stateful": (False, "the hidden state is passed between windows that differ in scale"),
    "embedding_dim": (None, "tokens have no level and no spread"),
}


def _is_target_feature(value: Any) -> bool:
    each = value if isinstance(value, tuple | list) and value else [value]
    return value is None or all(
        isinstance(item, str) or (isinstance(item, int | np.integer) and not isinstance(item, bool) and item >= 0)
        for item in each
    )


TargetFeature = Annotated[
    int | str | tuple[int | str, ...] | None,
    Satisfies(_is_target_feature, "an int of at least 0, a str, a non-empty tuple of these, or None"),
    Group.LOSS,
    Doc(
        'With ``normalize_y="window"`` the feature of X that y continues: its position, counted from 0, or its name '
        "where X is a table with names; a tuple has one for each output. None: the only feature of X."
    ),
]


def check_window_parameters(estimator: Any) -> None:
    """Refuse what can't be combined with a scale for each window."""
    for name in ("normalize_X", "normalize_y"):
        for other, (without, reason) in _EXCLUDED.items():
            value = getattr(estimator, other)
            if getattr(estimator, name, None) == "window" and value not in (None, False):
                raise ValueError(
                    f'{name}="window" can\'t be combined with {other}={value!r}: {reason}. Set {name}=True, or '
                    f"{other}={without!r}."
                )


def typical_window_spread(train: Samples, *, with_missing: bool) -> Array:
    """The root mean square of the spreads of the training windows, for each feature."""
    weights, chosen = train.row_weights, train.nonzero_weight
    measure = partial(measure_windows, with_missing=with_missing)
    spreads = measure_in_blocks(measure, train.X, chosen)[2].astype(np.float64)
    shares = ~np.isnan(spreads) * (np.ones(len(chosen)) if weights is None else weights[chosen])[:, np.newaxis]
    tiny = np.finfo(np.float64).tiny
    largest = np.fmax.reduce(spreads, axis=0, initial=tiny)  # the squares of very large spreads would be infinite
    squares = np.where(shares > 0, spreads / largest, 0.0) ** 2
    typical: Array = largest * np.sqrt((shares * squares).sum(axis=0) / np.maximum(shares.sum(axis=0), tiny))
    return typical


@dataclass(frozen=True)
class WindowUnits:
    """The units of y with ``normalize_y="window"``: level and spread of a feature in the window of each sample.

    ``features`` holds the position of the feature of each output, ``statistics`` the mean, the spread and the typical
    spread within a window for each feature in it. With ``positive`` y is only divided, by the root mean square of the
    window: a rate can't be negative.
    """

    features: tuple[int, ...]
    statistics: Array
    with_missing: bool
    positive: bool

    @classmethod
    def state_for(cls, regressor: Any, train: Samples) -> tuple[Any, ...]:
        """Learn the units of a regressor; plain values, which any way of saving knows."""
        with_missing, features = regressor.missing == "mask", find_target_features(regressor, train.X.shape[2])
        statistics = []
        for feature in sorted(set(features)):
            samples = replace(train, X=_only(train.X, feature))
            mean, spread = feature_statistics(samples.X, samples.row_weights, samples.nonzero_weight)
            statistics.append([mean, spread, typical_window_spread(samples, with_missing=with_missing)])
        return features, np.array(statistics), with_missing, regressor._loss.positive

    def scale(self, samples: Samples) -> Samples:
        """Samples with y in these units."""
        level, unit = self._of_windows(samples.X)
        return replace(samples, y=(samples.y - level) / unit)

    def restore(self, values: Array, X: Sequences) -> Array:
        """Values in the user's units: (sample, output), or (sample, output, quantile)."""
        level, unit = (part.reshape(*part.shape, *[1] * (values.ndim - 2)) for part in self._of_windows(X))
        restored: Array = values * unit + level
        return restored

    def layers(self) -> Iterator[tuple[int, StandardiseWindow]]:
        """The position of each feature that measures an output, and the layer that measures the feature alone."""
        for feature, (mean, spread, typical) in zip(sorted(set(self.features)), self.statistics, strict=True):
            layer = StandardiseWindow(1, flag_missing=self.with_missing)
            layer.set_statistics(mean, spread)
            layer.set_typical(typical)
            yield feature, layer

    def _of_windows(self, X: Sequences) -> tuple[Array, Array]:
        """Level and unit of each window, (sample, output)."""
        columns = {}
        for feature, layer in self.layers():
            level, mean, spread = measure_in_blocks(layer.measure, _only(X, feature))
            columns[feature] = (np.zeros_like(level), np.hypot(mean, spread)) if self.positive else (level, spread)
        levels, units = zip(*(columns[feature] for feature in self.features), strict=True)
        return np.concatenate(levels, axis=1), np.concatenate(units, axis=1)


def find_target_features(estimator: Any, n_features: int) -> tuple[int, ...]:
    """The position of the feature that each output is measured by, as ``target_feature`` names it."""
    given, n_outputs = estimator.target_feature, estimator.n_outputs_
    if given is None and n_features > 1:
        raise ValueError(
            f'normalize_y="window" measures y by the level and the spread of one feature of X, which has {n_features}: '
            f"{_listed(estimator, n_features)}. Set target_feature to the one that y continues."
        )
    each = list(given) if isinstance(given, tuple | list) else [0 if given is None else given] * n_outputs
    if len(each) != n_outputs:
        raise ValueError(
            f"target_feature={given!r} names {len(each)} features, but y has {n_outputs} output(s). Name one feature "
            "for each output, or a single one for all."
        )
    names = feature_names(estimator, n_features) or []
    positions = [names.index(item) if item in names else item for item in each]
    for item, position in zip(each, positions, strict=True):
        if isinstance(position, str) or position >= n_features:
            unnamed = (
                ""
                if names or not isinstance(item, str)
                else " X has no names of features here: windows of SlidingWindow are arrays."
            )
            raise ValueError(
                f"target_feature={item!r} is no feature of X, which has {_listed(estimator, n_features)}.{unnamed}"
            )
    return tuple(int(position) for position in positions)


def check_same_units(regressor: Any, X: Sequences) -> None:
    """Refuse other units of y where training continues."""
    state = getattr(regressor, "_y_windows", None)
    before = None if state is None else state[0]
    now = find_target_features(regressor, X.shape[2]) if regressor.normalize_y == "window" else None
    if before != now:
        units = ["that of training" if f is None else f"that of the window, features {f}" for f in (before, now)]
        regressor._check_unchanged({"normalize_y": units[0]}, {"normalize_y": units[1]})


def _listed(estimator: Any, n_features: int) -> str:
    names = feature_names(estimator, n_features)
    return f"the positions 0 to {n_features - 1}" if names is None else ", ".join(map(repr, names))


def _only(X: Sequences, feature: int) -> Sequences:
    """One feature of sequences, as a view."""
    if isinstance(X, Ragged):
        return Ragged(X.steps[:, feature : feature + 1], X.starts, X.lengths)
    return X[:, :, feature : feature + 1]
