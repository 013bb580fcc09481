"""The hyperparameters of forecasters."""

from typing import Annotated, Any, Literal

from sklrnn._hyperparameters import Doc, Ge, Group, hyperparameters
from sklrnn.estimators.parameters import Bidirectional, PoolSize, Quantiles
from sklrnn.forecasting.network import ForecastLoss


@hyperparameters
class ForecasterParameters:
    """How a forecaster reads series, and what it learns to answer."""

    bidirectional: Bidirectional = False
    pool_size: PoolSize = 1
    window_length: Annotated[
        int | Literal["auto"],
        Ge(1),
        Group.INPUT,
        Doc(
            'Rows of the past that each forecast reads; "auto" takes up to 14 seasons, as the length of the series '
            "allows."
        ),
    ] = "auto"
    strategy: Annotated[
        Literal["direct", "recursive"],
        Group.INPUT,
        Doc(
            '"direct" answers all steps of `fh` at once; "recursive" answers one and reads its own answer. Steps '
            "beyond those learnt are always reached by reading own answers."
        ),
    ] = "direct"
    normalize: Annotated[
        Literal["window", "series"] | None,
        Group.INPUT,
        Doc(
            "What brings y to a common scale: the newest part of each window, each series as a whole, or (None) all "
            "series together."
        ),
    ] = "window"
    sp: Annotated[
        int | Literal["auto"],
        Ge(1),
        Group.INPUT,
        Doc('Rows in a season; "auto" finds it from the frequency and the autocorrelation.'),
    ] = "auto"
    fold: Annotated[
        int | Literal["auto"],
        Ge(1),
        Group.INPUT,
        Doc(
            'Rows that each recurrent step reads at once; "auto" takes the season, so that days are the steps and '
            "hours the features."
        ),
    ] = "auto"
    n_networks: Annotated[
        int, Ge(1), Group.NETWORK, Doc("Networks with different seeds whose forecasts are averaged.")
    ] = 1
    future_X: Annotated[
        Literal["known", "unknown"] | list[Any],
        Group.INPUT,
        Doc("Which columns of X are known in the future and must be passed to predict: all, none, or a list of names."),
    ] = "known"
    loss: Annotated[ForecastLoss, Group.LOSS, Doc("What is minimised.")] = "absolute_error"
    quantiles: Quantiles = (0.05, 0.5, 0.95)
    max_epochs: Annotated[
        int | Literal["auto"],
        Ge(1),
        Group.STOPPING,
        Doc(
            'Passes over the training windows; "auto" makes as many as the number of windows can bear: 200 steps of '
            "the optimizer for 84 windows, 20,000 for 200,000."
        ),
    ] = "auto"
    fine_tune: Annotated[
        bool,
        Group.TRAINING,
        Doc("After `pretrain`, let `fit` train on for a while on its own series; otherwise it only reads them."),
    ] = False
