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
        Doc("Width of the recurrent state of encoder and decoder; a tuple stacks layers in both."),
    ] = 128
    embedding_dim: Annotated[
        int,
        Ge(1),
        Group.INPUT,
        Doc("Numbers that stand for a token, and width of what the decoder reads at each step."),
    ] = 32
    attention: Annotated[
        bool,
        Group.NETWORK,
        Doc(
            "Let the decoder look at all steps of the input, and learn where, instead of knowing the encoder's last "
            "state only."
        ),
    ] = False
    teacher_forcing: Annotated[
        float,
        Interval(ge=0, le=1),
        Group.TRAINING,
        Doc(
            "Share of the steps in which the decoder is fed the true last token or value in training; in the others it "
            "is fed what it says itself."
        ),
    ] = 1.0
    beam_size: Annotated[
        int,
        Ge(1),
        Group.RUNNING,
        Doc(
            "Beginnings of an answer that the search keeps at each step: 1 always takes the likeliest token; with "
            "numbers there is no other way."
        ),
    ] = 1
    max_length: Annotated[
        int | Literal["auto"],
        Ge(1),
        Group.RUNNING,
        Doc('Where an answer that does not end is cut; "auto": at the length of the longest in `fit`.'),
    ] = "auto"
    analyzer: Annotated[
        Literal["char", "word"],
        Group.INPUT,
        Doc("What a string is split into. Sequences that are lists of tokens stay as they are."),
    ] = "char"
    lowercase: Annotated[bool, Group.INPUT, Doc("Turn capitals in X into small letters first.")] = False
    min_count: Annotated[int, Ge(1), Group.INPUT, Doc("How often a token must occur to be known.")] = 1
    max_tokens: Annotated[
        int | None, Ge(1), Group.INPUT, Doc("Know so many tokens of X, and of y, at most, the most frequent ones.")
    ] = None
    unknown: Annotated[
        Literal["mark", "drop", "error"],
        Group.INPUT,
        Doc(
            "What becomes of a token of X that is not known: it is read as one that stands for all of these, left out, "
            "or an error that names the row."
        ),
    ] = "mark"
    normalize_X: Annotated[
        bool,
        Group.INPUT,
        Doc(
            "Standardise each feature of numbers in X with its mean and spread over all training steps, inside the "
            "network."
        ),
    ] = True
    normalize_y: Annotated[
        bool, Group.LOSS, Doc("Learn on standardised numbers of y, and answer in those of the user.")
    ] = True
    batch_size: Annotated[int, Ge(1), Group.TRAINING, Doc("Pairs in each step of the optimizer.")] = 32
    max_epochs: Annotated[
        int | Literal["auto"],
        Ge(1),
        Group.STOPPING,
        Doc(
            'Most passes over the pairs; "auto": as many as make about 5,000 steps of the optimizer, but 10 at least '
            "and 300 at most."
        ),
    ] = "auto"
    shuffle: Annotated[bool, Group.TRAINING, Doc("Draw the pairs in a new order in each epoch.")] = True
    warm_start: Annotated[
        bool,
        Group.RUNNING,
        Doc("Let `fit` go on from the weights, and the known tokens, of the previous `fit`."),
    ] = False
