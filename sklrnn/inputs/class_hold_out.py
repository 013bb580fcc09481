"""Holding out samples of every class, so that each is learnt and evaluated."""

import numpy as np

from sklrnn.inputs.samples import Array, Samples, hold_out_newest
from sklrnn.inputs.user_warnings import warn_user

# With fewer held-out labels than these, chance decides which epoch is the best.
_FEWEST_HELD_OUT = 20
_FEWEST_OF_A_CLASS = 2


def hold_out_classes(
    samples: Samples, fraction: float, classes: Array, *, in_order: bool
) -> tuple[Samples, Samples | None]:
    """Hold out the newest samples of each class, or nothing, with a warning, where the parts would be too small.

    The targets of the samples are positions in ``classes``. With ``in_order`` the samples can't be split by class:
    each has labels of several classes, or follows on the one before it. The newest of all are held out then.
    """
    train, held_out = (hold_out_newest if in_order else hold_out_newest_of_each_class)(samples, fraction)
    n_train, n_held_out = (_count_labels(part, len(classes)) for part in (train, held_out))
    if is_useful(n_train, n_held_out, fraction, classes, in_order=in_order):
        return train, held_out
    return samples, None


def is_useful(n_train: Array, n_held_out: Array, fraction: float, classes: Array, *, in_order: bool = False) -> bool:
    """Whether parts of so many labels of each class serve early stopping; a warning says why they don't."""
    reason = _why_not(n_train, n_held_out, classes, in_order=in_order)
    if reason is not None:
        warn_user(
            f"This fit trains on all samples, without early stopping, as validation_fraction={fraction} {reason}. "
            "Change validation_fraction, pass more samples, or set early_stopping=False."
        )
    return reason is None


def hold_out_newest_of_each_class(samples: Samples, fraction: float) -> tuple[Samples, Samples]:
    """Split off the newest samples of each class, counting those with nonzero weight.

    Both parts hold all samples, those of the other part with weight zero.
    """
    chosen = samples.nonzero_weight
    codes = samples.y[chosen]
    n_of_class = np.bincount(codes)
    n_held_out = count_held_out(n_of_class, fraction)
    oldest_first = np.argsort(codes, kind="stable")  # class after class
    n_newer = np.cumsum(n_of_class)[codes[oldest_first]] - 1 - np.arange(len(codes))
    is_held_out = np.zeros(len(samples.y), dtype=bool)
    is_held_out[chosen[oldest_first[n_newer < n_held_out[codes[oldest_first]]]]] = True
    return samples.only(~is_held_out), samples.only(is_held_out)


def count_held_out(n_of_class: Array, fraction: float) -> Array:
    """How many samples of each class are held out."""
    return np.floor(fraction * n_of_class + 0.5).astype(np.intp)


def _count_labels(samples: Samples, n_classes: int) -> Array:
    """How many labels of nonzero weight each class has."""
    codes, weights = samples.targets()
    return np.bincount(codes if weights is None else codes[weights > 0], minlength=n_classes)


def _why_not(n_train: Array, n_held_out: Array, classes: Array, *, in_order: bool) -> str | None:
    """What makes a split useless for early stopping, if anything."""
    untrained = np.flatnonzero((n_train == 0) & (n_held_out > 0))
    if len(untrained):
        return f"leaves no sample of {_name(classes[untrained])} to train on"
    if n_held_out.sum() < _FEWEST_HELD_OUT:
        return f"holds out {n_held_out.sum()} labels, and at least {_FEWEST_HELD_OUT} are needed to evaluate an epoch"
    unevaluated = np.flatnonzero((n_train > 0) & (n_held_out < _FEWEST_OF_A_CLASS))
    if in_order or not len(unevaluated):
        return None
    first = unevaluated[0]
    return (
        f"holds out {n_held_out[first]} of the {n_train[first] + n_held_out[first]} samples of "
        f"{_name(classes[unevaluated])}, of which each epoch is evaluated on at least {_FEWEST_OF_A_CLASS}"
    )


def _name(classes: Array) -> str:
    more = f" (and of {len(classes) - 1} more)" if len(classes) > 1 else ""
    return f"class {classes.tolist()[0]!r}{more}"
