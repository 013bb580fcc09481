"""What every saved object carries: the version of sklrnn, the format of its state, and the names in it.

A state that this version can't use is refused when it is loaded, rather than when something of it is missing later.
Parameters that came after it was saved have their defaults; those of a later version that this one does not know are
refused.
``FORMAT`` goes up when the names or the meaning of what is saved change: ``tests/test_saved_state.py`` says when.
"""

import hashlib
import inspect
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

# Format 1 carried neither version nor format.
FORMAT = 2
_STAMP = "sklrnn_format"
_SCALARS: tuple[type, ...] = (bool, int, float, complex, str, bytes, type(None))
_HASHED_NUMBERS = 2**22  # at once: windows may be a view

# Classes that the state of public objects is made of; see ``trusted_types``.
_PARTS = (
    "numpy.dtype",
    "sklrnn.forecasting.calibration.Calibration",
    "sklrnn.forecasting.calibration.Pretrained",
    "sklrnn.forecasting.error_sizes.ErrorSizes",
    "sklrnn.forecasting.history.Columns",
    "sklrnn.forecasting.history.History",
    "sklrnn.forecasting.network.ForecastNetwork",
    "sklrnn.forecasting.network.NetworkRecipe",
    "sklrnn.forecasting.future_X.RowsOfX",
    "sklrnn.forecasting.series.SeriesTable",
    "sklrnn.forecasting.series_times.Grid",
    "sklrnn.forecasting.series_times.SeriesTimes",
    "sklrnn.forecasting.windows.StackedSeries",
    "sklrnn.forecasting.windows.WindowSpec",
    "sklrnn.forecasting.windows.Windows",
    "sklrnn.preprocessing._window_layout.Context",
    "sklrnn.preprocessing._window_layout.ContextRows",
    "sklrnn.timeline.calendar_features.Calendar",
    "sklrnn.timeline.time_index.TimeGrid",
    "sklrnn.training.trained_network.TrainingOptions",
)
_FORECASTING = (
    "CNNLSTMForecaster",
    "Comparison",
    "GRUForecaster",
    "LSTMForecaster",
    "RecurrentForecaster",
    "SimpleRNNForecaster",
)


@cache
def package_version() -> str:
    try:
        return version("sklrnn")
    except PackageNotFoundError:  # run from its sources
        return "unknown"


def with_stamp(state: dict[str, Any], kind: type) -> dict[str, Any]:
    """Add to the state of an object what ``without_stamp`` checks."""
    stamp = {
        "version": package_version(),
        "format": FORMAT,
        "parameters": _parameters_of(kind),
        "names": sorted(state),
        "digest": digest_of(state),
    }
    return {**state, _STAMP: stamp}


def without_stamp(state: dict[str, Any], kind: type) -> dict[str, Any]:
    """Check the state of an object that is loaded, and give it without the stamp."""
    content = {name: value for name, value in state.items() if name != _STAMP}
    stamp = state.get(_STAMP)
    if stamp is None:
        raise refusal(state, kind, f"it has no {_STAMP!r}, which was not yet written in format 1")
    if stamp["format"] != FORMAT:
        raise refusal(state, kind, f"its format is {stamp['format']}")
    check_names(state, kind, content, stamp["names"])
    unknown = sorted({*stamp["parameters"]} - {*_parameters_of(kind)})
    if unknown:
        raise refusal(state, kind, f"{unknown} is unknown")
    if digest_of(content) != stamp["digest"]:
        raise refusal(state, kind, "its values are not those that were saved")
    return _later_defaults(kind, stamp["parameters"]) | content


def check_names(state: dict[str, Any], kind: type, found: Iterable[str], needed: Iterable[str]) -> None:
    """Refuse a state where names are missing or unknown."""
    missing, unknown = sorted({*needed} - {*found}), sorted({*found} - {*needed})
    if missing:
        raise refusal(state, kind, f"{missing} is missing")
    if unknown:
        raise refusal(state, kind, f"{unknown} is unknown")


def refusal(state: dict[str, Any], kind: type, why: str) -> ValueError:
    """The error for a state that can't be used, which names the version that can."""
    here, stamp = f"sklrnn {package_version()}, which reads format {FORMAT}", state.get(_STAMP)
    if stamp is None:
        needed = "by an earlier version. Load it with that one"
    elif (stamp["version"], stamp["format"]) == (package_version(), FORMAT):
        needed = "by this version, so it was damaged or changed since. Save it again"
    else:
        needed = f"by sklrnn {stamp['version']}. Load it with that one: pip install sklrnn=={stamp['version']}"
    return ValueError(
        f"This saved {kind.__name__} can't be loaded by {here}: {why}. It was saved {needed}, or fit a new one."
    )


