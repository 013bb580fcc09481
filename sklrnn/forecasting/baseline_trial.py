"""Whether the network of a forecaster should correct the level of its window, or exponential smoothing."""

from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sklrnn.forecasting.targets import Targets
from sklrnn.forecasting.windows import Windows

Array = NDArray[Any]

Baseline = Literal["level", "smoothing"]

# Errors are taken of so many windows, spread over the series.
_MOST_WINDOWS = 1000
# The share of the windows, the newest, that the linear model is tested on; with fewer windows there is no trial.
_TEST_SHARE, _LEAST_WINDOWS = 0.3, 20
_LEAST_TRAINED = 10
# Penalties of the linear model, of which the best counts: hundreds of inputs need much, a dozen hardly any.
_PENALTIES = (1.0, 10.0, 100.0, 1_000.0, 10_000.0)


def with_baseline(
    windows: Windows, baseline: Literal["auto"] | Baseline, seasons: tuple[int, ...], *, verbose: int
) -> Windows:
    """The same windows, whose targets are the errors of the baseline that was asked for, or chosen."""
    if baseline == "level" or (baseline == "auto" and windows.spec.normalize != "window"):
        return windows
    smoothed = replace(windows, spec=replace(windows.spec, smoothing_seasons=seasons))
    if baseline == "smoothing":
        return smoothed
    linear, chosen = linear_loss(windows), smoothed
    why = "too few windows for a trial"
    if linear is not None:
        loss = _loss_of_zero(_newest(smoothed))
        # The linear model must be clearly better, by the chance of so many windows: smoothing needs no luck.
        chosen = windows if linear < (1 - _n_newest(windows) ** -0.5) * loss else smoothed
        why = f"on the newest windows a linear model has a loss of {linear:.3g}, smoothing of {loss:.3g}"
    if verbose:
        print(f"Baseline: {'level' if chosen is windows else 'smoothing'} ({why})")
    return chosen


def linear_loss(windows: Windows) -> float | None:
    """The weighted absolute error, on the newest windows, of a linear model that is fitted to the older ones.

    It shows at little cost how well a network may forecast. None where there are too few windows.
    """
    n, newest = len(windows), _newest(windows)
    n_older = windows.count_before(n - _n_newest(windows)) if n >= _LEAST_WINDOWS else 0
    if n_older < _LEAST_TRAINED:
        return None
    older = _spread(windows, 0, n_older)
    inputs, new_inputs = (part.to_numpy().reshape(len(part), -1).astype(np.float64) for part in (older, newest))
    mean, spread = inputs.mean(axis=0), inputs.std(axis=0)
    inputs, new_inputs = ((part - mean) / np.where(spread > 0, spread, 1.0) for part in (inputs, new_inputs))
    targets = np.split(np.asarray(Targets.of(older)), 2, axis=1)[0].astype(np.float64)
    new_targets, weights = np.split(np.asarray(Targets.of(newest)), 2, axis=1)
    losses = []
    # Ridge regression with an intercept, solved by windows, as there may be more inputs.
    products, new_products = inputs @ inputs.T + 1.0, new_inputs @ inputs.T + 1.0
    for penalty in _PENALTIES:
        predicted = new_products @ np.linalg.solve(products + penalty * np.eye(len(products)), targets)
        losses.append(float((np.abs(new_targets - predicted) * weights).mean()))
    return min(losses)


def _n_newest(windows: Windows) -> int:
    return max(1, int(_TEST_SHARE * len(windows)))


def _newest(windows: Windows) -> Windows:
    return _spread(windows, len(windows) - _n_newest(windows), len(windows))


def _loss_of_zero(windows: Windows) -> float:
    """The weighted absolute error of the baseline itself."""
    targets, weights = np.split(np.asarray(Targets.of(windows)), 2, axis=1)
    return float((np.abs(targets) * weights).mean(dtype=np.float64))


def _spread(windows: Windows, start: int, stop: int) -> Windows:
    """At most ``_MOST_WINDOWS`` of the windows from start to stop, evenly spread."""
    step = max(1, -(-(stop - start) // _MOST_WINDOWS))
    some: Windows = windows[start:stop:step]
    return some
