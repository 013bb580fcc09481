"""Whether the network of a forecaster should read all channels of y at once, or each on its own."""

from typing import Literal

from sklrnn.forecasting.auto_settings import with_separate_channels
from sklrnn.forecasting.baseline_trial import linear_loss
from sklrnn.forecasting.series import SeriesTable
from sklrnn.forecasting.windows import Windows, WindowSpec

Channels = Literal["joint", "separate"]

# More inputs fit better by chance: what they save must be clear.
_CLEARLY_LESS = 0.95


def training_windows(
    channels: Literal["auto"] | Channels,
    joint: WindowSpec,
    table: SeriesTable,
    *,
    sp: int,
    verbose: int,
) -> Windows:
    """Windows of the kind that was asked for, or chosen by the errors of linear models on the newest windows."""
    stacked = table.stack(sp=sp)
    if joint.n_channels == 1 or channels == "joint" or (channels == "auto" and joint.normalize is None):
        return Windows.for_training(joint, stacked)
    separate = Windows.for_training(with_separate_channels(joint, table), stacked)
    if channels == "separate":
        return separate
    together = Windows.for_training(joint, stacked)
    losses = linear_loss(together), linear_loss(separate)
    chosen, why = separate, "too few windows for a trial"
    if losses[0] is not None and losses[1] is not None:
        chosen = together if losses[0] < _CLEARLY_LESS * losses[1] else separate
        why = f"on the newest windows linear models of both have losses of {losses[0]:.3g} and {losses[1]:.3g}"
    if verbose:
        print(f"Channels: {'joint' if chosen is together else 'separate'} (joint or separate: {why})")
    return chosen