@cache
def _parameters_of(kind: type) -> list[str]:
    return sorted(name for name in inspect.signature(kind.__init__).parameters if name != "self")  # type: ignore[misc]


def digest_of(state: dict[str, Any]) -> str:
    """A hash of plain values, arrays and containers of them, so that a changed bit is an error and no other answer.

    Of other objects it takes the class: those of this package bring a digest of their own, and what users pass may
    change while it is saved.
    """
    found = hashlib.blake2b(digest_size=16)
    for part in hashed_parts(state, _name_of_class):
        found.update(part)
    return found.hexdigest()


def hashed_parts(value: Any, of_object: Callable[[Any], Iterator[bytes]]) -> Iterator[bytes]:
    """What a hash of plain values, arrays and containers of them is made of; ``of_object`` gives it for all others."""
    if isinstance(value, np.ndarray | np.generic) and value.dtype != object:
        yield f"{value.dtype.str}{value.shape};".encode()
        rows = np.atleast_1d(value)
        n_at_once = max(1, _HASHED_NUMBERS // max(1, rows[:1].size))
        for start in range(0, len(rows), n_at_once):
            yield np.ascontiguousarray(rows[start : start + n_at_once]).tobytes()
    elif isinstance(value, _SCALARS):
        kind: Any = next(kind for kind in _SCALARS if isinstance(value, kind))  # an enum may be loaded as its number
        yield f"{kind.__name__}={value if value is None else kind(value)!r};".encode()
    elif isinstance(value, dict):
        for key, item in sorted(value.items(), key=lambda pair: repr(pair[0])):
            yield f"{key!r}:".encode()
            yield from hashed_parts(item, of_object)
    elif isinstance(value, list | tuple | np.ndarray):
        yield f"{type(value).__name__}{len(value)};".encode()
        for item in value:
            yield from hashed_parts(item, of_object)
    elif type(value).__module__.split(".")[0] == "pandas" and hasattr(value, "to_numpy"):
        yield from hashed_parts(np.asarray(value.to_numpy()), of_object)
    else:
        yield from of_object(value)


def _name_of_class(value: Any) -> Iterator[bytes]:
    kind = value if isinstance(value, type) else type(value)
    # Not its __qualname__, which cloudpickle does not keep for a class that was defined in a function.
    yield f"{kind.__module__}.{kind.__name__};".encode()


def _later_defaults(kind: type, known: list[str]) -> dict[str, Any]:
    """The defaults of parameters that came after an object was saved."""
    later = {*_parameters_of(kind)} - {*known}
    if not later:
        return {}
    parameters = inspect.signature(kind.__init__).parameters.values()  # type: ignore[misc]
    return {each.name: each.default for each in parameters if each.name in later and each.default is not each.empty}


def with_plain_numbers(value: Any) -> Any:
    """Put Python's own number or boolean in the place of numpy's, in dicts too."""
    if isinstance(value, dict):
        return {name: with_plain_numbers(item) for name, item in value.items()}
    return value.item() if isinstance(value, np.generic) else value


class Saved:
    """Saves an object with its version; comes before scikit-learn's ``BaseEstimator`` in the bases."""

    def __getstate__(self) -> dict[str, Any]:
        return with_stamp(vars(self), type(self))

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(without_stamp(state, type(self)))


def trusted_types() -> list[str]:
    """Name the types of this package that saved objects are made of, for the `trusted` of ``skops.io.load``.

    These are all that an object of sklrnn needs, unless a cell, a loss, an optimizer, a callback or a scaler of another
    package was passed to it: ``skops.io.get_untrusted_types`` lists what a file needs beyond them.

    Returns
    -------
    names : list of str
        Full names of classes.

    See Also
    --------
    sklrnn.GRURegressor : One of the classes that can be saved.

    Examples
    --------
    >>> import sklrnn
    >>> "sklrnn.GRURegressor" in sklrnn.trusted_types()
    True
    """
    import sklrnn

    public = [f"sklrnn.{name}" for name in sklrnn.__all__ if name[0].isupper() and name != "LeakageError"]
    forecasting = [f"sklrnn.forecasting.{name}" for name in _FORECASTING]
    adapters = ["sklrnn.sktime_adapters.SktimeClassifier", "sklrnn.sktime_adapters.SktimeRegressor"]
    return sorted([*public, *forecasting, *adapters, *_PARTS])
