"""Errors of a regressor on samples that its network was not trained on: held out, or predicted by refits."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import check_cv
from skorch.callbacks import Checkpoint

from sklrnn._hyperparameters import Doc, Group, Satisfies
from sklrnn.estimators.conformal import HeldOutErrors
from sklrnn.estimators.options import shallow_copy
from sklrnn.inputs.ragged import concatenate_steps
from sklrnn.inputs.samples import Samples

Array = NDArray[Any]
Positions = NDArray[np.intp]


class Splitter(Protocol):
    """What splitters of scikit-learn and of this package have in common."""

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterable[tuple[Any, Any]]:
        """Positions of the training and the test samples of each fold."""


def _is_cv(value: Any) -> bool:
    if isinstance(value, int | np.integer):
        return int(value) >= 2
    return value is None or (not isinstance(value, str) and (hasattr(value, "split") or hasattr(value, "__iter__")))


CalibrationCV = Annotated[
    int | Splitter | Iterable[tuple[Any, Any]] | None,
    Satisfies(_is_cv, "an int of at least 2, a splitter, an iterable of (train, test) positions, or None"),
    Group.LOSS,
    Doc(
        "Prediction intervals from cross-conformal prediction [Vovk2015]_: `fit` also trains one network for each "
        "fold without this fold, and keeps its errors there. An int cuts the samples, in their order, into so many "
        "blocks; with several outputs samples beside a block whose outputs may overlap with it are left out. A "
        "splitter such as `PurgedKFold` knows the horizon and the window too. None: intervals come from the loss, or "
        "from the samples that early stopping held out.\n\n"
        '.. [Vovk2015] Vovk, V.: "Cross-conformal predictors", Annals of Mathematics and Artificial Intelligence '
        "74(1-2), 2015."
    ),
]


def measure_errors(regressor: Any, samples: Samples) -> HeldOutErrors:
    """The errors of a fitted regressor on samples of nonzero weight, in the units that its network learns in."""
    samples = regressor._in_window_units(samples)
    # Raw outputs are picked, not sequences: picking windows would write them out.
    raw, (y, weights) = regressor.model_.run(samples.X)[samples.nonzero_weight], samples.targets()
    if samples.per_timestep:
        chosen = slice(None) if weights is None else weights > 0
        raw, y = concatenate_steps(raw)[chosen], y[chosen]
    return HeldOutErrors.measure(y, regressor._point(raw), regressor._innermost_band(raw))


def cross_conformal_errors(regressor: Any, samples: Samples) -> HeldOutErrors:
    """The errors on each fold of networks that are trained as that of a regressor, but without this fold."""
    folds = []
    for train, test in _split(regressor, samples):
        refit = shallow_copy(regressor, callbacks=_without_checkpoints(regressor.callbacks))
        refit._plan(samples.only(train), continues=False)[0]()
        if hasattr(refit, "_interrupt"):
            raise KeyboardInterrupt
        # A slice of windows stays a view. A stateful network reads all that comes before a fold.
        read = slice(0 if regressor.stateful else test[0], test[-1] + 1)
        folds.append(measure_errors(refit, samples.only(test)[read]))
    return HeldOutErrors.concatenate(folds)


def explain_missing(regressor: Any) -> str:
    """Why a fitted regressor knows no errors, and what to do."""
    levels = regressor._loss.levels
    outer = f"outer levels in `quantiles` (now {levels})" if levels else 'loss="quantile" or "gaussian"'
    return (
        f"loss={regressor._loss_parameters['loss']!r} gives no such quantiles, and no samples were held out to measure "
        f"errors on. Fit with calibration_cv=3 (about three times as long), with early_stopping=True or with {outer}."
    )


def check_calibration(regressor: Any) -> None:
    """Refuse refits where training continues."""
    if regressor.calibration_cv is not None and regressor.warm_start:
        raise ValueError(
            f"calibration_cv={regressor.calibration_cv!r} trains networks anew, which tells nothing about a network "
            "that is trained on with warm_start=True. Set calibration_cv=None, or warm_start=False."
        )


def _split(regressor: Any, samples: Samples) -> Iterator[tuple[Positions, Positions]]:
    """Positions of the training and test samples of each fold; a splitter counts those of nonzero weight."""
    chosen, cv = samples.nonzero_weight, regressor.calibration_cv
    if isinstance(cv, int | np.integer):
        overlap = 0 if samples.per_timestep else regressor.n_outputs_ - 1
        folds = _blocks(len(chosen), int(cv), overlap)
    else:
        folds = check_cv(cv).split(np.zeros((len(chosen), 1)))
    for train, test in folds:
        n_train, n_test = len(train), len(test)
        if not n_train or not n_test or max(np.max(train), np.max(test)) >= len(chosen):
            raise ValueError(
                f"calibration_cv={cv!r} gives {n_train} samples to train on and {n_test} to test on, up to number "
                f"{max(np.max(part, initial=0) for part in (train, test))}, and there are {len(chosen)}, counted from "
                "0. Pass more samples, or change calibration_cv."
            )
        yield chosen[train], np.sort(chosen[test])


def _blocks(n: int, n_blocks: int, overlap: int) -> Iterator[tuple[Positions, Positions]]:
    """Contiguous blocks, and the samples that are more than ``overlap`` before or behind each."""
    everywhere, stop = np.arange(n), 0
    for test in np.array_split(everywhere, n_blocks):
        start, stop = stop, stop + len(test)
        yield everywhere[(everywhere < start - overlap) | (everywhere >= stop + overlap)], test


def _without_checkpoints(callbacks: list[Any] | None) -> list[Any] | None:
    """The callbacks of a refit: it would overwrite the weights of the model that a Checkpoint saved."""
    if callbacks is None:
        return None
    return [each for each in callbacks if not isinstance(each[-1] if isinstance(each, tuple) else each, Checkpoint)]
