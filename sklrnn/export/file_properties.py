"""What a graph itself does not tell, and a program that reads the file has to know."""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklrnn.estimators.classifier import ClassifierTask
from sklrnn.preprocessing.sliding_window import SlidingWindow
from sklrnn.saved_state import package_version

Array = NDArray[Any]


def file_properties(steps: list[Any], estimator: Any, levels: Array | None) -> dict[str, str]:
    """The ``metadata_props`` of an exported model: each value is JSON."""
    first = [*steps, estimator][0]
    windows = [step for step in steps if isinstance(step, SlidingWindow)]
    names = getattr(first, "feature_names_in_", None)
    properties = {
        "sklrnn_version": package_version(),
        "estimator": type(estimator).__name__,
        "stateful": estimator.stateful,
        "missing": estimator.missing,
        "n_timesteps": estimator.n_timesteps,
        "window_span": windows[0]._span if windows else None,
        "feature_names": None if names is None else [str(name) for name in names],
        "classes": np.asarray(estimator.classes_).tolist() if isinstance(estimator, ClassifierTask) else None,
        "quantiles": None if levels is None else levels.tolist(),
    }
    return {name: json.dumps(value) for name, value in properties.items() if value is not None}
