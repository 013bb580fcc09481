"""The hyperparameters of imputers."""

from numbers import Real
from typing import Annotated, Literal

import numpy as np
from numpy.typing import ArrayLike

from sklrnn._hyperparameters import Choices, Doc, Ge, Group, Interval, hyperparameters
from sklrnn.estimators.parameters import NetworkParameters
from sklrnn.imputation.network import ImputationLoss
from sklrnn.nn.losses import LOSS_MEANINGS


@hyperparameters
class ImputerParameters(NetworkParameters):
    """How series with gaps are read, and how an imputer learns from them."""

    units = 64
    optimizer = "adam"
    schedule = "one_cycle"
    bidirectional: Annotated[
        bool,
        Group.NETWORK,
        Doc("Read the rows after a gap too; False imputes each gap from the rows before it alone."),
    ] = True
    window_length: Annotated[
        int | Literal["auto"],
        Ge(2),
        Group.INPUT,
        Doc(
            'Rows that are read at once; "auto" takes four times the length of gap that covers 90 % of the '
            "missing values, within 64 to 192."
        ),
    ] = "auto"
    calendar: Annotated[
        bool,
        Group.INPUT,
        Doc(
            "Where the index of a frame holds dates, read the time of day, week and year, where training "
            "spans two of them."
        ),
    ] = True
    loss: Annotated[
        ImputationLoss,
        Choices(LOSS_MEANINGS),
        Group.LOSS,
        Doc(
            "What is minimised, in units of the residuals of the interpolation: with the absolute or squared "
            "error, a loss below 1 is better than the interpolation."
        ),
    ] = "huber"
    max_epochs: Annotated[
        int | Literal["auto"],
        Ge(1),
        Group.STOPPING,
        Doc(
            'Number of epochs, in each of which other values are masked; "auto" makes 600 steps of the '
            "optimizer, and more for more than 128 windows."
        ),
    ] = "auto"
    early_stopping: Annotated[
        bool,
        Group.STOPPING,
        Doc("Hold out the newest rows, stop when their loss no longer decreases, and keep the best weights."),
    ] = False
    validation_fraction: Annotated[
        float,
        Interval(gt=0, lt=1),
        Group.STOPPING,
        Doc("Share of the rows, the newest, that early stopping holds out."),
    ] = 0.1
    missing_values: Annotated[
        float, Group.INPUT, Doc("The value that marks a missing one. If it is a number, NaN is an error.")
    ] = np.nan
    min_value: Annotated[
        ArrayLike,
        "array-like",
        Real,
        Group.INPUT,
        Doc("Least value that may be imputed; one for all columns, or one for each."),
    ] = -np.inf
    max_value: Annotated[
        ArrayLike,
        "array-like",
        Real,
        Group.INPUT,
        Doc("Greatest value that may be imputed; one for all columns, or one for each."),
    ] = np.inf
    keep_empty_features: Annotated[
        bool, Group.INPUT, Doc("Keep columns without any value in training, and impute them with 0.")
    ] = False
    add_indicator: Annotated[
        bool,
        Group.INPUT,
        Doc("Append for each column that has a gap in training another that is 1 where a value was missing."),
    ] = False
