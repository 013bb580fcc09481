"""The hyperparameters of forecasters."""

from typing import Annotated, Any, Literal

from sklrnn._hyperparameters import Choices, Doc, Ge, Group, Gt, hyperparameters
from sklrnn.estimators.parameters import Bidirectional, PoolSize, Quantiles
from sklrnn.forecasting.network import ForecastLoss
from sklrnn.nn.losses import LOSS_MEANINGS

Units = Annotated[
    int | tuple[int, ...] | Literal["auto"],
    Ge(1),
    Group.NETWORK,
    Doc(
        'Width of the recurrent state; a tuple stacks layers. "auto" takes 64, or 128 from 100,000 training windows on.'
    ),
]


LearningRate = Annotated[
    float | Literal["auto"],
    Gt(0),
    Group.TRAINING,
    Doc('Learning rate of the optimizer; "auto" takes 0.005, or 0.01 from 100,000 training windows on.'),
]


@hyperparameters
class ForecasterParameters:
    """How a forecaster reads series, and what it predicts."""

    bidirectional: Bidirectional = False
    pool_size: PoolSize = 1
    window_length: Annotated[
        int | Literal["auto"],
        Ge(1),
        Group.INPUT,
        Doc('Past rows that each forecast reads; "auto" takes up to 14 seasons, as the length of the series allows.'),
    ] = "auto"
    strategy: Annotated[
        Literal["direct", "recursive"],
        Group.INPUT,
        Doc(
            '"direct" predicts all steps of `fh` at once (multi-step forecast); "recursive" predicts one step '
            "and reads its own forecasts. Steps beyond the trained horizon are always predicted recursively."
        ),
    ] = "direct"
    normalize: Annotated[
        Literal["window", "series"] | None,
        Group.INPUT,
        Doc(
            "How y is scaled: by the newest part of each window, by each series as a whole, or (None) by all "
            "series together."
        ),
    ] = "window"
    sp: Annotated[
        int | Literal["auto"],
        Ge(1),
        Group.INPUT,
        Doc(
            'Seasonal periodicity in rows; "auto" takes the season of the frequency, or one that the autocorrelation '
            "shows, if it helps to forecast the last rows. `verbose=1` prints which."
        ),
    ] = "auto"
    fold: Annotated[
        int | Literal["auto"],
        Ge(1),
        Group.INPUT,
        Doc(
            'Rows that each recurrent step reads; "auto" takes a season, so that days are the steps and hours '
            "the features."
        ),
    ] = "auto"
    baseline: Annotated[
        Literal["auto", "level", "smoothing"],
        Group.INPUT,
        Doc(
            'What the networks correct: the "level" of the window, or exponential "smoothing" with a trend and a '
            'season; "auto" takes smoothing if a linear model on windows forecasts the newest ones no better.'
        ),
    ] = "auto"
    channels: Annotated[
        Literal["auto", "joint", "separate"],
        Group.INPUT,
        Doc(
            'With several columns in y: "joint" forecasts all of them from all, "separate" each from its own rows, by '
            'the same network; "auto" compares linear models of both on the newest windows.'
        ),
    ] = "auto"
    n_networks: Annotated[
        int | Literal["auto"],
        Ge(1),
        Group.NETWORK,
        Doc(
            'Networks with different seeds whose forecasts are averaged; "auto" takes 3 for up to 500 training '
            "windows, which are soon learnt, and 1 for more."
        ),
    ] = "auto"
    future_X: Annotated[
        Literal["known", "unknown"] | list[Any],
        Group.INPUT,
        Doc(
            "The columns of X that are known in the future: all, none, or a list of names. They must be passed for "
            "all steps of the `fh` of `fit`, to `predict` or in advance."
        ),
    ] = "known"
    loss: Annotated[ForecastLoss, Choices(LOSS_MEANINGS), Group.LOSS, Doc("What is minimised.")] = "absolute_error"
    quantiles: Quantiles = (0.05, 0.5, 0.95)
    max_epochs: Annotated[
        int | Literal["auto"],
        Ge(1),
        Group.STOPPING,
        Doc(
            'Number of epochs; "auto" follows from the number of windows: 200 steps of the optimizer for 84 '
            "windows, 20,000 for 200,000."
        ),
    ] = "auto"
    fine_tune: Annotated[
        bool,
        Group.TRAINING,
        Doc(
            "After `pretrain`, let `fit` train the network on its series for a tenth of the epochs; otherwise "
            "it only reads them."
        ),
    ] = False
