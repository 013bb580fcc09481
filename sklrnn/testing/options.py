"""The parameters of any estimator, wherever in a pipeline or wrapper they are, and fresh copies with others."""

import copy
import re
from typing import Any

from sklearn.base import clone


def parameters_of(estimator: Any) -> dict[str, Any]:
    """The parameters by their full names; none for an object that does not follow scikit-learn."""
    return dict(estimator.get_params(deep=True)) if hasattr(estimator, "get_params") else {}


def describe_parameters(estimator: Any) -> str:
    """The parameters as text, without addresses in memory."""
    return re.sub(r" at 0x[0-9a-f]+", "", str(parameters_of(estimator)))


def has_option(estimator: Any, name: str) -> bool:
    """Whether the estimator, or one inside it, has a parameter of this name."""
    return any(_is(full, name) for full in parameters_of(estimator))


def option(estimator: Any, name: str, default: Any = None) -> Any:
    """The value of the parameter of this name, of the estimator or of one inside it."""
    values = [value for full, value in parameters_of(estimator).items() if _is(full, name)]
    return values[0] if values else getattr(estimator, name, default)


def set_options(estimator: Any, **values: Any) -> Any:
    """Set parameters wherever they exist."""
    names = parameters_of(estimator)
    found = {full: value for name, value in values.items() for full in names if _is(full, name)}
    return estimator.set_params(**found) if found else estimator


def fresh_copy(estimator: Any, **values: Any) -> Any:
    """An unfitted copy whose random parts have a seed, and whose other parameters are as given where they exist."""
    new = clone(estimator) if hasattr(estimator, "get_params") else copy.deepcopy(estimator)
    unseeded = {full: 0 for full, value in parameters_of(new).items() if _is(full, "random_state") and value is None}
    if unseeded:
        new.set_params(**unseeded)
    return set_options(new, **values)


def _is(full_name: str, name: str) -> bool:
    return full_name == name or full_name.endswith(f"__{name}")
