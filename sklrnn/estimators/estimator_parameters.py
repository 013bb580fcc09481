"""The hyperparameters that regressors and classifiers share, besides those of their network."""

from typing import Annotated, Literal

from sklrnn._hyperparameters import Choices, Doc, Ge, Group, hyperparameters
from sklrnn.estimators.parameters import Bidirectional
from sklrnn.nn.readout import Pooling
from sklrnn.training.auto_epochs import StepBudget

# For max_epochs="auto": an epoch of few samples is one update or a few, of which a hundred may be too few.
UPDATES = StepBudget(steps=400, fewest_epochs=100)

# What users read about each, as in ``nn.readout``.
POOLING_MEANINGS: dict[str, str] = {
    "last": "the final state.",
    "mean": "the mean over all steps.",
    "max": "the largest value of each unit over all steps.",
    "attention": "a mean over all steps that is weighted by the softmax of a learnt score of each state [Raffel2016]_."
    '\n\n.. [Raffel2016] Raffel, C. and Ellis, D. P. W.: "Feed-forward networks with attention can solve some '
    'long-term memory problems", ICLR workshop, 2016.',
}


@hyperparameters
class EstimatorParameters:
    """How sequences are read, and how long a network is trained on them."""

    bidirectional: Bidirectional = False
    pool_size: Annotated[
        int | Literal["auto"],
        Ge(1),
        Group.NETWORK,
        Doc(
            "Time steps in each block of the max pooling after the convolutions; without `filters` there is none. "
            '"auto" pools behind each convolution, so that at most 64 steps are left of the longest training sequence: '
            "not at all up to 64 steps, or with `return_sequences`."
        ),
    ] = "auto"
    batch_norm: Annotated[
        bool,
        Group.NETWORK,
        Doc(
            "Batch normalisation behind each convolution [Ioffe2015]_. Predictions use averages from training, so no "
            "sample depends on the others.\n\n"
            '.. [Ioffe2015] Ioffe, S. and Szegedy, C.: "Batch normalization: accelerating deep network training by '
            'reducing internal covariate shift", ICML, 2015.'
        ),
    ] = False
    convolution_skip: Annotated[
        bool,
        Group.NETWORK,
        Doc(
            "Skip connection past the recurrence: the prediction also reads the mean over time of the last "
            "convolution's output, as in LSTM-FCN [Karim2018]_.\n\n"
            '.. [Karim2018] Karim, F., Majumdar, S., Darabi, H. and Chen, S.: "LSTM fully convolutional networks for '
            'time series classification", IEEE Access 6, 2018.'
        ),
    ] = False
    pooling: Annotated[
        Pooling,
        Choices(POOLING_MEANINGS),
        Group.NETWORK,
        Doc(
            "What the prediction reads of the hidden states of the last recurrent layer; with `return_sequences` each "
            "step is predicted from its own state."
        ),
    ] = "last"
    normalize_X: Annotated[
        bool | Literal["window"],
        Group.INPUT,
        Doc(
            "Scale X inside the network: True standardises each feature with its mean and standard deviation over all "
            'training steps; "window" subtracts from each feature its last value in the window and divides by its '
            "standard deviation there, so that the level of a series may drift; False leaves X as it is."
        ),
    ] = True
    n_timesteps: Annotated[
        int | None,
        Ge(1),
        Group.INPUT,
        Doc(
            "How 2-D X is read: None takes each row as a univariate series; an int as that many time-major "
            "blocks of columns."
        ),
    ] = None
    max_epochs: Annotated[
        int | Literal["auto"],
        Ge(1),
        Group.STOPPING,
        Doc('Maximum number of epochs; "auto" means 100, and with few batches as many as make 400 updates.'),
    ] = 100
    shuffle: Annotated[bool, Group.TRAINING, Doc("Shuffle the training sequences in each epoch.")] = True
    embedding_dim: Annotated[
        int | None,
        Ge(1),
        Group.INPUT,
        Doc(
            "Width of the embedding where X holds integer tokens, (sample, time); tokens that training never "
            "saw share one embedding. None: X holds numbers."
        ),
    ] = None
    return_sequences: Annotated[
        bool,
        Group.NETWORK,
        Doc(
            "Predict at every step (aligned many-to-many): y has a time axis. For tags of whole sequences, such as "
            "those of the words of a text, set `bidirectional=True` too."
        ),
    ] = False
    missing: Annotated[
        Literal["error", "mask"],
        Group.INPUT,
        Doc(
            'What is done with NaN in X: an error, or with "mask" a missing value, for which the network '
            "reads the mean and a flag."
        ),
    ] = "error"
    stateful: Annotated[
        bool,
        Group.INPUT,
        Doc(
            "Read samples as consecutive segments of one long sequence: each starts from the hidden state at "
            "the end of the one before, in `fit` (without shuffling) and in each call of `predict`."
        ),
    ] = False
    warm_start: Annotated[bool, Group.RUNNING, Doc("Continue in `fit` from the weights of the previous `fit`.")] = False
