"""The names of the features of a step, where X had names."""

import re
from typing import Any

_LAG = re.compile(r"_lag\d+$")


def feature_names(estimator: Any, n_features: int) -> list[str] | None:
    """Names of the features; of lag columns such as ``temp_lag2`` the part in front. None where X had no names.

    Columns of a table are steps of one univariate series, unless ``n_timesteps`` says that a step has several.
    """
    columns = getattr(estimator, "feature_names_in_", None)
    if columns is None or estimator.n_timesteps is None:
        return None
    names = [str(name) for name in columns[-n_features:]]  # those of the newest step
    return [_LAG.sub("", name) for name in names]


def name_features(estimator: Any, n_features: int) -> list[str]:
    """Each feature by its name or its position, as a message shows it."""
    names = feature_names(estimator, n_features)
    return [f"feature {number}" for number in range(n_features)] if names is None else [repr(name) for name in names]
