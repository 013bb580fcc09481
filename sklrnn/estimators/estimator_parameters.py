"""The hyperparameters that regressors and classifiers share, besides those of their network."""

from typing import Annotated, Literal

from sklrnn._hyperparameters import Doc, Ge, Group, hyperparameters
from sklrnn.estimators.parameters import Bidirectional, PoolSize


@hyperparameters
class EstimatorParameters:
    """How sequences are read, and how long a network is trained on them."""

    bidirectional: Bidirectional = False
    pool_size: PoolSize = 1
    normalize_X: Annotated[
        bool,
        Group.INPUT,
        Doc("Standardise each feature with its mean and spread over all training steps, inside the network."),
    ] = True
    n_timesteps: Annotated[
        int | None,
        Ge(1),
        Group.INPUT,
        Doc(
            "How 2-D X is read: None takes each row as a univariate series; an int as that many time-major blocks of "
            "columns."
        ),
    ] = None
    max_epochs: Annotated[int, Ge(1), Group.STOPPING, Doc("Most passes over the training sequences.")] = 100
    shuffle: Annotated[bool, Group.TRAINING, Doc("Draw the training sequences in a new order in each epoch.")] = True
    embedding_dim: Annotated[
        int | None,
        Ge(1),
        Group.INPUT,
        Doc(
            "X holds integer tokens, (sample, time); each is read as a learnt vector of this width, and those that "
            "training never saw as one of their own. None: X holds numbers."
        ),
    ] = None
    return_sequences: Annotated[bool, Group.NETWORK, Doc("Give an answer at every step: y has a time axis.")] = False
    missing: Annotated[
        Literal["error", "mask"],
        Group.INPUT,
        Doc(
            'What NaN in X is: an error, or with "mask" a value that is not there: the network reads the mean, and is '
            "told where."
        ),
    ] = "error"
    stateful: Annotated[
        bool,
        Group.INPUT,
        Doc(
            "Read samples as consecutive segments of one long sequence: each begins in the state in which the one "
            "before it ended, in `fit` (without shuffling) and in each call of `predict`."
        ),
    ] = False
    warm_start: Annotated[bool, Group.RUNNING, Doc("Let `fit` go on from the weights of the previous `fit`.")] = False
