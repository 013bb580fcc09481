"""The hyperparameters of translators."""

from typing import Annotated, Literal

from sklrnn._hyperparameters import Doc, Ge, Group, Interval, hyperparameters
from sklrnn.estimators.parameters import Bidirectional


@hyperparameters
class TranslatorParameters:
    """How pairs of sequences are read, and how a translator learns from them."""

    bidirectional: Bidirectional = False
    units: Annotated[
        int | tuple[int, ...],
        Ge(1),
        Group.NETWORK,
        Doc("Width of the hidden state of encoder and decoder; a tuple stacks layers in both."),
    ] = 128
    embedding_dim: Annotated[
        int,
        Ge(1),
        Group.INPUT,
        Doc("Width of the embedding of a token, and of the decoder input."),
    ] = 32
    attention: Annotated[
        bool,
        Group.NETWORK,
        Doc(
            "Let the decoder attend to all steps of the encoder (Luong attention [Luong2015]_), instead of its final "
            "state only.\n\n"
            '.. [Luong2015] Luong, M.-T., Pham, H. and Manning, C. D.: "Effective approaches to attention-based '
            'neural machine translation", EMNLP, 2015.'
        ),
    ] = False
    teacher_forcing: Annotated[
        float,
        Interval(ge=0, le=1),
        Group.TRAINING,
        Doc(
            "Share of the steps at which the decoder is fed the true previous target in training; at the "
            "others it is fed its own prediction (scheduled sampling [Bengio2015]_).\n\n"
            '.. [Bengio2015] Bengio, S., Vinyals, O., Jaitly, N. and Shazeer, N.: "Scheduled sampling for sequence '
            'prediction with recurrent neural networks", NeurIPS, 2015.'
        ),
    ] = 1.0
    beam_size: Annotated[
        int,
        Ge(1),
        Group.RUNNING,
        Doc("Hypotheses that the beam search keeps at each step; 1 is greedy decoding, the only way for numbers."),
    ] = 1
    max_length: Annotated[
        int | Literal["auto"],
        Ge(1),
        Group.RUNNING,
        Doc('Greatest length of a prediction; "auto" is the longest target in `fit`.'),
    ] = "auto"
    analyzer: Annotated[
        Literal["char", "word"],
        Group.INPUT,
        Doc(
            "How strings are split into tokens: characters or words. Sequences that are lists of tokens are not split."
        ),
    ] = "char"
    lowercase: Annotated[bool, Group.INPUT, Doc("Convert strings in X to lower case.")] = False
    min_count: Annotated[int, Ge(1), Group.INPUT, Doc("Tokens that occur less often are unknown.")] = 1
    max_tokens: Annotated[
        int | None,
        Ge(1),
        Group.INPUT,
        Doc("Size of the vocabularies of X and of y, the most frequent tokens; None keeps all."),
    ] = None
    unknown: Annotated[
        Literal["mark", "drop", "error"],
        Group.INPUT,
        Doc(
            "What is done with an unknown token of X: read as the token for all unknown ones, dropped, or an "
            "error that names the row."
        ),
    ] = "mark"
    normalize_X: Annotated[
        bool,
        Group.INPUT,
        Doc(
            "Standardise each feature of numbers in X with its mean and standard deviation over all training "
            "steps, inside the network."
        ),
    ] = True
    normalize_y: Annotated[
        bool, Group.LOSS, Doc("Standardise numbers of y for training; predictions are in the original units.")
    ] = True
    batch_size: Annotated[int, Ge(1), Group.TRAINING, Doc("Pairs in each batch.")] = 32
    max_epochs: Annotated[
        int | Literal["auto"],
        Ge(1),
        Group.STOPPING,
        Doc('Maximum number of epochs; "auto" makes about 5,000 steps of the optimizer, in 10 to 300 epochs.'),
    ] = "auto"
    shuffle: Annotated[bool, Group.TRAINING, Doc("Shuffle the pairs in each epoch.")] = True
    warm_start: Annotated[
        bool,
        Group.RUNNING,
        Doc("Continue in `fit` from the weights and the vocabularies of the previous `fit`."),
    ] = False
